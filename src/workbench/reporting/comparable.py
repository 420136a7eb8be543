"""The candidates of one or more runs as points to compare, and which of them may stand on one front.

Scores from different tables, columns, metrics or test rows say nothing about each other, and times from different
machines neither: such points go into separate groups, with the reason in words. Reads the runs' files only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.metrics.pareto import Dominance, Place, dominance
from workbench.metrics.wording import difference_from_row, metric_name, verdict
from workbench.reporting.evidence import NOT_MEASURED, Evidence, Row, read_evidence, role

METERED = ("A", "B")
UNSTEADY = 2.0
"""Times that lie less than this factor apart are not told apart. A median's interval holds the calls of one sitting;
the same candidates in four runs on one machine had medians up to 1.75 times apart, with intervals of a few per cent."""


@dataclass(frozen=True)
class Axis:
    """Something that counts.

    Attributes:
        key: Its name in a point.
        name: What it is called in a sentence.
        unit: Unit of its values; nothing for a score.
        higher: Whether more is better.
        log: Whether its values span orders of magnitude.
        needed: Whether a point without it cannot be placed; an axis that is not needed is left out where any lacks it.
        unsteady: By which factor two measurements of the same thing may differ, besides their intervals.
    """

    key: str
    name: str
    unit: str = ""
    higher: bool = False
    log: bool = False
    needed: bool = True
    unsteady: float = 1.0


QUALITY = Axis("quality", "quality", higher=True)
AXES = (
    QUALITY,
    Axis("latency", "time for one text", "ms", log=True, unsteady=UNSTEADY),
    Axis("size", "size", "MB", log=True),
    Axis("calibration", "calibration error", needed=False),
    Axis("energy", "energy per 1,000 texts", "mWh", log=True, needed=False),
)


@dataclass(frozen=True)
class Measure:
    """A figure on one axis, or why there is none.

    Attributes:
        value: ``None`` where there is none.
        low: Lower bound.
        high: Upper bound.
        n: Rows or repeats behind it.
        method: How the interval was made.
        reason: Why there is no value, or no interval.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    method: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Setting:
    """What has to be the same for two points to be comparable."""

    table: str
    columns: str
    metric: str
    split: str
    rows: str
    hardware: str


DIFFERS = {
    "table": "they were made on different tables",
    "columns": "they sort another column, or by another label",
    "metric": "their primary metrics differ",
    "split": "their headline splits differ",
    "rows": "their test rows are not the same",
    "hardware": "their times are from different machines",
}


@dataclass(frozen=True)
class Point:
    """A candidate of a run.

    Attributes:
        run: The run, ``<recipe>/<time>-<hex>``.
        candidate: Its name in the run.
        recommended: Whether the run recommends it.
        seeds: Number of seeds of the run.
        setting: What it was measured on.
        measures: Its figure on each axis, by the axis' key.
        beats: Candidates of its run that a paired comparison found it better than in quality.
        carried: The candidate whose times it carries, where they are not its own.
    """

    run: str
    candidate: str
    recommended: bool
    seeds: int
    setting: Setting
    measures: Mapping[str, Measure]
    beats: frozenset[str] = field(default=frozenset())
    carried: str | None = None

    @property
    def role(self) -> str:
        """Baseline, teacher, student, compressed, control or selftrain."""
        return role(self.candidate)


