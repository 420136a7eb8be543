"""A comparison as one chooses to look at it: on another split, by another metric, against one cost.

Nothing is measured or judged anew: the same files of a run, the same points, the same front, of what was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workbench.metrics.wording import points
from workbench.reporting.comparable import (
    AXES,
    UNSTEADY,
    Axis,
    Group,
    Measure,
    Point,
    groups_of,
    points_in,
    why_apart,
)
from workbench.reporting.comparison import compare
from workbench.reporting.evidence import NOT_MEASURED, Evidence, role
from workbench.reporting.findings import references, verdict_of
from workbench.reporting.rounding import rounded
from workbench.reporting.words import score

QUALITIES = ("accuracy", "macro_f1", "micro_f1", "weighted_f1", "top_3_accuracy")
COSTS = ("latency", "rate", "size", "calibration", "energy")
"""What quality can be set against; ``rate`` is the time a row when many are sorted at once."""
ALL = "all"
RATE = Axis("latency", "time a row, many at once", "ms", log=True, unsteady=UNSTEADY)
COLUMNS = ("quality", "calibration", "latency", "rate", "size", "energy", "training")
"""What a table can show of a candidate, and be sorted by."""
NOT_CHOSEN = "it was not chosen"
MISSING = "–"
Seen = tuple[Evidence, Point]


@dataclass(frozen=True)
class Choice:
    """What one wants to see.

    Attributes:
        split: Test split.
        metric: Metric of quality.
        sort: One of `COLUMNS`; anything else is the order in which a person compares candidates.
        falling: Whether the largest, or the last, stands first.
        cost: What quality is set against, one of `COSTS`, or `ALL`.
    """

    split: str
    metric: str
    sort: str = ""
    falling: bool = False
    cost: str = "latency"


def view(evidence: Evidence, split: str, metric: str) -> Evidence:
    """The files of a run with another split and another metric at their head; the recommendation stays what it was."""
    settings = evidence.recipe.evaluation.model_copy(update={"primary": metric})
    recipe = evidence.recipe.model_copy(update={"evaluation": settings})
    return replace(evidence, recipe=recipe, recommendation={**evidence.recommendation, "split": split})


@dataclass(frozen=True)
class Look:
    """Runs as one looks at them.

    Attributes:
        runs: Their files.
        views: The same with the chosen split and metric at their head.
        groups: Points that may be compared, each with the files it comes from.
        apart: Why they are not one group, in sentences.
    """

    runs: tuple[Evidence, ...]
    views: tuple[Evidence, ...]
    groups: tuple[tuple[Seen, ...], ...]
    apart: tuple[str, ...]

    @property
    def headings(self) -> list[str]:
        """The names of the runs, ``<recipe>/<time>-<hex>``, where there are several; else none."""
        seen = [run.folder.resolve() for run in self.runs]
        return [f"{one.parent.name}/{one.name}" for one in seen] if len(seen) > 1 else []

    def named(self, point: Point) -> str:
        """A point's name; with the number of its run where there are several."""
        runs = self.headings
        return f"{point.candidate} ({runs.index(point.run) + 1})" if runs else point.candidate


def look(runs: Sequence[Evidence], choice: Choice) -> Look:
    """Look at runs.

    Args:
        runs: Their files.
        choice: On which split and by which metric.
    """
    views = tuple(view(run, choice.split, choice.metric) for run in runs)
    seen = [(one, point) for one in views for point in points_in(one)]
    settings = dict.fromkeys(point.setting for _, point in seen)
    groups = tuple(tuple(one for one in seen if one[1].setting == setting) for setting in settings)
    return Look(tuple(runs), views, groups, tuple(why_apart([point for _, point in seen])))


def splits_of(runs: Sequence[Evidence]) -> list[str]:
    """Test splits that were scored, the headline first."""
    return list(dict.fromkeys(split for run in runs for split in (run.headline, *run.splits)))


def qualities_of(runs: Sequence[Evidence]) -> list[str]:
    """Metrics of quality, the deciding one first."""
    had = {row["metric"] for run in runs for row in run.metrics}
    return list(dict.fromkeys([*(run.primary for run in runs), *(one for one in QUALITIES if one in had)]))


def costs_of(seen: Sequence[Seen]) -> list[str]:
    """Costs that at least one candidate has a figure for, and `ALL` where there are several."""
    found = [cost for cost in COSTS if any(cost_of(*one, cost).value is not None for one in seen)]
    return [*found, ALL] if len(found) > 1 else found


