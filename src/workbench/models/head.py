"""The candidate kind ``head``: a frozen encoder and a linear layer over its vectors. It is the teacher of a run.

Its folder stands alone by default: it holds a copy of the encoder's files. Without the copy it names the encoder by
digest, and refuses another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from workbench import storage
from workbench.errors import ModelError
from workbench.models.candidate import softmax
from workbench.models.card import read_card, write_card
from workbench.models.encoder import Dtype, Encoder
from workbench.models.tokens import Texts
from workbench.models.weights import Weights, check_folder, find_weights

Floats = npt.NDArray[np.float32]

FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
HEAD_FILE = "head.safetensors"
MB = 1_000_000


@dataclass(frozen=True)
class Head:
    """A linear layer with softmax.

    Attributes:
        weight: Shape ``(classes, dimensions)``.
        bias: Shape ``(classes,)``.
    """

    weight: Floats
    bias: Floats

    @classmethod
    def of(cls, matrix: npt.NDArray[np.float64], temperature: float = 1.0) -> Self:
        """A head from a matrix whose last row is the bias, with the calibration temperature divided in.

        Args:
            matrix: Shape ``(dimensions + 1, classes)``.
            temperature: Above 0; 1 changes nothing.
        """
        scaled = (matrix / temperature).astype(np.float32)
        return cls(np.ascontiguousarray(scaled[:-1].T), scaled[-1].copy())

    def scaled(self, temperature: float) -> Head:
        """The same head with every logit divided by a temperature above 0."""
        return Head(self.weight / np.float32(temperature), self.bias / np.float32(temperature))

    def logits(self, vectors: Floats) -> Floats:
        """Logits of vectors, shape ``(rows, classes)``."""
        result: Floats = np.asarray(vectors, dtype=np.float32) @ self.weight.T + self.bias
        return result

    def predict_proba(self, vectors: Floats) -> Floats:
        """Probabilities of vectors.

        Args:
            vectors: Shape ``(rows, dimensions)``.

        Returns:
            Shape ``(rows, classes)``.
        """
        logits = self.logits(vectors)
        return softmax(logits)


class HeadCandidate:
    """A frozen encoder with a linear head."""

    kind = "head"

    def __init__(self, encoder: Encoder, head: Head, classes: tuple[str, ...]) -> None:
        """Put the parts together.

        Args:
            encoder: The frozen encoder.
            head: The layer over its vectors.
            classes: Names of the classes, in the order of the head's rows.
        """
        if head.weight.shape != (len(classes), encoder.dimensions):
            raise ValueError(f"a head of shape {head.weight.shape} for {len(classes)} × {encoder.dimensions}")
        self.encoder = encoder
        self.head = head
        self.classes = tuple(classes)

    @property
    def size_mb(self) -> float:
        """Size of all that a prediction needs, in MB of 1,000,000 bytes: encoder, tokenizer, head."""
        files = [*_encoder_files(self.encoder.weights.folder)]
        head = self.head.weight.nbytes + self.head.bias.nbytes
        return (sum(file.stat().st_size for file in files) + head) / MB

    def predict_proba(self, texts: Texts) -> Floats:
        """Probabilities of texts, shape ``(rows, classes)``; long texts are cut at the encoder's ``max_tokens``."""
        if not len(texts):
            return np.zeros((0, len(self.classes)), dtype=np.float32)
        return self.head.predict_proba(self.encoder.encode(texts))

    def as_fp32(self) -> HeadCandidate:
        """The same candidate computing in float32, to be measured beside bfloat16."""
        own = self.encoder
        encoder = Encoder.open(own.weights, max_tokens=own.max_tokens, dtype="fp32", layers=own.layers)
        return HeadCandidate(encoder, self.head, self.classes)

    def save(self, folder: Path, *, copy_encoder: bool = True) -> None:
        """Save into a folder.

        Args:
            folder: The folder; made where it is missing.
            copy_encoder: Whether the encoder's files are copied along, so that the folder stands alone. Else the
                encoder is named by digest and looked for when loading.
        """
        storage.make_folder(folder)
        weights = self.encoder.weights
        if copy_encoder:
            for file in _encoder_files(weights.folder):
                storage.write_chunks(folder / "encoder" / file.name, _blocks(file))
        storage.write_tensors(folder / HEAD_FILE, {"weight": self.head.weight, "bias": self.head.bias})
        about = {
            "name": weights.name,
            "digest": weights.digest,
            "uploader": weights.uploader,
            "licence": weights.licence,
            "max_tokens": self.encoder.max_tokens,
            "layers": list(self.encoder.layers),
            "copied": copy_encoder,
        }
        write_card(folder, self.kind, self.classes, encoder=about)

    @classmethod
    def load(cls, folder: Path, *, dtype: Dtype = "auto") -> Self:
        """Load from a folder.

        Args:
            folder: What :meth:`save` wrote.
            dtype: Number format of the encoder.

        Raises:
            ModelError: The folder is damaged, or the encoder is missing or another one.
        """
        from safetensors.numpy import load_file

        card = read_card(folder)
        about = card["encoder"]
        weights = _encoder_of(folder, about)
        tensors = load_file(folder / HEAD_FILE)
        layers = tuple(int(layer) for layer in about.get("layers", ()))
        encoder = Encoder.open(weights, max_tokens=int(about["max_tokens"]), dtype=dtype, layers=layers)
        return cls(encoder, Head(tensors["weight"], tensors["bias"]), tuple(card["classes"]))


def _encoder_of(folder: Path, about: dict[str, Any]) -> Weights:
    """The encoder that a saved head was made for."""
    if about["copied"]:
        weights = check_folder(folder / "encoder", name=about["name"], uploader=about["uploader"], where="folder")
    else:
        weights = find_weights(about["name"])
    if weights.digest != about["digest"]:
        raise ModelError(
            f"The encoder of {folder} has SHA-256 {weights.digest}.",
            f"SHA-256 {about['digest']}, the encoder that this head was trained on ({about['name']}).",
            "Restore the folder from a copy, or run again.",
        )
    return Weights(weights.folder, weights.name, weights.digest, weights.uploader, about["licence"], weights.where)


def _encoder_files(folder: Path) -> list[Path]:
    """The files of an encoder that a prediction needs, and those that transformers wants beside them."""
    named = [folder / name for name in FILES if (folder / name).is_file()]
    return [*named, *sorted(folder.glob("*.safetensors")), *sorted(folder.glob("*.safetensors.index.json"))]


def _blocks(file: Path) -> Any:
    with file.open("rb") as opened:
        while block := opened.read(1 << 22):
            yield block
