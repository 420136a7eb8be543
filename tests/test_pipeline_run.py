"""The whole job on a table that no reader knows, with a real encoder, real training and a real run's folder."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import workbench as wb
from small_table import recipe_values, tickets
from workbench import recipe as recipes
from workbench import storage
from workbench.errors import DataError, MissingExtraError, ModelError, RunError, Stopped
from workbench.pipeline import request_stop, resume
from workbench.runs import Event, RunFolder, StageFinished, StageStarted

CONTRACT = (
    "run.json recipe.yaml environment.json log.jsonl data/health.json data/card.md data/croissant.json "
    "data/rows.parquet metrics.json measurements.json emissions.json recommendation.json README.md report.html "
    "manifest.json"
).split()

REFUSING = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {{{names}}}:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
"""


def write_recipe(folder: Path, values: dict[str, Any], rows: int = 700) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tickets(rows).to_csv(folder / "tickets.csv", index=False)
    file = folder / "tickets.yaml"
    file.write_text(recipes.to_yaml(recipes.from_values(values)), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def made(made_run: tuple[Path, wb.Run, list[Event]]) -> tuple[Path, wb.Run, list[Event]]:
    return made_run


@pytest.fixture
def copied(made: tuple[Path, wb.Run, list[Event]], tmp_path: Path) -> Path:
    """A copy of the finished run that a test may spoil."""
    target = tmp_path / "runs" / "tickets" / made[1].path.name
    shutil.copytree(made[1].path, target)
    return target


def test_a_run_leaves_every_file_of_the_contract(made: tuple[Path, wb.Run, list[Event]]) -> None:
    run = made[1]
    assert run.status == "done"
    assert [name for name in CONTRACT if not (run.path / name).is_file()] == []
    kinds = ["control-linear", "control-static", "selftrain-linear", "selftrain-static", "student-linear"]
    assert run.candidates == sorted(["baseline", "teacher", "student-static", *kinds])
    table = pq.read_table(run.path / "predictions" / "student-linear.parquet")
    assert table.column_names[:5] == ["seed", "row", "split", "label", "prediction"]
    assert set(table["split"].to_pylist()) == {"validation", "reserve", "test"}


def test_the_folder_names_no_path_of_the_machine_and_no_text_of_a_row(
    made: tuple[Path, wb.Run, list[Event]],
) -> None:
    recipe, run, _ = made
    phrase = tickets(700)["note"][0]
    for file in (*run.path.rglob("*.json"), *run.path.rglob("*.html"), *run.path.rglob("*.md"), run.path / "log.jsonl"):
        if "models" in file.parts:
            continue
        text = file.read_text(encoding="utf-8")
        assert phrase not in text, file.name
        if file.name != "recipe.yaml":
            assert str(recipe.parent) not in text, file.name


def test_every_stage_tells_when_it_starts_and_ends(made: tuple[Path, wb.Run, list[Event]]) -> None:
    started = [(one.stage, one.candidate) for one in made[2] if isinstance(one, StageStarted)]
    ended = [(one.stage, one.candidate) for one in made[2] if isinstance(one, StageFinished)]
    assert started == ended
    assert {"data", "embeddings", "baseline", "teacher", "soft targets", "student", "metrics"} <= {s for s, _ in ended}


def test_a_finished_run_verifies_also_when_its_models_predict_again(made: tuple[Path, wb.Run, list[Event]]) -> None:
    verified = wb.verify(made[1].path, full=True)
    assert verified.ok, verified.findings


@pytest.mark.parametrize("spoiled", ["metrics.json", "predictions/baseline.parquet", "report.html", "recipe.yaml"])
def test_verify_finds_what_was_changed_after_the_run(copied: Path, spoiled: str) -> None:
    file = copied / spoiled
    if spoiled == "metrics.json":
        rows = storage.read_json(file)
        rows[0]["value"] = 0.99
        storage.write_json(file, rows)
    elif spoiled.endswith("parquet"):
        table = pq.read_table(file)
        wrong = pa.array(["brakes"] * len(table), pa.large_string())
        storage.write_parquet(file, table.set_column(4, "prediction", wrong))
    else:
        file.write_text(file.read_text(encoding="utf-8").replace("tickets", "Tickets"), encoding="utf-8")
    verified = wb.verify(copied)
    assert not verified.ok
    assert not verified.findings[0].ok
    if spoiled in {"metrics.json", "predictions/baseline.parquet"}:
        assert not next(one for one in verified.findings if one.what == "metrics").ok


def test_running_again_shows_the_finished_run(made: tuple[Path, wb.Run, list[Event]]) -> None:
    recipe, run, _ = made
    events: list[Event] = []
    again = wb.run(recipe, runs=run.path.parent.parent, listener=events.append)
    assert again.path == run.path
    assert events == []


@pytest.mark.slow
def test_a_fresh_run_with_another_student_reuses_everything_else_and_says_so(
    made: tuple[Path, wb.Run, list[Event]],
) -> None:
    recipe, run, _ = made
    events: list[Event] = []
    changed = ["students.linear.buckets=2048"]
    other = wb.run(recipe, runs=run.path.parent.parent, overrides=changed, listener=events.append)
    assert other.path != run.path
    done = {(one.stage, one.candidate): one.reused for one in events if isinstance(one, StageFinished)}
    assert done["embeddings", ""]
    assert done["teacher", "teacher"]
    assert done["student", "student-static"]
    assert not done["student", "student-linear"]
    carried = {(row["stage"], row["candidate"]): row for row in storage.read_json(other.path / "emissions.json")}
    assert carried["embeddings", None]["reused_from"] == run.path.name
    assert carried["student", "student-linear"].get("reused_from") is None


def test_the_recommended_model_predicts_and_explains(made: tuple[Path, wb.Run, list[Event]]) -> None:
    model = made[1].candidate("student-linear")
    frame = model.predict(["the brake lever squeals", "spoke of my wheel"])
    assert list(frame["label"]) == ["brakes", "wheels"]
    assert np.allclose(frame[[name for name in frame if name.startswith("p_")]].sum(axis=1), 1, atol=1e-5)
    words = model.explain("please check the brake lever")
    assert words.loc[words["weight"].idxmax(), "word"] in {"brake", "lever"}
    with pytest.raises(ModelError, match="no candidate 'nobody'"):
        made[1].candidate("nobody")


def test_the_linear_student_stands_alone_with_numpy(made: tuple[Path, wb.Run, list[Event]]) -> None:
    import subprocess
    import sys

    folder = made[1].path / "models" / "student-linear"
    script = (
        "import sys; sys.modules.update({n: None for n in ('workbench', 'scipy', 'torch', 'pyarrow', 'safetensors')})\n"
        f"sys.argv = ['reader.py', 'the brake lever squeals']; exec(open({str(folder / 'reader.py')!r}).read(), "
        f"{{'__name__': '__main__', '__file__': {str(folder / 'reader.py')!r}}})"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.startswith("brakes\t")


def test_the_static_student_stands_alone_with_model2vec(made: tuple[Path, wb.Run, list[Event]]) -> None:
    from model2vec.inference import StaticModelPipeline

    run = made[1]
    texts = ["the brake lever squeals", "spoke of my wheel", "chain slipping"]
    ours = run.candidate("student-static").predict(texts)
    theirs = StaticModelPipeline.from_pretrained(str(run.path / "models" / "student-static")).predict_proba(texts)
    assert np.allclose(theirs, ours[[name for name in ours if name.startswith("p_")]].to_numpy(), atol=1e-4)


def test_emissions_name_every_stage_with_its_range_and_class(made: tuple[Path, wb.Run, list[Event]]) -> None:
    rows = storage.read_json(made[1].path / "emissions.json")
    stages = {row["stage"] for row in rows}
    assert {"data", "embeddings", "teacher", "student", "control", "selftrain", "metrics", "report"} <= stages
    for row in rows:
        assert 0 < row["energy_kwh"]["low"] <= row["energy_kwh"]["central"] <= row["energy_kwh"]["high"]
        assert row["class"] in "ABCD"


@pytest.mark.slow
def test_the_report_can_be_remade_without_torch(copied: Path) -> None:
    import subprocess
    import sys

    before = (copied / "report.html").read_bytes()
    (copied / "report.html").unlink()
    script = REFUSING.format(names="'torch', 'transformers', 'peft', 'codecarbon', 'model2vec', 'tokenizers'") + (
        "from pathlib import Path; from workbench import reporting; reporting.report(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", script, str(copied)], check=True)
    assert (copied / "report.html").read_bytes() == before


@pytest.mark.slow
def test_without_a_teacher_the_baseline_alone_goes_through_and_needs_no_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    recipe = write_recipe(tmp_path, recipe_values(None), rows=300)
    script = REFUSING.format(names="'torch', 'transformers', 'model2vec', 'tokenizers'") + (
        "import workbench as wb; run = wb.run(sys.argv[1], runs=sys.argv[2]); print(run.recommendation['candidate'])"
    )
    command = [sys.executable, "-c", script, str(recipe), str(tmp_path / "runs")]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.strip().endswith("baseline")


@pytest.mark.slow
def test_sixty_rows_work_and_nothing_is_claimed(tmp_path: Path) -> None:
    data = recipe_values(None)["data"] | {"group": None, "splits": {"by": "random"}, "labelled": {}}
    data["source"] = {"table": "given"}
    frame = tickets(60)
    recipe = recipes.from_values(recipe_values(None, data={k: v for k, v in data.items() if v is not None}))
    run = wb.run(recipe, table=frame, runs=tmp_path)
    assert run.status == "done"
    assert run.recommendation["candidate"] is None
    assert "12 rows" in run.recommendation["sentence"] or "below 30" in run.recommendation["sentence"]
    with pytest.raises(RunError, match="recommends no candidate"):
        _ = run.recommended


@pytest.mark.slow
def test_a_file_can_be_the_teacher(tmp_path: Path) -> None:
    values = recipe_values(None, teacher={"file": "answers.csv"}, students=[{"name": "linear", "kind": "linear"}])
    recipe = write_recipe(tmp_path, values, rows=400)
    frame = tickets(400)
    pd.DataFrame({"row": range(400), "label": frame["topic"]}).to_csv(tmp_path / "answers.csv", index=False)
    run = wb.run(recipe, runs=tmp_path / "runs")
    table = run.comparison
    assert table.loc["teacher", "value"] == pytest.approx(1.0)
    assert table.loc["student-linear", "value"] > 0.9
    assert run.recommendation["candidate"] != "teacher"


@pytest.mark.slow
def test_a_teacher_no_better_than_guessing_is_refused_before_any_student(tmp_path: Path) -> None:
    values = recipe_values(None, teacher={"file": "answers.csv"}, students=[{"name": "linear", "kind": "linear"}])
    recipe = write_recipe(tmp_path, values, rows=700)
    random = np.random.default_rng(1).choice(["brakes", "gears", "wheels"], 700)
    pd.DataFrame({"row": range(700), "label": random}).to_csv(tmp_path / "answers.csv", index=False)
    events: list[Event] = []
    with pytest.raises(ModelError, match="no better than"):
        wb.run(recipe, runs=tmp_path / "runs", listener=events.append)
    assert not any(isinstance(one, StageStarted) and one.stage == "student" for one in events)
    states = [json.loads(file.read_text()) for file in (tmp_path / "runs").glob("*/*/run.json")]
    assert [state["status"] for state in states] == ["failed"]


@pytest.mark.slow
def test_an_ensemble_of_encoder_and_baseline_teaches(tiny_encoder: Path, tmp_path: Path) -> None:
    members = [{"model": str(tiny_encoder)}, {"baseline": True, "weight": 2.0}]
    recipe = write_recipe(tmp_path, recipe_values(tiny_encoder, teacher={"ensemble": members}))
    run = wb.run(recipe, runs=tmp_path / "runs")
    assert run.candidate("teacher").model.kind == "ensemble"
    assert wb.verify(run.path, full=True).ok


@pytest.mark.slow
def test_two_seeds_show_points_and_spread(tmp_path: Path) -> None:
    values = recipe_values(None, evaluation={"seeds": 2, "resamples": 1000})
    run = wb.run(write_recipe(tmp_path, values), runs=tmp_path / "runs")
    rows = [row for row in storage.read_json(run.path / "metrics.json") if row["metric"] == "macro_f1"]
    whole = next(row for row in rows if row["seed"] is None and row["slice"] == "all")
    assert len(whole["points"]) == 2
    assert {row["seed"] for row in rows} == {0, 1, None}
    assert wb.verify(run.path).ok


@pytest.mark.slow
def test_a_stop_keeps_what_was_done_and_resume_goes_on(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, recipe_values(None))
    runs = tmp_path / "runs"

    def stop_after_data(event: Event) -> None:
        if isinstance(event, StageFinished) and event.stage == "data":
            request_stop("latest", runs)

    with pytest.raises(Stopped, match="asked to stop"):
        wb.run(recipe, runs=runs, listener=stop_after_data)
    folder = RunFolder(next(runs.glob("*/*/run.json")).parent)
    assert folder.state.status == "stopped"
    events: list[Event] = []
    run = resume("latest", runs=runs, listener=events.append)
    assert run.path == folder.path
    assert next(one.reused for one in events if isinstance(one, StageFinished) and one.stage == "data")
    types = [event["type"] for event in run_events(run.path)]
    assert types.count("run started") == 1
    assert "run stopped" in types
    assert "run resumed" in types


def run_events(path: Path) -> list[dict[str, Any]]:
    return RunFolder(path).events()


@pytest.mark.slow
def test_a_changed_table_is_another_run_and_cannot_be_resumed(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, recipe_values(None), rows=300)
    first = wb.run(recipe, runs=tmp_path / "runs")
    tickets(320).to_csv(tmp_path / "tickets.csv", index=False)
    with pytest.raises(RunError, match="table has changed"):
        resume(first.path)
    assert wb.run(recipe, runs=tmp_path / "runs").path != first.path


def test_a_wrong_column_is_refused_before_a_run_folder_is_made(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, recipe_values(None))
    with pytest.raises(DataError, match="note"):
        wb.run(recipe, runs=tmp_path / "runs", overrides=["data.text=nota"])
    assert not (tmp_path / "runs").exists()


def test_check_estimates_without_writing_anything(tiny_encoder: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, recipe_values(tiny_encoder))
    before = sorted(tmp_path.rglob("*"))
    checked = wb.check(recipe)
    assert checked.estimate.seconds > 0
    assert checked.estimate.energy_wh.low < checked.estimate.energy_wh.high
    assert any("likely to take" in sentence for sentence in checked.sentences)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_recipe_that_needs_an_extra_that_is_not_there_is_refused_before_anything_is_done(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = recipe_values(tiny_encoder, teacher={"model": str(tiny_encoder), "privacy": {"epsilon": 8.0}})
    tickets(300).to_csv(tmp_path / "tickets.csv", index=False)
    file = tmp_path / "tickets.yaml"
    file.write_text(recipes.to_yaml(recipes.from_values(values)), encoding="utf-8")
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "opacus" else found(name, *more)
    )
    for act in (lambda: wb.run(file, runs=tmp_path / "runs"), lambda: wb.check(file)):
        with pytest.raises(MissingExtraError, match="privacy") as caught:
            act()
        assert "pip install 'specialist-workbench[privacy]'" in caught.value.what_to_do
    assert not (tmp_path / "runs").exists()
