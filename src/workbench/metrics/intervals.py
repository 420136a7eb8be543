"""From a value and its resamples to an interval, or to the reason why there is none.

The rules, in this order. Nothing counted: no value. A proportion, and the F1 of one class (a proportion in disguise:
hits among the rows that carry the class as label or prediction), gets the exact Clopper–Pearson interval below 500
independent rows, or where fewer than 10 rows are right or wrong: there the bootstrap pretends to know what it has not
seen. Where rows share groups its resamples say how many independent rows it is worth (Korn and Graubard, 1998), and
fewer than 20 right or wrong ones get the exact interval. Rows in fewer than 10 groups, or a mean of F1 over classes of
fewer than 10 rows: no interval. A mean of F1 is lower in resamples than in the table; that bias is taken off (Efron,
1981). Otherwise the percentiles of the bootstrap, below 500 units set further apart as Student's t is wider than the
normal distribution (Hesterberg, 2015). Never NaN, never a bare zero width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from workbench.metrics.proportions import clopper_pearson as clopper_pearson
from workbench.metrics.proportions import effective_bounds
from workbench.metrics.scores import PROPORTIONS, Counts, Float64Array, class_f1_of

SMALL = 500
"""Below this many independent rows a proportion gets its exact interval instead of percentiles."""
FEWEST_EVENTS = 10
"""Below this many independent right or wrong rows a proportion gets exact bounds instead of percentiles."""
FEWEST_GROUPED = 20
"""The same where rows share groups, for there the spread of the resamples is itself uncertain."""
FEWEST_OF_CLASS = 10
"""Below this many rows a class on average, resamples of a mean of F1 are too far off to be corrected."""
FEWEST_GROUPS = 10
"""Below this many groups, resampling groups says too little to be shown."""


@dataclass(frozen=True)
class Interval:
    """A value between its bounds; what is None is explained by `reason`.

    Attributes:
        value: The score, None where there is none to give.
        low: Lower bound.
        high: Upper bound.
        n: Rows behind it.
        method: How the bounds were got.
        reason: Why something is None, else empty.
        confidence: Coverage of the bounds.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str
    reason: str = ""
    confidence: float = 0.95


@dataclass(frozen=True)
class Drawn:
    """What was resampled, how often, and how sure the bounds shall be.

    Attributes:
        rows: Rows behind a value.
        units: Independent units: groups where clustered, else rows.
        clustered: Whether rows of one group were drawn together.
        resamples: Number of resamples.
        seeds: Number of seeds drawn along with the units.
        confidence: Coverage of the interval, between 0 and 1.
    """

    rows: int
    units: int
    clustered: bool
    resamples: int
    seeds: int = 1
    confidence: float = 0.95

    @property
    def method(self) -> str:
        """The bootstrap in words."""
        what = f"{self.units:,} groups ({self.rows:,} rows)" if self.clustered else f"{self.rows:,} rows"
        if self.seeds > 1:
            return f"bootstrap, {self.resamples:,} resamples of {what}, Student's t of {self.seeds} seeds, percentiles"
        return f"bootstrap, {self.resamples:,} resamples of {what}, percentiles"


def rate(hits: float, n: int, confidence: float = 0.95) -> Interval:
    """A share of independent rows with its exact interval, or the reason why there is none.

    Args:
        hits: Rows counted, 0 to n.
        n: Rows looked at, 0 or more.
        confidence: Coverage, at least this much.

    Returns:
        The interval; of nothing, no value and the reason.

    Raises:
        ValueError: If hits lies outside [0, n].
    """
    if n == 0 and hits == 0:
        return Interval(None, None, None, 0, "none", "no rows", confidence)
    low, high = clopper_pearson(hits, n, confidence)
    return Interval(hits / n, low, high, n, f"Clopper–Pearson, {n:,} rows", "", confidence)


def percentile_bounds(
    resampled: Float64Array, value: float, confidence: float, units: float = np.inf, *, corrected: bool = False
) -> tuple[float, float]:
    """The percentiles of the resamples, widened to hold the value where the bootstrap's bias leaves it outside.

    Args:
        resampled: Finite scores (resamples,).
        value: The score itself.
        confidence: Coverage.
        units: Independent units; see expanded_tail.
        corrected: Whether the percentiles are moved by twice the bias of the resamples' median (Efron, 1981).

    Returns:
        Lower and upper bound.
    """
    tail = expanded_tail((1 - confidence) / 2, units)
    below = float((resampled < value).mean() + (resampled <= value).mean()) / 2
    moved = 2 * float(ndtri(below)) if corrected and 0 < below < 1 else 0.0
    low, high = np.quantile(resampled, [ndtr(moved + ndtri(tail)), ndtr(moved - ndtri(tail))])
    return min(float(low), value), max(float(high), value)


