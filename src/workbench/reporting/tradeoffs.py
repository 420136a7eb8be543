"""The page “Which trade-offs are there?”: which candidates are worth having when quality is not all that counts.

Its figures are those of `reporting.comparable`, its words say no more than the intervals carry: a candidate is called
dominated only where another one is at least as good on every axis beyond the intervals and apart from it on one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.metrics.pareto import Place
from workbench.reporting import words
from workbench.reporting.comparable import UNSTEADY, Axis, Group, Measure, Point, groups_of, points_in, points_of
from workbench.reporting.evidence import Evidence
from workbench.reporting.figures import to_svg
from workbench.reporting.pages import Figure, Page, Table
from workbench.reporting.rounding import rounded

__all__ = ["as_rows", "page", "place_of", "points_of", "summary"]

PLACES: dict[Place, str] = {"front": "on the front", "possible": "perhaps on the front", "dominated": "dominated"}


def page(evidence: Evidence) -> Page | None:
    """Which trade-offs are there?

    Args:
        evidence: The files of the run's folder.

    Returns:
        The page; None where fewer than two candidates can be placed.
    """
    groups = [group for group in groups_of(points_in(evidence)) if len(group.points) > 1 and len(group.axes) > 1]
    if not groups:
        return None
    group = max(groups, key=lambda one: len(one.points))
    return Page(
        anchor="trade-offs",
        title="Which trade-offs are there?",
        verdict=summary(group),
        sentences=[*_of_recommended(group), *_of_dominated(group), *group.left_out],
        figures=_figures(group),
        tables=[_table(group)],
        how=HOW,
        not_shown=NOT_SHOWN,
        files=("metrics.json", "measurements.json"),
    )


HOW = (
    "A candidate is on the front where, by the measured values, no other is at least as good on every axis and ahead "
    "on one (Pareto dominance).",
    "It is called dominated only where that holds for every value inside the 95 % intervals, or where the run's paired "
    "comparison on the same rows found the difference in quality; where two candidates are the same model in another "
    "training, they share one measurement of time, and that is a tie. Otherwise it is perhaps on the front.",
    f"Two times are told apart only where they differ, beyond their intervals, by a factor of {UNSTEADY:g}: the "
    "interval of a median covers one sitting, and the same model measured again on the same machine has come out up to "
    "1.75 times slower.",
    "Every interval stands for itself; the number of comparisons is not corrected for.",
)
NOT_SHOWN = (
    "Which of the candidates on the front to take: that depends on what a wrong answer, a second and a megabyte cost "
    "where it is used.",
    "Energy, unless it was read from a meter or the hardware's own counter (class A or B): an estimate from time "
    "repeats the time.",
    "Other machines: another processor can change the order of the times.",
)


def place_of(group: Group, at: int) -> str:
    """Where a point stands and, where it is behind, behind whom and in what, in a few words."""
    place, first = PLACES[group.places[at]], group.ahead_of(at)
    if first is None or group.found is None:
        return place
    ahead, sure = group.found.ahead[first, at], group.found.sure[first, at]
    apart = [group.called(axis) for axis, one in zip(group.axes, ahead, strict=True) if one]
    unsure = [group.called(axis) for axis, one in zip(group.axes, sure, strict=True) if not one]
    behind = f"behind {name_of(group, first)}{f' in {words.listing(apart)}' if apart else ' by the values'}"
    return f"{place}: {behind}{f'; {words.listing(unsure)} not told apart' if unsure else ''}"


def name_of(group: Group, at: int) -> str:
    """A point's name; with the number of its run where there are several."""
    point = group.points[at]
    return point.candidate if len(group.runs) < 2 else f"{point.candidate} ({group.runs.index(point.run) + 1})"


def summary(group: Group) -> str:
    """The front in one sentence, with what it rests on."""
    if not group.points:
        return "No candidate has all the figures that a comparison needs."
    axes = words.listing([group.called(axis) for axis in group.axes])
    named = {place: [name_of(group, at) for at, one in enumerate(group.places) if one == place] for place in PLACES}
    sizes = sorted({measure.n for point in group.points if (measure := point.measures["quality"]).n})
    n = " to ".join(words.count(one) for one in dict.fromkeys((sizes[0], sizes[-1]))) if sizes else "not known"
    on = f"{len(named['front'])} of {len(group.points)} candidates ({words.listing(named['front'])})"
    verb = "is" if len(named["front"]) == 1 else "are"
    rest = [f"{len(named['possible'])} more perhaps"] if named["possible"] else []
    rest += [f"{len(named['dominated'])} dominated beyond the intervals"] if named["dominated"] else []
    told = f"; {', '.join(rest)}" if rest else ""
    where = words.split_name(group.points[0].setting.split)
    return f"{on} {verb} on the front of {axes}{told} ({where}, n = {n}; 95 % intervals)."


