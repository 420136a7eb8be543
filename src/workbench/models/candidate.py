"""The one face of every model that a run compares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Texts: TypeAlias = Sequence[str] | pa.Array
Floats = npt.NDArray[np.float32]


class Candidate(Protocol):
    """A text classifier with calibrated probabilities that can be saved and stand alone.

    ``kind`` is ``linear``, ``static``, ``head``, ``transformer``, ``onnx``, ``ensemble`` or ``file``.
    """

    @property
    def kind(self) -> str:
        """What it is."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of its probabilities."""
        ...

    @property
    def size_mb(self) -> float:
        """Size of all that a prediction needs, in MB of 1,000,000 bytes."""
        ...

    def predict_proba(self, texts: Texts) -> Floats:
        """Probabilities of texts, shape ``(rows, classes)``; rows sum to 1."""
        ...

    def save(self, folder: Path) -> None:
        """Save into a folder, as safetensors and JSON."""
        ...


def softmax(logits: Floats) -> Floats:
    """Probabilities from logits, shape ``(rows, classes)``; no rows give no rows."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    probabilities: Floats = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
