"""From the prediction tables of a run to arrays that can be scored: checked, ordered alike, split by split.

Refuses tables that were not made for the same rows: a paired comparison of different rows is no comparison. Rows
without a label are left out and lower n; an unscored example is not a wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import RunError
from workbench.metrics.scores import FloatArray, IntArray

_MISSING = "(missing)"


@dataclass(frozen=True)
class Evidence:
    """One split of a run: what is true of its rows, and what every candidate said of them, seeds stacked.

    Attributes:
        seeds: Seed of each row (rows,).
        rows: Row number in the source table (rows,).
        labels: True classes (rows,).
        groups: Number of each row's group (rows,), or None.
        slices: For each attribute, its value for each row (rows,).
        predictions: For each candidate its predicted classes (rows,).
        probabilities: For each candidate that has them, (rows, classes).
    """

    seeds: IntArray
    rows: IntArray
    labels: IntArray
    groups: IntArray | None
    slices: dict[str, npt.NDArray[np.str_]]
    predictions: dict[str, IntArray]
    probabilities: dict[str, FloatArray]

    def where(self, keep: npt.NDArray[np.bool_]) -> Evidence:
        """The part of the rows that is kept.

        Args:
            keep: True or False (rows,).

        Returns:
            Evidence of those rows.
        """
        return Evidence(
            self.seeds[keep],
            self.rows[keep],
            self.labels[keep],
            None if self.groups is None else self.groups[keep],
            {name: values[keep] for name, values in self.slices.items()},
            {name: values[keep] for name, values in self.predictions.items()},
            {name: values[keep] for name, values in self.probabilities.items()},
        )

    def units(self) -> tuple[IntArray, int, bool]:
        """What can be drawn independently: groups where rows share one, else rows; the same ones in every seed.

        Returns:
            The unit of each row (rows,), the number of units, and whether they are groups.
        """
        names, unit_of = np.unique(self.rows, return_inverse=True)
        if self.groups is None:
            return unit_of, len(names), False
        groups, group_of = np.unique(self.groups, return_inverse=True)
        clustered = len(groups) < len(names)
        return (group_of, len(groups), True) if clustered else (unit_of, len(names), False)


def join_rows(predictions: pa.Table, rows: pa.Table) -> pa.Table:
    """Add the columns of data/rows.parquet (group, slices) to a table of predictions.

    Args:
        predictions: With a column row.
        rows: One or more lines for each row number; the first one counts, `split` and `seed` are not taken.

    Returns:
        The predictions in their order, with the columns that they did not have.

    Raises:
        RunError: If a predicted row is not in rows.
    """
    known, first = np.unique(rows["row"].to_numpy(), return_index=True)
    wanted = predictions["row"].to_numpy()
    place = np.searchsorted(known, wanted)
    place[place == len(known)] = 0
    if len(wanted) and (not len(known) or not np.array_equal(known[place], wanted)):
        stray = [int(row) for row in wanted if row not in set(known.tolist())][:3]
        raise RunError(
            f"Predictions are there for rows that the run does not know: {', '.join(map(str, stray))}.",
            "Every predicted row stands in data/rows.parquet.",
            "Run the recipe again with --fresh; the run's folder was changed after it was written.",
        )
    taken = rows.take(pa.array(first[place]))
    for name in taken.column_names:
        if name not in {*predictions.column_names, "split", "seed", "row"}:
            predictions = predictions.append_column(name, taken[name])
    return predictions


def read_evidence(
    predictions: Mapping[str, pa.Table], classes: tuple[str, ...], *, group: str = "group", slices: tuple[str, ...] = ()
) -> dict[str, Evidence]:
    """Check the tables of all candidates against each other and order them alike.

    Args:
        predictions: For each candidate a table with seed, row, split, label, prediction (class names or numbers),
            p_<class> where known, and the columns of join_rows.
        classes: Names of the classes, in the order of their numbers.
        group: Name of the group column; where there is none, rows count as independent.
        slices: Names of the slice columns.

    Returns:
        Evidence for each split, in order of name.

    Raises:
        RunError: If columns are missing, a class is not known, or two candidates were not run on the same rows.
    """
    ordered = {name: _ordered(name, table) for name, table in predictions.items()}
    if not ordered:
        return {}
    lead_name, lead = next(iter(ordered.items()))
    for name, table in ordered.items():
        if not lead.select(["split", "seed", "row"]).equals(table.select(["split", "seed", "row"])):
            raise _not_alike(name, lead_name)
    labels = _classes_of(lead["label"], classes, f"label of {lead_name}")
    has_groups = group in lead.column_names and lead[group].null_count < lead.num_rows
    everything = Evidence(
        lead["seed"].to_numpy(),
        lead["row"].to_numpy(),
        labels,
        _groups_of(lead[group], lead["row"].to_numpy()) if has_groups else None,
        {one: _names_of(lead[one]) for one in slices if one in lead.column_names},
        {name: _classes_of(table["prediction"], classes, f"prediction of {name}") for name, table in ordered.items()},
        {name: found for name, table in ordered.items() if (found := _probabilities(table, classes)) is not None},
    )
    for name, predicted in everything.predictions.items():
        if (predicted < 0).any():
            raise _bad_table(name, "it has rows without a prediction")
    split = _names_of(lead["split"])
    return {str(one): everything.where((split == one) & (labels >= 0)) for one in np.unique(split)}


def _ordered(name: str, table: pa.Table) -> pa.Table:
    """The table in order of split, seed and row, with plain columns."""
    missing = sorted({"seed", "row", "split", "label", "prediction"} - set(table.column_names))
    if missing:
        raise _bad_table(name, f"it has no column {', '.join(missing)}")
    keys = {"split": pa.string(), "seed": pa.int64(), "row": pa.int64()}
    for key, kind in keys.items():
        table = table.set_column(table.column_names.index(key), key, table[key].cast(kind))
    ordered = table.sort_by([(key, "ascending") for key in keys]).combine_chunks()
    same = [ordered[key].to_numpy()[1:] == ordered[key].to_numpy()[:-1] for key in keys]
    if np.logical_and.reduce(same).any():
        raise _bad_table(name, "it holds a row twice for one seed and split")
    return ordered


def _classes_of(column: pa.ChunkedArray, classes: tuple[str, ...], what: str) -> IntArray:
    """Class numbers (rows,), -1 where there is none."""
    if pa.types.is_integer(column.type):
        numbers = column.cast(pa.int64()).fill_null(-1).to_numpy()
        wrong = column.filter(pa.array((numbers >= len(classes)) | ((numbers < 0) & ~column.is_null().to_numpy())))
    else:
        found = pc.index_in(column.cast(pa.string()), value_set=pa.array(classes, pa.string()))
        numbers = found.cast(pa.int64()).fill_null(-1).to_numpy()
        wrong = column.filter(pc.and_(found.is_null(), column.is_valid()))
    if len(wrong):
        raise RunError(
            f"The {what} holds {wrong[0].as_py()!r}, which is none of the run's {len(classes)} classes.",
            f"One of: {', '.join(classes[:6])}{' …' if len(classes) > 6 else ''}",
            "Run the recipe again with --fresh; the predictions do not belong to this run.",
        )
    return np.asarray(numbers)


def _groups_of(column: pa.ChunkedArray, rows: IntArray) -> IntArray:
    """A number for each group; a row without a group is its own."""
    codes = column.combine_chunks().dictionary_encode().indices.cast(pa.int64()).fill_null(-1).to_numpy()
    return np.where(codes < 0, -1 - rows, codes)


def _names_of(column: pa.ChunkedArray) -> npt.NDArray[np.str_]:
    """The values as words, with a word for none."""
    return np.asarray(column.cast(pa.string()).fill_null(_MISSING).to_pylist(), dtype=np.str_)


def _probabilities(table: pa.Table, classes: tuple[str, ...]) -> FloatArray | None:
    """(rows, classes), or None where they are not all there."""
    columns = [f"p_{name}" for name in classes]
    if not set(columns) <= set(table.column_names) or any(table[name].null_count for name in columns):
        return None
    stacked: npt.NDArray[Any] = np.stack([table[name].to_numpy() for name in columns], axis=1)
    return stacked


def _bad_table(name: str, fault: str) -> RunError:
    """A table of predictions that cannot be read."""
    return RunError(
        f"The predictions of {name} cannot be scored: {fault}.",
        "One line for each seed, split and row, with label and prediction.",
        "Run the recipe again with --fresh.",
    )


def _not_alike(name: str, other: str) -> RunError:
    """Two candidates with different rows."""
    return RunError(
        f"The predictions of {name} and {other} are not for the same rows, splits and seeds.",
        "Every candidate is run on the same rows, so that differences are paired.",
        "Run the recipe again with --fresh.",
    )