def _of_recommended(group: Group) -> list[str]:
    found = [at for at, point in enumerate(group.points) if point.recommended]
    return [f"The recommended {name_of(group, at)} is {place_of(group, at)}." for at in found]


def _of_dominated(group: Group) -> list[str]:
    """Who is dominated, by whom, in a sentence for each that dominates."""
    behind: dict[int, list[str]] = {}
    for at, place in enumerate(group.places):
        first = group.ahead_of(at)
        if place == "dominated" and first is not None:
            behind.setdefault(first, []).append(name_of(group, at))
    return [
        f"{name_of(group, first)} dominates {words.listing(names)}: nothing measured here speaks for them."
        for first, names in sorted(behind.items())
    ]


def _figures(group: Group) -> list[Figure]:
    from workbench.reporting.paper_figures import PAGE, drawn_tradeoffs

    with drawn_tradeoffs(group, PAGE) as figure:
        drawing = to_svg(figure, "trade-offs", f"{group.metric} against its costs", summary(group))
    caption = (
        "Up is better, left is cheaper. Filled: on the front; half filled: perhaps; open: dominated. Lines are 95 % "
        "intervals; the dashed line joins the best that each panel's two axes alone allow. A candidate can be on the "
        "front for a cost that another panel shows. Of candidates with about the same cost the highest stands at it, "
        "the others beside it, so that all are seen."
    )
    return [Figure(drawing, caption)]


def _table(group: Group) -> Table:
    headings = [f"{group.called(axis)}{f', {axis.unit}' if axis.unit else ''}" for axis in group.axes]
    rows = []
    for at, point in enumerate(group.points):
        figures = [words_of(point.measures[axis.key], axis) for axis in group.axes]
        rows.append((name_of(group, at), *figures, place_of(group, at)))
    caption = "Every candidate on every axis, with its 95 % interval, and where that puts it."
    return Table(caption, ("candidate", *headings, "place"), tuple(rows), right=tuple(headings))


def words_of(measure: Measure, axis: Axis) -> str:
    """A figure with its interval, as many digits as the interval carries."""
    value, low, high = rounded(measure.value, measure.low, measure.high)
    return value if not low else f"{value} ({low} to {high})"


def as_rows(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Groups as plain values, for ``--json``.

    Args:
        groups: The groups.

    Returns:
        Of each group ``axes``, ``metric``, ``split``, ``hardware``, ``summary``, ``left_out`` and ``points``: ``run``,
        ``candidate``, ``recommended``, ``place`` (``front``, ``possible``, ``dominated``), ``behind`` {run, candidate}
        and of each axis ``{value, low, high, n}``.
    """
    return [_group_row(group) for group in groups]


def _group_row(group: Group) -> dict[str, Any]:
    setting = group.points[0].setting if group.points else None
    return {
        "axes": [{"name": axis.key, "unit": axis.unit or None, "higher_is_better": axis.higher} for axis in group.axes],
        "metric": setting.metric if setting else None,
        "split": setting.split if setting else None,
        "hardware": setting.hardware if setting else None,
        "summary": summary(group),
        "left_out": list(group.left_out),
        "points": [_point_row(group, at, point) for at, point in enumerate(group.points)],
    }


def _point_row(group: Group, at: int, point: Point) -> dict[str, Any]:
    first = group.ahead_of(at)
    behind = None if first is None else group.points[first]
    row: dict[str, Any] = {"run": point.run, "candidate": point.candidate, "recommended": point.recommended}
    row["place"] = group.places[at]
    row["behind"] = None if behind is None else {"run": behind.run, "candidate": behind.candidate}
    for axis in group.axes:
        one = point.measures[axis.key]
        row[axis.key] = {"value": one.value, "low": one.low, "high": one.high, "n": one.n}
    return row
