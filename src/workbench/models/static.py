"""The candidate kind ``static``: averaged token embeddings and a linear layer, in Model2Vec's format.

A prediction is a table look-up, a mean and a small product: no encoder, no torch. The table is kept as 8-bit whole
numbers; since each text's vector is scaled to length 1, their common scale drops out. The folder loads with
``model2vec.StaticModel.from_pretrained`` and ``model2vec.inference.StaticModelPipeline.from_pretrained``, and nothing
of ours.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from workbench import storage
from workbench.models.candidate import softmax
from workbench.models.card import read_card, write_card
from workbench.models.head import HEAD_FILE, MB, Head
from workbench.models.static_text import CHUNK, MAX_TOKENS, StaticTokenizer
from workbench.models.tokens import Texts

Floats = npt.NDArray[np.float32]
Table = npt.NDArray[np.int8]

FEW_ROWS = 4096


class StaticCandidate:
    """Averaged token embeddings with a linear head."""

    kind = "static"

    def __init__(self, tokenizer: StaticTokenizer, table: Table, head: Head, classes: tuple[str, ...]) -> None:
        """Put the parts together.

        Args:
            tokenizer: Its ids are rows of the table.
            table: Token embeddings up to a common scale, shape ``(vocabulary, dimensions)``.
            head: The layer over unit vectors.
            classes: Names of the classes, in the order of the head's rows.
        """
        if table.shape != (tokenizer.size, head.weight.shape[1]) or len(head.weight) != len(classes):
            raise ValueError(f"table {table.shape}, head {head.weight.shape}, {len(classes)} classes do not fit")
        self.tokenizer = tokenizer
        self.table = table
        self.head = head
        self.classes = tuple(classes)
        self._wide: Floats = table.astype(np.float32)

    @property
    def size_mb(self) -> float:
        """Size of all that a prediction needs, in MB of 1,000,000 bytes: table, tokenizer, head."""
        head = self.head.weight.nbytes + self.head.bias.nbytes
        return (self.table.nbytes + len(self.tokenizer.json.encode()) + head) / MB

    def logits(self, texts: Texts) -> Floats:
        """Logits of texts, shape ``(rows, classes)``; a text without a known token gets the bias."""
        rows = len(texts)
        if rows <= FEW_ROWS:
            return self._chunk(texts)
        workers = os.cpu_count() or 1
        size = min(CHUNK, -(-rows // workers))
        with ThreadPoolExecutor(workers) as pool:
            return np.concatenate(list(pool.map(self._chunk, [texts[at : at + size] for at in range(0, rows, size)])))

    def _chunk(self, texts: Texts) -> Floats:
        return self.head.logits(unit_means(self._wide, *self.tokenizer.read(texts)))

    def predict_proba(self, texts: Texts) -> Floats:
        """Calibrated probabilities of texts, shape ``(rows, classes)``."""
        logits = self.logits(texts)
        return softmax(logits)

    def scaled(self, temperature: float) -> StaticCandidate:
        """The same candidate with every logit divided by a temperature above 0."""
        return StaticCandidate(self.tokenizer, self.table, self.head.scaled(temperature), self.classes)

    def save(self, folder: Path) -> None:
        """Save into a folder that model2vec reads: table, head, tokenizer, configuration."""
        storage.make_folder(folder)
        storage.write_tensors(folder / "model.safetensors", {"embeddings": self.table})
        storage.write_tensors(folder / HEAD_FILE, {"head.0.weight": self.head.weight, "head.0.bias": self.head.bias})
        storage.write_text(folder / "tokenizer.json", self.tokenizer.json)
        storage.write_json(folder / "config.json", self._config())
        write_card(folder, self.kind, self.classes)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load from a folder.

        Args:
            folder: What :meth:`save` wrote.

        Raises:
            ModelError: The folder holds no candidate.
            MissingExtraError: ``tokenizers`` is not installed.
        """
        from safetensors.numpy import load_file

        card = read_card(folder)
        head = load_file(folder / HEAD_FILE)
        table = load_file(folder / "model.safetensors")["embeddings"]
        tokenizer = StaticTokenizer((folder / "tokenizer.json").read_text(encoding="utf-8"))
        return cls(tokenizer, table, Head(head["head.0.weight"], head["head.0.bias"]), tuple(card["classes"]))

    def _config(self) -> dict[str, Any]:
        return {
            "model_type": "model2vec",
            "architectures": ["StaticModel"],
            "hidden_dim": self.table.shape[1],
            "seq_length": 1_000_000,
            "normalize": True,
            "max_length": MAX_TOKENS,
            "pooling": "mean",
            "embedding_dtype": "int8",
            "head_config": {"n_layers": 1, "activation": "softmax", "classes": list(self.classes)},
        }


def quantise(vectors: Floats) -> Table:
    """Vectors as 8-bit whole numbers with one scale for all; the largest .01 % of values are clipped.

    Args:
        vectors: Shape ``(vocabulary, dimensions)``.
    """
    largest = float(np.quantile(np.abs(vectors), 0.9999)) or 1.0
    table: Table = np.clip(np.rint(vectors / (largest / 127)), -127, 127).astype(np.int8)
    return table


def unit_means(table: Floats, ids: npt.NDArray[np.int32], counts: npt.NDArray[np.int64]) -> Floats:
    """Mean of each text's token vectors, scaled to length 1; zeros for a text without tokens.

    Args:
        table: Shape ``(vocabulary, dimensions)``.
        ids: Tokens of all texts one after another, shape ``(total,)``.
        counts: Tokens of each text, shape ``(rows,)``.

    Returns:
        Shape ``(rows, dimensions)``.
    """
    from scipy.sparse import csr_array

    offsets = np.concatenate([[0], np.cumsum(counts)])
    ones = np.ones(len(ids), dtype=np.float32)
    sums = csr_array((ones, ids, offsets), shape=(len(counts), len(table))) @ table
    means: Floats = sums / (np.linalg.norm(sums, axis=1, keepdims=True) + np.float32(1e-32))
    return means
