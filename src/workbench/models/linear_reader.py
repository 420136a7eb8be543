"""Reads a linear candidate with NumPy alone, and nothing of specialist-workbench.

This file is saved beside the weights. Use it as a module (``load(folder).predict_proba(texts)``) or from a shell:
``python reader.py "some text"``.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import numpy as np

TYPES = {"F16": np.float16, "F32": np.float32}


def read_tensors(file: Path) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file: eight bytes of length, a JSON header, then the numbers."""
    raw = file.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    tensors = {}
    for name, about in header.items():
        if name != "__metadata__":
            begin, end = about["data_offsets"]
            flat = np.frombuffer(raw[8 + size + begin : 8 + size + end], dtype=TYPES[about["dtype"]])
            tensors[name] = flat.reshape(about["shape"])
    return tensors


def runs_of(text: str, low: int, high: int, buckets: int) -> np.ndarray:
    """Places of every run of bytes of one text, shape ``(runs,)``."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).lower()
    data = np.frombuffer(f" {text}{' ' * high}".encode(), dtype=np.uint8).copy()
    data[data < 32] = 32
    data[(data >= 65) & (data <= 90)] += 32
    total = len(data)
    space = data == 32
    position = np.arange(total)
    following = np.minimum.accumulate(np.where(space, position, total)[::-1])[::-1]
    reach = np.append(following[1:], total) - position
    rolling = np.zeros(total, dtype=np.uint32)
    columns, inside = [], []
    for length in range(1, high + 1):
        rolling[: total - length + 1] ^= data[length - 1 :]
        rolling *= np.uint32(0x01000193)
        rolling ^= rolling >> np.uint32(15)
        if length < low:
            continue
        fits = reach >= length - 1
        if length == 1:
            fits &= ~space
        if length == 2:
            fits &= ~(space & (reach == 1))
        columns.append(rolling * np.uint32(0x9E3779B1) + np.uint32(length))
        inside.append(fits)
    runs = np.stack(columns, axis=1)[np.stack(inside, axis=1)]
    runs ^= runs >> np.uint32(16)
    runs *= np.uint32(0x85EBCA6B)
    return (runs >> np.uint32(32 - (buckets.bit_length() - 1))).astype(np.int64)


class Linear:
    """A linear candidate: ``classes`` and ``predict_proba``."""

    def __init__(self, folder: Path) -> None:
        """Read ``candidate.json`` and ``model.safetensors`` of a folder."""
        card = json.loads((folder / "candidate.json").read_text(encoding="utf-8"))
        self.low, self.high = card["ngrams"]
        tensors = read_tensors(folder / "model.safetensors")
        self.classes = tuple(card["classes"])
        self.buckets = int(card["buckets"])
        self.table, self.bias = tensors["table"], tensors["bias"]

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        """Probabilities of texts, shape ``(rows, classes)``."""
        rows = [self._one(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, len(self.classes)), dtype=np.float32)

    def _one(self, text: str) -> np.ndarray:
        runs = runs_of(text, self.low, self.high, self.buckets)
        sums = self.table[runs].astype(np.float32).sum(axis=0)
        logits = sums[:-1] / max(float(np.sqrt(sums[-1])), 1e-6) + self.bias
        powers = np.exp(logits - logits.max())
        chances: np.ndarray = (powers / powers.sum()).astype(np.float32)
        return chances


def load(folder: str | Path) -> Linear:
    """The candidate of a folder."""
    return Linear(Path(folder))


if __name__ == "__main__":
    model = load(Path(__file__).resolve().parent)
    for given in sys.argv[1:]:
        chances = model.predict_proba([given])[0]
        best = int(chances.argmax())
        sys.stdout.write(f"{model.classes[best]}\t{chances[best]:.3f}\t{given}\n")
