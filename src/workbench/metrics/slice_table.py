"""From the predictions of a run to the evidence on slices, a line an example: wrong or not, abstained or not, whose.

The table holds nothing that predictions and data/rows.parquet do not hold; it is their join, narrowed. No texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.metrics.evidence import join_rows
from workbench.metrics.group_tests import Grouped
from workbench.metrics.scores import Float64Array, IntArray

MISSING = "(missing)"
SLICE = "slice:"
"""Stands before the name of a slice column, which may be called like one of the others."""


def slice_table(
    predictions: Mapping[str, pa.Table],
    rows: pa.Table,
    slices: Sequence[str],
    *,
    thresholds: Mapping[str, float] | None = None,
) -> pa.Table:
    """Join the predictions of some candidates on the tests with the slices of their rows.

    Args:
        predictions: Candidate to its predictions (seed, row, split, label, prediction, p_<class>).
        rows: data/rows.parquet.
        slices: Names of slice columns, each one in rows.
        thresholds: Candidate to the probability below which it sends a row to a person; others never abstain.

    Returns:
        Columns candidate, seed, split, row, group, label, wrong, abstained (null where there is no threshold) and
        slice:<name>; rows without a label are left out.

    Raises:
        RunError: If a predicted row is not in rows.
    """
    thresholds = thresholds or {}
    attributes = pa.table(
        {"row": rows["row"]}
        | ({"group": rows["group"].cast(pa.string())} if "group" in rows.column_names else {})
        | {f"{SLICE}{one}": rows[one].cast(pa.string()).fill_null(MISSING) for one in slices}
    )
    pieces = []
    for name, table in predictions.items():
        tested = table.filter(pc.and_(pc.starts_with(table["split"], "test"), pc.is_valid(table["label"])))
        joined = join_rows(tested, attributes)
        label, prediction = (joined[one].cast(pa.string()) for one in ("label", "prediction"))
        group = joined["group"] if "group" in attributes.column_names else pa.nulls(len(joined), pa.string())
        columns = {
            "candidate": pa.array([name] * len(joined), pa.string()),
            "seed": joined["seed"].cast(pa.int64()),
            "split": joined["split"].cast(pa.string()),
            "row": joined["row"].cast(pa.int64()),
            "group": group,
            "label": label,
            "wrong": pc.not_equal(label, prediction),
            "abstained": _abstained(joined, thresholds.get(name)),
        }
        pieces.append(pa.table(columns | {f"{SLICE}{one}": joined[f"{SLICE}{one}"] for one in slices}))
    return pa.concat_tables(pieces).combine_chunks() if pieces else pa.table({})


def _abstained(table: pa.Table, threshold: float | None) -> pa.Array:
    """Whether the highest probability of each row lies below the threshold; null without one."""
    names = [name for name in table.column_names if name.startswith("p_")]
    if threshold is None or not names:
        return pa.nulls(len(table), pa.bool_())
    highest = np.max([table[name].to_numpy() for name in names], axis=0) if len(table) else np.zeros(0)
    return pa.array(highest < threshold)


@dataclass(frozen=True)
class Part:
    """One candidate on one split, a line a row, several seeds averaged.

    Attributes:
        candidate: Its name.
        split: The split.
        wrong: Share of the seeds in which a row is wrong (rows,).
        abstained: Share of the seeds in which it is sent to a person (rows,), or None.
        labels: Class of each row (rows,), from 0.
        units: Independent unit of each row (rows,), from 0.
        clustered: Whether units hold several rows.
        slices: Attribute to the value of each row (rows,).
        seeds: Number of seeds.
    """

    candidate: str
    split: str
    wrong: Float64Array
    abstained: Float64Array | None
    labels: IntArray
    units: IntArray
    clustered: bool
    slices: dict[str, npt.NDArray[np.str_]]
    seeds: int = 1

    def grouped(self, codes: IntArray, groups: int, outcome: Float64Array | None = None) -> Grouped:
        """The rows in groups.

        Args:
            codes: Number of each row's group (rows,); rows below 0 are left out.
            groups: Number of groups.
            outcome: What is counted (rows,); None for wrong.

        Returns:
            Outcome, group and unit of the rows.
        """
        kept = codes >= 0
        outcome = self.wrong if outcome is None else outcome
        _, units = np.unique(self.units[kept], return_inverse=True)
        clustered = self.clustered and len(np.unique(units)) < int(kept.sum())
        return Grouped(outcome[kept], codes[kept], groups, units, clustered)


def parts(table: pa.Table) -> Iterator[Part]:
    """Read the evidence candidate by candidate and split by split.

    Args:
        table: From slice_table.

    Yields:
        Parts with at least one row.
    """
    if not table.num_rows:
        return
    names = [name for name in table.column_names if name.startswith(SLICE)]
    for split in sorted(pc.unique(table["split"]).to_pylist()):
        of_split = table.filter(pc.equal(table["split"], split))
        for candidate in pc.unique(of_split["candidate"]).to_pylist():
            yield _part(of_split.filter(pc.equal(of_split["candidate"], candidate)), candidate, split, names)


def _part(table: pa.Table, candidate: str, split: str, names: Sequence[str]) -> Part:
    """One candidate on one split; a row of several seeds becomes one."""
    _, first, line_of = np.unique(table["row"].to_numpy(), return_index=True, return_inverse=True)
    times = np.bincount(line_of)

    def mean(name: str) -> Float64Array:
        values = table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
        return np.asarray(np.bincount(line_of, weights=values) / times)

    lines = table.take(pa.array(first))
    units, clustered = unit_codes(lines["group"])
    return Part(
        candidate,
        split,
        mean("wrong"),
        None if table["abstained"].null_count else mean("abstained"),
        codes_of(lines["label"]),
        units,
        clustered,
        {name.removeprefix(SLICE): np.asarray(lines[name].to_pylist(), dtype=np.str_) for name in names},
        len(pc.unique(table["seed"])),
    )


def codes_of(column: pa.ChunkedArray) -> IntArray:
    """A number for each distinct value (rows,), from 0; null is -1.

    Args:
        column: Any values.
    """
    flat = column.combine_chunks()
    flat = flat.combine_chunks() if isinstance(flat, pa.ChunkedArray) else flat
    return np.asarray(flat.dictionary_encode().indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False))


def unit_codes(groups: pa.ChunkedArray) -> tuple[IntArray, bool]:
    """The independent unit of each row: its group, or itself where it has none.

    Args:
        groups: Group of each row; null where there is none.

    Returns:
        Units (rows,) from 0, and whether one of them holds several rows.
    """
    codes = codes_of(groups)
    own = np.where(codes < 0, codes.max(initial=-1) + 1 + np.arange(len(codes)), codes)
    names, units = np.unique(own, return_inverse=True)
    return units, len(names) < len(codes)
