"""From the answers to changed texts to robustness curves; a pure function of the evidence.

Every point has its interval from a bootstrap that draws whole groups, and its loss against the clean texts is taken on
the same resamples, so that the two are paired.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.metrics.evidence import Evidence, read_evidence
from workbench.metrics.paired import difference_of
from workbench.metrics.resampled import Resampled, resample

Row = dict[str, Any]
CLEAN = "none"
"""The perturbation of texts as they stand; its level is empty."""
FEWEST = 30
SCHEMA = pa.schema(
    [
        ("candidate", pa.string()),
        ("seed", pa.int64()),
        ("row", pa.int64()),
        ("group", pa.int64()),
        ("perturbation", pa.string()),
        ("level", pa.string()),
        ("label", pa.string()),
        ("prediction", pa.string()),
        ("probability", pa.float64()),
    ]
)
"""Columns of the evidence: a line for each candidate, row and condition."""


def condition(perturbation: str, level: str) -> str:
    """The slice of a point of a curve.

    Args:
        perturbation: Its name, or CLEAN.
        level: As in the evidence.

    Returns:
        ``all`` for the clean texts, else ``typos=0.05`` and the like.
    """
    return "all" if perturbation == CLEAN else f"{perturbation}={level}"


def score_robustness(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """The primary metric of each candidate under each condition, and its change against the clean texts.

    Args:
        table: Evidence with the columns of SCHEMA.
        settings: ``classes``, ``primary``, ``resamples``, ``confidence``, ``seed``.

    Returns:
        Rows of metrics.json, split ``robustness``: the primary metric with slice ``all`` (clean) or
        ``<perturbation>=<level>``, and ``<primary>_change`` (changed less clean, paired) with p for each changed one.
    """
    rows: list[Row] = []
    for name in dict.fromkeys(table["candidate"].to_pylist()):
        own = table.filter(pc.equal(table["candidate"], name))
        part, conditions = _resampled(own, settings)
        rows += [_point(name, part, one, settings) for one in conditions]
        rows += [_change(name, part, one, settings) for one in conditions if one != "all"]
    return rows


def _resampled(own: pa.Table, settings: Mapping[str, Any]) -> tuple[Resampled, list[str]]:
    """All conditions of one candidate on the same resamples; a condition takes the place of a candidate."""
    pairs = dict.fromkeys(zip(own["perturbation"].to_pylist(), own["level"].to_pylist(), strict=True))
    tables = {}
    for perturbation, level in pairs:
        chosen = pc.and_(pc.equal(own["perturbation"], perturbation), pc.equal(own["level"], level))
        part = own.filter(chosen)
        tables[condition(perturbation, level)] = part.append_column("split", pa.array(["test"] * part.num_rows))
    classes = tuple(settings["classes"])
    evidence: Evidence = read_evidence(tables, classes)["test"]
    found = resample(
        evidence,
        classes,
        resamples=int(settings["resamples"]),
        seed=int(settings["seed"]),
        only=(settings["primary"],),
        fewest=FEWEST,
        confidence=float(settings["confidence"]),
    )
    return found, list(tables)


def _point(name: str, part: Resampled, one: str, settings: Mapping[str, Any]) -> Row:
    """One point of a curve."""
    metric, seed = str(settings["primary"]), part.seeds[0]
    row: Row = {"candidate": name, "split": "robustness", "slice": one, "metric": metric}
    n = part.support(metric, seed)
    if n < FEWEST:
        absent = {"value": None, "low": None, "high": None, "n": n, "method": "none", "seed": None, "against": None}
        return row | absent | {"reason": f"{n} rows: below {FEWEST} no figure is given"}
    found = part.interval(one, metric, seed)
    row |= {"value": found.value, "low": found.low, "high": found.high, "n": n, "method": found.method}
    row |= {"seed": None, "against": None}
    row |= {} if found.confidence == 0.95 else {"confidence": found.confidence}
    return row | ({"reason": found.reason} if found.reason else {})


def _change(name: str, part: Resampled, one: str, settings: Mapping[str, Any]) -> Row:
    """What a condition changes against the clean texts."""
    metric, seed = str(settings["primary"]), part.seeds[0]
    row: Row = {"candidate": name, "split": "robustness", "slice": one, "metric": f"{metric}_change"}
    n = part.support(metric, seed)
    if n < FEWEST:
        absent = {"value": None, "low": None, "high": None, "n": n, "method": "none", "seed": None, "against": None}
        return row | absent | {"reason": f"{n} rows: below {FEWEST} no figure is given"}
    value, drawn = part.gap((one, "all"), metric, seed)
    found = difference_of(
        value, np.asarray(drawn), part.drawn(seed), discordant=float(sum(part.only_right((one, "all"), seed)))
    )
    row |= {"value": found.value, "low": found.low, "high": found.high, "n": n, "method": found.method}
    row |= {"seed": None, "against": None}
    row |= {} if found.confidence == 0.95 else {"confidence": found.confidence}
    row |= {} if found.p is None else {"p": found.p}
    row |= {} if found.detectable is None else {"detectable": found.detectable}
    return row | ({"reason": found.reason} if found.reason else {})
