"""A budget of grams: what counts, when it warns, that it says stop before it is exceeded."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.carbon import budget as budgets
from workbench.carbon.budget import Budget
from workbench.errors import Stopped


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(budgets.time, "monotonic", found.monotonic)
    return found


def _entry(grams: float, reused_from: str | None = None, times: float = 3.0) -> dict[str, Any]:
    kg = grams / 1000
    range_ = {"low": kg / times, "central": kg, "high": kg * times}
    return {"stage": f"stage of {grams}", "emissions_kg": range_, "class": "D", "reused_from": reused_from}


def test_without_a_budget_nothing_is_ever_spent() -> None:
    budget = Budget(None)
    budget.add(_entry(1e9))
    budget.check()
    assert not budget.is_spent()


def test_what_another_run_spent_does_not_count_and_nothing_counts_twice() -> None:
    budget = Budget(10.0)
    budget.add(_entry(9.0, reused_from="20261122-101500-3fa9c1"))
    budget.add(_entry(4.0))
    budget.add(_entry(4.0))
    assert budget.spent_grams == pytest.approx(4.0)


def test_it_warns_once_of_the_upper_end_and_once_near_the_budget_then_stops() -> None:
    said: list[str] = []
    budget = Budget(10.0, said.append)
    for grams in (2.0, 2.5, 2.6, 2.7):
        budget.add(_entry(grams))
    assert [("upper end" in one, "at it the run stops" in one) for one in said] == [(True, False), (False, True)]
    budget.check()
    budget.add(_entry(0.3))
    with pytest.raises(Stopped, match=r"budget of 10\.0 g") as stopped:
        budget.check()
    assert "budget_grams" in stopped.value.what_to_do


@pytest.mark.parametrize("pause", [0.01, 0.4, 3.0])
def test_work_that_asks_between_batches_is_stopped_before_the_budget_is_exceeded(clock: Clock, pause: float) -> None:
    budget, rate, began = Budget(10.0), 0.05, clock.now
    budget.add(_entry(4.0))
    budget.begin(lambda: rate * (clock.now - began))
    while not budget.is_spent():
        clock.now += pause
    spent = 4.0 + rate * (clock.now - began)
    assert spent <= 10.0
    assert spent > 10.0 - 0.05 * (4.0 + rate * 120) - 2 * rate * (pause + 1)


def test_an_earlier_attempt_that_used_the_budget_up_stops_the_next_at_once(clock: Clock) -> None:
    budget = Budget(1.0)
    budget.begin(lambda: 1.2)
    assert budget.is_spent()
    assert budget.reached
