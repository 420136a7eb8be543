"""The figure of the membership audit: areas of all attacks, their intervals, and the band into which n cannot see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.metrics.membership import is_finding
from workbench.reporting.figures import ACCENT, INK, LINE, PAPER, SOFT, drawing, to_svg

Row = Mapping[str, Any]

SHAPES = {"loss": "o", "rmia": "s", "lira": "D"}


def areas_figure(rows: Sequence[Row], seen: float | None) -> str:
    """Every attack's area on every candidate.

    Args:
        rows: Of the metrics ``membership_auc:<attack>``, one or more, those of a candidate together.
        seen: Smallest area that so many rows can show; ``None`` where it is not known.

    Returns:
        An ``<svg>`` element.
    """
    with drawing(7.6, 1.1 + 0.24 * len(rows)) as (figure, axes):
        if seen is not None:
            axes.axvspan(1 - seen, seen, color=LINE, alpha=0.35, linewidth=0)
        axes.axvline(0.5, color=SOFT, linewidth=0.9, linestyle=(0, (4, 3)))
        names = []
        for place, row in enumerate(rows):
            attack = str(row["metric"]).partition(":")[2]
            found = is_finding(row)
            colour = ACCENT if found else INK
            axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.2)
            axes.plot(
                row["value"],
                place,
                SHAPES.get(attack, "o"),
                markersize=6.5,
                markerfacecolor=colour if found else PAPER,
                markeredgecolor=colour,
                markeredgewidth=1.2,
            )
            names.append(f"{row['candidate']} · {attack}")
        axes.set_yticks(range(len(rows)), names)
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(min(0.4, *(row["low"] for row in rows)), max(0.65, *(row["high"] for row in rows)) + 0.02)
        axes.set_xlabel("Area under the ROC curve of the attack (.5 is guessing, 1 is certainty)")
        most = max(rows, key=lambda row: row["value"])
        told = (
            f"{len(rows)} attacks; {sum(map(is_finding, rows))} of them tell members beyond doubt. Highest area:"
            f" {most['value']:.3f} on {most['candidate']}. All values are in the table."
        )
        return to_svg(figure, "membership", "Membership inference", told)
