"""``linear``: hashed runs of bytes and a linear layer. Megabytes small, and the fastest kind there is here.

A text's features are the places of its runs of bytes (``hashing``), each weighted by how rare it was in training
(idf) and scaled to length 1. Weights are kept as float16 and used as such from the moment they are trained, so that a
saved candidate gives the very same probabilities.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import storage
from workbench.errors import ModelError
from workbench.models import linear_reader
from workbench.models.candidate import Floats, Texts
from workbench.models.card import read_card, write_card
from workbench.models.hashing import as_column, hashed

CHUNK = 4096
WORKERS = 2
LEAST_NORM = 1e-6


class LinearCandidate:
    """A linear layer over hashed runs of bytes.

    Attributes:
        classes: Names of the classes.
        ngrams: Shortest and longest run.
        table: Shape ``(buckets, classes + 1)``, float16: weights times idf, and in the last column idf squared.
        bias: Shape ``(classes,)``, float32.
    """

    kind = "linear"

    def __init__(
        self, classes: tuple[str, ...], ngrams: tuple[int, int], table: npt.NDArray[np.float16], bias: Floats
    ) -> None:
        """Put the parts together.

        Raises:
            ModelError: Their shapes do not fit each other.
        """
        rows, width = table.shape
        if width != len(classes) + 1 or bias.shape != (len(classes),) or rows < 2 or rows & (rows - 1):
            raise ModelError(
                f"The weights of a linear candidate have shapes {table.shape} and {bias.shape}.",
                f"(a power of two, {len(classes) + 1}) and ({len(classes)},) for {len(classes)} classes.",
                "Restore the folder from a copy, or run again.",
            )
        self.classes = classes
        self.ngrams = ngrams
        self.table = table
        self.bias = bias
        self._wide = table.astype(np.float32)

    @property
    def buckets(self) -> int:
        """Number of places that runs are hashed to."""
        return len(self.table)

    @property
    def size_mb(self) -> float:
        """Size of the weights, in MB of 1,000,000 bytes."""
        return (self.table.nbytes + self.bias.nbytes) / 1e6

    def logits(self, texts: Texts) -> Floats:
        """Logits of texts, shape ``(rows, classes)``."""
        column = as_column(texts)
        if len(column) <= CHUNK:
            return self._chunk(column)
        pieces = [column.slice(start, CHUNK) for start in range(0, len(column), CHUNK)]
        with ThreadPoolExecutor(WORKERS) as pool:
            return np.concatenate(list(pool.map(self._chunk, pieces)))

    def _chunk(self, column: pa.Array) -> Floats:
        import scipy.sparse

        runs, offsets = hashed(column, *self.ngrams, self.buckets)
        ones = np.ones(len(runs), dtype=np.float32)
        counts = scipy.sparse.csr_matrix((ones, runs, offsets), shape=(len(column), self.buckets))
        sums = counts @ self._wide
        norms = np.maximum(np.sqrt(sums[:, -1:]), np.float32(LEAST_NORM))
        logits: Floats = (sums[:, :-1] / norms + self.bias).astype(np.float32, copy=False)
        return logits

    def predict_proba(self, texts: Texts) -> Floats:
        """Probabilities of texts, shape ``(rows, classes)``."""
        if not len(texts):
            return np.zeros((0, len(self.classes)), dtype=np.float32)
        powers = self.logits(texts)
        powers -= powers.max(axis=1, keepdims=True)
        np.exp(powers, out=powers)
        powers /= powers.sum(axis=1, keepdims=True)
        return powers

    def scaled(self, temperature: float) -> LinearCandidate:
        """The same candidate with every logit divided by a calibration temperature above 0."""
        table = self._wide.copy()
        table[:, :-1] /= np.float32(temperature)
        bias = (self.bias / np.float32(temperature)).astype(np.float32)
        return LinearCandidate(self.classes, self.ngrams, table.astype(np.float16), bias)

    def save(self, folder: Path) -> None:
        """Save weights, ``candidate.json`` and ``reader.py``, which needs NumPy alone."""
        storage.write_tensors(folder / "model.safetensors", {"table": self.table, "bias": self.bias})
        storage.write_text(folder / "reader.py", Path(linear_reader.__file__).read_text(encoding="utf-8"))
        write_card(folder, self.kind, self.classes, ngrams=list(self.ngrams), buckets=self.buckets)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load from a folder.

        Raises:
            ModelError: It holds no linear candidate, or its weights do not fit.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        card = read_card(folder)
        try:
            tensors = load_file(folder / "model.safetensors")
            low, high = (int(length) for length in card["ngrams"])
            table, bias = tensors["table"], tensors["bias"]
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{folder} holds no whole linear candidate: {type(error).__name__}: {error}",
                "model.safetensors with table and bias, and ngrams in candidate.json, as `save` writes them.",
                "Restore the folder from a copy, or run again.",
            ) from error
        return cls(tuple(card["classes"]), (low, high), table, bias)
