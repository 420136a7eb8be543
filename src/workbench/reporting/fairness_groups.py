"""The rows of metrics.json that speak of groups, put together again, and their figures in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.metrics.wording import ALPHA, percent
from workbench.reporting.evidence import Evidence, Row

ERROR, EVEN, ABSTAINED = "error_rate", "standardised:error_rate", "abstained"


@dataclass(frozen=True)
class Groups:
    """The rows of one attribute or intersection for one candidate.

    Attributes:
        name: The attribute, several joined by “ and ”.
        whole: The slice of its figures over all groups.
        gap: Its row gap:error_rate.
        rows: Rows of error_rate, a group each.
    """

    name: str
    whole: str
    gap: Row
    rows: tuple[Row, ...]

    @property
    def single(self) -> bool:
        """Whether it is one attribute."""
        return " & " not in self.whole

    @property
    def differ(self) -> bool:
        """Whether the test says that groups differ."""
        p = self.gap.get("p_holm")
        return p is not None and p < ALPHA


def groups_of(evidence: Evidence, name: str) -> Iterator[Groups]:
    """Every attribute and intersection of a candidate on the headline split.

    Args:
        evidence: The run.
        name: The candidate.

    Yields:
        Their rows, in the order of metrics.json.
    """
    mine = [row for row in evidence.metrics if (row["candidate"], row["split"]) == (name, evidence.headline)]
    rates = [row for row in mine if row["metric"] == ERROR and row.get("over")]
    for row in mine:
        if row["metric"] == f"gap:{ERROR}":
            names = [part.removesuffix("=*") for part in str(row["slice"]).split(" & ")]
            of = tuple(one for one in rates if one.get("over") == row["slice"])
            yield Groups(" and ".join(names), str(row["slice"]), row, of)


def said(slice_name: str) -> str:
    """A slice in words: a is x and b is y."""
    return slice_name.replace(" & ", " and ").replace("=", " is ")


def rate(row: Row) -> str:
    """A rate with interval and n, or why there is none."""
    n = f"n = {int(row['n']):,}"
    if row.get("value") is None:
        return f"{row.get('reason')} ({n})"
    if row.get("low") is None:
        return f"{percent(row['value'])} ({n}; no interval: {row.get('reason')})"
    return f"{percent(row['value'])} of the rows ({bounds(row)}, {n})"


def bounds(row: Row) -> str:
    """The interval of a rate in words."""
    return f"{100 * row.get('confidence', 0.95):g} % interval {percent(row['low'])} to {percent(row['high'])}"


def marked(row: Row) -> bool:
    """Whether a group is shown to err more than all other rows."""
    return bool(row.get("above")) and row.get("p_holm") is not None and row["p_holm"] < ALPHA
