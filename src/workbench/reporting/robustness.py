"""The report's page on robustness: how far the primary metric falls when texts get worse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.metrics.robustness import CLEAN, condition
from workbench.metrics.wording import difference_from_row, metric_name, points, verdict
from workbench.reporting.behaviour_figures import Value, curves
from workbench.reporting.evidence import Evidence
from workbench.reporting.pages import Figure, Page, Table

Row = Mapping[str, Any]
WORDS = {
    "typos": "with a slip in {} of the letters",
    "truncation": "with {} of the words kept",
    "case": "in {} case",
    "homoglyphs": "with {} of the replaceable letters replaced by look-alikes",
    "padding": "with {} words about something else added",
}


def page(evidence: Evidence) -> Page | None:
    """The page on robustness.

    Args:
        evidence: The run.

    Returns:
        The page; ``None`` where it was not measured.
    """
    check = evidence.checks.get("robustness")
    names = _names(evidence, check["settings"]) if check else []
    if check is None or not names:
        return None
    settings = check["settings"]
    sizes = ", ".join(f"{name} {settings['rows'][name]:,}" for name in names)
    worst = [sentence for name in names[1:] if (sentence := _worst(evidence, name, settings))]
    return Page(
        anchor="robustness",
        title="What happens when texts are worse than in the test?",
        verdict=_worst(evidence, names[0], settings) or f"The curves of {names[0]} carry no figure.",
        sentences=[*worst, *_unchanged(evidence, names[0], settings), *check["reasons"]],
        figures=[_figure(evidence, names, settings)],
        tables=[_table(evidence, name, settings) for name in names],
        how=(
            f"The same test rows (drawn with seed {settings['seed']}; {sizes}) are asked as they are and changed; "
            "levels are paired with the clean texts on the same bootstrap resamples, whole groups drawn together.",
            "Where candidates are asked different numbers of rows, compare the shape of their curves, not the height.",
            "Slips are a neighbouring key, two letters swapped, one left out or doubled; truncation keeps the first "
            "words; look-alikes are Cyrillic letters.",
        ),
        not_shown=(
            "The changes are drawn by chance. Real slips, cuts and scans err in patterns of their own, and somebody "
            "who looks for the weakest spot finds more than chance does.",
        ),
        files=["evidence/robustness.parquet"],
    )


def _names(evidence: Evidence, settings: Row) -> list[str]:
    """Candidates with a clean value, the recommended one first."""
    found = [name for name in settings["rows"] if evidence.score(name, "robustness") is not None]
    return sorted(found, key=lambda name: name != evidence.recommended)


def _score(evidence: Evidence, name: str, slice_: str, metric: str | None = None) -> Row | None:
    row = evidence.score(name, "robustness", metric, slice_=slice_)
    return None if row is None or row["value"] is None else row


def _words(change: str, level: str) -> str:
    """A condition in words."""
    shown = level
    if change not in {"case", "padding"}:
        shown = f"{100 * float(level):g} %"
    return WORDS.get(change, f"under {change} {{}}").format(shown)


def _changes(evidence: Evidence, name: str, settings: Row) -> list[tuple[str, str, Row]]:
    """Change, level and row of the paired change, those that have a value."""
    metric = f"{evidence.primary}_change"
    found = []
    for change, levels in settings["curves"].items():
        for level in levels:
            row = _score(evidence, name, condition(change, level), metric)
            if row is not None:
                found.append((change, level, row))
    return found


def _worst(evidence: Evidence, name: str, settings: Row) -> str:
    """The largest loss, in a sentence."""
    clean = _score(evidence, name, "all")
    found = [one for one in _changes(evidence, name, settings) if one[2]["low"] is not None]
    if clean is None or not found:
        return ""
    change, level, row = min(found, key=lambda one: float(one[2]["value"]))
    metric = metric_name(evidence.primary)
    if verdict(difference_from_row(row)) != "worse":
        return f"No loss of {name} in {metric} is detectable at n = {row['n']:,} under any change that was tried."
    bounds = f"{points(row['low'], sign=True)} to {points(row['high'], sign=True)}"
    after = _score(evidence, name, condition(change, level))
    value = "" if after is None else f" to {after['value']:.3f}"
    return (
        f"The {metric} of {name} falls most {_words(change, level)}: from {clean['value']:.3f}{value}, "
        f"{points(row['value'], sign=True)} points ({100 * row.get('confidence', 0.95):g} % interval {bounds}, "
        f"n = {row['n']:,})."
    )


def _unchanged(evidence: Evidence, name: str, settings: Row) -> list[str]:
    """Which changes show no loss at these many rows."""
    found = [
        _words(change, level)
        for change, level, row in _changes(evidence, name, settings)
        if verdict(difference_from_row(row)) != "worse"
    ]
    if not found:
        return []
    n = settings["rows"][name]
    return [f"No loss of {name} is detectable at n = {n:,}: {'; '.join(found)}."]


def _figure(evidence: Evidence, names: list[str], settings: Row) -> Figure:
    """The curves, with the clean value first where the levels are ordered."""
    panels = {change: ["", *levels] for change, levels in settings["curves"].items()}
    series: dict[str, dict[tuple[str, str], Value]] = {}
    for name in names:
        series[name] = {}
        for change, levels in panels.items():
            for level in levels:
                row = _score(evidence, name, condition(change if level else CLEAN, level))
                if row is not None:
                    series[name][change, level] = Value(row["value"], row["low"], row["high"])
    metric = metric_name(evidence.primary)
    caption = f"{metric} of the same rows, as they are and changed; lines through the points are their intervals."
    return Figure(curves(panels, series, f"{metric}"), caption[0].upper() + caption[1:])


def _table(evidence: Evidence, name: str, settings: Row) -> Table:
    """All points of a candidate."""
    rows = [_line(evidence, name, "as they are", "all", None)]
    for change, level, row in _changes(evidence, name, settings):
        rows.append(_line(evidence, name, _words(change, level), condition(change, level), row))
    columns = ("Texts", "Value", "Interval", "Change in points", "Interval of the change", "n")
    return Table(f"{metric_name(evidence.primary)} of {name} under each change.", columns, tuple(rows), columns[1:])


def _line(evidence: Evidence, name: str, words: str, slice_: str, change: Row | None) -> tuple[str, ...]:
    row = _score(evidence, name, slice_)
    if row is None:
        return words, "not given", "", "", "", ""
    bounds = "" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
    moved = "" if change is None else points(change["value"], sign=True)
    known = change is not None and change["low"] is not None
    moved_bounds = (
        f"{points(change['low'], sign=True)} to {points(change['high'], sign=True)}" if known and change else ""
    )
    return words, f"{row['value']:.3f}", bounds, moved, moved_bounds, f"{row['n']:,}"
