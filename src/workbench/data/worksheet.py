"""The table of doubts that a person works through: filled in, it is a file of corrections.

Texts stand in it only where the person who exports it asks for them; every cell is safe to open in a spreadsheet.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from workbench.data.corrections import FIELDS, text_digest
from workbench.data.roles import flat
from workbench.data.table import SourceTable
from workbench.metrics.doubts import Doubt
from workbench.recipe import Data
from workbench.storage.cells import harmless

COLUMNS = ("place", "row", "split", "old_label", "suggested", "reason", "p_old", "p_suggested")
TO_FILL = ("new_label", "who", "why", "when")


def worksheet(doubts: Iterable[Doubt], source: SourceTable, data: Data, *, texts: bool = False) -> str:
    """Labels in doubt as CSV, with empty columns for what a person decides.

    Args:
        doubts: In the order in which they are to be looked at.
        source: The table that they are about.
        data: Names its text column.
        texts: Whether the texts are written into it.

    Returns:
        CSV with the columns of a file of corrections among others; ``new_label``, ``who``, ``why``, ``when`` empty.
    """
    column = flat(source.table[data.text])
    header = [*COLUMNS, *(["text"] if texts else []), *TO_FILL, "text_sha256"]
    assert set(FIELDS) <= set(header)  # noqa: S101  (what is filled in has to be readable as corrections)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    for place, doubt in enumerate(doubts, start=1):
        text = column[doubt.row].as_py() or ""
        sure = ["" if p is None else f"{p:.3f}" for p in (doubt.given_probability, doubt.suggested_probability)]
        cells = [place, doubt.row, doubt.split, doubt.given, doubt.suggested, doubt.reason, *sure]
        cells += [text] if texts else []
        writer.writerow([harmless(cell) for cell in [*cells, "", "", "", "", text_digest(text)]])
    return buffer.getvalue()
