"""Random choices that come out the same on every platform.

Keys are raw 64-bit words of PCG64 (O'Neill 2014), whose stream never changes, sorted stably with the
row number as the tie-break; nothing depends on NumPy's higher sampling functions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.data.table import Rows

HELD_OUT, CAPPED, BUDGET, RESERVE, POOL = range(5)
"""What a draw is for: each purpose has a stream of its own, so that one does not shift another."""


def shuffled(items: npt.NDArray[np.int64], seed: int, purpose: int) -> npt.NDArray[np.int64]:
    """The items in random order.

    Args:
        items: Numbers, shape ``(n,)``.
        seed: Seed, 0 or more.
        purpose: One of the purposes above.

    Returns:
        The same numbers, shape ``(n,)``.
    """
    stream = np.random.PCG64(np.random.SeedSequence([seed, purpose]))
    keys = np.asarray(stream.random_raw(len(items)), dtype=np.uint64)
    return items[np.argsort(keys, kind="stable")]


def capped(rows: Rows, most: int | None, seed: int, purpose: int) -> Rows:
    """At most so many of the rows, by chance, in ascending order."""
    if most is None or len(rows) <= most:
        return np.sort(rows)
    return np.sort(shuffled(rows, seed, purpose)[:most])


def rank_in_class(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """How many earlier rows have the same label; shape ``(n,)`` like the labels."""
    order = np.argsort(labels, kind="stable")
    ordered = labels[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(labels) else np.empty(0, dtype=np.int64)
    lengths = np.diff(np.r_[starts, len(labels)])
    ranks = np.empty(len(labels), dtype=np.int64)
    ranks[order] = np.arange(len(labels)) - np.repeat(starts, lengths)
    return ranks


def shares(total: int, weights: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Divide a number in proportion to weights, by largest remainder.

    Args:
        total: Number to divide.
        weights: Non-negative weights, shape ``(k,)``.

    Returns:
        Whole numbers that add up to ``total`` (all 0 when the weights are), shape ``(k,)``.
    """
    if weights.sum() == 0:
        return np.zeros_like(weights)
    whole, remainder = np.divmod(total * weights, weights.sum())
    missing = total - int(whole.sum())
    whole[np.argsort(-remainder, kind="stable")[:missing]] += 1
    return np.asarray(whole)
