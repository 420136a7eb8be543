"""Figures of a comparison for a page and for print: quality against each cost, and quality with its intervals.

What a candidate is shows in its mark's shape, where it stands in whether the mark is filled: they read in grey and
without telling colours apart. SVG keeps text as text; PNG has 300 dots an inch; the same values give the same bytes.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.metrics.pareto import Place
from workbench.reporting import words
from workbench.reporting.comparable import Axis, Group
from workbench.reporting.figures import ACCENT, INK, LINE, MARKERS, PAPER, SETTINGS, SOFT, plain_log_ticks, spread_out
from workbench.reporting.rounding import rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

DPI = 300
WIDTH = 7.0
"""Inches: the width of a page of two columns."""
NEAR = 0.13
"""Points nearer than this share of a panel's width have their numbers in one column."""
BESIDE = 0.016
"""Points nearer than this share of a panel's width are set beside each other, so that all are seen."""
STEPS = (0, 1, -1, 2, -2)
"""How far from its place a point may be set, in that share."""
MANY = 12
"""With more points than this, dominated ones have neither interval nor number: the table has them."""
MEANING: dict[Place, str] = {
    "front": "on the front",
    "possible": "perhaps on the front",
    "dominated": "dominated",
}


@dataclass(frozen=True)
class Palette:
    """Colours of a figure; none of them carries a meaning alone."""

    ink: str
    soft: str
    line: str
    paper: str
    accent: str
    clear: bool


PAGE = Palette(INK, SOFT, LINE, PAPER, ACCENT, clear=True)
PRINT = Palette("#1a1a1a", "#4d4d4d", "#a6a6a6", "#ffffff", "#0b4f8a", clear=False)
Drawn = Callable[[Group, Palette], "AbstractContextManager[Figure]"]


def paper_figures(group: Group) -> dict[str, bytes]:
    """The figures of a group for print.

    Args:
        group: At least one point on at least one axis.

    Returns:
        Name of a file to its content: ``intervals`` and, with a cost to set quality against, ``tradeoffs``, each as
        ``.svg`` and ``.png``.
    """
    wanted: dict[str, Drawn] = {"intervals": drawn_intervals}
    if len(group.axes) > 1:
        wanted["tradeoffs"] = drawn_tradeoffs
    files = {}
    for name, draw in wanted.items():
        with draw(group, PRINT) as figure:
            for kind, metadata in (("svg", ("Date", "Creator", "Format", "Type")), ("png", ("Software",))):
                buffer = io.BytesIO()
                figure.savefig(buffer, format=kind, dpi=DPI, metadata=dict.fromkeys(metadata))
                files[f"{name}.{kind}"] = buffer.getvalue()
    return files


