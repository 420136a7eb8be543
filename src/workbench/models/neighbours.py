"""The nearest of known texts, by the spelling that a linear candidate reads: no model is asked and nothing is learned.

Texts are compared as the candidate sees them, as runs of bytes weighted by how rare they were in training. It shows
what a text resembles in spelling, not in meaning, and not why a model decides.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.models.candidate import Texts
from workbench.models.hashing import as_column, hashed
from workbench.models.linear import CHUNK, LEAST_NORM, LinearCandidate

MOST_CHARACTERS = 2_000


class Neighbours:
    """Known texts, ready to be compared with.

    Attributes:
        matrix: A row of unit length for each known text, shape ``(texts, buckets)``, sparse.
    """

    def __init__(self, candidate: LinearCandidate, texts: Texts) -> None:
        """Turn the known texts into rows; some ten thousand short ones take a second.

        Args:
            candidate: Whose runs of bytes and weights are used.
            texts: The known ones; of each the first 2,000 characters are compared.
        """
        from scipy.sparse import vstack

        self._candidate = candidate
        self._weights = np.sqrt(candidate.table[:, -1].astype(np.float32))
        column = as_column(texts)
        pieces = [self._rows(column.slice(at, CHUNK)) for at in range(0, max(len(column), 1), CHUNK)]
        self.matrix = vstack(pieces, format="csr")

    def nearest(self, text: str, most: int = 5) -> list[tuple[int, float]]:
        """The most similar known texts.

        Args:
            text: Any text.
            most: How many at most.

        Returns:
            Place of each among the known texts and its cosine similarity, above 0 to 1, the most similar first.
        """
        found = np.asarray((self.matrix @ self._rows(as_column([text])).T).todense()).ravel()
        best = np.argsort(-found, kind="stable")[:most]
        return [(int(place), min(1.0, float(found[place]))) for place in best if found[place] > 0]

    def _rows(self, column: pa.Array) -> Any:
        """Rows of unit length, shape ``(texts, buckets)``; a text without runs has a row of zeros."""
        from scipy.sparse import csr_matrix, diags

        short = pc.utf8_slice_codeunits(column, 0, MOST_CHARACTERS)
        runs, offsets = hashed(short, *self._candidate.ngrams, self._candidate.buckets)
        counts = csr_matrix(
            (self._weights[runs], runs, offsets), shape=(len(column), self._candidate.buckets), dtype=np.float32
        )
        counts.sum_duplicates()
        norms = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
        return diags(1 / np.maximum(norms, LEAST_NORM)) @ counts