def expanded_tail(tail: float, units: float) -> float:
    """The tail to be cut off so that percentiles of few units cover as Student's t does (Hesterberg, 2015).

    Args:
        tail: What shall lie beyond a bound, in (0, 0.5).
        units: Independent units, at least 2; nothing changes from 500 on.

    Returns:
        A smaller tail: 0.0086 for 0.025 and 10 units, 0.023 for 100.
    """
    if units >= SMALL:
        return tail
    return float(ndtr(np.sqrt(units / (units - 1)) * stdtrit(units - 1, tail)))


def contracted_tail(share: float, units: float) -> float:
    """The p that belongs to a share of resamples; the inverse of expanded_tail.

    Args:
        share: Share of resamples beyond a bound, in (0, 1).
        units: Independent units, at least 2; nothing changes from 500 on.

    Returns:
        The p.
    """
    if units >= SMALL or share >= 1:
        return share
    return float(stdtr(units - 1, ndtri(share) / np.sqrt(units / (units - 1))))


def interval_of(metric: str, counts: Counts | None, value: float, resampled: Float64Array, drawn: Drawn) -> Interval:
    """The interval of one score by the rules of this module.

    Args:
        metric: Name of the metric.
        counts: Its counts (classes,); None for a mean that is not built from counts (log loss).
        value: The score; NaN means that there is nothing to score.
        resampled: The score of every resample (resamples,); NaN where a resample held no rows.
        drawn: What was resampled.

    Returns:
        The interval, or a value with the reason why it has none.
    """
    if drawn.rows == 0 or not np.isfinite(value):
        return Interval(None, None, None, drawn.rows, "none", "no rows", drawn.confidence)
    finite = resampled[np.isfinite(resampled)]
    share = _as_share(metric, counts, value)
    if share is not None and not drawn.clustered and drawn.seeds == 1 and share.is_small:
        return _bounded(value, share.exact(drawn.confidence), drawn, f"Clopper–Pearson, {share.said}")
    reason = why_no_bootstrap(resampled, drawn) or _few_of_class(metric, counts, value, drawn.rows)
    constant = not reason and np.ptp(finite) <= 1e-12
    if constant and (counts is None or 1e-12 < value < 1 - 1e-12):
        reason = "every resample gave the same value"
    if reason:
        return Interval(value, None, None, drawn.rows, "none", reason, drawn.confidence)
    if constant and counts is not None:
        bounds = exact_bounds(metric, counts, drawn)
        return _bounded(value, bounds, drawn, f"exact bound of a constant score, {drawn.units:,} units")
    if share is not None and 0 < share.value < 1 and (drawn.clustered or drawn.seeds > 1):
        error = spread_of(share.forth(finite), drawn)
        fewest = FEWEST_GROUPED if drawn.clustered else FEWEST_EVENTS
        if share.value * (1 - share.value) * min(share.value, 1 - share.value) < fewest * error**2:
            bounds = share.effective(error, drawn)
            return _bounded(value, bounds, drawn, f"Clopper–Pearson of the rows that {drawn.method} leaves independent")
    corrected = counts is not None and share is None
    bounds = percentile_bounds(finite, value, drawn.confidence, drawn.units, corrected=corrected)
    return _bounded(value, bounds, drawn, drawn.method + (", bias-corrected" if corrected else ""))


def _few_of_class(metric: str, counts: Counts | None, value: float, rows: int) -> str:
    """Why a mean of F1 over small classes has no interval, or nothing; a constant one has its exact bounds."""
    if counts is None or metric in PROPORTIONS or metric == "class_f1" or not 1e-12 < value < 1 - 1e-12:
        return ""
    each = rows / int(((counts.labelled + counts.predicted) > 0).sum())
    if each >= FEWEST_OF_CLASS:
        return ""
    return f"{each:.1f} rows a class: below {FEWEST_OF_CLASS} the bootstrap of a mean over classes covers too rarely"


