"""Bounds of a proportion: exact (Clopper–Pearson) where a promise must hold, Wilson where it should hold on average.

Hits may be fractions, for a number of rows that were made fewer because rows share groups. Neither refuses a perfect
score: all of 30 right has a lower bound of 88 %, not of 100 %. Nothing of nothing is refused; see intervals.rate.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtri, stdtrit

Float64Array = npt.NDArray[np.float64]


def clopper_pearson(hits: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a proportion (Clopper and Pearson, 1934): covers at least as often as it says.

    Args:
        hits: Successes, 0 to n; need not be whole (an effective number).
        n: Trials, above 0.
        confidence: Coverage, at least this much; between 0 and 1.

    Returns:
        Lower and upper bound, in [0, 1].

    Raises:
        ValueError: If n is not above 0, hits lies outside [0, n] or confidence outside (0, 1).
    """
    _check(hits, n, confidence)
    low, high = exact_bounds_of(np.array([hits], dtype=np.float64), n, confidence)
    return float(low[0]), float(high[0])


def exact_bounds_of(hits: Float64Array, n: float, confidence: float = 0.95) -> tuple[Float64Array, Float64Array]:
    """Clopper–Pearson bounds of many proportions of the same number of trials.

    Args:
        hits: Successes (many,), each 0 to n.
        n: Trials, above 0.
        confidence: Coverage, at least this much.

    Returns:
        Lower and upper bounds, each (many,).
    """
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(hits <= 0, 0.0, betaincinv(hits, n - hits + 1, tail))
        high = np.where(hits >= n, 1.0, betaincinv(hits + 1, n - hits, 1 - tail))
    return np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)


def wilson(hits: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion (Wilson, 1927): close to its coverage on average, shorter than the exact one.

    For a single proportion its coverage may fall some points short (near 0 and 1); claims use clopper_pearson.

    Args:
        hits: Successes, 0 to n; need not be whole.
        n: Trials, above 0.
        confidence: Coverage on average; between 0 and 1.

    Returns:
        Lower and upper bound, in [0, 1].

    Raises:
        ValueError: If n is not above 0, hits lies outside [0, n] or confidence outside (0, 1).
    """
    _check(hits, n, confidence)
    low, high = wilson_bounds_of(np.array([hits], dtype=np.float64), n, confidence)
    return float(low[0]), float(high[0])


def wilson_bounds_of(hits: Float64Array, n: float, confidence: float = 0.95) -> tuple[Float64Array, Float64Array]:
    """Wilson bounds of many proportions of the same number of trials.

    Args:
        hits: Successes (many,), each 0 to n.
        n: Trials, above 0.
        confidence: Coverage on average.

    Returns:
        Lower and upper bounds, each (many,).
    """
    z = float(ndtri((1 + confidence) / 2))
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = np.where(hits <= 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(hits >= n, 1.0, np.minimum(centre + half, 1.0))
    return low, high


def effective_bounds(
    share: float, standard_error: float, n: float, units: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Exact bounds of a proportion whose rows are not independent (Korn and Graubard, 1998).

    The standard error says how many independent rows would be as sure, at most n; these get the Clopper–Pearson
    interval. Where it was estimated from few units, the number is made smaller by the square of Student's quantiles;
    units count as few where few of them are right or wrong at all, for only these tell how far units differ.

    Args:
        share: The proportion, strictly between 0 and 1.
        standard_error: Of the share, above 0.
        n: Rows.
        units: Independent units behind the standard error, at least 2.
        confidence: Coverage.

    Returns:
        Lower and upper bound.
    """
    effective = share * (1 - share) / standard_error**2
    if units < n:
        high, events = (1 + confidence) / 2, effective * min(share, 1 - share)
        freedom = max(1.0, min(units - 1, events))
        effective *= (ndtri(high) / stdtrit(freedom, high)) ** 2
    effective = max(1.0, min(float(n), float(effective)))
    return clopper_pearson(share * effective, effective, confidence)


def largest_unseen(n: float, confidence: float = 0.95) -> float:
    """The largest rate that would still show nothing in n trials: the upper exact bound of 0 of n.

    Args:
        n: Trials, above 0.
        confidence: Coverage of the two-sided interval.

    Returns:
        A share, 1 - ((1 - confidence) / 2) ** (1 / n).

    Raises:
        ValueError: If n is not above 0 or confidence outside (0, 1).
    """
    return clopper_pearson(0, n, confidence)[1]


def rows_to_exclude(rate: float, confidence: float = 0.95) -> int:
    """How many independent trials without an event are needed before a rate of this size can be ruled out.

    Args:
        rate: The rate, in (0, 1).
        confidence: Coverage of the two-sided interval.

    Returns:
        The smallest n with largest_unseen(n) < rate: 368 for one in a hundred.

    Raises:
        ValueError: If rate or confidence lies outside (0, 1).
    """
    if not 0 < rate < 1 or not 0 < confidence < 1:
        raise ValueError(f"rate and confidence must lie between 0 and 1; got {rate} and {confidence}")
    return math.floor(math.log((1 - confidence) / 2) / math.log1p(-rate)) + 1


def _check(hits: float, n: float, confidence: float) -> None:
    """Refuse what is no proportion."""
    if n <= 0 or not 0 <= hits <= n:
        raise ValueError(f"hits must lie in 0..n with n above 0; got {hits} of {n}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence}")
