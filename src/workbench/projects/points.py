"""Points of a curve that grows while a training works: kept few enough to hold, fewer still to draw."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

KEPT, DRAWN = 10_000, 1_000


@dataclass(frozen=True)
class Curve:
    """Values of one metric of one candidate, by step.

    Attributes:
        steps: Steps or epochs, ascending.
        values: As many finite values.
        turn: Goes up when earlier points changed: a resume, a next seed, a thinning; else points were only added.
    """

    steps: tuple[int, ...]
    values: tuple[float, ...]
    turn: int = 0

    def drawn(self, most: int = DRAWN) -> Curve:
        """The same with few points, the lowest and the highest of each stretch among them."""
        kept = thinned(self.values, most)
        return Curve(tuple(self.steps[at] for at in kept), tuple(self.values[at] for at in kept), self.turn)


def thinned(values: Sequence[float], most: int) -> list[int]:
    """Places of at most ``most`` values, those with the first, the last, and each stretch's lowest and highest."""
    if len(values) <= most:
        return list(range(len(values)))
    number = max((most - 2) // 2, 1)
    kept = {0, len(values) - 1}
    for stretch in range(number):
        places = range(len(values) * stretch // number, len(values) * (stretch + 1) // number)
        kept |= {min(places, key=values.__getitem__), max(places, key=values.__getitem__)}
    return sorted(kept)


class Line:
    """A curve that grows."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.values: list[float] = []
        self.turn, self._made = 0, Curve((), ())

    def add(self, step: int, value: float) -> None:
        """Add a point; a step that was there already begins again from it, as a resume or a next seed does."""
        if self.steps and step <= self.steps[-1]:
            place = bisect_left(self.steps, step)
            del self.steps[place:], self.values[place:]
            self.turn += 1
        self.steps.append(step)
        self.values.append(value)
        if len(self.steps) > KEPT:
            kept = thinned(self.values, KEPT // 2)
            self.steps, self.values = [self.steps[at] for at in kept], [self.values[at] for at in kept]
            self.turn += 1

    def curve(self) -> Curve:
        """As it is now."""
        made = self._made
        if (len(made.steps), made.turn) != (len(self.steps), self.turn):
            self._made = Curve(tuple(self.steps), tuple(self.values), self.turn)
        return self._made