@dataclass(frozen=True)
class Group:
    """Points that may be compared with each other.

    Attributes:
        points: Those that have a value on every axis.
        axes: Quality and whatever else they are compared in.
        found: Who is ahead of whom.
        left_out: Points and axes that are left out and why, in sentences.
    """

    points: tuple[Point, ...]
    axes: tuple[Axis, ...]
    found: Dominance | None
    left_out: tuple[str, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        """Of each point whether it is on the front, possibly on it, or dominated."""
        return self.found.places if self.found else ()

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs of the points, in their order."""
        return tuple(dict.fromkeys(point.run for point in self.points))

    @property
    def metric(self) -> str:
        """The quality's name in a sentence."""
        return metric_name(self.points[0].setting.metric) if self.points else "quality"

    def called(self, axis: Axis) -> str:
        """An axis in a sentence; the quality by its metric."""
        return self.metric if axis.key == "quality" else axis.name

    def ahead_of(self, at: int) -> int | None:
        """Place of the point that a point is most clearly behind; ``None`` for one on the front."""
        if self.found is None or self.places[at] == "front":
            return None
        those = np.flatnonzero((self.found.certain if self.places[at] == "dominated" else self.found.by_value)[:, at])
        front = [one for one in those if self.places[one] == "front"] or list(those)
        ahead = self.found.ahead[:, at].sum(axis=1)
        return int(max(front, key=lambda one: (self.points[one].recommended, ahead[one], -one)))


def points_of(folders: Iterable[Path]) -> list[Point]:
    """Every candidate of some runs.

    Args:
        folders: Runs' folders; one that is given twice counts once.

    Returns:
        The points, runs in the order given, candidates as a person compares them.

    Raises:
        RunError: One is no run's folder, or one of its files cannot be understood.
        RecipeError: A run's recipe cannot be read.
    """
    unique = {folder.resolve(): folder for folder in folders}
    return [point for folder in unique.values() for point in points_in(read_evidence(folder))]


def points_in(evidence: Evidence) -> list[Point]:
    """Every candidate of one run."""
    seen = evidence.folder.resolve()
    rows = _test_rows(evidence)
    machine = next((str(row["hardware"]) for row in evidence.measurements if row.get("hardware")), "")
    points = []
    for name in evidence.candidates:
        latency = evidence.measured(name, "latency_p50_ms") or {}
        points.append(
            Point(
                run=f"{seen.parent.name}/{seen.name}",
                candidate=name,
                recommended=name == evidence.recommended,
                seeds=max(len(evidence.seeds), 1),
                setting=_setting(evidence, rows, str(latency.get("hardware") or machine)),
                measures=_measures(evidence, name),
                beats=_beaten(evidence, name),
                carried=latency.get("measured_on"),
            )
        )
    return points


def groups_of(points: Sequence[Point]) -> list[Group]:
    """Points that may be compared, together; in the order of their first one."""
    apart: dict[Setting, list[Point]] = {}
    for point in points:
        apart.setdefault(point.setting, []).append(point)
    return [_group(one) for one in apart.values()]


def why_apart(points: Sequence[Point]) -> list[str]:
    """Why some points cannot stand on one front, a sentence for each further group; none where all can."""
    settings = list(dict.fromkeys(point.setting for point in points))
    said = []
    for at, other in enumerate(settings[1:], start=2):
        nearest = min(range(at - 1), key=lambda one: len(_differing(settings[one], other)))
        reasons = [DIFFERS[name] for name in _differing(settings[nearest], other)]
        said.append(f"Group {at} is not compared with group {nearest + 1}: {'; '.join(reasons)}.")
    return said


def _differing(one: Setting, other: Setting) -> list[str]:
    """What differs; of a different table nothing more is said than that."""
    names = [item.name for item in fields(Setting) if getattr(one, item.name) != getattr(other, item.name)]
    return ["table", *(name for name in names if name == "hardware")] if "table" in names else names


def _setting(evidence: Evidence, rows: str, hardware: str) -> Setting:
    data = evidence.recipe.data
    return Setting(
        table=str(evidence.run.get("data_digest") or f"unknown: {evidence.folder.name}"),
        columns=f"{data.text} → {data.label}",
        metric=evidence.primary,
        split=evidence.headline,
        rows=rows,
        hardware=hardware,
    )


def _test_rows(evidence: Evidence) -> str:
    """Digest of the numbers of the headline's rows, of the first seed; the run's own name where they are not known."""
    file = evidence.folder / "data" / "rows.parquet"
    if not file.is_file():
        return f"unknown: {evidence.folder.name}"
    table = pq.read_table(file)
    table = table.filter(pc.equal(table["split"].cast("string"), evidence.headline))
    if "seed" in table.column_names and table.num_rows:
        table = table.filter(pc.equal(table["seed"], pc.min(table["seed"])))
    rows = np.sort(table["row"].to_numpy().astype(np.int64))
    return hashlib.sha256(rows.tobytes()).hexdigest()


def _measures(evidence: Evidence, name: str) -> dict[str, Measure]:
    latency, size = evidence.measured(name, "latency_p50_ms"), evidence.measured(name, "size_mb")
    return {
        "quality": _measure(evidence.score(name, evidence.headline)),
        "latency": _measure(latency),
        "size": _measure(size),
        "calibration": _measure(evidence.score(name, evidence.headline, "ece")),
        "energy": _energy(evidence.measured(name, "energy_wh_per_1000")),
    }


def _measure(row: Row | None, factor: float = 1.0) -> Measure:
    if row is None:
        return Measure(None, reason=NOT_MEASURED)
    value, low, high = (None if row.get(key) is None else factor * float(row[key]) for key in ("value", "low", "high"))
    return Measure(value, low, high, row.get("n"), str(row.get("method") or ""), str(row.get("reason") or ""))


def _energy(row: Row | None) -> Measure:
    """Energy in mWh, only where a meter or the hardware's own counter measured it."""
    if row is None or row.get("value") is None or row.get("class") in METERED:
        return _measure(row, 1000.0)
    reason = f"estimated from time (class {row.get('class')}), not metered: it would repeat the time, not add to it"
    return Measure(None, reason=reason)


def _beaten(evidence: Evidence, name: str) -> frozenset[str]:
    """Candidates that this one is better than, by the paired comparisons of the run."""
    found = set()
    for row in evidence.metrics:
        if row.get("against") is None or (row["metric"], row["split"]) != (evidence.primary, evidence.headline):
            continue
        if row.get("slice", "all") != "all" or row.get("seed") is not None:
            continue
        said, pair = verdict(difference_from_row(row)), (row["candidate"], row["against"])
        if (said == "better" and pair[0] == name) or (said == "worse" and pair[1] == name):
            found.add(pair[1] if said == "better" else pair[0])
    return frozenset(found)


def _group(points: Sequence[Point]) -> Group:
    """The front of comparable points, with what had to be left out."""
    axes, left_out = [], []
    for axis in AXES:
        lacking = [point for point in points if point.measures[axis.key].value is None]
        if not lacking or (axis.needed and len(lacking) < len(points)):
            axes.append(axis)
        else:
            left_out.append(_axis_left_out(axis, lacking, len(points)))
    placed = [point for point in points if all(point.measures[axis.key].value is not None for axis in axes)]
    for point in points:
        lacks = next((axis for axis in axes if point.measures[axis.key].value is None), None)
        if lacks:
            reason = point.measures[lacks.key].reason or NOT_MEASURED
            left_out.append(f"{point.candidate} of {point.run} is not placed: no {lacks.name} ({reason}).")
    if QUALITY not in axes:
        return Group((), (), None, tuple(left_out))
    return Group(tuple(placed), tuple(axes), _compared(placed, axes), tuple(left_out))


def _axis_left_out(axis: Axis, lacking: Sequence[Point], points: int) -> str:
    reasons = dict.fromkeys(point.measures[axis.key].reason or NOT_MEASURED for point in lacking)
    who = "no candidate has one" if len(lacking) == points else f"{len(lacking)} of {points} candidates have none"
    return f"{axis.name[:1].upper()}{axis.name[1:]} is not an axis here: {who} ({'; '.join(reasons)})."


def _compared(points: Sequence[Point], axes: Sequence[Axis]) -> Dominance:
    """Dominance among the points; their paired comparisons within a run count on the axis of quality."""

    def column(end: str, power: float = 0.0) -> list[list[float]]:
        found = [[getattr(point.measures[axis.key], end) for axis in axes] for point in points]
        wider = [axis.unsteady**power for axis in axes]
        return [[np.nan if one is None else one * by for one, by in zip(row, wider, strict=True)] for row in found]

    known = np.zeros((len(points), len(points), len(axes)), dtype=bool)
    for a, first in enumerate(points):
        for b, second in enumerate(points):
            known[a, b, 0] = first.run == second.run and second.candidate in first.beats
    higher = [axis.higher for axis in axes]
    return dominance(column("value"), column("low", -0.5), column("high", 0.5), higher=higher, known=known)
