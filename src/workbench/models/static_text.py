"""Texts to the tokens of a static student, exactly as model2vec reads them, many at a time.

Where the tokenizer treats each word by itself (WordPiece behind BERT's rules), every distinct word of a batch is
tokenised once and the rest is array work; else each text is. Both give the same tokens.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.models.embeddings import as_arrow
from workbench.models.tokens import Texts, need

Ids = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]

MAX_TOKENS = 512
CHUNK = 65_536
FEW = 64
_BY_WORD = {"BertPreTokenizer", "Whitespace", "WhitespaceSplit"}
_PLAIN_NORMALIZERS = {None, "BertNormalizer", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "StripAccents"}


class StaticTokenizer:
    """A tokenizer as Model2Vec uses it: no special tokens, unknown ones left out, 512 tokens at most."""

    def __init__(self, tokenizer_json: str) -> None:
        """Open it.

        Args:
            tokenizer_json: Content of ``tokenizer.json``.
        """
        tokenizers = need("tokenizers", "static students")
        about = json.loads(tokenizer_json)
        self.json = tokenizer_json
        self._plain = tokenizers.Tokenizer.from_str(tokenizer_json)
        self._plain.no_padding()
        self._plain.enable_truncation(MAX_TOKENS)
        self._words = tokenizers.Tokenizer.from_str(tokenizer_json)
        self._words.no_padding()
        self._words.no_truncation()
        self.by_word = _is_by_word(about)
        self.unknown = _unknown(self._plain, about)
        vocabulary = self._plain.get_vocab()
        self.size = len(vocabulary)
        self.longest = MAX_TOKENS * int(np.median([len(token) for token in vocabulary]))

    def read(self, texts: Texts) -> tuple[Ids, Counts]:
        """Tokens of texts.

        Args:
            texts: The texts; a missing one counts as empty.

        Returns:
            All ids one text after another, shape ``(total,)``, and the number of each text's, shape ``(rows,)``;
            0 for a text without a known token.
        """
        column = pc.utf8_slice_codeunits(as_arrow(texts), 0, self.longest)
        parts = [self._read(column[start : start + CHUNK]) for start in range(0, len(column), CHUNK)]
        if not parts:
            return np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64)
        return np.concatenate([ids for ids, _ in parts]), np.concatenate([counts for _, counts in parts])

    def _read(self, column: pa.Array) -> tuple[Ids, Counts]:
        by_word = self.by_word and len(column) >= FEW
        ids, counts = self._read_words(column) if by_word else _flat(self._plain, column.to_pylist())
        if self.unknown is None:
            return ids, counts
        known = ids != self.unknown
        before = np.concatenate([[0], np.cumsum(known)])
        ends = np.cumsum(counts)
        return ids[known], before[ends] - before[ends - counts]

    def _read_words(self, column: pa.Array) -> tuple[Ids, Counts]:
        """Tokenise each distinct word once and lay the tokens out in the texts' order."""
        lists = pc.split_pattern(column, " ")
        coded = pc.dictionary_encode(pc.list_flatten(lists))
        word_ids, word_counts = _flat(self._words, coded.dictionary.to_pylist())
        codes = coded.indices.to_numpy(zero_copy_only=False)
        sizes = word_counts[codes]
        first = (np.cumsum(word_counts) - word_counts)[codes]
        ids = word_ids[np.repeat(first - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())]
        words = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
        before = np.concatenate([[0], np.cumsum(sizes)])
        ends = np.cumsum(words)
        return _cut(ids, before[ends] - before[ends - words])


def _flat(tokenizer: Any, texts: list[str]) -> tuple[Ids, Counts]:
    lists = [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    counts = np.fromiter((len(one) for one in lists), dtype=np.int64, count=len(lists))
    ids = np.fromiter((token for one in lists for token in one), dtype=np.int32, count=int(counts.sum()))
    return ids, counts


def _cut(ids: Ids, counts: Counts) -> tuple[Ids, Counts]:
    """Keep the first 512 tokens of each text."""
    if counts.max(initial=0) <= MAX_TOKENS:
        return ids, counts
    place = np.arange(len(ids)) - np.repeat(np.cumsum(counts) - counts, counts)
    return ids[place < MAX_TOKENS], np.minimum(counts, MAX_TOKENS)


def _is_by_word(about: dict[str, Any]) -> bool:
    """Whether words between single spaces never change each other's tokens."""
    added = [token["content"] for token in about.get("added_tokens") or []]
    return (
        about["model"]["type"] == "WordPiece"
        and all(kind in _BY_WORD for kind in _kinds(about["pre_tokenizer"], "pretokenizers"))
        and about["pre_tokenizer"] is not None
        and all(kind in _PLAIN_NORMALIZERS for kind in _kinds(about["normalizer"], "normalizers"))
        and not any(" " in content for content in added)
    )


def _kinds(part: dict[str, Any] | None, inside: str) -> list[str | None]:
    if part is not None and part["type"] == "Sequence":
        return [kind for one in part[inside] for kind in _kinds(one, inside)]
    return [part["type"] if part is not None else None]


def _unknown(tokenizer: Any, about: dict[str, Any]) -> int | None:
    """Id of the unknown token, as model2vec finds it."""
    if hasattr(tokenizer.model, "unk_token"):
        token = tokenizer.model.unk_token
        return None if token is None else tokenizer.token_to_id(token)
    found: int | None = about["model"].get("unk_id")
    return found
