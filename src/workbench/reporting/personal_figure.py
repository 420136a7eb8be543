"""Recall of the scan for personal data, a dot a type with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.reporting import words
from workbench.reporting.evidence import Row
from workbench.reporting.figures import ACCENT, INK, LINE, drawing, to_svg
from workbench.reporting.pages import Figure


def recall_figure(rows: Sequence[tuple[str, Row]]) -> Figure:
    """Draw how much of each type the scan found.

    Args:
        rows: What a type is called, and its row of metrics.json; a row without a value shows its bounds alone.

    Returns:
        The figure; points below 99 % are squares.
    """
    with drawing(7.6, 0.8 + 0.22 * len(rows)) as (figure, axes):
        for place, (_, row) in enumerate(rows):
            low, value = bool(row["value"] is not None and row["value"] < 0.99), row["value"]
            colour = ACCENT if low else INK
            axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=colour, linewidth=1.3)
            if value is not None:
                axes.plot(100 * value, place, "s" if low else "o", markersize=6, color=colour)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(min(90.0, *(100 * row["low"] - 1 for _, row in rows)), 100.4)
        axes.grid(axis="x", color=LINE, linewidth=0.5, alpha=0.6)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("invented values that were found, in per cent, with 95 % interval")
        shown = [f"{name} {words.percent(row['value'])}" for name, row in rows if row["value"] is not None]
        svg = to_svg(figure, "personal", "Recall by type", f"Found of invented values: {', '.join(shown)}.")
    return Figure(svg, "How much of each type the scan found in invented sentences. Squares: less than 99 %.")