@contextmanager
def _drawing(palette: Palette, width: float, height: float) -> Iterator[Figure]:
    """An empty figure of so many inches in the colours of a palette."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    swapped = {INK: palette.ink, SOFT: palette.soft, LINE: palette.line, PAPER: palette.paper}
    settings = {key: swapped.get(value, value) if isinstance(value, str) else value for key, value in SETTINGS.items()}
    with mpl.rc_context(settings):  # type: ignore[arg-type]
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.patch.set_alpha(0.0 if palette.clear else 1.0)
        figure.patch.set_facecolor(palette.paper)
        yield figure


@contextmanager
def drawn_tradeoffs(group: Group, palette: Palette) -> Iterator[Figure]:
    """Quality against each further axis, a panel each; a point's number stands beside it and below with its name.

    Args:
        group: Points with quality and one further axis or more.
        palette: Colours.

    Yields:
        The figure, to be saved inside the ``with``.
    """
    costs = group.axes[1:]
    shown = len(_shown(group))
    lines = math.ceil(shown / _columns(group))
    height = max(2.9, 1.1 + 0.125 * shown) + 0.17 * lines + 0.3
    with _drawing(palette, WIDTH + (0.6 if palette.clear else 0.0), height) as figure:
        panels = figure.subplots(1, len(costs), sharey=True, squeeze=False)[0]
        for panel, axis in zip(panels, costs, strict=True):
            _draw_panel(panel, group, axis, palette)
        panels[0].set_ylabel(f"{group.metric} on {words.split_name(group.points[0].setting.split)}")
        _legends(figure, group, palette)
        yield figure


def _draw_panel(panel: Axes, group: Group, axis: Axis, palette: Palette) -> None:
    """One panel: limits, the front of its two axes, intervals, marks, numbers."""
    if axis.log:
        panel.set_xscale("log")
    panel.set_xlim(*_limits(group, axis))
    panel.set_ylim(*_limits(group, group.axes[0]))
    panel.grid(axis="y", color=palette.line, linewidth=0.4, alpha=0.6)
    panel.set_axisbelow(True)
    _draw_front(panel, group, axis, palette)
    places = _side_by_side(panel, group, axis)
    for at, x in enumerate(places):
        _draw_point(panel, group, at, axis, (x, palette))
    _number(panel, group, places, palette)
    if axis.log:
        plain_log_ticks(panel)
    panel.set_xlabel(f"{axis.name}{f', {axis.unit}' if axis.unit else ''}{' (log scale)' if axis.log else ''}")


def _limits(group: Group, axis: Axis) -> tuple[float, float]:
    """Room for all intervals of an axis, and for the numbers beside them."""
    measures = [point.measures[axis.key] for point in group.points]
    ends = [end for one in measures for end in (one.value, one.low, one.high) if end is not None]
    low, high = min(ends), max(ends)
    if axis.log:
        room = max((high / low) ** 0.16, 1.3)
        return low / room, high * room
    room = 0.07 * (high - low) or 0.01
    return low - room, high + room * (1 if axis.key == "quality" else 3)


def _shown(group: Group) -> list[int]:
    """Places of the points that have interval, number and name: all, or of many those that are not dominated."""
    every = range(len(group.points))
    return [at for at in every if len(group.points) <= MANY or group.places[at] != "dominated"]


def _side_by_side(panel: Axes, group: Group, axis: Axis) -> list[float]:
    """Where the points stand: of those with about the same cost the highest at it, the others beside it."""
    move = panel.transData + panel.transAxes.inverted()
    back = move.inverted()
    placed = [float(point.measures[axis.key].value or 0.0) for point in group.points]
    across = [float(move.transform((cost, 0.5))[0]) for cost in placed]
    taken: list[float] = []
    for at in sorted(_shown(group), key=lambda one: -float(group.points[one].measures["quality"].value or 0.0)):
        for step in STEPS:
            x = across[at] + BESIDE * step
            if all(abs(x - other) > 0.8 * BESIDE for other in taken):
                break
        else:
            step, x = 0, across[at]
        taken.append(x)
        if step:
            placed[at] = float(back.transform((x, 0.5))[0])
    return placed


def _draw_front(panel: Axes, group: Group, axis: Axis, palette: Palette) -> None:
    """The best quality that is to be had up to each cost, as a dashed staircase."""
    known = sorted(
        (float(p.measures[axis.key].value or 0), float(p.measures["quality"].value or 0)) for p in group.points
    )
    x: list[float] = []
    y: list[float] = []
    best = -math.inf
    for cost, quality in known:
        if quality > best:
            x, y, best = [*x, cost], [*y, quality], quality
    right = panel.get_xlim()[1]
    panel.step(
        [*x, right], [*y, best], where="post", color=palette.soft, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1
    )


def _draw_point(panel: Axes, group: Group, at: int, axis: Axis, where: tuple[float, Palette]) -> None:
    """One candidate with its intervals."""
    x, palette = where
    point, colour = group.points[at], _colour(group.places[at], palette)
    quality, cost = point.measures["quality"], point.measures[axis.key]
    y = float(quality.value or 0)
    shown = at in _shown(group)
    if shown and quality.low is not None and quality.high is not None:
        panel.plot([x, x], [quality.low, quality.high], color=colour, linewidth=0.8, zorder=2)
    if shown and x == cost.value and cost.low is not None and cost.high is not None and cost.low < cost.high:
        panel.plot([cost.low, cost.high], [y, y], color=colour, linewidth=0.8, zorder=2)
    panel.plot([x], [y], linestyle="none", **_mark(group, at, palette), zorder=4 if group.places[at] == "front" else 3)


def _colour(place: Place, palette: Palette) -> str:
    return {"front": palette.accent, "possible": palette.ink, "dominated": palette.soft}[place]


def _mark(group: Group, at: int, palette: Palette) -> dict[str, Any]:
    """Shape by what it is, filling by where it stands."""
    point, place = group.points[at], group.places[at]
    colour = _colour(place, palette)
    return {
        "marker": MARKERS.get(point.role, "o"),
        "markersize": 6.5,
        "fillstyle": "left" if place == "possible" else "full",
        "markerfacecolor": palette.paper if place == "dominated" else colour,
        "markerfacecoloralt": palette.paper,
        "markeredgecolor": colour,
        "markeredgewidth": 1.0,
        "color": colour,
    }


def _number(panel: Axes, group: Group, places: Sequence[float], palette: Palette) -> None:
    """Each point's number beside it, in a column where points are near each other, with a thin line to its point."""
    move = panel.transData + panel.transAxes.inverted()
    spots = [
        move.transform((x, float(p.measures["quality"].value or 0.0)))
        for x, p in zip(places, group.points, strict=True)
    ]
    columns: list[list[int]] = []
    for at in sorted(_shown(group), key=lambda one: spots[one][0]):
        if columns and spots[at][0] - spots[columns[-1][-1]][0] < NEAR:
            columns[-1].append(at)
        else:
            columns.append([at])
    for column in columns:
        edge = max(spots[at][0] for at in column) + 0.06
        heights = spread_out([spots[at][1] for at in column], 0.048, 0.02, 0.98)
        for at, height in zip(column, heights, strict=True):
            panel.annotate(
                str(at + 1),
                xy=(places[at], float(group.points[at].measures["quality"].value or 0)),
                xytext=(edge, height),
                textcoords="axes fraction",
                ha="left",
                va="center",
                fontsize=7,
                color=palette.ink,
                fontweight="bold" if group.points[at].recommended else "normal",
                arrowprops={"arrowstyle": "-", "color": palette.line, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 4},
                bbox={"facecolor": palette.paper, "edgecolor": "none", "pad": 0.6},
                zorder=2.5,
            )


