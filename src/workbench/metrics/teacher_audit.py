"""How often a teacher says what the given labels say, and whether a student may learn from it.

Agreement beyond chance is Cohen's kappa. A weak teacher is no reason to stop: students of teachers that agreed less
than the baseline have been better than both. Only one that is not shown to agree better than chance is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.metrics.intervals import Interval
from workbench.metrics.kappa import FEWEST, cohen_kappa, kappa_interval, share_interval

Row = dict[str, Any]
SCHEMA = pa.schema(
    [
        ("candidate", pa.string()),
        ("split", pa.string()),
        ("row", pa.int64()),
        ("group", pa.int64()),
        ("label", pa.int32()),
        ("said", pa.int32()),
        ("confidence", pa.float64()),
    ]
)
"""Columns of the evidence: a line for each labelled row that the teacher, or its fold's head, had not learned from."""
BANDS = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01))
"""Bounds of the bands of the teacher's highest probability: from the first, below the second."""
RULE = (
    "Stop where the teacher is no better than chance: where the 95 % interval of Cohen's kappa between its "
    "out-of-sample answers and the given labels does not lie above 0 (where there is no interval, or fewer than 30 "
    "rows: where kappa itself is not above 0). Go otherwise, with every warning."
)


@dataclass(frozen=True)
class TeacherVerdict:
    """Whether a student may learn from a teacher.

    Attributes:
        go: Whether distillation may begin.
        rule: How that was decided.
        sentence: The finding, with n and interval.
        warnings: What should be known all the same, a sentence each.
        kappa: Kappa on all out-of-sample rows; ``None`` where it cannot be computed.
        low: Lower bound.
        high: Upper bound.
        n: Rows.
    """

    go: bool
    rule: str
    sentence: str
    warnings: tuple[str, ...]
    kappa: float | None
    low: float | None
    high: float | None
    n: int


