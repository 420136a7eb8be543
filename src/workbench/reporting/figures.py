"""The report's figures, as SVG text that stands inside the page and follows its light or dark colours.

Matplotlib draws them with stand-in colours that become CSS variables; text stays text. The same values give
the same bytes: no date, salted ids.
"""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, LINE, PAPER, ACCENT, OTHER = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
VARIABLES = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    LINE: "var(--line)",
    PAPER: "var(--paper)",
    ACCENT: "var(--accent)",
    OTHER: "var(--other)",
}
MARKERS = {"baseline": "s", "teacher": "D", "student": "o", "compressed": "P", "control": "v", "selftrain": "^"}
PRODUCTS = ("baseline", "teacher", "student", "compressed")
SHORT_NAME = 16
"""Characters of a name that has its place beside a point without more room being made."""
SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "workbench",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.6,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "hatch.linewidth": 0.7,
}


@dataclass(frozen=True)
class Point:
    """A candidate in the figure of quality against latency."""

    name: str
    role: str
    latency_ms: float
    latency_low: float
    latency_high: float
    value: float
    low: float | None
    high: float | None
    recommended: bool


@dataclass(frozen=True)
class Bar:
    """A stage in the figure of energy."""

    name: str
    low: float
    central: float
    high: float
    reused: bool


