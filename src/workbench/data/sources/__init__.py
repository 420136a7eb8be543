"""Sources: a table from a file, an object, a hub data set or an installed package, as Arrow text columns.

``read`` collects everything that is wrong with a table before it refuses it. Nothing is fetched from
anywhere unless ``download`` says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.data import readers
from workbench.data.checks import value_problems
from workbench.data.columns import as_text, column_problems, digest, used_columns
from workbench.data.problems import refuse
from workbench.data.sources import files, hub, objects
from workbench.data.table import SourceTable
from workbench.errors import DataError
from workbench.recipe import Data, Source

__all__ = ["peek", "read"]


def read(source: Source, *, data: Data, base: Path, table: object | None = None, download: bool = False) -> SourceTable:
    """Read the columns that a recipe uses.

    Args:
        source: Where the table comes from.
        data: Names the columns.
        base: Folder that a relative path starts from: the recipe's.
        table: The object itself, with ``source: {table: given}``: a pandas frame, a ``datasets.Dataset``
            or an Arrow table.
        download: Whether a hub data set may be fetched.

    Raises:
        DataError: If the table is missing, unreadable or unfit; lists every problem found.
    """
    raw, described, about = raw_table(source, data, base, table, download)
    refuse(column_problems(data, raw.column_names, about), about)
    texts, problems = as_text(raw, list(used_columns(data)), about)
    refuse(problems or value_problems(texts, data, about), about)
    whole = digest(texts)
    found = SourceTable(texts, whole, complete(described, texts.num_rows, whole))
    if data.corrections is None:
        return found
    from workbench.data.corrections import apply_corrections, read_corrections

    return apply_corrections(found, read_corrections(base / data.corrections), data)


def raw_table(
    source: Source, data: Data, base: Path, table: object | None, download: bool
) -> tuple[pa.Table, dict[str, Any], str]:
    """The table as it is, what is known about it, and what messages call it."""
    if source.path is not None:
        path = base / source.path
        read_file = files.read(path, source, data)
        return read_file.table, read_file.described, path.name
    if source.package is not None:
        assert source.reader is not None  # noqa: S101  (the recipe's own check)
        made = readers.read(source.reader, source.package)
        return made.table, made.described, f"The table of reader {source.reader}"
    if source.hub is not None:
        found = hub.read(source, data, base, download=download)
        return found.table, found.described, f"The data set {source.hub}"
    if table is None:
        raise DataError(
            "The recipe says that its table is given in Python, and none was.",
            "A pandas frame, a datasets.Dataset or an Arrow table handed to run().",
            "Call wb.run(recipe, table=frame), or name a file in data.source.path.",
        )
    return objects.arrow(table), {"name": "a table given in Python"}, "The given table"


def complete(described: dict[str, Any], rows: int, whole: str) -> dict[str, Any]:
    """The description with every key, unknown ones said to be so."""
    known = {
        "name": "",
        "version": f"sha256 {whole[:12]}",
        "licence": "not stated",
        "url": "",
        "redistributable": False,
        "notes": [],
    }
    return {**known, **described, "rows": rows}


def peek(path: Path, encoding: str | None = None) -> pa.Table:
    """A file with all its columns, before there is a recipe: for ``workbench new`` and ``columns_guess``.

    Args:
        path: The file.
        encoding: Of a text file; UTF-8 when ``None``.

    Raises:
        DataError: If the file is missing or unreadable.
    """
    return files.read(path, Source(path=str(path), encoding=encoding), None).table
