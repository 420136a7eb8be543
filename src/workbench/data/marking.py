"""One more correction in a file of corrections: what stands in it stays, a line is added.

Nothing is overwritten: a row that somebody corrected otherwise is refused, and a file that is not such a CSV table is
left alone.
"""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path

from workbench import storage
from workbench.data.corrections import FIELDS, Correction, Corrections, read_corrections, text_digest
from workbench.data.roles import flat
from workbench.data.table import SourceTable
from workbench.errors import DataError
from workbench.recipe import Data
from workbench.storage.cells import harmless


def add_correction(path: Path, correction: Correction) -> Corrections:
    """Add a line to a file of corrections, which is made where there is none.

    A correction that stands there already is not repeated.

    Args:
        path: CSV file with the columns of corrections; further ones stay empty in the new line.
        correction: What a person decided.

    Returns:
        All corrections of the file, the new one among them.

    Raises:
        DataError: The file holds no corrections, the row has another correction in it, or who or why is missing.
        RunError: The file cannot be written.
    """
    _refuse_unsigned(correction)
    header, text = list(FIELDS), ""
    if path.exists():
        known = {entry.row: entry for entry in read_corrections(path).entries}
        _refuse_other(path, known.get(correction.row), correction)
        if correction.row in known:
            return read_corrections(path)
        header, text = _as_it_is(path)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, header, restval="", lineterminator="\n")
    if not text:
        writer.writeheader()
    writer.writerow({name: harmless(value) for name, value in asdict(correction).items()})
    between = "" if not text or text.endswith("\n") else "\n"
    storage.write_text(path, f"{text}{between}{buffer.getvalue()}")
    return read_corrections(path)


def correction_of(source: SourceTable, data: Data, row: int, decided: tuple[str, str, str, str]) -> Correction:
    """A correction of one row, known by its text.

    Args:
        source: The table with the labels that it gives.
        data: Names the columns with text and label.
        row: Which row.
        decided: The right label, who decided, why, and when (ISO 8601).
    """
    text, label = (flat(source.table[name])[row].as_py() or "" for name in (data.text, data.label))
    return Correction(row, text_digest(text), label.strip(), *decided)


def _refuse_unsigned(correction: Correction) -> None:
    missing = [name for name in ("new_label", "who", "why") if not getattr(correction, name).strip()]
    if missing:
        raise DataError(
            f"The correction of row {correction.row:,} does not say {' or '.join(missing)}.",
            "The right label, who decided and why, for every correction.",
            "Fill in what is missing.",
        )


def _refuse_other(path: Path, known: Correction | None, correction: Correction) -> None:
    """Two people may not correct one row differently without knowing of each other."""
    if known is not None and known.new_label != correction.new_label:
        raise DataError(
            f"Row {correction.row:,} was corrected to {known.new_label!r} by {known.who} already.",
            "One new label a row.",
            f"Decide together, and change the line in {path.name}.",
        )


def _as_it_is(path: Path) -> tuple[list[str], str]:
    """Header and text of a file of corrections."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    header = next(csv.reader(io.StringIO(text.removeprefix("\ufeff"))), [])
    if not set(FIELDS) <= set(header):
        raise DataError(
            f"{path.name} is not a CSV file with commas in UTF-8, so no line can be added to it.",
            f"A CSV file whose first line holds {', '.join(FIELDS)}.",
            "Save it as CSV with commas, or add the line by hand.",
        )
    return header, text
