"""A run's comparison and recommendation on the screen, from the same rows as the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from workbench.cli import messages
from workbench.metrics.wording import metric_name
from workbench.reporting.comparable import Group
from workbench.reporting.tradeoffs import name_of, place_of, summary
from workbench.reporting.words import significant

Row = Mapping[str, Any]
MISSING = "–"
MEASURED = ("latency_ms", "rows_per_second", "size_mb", "energy_wh_per_1000")


def show_comparison(rows: Sequence[Row], title: str = "") -> None:
    """All candidates side by side; the recommended one is marked with an arrow.

    Args:
        rows: As ``reporting.comparison_table`` gives them.
        title: Above the table.
    """
    if not rows:
        messages.say("There is nothing to compare yet.")
        return
    further = [key.removesuffix("_value") for key in rows[0] if key.endswith("_value")]
    headings = ["", "candidate", f"{metric_name(str(rows[0]['metric']))} on {rows[0]['split']}", *further]
    headings += ["ms a text", "rows/s", "MB", "mWh a 1,000"]
    cells = [
        [
            Text("→", style="bold green") if row["recommended"] else "",
            Text(messages.clean(row["candidate"]), style="bold" if row["recommended"] else ""),
            score(row, ""),
            *[score(row, f"{name}_") for name in further],
            figure(row["latency_ms"]),
            figure(row["rows_per_second"]),
            figure(row["size_mb"]),
            figure(milliwatt_hours(row["energy_wh_per_1000"])),
        ]
        for row in rows
    ]
    messages.table(title, headings, cells, right=headings[2:])
    shown = {"value", *(f"{name}_value" for name in further), *MEASURED}
    absent = {item for row in rows for item in row.get("absent", {}).items()}
    reasons = sorted(f"{called(key)}: {reason}" for key, reason in absent if key in shown)
    if reasons:
        messages.say(f"{MISSING} stands where there is no value ({'; '.join(reasons[:6])}).", style="dim")


def show_recommendation(recommendation: Row) -> None:
    """The sentence that recommends, and why not each other candidate."""
    sentence = recommendation.get("sentence") or (
        f"Recommended: {recommendation['candidate']}." if recommendation.get("candidate") else "None is recommended."
    )
    messages.say(sentence, style="bold")
    reasons: dict[str, list[str]] = {}
    for other in recommendation.get("others", ()):
        reasons.setdefault(str(other["reason"]), []).append(str(other["candidate"]))
    for reason, names in reasons.items():
        messages.say(f"- {', '.join(names)}: {reason}")


def show_tradeoffs(groups: Sequence[Group], apart: Sequence[str]) -> None:
    """The front of each group of comparable candidates, and who is behind whom.

    Args:
        groups: As ``reporting.comparable.groups_of`` gives them.
        apart: Why they are not one.
    """
    for number, group in enumerate(groups, start=1):
        if len(groups) > 1:
            named = ", ".join(group.runs) or "no candidate with a score"
            messages.say(f"Group {number}: {named}", style="bold")
        elif len(group.runs) > 1:
            messages.say("; ".join(f"({at}) is {run}" for at, run in enumerate(group.runs, start=1)))
        messages.say(summary(group))
        for at, place in enumerate(group.places):
            if place != "front":
                messages.say(f"- {name_of(group, at)}: {place_of(group, at)}")
        for sentence in group.left_out:
            messages.say(f"- {sentence}", style="dim")
    for sentence in apart:
        messages.say(sentence)


def score(row: Row, prefix: str) -> str:
    """A score with its interval: ``.613 [.601, .625]``."""
    value, low, high = (row.get(f"{prefix}{name}") for name in ("value", "low", "high"))
    if value is None:
        return MISSING
    interval = f" [{low:.3f}, {high:.3f}]" if low is not None and high is not None else ""
    return f"{value:.3f}{interval}"


def figure(value: float | None, keep: int = 2) -> str:
    """A measured figure with the digits it bears; a dash where there is none."""
    return MISSING if value is None else significant(value, keep)


def milliwatt_hours(wh: float | None) -> float | None:
    """Wh in mWh."""
    return None if wh is None else wh * 1000


def called(key: str) -> str:
    """What a key of a row is called in a sentence."""
    return (
        "score"
        if key == "value"
        else f"score on {key.removesuffix('_value')}"
        if key.endswith("_value")
        else key.replace("_", " ")
    )
