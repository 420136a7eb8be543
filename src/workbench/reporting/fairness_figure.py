"""Groups as dots with their intervals, under each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.reporting.figures import ACCENT, INK, LINE, PAPER, SOFT, drawing, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Dot:
    """A group in the figure.

    Attributes:
        name: What stands beside it.
        value: Its error rate as a share; None where only bounds are known.
        low: Lower bound.
        high: Upper bound.
        even: Its error rate with the classes' mix evened out, or None.
        marked: Whether the test says that it errs more than the rest.
        head: Whether it opens a block: a line of space stands above it.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    even: float | None = None
    marked: bool = False
    head: bool = False


def dots(rows: Sequence[Dot], whole: float | None) -> str:
    """Draw the groups.

    Args:
        rows: From top to bottom.
        whole: Error rate of all rows, a dashed line; None for none.

    Returns:
        An ``<svg>`` element.
    """
    places: list[float] = []
    at = 0.0
    for row in rows:
        at += 0.55 if row.head and places else 0.0
        places.append(at)
        at += 1.0
    with drawing(7.6, 0.85 + 0.25 * at) as (figure, axes):
        if whole is not None:
            axes.axvline(100 * whole, color=SOFT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        for place, row in zip(places, rows, strict=True):
            _draw(axes, place, row)
        axes.set_yticks(places, [row.name for row in rows])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_ylim(at - 0.4, -0.6)
        known = [end for row in rows for end in (row.low, row.value, row.high, row.even) if end is not None]
        axes.set_xlim(0, min(100.0, 105 * max(known, default=1.0)) or 1)
        axes.grid(axis="x", color=LINE, linewidth=0.5, alpha=0.6)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("rows that are sorted wrong, in per cent")
        return to_svg(figure, "fairness", "Error rate by group", _told(rows))


def _draw(axes: Axes, place: float, row: Dot) -> None:
    colour = ACCENT if row.marked else INK
    if row.low is not None and row.high is not None:
        style = "-" if row.value is not None else ":"
        axes.plot([100 * row.low, 100 * row.high], [place, place], style, color=colour, linewidth=1.3, zorder=2)
    if row.even is not None:
        axes.plot(100 * row.even, place, "D", markersize=6, markerfacecolor=PAPER, markeredgecolor=colour, zorder=3)
    if row.value is not None:
        marker, size = ("s", 7) if row.marked else ("o", 6)
        axes.plot(100 * row.value, place, marker, markersize=size, color=colour, zorder=4)


def _told(rows: Sequence[Dot]) -> str:
    """The figure in a sentence."""
    known = [row for row in rows if row.value is not None]
    if not known:
        return "No group has enough rows for a figure."
    most = max(known, key=lambda row: row.value or 0.0)
    return (
        f"{len(known)} groups with a figure. Highest: {most.name}, {100 * (most.value or 0):.1f} %. All in the table."
    )
