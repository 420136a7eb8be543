"""Comparing two classifiers on the same rows: difference, interval and p, exact McNemar, Holm, what can be seen at all.

A difference is resampled on the very same rows for both sides. “As good as” is a non-inferiority claim with a margin,
never the absence of a significant difference. Nothing here chooses words; workbench.metrics.wording does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, ndtri

from workbench.metrics.bootstrap import resample_counts
from workbench.metrics.intervals import Drawn, percentile_bounds, why_no_bootstrap
from workbench.metrics.scores import Float64Array, IntArray, check_classes, count, count_metric

_SEEN = float(ndtri(0.975) + ndtri(0.80))
"""Standard errors that a true difference must measure to be found at 5 % in four of five tests: 2.80."""


@dataclass(frozen=True)
class Difference:
    """One classifier's score less another's; what is None is explained by `reason`.

    Attributes:
        value: The difference, above 0 where the first is ahead.
        low: Lower bound of the interval.
        high: Upper bound.
        p: Two-sided p of “no difference”.
        n: Rows behind it.
        method: How bounds and p were got.
        reason: Why something is None, else empty.
        detectable: Smallest true difference that such a test would find four times in five.
        discordant: Rows on which exactly one of the two is right (mean over seeds).
        p_noninferior: One-sided p of “worse by the margin or more”; None without a margin.
        confidence: Coverage of the bounds.
    """

    value: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int
    method: str
    reason: str = ""
    detectable: float | None = None
    discordant: float | None = None
    p_noninferior: float | None = None
    confidence: float = 0.95

    def non_inferior(self, margin: float) -> bool | None:
        """Whether the first is shown to be no more than `margin` below the second.

        Args:
            margin: Largest loss that is put up with, above 0.

        Returns:
            True where the whole interval lies above -margin; None where there is no interval.
        """
        return None if self.low is None else self.low > -margin


def bootstrap_difference(
    metric: str,
    labels: IntArray,
    predictions_a: IntArray,
    predictions_b: IntArray,
    n_classes: int,
    *,
    groups: npt.NDArray[Any] | None = None,
    margin: float | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Difference:
    """The score of a less the score of b, resampled on the same rows.

    Args:
        metric: One of COUNT_METRICS.
        labels: True classes (rows,).
        predictions_a: Predicted classes of the first (rows,).
        predictions_b: Predicted classes of the second (rows,).
        n_classes: Number of classes.
        groups: The group of each row, or None.
        margin: For the p of non-inferiority; None leaves it out.
        resamples: Number of resamples.
        seed: Seed of the draws.
        confidence: Coverage of the interval.

    Returns:
        The difference; with no rows, the reason.

    Raises:
        ValueError: If the metric is not known or the arrays do not fit.
    """
    score = count_metric(metric)
    check_classes(labels, predictions_a, n_classes)
    check_classes(labels, predictions_b, n_classes)
    if len(labels) == 0:
        return Difference(None, None, None, None, 0, "none", "no rows")
    value = float(score(count(labels, predictions_a, n_classes)) - score(count(labels, predictions_b, n_classes)))
    both = [predictions_a, predictions_b]
    (a, b), drawn = resample_counts(labels, both, n_classes, groups=groups, resamples=resamples, seed=seed)
    discordant = float(discordance(labels, predictions_a, predictions_b).sum())
    drawn = replace(drawn, confidence=confidence)
    return difference_of(value, score(a) - score(b), drawn, discordant=discordant, margin=margin)


def difference_of(
    value: float, resampled: Float64Array, drawn: Drawn, *, discordant: float, margin: float | None = None
) -> Difference:
    """From a difference and its resamples to interval and p.

    Where every resample gives 0 (the two never differ), the interval is 0 ± the largest share of differing units that
    would still leave none in this many with 2.5 % chance, 1 - 0.025^(1/units), and p is 1: a small test of two equal
    columns does not show that they are equal.

    Args:
        value: The difference itself.
        resampled: The difference on every resample (resamples,); NaN where one held no rows.
        drawn: What was resampled.
        discordant: Rows on which exactly one is right.
        margin: For the p of non-inferiority; None leaves it out.

    Returns:
        The difference, or a value with the reason why it has no interval.
    """
    reason = why_no_bootstrap(resampled, drawn)
    finite = resampled[np.isfinite(resampled)]
    if not reason and np.ptp(finite) <= 1e-12:
        if abs(value) <= 1e-12:
            return _never_apart(drawn, discordant, margin)
        reason = "every resample gave the same difference"
    if reason:
        return Difference(value, None, None, None, drawn.rows, "none", reason, discordant=discordant)
    low, high = percentile_bounds(finite, value, drawn.confidence)
    return Difference(
        value,
        low,
        high,
        _two_sided(finite),
        drawn.rows,
        f"paired {drawn.method}",
        detectable=_SEEN * float(finite.std()),
        discordant=discordant,
        p_noninferior=None if margin is None else _tail(finite <= -margin),
        confidence=drawn.confidence,
    )


def _never_apart(drawn: Drawn, discordant: float, margin: float | None) -> Difference:
    """The difference of two classifiers that no resample tells apart."""
    bound = 1 - float(((1 - drawn.confidence) / 2) ** (1 / drawn.units))
    return Difference(
        0.0,
        -bound,
        bound,
        1.0,
        drawn.rows,
        f"exact bound, no difference in {drawn.units:,} units",
        detectable=bound,
        discordant=discordant,
        p_noninferior=None if margin is None else (1 - min(margin, 1.0)) ** drawn.units,
        confidence=drawn.confidence,
    )


def _tail(inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    """Share of resamples in a tail, one added on both sides so that it is never 0."""
    return float((inside.sum() + 1) / (len(inside) + 1))


def _two_sided(resampled: Float64Array) -> float:
    """Twice the smaller tail at 0."""
    return min(1.0, 2 * min(_tail(resampled <= 0), _tail(resampled >= 0)))


def discordance(
    labels: IntArray, predictions_a: IntArray, predictions_b: IntArray
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Rows on which exactly one of two classifiers is right.

    Args:
        labels: True classes (rows,).
        predictions_a: Predicted classes of the first (rows,).
        predictions_b: Predicted classes of the second (rows,).

    Returns:
        True or False (rows,).
    """
    return np.asarray((labels == predictions_a) != (labels == predictions_b))


