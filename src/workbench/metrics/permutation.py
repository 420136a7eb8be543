"""The paired permutation test: if it made no difference which of two classifiers said what, how odd is this difference?

Under “no difference” the two answers to a row may be swapped; where rows share groups, those of a whole group at once.
The share of swapped tables whose difference is at least as large is the p (Fisher, 1935; Edgington, 1964), with one
added on both sides, so that it is never 0 and the test never errs more often than it says (Phipson and Smyth, 2010).
Needs no assumption about the metric. Says nothing of how large a difference is; the bootstrap does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from workbench.metrics.bootstrap import count_columns, counts_at
from workbench.metrics.scores import Counts, Float64Array, FloatArray, IntArray, check_classes, count_metric

_SWAPS = 8_000_000
"""Swaps held at a time (32 MB in single precision)."""


def permutation_metric(
    metric: str,
    labels: IntArray,
    predictions_a: IntArray,
    predictions_b: IntArray,
    n_classes: int,
    *,
    groups: npt.NDArray[Any] | None = None,
    permutations: int = 10_000,
    seed: int = 0,
) -> float:
    """Test the difference of two classifiers in a score of labels and predictions.

    Args:
        metric: One of COUNT_METRICS.
        labels: True classes (rows,), at least one row.
        predictions_a: Predicted classes of the first (rows,).
        predictions_b: Predicted classes of the second (rows,).
        n_classes: Number of classes.
        groups: The group of each row, or None.
        permutations: Number of swapped tables.
        seed: Seed of the swaps.

    Returns:
        Two-sided p, 1 where no prediction differs.

    Raises:
        ValueError: If the metric is not known, the arrays do not fit, or there are no rows.
    """
    score = count_metric(metric)
    check_classes(labels, predictions_a, n_classes)
    check_classes(labels, predictions_b, n_classes)
    unit_of, units = _units(len(labels), groups)
    columns = count_columns(labels, [predictions_a, predictions_b], n_classes, unit_of, units)
    total = np.asarray(columns.sum(axis=0), dtype=np.float64).ravel()
    own, other = columns[:, n_classes : 3 * n_classes], columns[:, 3 * n_classes :]
    gained = sparse.csr_matrix(other - own)
    gained.eliminate_zeros()
    change: FloatArray = gained[np.diff(gained.indptr) > 0].toarray()
    first, second = counts_at(total, 0, n_classes), counts_at(total, 1, n_classes)
    observed = float(score(first) - score(second))
    reached = 0
    for swaps in _swaps(len(change), permutations, seed):
        moved = (swaps @ change).astype(np.float64)
        hits, predicted = moved[:, :n_classes], moved[:, n_classes:]
        gap = score(_moved(first, hits, predicted)) - score(_moved(second, -hits, -predicted))
        reached += _as_far(gap, observed)
    return (reached + 1) / (permutations + 1)


def permutation_mean(
    first: FloatArray,
    second: FloatArray,
    *,
    groups: npt.NDArray[Any] | None = None,
    permutations: int = 10_000,
    seed: int = 0,
) -> float:
    """Test the difference of two means of one number a row: log losses, flips, sizes of sets.

    Args:
        first: A number of each row (rows,), finite, at least one row.
        second: The other's number of the same row (rows,).
        groups: The group of each row, or None.
        permutations: Number of swapped tables.
        seed: Seed of the swaps.

    Returns:
        Two-sided p, 1 where no row differs.

    Raises:
        ValueError: If the arrays do not fit, hold something that is not finite, or there are no rows.
    """
    gaps = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    if gaps.ndim != 1 or not np.isfinite(gaps).all():
        raise ValueError("first and second must be one column of finite numbers each")
    unit_of, units = _units(len(gaps), groups)
    by_unit = np.bincount(unit_of, weights=gaps, minlength=units)
    by_unit = by_unit[by_unit != 0]
    reached = 0
    for swaps in _swaps(len(by_unit), permutations, seed):
        reached += _as_far(by_unit.sum() - 2 * (swaps.astype(np.float64) @ by_unit), float(by_unit.sum()))
    return (reached + 1) / (permutations + 1)


def permutation_test(
    statistic: Callable[[npt.NDArray[Any]], float],
    first: npt.NDArray[Any],
    second: npt.NDArray[Any],
    *,
    groups: npt.NDArray[Any] | None = None,
    permutations: int = 1_000,
    seed: int = 0,
) -> float:
    """Test the difference of two in any statistic at all; one call of it for each swapped table and side.

    Args:
        statistic: From what is known of the rows (rows, …) to a finite number.
        first: What is known of the rows for the first (rows, …), at least one row.
        second: The same of the same rows for the second, of the same shape.
        groups: The group of each row, or None.
        permutations: Number of swapped tables.
        seed: Seed of the swaps.

    Returns:
        Two-sided p.

    Raises:
        ValueError: If the arrays do not fit or there are no rows.
    """
    if first.shape != second.shape:
        raise ValueError(f"first {first.shape} and second {second.shape} must be of one shape")
    unit_of, units = _units(len(first), groups)
    observed = statistic(first) - statistic(second)
    gaps = []
    for swaps in _swaps(units, permutations, seed):
        for swap in swaps[:, unit_of] > 0:
            shaped = swap.reshape(-1, *[1] * (first.ndim - 1))
            gaps.append(statistic(np.where(shaped, second, first)) - statistic(np.where(shaped, first, second)))
    return (_as_far(np.asarray(gaps, dtype=np.float64), observed) + 1) / (permutations + 1)


def _units(rows: int, groups: npt.NDArray[Any] | None) -> tuple[IntArray, int]:
    """The unit of each row, and their number."""
    if rows == 0:
        raise ValueError("no rows: there is nothing to swap")
    if groups is None:
        return np.arange(rows), rows
    if len(groups) != rows:
        raise ValueError(f"{len(groups)} groups do not fit {rows} rows")
    names, unit_of = np.unique(groups, return_inverse=True)
    return unit_of, len(names)


def _swaps(units: int, permutations: int, seed: int) -> Iterator[npt.NDArray[np.float32]]:
    """Which units are swapped, (piece, units) of 0 and 1, each with equal chance."""
    generator = np.random.default_rng(seed)
    step = max(1, min(permutations, _SWAPS // max(1, units)))
    for start in range(0, permutations, step):
        shape = (min(step, permutations - start), units)
        bits = generator.integers(0, 256, size=(shape[0], -(-units // 8)), dtype=np.uint8)
        yield np.unpackbits(bits, axis=1, count=units).astype(np.float32)


def _moved(counts: Counts, hits: Float64Array, predicted: Float64Array) -> Counts:
    """Counts after a swap."""
    labelled = np.broadcast_to(counts.labelled, hits.shape)
    return Counts(counts.hits + hits, labelled, counts.predicted + predicted)


def _as_far(gaps: Float64Array, observed: float) -> int:
    """How many differences are at least as large, rounding put aside."""
    return int((np.abs(gaps) >= abs(observed) - 1e-12).sum())