@contextmanager
def drawing(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure of that many inches with the report's settings, and its axes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(SETTINGS):  # type: ignore[arg-type]
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.patch.set_alpha(0)
        yield figure, figure.subplots()


def to_svg(figure: Figure, name: str, title: str, description: str) -> str:
    """The figure as an ``<svg>`` element with a title, a description and ids of its own.

    Args:
        figure: A drawn figure.
        name: Prefix of every id, so that several figures can stand in one page.
        title: Short text for who cannot see it.
        description: What it shows, in a sentence or two.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"font: ([0-9.]+)px [^;\"]+", r"font-size: \1px; font-family: inherit", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    label = f'<title id="{name}-title">{html.escape(title)}</title>'
    label += f'<desc id="{name}-desc">{html.escape(description)}</desc>'
    start, rest = text.split(">", 1)
    start = re.sub(r' (width|height|version|xmlns:xlink)="[^"]*"', "", start)
    return f'{start} role="img" aria-labelledby="{name}-title {name}-desc">{label}{rest}'


def spread_out(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places as near as can be to the wanted ones, in their order, at least ``gap`` apart, within bounds.

    Args:
        wanted: Places wished for, any order.
        gap: Least distance.
        low: Lower bound.
        high: Upper bound; if there is not room for all, the gap gets smaller.

    Returns:
        A place for each wanted one.
    """
    if not wanted:
        return []
    gap = min(gap, (high - low) / max(len(wanted) - 1, 1))
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    groups: list[tuple[float, int]] = []
    for at in order:
        groups.append((wanted[at], 1))
        while len(groups) > 1:
            (first, n), (second, m) = groups[-2:]
            if second - first >= gap * (n + m) / 2:
                break
            groups[-2:] = [((first * n + second * m) / (n + m), n + m)]
    placed: list[float] = []
    for centre, n in groups:
        half = gap * (n - 1) / 2
        centre = min(max(centre, low + half), high - half)
        placed += [centre - half + gap * step for step in range(n)]
    result = [0.0] * len(wanted)
    for at, place in zip(order, placed, strict=True):
        result[at] = place
    return result


def quality_against_latency(points: Sequence[Point], metric: str, split: str) -> str:
    """Quality of each candidate against the time it takes for one text.

    Args:
        points: One or more candidates.
        metric: The metric's name, for the axis.
        split: The split's name, for the axis.

    Returns:
        An ``<svg>`` element.
    """
    with drawing(7.6, max(4.3, 1.5 + 0.22 * len(points))) as (figure, axes):
        axes.set_xscale("log")
        lows = [point.value if point.low is None else point.low for point in points]
        highs = [point.value if point.high is None else point.high for point in points]
        room = max(max(highs) - min(lows), 0.02)
        axes.set_ylim(min(lows) - 0.06 * room, max(highs) + 0.06 * room)
        left = min(point.latency_low for point in points)
        right = max(point.latency_high for point in points)
        room = max((right / left) ** 0.28, 2.0)
        axes.set_xlim(left / _left_room(points, room), right * room)
        axes.grid(axis="y", color=LINE, linewidth=0.5, alpha=0.6)
        axes.set_axisbelow(True)
        for point in points:
            _draw_point(axes, point)
        _label_points(axes, points)
        plain_log_ticks(axes)
        axes.set_xlabel("Milliseconds for one text, median (log scale; further left is faster)")
        axes.set_ylabel(f"{metric} on {split} (higher is better)")
        best = max(points, key=lambda point: point.value)
        fastest = min(points, key=lambda point: point.latency_ms)
        told = (
            f"{len(points)} candidates. Highest {metric}: {best.name}, {best.value:.3f}. "
            f"Fastest: {fastest.name}, {fastest.latency_ms:.2g} ms. The table above has all values."
        )
        return to_svg(figure, "quality", f"{metric} against latency", told)


def _draw_point(axes: Axes, point: Point) -> None:
    colour = ACCENT if point.recommended else INK if point.role in PRODUCTS else SOFT
    filled = point.role in PRODUCTS
    across = [[max(point.latency_ms - point.latency_low, 0)], [max(point.latency_high - point.latency_ms, 0)]]
    if point.low is not None and point.high is not None:
        axes.errorbar(
            point.latency_ms,
            point.value,
            yerr=[[max(point.value - point.low, 0)], [max(point.high - point.value, 0)]],
            xerr=across,
            fmt="none",
            ecolor=colour,
            elinewidth=1.6 if point.recommended else 0.9,
            alpha=1.0 if point.recommended else 0.75,
        )
    axes.plot(
        point.latency_ms,
        point.value,
        MARKERS.get(point.role, "o"),
        markersize=9 if point.recommended else 7,
        markerfacecolor=colour if filled else PAPER,
        markeredgecolor=colour,
        markeredgewidth=1.2,
        zorder=4 if point.recommended else 3,
    )


def _clusters(points: Sequence[Point], reach: float) -> list[list[Point]]:
    """Points that stand within a factor of ``exp(reach)`` of their neighbour in latency, from left to right."""
    clusters: list[list[Point]] = []
    for point in sorted(points, key=lambda point: point.latency_ms):
        if clusters and math.log(point.latency_ms / clusters[-1][-1].latency_ms) < reach:
            clusters[-1].append(point)
        else:
            clusters.append([point])
    return clusters


def _sides(points: Sequence[Point]) -> tuple[list[Point], list[list[Point]]]:
    """Points whose names stand to their left, and clusters of points whose names stand to their right.

    The fastest ones get theirs on the left where the next ones are too close for names in between.
    """
    width = math.log(max(point.latency_ms for point in points) / min(point.latency_ms for point in points))
    fine = _clusters(points, max(0.05 * width, 0.15))
    near = len(fine) > 1 and math.log(fine[1][0].latency_ms / fine[0][-1].latency_ms) < 0.25 * width
    if not near:
        return [], _clusters(points, 0.25 * width)
    return fine[0], _clusters([point for cluster in fine[1:] for point in cluster], 0.25 * width)


def _label(point: Point) -> str:
    return f"{point.name} · recommended" if point.recommended else point.name


def _left_room(points: Sequence[Point], room: float) -> float:
    """The factor of latency that is left free to the left, so that the names that stand there have their place.

    Args:
        points: All points.
        room: The factor that is left free to the right, and to the left where that is enough.
    """
    lefts = _sides(points)[0]
    if not lefts:
        return 1.35
    longest = max(len(_label(point)) for point in lefts)
    if longest <= SHORT_NAME:
        return room
    width = math.log(max(point.latency_high for point in points) / min(point.latency_low for point in points))
    share = min(0.05 + 0.0108 * longest, 0.45)
    return max(room, math.exp(share / (1 - share) * (width + math.log(room))))


def _label_points(axes: Axes, points: Sequence[Point]) -> None:
    lefts, rights = _sides(points)
    left, right = axes.get_xlim()
    away = math.exp(0.03 * math.log(right / left))
    if lefts:
        _label_cluster(axes, lefts, min(point.latency_low for point in lefts) / away, "right")
    for cluster in rights:
        _label_cluster(axes, cluster, max(point.latency_high for point in cluster) * away, "left")


def _label_cluster(axes: Axes, cluster: Sequence[Point], place: float, side: str) -> None:
    low, high = axes.get_ylim()
    heights = spread_out([point.value for point in cluster], 0.05 * (high - low), low, high)
    for point, height in zip(cluster, heights, strict=True):
        axes.annotate(
            _label(point),
            xy=(point.latency_ms, point.value),
            xytext=(place, height),
            ha=side,
            va="center",
            color=ACCENT if point.recommended else INK,
            fontweight="bold" if point.recommended else "normal",
            arrowprops={"arrowstyle": "-", "color": LINE, "linewidth": 0.7, "shrinkA": 2, "shrinkB": 5},
            zorder=2,
        )


def plain_log_ticks(axes: Axes) -> None:
    """Ticks of a logarithmic axis as plain numbers."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    left, right = axes.get_xlim()
    powers = range(math.floor(math.log10(left)), math.ceil(math.log10(right)) + 1)
    every = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    inside = [tick for tick in every if left <= tick <= right]
    ticks = inside if len(inside) <= 8 else [tick for tick in inside if math.log10(tick).is_integer()]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def energy_by_stage(bars: Sequence[Bar], unit: str) -> str:
    """Energy of each stage as a bar with a line from its low to its high figure.

    Args:
        bars: One or more stages, in the order of work.
        unit: Unit of the values, for the axis.

    Returns:
        An ``<svg>`` element.
    """
    with drawing(7.6, 0.75 + 0.26 * len(bars)) as (figure, axes):
        for at, bar in enumerate(bars):
            shown: Mapping[str, Any] = (
                {"facecolor": "none", "edgecolor": OTHER, "hatch": "////"}
                if bar.reused
                else {"facecolor": OTHER, "edgecolor": OTHER}
            )
            axes.barh(at, bar.central, height=0.56, linewidth=0.8, **shown)
            axes.plot([bar.low, bar.high], [at, at], color=INK, linewidth=1.1, solid_capstyle="butt")
            axes.plot([bar.low, bar.high], [at, at], "|", color=INK, markersize=5)
        axes.set_yticks(range(len(bars)), [f"{bar.name} (reused)" if bar.reused else bar.name for bar in bars])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_ylim(len(bars) - 0.4, -0.6)
        axes.set_xlim(0, max(bar.high for bar in bars) * 1.03 or 1)
        axes.grid(axis="x", color=LINE, linewidth=0.5, alpha=0.6)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"{unit}; the bar is the central figure, the line goes from low to high")
        most = max(bars, key=lambda bar: bar.central)
        told = f"{len(bars)} stages. Most energy: {most.name}, {most.central:.2g} {unit}. All values are in the table."
        return to_svg(figure, "energy", "Energy by stage", told)
