"""What a table must be before it is split: checks of its values, all of them before anything is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.data.problems import Problem, count, listed, nearest, rows_listed
from workbench.data.roles import as_mask, blank, flat
from workbench.recipe import Data

LONGEST_CELL = 1_000_000
"""Bytes that a cell may have; a longer one is nearly always a quotation mark that is never closed."""

GIVEN_SPLITS = ("train", "validation", "pool", "reserve", "test")


def value_problems(table: pa.Table, data: Data, about: str) -> list[Problem]:
    """Everything that is wrong with the values of a table.

    Args:
        table: The used columns as ``large_string``, empty cells null.
        data: The recipe's part.
        about: What the table is called.
    """
    if table.num_rows == 0:
        return [
            Problem(
                f"{about} has a header and no rows.",
                "A table with some labelled rows of each class.",
                "Choose another file, or fill this one.",
            )
        ]
    columns = {name: flat(table[name]) for name in table.column_names}
    problems: list[Problem] = []
    for name, values in columns.items():
        problems += cell_problems(name, values, about)
    problems += id_problems(columns, data, about)
    problems += predicate_problems(columns, data, about)
    problems += label_problems(columns[data.label], data, about)
    problems += split_problems(columns, data, about)
    return problems


def cell_problems(name: str, values: pa.Array, about: str) -> Iterator[Problem]:
    """NUL bytes and cells longer than the limit."""
    nul = np.flatnonzero(as_mask(pc.match_substring(values, "\0")))
    if len(nul):
        yield Problem(
            f"Column {name!r} of {about} has NUL bytes in {count(len(nul), 'cell')} ({rows_listed(nul)}).",
            "Text without NUL bytes.",
            "Export the table again; if it was saved as UTF-16, say encoding: utf-16 in data.source.",
        )
    lengths = pc.binary_length(values).fill_null(0).to_numpy(zero_copy_only=False)
    long = np.flatnonzero(lengths > LONGEST_CELL)
    if len(long):
        yield Problem(
            f"Column {name!r} of {about} has {count(len(long), 'cell')} longer than {LONGEST_CELL / 1e6:.0f} MB "
            f"({rows_listed(long)}; the longest has {lengths.max() / 1e6:.1f} MB).",
            f"Cells of at most {LONGEST_CELL / 1e6:.0f} MB.",
            "Look for a quotation mark that is never closed; cut or remove such rows.",
        )


def id_problems(columns: Mapping[str, pa.Array], data: Data, about: str) -> Iterator[Problem]:
    """Ids that are missing or stand twice."""
    if data.id is None:
        return
    values = columns[data.id]
    missing = np.flatnonzero(blank(values))
    if len(missing):
        yield Problem(
            f"{count(len(missing), 'row')} of {about} without an id in {data.id!r} ({rows_listed(missing)}).",
            "A unique id in every row.",
            "Fill them, or leave data.id out of the recipe: rows are then known by their number.",
        )
    first = pc.index_in(values, values.unique())
    counts = np.bincount(first.to_numpy(zero_copy_only=False).astype(np.int64))
    twice = np.flatnonzero(counts > 1)
    names = [value for value in values.unique().take(pa.array(twice[:5])).to_pylist() if value is not None]
    if names:
        yield Problem(
            f"Ids in {data.id!r} of {about} stand in more than one row ({len(twice):,} of them), "
            f"for example {listed(names)}.",
            "Ids that are unique.",
            "Remove the repeated rows, or leave data.id out of the recipe: rows are then known by their number.",
        )


def predicate_problems(columns: Mapping[str, pa.Array], data: Data, about: str) -> Iterator[Problem]:
    """Predicates and excluded classes that name a value the table does not have."""
    predicates = {"train_where": data.splits.train_where, "test_where": data.splits.test_where}
    predicates |= {f"further_tests.{name}.where": rule.where for name, rule in data.splits.further_tests.items()}
    asked = [
        (f"data.splits.{field}.{column}", column, values)
        for field, predicate in predicates.items()
        for column, values in predicate.items()
    ]
    asked.append(("data.exclude_classes", data.label, list(data.exclude_classes)))
    for field, column, values in asked:
        known = columns[column].unique().drop_null().to_pylist() if values else []
        for value in values:
            if value not in known:
                near = nearest(value, known)
                yield Problem(
                    f"Column {column!r} of {about} has no value {value!r} ({field})."
                    + (f" Did you mean {near!r}?" if near else ""),
                    f"One of its values: {listed(sorted(known), 20)}.",
                    f"Correct {field} in the recipe.",
                )


def label_problems(labels: pa.Array, data: Data, about: str) -> Iterator[Problem]:
    """Labels that no classifier could be made from, or that a person has to decide on first."""
    stated = labels.filter(pa.array(~blank(labels)))
    stated = stated.filter(pc.invert(pc.is_in(stated, pa.array(data.exclude_classes, pa.large_string()))))
    classes = sorted(stated.unique().to_pylist())
    if len(classes) < 2:
        found = f"only the class {classes[0]!r}" if classes else "no label at all"
        left_out = ", classes left out not counted" if data.exclude_classes else ""
        yield Problem(
            f"Column {data.label!r} of {about} has {found}{left_out}.",
            "At least two classes.",
            "Name another label column, or add rows of another class.",
        )
    elif len(stated) < 2 * len(spellings(classes)):
        yield Problem(
            f"Column {data.label!r} of {about} has {len(classes):,} different values in {len(stated):,} labelled rows: "
            "fewer than two labels a class.",
            "A few classes with several rows each (50 a class is a good start).",
            "Name another label column (this one looks like an id), or gather classes into fewer.",
        )
    else:
        yield from alike_problems(classes, data, about)


def spellings(classes: list[str]) -> dict[str, list[str]]:
    """Class names by what is left of them without case and white space."""
    found: dict[str, list[str]] = {}
    for name in classes:
        found.setdefault("".join(name.casefold().split()), []).append(name)
    return found


def alike_problems(classes: list[str], data: Data, about: str) -> Iterator[Problem]:
    """Classes whose names differ only by case or white space: a person says whether they are one."""
    alike = [" and ".join(map(repr, names)) for names in spellings(classes).values() if len(names) > 1]
    if alike:
        yield Problem(
            f"Labels in column {data.label!r} of {about} differ only by case or spaces: {listed(alike, 20)}.",
            "One way to write each class; the workbench does not guess whether they are the same.",
            "Write them alike in the table if they are one class, rename one if they are not, or leave one out "
            "with data.exclude_classes.",
        )


def split_problems(columns: Mapping[str, pa.Array], data: Data, about: str) -> Iterator[Problem]:
    """A split column that says something else than splits, or lacks a needed one."""
    if data.splits.column is None:
        return
    values = columns[data.splits.column]
    found = sorted(value for value in values.unique().drop_null().to_pylist() if value.strip())
    for value in found:
        if value not in GIVEN_SPLITS and not value.startswith("test_"):
            near = nearest(value, GIVEN_SPLITS) or {"dev": "validation", "val": "validation"}.get(value.lower())
            yield Problem(
                f"Column {data.splits.column!r} of {about} has the value {value!r}."
                + (f" Did you mean {near!r}?" if near else ""),
                f"One of {', '.join(GIVEN_SPLITS)}, or test_<name>; an empty cell leaves the row out.",
                "Correct the values in the table.",
            )
    for needed in ("train", "test"):
        if needed not in found:
            yield Problem(
                f"Column {data.splits.column!r} of {about} names no {needed} rows.",
                "At least train and test (validation is taken out of train where it is missing).",
                f"Mark some rows as {needed}, or use splits: {{by: random}}.",
            )
    if data.splits.further_tests:
        yield Problem(
            "data.splits.further_tests is given together with a split column.",
            "One of the two.",
            "Write test_<name> into the split column, or remove further_tests from the recipe.",
        )
