"""Corrections of labels: a file of its own that says who changed what and why; the table itself is never touched.

A line names a row and the SHA-256 of its text, so that a correction that was written for another table, or for another
state of it, is refused and not applied to the wrong row. The digest of the corrections is part of the data's.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from workbench.data.columns import as_text
from workbench.data.problems import Problem, count, listed, nearest, refuse
from workbench.data.roles import flat
from workbench.data.table import SourceTable
from workbench.recipe import Data, Source
from workbench.storage.cells import unharmed

FIELDS = ("row", "text_sha256", "old_label", "new_label", "who", "why", "when")


@dataclass(frozen=True)
class Correction:
    """One label that a person decided on.

    Attributes:
        row: Row number in the table, counted from 0.
        text_sha256: SHA-256 of the row's text in UTF-8, 64 hex digits.
        old_label: The label that the table gives.
        new_label: The right one; the old one again confirms it.
        who: Who decided.
        why: The reason.
        when: Date, or date and time, in ISO 8601.
    """

    row: int
    text_sha256: str
    old_label: str
    new_label: str
    who: str
    why: str
    when: str


@dataclass(frozen=True)
class Corrections:
    """The corrections of one file.

    Attributes:
        name: The file's name, for messages.
        entries: One a row, in the order of the rows; of several that agree the first.
        digest: SHA-256 of all entries, whatever the file's format.
        waiting: Lines that nobody has filled in yet.
    """

    name: str
    entries: tuple[Correction, ...]
    digest: str
    waiting: int = 0


def read_corrections(path: Path) -> Corrections:
    """Read a file of corrections; a worksheet of doubts that a person has filled in is one.

    Columns ``row``, ``text_sha256``, ``old_label``, ``new_label``, ``who``, ``why``, ``when``; others are passed over.
    A line with ``new_label``, ``who`` and ``why`` empty waits for a person and changes nothing.

    Args:
        path: CSV, TSV, JSONL or Parquet.

    Raises:
        DataError: A column, a field or the sense of a line is missing, or lines contradict each other; lists them all.
    """
    from workbench.data.sources import peek

    raw = peek(path)
    missing = [name for name in FIELDS if name not in raw.column_names]
    refuse(_missing_columns(missing, raw.column_names, path.name), path.name)
    table, problems = as_text(_as_written(path, raw), FIELDS, path.name)
    refuse(problems, path.name)
    lines = [[unharmed(cell or "").strip() for cell in line.values()] for line in table.to_pylist()]
    entries: list[Correction] = []
    waiting = 0
    for number, cells in enumerate(lines, start=1):
        if not any(cells[3:6]):
            waiting += 1
            continue
        wrong = _line_problems(number, dict(zip(FIELDS, cells, strict=True)))
        problems += wrong
        if not wrong:
            old, new, who, why = cells[2:6]
            entries.append(Correction(int(cells[0]), cells[1].lower(), old, new, who, why, _moment(cells[6])))
    problems += _contradictions(entries)
    refuse(problems, path.name)
    return gathered(entries, path.name, waiting)


def gathered(entries: Sequence[Correction], name: str, waiting: int = 0) -> Corrections:
    """Corrections with their digest, one a row.

    Args:
        entries: That do not contradict each other.
        name: What messages call them.
        waiting: Lines that are not filled in.
    """
    by_row: dict[int, Correction] = {}
    for entry in entries:
        by_row.setdefault(entry.row, entry)
    kept = tuple(by_row[row] for row in sorted(by_row))
    text = "".join(json.dumps(asdict(one), sort_keys=True, ensure_ascii=False) + "\n" for one in kept)
    return Corrections(name, kept, hashlib.sha256(text.encode()).hexdigest(), waiting)


def apply_corrections(source: SourceTable, corrections: Corrections, data: Data) -> SourceTable:
    """The table as it is after the corrections; the source stays as it was.

    Args:
        source: The table as it was read.
        corrections: What to change.
        data: Names the columns with text and label.

    Returns:
        A table with new labels and a digest of its own; the same one where there is no correction.

    Raises:
        DataError: A row is not there, has another text or label than the correction says, or a class is not known;
            lists them all.
    """
    texts, labels = flat(source.table[data.text]), flat(source.table[data.label])
    classes = sorted(labels.unique().drop_null().to_pylist())
    problems = [one for entry in corrections.entries for one in _row_problems(entry, texts, labels, classes)]
    refuse(problems, corrections.name)
    if not corrections.entries:
        return source
    mask = np.zeros(len(labels), dtype=bool)
    mask[[entry.row for entry in corrections.entries]] = True
    places = np.cumsum(mask) - 1
    given = pa.array([entry.new_label for entry in corrections.entries], pa.large_string())
    taken = pa.concat_arrays([labels, given]).take(
        pa.array(np.where(mask, len(labels) + places, np.arange(len(labels))))
    )
    table = source.table.set_column(source.table.column_names.index(data.label), data.label, taken)
    changed = sum(entry.old_label != entry.new_label for entry in corrections.entries)
    note = f"{count(changed, 'label')} corrected and {len(corrections.entries) - changed:,} confirmed by "
    note += f"{corrections.name} (SHA-256 {corrections.digest[:12]})."
    described = {**source.described, "notes": [*source.described.get("notes", []), note]}
    digest = hashlib.sha256(f"{source.digest}\n{corrections.digest}\n".encode()).hexdigest()
    return replace(source, table=table, digest=digest, described=described)


def text_digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, 64 hex digits: what a correction knows a row by."""
    return hashlib.sha256(text.encode()).hexdigest()


