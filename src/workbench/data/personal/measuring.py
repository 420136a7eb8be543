"""How much of what was planted the scan finds, and how often it cries out where nothing is."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from workbench.data.personal.generator import Sentence
from workbench.data.personal.scanning import Scanner, scan_texts

SCHEMA = pa.schema(
    [
        ("sentence", pa.int64()),
        ("locale", pa.large_string()),
        ("type", pa.large_string()),
        ("start", pa.int32()),
        ("length", pa.int32()),
        ("planted", pa.bool_()),
        ("found", pa.bool_()),
    ]
)


def measured(sentences: Sequence[Sentence], by: Scanner) -> pa.Table:
    """Planted values, found or not, and alarms beside them.

    A planted value counts as found where one finding of its type holds all of its characters.

    Args:
        sentences: From ``generate``.
        by: What is measured.

    Returns:
        A line a planted value (``planted``), a sentence without personal data and without alarm (``type`` null), and
        an alarm that touches no planted value (``found`` alone).
    """
    found = scan_texts([one.text for one in sentences], by)
    of_sentence: dict[int, list[tuple[str, int, int]]] = {}
    columns = (found[name].to_pylist() for name in ("row", "type", "start", "length"))
    for row, kind, start, length in zip(*columns, strict=True):
        of_sentence.setdefault(row, []).append((kind, start, start + length))
    lines = []
    for number, one in enumerate(sentences):
        lines += [(number, one.locale, *line) for line in judged(one, of_sentence.get(number, []))]
    columns_of = zip(*lines, strict=True) if lines else [()] * len(SCHEMA)
    arrays = [pa.array(values, field.type) for values, field in zip(columns_of, SCHEMA, strict=True)]
    return pa.table(arrays, schema=SCHEMA)


def judged(one: Sentence, found: Sequence[tuple[str, int, int]]) -> list[tuple[str | None, int, int, bool, bool]]:
    """The lines of one sentence: type, start, length, planted, found."""
    end = one.start + one.length
    lines: list[tuple[str | None, int, int, bool, bool]] = []
    if one.type is not None:
        whole = any(kind == one.type and start <= one.start and end <= stop for kind, start, stop in found)
        lines.append((one.type, one.start, one.length, True, whole))
    lines += [
        (kind, start, stop - start, False, True)
        for kind, start, stop in found
        if one.type is None or stop <= one.start or end <= start
    ]
    return lines or [(None, 0, 0, False, False)]
