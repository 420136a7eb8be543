"""From the evidence of off-domain texts to rows of metrics.json: detection and false flags, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.metrics.decisions import share_of
from workbench.metrics.scoring import Plan, Row

OFF_DOMAIN = "off-domain"


def score_novelty(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Score the evidence of check_novelty.

    Args:
        table: Columns candidate, split, kind, row, group, novelty, flagged, confidence, sent.
        settings: Of the check: flag, kinds, seed; resamples and confidence where they are not the usual ones.

    Returns:
        For each candidate: flagged and sent on split off-domain, slice kind=<kind> (detection), and false_flags and
        sent_own on reserve and tests, slice all. Where no flag was fitted, flagged and false_flags have a reason.
    """
    plan = Plan(
        classes=(),
        resamples=int(settings.get("resamples", 2_000)),
        confidence=float(settings.get("confidence", 0.95)),
    )
    missing = str(settings["flag"].get("reason") or "") if settings["flag"].get("threshold") is None else ""
    rows: list[Row] = []
    for candidate in pc.unique(table["candidate"]).to_pylist():
        mine = table.filter(pc.equal(table["candidate"], candidate))
        for kind in pc.unique(mine["kind"]).to_pylist():
            part = mine.filter(pc.equal(mine["kind"], kind))
            rows += _rows(candidate, kind, part, plan, missing)
    return rows


def _rows(candidate: str, kind: str, part: pa.Table, plan: Plan, missing: str) -> list[Row]:
    split = part["split"][0].as_py()
    foreign = split == OFF_DOMAIN
    names = ("flagged", "sent") if foreign else ("false_flags", "sent_own")
    found = []
    for metric, column in zip(names, ("flagged", "sent"), strict=True):
        interval = share_of(part[column].to_numpy().astype(bool), np.asarray(part["group"].to_numpy()), plan)
        row: Row = {"candidate": candidate, "split": split, "slice": f"kind={kind}" if foreign else "all"}
        row |= {"metric": metric, "value": interval.value, "low": interval.low, "high": interval.high}
        row |= {"n": interval.n, "method": interval.method, "seed": None, "against": None}
        row |= {"reason": interval.reason} if interval.reason else {}
        if missing and column == "flagged":
            row |= {"value": None, "low": None, "high": None, "method": "none", "reason": missing}
        found.append(row)
    return found
