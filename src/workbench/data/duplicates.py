"""Near-duplicates: texts whose sets of words have a Jaccard similarity at or above a threshold.

Candidates come from MinHash signatures cut into bands (Broder 1997; Leskovec, Rajaraman and Ullman, *Mining of Massive
Datasets*, chapter 3), computed for all rows at once; each candidate pair is then checked against the true similarity,
so nothing is called a near-duplicate that is none. At the threshold itself a pair is found with a probability of .998.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from workbench.data.roles import Mask
from workbench.data.table import Rows
from workbench.data.words import CHUNK, Hashes, WordSets, gathered, mixed

Pairs = npt.NDArray[np.int64]
PERMUTATIONS = 128
RECALL = 0.998
MOST_PARTNERS = 64
PAIRS_AT_ONCE = 200_000
SEED = 20_261_122


def bands(threshold: float) -> tuple[int, int]:
    """How many bands of how many rows a signature is cut into.

    The longest bands (at most 10 rows, at most 128 permutations) that find a pair at the threshold with .998.

    Args:
        threshold: Jaccard similarity, .5 to 1.

    Returns:
        Number of bands, rows of a band.
    """
    for rows in range(10, 1, -1):
        count = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** count >= RECALL:
            return count, rows
    return PERMUTATIONS // 2, 2


def band_keys(sets: WordSets, threshold: float) -> Hashes:
    """One key for each band of each text: equal keys make two texts candidates.

    Args:
        sets: Words of ``n`` texts.
        threshold: Jaccard similarity to be found.

    Returns:
        Keys, shape ``(bands, n)``; a text without words has a key that no other has.
    """
    count, rows = bands(threshold)
    stream = np.random.PCG64(SEED)
    factors = np.asarray(stream.random_raw(count * rows), dtype=np.uint64) | np.uint64(1)
    terms = np.asarray(stream.random_raw(count * rows), dtype=np.uint64)
    total = len(sets.sizes)
    keys = np.tile(mixed(np.arange(1, total + 1, dtype=np.uint64)), (count, 1))
    for start in range(0, total, CHUNK):
        there = start + np.flatnonzero(sets.sizes[start : start + CHUNK])
        if len(there) == 0:
            continue
        words = mixed(sets.words[sets.offsets[start] : sets.offsets[min(start + CHUNK, total)]].astype(np.uint64))
        starts = sets.offsets[there] - sets.offsets[start]
        for band in range(count):
            key = np.full(len(there), band, dtype=np.uint64)
            for row in range(band * rows, (band + 1) * rows):
                key = mixed(key ^ np.minimum.reduceat((words * factors[row] + terms[row]) >> np.uint64(16), starts))
            keys[band, there] = key
    return keys


def jaccard(sets: WordSets, left: Rows, right: Rows) -> npt.NDArray[np.float64]:
    """True similarity of pairs of texts: words in both divided by words in either.

    Args:
        sets: Words of the texts.
        left: One text of each pair, shape ``(p,)``.
        right: The other one, shape ``(p,)``.

    Returns:
        Similarities, shape ``(p,)``; 0 for two texts without words.
    """
    similar = np.zeros(len(left))
    for start in range(0, len(left), PAIRS_AT_ONCE):
        one, other = left[start : start + PAIRS_AT_ONCE], right[start : start + PAIRS_AT_ONCE]
        found = []
        for rows in (one, other):
            words, owners = gathered(sets, rows)
            found.append((owners.astype(np.uint64) << np.uint64(32)) | words)
        both = np.sort(np.concatenate(found))
        shared = both[1:][both[1:] == both[:-1]] >> np.uint64(32)
        common = np.bincount(shared.astype(np.int64), minlength=len(one))
        either = sets.sizes[one] + sets.sizes[other] - common
        similar[start : start + PAIRS_AT_ONCE] = common / np.maximum(either, 1)
    return similar


def near_rows(sets: WordSets, keys: Hashes, learn: Rows, test: Rows, threshold: float) -> Mask:
    """Which rows to learn from are near-duplicates of a test row.

    Of test rows with one band key at most 64 are compared with a row: that many alike are nearly the same text.

    Args:
        sets: Words of all texts.
        keys: Band keys of all texts, shape ``(bands, n)``.
        learn: Row numbers, shape ``(l,)``.
        test: Row numbers, shape ``(t,)``.
        threshold: Jaccard similarity from which two texts are near-duplicates.

    Returns:
        Mask of shape ``(l,)``.
    """
    near = np.zeros(len(learn), dtype=bool)
    if len(learn) == 0 or len(test) == 0:
        return near
    for batch in batched(across(keys, learn, test)):
        mine, theirs = np.divmod(batch, len(test))
        mine, theirs = mine[~near[mine]], theirs[~near[mine]]
        near[mine[alike(sets, learn[mine], test[theirs], threshold)]] = True
    return near


def repeated_rows(sets: WordSets, keys: Hashes, rows: Rows, threshold: float) -> Mask:
    """Which rows are near-duplicates of an earlier one among them.

    Each row is compared with the first and the previous one of its bands, which keeps the work linear.

    Returns:
        Mask of shape ``(len(rows),)``.
    """
    near = np.zeros(len(rows), dtype=bool)
    for batch in batched(within(keys, rows)):
        later, earlier = np.divmod(batch, max(1, len(rows)))
        later, earlier = later[~near[later]], earlier[~near[later]]
        near[later[alike(sets, rows[later], rows[earlier], threshold)]] = True
    return near


def alike(sets: WordSets, left: Rows, right: Rows, threshold: float) -> Mask:
    """Which pairs reach the threshold; those whose sizes rule it out are not compared."""
    small, large = np.minimum(sets.sizes[left], sets.sizes[right]), np.maximum(sets.sizes[left], sets.sizes[right])
    possible = np.flatnonzero((small >= threshold * large - 1e-9) & (small > 0))
    found = np.zeros(len(left), dtype=bool)
    found[possible] = jaccard(sets, left[possible], right[possible]) >= threshold - 1e-9
    return found


def across(keys: Hashes, learn: Rows, test: Rows) -> Iterator[Pairs]:
    """Candidate pairs of each band as ``place in learn * len(test) + place in test``."""
    for band in keys:
        order = np.argsort(band[test], kind="stable")
        ordered = band[test][order]
        mine = band[learn]
        first = np.searchsorted(ordered, mine, side="left")
        count = np.minimum(np.searchsorted(ordered, mine, side="right") - first, MOST_PARTNERS)
        owners = np.repeat(np.arange(len(learn)), count)
        ends = np.cumsum(count)
        places = np.repeat(first, count) + np.arange(len(owners)) - np.repeat(ends - count, count)
        yield owners * len(test) + order[places]


def within(keys: Hashes, rows: Rows) -> Iterator[Pairs]:
    """Candidate pairs of each band as ``later place * len(rows) + earlier place``."""
    for band in keys:
        mine = band[rows]
        order = np.argsort(mine, kind="stable")
        same = np.r_[False, mine[order][1:] == mine[order][:-1]] if len(rows) else np.empty(0, dtype=bool)
        heads = np.maximum.accumulate(np.where(same, 0, np.arange(len(rows))))
        members = np.flatnonzero(same)
        later = np.concatenate([order[members], order[members]])
        earlier = np.concatenate([order[heads[members]], order[members - 1]])
        yield later * len(rows) + earlier


def batched(bands_of_pairs: Iterator[Pairs]) -> Iterator[Pairs]:
    """Distinct pairs, gathered over bands until there are enough to compare at once."""
    waiting: list[Pairs] = []
    for pairs in bands_of_pairs:
        waiting.append(pairs)
        if sum(len(one) for one in waiting) >= 5 * PAIRS_AT_ONCE:
            yield distinct(np.concatenate(waiting))
            waiting = []
    if waiting:
        yield distinct(np.concatenate(waiting))


def distinct(pairs: Pairs) -> Pairs:
    """Each pair once, ascending; sorting is several times as fast here as ``np.unique``, which hashes."""
    ordered = np.sort(pairs)
    return ordered[np.r_[True, ordered[1:] != ordered[:-1]]] if len(ordered) else ordered