def _missing_columns(missing: Sequence[str], names: Sequence[str], about: str) -> list[Problem]:
    """A problem for all columns that a file of corrections lacks."""
    if not missing:
        return []
    return [
        Problem(
            f"{about} has no column {listed(repr(name) for name in missing)}; it has {listed(map(repr, names), 20)}.",
            f"The columns {', '.join(FIELDS)}.",
            "Start from the worksheet of: workbench data doubts RUN --out doubts.csv",
        )
    ]


def _line_problems(number: int, cells: dict[str, str]) -> list[Problem]:
    """What is wrong with one line by itself."""
    line = f"Line {number:,}"
    problems = [
        Problem(
            f"{line} (row {cells['row'] or '?'}) does not say {name}.",
            "Who decided, why, and when, for every correction.",
            f"Fill in {name}" + (" (the old label, to confirm it)." if name == "new_label" else "."),
        )
        for name in ("old_label", "new_label", "who", "why", "when")
        if not cells[name]
    ]
    if not cells["row"].isascii() or not cells["row"].isdigit():
        problems.append(
            Problem(f"{line} has the row {cells['row']!r}.", "A row number from 0.", "Copy it from the worksheet.")
        )
    if len(cells["text_sha256"]) != 64 or set(cells["text_sha256"].lower()) - set("0123456789abcdef"):
        problems.append(
            Problem(
                f"{line} has the text digest {cells['text_sha256'][:80]!r}.",
                "SHA-256 of the row's text, 64 hex digits.",
                "Copy it from the worksheet.",
            )
        )
    if cells["when"] and not _is_date(cells["when"]):
        problems.append(
            Problem(
                f"{line} is of {cells['when'][:80]!r}.",
                "A date as 2026-11-22, or date and time as 2026-11-22T09:30.",
                "Write it that way (spreadsheets change dates: format the column as text).",
            )
        )
    return problems


def _as_written(path: Path, raw: pa.Table) -> pa.Table:
    """The fields of a CSV file as they are written, so that a class 007 does not become 7; other files as they are."""
    from workbench.data.sources import delimited, files

    if files.kind_of(path) != "csv":
        return raw.select(list(FIELDS))
    return delimited.read(path, Source.model_validate({"path": str(path)}), FIELDS, None)[0]


def _moment(text: str) -> str:
    """A date, or a date and time, in one way of writing."""
    found = datetime.datetime.fromisoformat(text)
    bare = found.time() == datetime.time() and found.tzinfo is None
    return found.date().isoformat() if bare else found.isoformat()


def _is_date(text: str) -> bool:
    """Whether it is a date, or a date and a time, in ISO 8601."""
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _contradictions(entries: Sequence[Correction]) -> list[Problem]:
    """A problem for each row that is given more than one new label."""
    wanted: dict[int, dict[str, str]] = {}
    for entry in entries:
        wanted.setdefault(entry.row, {}).setdefault(entry.new_label, entry.who)
    return [
        Problem(
            f"Row {row:,} is to become {listed((f'{label!r} ({who})' for label, who in labels.items()), 5)}.",
            "One new label a row.",
            "Decide together, and keep one of the lines.",
        )
        for row, labels in sorted(wanted.items())
        if len(labels) > 1
    ]


def _row_problems(entry: Correction, texts: pa.Array, labels: pa.Array, classes: Sequence[str]) -> list[Problem]:
    """Why a correction cannot be applied to a table."""
    do = "Look at the row again: the correction may have been written for another state of the table."
    if entry.row >= len(texts):
        what = f"Row {entry.row:,} does not exist: the table has {len(texts):,} rows."
        return [Problem(what, "A row of this table, counted from 0.", do)]
    problems = []
    if text_digest(texts[entry.row].as_py() or "") != entry.text_sha256:
        what = f"Row {entry.row:,} has another text than the one that was corrected."
        problems.append(Problem(what, f"A text with SHA-256 {entry.text_sha256[:12]}….", do))
    given = labels[entry.row].as_py()
    if (given or "").strip() != entry.old_label:
        what = f"Row {entry.row:,} has the label {given!r}, and the correction is of {entry.old_label!r}."
        problems.append(Problem(what, "The label that the table gives.", do))
    if entry.new_label not in classes:
        near = nearest(entry.new_label, classes)
        problems.append(
            Problem(
                f"Row {entry.row:,} is to become {entry.new_label!r}, which is no class of the table."
                + (f" Did you mean {near!r}?" if near else ""),
                f"One of: {listed(map(repr, classes), 20)}.",
                "Correct new_label.",
            )
        )
    return problems
