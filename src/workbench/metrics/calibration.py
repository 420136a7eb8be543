"""When probabilities can be believed: reliability in bins of equal mass, expected calibration error, Brier score.

The expected calibration error of a finite sample lies above the true one: rows scatter about their probability even
where it is right. So the figure comes with its floor (what a perfectly calibrated model would show on rows like these)
and with an interval that allows for it. Everything is about the likeliest class alone, except the Brier score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.metrics.bootstrap import draw_units, resample_sums
from workbench.metrics.intervals import FEWEST_GROUPS, Interval, clopper_pearson
from workbench.metrics.scores import Float64Array, FloatArray, IntArray

MOST_BINS = 15
ROWS_A_BIN = 40
"""Independent rows that a bin should hold, so that its accuracy is known to about 8 points (one standard error)."""
FEWEST_ROWS = 30


@dataclass(frozen=True)
class Bin:
    """Rows of like confidence.

    Attributes:
        n: Rows.
        confidence: Their mean confidence.
        accuracy: Share of them that is right.
        low: Lower bound of the accuracy (Clopper–Pearson, with as many rows as there are independent units).
        high: Upper bound.
    """

    n: int
    confidence: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class CalibrationError:
    """An expected calibration error, and what chance alone would show.

    Attributes:
        interval: The error with its interval, in [0, 1].
        floor: Mean of the same figure for a perfectly calibrated model on rows like these; None without an interval.
        p: Share of such models that show at least this error; None without an interval.
        bins: Number of bins.
    """

    interval: Interval
    floor: float | None
    p: float | None
    bins: int


def number_of_bins(units: int) -> int:
    """How many bins of equal mass some rows carry: one for every 40 independent rows, at most 15, at least 1.

    Args:
        units: Independent units, groups where rows share them.

    Returns:
        Number of bins.
    """
    return max(1, min(MOST_BINS, units // ROWS_A_BIN))


def equal_mass(values: FloatArray, bins: int) -> IntArray:
    """Bins that hold about as many rows each; equal values are never parted, so there may be fewer.

    Args:
        values: (rows,).
        bins: Number of bins wanted, at least 1.

    Returns:
        The bin of each row (rows,), numbered from 0 by rising value, none empty.
    """
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins, method="higher"))
    found = np.searchsorted(edges, values, side="left")
    return np.asarray(np.unique(found, return_inverse=True)[1], dtype=np.int64)


def equal_width(values: FloatArray, bins: int) -> IntArray:
    """Bins of equal width on [0, 1], as other tools take them; for comparison with their figures.

    Args:
        values: (rows,), in [0, 1].
        bins: Number of bins.

    Returns:
        The bin of each row (rows,); some may be empty.
    """
    return np.clip(np.ceil(np.asarray(values, dtype=np.float64) * bins).astype(np.int64) - 1, 0, bins - 1)


def expected_calibration_error(confidence: FloatArray, correct: npt.NDArray[np.bool_], bin_of: IntArray) -> float:
    """Mean distance of confidence and accuracy over bins, weighted by rows (Naeini, Cooper, Hauskrecht, 2015).

    Args:
        confidence: Probability of the predicted class (rows,).
        correct: Whether it is right (rows,).
        bin_of: The bin of each row (rows,).

    Returns:
        A number in [0, 1]; biased upward.

    Raises:
        ValueError: If there are no rows.
    """
    if not len(confidence):
        raise ValueError("a calibration error of no rows does not exist")
    gaps = np.bincount(bin_of, weights=np.asarray(correct, dtype=np.float64) - confidence)
    return float(np.abs(gaps).sum() / len(confidence))


def reliability_curve(
    confidence: FloatArray,
    correct: npt.NDArray[np.bool_],
    *,
    groups: npt.NDArray[Any] | None = None,
    level: float = 0.95,
) -> list[Bin]:
    """Accuracy against confidence, in bins of equal mass.

    Args:
        confidence: Probability of the predicted class (rows,).
        correct: Whether it is right (rows,).
        groups: The group of each row, or None.
        level: Coverage of the bounds.

    Returns:
        Bins by rising confidence; empty without rows.
    """
    unit_of = np.unique(np.arange(len(confidence)) if groups is None else groups, return_inverse=True)[1]
    bin_of = equal_mass(confidence, number_of_bins(int(unit_of.max(initial=-1)) + 1))
    found = []
    for number in range(int(bin_of.max(initial=-1)) + 1):
        inside = bin_of == number
        n, accuracy = int(inside.sum()), float(correct[inside].mean())
        units = len(np.unique(unit_of[inside]))
        low, high = clopper_pearson(accuracy * units, units, level)
        found.append(Bin(n, float(confidence[inside].mean()), accuracy, low, high))
    return found


def calibration_error(
    confidence: FloatArray,
    correct: npt.NDArray[np.bool_],
    *,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 2_000,
    seed: int = 0,
    level: float = 0.95,
) -> CalibrationError:
    """The expected calibration error in bins of equal mass, its interval and its floor.

    The lower bound takes off the figure what chance can add to it: a bin's gap is its true gap plus an error, so the
    figure exceeds the true one by at most the errors' weighted sum, whose quantile is found by resampling them about
    0. The upper bound is the percentile of the plain resamples, which chance inflates. Both err on the wide side.

    Args:
        confidence: Probability of the predicted class (rows,).
        correct: Whether it is right (rows,).
        groups: The group of each row: groups are drawn whole. None draws rows.
        resamples: Number of resamples.
        seed: Seed of the draws.
        level: Coverage of the interval.

    Returns:
        The error; below 30 rows or 10 groups without interval, with the reason.
    """
    rows = len(confidence)
    unit_of = np.unique(np.arange(rows) if groups is None else groups, return_inverse=True)[1]
    units = int(unit_of.max(initial=-1)) + 1
    if rows < FEWEST_ROWS:
        reason = f"{rows} rows: below {FEWEST_ROWS} no figure is given"
        return CalibrationError(Interval(None, None, None, rows, "none", reason, level), None, None, 0)
    bin_of = equal_mass(confidence, number_of_bins(units))
    bins = int(bin_of.max()) + 1
    value = expected_calibration_error(confidence, correct, bin_of)
    if units < FEWEST_GROUPS:
        reason = f"only {units} groups: fewer than {FEWEST_GROUPS} say too little about other groups"
        return CalibrationError(Interval(value, None, None, rows, "none", reason, level), None, None, bins)
    gap = np.asarray(correct, dtype=np.float64) - confidence
    gaps, weights = _resampled_gaps(gap, bin_of, unit_of, resamples, seed)
    plain = np.abs(gaps).sum(axis=1) / weights
    centre = np.bincount(bin_of, weights=gap) / rows
    chance = np.abs(gaps / weights[:, None] - centre).sum(axis=1)
    tail = (1 - level) / 2
    low = max(0.0, value - float(np.quantile(chance, 1 - tail)))
    high = min(1.0, max(value, float(np.quantile(plain, 1 - tail))))
    drawn = f"{units:,} groups ({rows:,} rows)" if units < rows else f"{rows:,} rows"
    method = f"{bins} bins of equal mass; bootstrap, {resamples:,} resamples of {drawn}, chance taken off below"
    p = float((1 + (chance >= value).sum()) / (1 + resamples))
    return CalibrationError(Interval(value, low, high, rows, method, "", level), float(chance.mean()), p, bins)


def row_brier(labels: IntArray, probabilities: FloatArray) -> Float64Array:
    """The squared distance of probabilities and truth, over all classes (Brier, 1950).

    Args:
        labels: True classes (rows,).
        probabilities: (rows, classes).

    Returns:
        Numbers in [0, 2] (rows,); their mean is the Brier score.

    Raises:
        ValueError: If the shapes do not fit.
    """
    if probabilities.ndim != 2 or len(labels) != len(probabilities):
        raise ValueError(f"labels {labels.shape} and probabilities {probabilities.shape} do not fit")
    wide = np.asarray(probabilities, dtype=np.float64)
    own = np.take_along_axis(wide, np.asarray(labels, dtype=np.intp)[:, None], axis=1)[:, 0]
    return np.asarray((wide**2).sum(axis=1) - 2 * own + 1)


def brier_score(labels: IntArray, probabilities: FloatArray) -> float:
    """The mean of row_brier: 0 is certain and right, 2 certain and wrong.

    Args:
        labels: True classes (rows,).
        probabilities: (rows, classes).

    Returns:
        A number in [0, 2].

    Raises:
        ValueError: If there are no rows or the shapes do not fit.
    """
    if not len(labels):
        raise ValueError("a score of no rows does not exist")
    return float(row_brier(labels, probabilities).mean())


def _resampled_gaps(
    gap: Float64Array, bin_of: IntArray, unit_of: IntArray, resamples: int, seed: int
) -> tuple[Float64Array, Float64Array]:
    """Summed gaps of every bin (resamples, bins) and rows (resamples,) of every resample."""
    units, bins = int(unit_of.max()) + 1, int(bin_of.max()) + 1
    sums = np.bincount(unit_of * bins + bin_of, weights=gap, minlength=units * bins).reshape(units, bins)
    sizes = np.bincount(unit_of, minlength=units).astype(np.float64)[:, None]
    found = resample_sums(draw_units(units, resamples, seed), np.concatenate([sums, sizes], axis=1), resamples)
    return np.asarray(found[:, :-1], dtype=np.float64), np.asarray(found[:, -1], dtype=np.float64)
