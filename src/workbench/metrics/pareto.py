"""Which candidates are worth having when several things count: the Pareto front, with intervals.

A point is dominated only where another one is at least as good on every axis and detectably better on one. What the
values alone say and what holds for every value inside the intervals are kept apart: a point that is behind by its
values, but not beyond its intervals, is possibly on the front. Which points may be compared at all is not asked here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
Place = Literal["front", "possible", "dominated"]


@dataclass(frozen=True)
class Dominance:
    """Who is ahead of whom; the first index is the one ahead.

    Attributes:
        by_value: At least as good on every axis and better on one, by the values alone (points, points).
        certain: The same for every value inside the intervals (points, points); implies `by_value`.
        ahead: Detectably better on an axis (points, points, axes).
        sure: Certainly at least as good on an axis (points, points, axes).
    """

    by_value: Truth
    certain: Truth
    ahead: Truth
    sure: Truth

    @property
    def places(self) -> tuple[Place, ...]:
        """Of each point: on the front by its values, possibly on it, or certainly dominated."""
        behind, surely = np.any(self.by_value, axis=0).tolist(), np.any(self.certain, axis=0).tolist()
        return tuple(
            "dominated" if out else "possible" if back else "front" for back, out in zip(behind, surely, strict=True)
        )


def dominance(
    values: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *,
    higher: Sequence[bool],
    known: npt.ArrayLike | None = None,
) -> Dominance:
    """Compare every point with every other one (Pareto dominance; with intervals as in Teich, 2001).

    One point is detectably better on an axis where the two intervals do not touch, or where a paired comparison
    says so. It is certainly at least as good where its whole interval is no worse than the other's, where it is
    detectably better, and where value and interval are the same, which is one measurement that stands for both. A
    missing bound is taken as no bound: nothing is certain on that side. Only the order of the numbers counts, so a
    strictly increasing change of scale of an axis changes nothing. Each interval is taken for itself, without a
    correction for the number of comparisons.

    Args:
        values: (points, axes), finite.
        low: Lower bounds (points, axes); NaN where there is none. An exact value is its own bound.
        high: Upper bounds (points, axes); NaN where there is none.
        higher: Of each axis whether more is better.
        known: Where a paired comparison found the first better than the second (points, points, axes); it counts
            where the values have the same sign. None for no such comparison.

    Returns:
        Who is ahead of whom.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or a lower bound lies above its upper one.
    """
    value, lower, upper = _checked(values, low, high, len(higher))
    turn = np.where(np.asarray(higher, dtype=bool), -1.0, 1.0)
    value, ends = value * turn, (lower * turn, upper * turn)
    best = np.where(turn < 0, ends[1], ends[0])
    worst = np.where(turn < 0, ends[0], ends[1])
    best, worst = np.where(np.isnan(best), -np.inf, best), np.where(np.isnan(worst), np.inf, worst)
    no_worse, better = value[:, None] <= value[None], value[:, None] < value[None]
    ahead = better & (worst[:, None] < best[None])
    if known is not None:
        ahead |= better & np.asarray(known, dtype=bool).reshape(ahead.shape)
    same = (value[:, None] == value[None]) & (best[:, None] == best[None]) & (worst[:, None] == worst[None])
    same &= np.isfinite(best)[:, None] & np.isfinite(worst)[:, None]
    sure = no_worse & ((worst[:, None] <= best[None]) | ahead | same)
    return Dominance(
        by_value=np.asarray(no_worse.all(axis=2) & better.any(axis=2)),
        certain=np.asarray(sure.all(axis=2) & ahead.any(axis=2)),
        ahead=ahead,
        sure=sure,
    )


def _checked(values: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, axes: int) -> tuple[Values, ...]:
    """The three arrays as (points, axes), or a ValueError."""
    value, lower, upper = (np.asarray(one, dtype=np.float64) for one in (values, low, high))
    if value.ndim != 2 or value.shape[1] != axes or not value.shape == lower.shape == upper.shape:
        shapes = f"{value.shape}, {lower.shape} and {upper.shape}"
        raise ValueError(f"values and bounds need one shape (points, {axes}); these have {shapes}")
    if axes == 0:
        raise ValueError("points are compared on one axis or more; there is none")
    if not np.isfinite(value).all():
        raise ValueError("a value is not finite; leave the point or the axis out")
    if (lower > upper).any():
        raise ValueError("a lower bound lies above its upper bound")
    return value, lower, upper
