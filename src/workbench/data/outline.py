"""What the columns of an unknown table look like, in numbers and without showing a value."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from workbench.data.columns import as_text
from workbench.data.roles import blank, flat

LONG, SOME = 40, 20


@dataclass(frozen=True)
class Column:
    """What is known of a column without showing a value.

    Attributes:
        name: Its name.
        kind: ``text``, ``classes``, ``unique``, ``same``, ``empty``, ``number``.
        different: Number of different values.
        empty: Share of rows without one.
        singles: Values that stand in one row only.
    """

    name: str
    kind: str
    different: int
    empty: float
    singles: int


def outline(table: pa.Table, most_classes: int = 500) -> dict[str, Column]:
    """Look at every column.

    Args:
        table: Any columns.
        most_classes: Different values up to which a column may be one of classes.
    """
    return {name: _column(table, name, most_classes) for name in table.column_names}


def _column(table: pa.Table, name: str, most_classes: int) -> Column:
    read, problems = as_text(table.select([name]), [name], "the table")
    if problems or not table.num_rows:
        return Column(name, "empty", 0, 1.0, 0)
    values = flat(read[name])
    there = values.filter(pa.array(~blank(values)))
    counts = pc.value_counts(there).field("counts").to_numpy(zero_copy_only=False)
    length = pc.mean(pc.utf8_length(there)).as_py() or 0.0
    number = pa.types.is_integer(table[name].type) or pa.types.is_floating(table[name].type)
    kind = _kind(len(counts), len(there), most_classes, "number" if number else "text")
    if kind == "text" and len(counts) == len(there) > SOME and length < LONG and not _words(there):
        kind = "unique"
    return Column(name, kind, len(counts), 1 - len(there) / table.num_rows, int((counts == 1).sum()))


def _kind(different: int, filled: int, most_classes: int, otherwise: str) -> str:
    """What a column looks like, from how many values it has."""
    if different < 2:
        return "same" if different else "empty"
    return "classes" if different <= most_classes and different * 2 <= filled else otherwise


def _words(values: pa.Array) -> bool:
    """Whether most values have a space in them: phrases, and no ids."""
    return bool((pc.mean(pc.match_substring(values, " ").cast(pa.int8())).as_py() or 0.0) > 0.5)
