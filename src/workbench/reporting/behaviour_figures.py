"""Figures of behaviour, robustness and attacks: shares with intervals, and curves against a level.

Series differ by marker and by fill, so that they can be told apart without colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.reporting.figures import ACCENT, INK, LINE, PAPER, SETTINGS, drawing, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOOKS = (("o", ACCENT, True), ("D", INK, False), ("s", INK, True), ("^", INK, False))
"""Marker, colour and whether filled, for each series in turn."""


@dataclass(frozen=True)
class Value:
    """A value with its interval; bounds may be missing."""

    value: float
    low: float | None = None
    high: float | None = None


def shares(
    name: str, labels: Sequence[str], series: Mapping[str, Sequence[Value | None]], title: str, axis: str
) -> str:
    """Shares of several things, one line each, of one or more series.

    Args:
        name: Prefix of the figure's ids.
        labels: What each line is, from top to bottom.
        series: Name of a series to its value on each line; None where it has none.
        title: What is shown, for who cannot see it.
        axis: Text under the axis.

    Returns:
        An ``<svg>`` element.
    """
    with drawing(7.6, 1.0 + (0.22 + 0.12 * (len(series) - 1)) * max(len(labels), 2)) as (figure, axes):
        step = 0.62 / max(len(series), 1)
        for place, (label, values) in enumerate(series.items()):
            marker, colour, filled = LOOKS[place % len(LOOKS)]
            shift = (place - (len(series) - 1) / 2) * step
            shown = [(at + shift, one) for at, one in enumerate(values) if one is not None]
            for height, one in shown:
                if one.low is not None and one.high is not None:
                    axes.plot([one.low, one.high], [height, height], color=colour, linewidth=1.0)
            axes.plot(
                [one.value for _, one in shown],
                [height for height, _ in shown],
                marker,
                color=colour,
                markerfacecolor=colour if filled else PAPER,
                markersize=5.5,
                label=label,
            )
        axes.set_yticks(range(len(labels)), labels)
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
        axes.grid(axis="x", color=LINE, linewidth=0.5, alpha=0.6)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(axis)
        if len(series) > 1:
            figure.legend(loc="outside upper left", ncols=len(series), frameon=False, fontsize=8.2)
        return to_svg(figure, name, title, f"{axis}. All values are in the table below.")


def curves(
    panels: Mapping[str, Sequence[str]], series: Mapping[str, Mapping[tuple[str, str], Value]], metric: str
) -> str:
    """A metric against the level of several changes, a panel each, with the clean value on the left.

    Args:
        panels: Change to its levels, in order; level ``""`` is the clean texts.
        series: Candidate to its value for each (change, level).
        metric: Name of the metric.

    Returns:
        An ``<svg>`` element.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(SETTINGS):  # type: ignore[arg-type]
        figure = Figure(figsize=(7.6, 2.5 * ((len(panels) + 1) // 2) + 0.3), layout="constrained")
        figure.patch.set_alpha(0)
        places = figure.subplots((len(panels) + 1) // 2, min(len(panels), 2), sharey=True, squeeze=False)
        for axes, (change, levels) in zip(places.flat, panels.items(), strict=False):
            _panel(axes, change, levels, series)
        for axes in list(places.flat)[len(panels) :]:
            axes.set_visible(False)
        for row in places:
            row[0].set_ylabel(metric)
        handles, labels = places.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=len(series), frameon=False, fontsize=8.2)
        told = f"{metric} of {', '.join(series)} against {', '.join(panels)}. All values are in the table below."
        return to_svg(figure, "robustness", f"{metric} when texts get worse", told)


TITLES = {
    "typos": "Share of letters with a slip",
    "truncation": "Share of words kept",
    "case": "Case of all letters",
    "homoglyphs": "Share of replaceable letters replaced",
    "padding": "Words added about something else",
}


def _panel(
    axes: Axes, change: str, levels: Sequence[str], series: Mapping[str, Mapping[tuple[str, str], Value]]
) -> None:
    """One change."""
    for place, (name, values) in enumerate(series.items()):
        marker, colour, filled = LOOKS[place % len(LOOKS)]
        shift = 0.08 * (place - (len(series) - 1) / 2)
        shown = [(at + shift, values[change, level]) for at, level in enumerate(levels) if (change, level) in values]
        for across, one in shown:
            if one.low is not None and one.high is not None:
                axes.plot([across, across], [one.low, one.high], color=colour, linewidth=0.9)
        axes.plot(
            [across for across, _ in shown],
            [one.value for _, one in shown],
            marker=marker,
            linestyle="none" if change == "case" else ("-" if filled else "--"),
            color=colour,
            markerfacecolor=colour if filled else PAPER,
            markersize=5,
            linewidth=1.1,
            label=name,
        )
    axes.set_xticks(range(len(levels)), [_tick(level) for level in levels])
    axes.grid(axis="y", color=LINE, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(TITLES.get(change, change))


def _tick(level: str) -> str:
    """A level as it stands under its place."""
    if not level:
        return "as it is"
    try:
        number = float(level)
    except ValueError:
        return level
    return f"{100 * number:g} %" if number <= 1 else f"{number:g}"
