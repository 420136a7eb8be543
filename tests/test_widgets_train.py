"""The panel Train in every state it can be in, each made on disk; and one whole real training."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ipywidgets")

from watched_run import WatchedRun, written_recipe
from workbench import storage
from workbench.projects.desk import Desk
from workbench.projects.points import Curve
from workbench.widgets import curves
from workbench.widgets.train import Train
from workbench.widgets.train_words import amount, time_in_words
from workbench.widgets.words import Words, texts
from workbench.widgets.work import AtOnce


@pytest.fixture
def run(tmp_path: Path) -> WatchedRun:
    return WatchedRun(tmp_path / "runs")


def panel_of(run: WatchedRun, language: str = "en") -> Train:
    return Train(run.path, words=Words(language), executor=AtOnce())


def offered(panel: Train) -> list[str]:
    """The buttons that can be seen."""
    names = ("start", "stop", "resume", "fresh")
    return [name for name in names if getattr(panel, name).layout.display != "none"]


def until(true: Callable[[], object], seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)


def test_without_a_recipe_it_is_blocked_and_says_what_to_do(tmp_path: Path) -> None:
    panel = Train(desk=Desk(tmp_path / "runs"), words=Words("en"), executor=AtOnce())
    panel.refresh()
    assert panel.state == "blocked"
    assert "Choose a recipe" in panel.blockers[0]


def test_before_the_start_it_says_what_will_run_and_what_it_is_likely_to_take(tmp_path: Path) -> None:
    file = written_recipe(tmp_path)
    panel = Train(desk=Desk(tmp_path / "runs", file), words=Words("en"), executor=AtOnce())
    panel.refresh()
    assert panel.state == "ready"
    assert "tickets: a baseline" in panel.plan.value
    assert "Wh of electricity" in panel.plan.value
    assert offered(panel) == ["start"]
    assert str(file.as_posix()) in panel.code
    compile(panel.code, "code", "exec")


def test_a_table_that_is_gone_is_told_before_anything_starts(tmp_path: Path) -> None:
    file = written_recipe(tmp_path)
    (tmp_path / "tickets.csv").unlink()
    panel = Train(desk=Desk(tmp_path / "runs", file), words=Words("en"), executor=AtOnce())
    panel.refresh()
    assert panel.state == "failed"
    assert "tickets.csv" in panel.notices.value


def test_a_run_at_work_is_followed_until_it_ends(run: WatchedRun) -> None:
    run.at_work()
    run.done("data")
    run.began("baseline", "baseline")
    panel = panel_of(run)
    assert panel.state == "running"
    assert offered(panel) == ["stop"]
    assert "At work: Baseline" in panel.status.value
    assert panel.stages.value.count('role="status"') == 9
    run.ended("baseline", "baseline")
    run.folder.set_status("done")
    run.lock.release()
    until(lambda: panel.state == "done", 20)
    assert offered(panel) == ["fresh"]
    until(lambda: panel._poller is None, 20)


@pytest.mark.parametrize("place", ["following.look", "_show"])
def test_an_error_that_nobody_expected_does_not_end_the_looking_unless_it_stays(
    run: WatchedRun, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    panel = panel_of(run.at_work())
    owner, name = (panel.following, "look") if place == "following.look" else (panel, place)
    works, tried = getattr(owner, name), []

    def fails(*given: Any) -> Any:
        tried.append(given)
        if len(tried) == 1 or stays:
            raise ImportError("a module that another thread is just importing")
        return works(*given)

    stays = False
    monkeypatch.setattr(owner, name, fails)
    until(lambda: len(tried) > 2, 20)
    assert (panel.state, panel._working) == ("running", True)
    stays = True
    until(lambda: panel._poller is None, 20)
    assert panel.state == "failed"
    assert "ImportError: a module that another" in panel.notices.value
    run.lock.release()


def test_a_closed_panel_stops_looking(run: WatchedRun) -> None:
    panel = panel_of(run.at_work())
    poller = panel._poller
    assert poller is not None
    panel.close()
    until(lambda: not poller.is_alive(), 20)
    run.lock.release()


def test_a_panel_that_nobody_sees_looks_seldom(run: WatchedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    monkeypatch.setattr(curves.Curves, "seen", property(lambda self: False))
    monkeypatch.setattr("workbench.widgets.train.EVERY_S", 0.01)
    panel = panel_of(run.at_work())
    monkeypatch.setattr(panel.following, "look", lambda: looks.append(0.0) or panel.following.seen)
    time.sleep(0.4)
    assert len(looks) <= 1
    panel.close()
    run.lock.release()


def test_stop_asks_the_run_and_says_so(run: WatchedRun) -> None:
    panel = panel_of(run.at_work())
    panel.stop.click()
    assert run.folder.should_stop()
    until(lambda: "present batch" in panel.status.value, 10)
    until(lambda: panel.stop.disabled, 10)
    panel.close()
    run.lock.release()


@pytest.mark.parametrize(("status", "said"), [("stopped", "was stopped"), ("running", "was cut off")])
def test_what_ended_before_its_end_is_offered_to_go_on_with_what_is_kept(
    run: WatchedRun, status: str, said: str
) -> None:
    run.done("data", seconds=30.0)
    run.folder.set_status(status)
    panel = panel_of(run)
    assert panel.state == "ready"
    assert offered(panel) == ["resume", "fresh"]
    assert said in panel.notices.value
    assert "1 of 9 stages are finished" in panel.notices.value


def test_a_failed_run_says_why_in_its_own_words_and_what_to_do(run: WatchedRun) -> None:
    run.folder.set_status("failed")
    run.folder.log("run failed", reason="ModelError: The weights are <missing>.\nA folder.\nPut them back.")
    panel = panel_of(run)
    assert panel.state == "failed"
    for part in ("The weights are &lt;missing&gt;.", "Put them back.", "Go on"):
        assert part in panel.notices.value
    assert offered(panel) == ["resume", "fresh"]


def test_a_deleted_run_and_one_of_a_newer_version_are_a_sentence(run: WatchedRun) -> None:
    values = storage.read_json(run.path / "run.json")
    storage.write_json(run.path / "run.json", {**values, "format": 99})
    panel = panel_of(run)
    assert panel.state == "failed"
    assert "format 99" in panel.notices.value
    storage.remove_tree(run.path)
    panel.refresh()
    assert "no run&#x27;s folder" in panel.notices.value
    assert offered(panel) == []


def test_a_run_that_vanishes_while_it_is_watched_is_a_sentence(run: WatchedRun) -> None:
    panel = panel_of(run.at_work())
    storage.remove_tree(run.path)
    until(lambda: panel.state == "failed", 20)
    assert "no run&#x27;s folder" in panel.notices.value


def test_energy_stands_beside_the_budget(tmp_path: Path) -> None:
    from small_table import recipe_values
    from workbench import recipe as recipes

    carbon = {"country": "FRA", "metered_seconds": 1, "budget_grams": 2.0}
    run = WatchedRun(tmp_path / "runs", recipes.from_values(recipe_values(None, carbon=carbon)))
    run.done("data", kwh=0.01)
    panel = panel_of(run)
    assert "10 Wh; 0.56 g" in panel.overall.value
    assert "28 % of the budget of 2.0 g" in panel.overall.value


def test_a_recipe_that_became_wrong_is_told_when_one_starts(tmp_path: Path) -> None:
    file = written_recipe(tmp_path)
    panel = Train(desk=Desk(tmp_path / "runs", file), words=Words("en"), executor=AtOnce())
    file.write_text("name: 7\n", encoding="utf-8")
    panel.start.click()
    assert panel.state == "failed"
    assert "tickets.yaml" in panel.notices.value
    assert not (tmp_path / "runs").exists()


def some_curves(points: int = 3) -> dict[str, Curve]:
    steps = tuple(range(1, points + 1))
    values = tuple(1.0 / step for step in steps)
    return {"teacher/teacher/loss": Curve(steps, values), "student-a/student/loss": Curve(steps, values)}


def test_only_new_points_are_sent_and_a_line_anew_when_its_past_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[Any, int]] = []
    drawn = curves.Curves(Words("en"))
    monkeypatch.setattr(
        drawn.chart, "send", lambda message, buffers: sent.append((message, len(buffers[0]) // 8)), raising=False
    )
    drawn.show(some_curves(3))
    drawn.show(some_curves(3))
    drawn.show(some_curves(5))
    assert [points for _, points in sent] == [6, 4]
    assert [line["anew"] for line in sent[-1][0]["lines"]] == [False, False]
    changed = {**some_curves(5), "teacher/teacher/loss": Curve((1,), (0.1,), turn=1)}
    drawn.show(changed)
    assert sent[-1][0]["lines"] == [{"name": "teacher", "count": 1, "anew": True}]
    assert "student-a, 0.2 at step 5" in drawn.summary.value
    assert drawn.chart.label in drawn.summary.value


def test_curves_are_a_table_too(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = curves.Curves(Words("en"))
    drawn.show({**some_curves(), "baseline/baseline/validation log loss": Curve((1,), (0.7,))})
    assert [value for _, value in drawn.metric.options] == ["loss", "validation loss"]
    drawn.as_table.value = True
    assert drawn.table.value.count("<tr>") == 3
    assert "0.3333" in drawn.table.value
    drawn.metric.value = "validation loss"
    assert "baseline" in drawn.table.value


def test_a_snapshot_is_plain_and_holds_the_numbers(run: WatchedRun) -> None:
    run.done("data")
    run.tell(run.value(1, 0.25))
    found = panel_of(run).snapshot()
    assert "<script" not in found
    assert "0.25" in found
    assert "done in 1 s" in found


def test_in_french_no_english_is_left(run: WatchedRun) -> None:
    assert texts("en").keys() == texts("fr").keys()
    run.done("data")
    run.began("student", "student-linear")
    run.folder.log("training", sentence="Training goes on from step 5 of 10 (epoch 1, 3 seconds of work kept).")
    panel = panel_of(run.at_work(), "fr")
    shown = panel.snapshot() + panel.lines.value + panel.status.value
    assert "L’entraînement reprend au pas 5 sur 10" in shown
    for english in ("done in", "waiting", "began", "At work", "left"):
        assert english not in shown
    panel.close()
    run.lock.release()


def test_times_and_amounts_are_no_finer_than_a_person_follows() -> None:
    assert [time_in_words(seconds) for seconds in (0.2, 34, 130, 7_500)] == ["1 s", "34 s", "2 min", "2 h 05 min"]
    assert time_in_words(31, by=15) == "45 s"
    assert [amount(value) for value in (0, 1e-5, 0.0123, 1.26, 345.6)] == ["0", "< 0.001", "0.012", "1.3", "346"]


def test_two_panels_that_go_on_with_a_run_somebody_works_on_both_show_it(run: WatchedRun) -> None:
    run.folder.set_status("stopped")
    panel, other = panel_of(run), panel_of(run)
    run.folder.set_status("running")
    run.at_work()
    panel.resume.click()
    other.resume.click()
    until(lambda: panel.state == other.state == "running", 10)
    until(lambda: offered(panel) == offered(other) == ["stop"], 10)
    run.folder.set_status("done")
    run.lock.release()
    until(lambda: panel.state == other.state == "done", 20)


@pytest.mark.slow
def test_a_training_from_the_click_to_its_end_with_a_stop_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.projects.process.NICENESS", "1")
    desk = Desk(tmp_path / "runs", written_recipe(tmp_path / "runs" / "guide" / "tickets"))
    panel = Train(desk=desk, words=Words("en"))
    panel.refresh()
    until(lambda: panel.plan.value)
    panel.start.click()
    until(lambda: "Data" in panel.stages.value and "done in" in panel.stages.value)
    panel.stop.click()
    until(lambda: panel.state == "ready")
    assert offered(panel) == ["resume", "fresh"]
    panel.resume.click()
    until(lambda: panel.state == "done")
    assert desk.run is not None
    assert desk.run.status == "done"
    assert "baseline" in panel.curves.as_html()
    assert panel.following.seen.snapshot is not None
    assert panel.following.seen.snapshot.energy_wh > 0
    again = Train(desk=desk, words=Words("en"), executor=AtOnce())
    again.refresh()
    assert again.state == "done"
