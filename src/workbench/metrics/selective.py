"""When a classifier should stay silent: error against coverage, and a threshold that keeps a promised error.

A threshold found by looking where the observed error meets the target would break its promise half of the time. Here
thresholds are tested one after another, each with an exact upper bound of its error, and the last that passes is
taken; where none passes there is no threshold, and that is said. The promise is about rows like those it was found on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from workbench.metrics.bootstrap import draw_units
from workbench.metrics.intervals import FEWEST_GROUPS, Interval, percentile_bounds
from workbench.metrics.scores import Float64Array, FloatArray

Wrong = npt.NDArray[np.bool_]
STARTS = (0.2, 0.35, 0.5, 0.75, 1.0)
"""Shares of rows at which the testing of thresholds starts, each with its part of the doubt."""
_CELLS = 8_000_000
"""Weights sorted at a time (64 MB)."""


@dataclass(frozen=True)
class Threshold:
    """A threshold on the confidence, and what it promises.

    Attributes:
        value: Texts with at least this confidence are answered; None where no threshold keeps the promise.
        target: Largest share of wrong answers among the answered that is put up with.
        level: How sure the promise is.
        error: Share of wrong answers among the answered, on the rows it was fitted on; None without a threshold.
        bound: Its upper bound at that level; without a threshold the smallest bound that was found, if any.
        kept: Share of rows that is answered; 0 without a threshold.
        rows: Rows it was fitted on.
        reason: Why there is none, and what would be needed; else empty.
    """

    value: float | None
    target: float
    level: float
    error: float | None
    bound: float | None
    kept: float
    rows: int
    reason: str = ""


def risk_coverage(confidence: FloatArray, wrong: Wrong) -> tuple[Float64Array, Float64Array]:
    """Error among the most confident rows, for every number of them (El-Yaniv and Wiener, 2010).

    Args:
        confidence: (rows,), at least one.
        wrong: Whether the answer is wrong (rows,).

    Returns:
        Coverages and errors, a pair for each different confidence, by rising coverage: rows of the same confidence
        are answered together.
    """
    order = np.argsort(-np.asarray(confidence), kind="stable")
    ordered = np.asarray(confidence)[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    errors = np.cumsum(np.asarray(wrong, dtype=np.float64)[order])[ends]
    return (ends + 1) / len(ordered), errors / (ends + 1)


def aurc(confidence: FloatArray, wrong: Wrong) -> float:
    """Area under the risk–coverage curve: the mean error over all coverages (Geifman and El-Yaniv, 2017).

    Args:
        confidence: (rows,), at least one.
        wrong: Whether the answer is wrong (rows,).

    Returns:
        A number in [0, 1]; rows of the same confidence count as in random order.
    """
    return float(_weighted_aurc(confidence, wrong, np.ones((1, len(wrong))))[0])


def excess_aurc(confidence: FloatArray, wrong: Wrong) -> float:
    """AURC above that of a perfect order of the same answers (Geifman, Uziel, El-Yaniv, 2019): 0 cannot be beaten.

    Args:
        confidence: (rows,), at least one.
        wrong: Whether the answer is wrong (rows,).

    Returns:
        A number in [0, 1].
    """
    return aurc(confidence, wrong) - best_aurc(wrong)


def best_aurc(wrong: Wrong) -> float:
    """AURC of the same answers with every right one before every wrong one.

    Args:
        wrong: Whether the answer is wrong (rows,), at least one.

    Returns:
        A number in [0, 1].
    """
    n, errors = len(wrong), int(np.sum(wrong))
    return float((np.arange(1, errors + 1) / np.arange(n - errors + 1, n + 1)).sum() / n)


def aurc_interval(
    confidence: FloatArray,
    wrong: Wrong,
    *,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 1_000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """AURC with its bootstrap interval, groups drawn whole.

    Args:
        confidence: (rows,).
        wrong: Whether the answer is wrong (rows,).
        groups: The group of each row, or None.
        resamples: Number of resamples.
        seed: Seed of the draws.
        level: Coverage of the interval.

    Returns:
        The interval, or the reason why there is none.
    """
    rows = len(wrong)
    if rows < 30:
        return Interval(None, None, None, rows, "none", f"{rows} rows: below 30 no figure is given", level)
    value = aurc(confidence, wrong)
    unit_of = np.unique(np.arange(rows) if groups is None else groups, return_inverse=True)[1]
    units = int(unit_of.max()) + 1
    if units < FEWEST_GROUPS or not 0 < np.sum(wrong) < rows:
        reason = f"only {units} groups: fewer than {FEWEST_GROUPS} say too little about other groups"
        reason = reason if units < FEWEST_GROUPS else "all answers are right, or all are wrong"
        return Interval(value, None, None, rows, "none", reason, level)
    found = np.empty(resamples)
    for start, weights in draw_units(units, resamples, seed):
        for at in range(0, len(weights), step := max(1, _CELLS // rows)):
            piece = weights[at : at + step][:, unit_of].astype(np.float64)
            found[start + at : start + at + len(piece)] = _weighted_aurc(confidence, wrong, piece)
    low, high = percentile_bounds(found, value, level, units)
    drawn = f"{units:,} groups ({rows:,} rows)" if units < rows else f"{rows:,} rows"
    return Interval(value, low, high, rows, f"bootstrap, {resamples:,} resamples of {drawn}, percentiles", "", level)


def _weighted_aurc(confidence: FloatArray, wrong: Wrong, weights: Float64Array) -> Float64Array:
    """AURC of every resample; rows that tie share the error of their block's end.

    Args:
        confidence: (rows,).
        wrong: (rows,).
        weights: How often each row was drawn (resamples, rows).

    Returns:
        (resamples,).
    """
    order = np.argsort(-np.asarray(confidence), kind="stable")
    ordered = np.asarray(confidence)[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    drawn = weights[:, order]
    kept = np.cumsum(drawn, axis=1)[:, ends]
    errors = np.cumsum(drawn * np.asarray(wrong, dtype=np.float64)[order], axis=1)[:, ends]
    sizes = np.diff(kept, axis=1, prepend=0.0)
    risk = np.divide(errors, kept, out=np.zeros_like(errors), where=kept > 0)
    return np.asarray((risk * sizes).sum(axis=1) / kept[:, -1])


def rows_needed(target: float, level: float = 0.95) -> int:
    """How few rows can promise an error at all: with all of them right the exact bound just meets the target.

    Args:
        target: Largest error, in (0, 1).
        level: How sure the promise shall be.

    Returns:
        Number of independent answered rows; to be found among the first fifth, five times as many in all at most.
    """
    return math.ceil(math.log((1 - level) / len(STARTS)) / math.log1p(-target))


def find_threshold(
    confidence: FloatArray,
    wrong: Wrong,
    target: float,
    *,
    groups: npt.NDArray[Any] | None = None,
    level: float = 0.95,
) -> Threshold:
    """The lowest threshold whose answered rows are promised an error of at most the target.

    Fixed-sequence testing (Angelopoulos, Bates, Candès, Jordan, Lei, “Learn then test”, 2021): from each of five
    starts thresholds are lowered while Clopper–Pearson's one-sided upper bound, at a fifth of the doubt each, stays
    within the target. The error among the answered is then at most the target with the stated probability, for rows
    exchangeable with these. Where rows share groups, a threshold's rows count as its groups do.

    Args:
        confidence: Probability of the predicted class (rows,).
        wrong: Whether it is wrong (rows,).
        target: Largest error, in (0, 1).
        groups: The group of each row, or None.
        level: How sure the promise shall be, in (0, 1).

    Returns:
        The threshold, or none with the reason.

    Raises:
        ValueError: If target or level lies outside (0, 1).
    """
    if not (0 < target < 1 and 0 < level < 1):
        raise ValueError(f"target and level must lie between 0 and 1; got {target} and {level}")
    rows, least = len(wrong), rows_needed(target, level)
    if rows < least:
        reason = f"{rows} rows cannot promise an error of at most {target:.0%}: at least {least} are needed"
        return Threshold(None, target, level, None, None, 0.0, rows, reason)
    order = np.argsort(-np.asarray(confidence), kind="stable")
    ordered = np.asarray(confidence)[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    units = _first_seen(np.arange(rows) if groups is None else np.asarray(groups)[order])[ends]
    errors = np.cumsum(np.asarray(wrong, dtype=np.float64)[order])[ends] / (ends + 1)
    doubt = (1 - level) / len(STARTS)
    bounds = _upper_bounds(errors * units, units, doubt)
    best = _last_passing(bounds <= target, ends + 1, rows)
    if best is None:
        least_bound = float(bounds.min())
        reason = (
            f"no threshold promises an error of at most {target:.0%} on {rows} rows: the smallest upper bound is "
            f"{least_bound:.1%}; more labelled rows, a better model or a larger target would be needed"
        )
        return Threshold(None, target, level, None, least_bound, 0.0, rows, reason)
    kept = float((ends[best] + 1) / rows)
    return Threshold(float(ordered[ends[best]]), target, level, float(errors[best]), float(bounds[best]), kept, rows)


def _upper_bounds(errors: Float64Array, n: npt.NDArray[np.int64], doubt: float) -> Float64Array:
    """Clopper–Pearson's one-sided upper bounds of errors among n, all at once (n,)."""
    right = n - errors
    found = betaincinv(errors + 1, np.maximum(right, 1e-9), 1 - doubt)
    return np.asarray(np.where(right > 1e-9, found, 1.0))


def _first_seen(groups: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """How many different groups the first 1, 2, 3 … rows hold (rows,)."""
    _, first = np.unique(groups, return_index=True)
    new = np.zeros(len(groups), dtype=np.int64)
    new[first] = 1
    return np.cumsum(new)


def _last_passing(passes: npt.NDArray[np.bool_], sizes: npt.NDArray[np.int64], rows: int) -> int | None:
    """The place of the lowest threshold that is reached from any start without a failure."""
    best = None
    for share in STARTS:
        at = int(np.searchsorted(sizes, math.ceil(share * rows)))
        if at >= len(passes) or not passes[at]:
            continue
        failed = np.flatnonzero(~passes[at:])
        last = at + (int(failed[0]) if len(failed) else len(passes) - at) - 1
        best = last if best is None else max(best, last)
    return best
