"""A budget of grams for one doing of a run: warns on the way, says stop before it would be exceeded.

The best single figure counts against the budget; that the upper end of its range has passed it is a warning. Stages
that were taken over from another run were spent there and do not count; earlier attempts of the same run do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from workbench.carbon.quantities import digits
from workbench.errors import Stopped

WARN_SHARE = 0.8
LOOK_EVERY_SECONDS = 0.5
HEADROOM = 1.05
"""A reading at the end of a block may be a little above what was counted on the way."""
Say = Callable[[str], None]


class Budget:
    """What a run may still emit.

    Args:
        grams: The budget in grams of CO₂-equivalents; ``None`` means no limit.
        say: Gets each warning, once, as a sentence.
    """

    def __init__(self, grams: float | None, say: Say = lambda sentence: None) -> None:
        self.grams = grams
        self.reached = False
        self._say = say
        self._said: set[str] = set()
        self._counted: list[Mapping[str, Any]] = []
        self._spent = self._high = 0.0
        self._class = "A"
        self._so_far: Callable[[], float] | None = None
        self._asked = self._looked = 0.0
        self._seen = 0.0
        self._pause = 0.0

    @property
    def spent_grams(self) -> float:
        """Best figure of what finished stages of this run emitted."""
        return self._spent

    def add(self, entry: Mapping[str, Any]) -> None:
        """Count a finished stage, once; one that was taken over from another run is not counted.

        Args:
            entry: As it stands in ``emissions.json``.
        """
        self._so_far = None
        if self.grams is None or entry.get("reused_from") or entry in self._counted:
            return
        self._counted.append(entry)
        self._spent += 1000 * float(entry["emissions_kg"]["central"])
        self._high += 1000 * float(entry["emissions_kg"]["high"])
        self._class = max(self._class, str(entry["class"]))
        self._warn(self._spent, self._high)

    def begin(self, so_far_grams: Callable[[], float]) -> None:
        """Watch a stage that begins.

        Args:
            so_far_grams: What it has emitted until now, earlier attempts with it, in grams; cheap to ask.
        """
        self._so_far = so_far_grams
        self._asked = time.monotonic()
        self._looked = self._seen = self._pause = 0.0

    def end(self) -> None:
        """The stage that was watched has ended, done or not."""
        self._so_far = None

    def is_spent(self) -> bool:
        """Whether work has to stop now; asked between batches, looks at the meter twice a second.

        Work asks now and then. What it would emit until it asks again, as long as the longest pause between two
        questions so far, is counted as spent already: so it stops before the budget is exceeded, not after.
        """
        if self.grams is None or self.reached:
            return self.reached
        now = time.monotonic()
        self._pause, self._asked = max(self._pause, now - self._asked), now
        if self._so_far is None:
            self.reached = self._spent >= self.grams
        elif now - self._looked >= LOOK_EVERY_SECONDS or self._looked == 0.0:
            self.reached = self._look(now)
        return self.reached

    def _look(self, now: float) -> bool:
        if self._so_far is None or self.grams is None:
            return False
        seen = self._so_far()
        rate = (seen - self._seen) / (now - self._looked) if self._looked else 0.0
        ahead = max(rate, 0.0) * (self._pause + LOOK_EVERY_SECONDS)
        self._looked, self._seen = now, seen
        share = self._high / self._spent if self._spent else 1.0
        self._warn(self._spent + seen, (self._spent + seen) * share)
        return self._spent + (seen + ahead) * HEADROOM >= self.grams

    def _warn(self, central: float, high: float) -> None:
        if self.grams is None:
            return
        budget, spent = digits(self.grams, "B"), digits(central, self._class)
        if central >= WARN_SHARE * self.grams:
            self._once(
                "near", f"{spent} g of the budget of {budget} g of CO₂-equivalents are spent; at it the run stops."
            )
        elif high >= self.grams:
            self._once(
                "range",
                f"{spent} g of the budget of {budget} g are spent by the best figure; by the upper end of its range "
                f"({digits(high, self._class)} g, class {self._class}) the budget may be exceeded already.",
            )

    def _once(self, kind: str, sentence: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            self._say(sentence)

    def stopped(self) -> Stopped:
        """The error that ends a run at its budget, with what a person can do."""
        return Stopped(
            f"The budget of {digits(self.grams or 0.0, 'B')} g of CO₂-equivalents (carbon.budget_grams) would be "
            "exceeded, so the run was stopped; what was finished is kept.",
            "A budget above what workbench check RECIPE estimates; above its upper end to be sure.",
            "Raise the budget and run again; finished stages are taken over: "
            "workbench run RECIPE --set carbon.budget_grams=GRAMS",
        )

    def check(self) -> None:
        """Raise where the budget is spent; asked before a stage.

        Raises:
            Stopped: With what to do.
        """
        if self.is_spent():
            raise self.stopped()
