"""Examples that a person can recognise and nobody else can use: first letters and form, never the value."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

MARK = "•"
WORDY = re.compile(r"\w")
HOST = re.compile(r"^(?:[a-z][\w+.\-]*://)?(?:[^\s/@]*@)?([\w.\-]+)", re.IGNORECASE)


def masked(kind: str, value: str) -> str:
    """A value that cannot be read back.

    Args:
        kind: Name of the type.
        value: What was found.

    Returns:
        Of an e-mail address the first letter and the top-level domain (``j…@…com``), of a web address the host, of a
        name the first letters of its words, of anything else its form, with • for all letters and digits but the
        first one; of dates, addresses of machines and short values for all of them.
    """
    if kind == "email":
        return f"{value[0]}…@…{value.rpartition('.')[2]}"
    if kind == "url_user":
        host = HOST.match(value)
        return f"{host.group(1) if host else ''}/…"
    if kind == "name":
        return " ".join(f"{word[0]}…" for word in re.findall(r"[^\s,]+", value))
    form = WORDY.sub(MARK, value)
    return form if kind in ("date_of_birth", "ip_address") or len(value) < 8 else value[0] + form[1:]


def values_of(texts: pa.Array | pa.ChunkedArray, found: pa.Table) -> list[str]:
    """The values behind findings, in their order; they are not to be kept.

    Args:
        texts: The texts that were scanned.
        found: As ``scan_texts`` gives it.
    """
    places = zip(found["start"].to_pylist(), found["length"].to_pylist(), strict=True)
    taken = texts.take(found["row"].combine_chunks()).to_pylist()
    return [text[start : start + length] for text, (start, length) in zip(taken, places, strict=True)]


def examples(texts: pa.Array | pa.ChunkedArray, found: pa.Table, most: int = 3) -> dict[str, list[str]]:
    """A few masked examples of each type, the first distinct ones.

    Args:
        texts: The texts that were scanned.
        found: As ``scan_texts`` gives it.
        most: How many of each type.
    """
    shown: dict[str, list[str]] = {}
    for kind in found["type"].unique().to_pylist():
        of_kind = found.filter(pc.equal(found["type"], kind)).slice(0, 50 * most)
        forms = dict.fromkeys(masked(kind, value) for value in values_of(texts, of_kind))
        shown[kind] = list(forms)[:most]
    return shown
