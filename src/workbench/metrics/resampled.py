"""One split or slice, resampled once for all candidates and seeds together.

The same weights of the same groups serve every candidate, every seed and every metric: differences are paired, seeds
share their rows, and a candidate's interval does not change when another candidate joins the run. Says values,
intervals and gaps; decides nothing about what is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np
from scipy import sparse

from workbench.metrics.bootstrap import count_columns, counts_at, draw_units, resample_sums
from workbench.metrics.evidence import Evidence
from workbench.metrics.intervals import Drawn, Interval, interval_of
from workbench.metrics.paired import discordance, units_apart
from workbench.metrics.probabilities import row_log_loss, row_top_k
from workbench.metrics.scores import (
    COUNT_METRICS,
    Counts,
    Float64Array,
    FloatArray,
    IntArray,
    class_f1_of,
    count,
    count_metric,
)
from workbench.metrics.seeds import pool_seeds

Key = tuple[str, int]

_SUMS = 40_000_000
"""Summed counts held at a time (160 MB in single precision)."""
_DRAWN = 400_000_000
"""Weights drawn for one split at most; above it (40,000 independent rows) there are fewer resamples, at least 1,000."""

_CLASS_SCORES = 1_000_000
"""Resampled F1 of classes kept for one candidate and seed; above 100 classes that is fewer resamples each."""
_FEWEST_KEPT = 500


@dataclass
class Resampled:
    """Values and resamples of every candidate, seed and metric.

    Attributes:
        classes: Names of the classes.
        candidates: Names of the candidates, in their order.
        seeds: The seeds, in order.
        clustered: Whether groups were drawn whole.
        seed: Seed of the draws.
    """

    classes: tuple[str, ...]
    candidates: tuple[str, ...]
    seeds: tuple[int, ...]
    clustered: bool
    seed: int
    _parts: dict[int, Evidence]
    _drawn: dict[int | None, Drawn]
    _unit_of: dict[int, IntArray]
    _points: dict[str, dict[Key, float]] = field(default_factory=dict)
    _scores: dict[str, dict[Key, FloatArray]] = field(default_factory=dict)
    _counts: dict[Key, Counts] = field(default_factory=dict)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics that were computed, in order."""
        return tuple(self._points)

    def has(self, candidate: str, metric: str) -> bool:
        """Whether a candidate has a metric; without probabilities it has no log loss.

        Args:
            candidate: Its name.
            metric: Name of the metric.

        Returns:
            True or False.
        """
        return bool(self.seeds) and (candidate, self.seeds[0]) in self._points.get(metric, {})

    def drawn(self, seed: int | None) -> Drawn:
        """What was drawn for one seed, or for all of them.

        Args:
            seed: A seed, or None for the aggregate.

        Returns:
            What was resampled.
        """
        return self._drawn[seed]

    def counts(self, candidate: str, seed: int) -> Counts:
        """Counts of one candidate and seed.

        Args:
            candidate: Its name.
            seed: The seed.

        Returns:
            Counts with arrays (classes,).
        """
        return self._counts[candidate, seed]

    def support(self, metric: str, seed: int | None) -> int:
        """Rows behind a figure: of the split, or of the class for f1:<class>; for the aggregate of the smallest seed.

        Args:
            metric: Name of the metric.
            seed: A seed, or None for the aggregate.

        Returns:
            Number of rows.
        """
        parts = [self._parts[one] for one in (self.seeds if seed is None else (seed,))]
        if metric.startswith("f1:"):
            place = self.classes.index(metric.removeprefix("f1:"))
            return min((int((part.labels == place).sum()) for part in parts), default=0)
        return min((len(part.labels) for part in parts), default=0)

    def one_label(self, seed: int | None) -> bool:
        """Whether all rows have the same label.

        Args:
            seed: A seed, or None for all of them.

        Returns:
            True or False.
        """
        parts = [self._parts[one].labels for one in (self.seeds if seed is None else (seed,))]
        return len(np.unique(np.concatenate(parts))) < 2

    def point(self, candidate: str, metric: str, seed: int) -> float:
        """The score of one seed.

        Args:
            candidate: Its name.
            metric: Name of the metric.
            seed: The seed.

        Returns:
            The score.
        """
        return self._points[metric][candidate, seed]

    def mean_point(self, candidate: str, metric: str) -> float:
        """The mean of the scores over seeds.

        Args:
            candidate: Its name.
            metric: Name of the metric.

        Returns:
            The mean.
        """
        return float(np.mean([self.point(candidate, metric, seed) for seed in self.seeds]))

    def interval(self, candidate: str, metric: str, seed: int | None) -> Interval:
        """The score of one seed, or the mean over seeds, with its interval.

        Args:
            candidate: Its name.
            metric: Name of the metric.
            seed: A seed, or None for the aggregate (see pool_seeds).

        Returns:
            The interval by the rules of workbench.metrics.intervals.
        """
        value = self.mean_point(candidate, metric) if seed is None else self.point(candidate, metric, seed)
        found = self._pooled([self._scores[metric][candidate, one] for one in self._of(seed)])
        if metric != "log_loss":
            found = np.clip(found, 0.0, 1.0)
        counts = self._counts_for(candidate, metric, self._of(seed)[0])
        kind = "accuracy" if metric.startswith("top_") else "class_f1" if metric.startswith("f1:") else metric
        drawn = replace(self._drawn[seed], resamples=len(found))
        return interval_of(kind, counts, value, found, drawn)

    def _counts_for(self, candidate: str, metric: str, seed: int) -> Counts | None:
        """The counts behind a metric, for the exact bounds of a constant score."""
        if metric == "log_loss":
            return None
        if metric.startswith("top_"):
            rows = np.array([float(len(self._parts[seed].labels))])
            return Counts(np.array([self.point(candidate, metric, seed)]) * rows, rows, rows)
        counts = self._counts[candidate, seed]
        if metric.startswith("f1:"):
            place = slice(at := self.classes.index(metric.removeprefix("f1:")), at + 1)
            return Counts(counts.hits[place], counts.labelled[place], counts.predicted[place])
        return counts

    def gap(self, pair: tuple[str, str], metric: str, seed: int | None) -> tuple[float, Float64Array]:
        """The first candidate's score less the second's, and the same on every resample.

        Args:
            pair: Names of the two.
            metric: Name of the metric.
            seed: A seed, or None for the aggregate.

        Returns:
            The difference, and (resamples,).
        """
        first, second = pair
        of_seeds = self._of(seed)
        value = float(np.mean([self.point(first, metric, one) - self.point(second, metric, one) for one in of_seeds]))
        scores = self._scores[metric]
        return value, self._pooled([scores[first, one] - scores[second, one] for one in of_seeds])

    def only_right(self, pair: tuple[str, str], seed: int | None) -> tuple[float, float]:
        """Rows that only the first got right, and only the second, on average over the seeds asked for.

        Args:
            pair: Names of the two.
            seed: A seed, or None for all.

        Returns:
            Two numbers of rows.
        """
        numbers = []
        for one in self._of(seed):
            part = self._parts[one]
            first, second = (part.predictions[name] for name in pair)
            apart = discordance(part.labels, first, second)
            ahead = int((apart & (part.labels == first)).sum())
            numbers.append((ahead, int(apart.sum()) - ahead))
        only_first, only_second = np.mean(numbers, axis=0)
        return float(only_first), float(only_second)

    def units_ahead(self, pair: tuple[str, str], seed: int | None) -> tuple[int, int]:
        """Units in which the first of two is right more often, and in which the second is; seeds added up.

        Args:
            pair: Names of the two.
            seed: A seed, or None for all.

        Returns:
            Two numbers of units.
        """
        ahead = []
        for one in self._of(seed):
            labels, (first, second) = self._parts[one].labels, (self._parts[one].predictions[name] for name in pair)
            ahead.append((labels == first).astype(np.int64) - (labels == second))
        return units_apart(np.concatenate(ahead), np.concatenate([self._unit_of[one] for one in self._of(seed)]))

    def of_all_seeds(self, candidate: str) -> tuple[IntArray, IntArray]:
        """What every seed's model says of the rows that all of them were asked.

        Args:
            candidate: Its name.

        Returns:
            Predicted classes (seeds, rows), and the unit of each row (rows,).
        """
        shared = reduce(np.intersect1d, [part.rows for part in self._parts.values()])
        places = {seed: np.searchsorted(part.rows, shared) for seed, part in self._parts.items()}
        said = [self._parts[seed].predictions[candidate][place] for seed, place in places.items()]
        return np.stack(said), self._unit_of[self.seeds[0]][places[self.seeds[0]]]

    def _of(self, seed: int | None) -> tuple[int, ...]:
        """The seeds meant."""
        return self.seeds if seed is None else (seed,)

    def _pooled(self, scores: list[FloatArray]) -> Float64Array:
        """Resamples of the mean over seeds."""
        return pool_seeds(np.stack(scores).astype(np.float64), self.seed + 1)

    def _add(self, metric: str, key: Key, point: float, scores: FloatArray) -> None:
        """Keep one score and its resamples."""
        self._points.setdefault(metric, {})[key] = point
        self._scores.setdefault(metric, {})[key] = scores


