"""Embeddings of an encoder, computed once: kept on disk, memory-mapped, and keyed by digest.

Each distinct text is encoded once, in chunks that are committed one by one, so that work killed in the middle goes on
where it was. The whole is then written as one ``embeddings.npy`` without ever being held in memory.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench import storage
from workbench.errors import Stopped
from workbench.models.encoder import CHUNK, Encoder, Floats
from workbench.models.tokens import Texts, tokenise
from workbench.runs.events import Listener, Progress, Stop, ignore, never

STAGE = "embed"


@dataclass(frozen=True)
class Embedded:
    """Embeddings on disk.

    Attributes:
        file: The ``.npy`` file.
        digest: What they depend on: encoder and texts.
        rows: Number of rows.
        distinct: Distinct texts among them, each encoded once.
        truncated_share: Share of the distinct texts that was cut.
        reused: Whether the file was there already.
    """

    file: Path
    digest: str
    rows: int
    distinct: int
    truncated_share: float
    reused: bool

    def array(self) -> Floats:
        """The vectors, memory-mapped, shape ``(rows, dimensions)``."""
        opened: Floats = np.load(self.file, mmap_mode="r")
        return opened


def embed_to(
    encoder: Encoder,
    folder: Path,
    texts: Texts,
    *,
    pieces: Path | None = None,
    listener: Listener = ignore,
    stop: Stop = never,
) -> Embedded:
    """Encode texts into a folder, or take up what lies there.

    Args:
        encoder: The encoder.
        folder: Gets ``embeddings.npy`` and ``embeddings.json``.
        texts: The texts; a missing one counts as empty.
        pieces: Where finished chunks wait for the others; ``chunks`` in the folder when ``None``. They stay when
            the work is stopped or killed, and are removed at its end.
        listener: Gets ``Progress("embed", done, total)`` in distinct texts.
        stop: Asked between batches.

    Raises:
        Stopped: ``stop`` said yes; finished chunks are kept.
        RunError: The disk is full or refuses.
    """
    column = as_arrow(texts)
    digest = hashlib.sha256(f"{encoder.digest}\n{texts_digest(column)}".encode()).hexdigest()
    found = _found(folder, digest)
    if found is not None:
        return found
    coded = pc.dictionary_encode(column)
    chunks = (pieces or folder / "chunks") / digest[:16]
    storage.make_folder(chunks)
    cut = _encode_chunks(encoder, coded.dictionary, chunks, listener, stop)
    distinct = len(coded.dictionary)
    _assemble(folder, chunks, coded.indices.to_numpy(zero_copy_only=False), encoder.dimensions, distinct)
    share = cut / distinct if distinct else 0.0
    about = {
        "digest": digest,
        "rows": len(column),
        "distinct": distinct,
        "dimensions": encoder.dimensions,
        "truncated_share": share,
        "encoder": {"name": encoder.weights.name, "digest": encoder.weights.digest, "dtype": encoder.dtype},
        "max_tokens": encoder.max_tokens,
    }
    storage.write_json(folder / "embeddings.json", about)
    storage.remove_tree(chunks)
    if pieces is None:
        storage.remove_tree(folder / "chunks")
    return Embedded(folder / "embeddings.npy", digest, len(column), distinct, share, reused=False)


def as_arrow(texts: Texts) -> pa.Array:
    """Texts as one ``large_string`` array without missing values."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    column = texts if isinstance(texts, pa.Array) else pa.array(list(texts), pa.large_string())
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    return pc.fill_null(column.cast(pa.large_string()), "")


def texts_digest(texts: Texts) -> str:
    """SHA-256 over the lengths and bytes of texts, however their array was sliced or typed."""
    column = as_arrow(texts)
    total = hashlib.sha256(str(len(column)).encode() + b"\n")
    if len(column):
        _, offsets, data = column.buffers()
        ends = np.frombuffer(offsets, dtype=np.int64)[column.offset : column.offset + len(column) + 1]
        total.update(np.diff(ends).tobytes())
        if data is not None:
            total.update(memoryview(data)[int(ends[0]) : int(ends[-1])])
    return total.hexdigest()


def _found(folder: Path, digest: str) -> Embedded | None:
    """Embeddings that lie there already, where they are these."""
    about_file, file = folder / "embeddings.json", folder / "embeddings.npy"
    if not (about_file.is_file() and file.is_file()):
        return None
    about = storage.read_json(about_file)
    if about.get("digest") != digest:
        return None
    return Embedded(file, digest, about["rows"], about["distinct"], about["truncated_share"], reused=True)


def _encode_chunks(encoder: Encoder, texts: pa.Array, chunks: Path, listener: Listener, stop: Stop) -> int:
    """Encode chunk by chunk, leaving alone those that are there; how many texts were cut."""
    total, cut = len(texts), 0
    with encoder.workers() as pool:
        for start in range(0, total, CHUNK):
            if stop():
                raise Stopped("Labelling was asked to stop.", "", "What was finished is kept; run again to go on.")
            file = _chunk_file(chunks, start)
            if not file.is_file():
                tokens = tokenise(encoder.tokenizer, texts[start : start + CHUNK])
                vectors = encoder.encode_tokens(tokens, pool=pool, stop=stop)
                storage.write_tensors(file, {"vectors": vectors, "truncated": tokens.truncated})
            cut += int(_read(file)["truncated"].sum())
            listener(Progress(STAGE, min(start + CHUNK, total), total))
    return cut


def _assemble(folder: Path, chunks: Path, indices: npt.NDArray[np.int64], dimensions: int, distinct: int) -> None:
    """Write one array of all rows from the chunks of distinct texts."""
    storage.make_folder(folder)
    file, unique = folder / "embeddings.npy", chunks / "unique.npy"
    plain = len(indices) == distinct
    parts = (_read(_chunk_file(chunks, start))["vectors"] for start in range(0, distinct, CHUNK))
    storage.write_chunks(file if plain else unique, _npy(parts, distinct, dimensions))
    if not plain:
        vectors = np.load(unique, mmap_mode="r")
        rows = (vectors[indices[start : start + CHUNK]] for start in range(0, len(indices), CHUNK))
        storage.write_chunks(file, _npy(rows, len(indices), dimensions))


def _npy(parts: Iterator[Floats], rows: int, dimensions: int) -> Iterator[bytes]:
    """Bytes of a ``.npy`` file whose rows come in parts."""
    header = io.BytesIO()
    about = {"descr": "<f4", "fortran_order": False, "shape": (rows, dimensions)}
    np.lib.format.write_array_header_1_0(header, about)
    yield header.getvalue()
    for part in parts:
        yield np.ascontiguousarray(part, dtype="<f4").tobytes()


def _chunk_file(chunks: Path, start: int) -> Path:
    return chunks / f"{start:010d}.safetensors"


def _read(file: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(file))