def _named(group: Group, at: int) -> str:
    point = group.points[at]
    run = f" ({group.runs.index(point.run) + 1})" if len(group.runs) > 1 else ""
    return f"{point.candidate}{run}{' · recommended' if point.recommended else ''}"


def _columns(group: Group) -> int:
    longest = max(len(_named(group, at)) for at in _shown(group)) + 10
    return max(1, min(4, 110 // longest))


def _legends(figure: Figure, group: Group, palette: Palette) -> None:
    """Numbers and names below, what filled and open mean above."""
    from matplotlib.lines import Line2D

    names = [
        Line2D([], [], linestyle="none", label=f"{at + 1}  {_named(group, at)}", **_mark(group, at, palette))
        for at in _shown(group)
    ]
    order = _by_row(names, _columns(group))
    figure.legend(handles=order, loc="outside lower center", ncols=_columns(group), frameon=False, fontsize=7.5)
    _place_legend(figure, group, palette)


def _by_row(handles: Sequence[Line2D], columns: int) -> list[Line2D]:
    """Matplotlib fills a legend column by column; this order makes it read row by row."""
    lines = math.ceil(len(handles) / columns)
    full = len(handles) - columns * (lines - 1)
    grid = [[handles[line * columns + column] for line in range(lines if column < full else lines - 1)]
            for column in range(columns)]  # fmt: skip
    return [one for column in grid for one in column]


def _place_legend(figure: Figure, group: Group, palette: Palette) -> None:
    from matplotlib.lines import Line2D

    shown = []
    for place, text in MEANING.items():
        if place in group.places:
            mark = _mark(group, group.places.index(place), palette) | {"marker": "o"}
            rest = " (see the table)" if place == "dominated" and len(_shown(group)) < len(group.points) else ""
            shown.append(Line2D([], [], linestyle="none", label=f"{text}{rest}", **mark))
    figure.legend(handles=shown, loc="outside upper center", ncols=len(shown), frameon=False, fontsize=7.5)


@contextmanager
def drawn_intervals(group: Group, palette: Palette) -> Iterator[Figure]:
    """Quality of every candidate with its interval, the highest on top; the first one's interval is the hatched band.

    Args:
        group: At least one point.
        palette: Colours.

    Yields:
        The figure, to be saved inside the ``with``.
    """
    order = sorted(range(len(group.points)), key=lambda at: -float(group.points[at].measures["quality"].value or 0))
    with _drawing(palette, WIDTH, 1.0 + 0.21 * len(order)) as figure:
        axes = figure.subplots()
        first = group.points[order[0]].measures["quality"]
        if first.low is not None and first.high is not None:
            band: dict[str, Any] = {"facecolor": "none", "edgecolor": palette.line, "hatch": "////", "linewidth": 0.0}
            axes.axvspan(first.low, first.high, zorder=0, **band)
        for line, at in enumerate(order):
            one, mark = group.points[at].measures["quality"], _mark(group, at, palette)
            if one.low is not None and one.high is not None:
                axes.plot([one.low, one.high], [line, line], color=mark["color"], linewidth=1.3, zorder=2)
            axes.plot([float(one.value or 0.0)], [line], linestyle="none", **mark, zorder=3)
        axes.set_yticks(range(len(order)), [_named(group, at) for at in order])
        axes.tick_params(axis="y", labelcolor=palette.ink)
        axes.set_ylim(len(order) - 0.4, -0.6)
        _write_figures(axes, group, order, palette)
        where = words.split_name(group.points[0].setting.split)
        axes.set_xlabel(f"{group.metric} on {where}, with its 95 % interval; hatched: the interval of the first line")
        _place_legend(figure, group, palette)
        yield figure


def _write_figures(axes: Axes, group: Group, order: Sequence[int], palette: Palette) -> None:
    """The values as text at the right end of each line."""
    for line, at in enumerate(order):
        one = group.points[at].measures["quality"]
        value, low, high = rounded(one.value, one.low, one.high)
        text = f"{value} [{low}, {high}]" if low else value
        axes.annotate(
            text,
            xy=(1.01, line),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=7.5,
            color=palette.ink,
            annotation_clip=False,
        )
