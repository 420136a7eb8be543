"""A budget ends a real session's stage before it is exceeded, says what to do, and goes on counting when resumed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("codecarbon")

from workbench import carbon, storage
from workbench.carbon.meter import METER, Reading
from workbench.errors import Stopped
from workbench.pipeline.session import Session
from workbench.runs import Event, RunFolder, RunState, StageKey, StageStore, Warned, ignore, now

KEY = StageKey("student", {"part": "student"}, ("errors",))


def _session(runs: Path, folder: RunFolder, grams: float, said: Callable[[str], None]) -> Session:
    ids: Any = None
    found = Session(folder, StageStore(runs / ".stages"), ignore, "FRA", folder.path, ids)
    found.budget = carbon.Budget(grams, said)
    return found


@pytest.fixture(autouse=True)
def _steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """A meter of 28 W in the place of the machine's, whose first readings on a busy machine jump."""
    METER.hardware("FRA")
    began = time.perf_counter()

    def read(max_age: float = 0.05) -> Reading:
        seconds = time.perf_counter() - began
        return Reading(seconds, 28 * seconds / 3.6e6, 0.0, 0.0)

    monkeypatch.setattr(METER, "read", read)


def test_a_warning_goes_into_the_log_and_to_whoever_watches(tmp_path: Path) -> None:
    state = RunState(recipe_digest="0" * 64, data_digest="1" * 64, status="running", seeds=1, created=now())
    folder, heard = RunFolder.create(tmp_path, "library", state), list[Event]()
    ids: Any = None
    session = Session(folder, StageStore(tmp_path / ".stages"), heard.append, "FRA", folder.path, ids)
    session.warn("0.4 g of the budget are spent.")
    assert heard == [Warned("0.4 g of the budget are spent.")]
    assert folder.events()[-1]["sentence"] == "0.4 g of the budget are spent."


@pytest.mark.slow
def test_a_stage_is_stopped_before_the_budget_is_exceeded_and_a_resumed_run_does_not_begin_afresh(
    tmp_path: Path,
) -> None:
    state = RunState(recipe_digest="0" * 64, data_digest="1" * 64, status="running", seeds=1, created=now())
    folder, said = RunFolder.create(tmp_path, "library", state), list[str]()
    grams = 1000 * carbon.estimate(10.0, "FRA").emissions_kg.central
    session = _session(tmp_path, folder, grams, said.append)

    def work(place: Path) -> None:
        end = time.perf_counter() + 30
        while time.perf_counter() < end:
            sum(range(2000))
            if session.stop():
                raise Stopped("The run was asked to stop.")
        storage.write_text(place / "done.txt", "done\n")

    with pytest.raises(Stopped, match=r"carbon\.budget_grams"):
        session.stage(KEY, work, "student-linear")
    spent = storage.read_json(session.store.partial_path(KEY.digest) / "spent.json")
    emitted = 1000 * spent["energy_kwh"] * carbon.grid("FRA").kg_per_kwh
    assert 0.6 * grams < emitted <= 1.05 * grams  # a busy machine may hold the process between two questions
    assert any("at it the run stops" in one for one in said)
    session, began = _session(tmp_path, folder, grams, said.append), time.perf_counter()
    with pytest.raises(Stopped, match=r"carbon\.budget_grams"):
        session.stage(KEY, work, "student-linear")
    assert time.perf_counter() - began < 4
