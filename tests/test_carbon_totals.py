"""Totals survive stopping and going on, and add up: every second that was metered is in one entry, once."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("codecarbon")

from workbench import storage
from workbench.carbon.meter import METER, Reading
from workbench.errors import Stopped
from workbench.pipeline.session import Session
from workbench.runs import Progress, RunFolder, RunState, StageKey, StageStore, ignore, now


def _busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(2000))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    state = RunState(recipe_digest="0" * 64, data_digest="1" * 64, status="running", seeds=1, created=now())
    return RunFolder.create(tmp_path, "library", state)


def _session(folder: RunFolder) -> Session:
    store = StageStore(folder.path.parent.parent / ".stages")
    ids: Any = None
    return Session(folder, store, ignore, "FRA", folder.path, ids)


def _key(stage: str) -> StageKey:
    return StageKey(stage, {"part": stage}, ("errors",))


def _work(seconds: float, stops: bool = False) -> Any:
    def work(folder: Path) -> None:
        _busy(seconds)
        if stops:
            raise Stopped("The run was asked to stop.")
        storage.write_text(folder / "done.txt", "done\n")

    return work


@pytest.fixture
def rising(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Reading]:
    """A meter in the place of the machine's, whose power rises by 5 W each second from 10 W."""
    METER.hardware("FRA")
    began = time.perf_counter()

    def read(max_age: float = 0.05) -> Reading:
        seconds = time.perf_counter() - began
        return Reading(seconds, (10 * seconds + 2.5 * seconds**2) / 3.6e6, 0.0, 0.0)

    monkeypatch.setattr(METER, "read", read)
    monkeypatch.setattr("workbench.carbon.measuring.SHORTEST_SECONDS", 0.1)
    return read


@pytest.mark.slow
def test_a_stopped_run_counts_what_a_meter_inside_its_work_counted_within_two_per_cent(
    folder: RunFolder, rising: Callable[[], Reading]
) -> None:
    inside: list[tuple[float, float]] = []

    def watched(seconds: float, stops: bool = False) -> Any:
        def work(place: Path) -> None:
            first = rising()
            _busy(seconds)
            last = rising()
            inside.append((last.seconds - first.seconds, last.kwh - first.kwh))
            _work(0.0, stops)(place)

        return work

    for _ in range(2):
        with pytest.raises(Stopped):
            _session(folder).stage(_key("student"), watched(1.0, stops=True), "student-linear")
    session = _session(folder)
    session.stage(_key("data"), watched(1.0))
    session.stage(_key("student"), watched(1.0), "student-linear")
    assert [one["candidate"] for one in session.emissions] == [None, "student-linear"]
    assert sum(one["seconds"] for one in session.emissions) == pytest.approx(sum(one[0] for one in inside), rel=0.02)
    counted = sum(one["energy_kwh"]["central"] for one in session.emissions)
    assert counted == pytest.approx(sum(one[1] for one in inside), rel=0.02)


def test_a_stage_that_was_done_before_is_counted_once_and_another_runs_stage_says_whose(folder: RunFolder) -> None:
    _session(folder).stage(_key("data"), _work(0.05))
    again = _session(folder)
    again.stage(_key("data"), _work(0.05))
    assert len(again.emissions) == 1
    assert again.emissions[0]["reused_from"] is None
    other = RunFolder.create(folder.path.parent.parent, "library", folder.state)
    later = _session(other)
    later.stage(_key("data"), _work(0.05))
    assert later.emissions[0]["reused_from"] == folder.path.name
    assert later.emissions[0]["energy_kwh"] == again.emissions[0]["energy_kwh"]


def test_what_a_long_stage_has_spent_is_on_disk_while_it_works(folder: RunFolder, monkeypatch: Any) -> None:
    monkeypatch.setattr("workbench.pipeline.session.SPENT_EVERY_S", 0.2)
    session, key = _session(folder), _key("teacher")
    kept: list[dict[str, Any]] = []
    took: list[float] = []

    def work(place: Path) -> None:
        began = time.perf_counter()
        for step in range(4):
            _busy(0.25)
            session.listener(Progress("teacher", step + 1, 4, "teacher"))
        took.append(time.perf_counter() - began)
        kept.append(storage.read_json(session.store.partial_path(key.digest) / "spent.json"))
        storage.write_text(place / "done.txt", "done\n")

    session.stage(key, work, "teacher")
    assert kept[0]["seconds"] == pytest.approx(took[0], rel=0.1)
    assert kept[0]["energy_kwh"] > 0
