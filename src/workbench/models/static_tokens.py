"""The start of a static student: one vector for each token of an encoder's vocabulary, in Model2Vec's way.

Each token is read by the encoder alone, the vectors are reduced by principal components and weighted by Zipf's
law (Tulkens & van Dongen 2024, Model2Vec). Vocabulary, components and weights are model2vec's own code; the forward
pass is ours, since it can be stopped, is faster here and draws no progress bar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from workbench import storage
from workbench.models.encoder import Encoder
from workbench.models.tokens import Tokens, need, open_tokenizer
from workbench.runs.events import Listener, Progress, Stop, ignore, never

Floats = npt.NDArray[np.float32]

SIF = 1e-4
UNUSED = re.compile(r"\[unused\d+\]")
STAGE = "tokens"
_STEP = 4096


@dataclass(frozen=True)
class StaticTokens:
    """A vocabulary with a vector a token.

    Attributes:
        tokenizer_json: The ``tokenizer.json`` whose ids are rows of ``vectors``.
        vectors: Shape ``(vocabulary, dimensions)``.
        source: Name of the encoder.
    """

    tokenizer_json: str
    vectors: Floats
    source: str

    def save(self, folder: Path) -> None:
        """Write ``tokenizer.json``, ``vectors.npy`` and ``tokens.json`` into a folder."""
        storage.write_text(folder / "tokenizer.json", self.tokenizer_json)
        storage.write_array(folder / "vectors.npy", self.vectors)
        storage.write_json(folder / "tokens.json", {"source": self.source})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote."""
        text = (folder / "tokenizer.json").read_text(encoding="utf-8")
        source = str(storage.read_json(folder / "tokens.json")["source"])
        return cls(text, np.load(folder / "vectors.npy"), source)


def distil_tokens(
    encoder: Encoder, dimensions: int = 256, *, listener: Listener = ignore, stop: Stop = never
) -> StaticTokens:
    """Read every token of an encoder's vocabulary once.

    Args:
        encoder: The encoder.
        dimensions: Length of the vectors; at most the encoder's own.
        listener: Gets ``Progress("tokens", done, total)``.
        stop: Asked between batches.

    Raises:
        Stopped: ``stop`` said yes.
        MissingExtraError: model2vec or skeletoken is not installed.
    """
    inference = need("model2vec.distill.inference", "static students")
    vocabulary, sequences = _vocabulary(encoder)
    vectors = np.nan_to_num(_read_all(encoder, sequences, listener, stop))
    reduced = inference.apply_pca(vectors, min(dimensions, vectors.shape[1]))
    weights = inference.compute_weights(len(reduced), sif_coefficient=SIF)
    weighted = np.ascontiguousarray(reduced * weights[:, None], dtype=np.float32)
    return StaticTokens(vocabulary, weighted, encoder.weights.name)


def _vocabulary(encoder: Encoder) -> tuple[str, list[list[int]]]:
    """Model2vec's cleaned tokenizer as JSON, and the encoder's ids for each of its tokens."""
    skeletoken = need("skeletoken", "static students")
    tokenizer = need("model2vec.tokenizer", "static students")
    plain = open_tokenizer(encoder.weights.folder / "tokenizer.json")
    original = skeletoken.TokenizerModel.from_tokenizer(plain).prune_added_tokens()
    own = original.deep_copy()
    if own.adds_prefix_space is not None:
        own.adds_prefix_space = True
    own = tokenizer.clean_and_create_vocabulary(own, [], token_remove_regex=UNUSED)
    sequences = tokenizer.turn_tokens_into_ids(own.sorted_vocabulary, original)
    return str(own.to_tokenizer().to_str()), _as_encoder_ids(sequences, original, plain)


def _as_encoder_ids(sequences: list[list[int]], original: Any, plain: Any) -> list[list[int]]:
    """Ids of the encoder's own tokenizer, where pruning moved them."""
    tokens = original.sorted_vocabulary
    moved = [plain.token_to_id(token) for token in tokens]
    if all(index == there for index, there in enumerate(moved)):
        return sequences
    return [[moved[token] for token in sequence] for sequence in sequences]


def _read_all(encoder: Encoder, sequences: list[list[int]], listener: Listener, stop: Stop) -> Floats:
    parts = []
    with encoder.workers() as pool:
        for start in range(0, len(sequences), _STEP):
            some = sequences[start : start + _STEP]
            lengths = np.fromiter((len(one) for one in some), dtype=np.int64, count=len(some))
            ids = np.fromiter((token for one in some for token in one), dtype=np.int64, count=int(lengths.sum()))
            tokens = Tokens(ids, lengths, np.zeros(len(some), dtype=np.bool_))
            parts.append(encoder.encode_tokens(tokens, pool=pool, unit=False, stop=stop))
            listener(Progress(STAGE, start + len(some), len(sequences)))
    return np.concatenate(parts)
