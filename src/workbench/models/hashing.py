"""Texts as hashed runs of bytes, by vectorised code over Arrow's own buffers: no Python object for a row.

A text is normalised (NFKC, lower case), each of its words stands between two spaces, and every run of ``low`` to
``high`` bytes inside such a word is hashed into a fixed number of places (feature hashing, Weinberger et al. 2009).
The hash is FNV-1a's step with a final mix, on 32 bits, the same on every platform; ``linear_reader`` has the same in
NumPy alone.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.models.candidate import Texts

Indices = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

SPACE = 32
STEP = np.uint32(0x01000193)
SPREAD = np.uint32(0x9E3779B1)
MIX = np.uint32(0x85EBCA6B)


def as_column(texts: Texts) -> pa.Array:
    """Texts as one ``large_string`` array; a missing one is empty."""
    column = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(list(texts), pa.large_string())
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return pc.fill_null(column.cast(pa.large_string()), "")


def normalised(column: pa.Array) -> pa.Array:
    """NFKC and lower case; ASCII needs only the latter, which the hash does by itself."""
    plain = pc.string_is_ascii(column)
    if pc.all(plain).as_py() in (True, None):
        return column
    changed = pa.array(
        [unicodedata.normalize("NFKC", text).lower() for text in column.filter(pc.invert(plain)).to_pylist()],
        pa.large_string(),
    )
    return pc.replace_with_mask(column, pc.invert(plain), changed)


def joined(column: pa.Array, tail: int) -> tuple[Bytes, Offsets]:
    """All texts in one buffer, a space before and between them and some after the last.

    Args:
        column: Normalised texts, ``n`` of them.
        tail: Number of spaces at the end, at least 1.

    Returns:
        Lower-cased bytes with every control character made a space, shape ``(total,)``, and where the space
        before each text lies (and the one after the last), shape ``(n + 1,)``.
    """
    lengths = pc.binary_length(column).to_numpy(zero_copy_only=False).astype(np.int64)
    starts = np.zeros(len(column) + 1, dtype=np.int64)
    np.cumsum(lengths + 1, out=starts[1:])
    listed = pa.LargeListArray.from_arrays(pa.array([0, len(column)], pa.int64()), column)
    text = pc.binary_join(listed, pa.scalar(" ", pa.large_string()))[0].as_py() if len(column) else ""
    data = np.frombuffer(f" {text}{' ' * tail}".encode(), dtype=np.uint8).copy()
    data[data < SPACE] = SPACE
    upper = (data >= 65) & (data <= 90)
    data[upper] += SPACE
    return data, starts


def hashed(texts: Texts, low: int, high: int, buckets: int) -> tuple[Indices, Offsets]:
    """Places of every run of bytes of some texts.

    Args:
        texts: ``n`` texts; take some ten thousand at a time.
        low: Shortest run, at least 1.
        high: Longest run, at most 8.
        buckets: Number of places, a power of two.

    Returns:
        Place of each run, shape ``(runs,)``, and where each text's runs begin and end, shape ``(n + 1,)``.
        A run that occurs twice stands there twice.
    """
    data, starts = joined(normalised(as_column(texts)), high)
    total = len(data)
    position = np.arange(total)
    space = data == SPACE
    following = np.minimum.accumulate(np.where(space, position, total)[::-1])[::-1]
    reach = np.append(following[1:], total) - position
    bits = np.uint32(32 - (buckets.bit_length() - 1))
    rolling = np.zeros(total, dtype=np.uint32)
    columns = np.empty((total, high - low + 1), dtype=np.uint32)
    inside = np.zeros((total, high - low + 1), dtype=bool)
    for length in range(1, high + 1):
        rolling[: total - length + 1] ^= data[length - 1 :]
        rolling *= STEP
        rolling ^= rolling >> np.uint32(15)
        if length < low:
            continue
        place = length - low
        np.multiply(rolling, SPREAD, out=columns[:, place])
        columns[:, place] += np.uint32(length)
        fits = reach >= length - 1
        if length <= 2:
            fits &= ~space if length == 1 else ~(space & (reach == 1))
        inside[:, place] = fits
    counts = np.zeros(total + 1, dtype=np.int64)
    np.cumsum(inside.sum(axis=1), out=counts[1:])
    offsets = counts[starts]
    runs = columns[inside][: offsets[-1]]
    runs ^= runs >> np.uint32(16)
    runs *= MIX
    runs >>= bits
    return runs.astype(np.int32), offsets
