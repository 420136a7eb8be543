"""Comparing two classifiers on the same rows: difference, interval and p, exact McNemar, what can be seen at all.

A difference is resampled on the very same rows for both sides. “As good as” is a non-inferiority claim with a margin,
never the absence of a significant difference. Where few units tell the two apart, resamples know too little of what
they did not see, and exact bounds take over; see `few_apart`. Nothing here chooses words; workbench.metrics.wording
does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, ndtri

from workbench.metrics.bootstrap import resample_counts
from workbench.metrics.intervals import Drawn, contracted_tail, percentile_bounds, spread_of, why_no_bootstrap
from workbench.metrics.multiple import holm as holm
from workbench.metrics.proportions import clopper_pearson, largest_unseen
from workbench.metrics.scores import Float64Array, IntArray, check_classes, count, count_metric

SEEN = float(ndtri(0.975) + ndtri(0.80))
"""Standard errors that a true difference must measure to be found at 5 % in four of five tests: 2.80."""
FEW_APART = 20
"""Below this many units that tell two classifiers apart, exact bounds stand beside the resamples."""
FEWEST_CHANGED = 7.91
"""Units that must be expected to change for one side alone, for six of them (p = 0.031) in four of five tests."""


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
    ahead = (labels == predictions_a).astype(np.int64) - (labels == predictions_b)
    unit_of = np.arange(len(labels)) if groups is None else np.unique(groups, return_inverse=True)[1]
    drawn = replace(drawn, confidence=confidence)
    apart = units_apart(ahead, unit_of)
    return difference_of(value, score(a) - score(b), drawn, discordant=discordant, apart=apart, margin=margin)


def units_apart(ahead: IntArray, unit_of: IntArray) -> tuple[int, int]:
    """In how many units the first is ahead, and in how many the second.

    Args:
        ahead: 1 where only the first is right, -1 where only the second is, else 0 (rows,); seeds may be stacked.
        unit_of: The unit of each row (rows,).

    Returns:
        Two numbers of units; a unit with as many on both sides counts for neither.
    """
    net = np.bincount(unit_of, weights=ahead) if len(ahead) else np.zeros(0)
    return int((net > 0.5).sum()), int((net < -0.5).sum())


def difference_of(
    value: float,
    resampled: Float64Array,
    drawn: Drawn,
    *,
    discordant: float,
    apart: tuple[int, int] | None = None,
    margin: float | None = None,
) -> Difference:
    """From a difference and its resamples to interval and p.

    Args:
        value: The difference itself.
        resampled: The difference on every resample (resamples,); NaN where one held no rows.
        drawn: What was resampled.
        discordant: Rows on which exactly one is right.
        apart: Units in which the first is ahead, and in which the second is; None where rows are not right or wrong.
        margin: For the p of non-inferiority; None leaves it out.

    Returns:
        The difference, or a value with the reason why it has no interval.
    """
    reason = why_no_bootstrap(resampled, drawn)
    finite = resampled[np.isfinite(resampled)]
    constant = not reason and np.ptp(finite) <= 1e-12
    if constant and abs(value) > 1e-12:
        reason = "every resample gave the same difference"
    if reason:
        return Difference(value, None, None, None, drawn.rows, "none", reason, discordant=discordant)
    low, high = percentile_bounds(finite, value, drawn.confidence, drawn.units)
    found = Difference(
        value,
        low,
        high,
        _two_sided(finite, drawn.units),
        drawn.rows,
        f"exact bound, no difference in {drawn.units:,} units" if constant else f"paired {drawn.method}",
        detectable=max(SEEN * spread_of(finite, drawn), min(1.0, FEWEST_CHANGED / drawn.units)),
        discordant=discordant,
        p_noninferior=None if margin is None else contracted_tail(_tail(finite <= -margin), drawn.units),
        confidence=drawn.confidence,
    )
    return few_apart(found, apart or ((0, 0) if constant else None), drawn.units, margin)


def few_apart(found: Difference, apart: tuple[int, int] | None, units: int, margin: float | None) -> Difference:
    """Keep an interval from being surer than so many units can make anyone.

    Two rules, so that a form that changes nothing is never judged more harshly than one that changes a little:
    (1) Below FEW_APART differing units the interval reaches at least from minus the exact upper bound of the share of
    units in which the second is ahead to that of the first: the true difference lies between minus the one share and
    plus the other. A bound is left beyond 0 only where the exact sign test of the units says so too, whose p is the
    least that is given. (2) An interval that holds 0 is never narrower than that of two classifiers that agree on
    every unit, 1 - 0.025 ** (1 / units) to both sides: a margin below it cannot be shown with so many units, whatever
    the classifiers do. For F1 a differing row is taken to weigh what it weighs in accuracy.

    Args:
        found: The difference from resamples.
        apart: Units in which the first is ahead, and in which the second is; None leaves out rule 1.
        units: Independent units.
        margin: For the p of non-inferiority; None where there is none.

    Returns:
        The difference with wider bounds and larger p where they were too sure.
    """
    low, high, p, p_margin = found.low, found.high, found.p, found.p_noninferior
    if low is None or high is None or p is None:
        return found
    method = found.method
    if apart is not None and sum(apart) < FEW_APART:
        first, second = apart
        sign = mcnemar(first, second)
        p, sure = max(p, sign), sign < 1 - found.confidence
        high = high if sure and high < 0 else max(high, clopper_pearson(first, units, found.confidence)[1])
        low = low if sure and low > 0 else min(low, -clopper_pearson(second, units, found.confidence)[1])
        if sum(apart):
            method += f"; exact bounds and sign test, {first + second} units differ"
        if margin is not None and p_margin is not None and low <= 0:
            p_margin = max(p_margin, float(bdtr(second, units, min(margin, 1.0))))
    if low <= 0 <= high:
        unseen = largest_unseen(units, found.confidence)
        low, high = min(low, -unseen), max(high, unseen)
        if margin is not None and p_margin is not None:
            p_margin = max(p_margin, (1 - min(margin, 1.0)) ** units)
    return replace(found, low=low, high=high, p=p, p_noninferior=p_margin, method=method)


def _tail(inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    """Share of resamples in a tail, one added on both sides so that it is never 0."""
    return float((inside.sum() + 1) / (len(inside) + 1))


def _two_sided(resampled: Float64Array, units: int) -> float:
    """Twice the smaller tail at 0, as Student's t has it where units are few."""
    return min(1.0, 2 * contracted_tail(min(_tail(resampled <= 0), _tail(resampled >= 0)), units))


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
