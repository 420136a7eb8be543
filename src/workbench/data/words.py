"""Texts as keys and as sets of words, by vectorised code: what duplicates are found with.

Two texts are the same when they are equal after Unicode normalisation (NFKC), lower case and single spaces. A word is
a run of letters and digits; in scripts written without spaces each character is one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.data.table import Rows

Hashes = npt.NDArray[np.uint64]
CHUNK = 16_384
PRIME = np.uint64(1_099_511_628_211)
SPACELESS = r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])"


@dataclass(frozen=True)
class WordSets:
    """The set of words of each text.

    Attributes:
        words: 32-bit hashes, of one text after another, ascending and distinct within a text.
        offsets: Where each text's words begin and end, shape ``(n + 1,)``.
        lengths: Number of words of each text, repeated ones included, shape ``(n,)``.
    """

    words: npt.NDArray[np.uint32]
    offsets: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Number of distinct words of each text, shape ``(n,)``."""
        return np.diff(self.offsets)


def text_keys(texts: pa.Array) -> npt.NDArray[np.int64]:
    """A number for each text, equal exactly where the normalised texts are; shape ``(n,)``."""
    folded = pc.utf8_lower(pc.utf8_normalize(texts, "NFKC"))
    single = pc.utf8_trim_whitespace(pc.replace_substring_regex(folded, r"[\s\p{Z}]+", " "))
    indices = single.dictionary_encode().indices
    return np.asarray(indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def word_sets(texts: pa.Array) -> WordSets:
    """The set of words of each text."""
    words, sizes = [np.empty(0, dtype=np.uint32)], [np.zeros(1, dtype=np.int64)]
    lengths = [np.empty(0, dtype=np.int64)]
    for start in range(0, len(texts), CHUNK):
        strings, counts = split_words(texts[start : start + CHUNK])
        owners = np.repeat(np.arange(len(counts), dtype=np.uint64), counts)
        keys = np.sort((owners << np.uint64(32)) | (hashed(strings) >> np.uint64(32)))
        keys = keys[np.r_[True, keys[1:] != keys[:-1]]] if len(keys) else keys
        words.append((keys & np.uint64(0xFFFF_FFFF)).astype(np.uint32))
        sizes.append(np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=len(counts)))
        lengths.append(counts)
    return WordSets(np.concatenate(words), np.cumsum(np.concatenate(sizes)), np.concatenate(lengths))


def split_words(texts: pa.Array) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """All words of some texts one after another, and how many each text has."""
    lowered = pc.utf8_lower(pc.utf8_normalize(texts.fill_null(""), "NFKC"))
    apart = pc.replace_substring_regex(lowered, SPACELESS, r" \1 ")
    spaced = pc.replace_substring_regex(apart, r"[^\p{L}\p{M}\p{N}]+", " ")
    lists = pc.split_pattern(pc.utf8_trim_whitespace(spaced), " ")
    counts = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    strings = lists.flatten()
    if pc.any(pc.equal(strings, "")).as_py():
        lengths = np.repeat(np.arange(len(counts)), counts)
        there = pc.not_equal(strings, "").to_numpy(zero_copy_only=False)
        counts = np.bincount(lengths[there], minlength=len(counts))
        strings = strings.filter(pa.array(there))
    return strings, counts


def hashed(strings: pa.Array) -> Hashes:
    """A 64-bit hash of each non-empty string: a polynomial over its bytes, then mixed; shape ``(n,)``."""
    if len(strings) == 0:
        return np.empty(0, dtype=np.uint64)
    whole = strings.cast(pa.large_string())
    bounds = np.frombuffer(whole.buffers()[1], dtype=np.int64)[whole.offset : whole.offset + len(whole) + 1]
    data = np.frombuffer(whole.buffers()[2], dtype=np.uint8)[bounds[0] : bounds[-1]].astype(np.uint64)
    starts = bounds[:-1] - bounds[0]
    lengths = np.diff(bounds)
    places = np.arange(len(data)) - np.repeat(starts, lengths)
    powers = np.multiply.accumulate(np.full(int(lengths.max()) + 1, PRIME))
    sums = np.add.reduceat((data + np.uint64(1)) * powers[places], starts)
    return mixed(sums)


def mixed(values: Hashes) -> Hashes:
    """Bits spread over the whole word (the finaliser of SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def gathered(sets: WordSets, rows: Rows) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Words of some rows one after another, and the place in ``rows`` that each belongs to."""
    lengths = sets.sizes[rows]
    owners = np.repeat(np.arange(len(rows)), lengths)
    ends = np.cumsum(lengths)
    within = np.arange(len(owners)) - np.repeat(ends - lengths, lengths)
    return sets.words[sets.offsets[rows][owners] + within], owners
