"""What encoding and delimiter a text file seems to have, from its first bytes.

A delimiter that fits the header is used and noted. An encoding is only suggested: two of them
often read the same bytes without an error, and a person can see which accents are right.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

SAMPLE = 1 << 18
BLOCK = 1 << 20
DELIMITERS = (",", ";", "\t", "|")
CP1252_HOLES = {0x81, 0x8D, 0x8F, 0x90, 0x9D}


def sample(path: Path) -> bytes:
    """The first 256 KiB of a file, unpacked if its name ends in .gz or the like."""
    with pa.input_stream(path, compression="detect") as stream:
        return bytes(stream.read(SAMPLE))


def marked_encoding(head: bytes) -> str | None:
    """Encoding that a byte-order mark or the pattern of NUL bytes gives away, other than UTF-8."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    pairs = head[: len(head) // 2 * 2]
    for encoding, high, low in (("utf-16-le", pairs[1::2], pairs[0::2]), ("utf-16-be", pairs[0::2], pairs[1::2])):
        if len(high) >= 8 and high.count(0) > 0.4 * len(high) and low.count(0) < 0.05 * len(low):
            return encoding
    return None


def suggested_encoding(content: bytes) -> str:
    """The likeliest encoding of bytes that are no UTF-8: cp1252 if they use its own letters, else latin-1."""
    high = {byte for byte in content if 0x80 <= byte <= 0x9F}
    return "cp1252" if high and not high & CP1252_HOLES else "latin-1"


def first_undecodable(path: Path, encoding: str) -> tuple[int, int, bytes] | None:
    """Where a file stops being valid in an encoding.

    Returns:
        Line (from 1), the byte there, and up to 64 KiB around it; ``None`` if the whole file is valid.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with pa.input_stream(path, compression="detect") as stream:
        while block := bytes(stream.read(BLOCK)):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                start = max(0, error.start - (len(error.object) - len(block)))
                around = block[max(0, start - 32_768) : start + 32_768]
                return line + block[:start].count(b"\n"), block[start], around
            line += block.count(b"\n")
    return None


def records(text: str, delimiter: str, most: int = 20) -> list[list[str]]:
    """The first records of a delimited text, the last one left out as it may be cut."""
    found: list[list[str]] = []
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        for record in reader:
            if record:
                found.append(record)
            if len(found) > most:
                return found[:-1]
    except csv.Error:
        return found
    return found


def detected_delimiter(text: str, wanted: Sequence[str], preferred: str) -> str:
    """The delimiter under which the header has most of the wanted columns, and rows most alike.

    Args:
        text: The beginning of the file.
        wanted: Column names that the recipe uses; may be empty.
        preferred: What the file's ending says; taken in a tie.
    """

    def fitness(delimiter: str) -> tuple[int, int, bool]:
        rows = records(text, delimiter)
        header = rows[0] if rows else []
        present = sum(name in header for name in wanted)
        alike = sum(len(row) == len(header) for row in rows) if len(header) > 1 else 0
        return present, alike, delimiter == preferred

    return max(DELIMITERS, key=fitness)