def score_teacher_audit(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Agreement of the teacher with the given labels.

    Args:
        table: Evidence with the columns of SCHEMA.
        settings: ``classes``, ``seed``.

    Returns:
        Rows of metrics.json: kappa and agreement on ``labelled`` (all out-of-sample rows) and on each split; agreement
        by ``label=<class>``; agreement and mean_confidence by ``confidence=<band>``.
    """
    rows: list[Row] = []
    for candidate in dict.fromkeys(table["candidate"].to_pylist()):
        own = table.filter(pc.equal(table["candidate"], candidate))
        splits = list(dict.fromkeys(own["split"].to_pylist()))
        parts = {"labelled": own} | {one: own.filter(pc.equal(own["split"], one)) for one in splits}
        for split, part in parts.items():
            found = [("all", "kappa", _kappa(part, len(settings["classes"]))), ("all", "agreement", _agreement(part))]
            found += list(_by_class(part, settings["classes"])) + list(_by_confidence(part)) if part is own else []
            rows += [_row(candidate, split, *one, settings["seed"]) for one in found]
    return rows


def teacher_verdict(table: pa.Table, settings: Mapping[str, Any]) -> TeacherVerdict:
    """Stop or go, by the rule of this module.

    Args:
        table: Evidence of one teacher.
        settings: ``classes``.
    """
    classes, rows = list(settings["classes"]), table.num_rows
    labels, said = (table[name].to_numpy().astype(np.int64) for name in ("label", "said"))
    found, value = _kappa(table, len(classes)), cohen_kappa(labels, said, len(classes))
    if not rows:
        sentence = "Nothing is known of the teacher: no labelled row is out of its sample."
        return TeacherVerdict(True, RULE, sentence, (sentence,), None, None, None, 0)
    known = bool(np.isfinite(value))
    sure = known and rows >= FEWEST and found.low is not None
    go = (found.low or 0.0) > 0 if sure else known and value > 0
    bounds = "no interval" if found.low is None else f"95 % interval {found.low:.2f} to {found.high:.2f}"
    agreed = int((labels == said).sum())
    sentence = f"The teacher says what the given label says on {agreed:,} of {rows:,} rows that it had not learned from"
    point = f"kappa {value:.2f}, {bounds}" if found.value is not None else f"too few for a kappa; its {bounds}"
    sentence += f" ({point}): " if known else ": "
    more = "more than chance." if sure else "more than chance in these rows, which are too few to show it."
    sentence += more if go else "not shown to be more than chance."
    warnings = () if not go else tuple(_warnings(table, found, classes, sure=sure))
    return TeacherVerdict(go, RULE, sentence, warnings, value if known else None, found.low, found.high, rows)


def _warnings(table: pa.Table, found: Interval, classes: list[str], *, sure: bool) -> Iterator[str]:
    """What a person should know though the teacher may go on."""
    if not sure:
        yield f"{table.num_rows:,} rows show next to nothing of a teacher; a few hundred labelled rows would."
    labels, said = (table[name].to_numpy() for name in ("label", "said"))
    silent = [name for place, name in enumerate(classes) if (labels == place).sum() >= 5 and not (said == place).any()]
    if silent:
        yield f"The teacher never names {', '.join(silent)}: no student can learn these from it."
    for place, name in enumerate(classes):
        own = labels == place
        share = share_interval(said[own] == place, groups=_groups(table, own))
        other = float((said[~own] == place).mean()) if (~own).any() else 0.0
        if name not in silent and own.sum() >= FEWEST and share.low is not None and share.low <= other:
            yield (
                f"Of {name} the teacher finds {share.value:.0%} ({share.low:.0%} to {share.high:.0%}, "
                f"n = {share.n:,}), and calls {other:.0%} of all other rows so: no better than chance."
            )
    for (low, high), part in _bands(table):
        share, mean = _agreement(part), pc.mean(part["confidence"]).as_py()
        if share.value is not None and share.high is not None and mean is not None and mean > share.high:
            yield (
                f"Where it is {low:.0%} to {min(high, 1):.0%} sure, the teacher agrees with {share.value:.0%} of the "
                f"labels ({share.low:.0%} to {share.high:.0%}, n = {share.n:,}): surer than right."
            )


def _by_class(part: pa.Table, classes: list[str]) -> Iterator[tuple[str, str, Interval]]:
    """Share of each class's rows that the teacher calls so."""
    labels, said = part["label"].to_numpy(), part["said"].to_numpy()
    for place, name in enumerate(classes):
        own = labels == place
        yield f"label={name}", "agreement", share_interval(said[own] == place, groups=_groups(part, own))


def _by_confidence(part: pa.Table) -> Iterator[tuple[str, str, Interval]]:
    """Agreement, and how sure the teacher was, by band of its highest probability."""
    for (low, high), own in _bands(part):
        name = f"confidence={low:g} to {min(high, 1):g}"
        yield name, "agreement", _agreement(own)
        mean, rows = pc.mean(own["confidence"]).as_py(), own.num_rows
        reason = "no rows" if not rows else f"{rows} rows: below {FEWEST} no figure is given" if rows < FEWEST else ""
        yield name, "mean_confidence", Interval(None if reason else mean, None, None, rows, "mean", reason)


def _bands(table: pa.Table) -> Iterator[tuple[tuple[float, float], pa.Table]]:
    """The rows of each band of confidence."""
    sure = table["confidence"].to_numpy()
    for low, high in BANDS:
        yield (low, high), table.filter(pa.array((sure >= low) & (sure < high)))


def _kappa(part: pa.Table, n_classes: int) -> Interval:
    """Kappa of some rows."""
    labels, said = (part[name].to_numpy().astype(np.int64) for name in ("label", "said"))
    return kappa_interval(labels, said, n_classes, groups=_groups(part))


def _agreement(part: pa.Table) -> Interval:
    """Share of rows on which both say the same."""
    return share_interval(part["label"].to_numpy() == part["said"].to_numpy(), groups=_groups(part))


def _groups(part: pa.Table, mask: Any = None) -> Any:
    """Groups of the rows, or of some of them; ``None`` where there are none."""
    if not part.num_rows or part["group"].null_count:
        return None
    groups = part["group"].to_numpy()
    return groups if mask is None else groups[mask]


def _row(candidate: str, split: str, slice_name: str, metric: str, interval: Interval, seed: int) -> Row:
    """A row of metrics.json."""
    row: Row = {"candidate": candidate, "split": split, "slice": slice_name, "metric": metric}
    row |= {"value": interval.value, "low": interval.low, "high": interval.high, "n": interval.n}
    row |= {"method": interval.method, "seed": seed, "against": None}
    return row | ({"reason": interval.reason} if interval.reason else {})