def spread_of(resampled: Float64Array, drawn: Drawn) -> float:
    """The standard error that resamples show; of several seeds (whose tails are Student's) from their 95 % width.

    Args:
        resampled: Finite scores (resamples,).
        drawn: What was resampled.

    Returns:
        The standard error.
    """
    if drawn.seeds == 1:
        return float(resampled.std())
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(high - low) / (2 * float(ndtri(0.975)))


@dataclass(frozen=True)
class _Share:
    """A score that is a proportion, or an F1 as one: J = F / (2 - F) is hits among rows labelled or predicted."""

    value: float
    n: float
    is_f1: bool

    @property
    def is_small(self) -> bool:
        """Whether the exact interval is due."""
        return self.n < SMALL or min(self.value, 1 - self.value) * self.n < FEWEST_EVENTS - 1e-6

    @property
    def said(self) -> str:
        """Its rows in words."""
        return f"{self.n:,.0f} rows" + (" of the class in label or prediction" if self.is_f1 else "")

    def forth(self, scores: Float64Array) -> Float64Array:
        """Scores as proportions."""
        return scores / (2 - scores) if self.is_f1 else scores

    def _back(self, bounds: tuple[float, float]) -> tuple[float, float]:
        low, high = bounds
        return (2 * low / (1 + low), 2 * high / (1 + high)) if self.is_f1 else bounds

    def exact(self, confidence: float) -> tuple[float, float]:
        """Bounds of independent rows."""
        return self._back(clopper_pearson(min(self.value * self.n, self.n), self.n, confidence))

    def effective(self, error: float, drawn: Drawn) -> tuple[float, float]:
        """Bounds of rows that are not independent, or of several seeds."""
        units = min(drawn.units, self.n) if drawn.clustered else self.n
        return self._back(effective_bounds(self.value, error, self.n, units, drawn.confidence))


def _as_share(metric: str, counts: Counts | None, value: float) -> _Share | None:
    """The score as a proportion of rows, where it is one."""
    if counts is None or (metric not in PROPORTIONS and metric != "class_f1"):
        return None
    rows = float(counts.labelled.sum())
    if metric == "class_f1":
        rows += float(counts.predicted.sum() - counts.hits.sum())
        value = value / (2 - value)
    return _Share(value, rows, metric == "class_f1") if rows > 0 else None


def _bounded(value: float, bounds: tuple[float, float], drawn: Drawn, method: str) -> Interval:
    """An interval that holds its value."""
    low, high = min(bounds[0], value), max(bounds[1], value)
    return Interval(value, low, high, drawn.rows, method, "", drawn.confidence)


def why_no_bootstrap(resampled: Float64Array, drawn: Drawn) -> str:
    """Why the resamples carry no interval, or nothing.

    Args:
        resampled: The score of every resample; NaN where a resample held no rows.
        drawn: What was resampled.

    Returns:
        The reason, empty where there is none.
    """
    if drawn.clustered and drawn.units < FEWEST_GROUPS:
        return f"only {drawn.units} groups: fewer than {FEWEST_GROUPS} say too little about other groups"
    if np.isfinite(resampled).mean() < 0.95:
        return "more than one resample in twenty held no rows"
    return ""


def exact_bounds(metric: str, counts: Counts, drawn: Drawn) -> tuple[float, float]:
    """Bounds of a score that is 1 (or 0) in every resample.

    A proportion gets Clopper–Pearson's bound on its independent units. An F1 gets, for each class that takes part, the
    bound of a proportion with that class's rows, averaged as the metric averages (rows of a class are scaled down by
    units/rows where clustered). All classes stand at their bound at once, so it is wide rather than narrow.

    Args:
        metric: Name of the metric.
        counts: Its counts (classes,).
        drawn: What was resampled.

    Returns:
        Lower and upper bound.
    """
    scale = drawn.units / drawn.rows
    if metric in PROPORTIONS:
        trials = float(counts.labelled.sum()) * scale
        return clopper_pearson(float(counts.hits.sum()) * scale, trials, drawn.confidence)
    present = (counts.labelled + counts.predicted) > 0
    trials_of = np.maximum(counts.labelled, counts.predicted)[present] * scale
    scores = class_f1_of(counts)[present]
    weights = (counts.labelled[present] if metric == "weighted_f1" else np.ones_like(trials_of)).astype(np.float64)
    bounds = np.array(
        [clopper_pearson(float(s * t), float(t), drawn.confidence) for s, t in zip(scores, trials_of, strict=True)]
    )
    low, high = np.average(bounds, axis=0, weights=weights if weights.sum() > 0 else None)
    return float(low), float(high)
