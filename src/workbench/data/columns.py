"""Which columns a recipe uses, whether a table has them, and their values as text.

A column name is never guessed: a wrong one is refused with the nearest name. ``columns_guess`` only
proposes, for ``workbench new``, and a person decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.data.problems import Problem, listed, nearest
from workbench.data.roles import flat
from workbench.recipe import Data

TEXT_NAMES = ("text", "sentence", "description", "message", "body", "content", "comment", "title", "note", "phrase")
LABEL_NAMES = ("label", "class", "category", "target", "topic", "intent", "chapter", "y")


def used_columns(data: Data) -> dict[str, str]:
    """Each column that a recipe names, with the field that names it first, in the recipe's order."""
    named = [("data.text", data.text), ("data.label", data.label), ("data.id", data.id), ("data.group", data.group)]
    named += [("data.slices", column) for column in data.slices]
    named += [("data.splits.column", data.splits.column)]
    named += [("data.splits.train_where", column) for column in data.splits.train_where]
    named += [("data.splits.test_where", column) for column in data.splits.test_where]
    for name, rule in data.splits.further_tests.items():
        named += [(f"data.splits.further_tests.{name}.where", column) for column in rule.where]
    found: dict[str, str] = {}
    for where, column in named:
        if column is not None:
            found.setdefault(column, where)
    return found


def column_problems(data: Data, names: Sequence[str], about: str) -> list[Problem]:
    """A problem for each used column that is missing or stands twice.

    Args:
        data: The recipe's part.
        names: Column names that the table has.
        about: What the table is called, for example its file's name.
    """
    problems = []
    for column, where in used_columns(data).items():
        if column not in names:
            near = nearest(column, names)
            problems.append(
                Problem(
                    f"{about} has no column {column!r} ({where})." + (f" Did you mean {near!r}?" if near else ""),
                    f"One of its columns: {listed(repr(name) for name in names) or 'it has none'}.",
                    f"Correct {where} in the recipe.",
                )
            )
        elif list(names).count(column) > 1:
            problems.append(
                Problem(
                    f"{about} has {list(names).count(column)} columns called {column!r} ({where}).",
                    "Column names that differ.",
                    "Rename one of them in the header.",
                )
            )
    return problems


def as_text(table: pa.Table, wanted: Sequence[str], about: str) -> tuple[pa.Table, list[Problem]]:
    """The wanted columns as ``large_string``, empty cells as null.

    Whole numbers stay whole (a column of 1.0 and 2.0, as pandas makes it when a cell is missing, reads 1 and 2).

    Returns:
        The table with the columns that could be read, and a problem for each that could not.
    """
    columns, problems = {}, []
    for name in wanted:
        try:
            columns[name] = text_column(table[name])
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            problems.append(
                Problem(
                    f"Column {name!r} of {about} cannot be read as text: it is {table[name].type} ({error}).",
                    "A column of text, numbers or dates in valid UTF-8.",
                    "Turn it into one value a row, as text.",
                )
            )
    return pa.table(columns), problems


def text_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """One column as ``large_string``, in the chunks it has.

    Raises:
        pyarrow.ArrowInvalid: If bytes are no UTF-8.
        pyarrow.ArrowNotImplementedError: If the values are lists or records.
    """
    if pa.types.is_nested(column.type):
        raise pa.ArrowNotImplementedError("lists and records are no text")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type) and is_whole(column):
        column = column.cast(pa.int64(), safe=False)
    text = column.cast(pa.large_string())
    text.validate(full=True)
    if any(pc.any(pc.equal(chunk, "")).as_py() for chunk in text.chunks):
        empty = pa.scalar(None, pa.large_string())
        text = pa.chunked_array([pc.if_else(pc.equal(chunk, ""), empty, chunk) for chunk in text.chunks])
    return text


def is_whole(column: pa.ChunkedArray) -> bool:
    """Whether every value that is there is a whole number of moderate size."""
    values = column.drop_null().to_numpy()
    return bool(len(values) and np.all(np.abs(values) < 2**53) and np.all(values == np.floor(values)))


def digest(table: pa.Table) -> str:
    """SHA-256 of names and values, whatever the chunks and the platform.

    For each column: its name, then of every row whether it is there and how many bytes it has, then
    the bytes.
    """
    found = hashlib.sha256()
    for name in table.column_names:
        column = table[name]
        found.update(f"{name}\0{len(column)}\0".encode())
        for chunk in column.chunks:
            lengths = pc.binary_length(chunk).fill_null(-1).to_numpy(zero_copy_only=False)
            found.update(lengths.astype("<i8").tobytes())
        for chunk in column.chunks:
            found.update(content(chunk))
    return found.hexdigest()


def content(values: pa.Array) -> memoryview:
    """The bytes of all values of a ``large_string`` array one after another, without a copy where possible."""
    whole = values.fill_null("") if values.null_count else values
    _, offsets, data = whole.buffers()
    if data is None or len(whole) == 0:
        return memoryview(b"")
    bounds = np.frombuffer(offsets, dtype=np.int64)
    first, last = int(bounds[whole.offset]), int(bounds[whole.offset + len(whole)])
    return memoryview(data)[first:last]


def columns_guess(table: pa.Table) -> tuple[str | None, str | None]:
    """Propose the text column and the label column of a table.

    Text: a known name, else the column with the longest values on average. Label: a known name, else the
    column of the others with the fewest distinct values, at least two of them and at most one for two rows.

    Args:
        table: Any columns; the first 10,000 rows are looked at.

    Returns:
        Column names, ``None`` where nothing fits.
    """
    head = table.slice(0, 10_000)
    columns = {}
    for name in head.column_names:
        read, problems = as_text(head, [name], "the table")
        if not problems:
            columns[name] = flat(read[name])
    text = named(columns, TEXT_NAMES) or longest(columns)
    others = {name: values for name, values in columns.items() if name != text}
    return text, named(others, LABEL_NAMES) or fewest(others)


def named(columns: dict[str, pa.Array], known: Sequence[str]) -> str | None:
    """The first column that bears a known name, in the order of the known names."""
    by_folded = {name.casefold().strip(): name for name in columns}
    return next((by_folded[name] for name in known if name in by_folded), None)


def longest(columns: dict[str, pa.Array]) -> str | None:
    """The column with the longest values on average; ``None`` if all are shorter than five characters."""
    lengths = {name: pc.mean(pc.utf8_length(values)).as_py() or 0.0 for name, values in columns.items()}
    best = max(lengths, key=lambda name: lengths[name], default=None)
    return best if best is not None and lengths[best] >= 5 else None


def fewest(columns: dict[str, pa.Array]) -> str | None:
    """The column with the fewest distinct values that could be classes."""
    counts = {name: pc.count_distinct(values, mode="only_valid").as_py() for name, values in columns.items()}
    fit = {name: count for name, count in counts.items() if 2 <= count <= max(2, len(columns[name]) // 2)}
    return min(fit, key=lambda name: fit[name], default=None)
