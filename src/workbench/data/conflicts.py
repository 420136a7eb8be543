"""The same text, or nearly the same words, under different labels: at least one of the two labels is in doubt.

Candidates come from the MinHash bands of ``duplicates`` and are checked against the true similarity. A row is
compared with the first and the previous row of each of its bands, so every row that differs from the first of its
band is found, in work that grows with the number of rows and not with that of pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.data.duplicates import alike, band_keys, batched, jaccard, within
from workbench.data.table import Labels, Rows
from workbench.data.words import text_keys, word_sets


@dataclass(frozen=True)
class Conflicts:
    """Pairs of rows that are alike and labelled otherwise, the most similar first.

    Attributes:
        first: Place of the earlier row of each pair, shape ``(pairs,)``.
        second: Place of the later one.
        similarity: Jaccard similarity of their sets of words, 1 for the same text.
        same_text: Whether the normalised texts are equal.
    """

    first: Rows
    second: Rows
    similarity: npt.NDArray[np.float64]
    same_text: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.first)


def conflicts(texts: pa.Array, labels: Labels, threshold: float) -> Conflicts:
    """Find pairs of alike texts whose labels differ.

    Args:
        texts: ``large_string`` array of ``n`` labelled texts.
        labels: Their classes, shape ``(n,)``.
        threshold: Jaccard similarity of sets of words from which two texts are near-duplicates, .5 to 1.

    Returns:
        Each pair once.
    """
    sets, keys, rows = word_sets(texts), text_keys(texts), np.arange(len(texts), dtype=np.int64)
    found = [np.zeros((0, 2), dtype=np.int64), _same_texts(keys, labels)]
    for batch in batched(within(band_keys(sets, threshold), rows)):
        later, earlier = np.divmod(batch, max(1, len(rows)))
        differ = labels[later] != labels[earlier]
        later, earlier = later[differ], earlier[differ]
        near = alike(sets, later, earlier, threshold)
        found.append(np.stack([np.minimum(later, earlier)[near], np.maximum(later, earlier)[near]], axis=1))
    pairs = np.unique(np.concatenate(found), axis=0)
    first, second = pairs[:, 0], pairs[:, 1]
    same = keys[first] == keys[second]
    similarity = np.where(same, 1.0, jaccard(sets, first, second))
    order = np.lexsort((first, ~same, -similarity))
    return Conflicts(first[order], second[order], similarity[order], same[order])


def _same_texts(keys: Rows, labels: Labels) -> Rows:
    """Rows with the text of an earlier row and another label than the first row of that text, shape ``(pairs, 2)``."""
    _, first, places = np.unique(keys, return_index=True, return_inverse=True)
    heads = first[places]
    later = np.flatnonzero((labels != labels[heads]) & (keys >= 0))
    return np.stack([heads[later], later], axis=1).astype(np.int64)
