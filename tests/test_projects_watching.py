"""A run is watched through its files: read on, whole lines only, cheaply, and as true after a resume as before."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import pytest

from small_table import recipe_values
from watched_run import WatchedRun
from workbench import recipe as recipes
from workbench import storage
from workbench.errors import RunError
from workbench.projects.points import DRAWN, KEPT, Line, thinned
from workbench.projects.stages import planned, stage_of
from workbench.projects.watching import Watch

LOSS = "student-linear/student/loss"


@pytest.fixture
def run(tmp_path: Path) -> WatchedRun:
    return WatchedRun(tmp_path / "runs")


def stages(watch: Watch) -> dict[str, str]:
    return {one.name: one.status for one in watch.poll().stages}


def test_stages_are_waiting_running_done_or_reused(run: WatchedRun) -> None:
    run.at_work()
    run.done("data", seconds=3.0)
    run.ended("embeddings", kind="stage reused", reused_from="another run")
    run.began("baseline", "baseline")
    found = stages(Watch(run.path))
    assert [found[name] for name in ("data", "embeddings", "baseline", "teacher", "student-linear", "evidence")] == [
        *("done", "reused", "running", "waiting", "waiting", "waiting")
    ]


def test_a_student_is_done_with_its_control_and_its_selftrain(run: WatchedRun) -> None:
    run.at_work()
    watch = Watch(run.path)
    for name in ("student", "control", "selftrain"):
        run.began(name, f"{name}-linear")
        (stage,) = (one for one in watch.poll().stages if one.name == "student-linear")
        assert (stage.status, stage.part, stage.total) == ("running", f"{name}-linear", 3)
        run.ended(name, f"{name}-linear", seconds=2.0)
    (stage,) = (one for one in watch.poll().stages if one.name == "student-linear")
    assert (stage.status, stage.done, stage.seconds) == ("done", 3, 6.0)


def test_a_stage_that_this_run_finished_itself_is_done_after_a_resume_not_reused(run: WatchedRun) -> None:
    run.done("data", seconds=3.0, kwh=2e-6)
    run.folder.log("run stopped", reason="Stopped")
    run.folder.log("run resumed")
    run.ended("data", kind="stage reused", seconds=0.1, kwh=2e-6)
    seen = Watch(run.path).poll()
    assert [(one.status, one.seconds) for one in seen.stages if one.name == "data"] == [("done", 3.0)]
    assert seen.energy_wh == pytest.approx(0.002)


def test_the_plan_counts_every_part_that_the_log_will_name() -> None:
    students = [
        {"name": "linear", "kind": "linear"},
        {"name": "static", "kind": "static", "compress": ["onnx"]},
        {"name": "cut", "kind": "transformer", "cut": {"keep_layers": [1, 2], "drop_layers": [2]}},
    ]
    values = recipe_values(None, teacher={"model": "an-encoder", "method": "finetune"}, students=students)
    found = planned(recipes.from_values({**values, "evaluation": {"seeds": 2}}))
    assert found == {
        **{"data": 2, "embeddings": 1, "baseline": 2, "teacher": 4, "tokens": 1},
        **{"student-linear": 6, "student-static": 8, "student-cut": 8},
        **{"predictions": 28, "metrics": 1, "measurement": 7, "evidence": 0},
    }
    assert stage_of("onnx", "student-static-onnx") == "student-static"
    assert stage_of("evidence-flips", "") == "evidence"


def test_a_torn_last_line_waits_for_its_end(run: WatchedRun) -> None:
    watch, line = Watch(run.path), run.value(2, 0.4)
    run.tell(run.value(1, 0.5) + line[:-9])
    assert watch.poll().curves[LOSS].values == (0.5,)
    run.tell(line[-9:])
    assert watch.poll().curves[LOSS].values == (0.5, 0.4)


def test_a_file_that_began_anew_is_read_anew_and_bytes_that_mean_nothing_are_passed_over(run: WatchedRun) -> None:
    watch = Watch(run.path)
    run.tell(run.value(1, 0.5) + "\0\0\0\n" + run.value(2, 0.4))
    assert watch.poll().curves[LOSS].steps == (1, 2)
    (run.path / "progress.jsonl").write_text(run.value(1, 0.9), encoding="utf-8")
    assert watch.poll().curves[LOSS].values == (0.9,)
    (run.path / "progress.jsonl").unlink()
    assert watch.poll().curves == {}


def test_a_resumed_training_and_a_next_seed_begin_their_curve_again_from_their_step(run: WatchedRun) -> None:
    watch = Watch(run.path)
    run.tell("".join(run.value(step, 1 / step) for step in (10, 20, 30)))
    first = watch.poll().curves[LOSS]
    run.tell(run.value(20, 0.2) + run.value(30, 0.1))
    resumed = watch.poll().curves[LOSS]
    assert (resumed.steps, resumed.values) == ((10, 20, 30), (0.1, 0.2, 0.1))
    assert resumed.turn > first.turn
    run.tell(run.value(1, 0.7))
    assert watch.poll().curves[LOSS].steps == (1,)


def test_thinning_keeps_the_ends_and_every_peak() -> None:
    values = [float(place % 7) for place in range(30_000)]
    values[12_345], values[20_001] = 1e6, -1e6
    kept = thinned(values, DRAWN)
    assert len(kept) <= DRAWN
    assert {0, 12_345, 20_001, 29_999} <= set(kept)
    assert kept == sorted(kept)


def test_a_curve_keeps_at_most_ten_thousand_points_and_draws_a_thousand() -> None:
    line = Line()
    for step in range(1, 25_001):
        line.add(step, step % 11)
        assert len(line.steps) <= KEPT
    curve = line.curve()
    assert (curve.steps[0], curve.steps[-1]) == (1, 25_000)
    assert len(curve.drawn().steps) <= DRAWN
    assert line.curve() is curve  # nothing new, nothing copied


@pytest.mark.slow
def test_a_look_at_a_hundred_thousand_lines_costs_nothing_when_nothing_is_new(run: WatchedRun) -> None:
    run.at_work()
    value, progress = run.value(0, 0.5).replace('"step": 0', '"step": %d'), run.progress(7, 100_000)
    run.tell("".join(value % step if step % 2 else progress for step in range(1, 100_001)))
    watch = Watch(run.path)
    assert len(watch.poll().curves[LOSS].steps) > 1_000
    times = []
    for _ in range(30):
        began = time.perf_counter()
        watch.poll()
        times.append(time.perf_counter() - began)
    assert statistics.median(times) < 0.005


def test_remaining_time_is_the_estimate_corrected_by_what_stages_took(run: WatchedRun) -> None:
    run.at_work()
    watch = Watch(run.path)
    before = watch.poll().remaining
    assert before == pytest.approx(83, abs=1)
    run.done("data", seconds=4.0)
    slower = {one.name: one.remaining for one in watch.poll().stages}
    assert slower["data"] == 0
    assert slower["measurement"] == pytest.approx(40 * 19 / 17)
    run.began("student", "student-linear")
    run.tell(run.progress(50, 100))
    (stage,) = (one for one in watch.poll().stages if one.name == "student-linear")
    assert stage.share == pytest.approx(1 / 6)


def test_without_an_estimate_nobody_pretends_to_know(run: WatchedRun) -> None:
    (run.path / "estimate.json").unlink()
    assert Watch(run.path).poll().remaining is None


def test_energy_is_that_of_finished_stages_and_of_the_one_at_work(run: WatchedRun) -> None:
    run.at_work()
    watch = Watch(run.path)
    run.done("data", kwh=3e-6)
    run.ended("embeddings", kind="stage reused", reused_from="another run", kwh=1.0)
    run.began("baseline", "baseline", "abc")
    storage.write_json(run.path.parents[1] / ".stages" / "abc.partial" / "spent.json", {"energy_kwh": 1e-6})
    seen = watch.poll()
    assert seen.energy_wh == pytest.approx(0.004)
    assert seen.grams == pytest.approx(4e-6 * 56)


def test_a_done_run_tells_what_its_report_tells(run: WatchedRun) -> None:
    emission = {"energy_kwh": {"central": 0.002}, "emissions_kg": {"central": 0.001}}
    storage.write_json(run.path / "emissions.json", [emission, {**emission, "reused_from": "another run"}])
    run.folder.set_status("done")
    seen = Watch(run.path).poll()
    assert (seen.energy_wh, seen.grams, seen.run.status) == (2.0, 1.0, "done")
    assert {one.status for one in seen.stages} == {"done"}


def test_a_run_whose_process_is_gone_is_cut_off_and_a_failed_one_says_why(run: WatchedRun) -> None:
    assert Watch(run.path).poll().run.status == "cut off"
    run.folder.set_status("failed")
    run.folder.log("run failed", reason="DataError: The label column is gone.\nPut it back.")
    seen = Watch(run.path).poll()
    assert seen.run.status == "failed"
    assert seen.reason.startswith("DataError: The label column is gone.")
    assert seen.log[-1]["type"] == "run failed"


def test_a_deleted_folder_and_one_of_a_newer_version_are_told(run: WatchedRun) -> None:
    watch = Watch(run.path)
    watch.poll()
    state = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    storage.write_json(run.path / "run.json", {**state, "format": 99})
    with pytest.raises(RunError, match="format 99"):
        watch.poll()
    storage.remove_tree(run.path)
    with pytest.raises(RunError, match="no run's folder"):
        watch.poll()


@pytest.mark.parametrize("kind", ["head", "full batch", "streamed"])
def test_every_training_tells_the_metric_beside_its_loss(kind: str) -> None:
    import numpy as np

    from small_table import tickets
    from workbench.runs import Measured
    from workbench.training.distillation import one_hot
    from workbench.training.head import train_head
    from workbench.training.linear import LinearSettings, train_linear

    table, told = tickets(120), []
    classes, labels = np.unique(table["topic"], return_inverse=True)
    targets, texts = one_hot(labels, len(classes)), list(table["note"])
    if kind == "head":
        vectors = np.random.default_rng(0).normal(size=(120, 8)).astype(np.float32)
        train_head(vectors[:80], targets[:80], vectors[80:], labels[80:], listener=told.append)
    else:
        settings = LinearSettings(buckets=1024, epochs=2, full_batch_rows=0 if kind == "streamed" else 2500)
        held = (texts[80:], labels[80:])
        train_linear(
            texts[:80], targets[:80], classes=classes, settings=settings, validation=held, listener=told.append
        )
    measured = [one for one in told if isinstance(one, Measured)]
    scores = [one for one in measured if one.name == "validation macro F1"]
    losses = [one for one in measured if one.name in ("loss", "validation log loss")]
    assert scores
    assert losses
    assert all(0 <= one.value <= 1 for one in scores)
    assert [one.step for one in scores] == sorted({one.step for one in scores})