def mcnemar(only_a_right: int, only_b_right: int) -> float:
    """Exact two-sided McNemar test (1947): do two classifiers err on different numbers of the same rows?

    For independent rows only; where rows share groups use the clustered bootstrap.

    Args:
        only_a_right: Rows that only the first got right.
        only_b_right: Rows that only the second got right.

    Returns:
        p, 1 where no row tells them apart.

    Raises:
        ValueError: If a number is below 0.
    """
    if only_a_right < 0 or only_b_right < 0:
        raise ValueError(f"counts of rows must be 0 or more; got {only_a_right} and {only_b_right}")
    n = only_a_right + only_b_right
    return 1.0 if n == 0 else min(1.0, 2 * float(bdtr(min(only_a_right, only_b_right), n, 0.5)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for being several claims (Holm, 1979): reject where the adjusted one is below alpha.

    Args:
        p_values: Each in [0, 1]; may be empty.

    Returns:
        Adjusted p-values in the same order.

    Raises:
        ValueError: If one is not in [0, 1].
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values must lie in [0, 1]; got {list(p_values)}")
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = running
    return adjusted


def smallest_detectable(n: int, discordant: float, *, alpha: float = 0.05, power: float = 0.80) -> float | None:
    """Smallest difference in accuracy that an exact McNemar test finds with the given power.

    Args:
        n: Independent rows, at least 1.
        discordant: Share of rows on which exactly one is right, in (0, 1].
        alpha: Two-sided level.
        power: Chance of finding it.

    Returns:
        The difference as a share; None where even a difference of the whole discordance would not be found.

    Raises:
        ValueError: If n or discordant lies outside its range.
    """
    if n < 1 or not 0 < discordant <= 1:
        raise ValueError(f"n must be 1 or more and discordant in (0, 1]; got {n} and {discordant}")
    differing, chances, most = _discordant_counts(n, discordant, alpha)

    def found(difference: float) -> float:
        ahead = min(1.0, (discordant + difference) / (2 * discordant))
        low, high = bdtr(most, differing, 1 - ahead), bdtr(most, differing, ahead)
        return float((chances * np.where(most >= 0, low + high, 0.0)).sum())

    if found(discordant) < power:
        return None
    below, above = 0.0, discordant
    while above - below > 1e-6:
        middle = (below + above) / 2
        below, above = (below, middle) if found(middle) >= power else (middle, above)
    return above


def _discordant_counts(n: int, discordant: float, alpha: float) -> tuple[IntArray, Float64Array, Float64Array]:
    """Likely numbers of discordant rows, their chances, and the largest smaller side that is still significant."""
    from scipy.stats import binom

    spread = 8 * float(np.sqrt(n * discordant * (1 - discordant))) + 8
    middle = n * discordant
    differing = np.arange(max(0, int(middle - spread)), min(n, int(middle + spread)) + 1)
    most = binom.ppf(alpha / 2, differing, 0.5)
    most = np.where(binom.cdf(most, differing, 0.5) <= alpha / 2, most, most - 1)
    chances = np.asarray(binom.pmf(differing, n, discordant), dtype=np.float64)
    return differing, chances, np.asarray(most, dtype=np.float64)
