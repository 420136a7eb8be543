"""The figure of payback: what has been spent after so many predictions, with the teacher and with a student."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.reporting.emissions import Range
from workbench.reporting.figures import ACCENT, INK, LINE, drawing, plain_log_ticks, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.reporting.payback_points import Case

STEPS = 121


def draw(case: Case) -> str:
    """Energy in all against the number of predictions, both axes logarithmic.

    Args:
        case: A comparison of energy whose payback has a central figure above 0.

    Returns:
        An ``<svg>`` element.
    """
    middle = case.payback.central if case.payback and case.payback.central else 1.0
    start, end = math.log10(middle) - 2.2, math.log10(middle) + 2.2
    xs = [10 ** (start + (end - start) * step / (STEPS - 1)) for step in range(STEPS)]
    with drawing(7.6, 3.6) as (figure, axes):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(xs[0], xs[-1])
        _line(axes, xs, Range(), case.other, (INK, "--", case.against))
        _line(axes, xs, case.fixed, case.own, (ACCENT, "-", f"{case.candidate} with its training"))
        axes.axvline(middle, color=LINE, linewidth=0.9, linestyle=":")
        axes.grid(axis="both", color=LINE, linewidth=0.4, alpha=0.5)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="upper left", labelcolor=INK)
        plain_log_ticks(axes)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xlabel("Predictions made (log scale)")
        axes.set_ylabel("Wh in all (log scale)")
        told = (
            f"The lines meet at about {middle:,.0f} predictions. Left of that the {case.against} has taken less, right "
            f"of it {case.candidate} with its training. Bands go from the low to the high figure."
        )
        return to_svg(figure, "payback", "Energy in all against predictions made", told)


def _line(axes: Axes, xs: list[float], fixed: Range, each: Range, look: tuple[str, str, str]) -> None:
    colour, dashes, label = look
    low, central, high = (
        [getattr(fixed, end) + getattr(each, end) * x for x in xs] for end in ("low", "central", "high")
    )
    axes.fill_between(xs, low, high, color=colour, alpha=0.13, linewidth=0)
    axes.plot(xs, central, color=colour, linestyle=dashes, linewidth=1.5, label=label)
