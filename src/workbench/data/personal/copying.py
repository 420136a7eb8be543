"""A copy of a whole table without what the scan sees: the columns of text, each value by the same surrogate everywhere.

Columns that the recipe reads as values (the label, the column of splits, those that rules name) stay as they are.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from workbench.data.personal.columns import is_text
from workbench.data.personal.redacting import new_key, redact
from workbench.data.personal.scanning import Scanner, scan_repeated, scanner
from workbench.data.sources import files
from workbench.errors import DataError
from workbench.recipe import Data

MARK = "-redacted"


def copied_name(table: Path) -> str:
    """What the copy of a table's file is called."""
    return f"{table.name.split('.')[0]}{MARK}.parquet"


def redacted_copy(data: Data, base: Path, *, by: Scanner | None = None, key: bytes | None = None) -> pa.Table:
    """The file that a recipe reads, with surrogates in place of what the scan finds.

    Args:
        data: The recipe's part; names the file and the columns that stay.
        base: Folder that its path starts from.
        by: What is looked for; every type when ``None``.
        key: Of the surrogates; a new one, kept nowhere, when ``None``.

    Raises:
        DataError: The table is no file, its labels are corrected by text, or it cannot be read.
    """
    if data.source.path is None or data.corrections is not None:
        why = "is no file" if data.source.path is None else "has corrections that know rows by their texts"
        raise DataError(
            f"No copy without personal data can be made: the table of this recipe {why}.",
            "A table in a file (data.source.path), without data.corrections.",
            "Save the table as a file, its corrections put in, and name that in the recipe.",
        )
    whole = files.read(base / data.source.path, data.source, None).table
    used, secret = by or scanner(), key or new_key()
    kept = {data.label, data.splits.column, *data.splits.train_where, *data.splits.test_where}
    kept |= {name for rule in data.splits.further_tests.values() for name in rule.where}
    for place, name in enumerate(whole.column_names):
        if name not in kept and is_text(whole[name].type):
            found = scan_repeated(whole[name], used, heading=name)
            whole = whole.set_column(place, name, redact(whole[name], found, secret))
    return whole
