"""Figures of calibration and abstention: lines told apart by mark and dash, not by colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.reporting.figures import ACCENT, INK, LINE, PAPER, SOFT, drawing, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = npt.NDArray[np.float64]
STYLES = (("o", "-", ACCENT), ("s", "--", INK), ("^", ":", SOFT))
MOST_POINTS = 400


@dataclass(frozen=True)
class Curve:
    """Accuracy against confidence on one split.

    Attributes:
        name: The split.
        confidence: Mean confidence of each bin (bins,).
        accuracy: Share that is right (bins,).
        low: Lower bounds (bins,).
        high: Upper bounds (bins,).
    """

    name: str
    confidence: Values
    accuracy: Values
    low: Values
    high: Values


@dataclass(frozen=True)
class Risk:
    """Error against coverage on one split.

    Attributes:
        name: The split.
        coverage: Share of rows answered, rising (points,).
        error: Share of wrong answers among them (points,).
        kept: Coverage at the threshold; ``None`` without one.
        error_kept: Error at the threshold; ``None`` without one.
    """

    name: str
    coverage: Values
    error: Values
    kept: float | None
    error_kept: float | None


def reliability_figure(curves: Sequence[Curve], candidate: str) -> str:
    """Accuracy against confidence.

    Args:
        curves: One to three splits.
        candidate: Whose.

    Returns:
        An ``<svg>`` element.
    """
    with drawing(5.4, 4.6) as (figure, axes):
        axes.plot([0, 1], [0, 1], color=LINE, linewidth=1.0, zorder=1)
        for curve, (marker, dash, colour) in zip(curves, STYLES, strict=False):
            reach = [np.maximum(curve.accuracy - curve.low, 0), np.maximum(curve.high - curve.accuracy, 0)]
            axes.errorbar(curve.confidence, curve.accuracy, yerr=reach, fmt="none", ecolor=colour, elinewidth=0.9)
            axes.plot(
                curve.confidence,
                curve.accuracy,
                marker=marker,
                linestyle=dash,
                color=colour,
                markerfacecolor=PAPER if marker == "s" else colour,
                label=curve.name,
            )
        _whole(axes)
        axes.set_xlabel("Probability of the predicted class (mean of a bin)")
        axes.set_ylabel("Share that is right")
        axes.legend(frameon=False, loc="upper left")
        worst = max(curves, key=lambda one: float(np.abs(one.accuracy - one.confidence).max()))
        gap = float(np.abs(worst.accuracy - worst.confidence).max())
        told = (
            f"{len(curves)} splits. The largest distance from the diagonal is {100 * gap:.0f} points, on {worst.name}."
        )
        return to_svg(figure, "reliability", f"Reliability of {candidate}", told)


def risk_figure(risks: Sequence[Risk], candidate: str, target: float | None) -> str:
    """Error among the answered against the share that is answered.

    Args:
        risks: One to three splits.
        candidate: Whose.
        target: The promised error, a level line; ``None`` for none.

    Returns:
        An ``<svg>`` element.
    """
    with drawing(6.4, 4.2) as (figure, axes):
        if target is not None:
            axes.axhline(target, color=LINE, linewidth=1.0)
            axes.annotate(f"target {100 * target:g} %", (0.01, target), ha="left", va="bottom", color=SOFT)
        for risk, (marker, dash, colour) in zip(risks, STYLES, strict=False):
            start = np.searchsorted(risk.coverage, 0.02)
            coverage, error = risk.coverage[start:], risk.error[start:]
            some = np.unique(np.linspace(0, len(coverage) - 1, min(MOST_POINTS, len(coverage))).astype(np.int64))
            axes.plot(coverage[some], error[some], linestyle=dash, color=colour, label=risk.name)
            if risk.kept is not None and risk.error_kept is not None:
                axes.plot(
                    risk.kept,
                    risk.error_kept,
                    marker,
                    markersize=8,
                    markeredgecolor=colour,
                    markerfacecolor=PAPER if marker == "s" else colour,
                )
        axes.set_xlim(0, 1)
        axes.set_ylim(0, None)
        axes.set_xlabel("Share of texts that is answered, the surest first")
        axes.set_ylabel("Share of wrong answers among them")
        axes.legend(frameon=False, loc="upper left")
        told = " ".join(f"On {one.name} all answers together have an error of {one.error[-1]:.2f}." for one in risks)
        return to_svg(figure, "risk", f"Error against coverage of {candidate}", told)


def _whole(axes: Axes) -> None:
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_aspect("equal")
