"""From flags before and after to how often a foreign text gets past; a pure function of the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.metrics.proportions import clopper_pearson

Row = dict[str, Any]
FEWEST = 30
SCHEMA = pa.schema(
    [
        ("text", pa.int64()),
        ("language", pa.string()),
        ("foreign", pa.string()),
        ("trick", pa.string()),
        ("before", pa.bool_()),
        ("after", pa.bool_()),
        ("control", pa.bool_()),
    ]
)
"""Columns of the evidence; before, after, control: flagged as it is, with the trick, with as many neutral words."""


def score_evasion(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Share of foreign texts that are flagged, and of these the share that each trick gets past the flag.

    Args:
        table: Evidence with the columns of SCHEMA.
        settings: ``confidence``.

    Returns:
        Rows of metrics.json of the candidate ``all`` (the flag is the same for all of them), split ``evasion``:
        flagged (slice ``all``), evasion_success and evasion_success_control (slice ``trick=…``).
    """
    confidence = float(settings.get("confidence", 0.95))
    tricks = list(dict.fromkeys(table["trick"].to_pylist()))
    rows = []
    for trick in tricks:
        part = table.filter(pc.equal(table["trick"], trick))
        before, after, control = (
            part[name].to_numpy(zero_copy_only=False).astype(bool) for name in ("before", "after", "control")
        )
        if trick == tricks[0]:
            rows.append(_share("all", "flagged", before, confidence))
        for metric, flags in (("evasion_success", after), ("evasion_success_control", control)):
            rows.append(_share(f"trick={trick}", metric, ~flags[before], confidence))
    return rows


def _share(slice_name: str, metric: str, hits: np.ndarray[Any, Any], confidence: float) -> Row:
    """A share with its exact interval."""
    n = len(hits)
    row: Row = {"candidate": "all", "split": "evasion", "slice": slice_name, "metric": metric}
    if n < FEWEST:
        absent = {"value": None, "low": None, "high": None, "n": n, "method": "none", "seed": None, "against": None}
        return row | absent | {"reason": f"{n} flagged texts: at least {FEWEST} are needed"}
    low, high = clopper_pearson(int(hits.sum()), n, confidence)
    row |= {"value": float(hits.mean()), "low": low, "high": high, "n": n, "method": f"Clopper–Pearson, {n} texts"}
    return row | {"seed": None, "against": None} | ({} if confidence == 0.95 else {"confidence": confidence})
