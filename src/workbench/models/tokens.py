"""Texts to token ids, and token ids to batches of equal length; nothing here knows a model's weights.

The fast tokenizer is used directly, from its ``tokenizer.json``. What does not fit in ``max_tokens`` is cut, and
the rows that lost something are counted: a truncation that nobody states is a wrong number later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.errors import ModelError

Texts: TypeAlias = Sequence[str] | pa.Array | pa.ChunkedArray
Ids = npt.NDArray[np.int64]

CHARACTERS_A_TOKEN = 64


@dataclass(frozen=True)
class Tokens:
    """Token ids of texts, one after the other.

    Attributes:
        ids: All ids, shape ``(total,)``.
        lengths: Tokens of each text, shape ``(rows,)``.
        truncated: Whether the text was cut, shape ``(rows,)``.
    """

    ids: Ids
    lengths: Ids
    truncated: npt.NDArray[np.bool_]

    @property
    def starts(self) -> Ids:
        """Where each text's ids begin, shape ``(rows,)``."""
        return np.cumsum(self.lengths) - self.lengths


def open_tokenizer(file: Path, max_tokens: int | None = None) -> Any:
    """Open a ``tokenizer.json`` without padding, cutting at ``max_tokens`` where given.

    Args:
        file: The file.
        max_tokens: Longest sequence, special tokens included; ``None`` cuts nothing.

    Raises:
        ModelError: The file is missing or no tokenizer, or the package is not installed.
    """
    tokenizers = need("tokenizers", "reading a tokenizer")
    if not file.is_file():
        raise ModelError(
            f"{file} is missing.", "The tokenizer.json of a fast tokenizer.", "Get the folder again from its source."
        )
    try:
        tokenizer = tokenizers.Tokenizer.from_buffer(file.read_bytes())
    except ValueError as error:
        raise ModelError(
            f"{file} is not readable as a tokenizer: {error}",
            "The tokenizer.json of a fast tokenizer.",
            "Get the folder again from its source.",
        ) from error
    tokenizer.no_padding()
    if max_tokens is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(max_tokens)
    return tokenizer


def need(module: str, needed_for: str) -> Any:
    """Import a module of the extra ``train``.

    Args:
        module: Its name.
        needed_for: What cannot be done without it, as the end of a sentence.

    Raises:
        MissingExtraError: It is not installed.
    """
    import importlib

    from workbench.errors import MissingExtraError

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError("train", needed_for) from error


def as_list(texts: Texts) -> list[str]:
    """Texts as Python strings; a missing one is empty."""
    listed = texts.to_pylist() if isinstance(texts, pa.Array | pa.ChunkedArray) else list(texts)
    return [text or "" for text in listed]


def tokenise(tokenizer: Any, texts: Texts, *, special: bool = True) -> Tokens:
    """Turn texts into token ids.

    Args:
        tokenizer: From :func:`open_tokenizer`.
        texts: The texts; take a few thousand at a time.
        special: Whether the sequence gets its special tokens.
    """
    listed = as_list(texts)
    limit = tokenizer.truncation["max_length"] if tokenizer.truncation else None
    cut = np.zeros(len(listed), dtype=np.bool_)
    if limit is not None:
        longest = limit * CHARACTERS_A_TOKEN
        cut = np.fromiter((len(text) > longest for text in listed), dtype=np.bool_, count=len(listed))
        listed = [text[:longest] for text in listed]
    encodings = tokenizer.encode_batch_fast(listed, add_special_tokens=special)
    lists = [encoding.ids for encoding in encodings]
    lengths = np.fromiter((len(one) for one in lists), dtype=np.int64, count=len(lists))
    if limit is not None:
        for row in np.flatnonzero((lengths >= limit) & ~cut):
            cut[row] = bool(encodings[row].overflowing)
    ids = np.fromiter((token for one in lists for token in one), dtype=np.int64, count=int(lengths.sum()))
    return Tokens(ids, lengths, cut)


def batches(lengths: Ids, budget: int, multiple: int = 1) -> list[Ids]:
    """Group rows of like length so that no batch holds more tokens than a budget, padding included.

    Args:
        lengths: Tokens of each row, shape ``(rows,)``.
        budget: Most tokens in a batch; a longer row stands alone.
        multiple: Widths are rounded up to this (8 where matrix units like it).

    Returns:
        Row numbers of each batch, the longest rows first (so that too little memory shows at once); together every
        row once.
    """
    order = np.argsort(-lengths, kind="stable")
    found = []
    start = 0
    while start < len(order):
        width = max(1, -(-int(lengths[order[start]]) // multiple) * multiple)
        rows = max(1, budget // width)
        found.append(order[start : start + rows])
        start += rows
    return found


def padded(tokens: Tokens, rows: Ids, pad_id: int, multiple: int = 1) -> tuple[Ids, Ids]:
    """Ids and attention mask of a batch.

    Args:
        tokens: All tokens.
        rows: The batch's row numbers, shape ``(batch,)``.
        pad_id: Id that fills.
        multiple: The width is rounded up to this.

    Returns:
        Ids and mask (1 where a token is), each of shape ``(batch, width)``.
    """
    lengths = tokens.lengths[rows]
    width = max(1, -(-int(lengths.max(initial=1)) // multiple) * multiple)
    places = np.arange(width)
    mask = places[None, :] < lengths[:, None]
    ids = np.full(mask.shape, pad_id, dtype=np.int64)
    flat = (tokens.starts[rows][:, None] + places[None, :])[mask]
    ids[mask] = tokens.ids[flat]
    return ids, mask.astype(np.int64)
