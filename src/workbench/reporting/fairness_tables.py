"""The tables and the figure of the page “For whom does it fail?”."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.metrics.wording import p_value, percent, points
from workbench.reporting import words
from workbench.reporting.evidence import Evidence, Row
from workbench.reporting.fairness_figure import Dot, dots
from workbench.reporting.fairness_groups import ABSTAINED, ERROR, EVEN, Groups, marked
from workbench.reporting.pages import Figure, Table

MOST_SHOWN = 24
"""Groups in the figure."""


def figures(evidence: Evidence, name: str, singles: Sequence[Groups]) -> list[Figure]:
    """The groups as dots; the smallest ones are left out where there are too many."""
    whole = evidence.score(name, evidence.headline, ERROR)
    value = None if whole is None else whole.get("value")
    shown: list[Dot] = []
    for one in singles:
        rows = [row for row in one.rows if row.get("low") is not None]
        largest = sorted(sorted(rows, key=lambda row: -row["n"])[:MOST_SHOWN], key=lambda row: str(row["slice"]))
        for place, row in enumerate(largest[: max(0, MOST_SHOWN - len(shown))]):
            even = evidence.score(name, evidence.headline, EVEN, slice_=str(row["slice"])) or {}
            said = f"{str(row['slice']).replace('=', ': ', 1)} (n = {int(row['n']):,})"
            ends = (row.get("value"), row["low"], row["high"], even.get("value"))
            shown.append(Dot(said, *ends, marked=marked(row), head=place == 0))
    if not shown:
        return []
    caption = (
        f"Error rate of {name} by group, with intervals; the dashed line is that of all rows. A square is a group that "
        "is shown to err more than the rest, a hollow diamond the rate with the class mix evened out; a dotted line "
        "without a dot is what can be said of fewer than 30 rows."
    )
    return [Figure(dots(shown, value), caption)]


def overview(evidence: Evidence, name: str, every: Sequence[Groups]) -> list[Table]:
    """Gap, ratio, worst and the test of every attribute and intersection."""
    columns = ("Groups of", "Gap (points)", "By chance", "Ratio", "Worst rate", "p, adjusted", "Excess found 19 in 20")
    rows = []
    for one in every:
        gap = one.gap
        ratio, worst = (
            evidence.score(name, evidence.headline, f"{kind}:{ERROR}", slice_=one.whole) or {}
            for kind in ("ratio", "worst")
        )
        rows.append(
            (
                one.name,
                _cell(gap, points) if gap.get("value") is not None else str(gap.get("reason")),
                "–" if gap.get("null") is None else points(gap["null"]),
                _cell(ratio, lambda value: f"{value:.2f}"),
                _cell(worst, percent),
                "–" if gap.get("p_holm") is None else _p(gap["p_holm"]),
                "–" if gap.get("detectable") is None else f"{points(gap['detectable'])} points",
            )
        )
    return [Table("Differences between groups, with intervals.", columns, tuple(rows), columns[1:])] if rows else []


def _cell(row: Row, told: Callable[[float], str]) -> str:
    """A value with its bounds."""
    if row.get("value") is None:
        return "–"
    if row.get("low") is None:
        return told(row["value"])
    return f"{told(row['value'])} ({told(row['low'])} to {told(row['high'])})"


def table(evidence: Evidence, name: str, one: Groups) -> Table:
    """Every group of one attribute or intersection."""
    columns = ("Group", "Rows", "Error rate", "Class mix evened out", "Sent to a person", "p, adjusted")
    rows = []
    for row in one.rows:
        where = str(row["slice"])
        even, silent = (
            evidence.score(name, evidence.headline, metric, slice_=where) or {} for metric in (EVEN, ABSTAINED)
        )
        few = f"{row.get('reason')}" + (
            "" if row.get("low") is None else f"; between {percent(row['low'])} and {percent(row['high'])}"
        )
        rows.append(
            (
                where,
                f"{int(row['n']):,}",
                few if row.get("value") is None else _cell(row, percent),
                _cell(even, percent),
                _cell(silent, percent),
                "–" if row.get("p_holm") is None else _p(row["p_holm"]),
            )
        )
    hidden = [
        f"{one.gap[key]:,} groups {told}"
        for key, told in (
            ("too_few", "have too few rows"),
            ("few_units", "stand in too few units"),
            ("left_out", "are left out because there are so many"),
        )
        if one.gap.get(key)
    ]
    caption = f"Groups of {one.name}" + (f"; {words.listing(hidden)}" if hidden else "") + "."
    return Table(caption, columns, tuple(rows), columns[1:])


def _p(p: float) -> str:
    """A p in a cell."""
    return p_value(p).removeprefix("p = ").removeprefix("p ")
