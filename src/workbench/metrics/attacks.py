"""From the answers to attacked texts to success rates; a pure function of the evidence.

Two shares, each beside that of a neutral control of the same length and their paired difference: rows whose answer
becomes the attacker's class, and rows that were right and become wrong. Rows of one group are drawn together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.metrics.bootstrap import bootstrap_metric
from workbench.metrics.paired import bootstrap_difference

Row = dict[str, Any]
FEWEST = 30
SCHEMA = pa.schema(
    [
        ("candidate", pa.string()),
        ("seed", pa.int64()),
        ("row", pa.int64()),
        ("group", pa.int64()),
        ("attack", pa.string()),
        ("arm", pa.string()),
        ("template", pa.int64()),
        ("characters", pa.int64()),
        ("label", pa.string()),
        ("clean", pa.string()),
        ("target", pa.string()),
        ("prediction", pa.string()),
        ("probability", pa.float64()),
    ]
)
"""Columns of the evidence: a line for each candidate, row, attack and arm (attack or control)."""
Mask = npt.NDArray[np.bool_]


def score_attacks(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Success and harm of every attack, of its control, and the difference.

    Args:
        table: Evidence with the columns of SCHEMA.
        settings: ``targeted`` (attacks that name a class), ``resamples``, ``confidence``, ``seed``.

    Returns:
        Rows of metrics.json, split ``attacks``, slice ``attack=<name>``: for targeted attacks attack_success,
        attack_success_control, attack_success_excess (difference); for all attack_harm, attack_harm_control,
        attack_harm_excess, of the rows that were right before.
    """
    rows: list[Row] = []
    for name in dict.fromkeys(table["candidate"].to_pylist()):
        own = table.filter(pc.equal(table["candidate"], name))
        for attack in dict.fromkeys(own["attack"].to_pylist()):
            part = own.filter(pc.equal(own["attack"], attack))
            first, second = (part.filter(pc.equal(part["arm"], arm)).sort_by("row") for arm in ("attack", "control"))
            key: Row = {"candidate": name, "split": "attacks", "slice": f"attack={attack}"}
            if attack in settings["targeted"]:
                everything = np.ones(first.num_rows, dtype=bool)
                hits = [_same(arm, "prediction", "target") for arm in (first, second)]
                rows += _three(key, "attack_success", hits, (everything, first), settings)
            right = _same(first, "clean", "label")
            wrong = [~_same(arm, "prediction", "label") for arm in (first, second)]
            rows += _three(key, "attack_harm", wrong, (right, first), settings)
    return rows


def _same(table: pa.Table, one: str, other: str) -> Mask:
    """Where two columns agree."""
    return np.asarray(pc.equal(table[one], table[other]).to_numpy(zero_copy_only=False), dtype=bool)


def _three(
    key: Row, metric: str, outcomes: list[Mask], of: tuple[Mask, pa.Table], settings: Mapping[str, Any]
) -> list[Row]:
    """The share under attack, the share under the control, and their difference."""
    keep, table = of
    groups = table["group"].to_numpy()[keep]
    hit, control = (outcome[keep].astype(np.int64) for outcome in outcomes)
    n, ones = int(keep.sum()), np.ones(int(keep.sum()), dtype=np.int64)
    names = (metric, f"{metric}_control", f"{metric}_excess")
    if n < FEWEST:
        absent = {"value": None, "low": None, "high": None, "n": n, "method": "none", "seed": None, "against": None}
        what = "rows that were right before" if metric == "attack_harm" else "rows"
        return [
            key | {"metric": one} | absent | {"reason": f"{n} {what}: at least {FEWEST} are needed"} for one in names
        ]
    drawn: dict[str, Any] = {"groups": groups, "resamples": int(settings["resamples"]), "seed": int(settings["seed"])}
    drawn["confidence"] = float(settings["confidence"])
    found = [
        bootstrap_metric("accuracy", ones, hit, 2, **drawn),
        bootstrap_metric("accuracy", ones, control, 2, **drawn),
        bootstrap_difference("accuracy", ones, hit, control, 2, **drawn),
    ]
    return [_row(key | {"metric": one}, what) for one, what in zip(names, found, strict=True)]


def _row(key: Row, found: Any) -> Row:
    """A row of metrics.json from an interval or a difference."""
    row = key | {"value": found.value, "low": found.low, "high": found.high, "n": found.n, "method": found.method}
    row |= {"seed": None, "against": None}
    row |= {} if found.confidence == 0.95 else {"confidence": found.confidence}
    row |= {} if getattr(found, "p", None) is None else {"p": found.p}
    row |= {} if getattr(found, "detectable", None) is None else {"detectable": found.detectable}
    return row | ({"reason": found.reason} if found.reason else {})