def cost_of(run: Evidence, point: Point, cost: str) -> Measure:
    """A point's figure on a cost, lower being better; rows a second are turned into milliseconds a row."""
    if cost != "rate":
        return point.measures[cost]
    row = run.measured(point.candidate, "rows_per_second") or {}
    value, low, high = (1e3 / row[end] if row.get(end) else None for end in ("value", "high", "low"))
    return Measure(value, low, high, row.get("n"), reason=str(row.get("reason") or NOT_MEASURED))


def group_on(seen: Sequence[Seen], cost: str) -> Group:
    """Points of one setting with quality and the chosen cost.

    Args:
        seen: Points that may be compared, each with the files it comes from.
        cost: One of `COSTS`, or `ALL`.

    Returns:
        The group; without a point where none has both.
    """
    if cost == ALL:
        return groups_of([point for _, point in seen])[0]
    place = "latency" if cost == "rate" else cost
    hidden = {axis.key: Measure(None, reason=NOT_CHOSEN) for axis in AXES[1:]}
    shown = [replace(one, measures={**one.measures, **hidden, place: cost_of(run, one, cost)}) for run, one in seen]
    group = groups_of(shown)[0]
    axes = tuple(RATE if cost == "rate" and axis.key == "latency" else axis for axis in group.axes)
    return replace(group, axes=axes, left_out=tuple(one for one in group.left_out if NOT_CHOSEN not in one))


def table(seen: Sequence[Seen], choice: Choice) -> list[tuple[Point, dict[str, Measure]]]:
    """Points with their figure in every one of `COLUMNS`, sorted; those without the figure stand last.

    Args:
        seen: Points, each with the files it comes from.
        choice: By what they are sorted.
    """
    sort, falling = choice.sort, choice.falling
    rows = [(point, _columns(run, point)) for run, point in seen]
    if sort not in COLUMNS:
        return rows[::-1] if falling else rows
    known = [row for row in rows if row[1][sort].value is not None]
    known.sort(key=lambda row: row[1][sort].value or 0.0, reverse=falling)
    return known + [row for row in rows if row[1][sort].value is None]


def _columns(run: Evidence, point: Point) -> dict[str, Measure]:
    """A candidate's figures; the method of an energy is its class."""
    row = compare(replace(run, candidates=(point.candidate,)))[0]
    rate = run.measured(point.candidate, "rows_per_second") or {}
    found = {key: point.measures[key] for key in ("quality", "calibration", "latency", "size")}
    reason = str(rate.get("reason") or NOT_MEASURED)
    found["rate"] = Measure(rate.get("value"), rate.get("low"), rate.get("high"), rate.get("n"), reason=reason)
    for key, names, by in (
        ("energy", ("energy_wh_per_1000", "energy_low", "energy_high", "energy_class"), 1000.0),
        ("training", ("training_g_co2e", "training_low", "training_high", "training_class"), 1.0),
    ):
        value, low, high = (None if row[name] is None else by * row[name] for name in names[:3])
        reason = row["absent"].get(names[0], "")
        found[key] = Measure(value, low, high, method=str(row[names[3]] or ""), reason=reason)
    return {key: found[key] for key in COLUMNS}


def figure_text(column: str, measure: Measure) -> str:
    """A figure with its interval; a score with three decimals, an energy with its class."""
    value, low, high = rounded(measure.value, measure.low, measure.high)
    if column in ("quality", "calibration") and measure.value is not None:
        value, low, high = ("" if one is None else score(one) for one in (measure.value, measure.low, measure.high))
    class_ = f" ({measure.method})" if column in ("energy", "training") and value else ""
    return f"{value} [{low}, {high}]{class_}" if low else f"{value}{class_}" if value else MISSING


def differences(run: Evidence) -> list[tuple[str, str, str, str]]:
    """Who was compared with the baseline, a control, the teacher or what it was made from, on the split at the head.

    Args:
        run: The files, as `view` looks at them.

    Returns:
        Of each pair the candidate, the other one, the difference in points with its interval, what may be said.
    """
    found = []
    for name in run.candidates:
        others = references(name) if role(name) in ("student", "compressed") else ("baseline",)
        for other in others:
            row = run.score(name, run.headline, against=other)
            if row is not None:
                low, high = (row.get(end) for end in ("low", "high"))
                ends = "" if low is None or high is None else f" [{points(low, sign=True)}, {points(high, sign=True)}]"
                value = MISSING if row.get("value") is None else points(row["value"], sign=True)
                found.append((name, other, f"{value}{ends}", verdict_of(row)))
    return found
