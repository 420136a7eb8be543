"""The scan of what a run reads: texts, groups and slices of every split; and of the columns of any table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from workbench.data.columns import text_column
from workbench.data.personal.scanning import SCHEMA, Scanner, scan_repeated, scan_texts
from workbench.data.problems import Problem, listed, nearest, refuse
from workbench.data.table import Labelled, Splits, Unlabelled

EVIDENCE = pa.schema([SCHEMA.field(0), ("column", pa.large_string()), ("split", pa.large_string()), *list(SCHEMA)[1:]])
"""``row``, ``column``, ``split``, ``type``, ``start``, ``length``: where something stands, and never what."""


def scan_splits(splits: Splits, by: Scanner, *, text: str = "text", group: str | None = None) -> pa.Table:
    """Look through everything that a run reads of a table.

    Args:
        splits: As ``prepare`` makes them.
        by: What is looked for.
        text: Name of the text column.
        group: Name of the group column.

    Returns:
        A line a finding, as ``EVIDENCE``; ``row`` is the row number of the source table.
    """
    parts = []
    for name, part in split_parts(splits).items():
        for column, values in columns_of(part, text, group).items():
            look = scan_texts if column == text else scan_repeated
            found = look(values, by, heading=column)
            rows = pa.array(part.rows[found["row"].to_numpy()], pa.int64())
            parts.append(evidence(found.set_column(0, "row", rows), column, name))
    return pa.concat_tables(parts)


def split_parts(splits: Splits) -> dict[str, Labelled | Unlabelled]:
    """Every split by its name."""
    learning = {name: getattr(splits, name) for name in ("train", "validation", "pool", "reserve")}
    return {**learning, **splits.tests}


def columns_of(part: Labelled | Unlabelled, text: str, group: str | None) -> dict[str, pa.Array]:
    """The columns of a split that are looked through, each once."""
    found = {text: part.texts}
    if part.groups is not None:
        found.setdefault(group or "group", part.groups)
    for name, values in part.slices.items():
        found.setdefault(name, values)
    return found


def looked_at(splits: Splits, *, text: str = "text", group: str | None = None) -> dict[str, dict[str, int]]:
    """Rows that were looked through, by column and split."""
    counts: dict[str, dict[str, int]] = {}
    for name, part in split_parts(splits).items():
        for column in columns_of(part, text, group):
            counts.setdefault(column, {})[name] = len(part)
    return counts


def evidence(found: pa.Table, column: str, split: str) -> pa.Table:
    """Findings with the column and the split that they stand in."""
    lines = found.num_rows
    names = [pa.array(np.full(lines, name, dtype=object), pa.large_string()) for name in (column, split)]
    values = [found["row"], *names, found["type"], found["start"], found["length"]]
    return pa.table(values, schema=EVIDENCE)


def text_columns(table: pa.Table, wanted: Sequence[str], about: str) -> tuple[dict[str, pa.ChunkedArray], list[str]]:
    """Columns of text that are to be looked through, and the names of those that are not.

    Args:
        table: Any table.
        wanted: Names; all columns of text where there is none.
        about: What the table is called.

    Raises:
        DataError: If a named column is missing or holds no text, or no column does.
    """
    texts = [name for name in table.column_names if is_text(table[name].type)]
    names = list(dict.fromkeys(wanted)) or texts
    problems = [column_problem(table, name, texts, about) for name in names if name not in texts]
    if not names:
        problems.append(
            Problem(
                f"{about} has no column of text.",
                "At least one column of text.",
                "Save numbers that may be telephone numbers or identifiers as text, and scan again.",
            )
        )
    refuse(problems, about)
    left = [name for name in table.column_names if name not in names]
    return {name: text_column(table[name]) for name in names}, left


def is_text(kind: pa.DataType) -> bool:
    """Whether a column's values are strings."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def column_problem(table: pa.Table, name: str, texts: Sequence[str], about: str) -> Problem:
    """What is wrong with a named column."""
    right = f"A column of text: {listed(repr(one) for one in texts) or 'it has none'}."
    if name in table.column_names:
        return Problem(
            f"Column {name!r} of {about} holds {table[name].type}, no text.",
            right,
            "Name another column with --text, or save this one as text.",
        )
    near = nearest(name, table.column_names)
    hint = f" Did you mean {near!r}?" if near else ""
    return Problem(f"{about} has no column {name!r}.{hint}", right, "Name one of them with --text.")


def counts_of(found: pa.Table) -> list[dict[str, Any]]:
    """Findings by column, split and type.

    Args:
        found: As ``EVIDENCE``.

    Returns:
        Of each that occurs ``column``, ``split``, ``type``, ``findings`` and ``rows`` (with at least one).
    """
    keys = ["column", "split", "type"]
    grouped = found.group_by(keys).aggregate([([], "count_all"), ("row", "count_distinct")])
    lines = grouped.sort_by([(name, "ascending") for name in keys]).to_pylist()
    return [
        {**{key: line[key] for key in keys}, "findings": line["count_all"], "rows": line["row_count_distinct"]}
        for line in lines
    ]
