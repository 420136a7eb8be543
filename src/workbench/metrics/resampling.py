"""The bootstrap of any statistic of rows, clustered by group: percentiles or BCa (Efron, 1987).

A statistic of sums (rates, ratios, calibration errors with fixed bins) is resampled all at once; any other is called
once for each resample. BCa corrects the bias and the skewness that percentiles carry along; both are set further apart
where units are few. Refuses below 30 rows or 10 groups, and where resamples are all alike: a proportion has exact
bounds for that (workbench.metrics.intervals.rate), other statistics have a reason and no interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from workbench.metrics.bootstrap import draw_units, resample_sums
from workbench.metrics.intervals import Drawn, Interval, expanded_tail, percentile_bounds, why_no_bootstrap
from workbench.metrics.scores import Float64Array, FloatArray, IntArray

Method = Literal["percentile", "bca"]
FEWEST_ROWS = 30
"""Below this many independent rows no bootstrap is offered."""


def bootstrap_sums(
    score: Callable[[Float64Array], Float64Array],
    columns: FloatArray,
    *,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    method: Method = "percentile",
    confidence: float = 0.95,
) -> Interval:
    """A statistic of column sums with its interval; all resamples are scored in one call.

    Args:
        score: From sums (…, columns) to values (…); NaN where there is nothing to score.
        columns: Numbers of each row (rows, columns).
        groups: The group of each row, or None.
        resamples: Number of resamples.
        seed: Seed of the draws.
        method: Percentiles, or bias-corrected and accelerated.
        confidence: Coverage.

    Returns:
        The interval, or the reason why there is none.

    Raises:
        ValueError: If the arrays do not fit.
    """
    wide = np.asarray(columns, dtype=np.float64)
    wide = wide[:, None] if wide.ndim == 1 else wide
    unit_of, drawn = _drawn(len(wide), groups, resamples, confidence)
    if drawn.rows == 0:
        return Interval(None, None, None, 0, "none", "no rows", confidence)
    summed = [np.bincount(unit_of, weights=one, minlength=drawn.units) for one in wide.T]
    sums = np.stack(summed, axis=1).astype(np.float64)
    value = float(score(sums.sum(axis=0)))
    found = score(resample_sums(draw_units(drawn.units, resamples, seed), sums, resamples).astype(np.float64))

    def without_one() -> Float64Array:
        return np.asarray(score(sums.sum(axis=0) - sums), dtype=np.float64)

    return _interval(value, found, without_one, drawn, method)


def bootstrap_rows(
    statistic: Callable[[IntArray], float],
    rows: int,
    *,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 2_000,
    seed: int = 0,
    method: Method = "percentile",
    confidence: float = 0.95,
) -> Interval:
    """Any statistic of rows with its interval; the statistic is called once for each resample.

    Args:
        statistic: From row numbers (drawn,), some of them several times, to a number; NaN where it does not exist.
        rows: Number of rows.
        groups: The group of each row (rows,), or None.
        resamples: Number of resamples.
        seed: Seed of the draws.
        method: Percentiles, or bias-corrected and accelerated; the latter calls it once more for each unit.
        confidence: Coverage.

    Returns:
        The interval, or the reason why there is none.

    Raises:
        ValueError: If the groups do not fit.
    """
    unit_of, drawn = _drawn(rows, groups, resamples, confidence)
    if rows == 0:
        return Interval(None, None, None, 0, "none", "no rows", confidence)
    order = np.argsort(unit_of, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(unit_of, minlength=drawn.units))[:-1])
    found = np.empty(resamples)
    for start, weights in draw_units(drawn.units, resamples, seed):
        for at, weight in enumerate(weights.astype(np.int64)):
            chosen = np.repeat(np.arange(rows), weight[unit_of])
            found[start + at] = statistic(chosen)

    def without_one() -> Float64Array:
        return np.array([statistic(np.setdiff1d(np.arange(rows), one)) for one in members], dtype=np.float64)

    return _interval(float(statistic(np.arange(rows))), found, without_one, drawn, method)


def bca_bounds(
    resampled: Float64Array, value: float, without_one: Float64Array, confidence: float, units: float = np.inf
) -> tuple[float, float] | None:
    """Bias-corrected and accelerated bounds (Efron, 1987).

    Args:
        resampled: Finite values of the resamples (resamples,).
        value: The value itself.
        without_one: The value without each unit (units,), finite.
        confidence: Coverage.
        units: Independent units; see intervals.expanded_tail.

    Returns:
        Lower and upper bound; None where the value lies beyond all resamples, so that its bias cannot be told.
    """
    below = float((resampled < value).mean() + (resampled <= value).mean()) / 2
    if not 0 < below < 1:
        return None
    bias = float(ndtri(below))
    apart = without_one.mean() - without_one
    square = float((apart**2).sum())
    speed = float((apart**3).sum()) / (6 * square**1.5) if square > 0 else 0.0
    tail = float(ndtri(expanded_tail((1 - confidence) / 2, units)))
    low, high = (float(ndtr(bias + (bias + z) / (1 - speed * (bias + z)))) for z in (tail, -tail))
    ends = np.quantile(resampled, [low, high])
    return float(ends[0]), float(ends[1])


def _drawn(rows: int, groups: npt.NDArray[Any] | None, resamples: int, confidence: float) -> tuple[IntArray, Drawn]:
    """The unit of each row, and what is drawn."""
    if groups is not None and len(groups) != rows:
        raise ValueError(f"{len(groups)} groups do not fit {rows} rows")
    names, unit_of = np.unique(np.arange(rows) if groups is None else groups, return_inverse=True)
    return unit_of, Drawn(rows, len(names), len(names) < rows, resamples, confidence=confidence)


def _interval(
    value: float, resampled: Float64Array, without_one: Callable[[], Float64Array], drawn: Drawn, method: Method
) -> Interval:
    """The interval by the chosen method, or the reason why there is none."""
    if not np.isfinite(value):
        return Interval(None, None, None, drawn.rows, "none", "there is nothing to score", drawn.confidence)
    finite = resampled[np.isfinite(resampled)]
    reason = why_no_bootstrap(resampled, drawn)
    if not reason and drawn.units < FEWEST_ROWS and not drawn.clustered:
        reason = f"{drawn.units} rows: below {FEWEST_ROWS} the bootstrap covers too rarely"
    if not reason and np.ptp(finite) <= 1e-12:
        reason = "every resample gave the same value"
    if reason:
        return Interval(value, None, None, drawn.rows, "none", reason, drawn.confidence)
    if method == "percentile":
        low, high = percentile_bounds(finite, value, drawn.confidence, drawn.units)
        return Interval(value, low, high, drawn.rows, drawn.method, "", drawn.confidence)
    bounds = bca_bounds(finite, value, without_one(), drawn.confidence, drawn.units)
    if bounds is None:
        reason = "every resample lies on one side of the value: its bias cannot be told"
        return Interval(value, None, None, drawn.rows, "none", reason, drawn.confidence)
    said = replace(drawn).method.replace("percentiles", "BCa")
    return Interval(value, min(bounds[0], value), max(bounds[1], value), drawn.rows, said, "", drawn.confidence)
