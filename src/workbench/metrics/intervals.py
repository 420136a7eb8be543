"""From a value and its resamples to an interval, or to the reason why there is none.

The rules, in this order: nothing counted, no value; a proportion of fewer than 500 independent rows gets the exact
Clopper–Pearson interval; rows in fewer than 10 groups get no interval; otherwise the percentiles of the bootstrap.
Where every resample scores 1 (or 0) the percentiles would pretend to certainty, so an exact bound takes their place:
for a proportion Clopper–Pearson's, for an F1 the mean of its classes' own bounds. Never NaN, and never a bare zero
width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from workbench.metrics.scores import PROPORTIONS, Counts, Float64Array, class_f1_of

SMALL = 500
"""Below this many independent rows a proportion gets its exact interval instead of percentiles."""
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
            return f"pigeonhole bootstrap, {self.resamples:,} resamples of {what} and {self.seeds} seeds, percentiles"
        return f"bootstrap, {self.resamples:,} resamples of {what}, percentiles"


def clopper_pearson(hits: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a proportion (Clopper and Pearson, 1934).

    Args:
        hits: Successes, 0 to n; need not be whole (an effective number).
        n: Trials, above 0.
        confidence: Coverage, at least this much.

    Returns:
        Lower and upper bound, in [0, 1].

    Raises:
        ValueError: If n is not above 0 or hits lies outside [0, n].
    """
    if n <= 0 or not 0 <= hits <= n:
        raise ValueError(f"hits must lie in 0..n with n above 0; got {hits} of {n}")
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(betaincinv(hits, n - hits + 1, tail))
    high = 1.0 if hits == n else float(betaincinv(hits + 1, n - hits, 1 - tail))
    return low, high


def percentile_bounds(resampled: Float64Array, value: float, confidence: float) -> tuple[float, float]:
    """The percentiles of the resamples, widened to hold the value where the bootstrap's bias leaves it outside.

    Args:
        resampled: Finite scores (resamples,).
        value: The score itself.
        confidence: Coverage.

    Returns:
        Lower and upper bound.
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return min(float(low), value), max(float(high), value)


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
    plain = counts is not None and metric in PROPORTIONS and not drawn.clustered and drawn.seeds == 1
    if plain and counts is not None and drawn.rows < SMALL:
        bounds = clopper_pearson(float(counts.hits.sum()), drawn.rows, drawn.confidence)
        return _bounded(value, bounds, drawn, f"Clopper–Pearson, {drawn.rows:,} rows")
    reason = why_no_bootstrap(resampled, drawn)
    finite = resampled[np.isfinite(resampled)]
    constant = not reason and np.ptp(finite) <= 1e-12
    if constant and (counts is None or 1e-12 < value < 1 - 1e-12):
        reason = "every resample gave the same value"
    if reason:
        return Interval(value, None, None, drawn.rows, "none", reason, drawn.confidence)
    if constant and counts is not None:
        bounds = exact_bounds(metric, counts, drawn)
        return _bounded(value, bounds, drawn, f"exact bound of a constant score, {drawn.units:,} units")
    return _bounded(value, percentile_bounds(finite, value, drawn.confidence), drawn, drawn.method)


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