def resample(
    evidence: Evidence,
    classes: tuple[str, ...],
    *,
    resamples: int,
    seed: int,
    only: Sequence[str] | None = None,
    top_k: int | None = None,
    fewest: int = 1,
    confidence: float = 0.95,
) -> Resampled:
    """Score all candidates on all seeds, and on the same resamples of the same units.

    Args:
        evidence: One split or slice.
        classes: Names of the classes.
        resamples: Number of resamples; fewer are drawn on more than 40,000 independent rows.
        seed: Seed of the draws.
        only: Names of the metrics; None for all, those of classes and probabilities included.
        top_k: The k of top-k accuracy, None for none.
        fewest: Below this many rows in every seed only the point figures are computed.
        confidence: Coverage of the intervals.

    Returns:
        Values and resamples.
    """
    unit_of, units, clustered = evidence.units()
    seeds = tuple(int(one) for one in np.unique(evidence.seeds))
    parts = {one: evidence.where(evidence.seeds == one) for one in seeds}
    number = max(min(resamples, 1_000), min(resamples, _DRAWN // max(1, units)))
    if not seeds or max(len(part.labels) for part in parts.values()) < fewest:
        number = 1
    drawn: dict[int | None, Drawn] = {
        one: Drawn(len(part.labels), len(np.unique(unit_of[evidence.seeds == one])), clustered, number)
        for one, part in parts.items()
    }
    drawn[None] = Drawn(len(np.unique(evidence.rows)), units, clustered, number, seeds=len(seeds))
    drawn = {one: replace(what, confidence=confidence) for one, what in drawn.items()}
    units_by_seed = {one: unit_of[evidence.seeds == one] for one in seeds}
    result = Resampled(classes, tuple(evidence.predictions), seeds, clustered, seed, parts, drawn, units_by_seed)
    for names in _batches(result.candidates, number * max(1, len(seeds)) * len(classes)):
        _add_counts(result, names, units_by_seed, (units, number), only)
    if only is None and evidence.probabilities:
        _add_means(result, units_by_seed, (units, number), top_k)
    return result


def _batches(names: tuple[str, ...], numbers_of_one: int) -> list[tuple[str, ...]]:
    """Candidates whose sums fit into memory together."""
    step = max(1, (_SUMS // max(1, numbers_of_one) - 1) // 2)
    return [names[first : first + step] for first in range(0, len(names), step)]


def _add_counts(
    result: Resampled,
    names: tuple[str, ...],
    unit_of: dict[int, IntArray],
    size: tuple[int, int],
    only: Sequence[str] | None,
) -> None:
    """Add the metrics that need labels and predictions."""
    units, resamples = size
    n_classes = len(result.classes)
    blocks = []
    for seed in result.seeds:
        part = result._parts[seed]
        blocks.append(
            count_columns(part.labels, [part.predictions[name] for name in names], n_classes, unit_of[seed], units)
        )
    if not blocks:
        return
    sums = resample_sums(draw_units(units, resamples, result.seed), sparse.hstack(blocks, format="csr"), resamples)
    width = blocks[0].shape[1]
    for at, seed in enumerate(result.seeds):
        for place, name in enumerate(names):
            part = result._parts[seed]
            point = count(part.labels, part.predictions[name], n_classes)
            result._counts[name, seed] = point
            _add_scores(
                result, (name, seed), point, counts_at(sums[:, at * width : (at + 1) * width], place, n_classes), only
            )


def _add_scores(result: Resampled, key: Key, point: Counts, drawn: Counts, only: Sequence[str] | None) -> None:
    """Score one candidate and seed, and all its resamples."""
    for metric in only or COUNT_METRICS:
        score = count_metric(metric)
        result._add(metric, key, float(score(point)), score(drawn))
    if only is None:
        kept = max(_FEWEST_KEPT, _CLASS_SCORES // len(result.classes))
        of_class, of_class_drawn = (
            class_f1_of(point),
            class_f1_of(Counts(*(one[:kept] for one in drawn))).astype(np.float32),
        )
        for place, name in enumerate(result.classes):
            result._add(f"f1:{name}", key, float(of_class[place]), np.ascontiguousarray(of_class_drawn[:, place]))


def _add_means(result: Resampled, unit_of: dict[int, IntArray], size: tuple[int, int], top_k: int | None) -> None:
    """Add log loss and top-k accuracy, means of one number for each row, in double precision."""
    units, resamples = size
    columns: list[Float64Array] = []
    keys: list[tuple[str, Key]] = []
    for seed in result.seeds:
        part = result._parts[seed]
        keys.append(("rows", ("", seed)))
        columns.append(np.bincount(unit_of[seed], minlength=units).astype(np.float64))
        for name, probabilities in part.probabilities.items():
            found = {"log_loss": row_log_loss(part.labels, probabilities)}
            if top_k is not None:
                found[f"top_{top_k}_accuracy"] = row_top_k(part.labels, probabilities, top_k).astype(np.float64)
            for metric, values in found.items():
                keys.append((metric, (name, seed)))
                columns.append(np.bincount(unit_of[seed], weights=values, minlength=units).astype(np.float64))
    sums = resample_sums(draw_units(units, resamples, result.seed), np.stack(columns, axis=1), resamples)
    rows = {key[1]: at for at, (metric, key) in enumerate(keys) if metric == "rows"}
    for at, (metric, key) in enumerate(keys):
        if metric != "rows":
            below = sums[:, rows[key[1]]]
            scores = np.divide(sums[:, at], below, out=np.full(resamples, np.nan), where=below > 0)
            result._add(metric, key, float(columns[at].sum() / columns[rows[key[1]]].sum()), scores)
