"""Personal data counted: how much stands where, and how much of what was planted the scan finds.

Counts are over all rows of the run: nothing is sampled, so they have no interval. What the scan itself misses is
measured on invented sentences, as a proportion with an exact interval; a count of zero is no more than that recall lets
it be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.metrics.intervals import clopper_pearson

Row = dict[str, Any]
OF_DATA = "data"
"""Stands where rows of other checks name a candidate: these are of the table itself."""
GENERATED = "generated"
"""The split of the invented sentences."""
FEWEST = 30


def score_personal(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Rows of metrics.json from the evidence of the scan, or from that of its recall.

    Args:
        table: ``personal.parquet`` (row, column, split, type, start, length) or ``personal-recall.parquet``
            (sentence, locale, type, start, length, planted, found).
        settings: Of the check: ``kinds``; of the scan also ``text`` and ``rows`` (column to split to rows looked
            through).

    Returns:
        ``personal:<type>``, findings of a type, and ``personal:any``, rows with at least one, by split (slice ``all``
        for the text column, ``column=<name>`` for others); or ``personal_recall:<type>`` (slice ``all`` or
        ``locale=<locale>``), ``personal_false_alarms``, on the split ``generated``.
    """
    return recall_rows(table, settings) if "planted" in table.column_names else count_rows(table, settings)


def count_rows(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Counts by column, split and type; of columns other than the text only types that were found."""
    rows = []
    for column, splits in settings["rows"].items():
        slice_name = "all" if column == settings["text"] else f"column={column}"
        for split, n in splits.items():
            here = table.filter(pc.and_(pc.equal(table["column"], column), pc.equal(table["split"], split)))
            found = counted(here["type"])
            touched = pc.count_distinct(here["row"]).as_py()
            rows.append(counted_row(split, slice_name, "personal:any", touched, n))
            for kind in settings["kinds"]:
                number = found.get(kind["name"], 0)
                if number or slice_name == "all":
                    rows.append(counted_row(split, slice_name, f"personal:{kind['name']}", number, n))
    return rows


def counted(values: pa.ChunkedArray) -> dict[str, int]:
    """How often each value occurs."""
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(values).to_pylist()}


def counted_row(split: str, slice_name: str, metric: str, value: int, n: int) -> Row:
    """A row that counts."""
    row: Row = {"candidate": OF_DATA, "split": split, "slice": slice_name, "metric": metric, "value": value}
    row |= {"low": None, "high": None, "n": n, "method": f"count over all {n:,} rows", "seed": None, "against": None}
    return row | {"reason": "a count of all rows, not a sample: no interval"}


def recall_rows(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Recall by type and by locale, and the share of sentences without personal data that raised an alarm."""
    planted = table.filter(table["planted"])
    rows = []
    for kind in settings["kinds"]:
        of_kind = planted.filter(pc.equal(planted["type"], kind["name"]))
        metric = f"personal_recall:{kind['name']}"
        rows.append(proportion_row("all", metric, of_kind["found"]))
        for locale in sorted(pc.unique(of_kind["locale"]).to_pylist()):
            here = of_kind.filter(pc.equal(of_kind["locale"], locale))
            rows.append(proportion_row(f"locale={locale}", metric, here["found"]))
    with_something = pc.is_in(table["sentence"], planted["sentence"].combine_chunks())
    rest = table.filter(pc.invert(with_something))
    alarms = rest.group_by("sentence").aggregate([("found", "any")])["found_any"]
    return [*rows, proportion_row("all", "personal_false_alarms", alarms)]


def proportion_row(slice_name: str, metric: str, hits: pa.ChunkedArray) -> Row:
    """A proportion with its exact interval; under 30 no point, without any no bounds either."""
    values = np.asarray(hits.to_numpy(), dtype=bool)
    n, found = len(values), int(values.sum())
    row: Row = {"candidate": OF_DATA, "split": GENERATED, "slice": slice_name, "metric": metric}
    low, high = clopper_pearson(found, n) if n else (None, None)
    row |= {"value": found / n if n >= FEWEST else None, "low": low, "high": high, "n": n}
    row |= {"method": f"Clopper–Pearson, {n:,} sentences" if n else "none", "seed": None, "against": None}
    return row if n >= FEWEST else row | {"reason": f"{n} sentences: below {FEWEST} no figure is given"}
