"""Which two classes are taken for each other more often than wrong answers by chance.

By chance means: as often as rows are wrong at all, each wrong answer going to another class as often as wrong answers
go there in general. A pair above that is ambiguous: for the model, and perhaps for who labelled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.metrics.confident_learning import Labels
from workbench.metrics.intervals import Interval
from workbench.metrics.kappa import Groups, share_interval
from workbench.metrics.multiple import holm

Counts = npt.NDArray[np.int64]
MOST = 30
ALPHA = 0.05


@dataclass(frozen=True)
class Pair:
    """Two classes and how often one is taken for the other.

    Attributes:
        classes: Their numbers, the smaller one first.
        count: Rows of either that are called the other.
        expected: Such rows by chance.
        share: Share of both classes' rows, with its interval.
        p: Chance of so many or more by chance (one-sided).
        p_holm: Adjusted for all pairs of classes.
    """

    classes: tuple[int, int]
    count: int
    expected: float
    share: Interval
    p: float
    p_holm: float


def confused_pairs(labels: Labels, said: Labels, n_classes: int, groups: Groups | None = None) -> list[Pair]:
    """Pairs of classes by how surprising their confusion is.

    By chance a cell of wrong answers is the product of what its row and its column tend to (quasi-independence without
    the diagonal, Goodman 1968); the sum of both cells is compared with Poisson's distribution. The most surprising
    pair is taken out of the fit before the others are judged again, so that one pair does not accuse others. Where rows
    share groups, counts are scaled to the number of groups for the test.

    Args:
        labels: Given classes, shape ``(rows,)``.
        said: Classes that a model which never saw the rows gives, shape ``(rows,)``.
        n_classes: Number of classes.
        groups: The group of each row, or ``None``.

    Returns:
        At most 30 pairs that are confused at all, the most surprising first.
    """
    flat = np.bincount(np.asarray(labels) * n_classes + said, minlength=n_classes * n_classes)
    table = flat.reshape(n_classes, n_classes).astype(np.int64)
    np.fill_diagonal(table, 0)
    weight = 1.0 if groups is None or not len(labels) else len(np.unique(groups)) / len(labels)
    upper = [(one, other) for one in range(n_classes) for other in range(one + 1, n_classes)]
    open_cells = ~np.eye(n_classes, dtype=bool)
    while True:
        fitted = _by_chance(table, open_cells)
        tested = [_chance(table, fitted, pair, weight) for pair in upper]
        adjusted = holm([p for _, p in tested])
        found_now = [at for at, pair in enumerate(upper) if adjusted[at] < ALPHA and open_cells[pair]]
        if not found_now:
            break
        one, other = upper[min(found_now, key=lambda at: tested[at][1])]
        open_cells[one, other] = open_cells[other, one] = False
    order = sorted(range(len(upper)), key=lambda place: (tested[place][1], -_both(table, *upper[place]), upper[place]))
    found = []
    for place in order[:MOST]:
        one, other = upper[place]
        if _both(table, one, other):
            rows = (labels == one) | (labels == other)
            hits = ((labels == one) & (said == other)) | ((labels == other) & (said == one))
            share = share_interval(hits[rows], groups=None if groups is None else groups[rows])
            expected, p = tested[place]
            found.append(Pair((one, other), _both(table, one, other), expected, share, p, adjusted[place]))
    return found


def _both(table: Counts, one: int, other: int) -> int:
    """Rows of either class called the other."""
    return int(table[one, other] + table[other, one])


def _by_chance(table: Counts, open_cells: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Expected counts of every cell, fitted to the open ones by iterated scaling, shape ``(classes, classes)``."""
    seen = np.where(open_cells, table, 0).astype(np.float64)
    rows, columns = np.ones(len(table)), np.ones(len(table))
    for _ in range(100):
        rows = seen.sum(axis=1) / np.maximum(open_cells @ columns, 1e-12)
        columns = seen.sum(axis=0) / np.maximum(open_cells.T @ rows, 1e-12)
    found: npt.NDArray[np.float64] = np.outer(rows, columns)
    return found


def _chance(
    table: Counts, fitted: npt.NDArray[np.float64], pair: tuple[int, int], weight: float
) -> tuple[float, float]:
    """Expected number by chance, and the chance of at least the number found."""
    from scipy.stats import poisson

    expected, count = float(fitted[pair] + fitted[pair[::-1]]), _both(table, *pair)
    least = int(np.ceil(count * weight - 1e-9))
    return expected, float(poisson.sf(least - 1, expected * weight)) if least else 1.0
