"""The vectorised bootstrap: ten thousand resamples of a score in about a second, clustered where rows share groups.

A resample is a weight for each unit: how often the group, or the row, was drawn with replacement. Scores need only
three counts a class, so a resample is one row of a matrix product (weights x counts of the units) and is exact: whole
numbers below 2^24 in single precision. Without groups equal (label, prediction) rows are merged first and drawn as
one multinomial, which is the same distribution. Work goes in pieces, below 300 MB whatever the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from workbench.metrics.intervals import Drawn, Interval, interval_of
from workbench.metrics.scores import Counts, FloatArray, IntArray, check_classes, count, count_metric

Float32Array = npt.NDArray[np.float32]
Draws = Iterator[tuple[int, Float32Array]]

_WEIGHTS = 8_000_000
"""Weights held at a time (32 MB in single precision)."""
_KEPT = 40_000_000
"""Weights of a set of draws that are kept for the next score of the same rows (40 MB as bytes; four sets)."""
_DRAWS = 1_000_000
"""Draws made at a time (three arrays of 8 MB)."""
_DENSE = 16_000_000
"""Counts made dense at a time (64 MB in single precision)."""


def draw_units(units: int, resamples: int, seed: int) -> Draws:
    """Draw every unit with equal chance, as many as there are, with replacement.

    Args:
        units: Number of units (groups, or rows), at least 1.
        resamples: Number of resamples.
        seed: Same seed, same draws, whatever is computed from them.

    Yields:
        Number of the first resample of the piece, and weights (piece, units): how often each unit was drawn.
    """
    kept = _kept_units(units, resamples, seed) if units * resamples <= _KEPT else None
    if kept is None:
        yield from _drawn_units(units, resamples, seed)
        return
    step = max(1, min(resamples, _WEIGHTS // units))
    for start in range(0, resamples, step):
        yield start, kept[start : start + step].astype(np.float32)


@lru_cache(maxsize=4)
def _kept_units(units: int, resamples: int, seed: int) -> npt.NDArray[np.uint8] | None:
    """Weights of every resample as bytes: scores of the same rows ask for them again; ``None`` if one is over 255."""
    kept = np.empty((resamples, units), dtype=np.uint8)
    for start, weights in _drawn_units(units, resamples, seed):
        if weights.max() > np.iinfo(np.uint8).max:
            return None
        kept[start : start + len(weights)] = weights
    return kept


def _drawn_units(units: int, resamples: int, seed: int) -> Draws:
    generator = np.random.default_rng(seed)
    step = max(1, min(resamples, _WEIGHTS // units))
    small = max(1, _DRAWS // units)
    for start in range(0, resamples, step):
        weights: Float32Array = np.empty((min(step, resamples - start), units), dtype=np.float32)
        for first in range(0, len(weights), small):
            part = weights[first : first + small]
            drawn = generator.integers(0, units, size=part.shape)
            drawn += np.arange(0, part.size, units)[:, None]
            part[:] = np.bincount(drawn.ravel(), minlength=part.size).reshape(part.shape)
        yield start, weights


def draw_cells(multiplicity: IntArray, resamples: int, seed: int) -> Draws:
    """Draw rows with replacement where equal rows are merged into cells.

    Args:
        multiplicity: Rows in each cell (cells,); their sum is the size of a resample.
        resamples: Number of resamples.
        seed: Same seed, same draws.

    Yields:
        Number of the first resample of the piece, and weights (piece, cells).
    """
    generator = np.random.default_rng(seed)
    total = int(multiplicity.sum())
    chances = multiplicity / total
    step = max(1, min(resamples, _DRAWS // len(multiplicity)))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        yield start, generator.multinomial(total, chances, size=size).astype(np.float32)


def resample_sums(draws: Draws, columns: sparse.csr_matrix[Any] | FloatArray, resamples: int) -> FloatArray:
    """Sum the columns of the units over every resample.

    Args:
        draws: From draw_units or draw_cells.
        columns: (units, columns), sparse or dense; the sums have its type.
        resamples: Number of resamples.

    Returns:
        Sums (resamples, columns).
    """
    units, width = columns.shape
    sums: FloatArray = np.zeros((resamples, width), dtype=columns.dtype)
    step = max(1, _DENSE // max(1, width))
    pieces = [(first, columns[first : first + step]) for first in range(0, units, step)]
    if len(pieces) == 1:
        pieces = [(0, _dense(columns))]
    for start, weights in draws:
        for first, piece in pieces:
            block = _dense(piece)
            part = weights[:, first : first + len(block)].astype(sums.dtype, copy=False)
            sums[start : start + len(weights)] += part @ block
    return sums


def _dense(columns: sparse.csr_matrix[Any] | FloatArray) -> FloatArray:
    """The same numbers as an array."""
    array: FloatArray = columns if isinstance(columns, np.ndarray) else columns.toarray()
    return array


def count_columns(
    labels: IntArray, predictions: Sequence[IntArray], n_classes: int, unit_of: IntArray, units: int
) -> sparse.csr_matrix[Any]:
    """Count labels, and hits and predictions of every classifier, unit by unit.

    Args:
        labels: True classes (rows,).
        predictions: Predicted classes, one column (rows,) for each classifier.
        n_classes: Number of classes.
        unit_of: The unit of each row (rows,), in [0, units).
        units: Number of units.

    Returns:
        Sparse float32 (units, (1 + 2 x classifiers) x classes): labels | hits, predictions | hits, predictions ...
    """
    at: list[IntArray] = [unit_of]
    column: list[IntArray] = [labels.astype(np.int64)]
    for place, predicted in enumerate(one.astype(np.int64) for one in predictions):
        right = labels == predicted
        at += [unit_of[right], unit_of]
        column += [predicted[right] + (1 + 2 * place) * n_classes, predicted + (2 + 2 * place) * n_classes]
    where = (np.concatenate(at), np.concatenate(column))
    ones = np.ones(len(where[0]), dtype=np.float32)
    shape = (units, (1 + 2 * len(predictions)) * n_classes)
    return sparse.coo_matrix((ones, where), shape=shape).tocsr()


def counts_at(sums: FloatArray, place: int, n_classes: int) -> Counts:
    """The counts of one classifier out of the sums of count_columns.

    Args:
        sums: (..., (1 + 2 x classifiers) x classes).
        place: Which classifier, from 0.
        n_classes: Number of classes.

    Returns:
        Counts with arrays (..., classes).
    """
    first = (1 + 2 * place) * n_classes
    return Counts(
        sums[..., first : first + n_classes],
        sums[..., :n_classes],
        sums[..., first + n_classes : first + 2 * n_classes],
    )


def resample_counts(
    labels: IntArray,
    predictions: Sequence[IntArray],
    n_classes: int,
    *,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> tuple[list[Counts], Drawn]:
    """Resample one table once and count for every classifier, so that they are compared on the same resamples.

    Args:
        labels: True classes (rows,), at least one row.
        predictions: Predicted classes, one column (rows,) for each classifier.
        n_classes: Number of classes.
        groups: A number or name for each row (rows,): rows that share one are drawn together. None, or groups of
            one row each, draws rows.
        resamples: Number of resamples.
        seed: Seed of the draws.

    Returns:
        Counts with arrays (resamples, classes) of each classifier, and what was drawn.
    """
    rows, unit_of = len(labels), np.arange(len(labels))
    if groups is not None:
        names, unit_of = np.unique(groups, return_inverse=True)
    clustered = groups is not None and len(names) < rows
    if clustered:
        units, draws = len(names), draw_units(len(names), resamples, seed)
    else:
        (labels, *predictions), multiplicity = merge_rows(labels, predictions, n_classes)
        units, unit_of = len(labels), np.arange(len(labels))
        draws = draw_cells(multiplicity, resamples, seed)
    sums = resample_sums(draws, count_columns(labels, predictions, n_classes, unit_of, units), resamples)
    drawn = Drawn(rows, units if clustered else rows, clustered, resamples)
    return [counts_at(sums, place, n_classes) for place in range(len(predictions))], drawn


def merge_rows(labels: IntArray, predictions: Sequence[IntArray], n_classes: int) -> tuple[list[IntArray], IntArray]:
    """Merge rows with the same label and the same predictions.

    Args:
        labels: True classes (rows,).
        predictions: Predicted classes, one column (rows,) for each classifier, at most three.
        n_classes: Number of classes, at most 55,000.

    Returns:
        The columns of the merged rows (labels first), and how many rows each stands for.
    """
    code = labels.astype(np.int64)
    for predicted in predictions:
        code = code * n_classes + predicted
    _, first, multiplicity = np.unique(code, return_index=True, return_counts=True)
    return [column[first] for column in (labels, *predictions)], multiplicity


def bootstrap_metric(
    metric: str,
    labels: IntArray,
    predictions: IntArray,
    n_classes: int,
    *,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """One score with its interval.

    Args:
        metric: One of COUNT_METRICS.
        labels: True classes (rows,).
        predictions: Predicted classes (rows,).
        n_classes: Number of classes.
        groups: The group of each row, or None; see resample_counts.
        resamples: Number of resamples.
        seed: Seed of the draws.
        confidence: Coverage of the interval.

    Returns:
        The interval by the rules of workbench.metrics.intervals; with no rows, the reason.

    Raises:
        ValueError: If the metric is not known or the arrays do not fit.
    """
    score = count_metric(metric)
    check_classes(labels, predictions, n_classes)
    if len(labels) == 0:
        return Interval(None, None, None, 0, "none", "no rows")
    point = count(labels, predictions, n_classes)
    (drawn_counts,), drawn = resample_counts(
        labels, [predictions], n_classes, groups=groups, resamples=resamples, seed=seed
    )
    drawn = replace(drawn, confidence=confidence)
    return interval_of(metric, point, float(score(point)), score(drawn_counts), drawn)
