"""What the report says of energy: every stage, their sum, and how the figures were come by."""

from __future__ import annotations

from typing import Any

from workbench.reporting import words
from workbench.reporting.emissions import CLASSES, Range, add, digits
from workbench.reporting.evidence import Evidence
from workbench.reporting.figures import Bar
from workbench.reporting.sections import Cell

LONGEST_STAGES = 16


def by_stage(evidence: Evidence) -> dict[str, Any] | None:
    """Energy and emissions by stage, their sum, and how they were come by."""
    entries = evidence.emissions
    if not entries:
        return None
    spent = add([entry for entry in entries if entry.reused_from is None])
    total = add(entries)
    rows = [
        {
            "name": _stage_name(entry.stage, entry.candidate),
            "seconds": words.duration(entry.seconds),
            "energy": _range_cell(entry.energy_kwh.times(1000), entry.class_),
            "grams": _range_cell(entry.emissions_kg.times(1000), entry.class_),
            "class": entry.class_,
            "reused": entry.reused_from,
        }
        for entry in entries
    ]
    methods = [entry.method for entry in entries if entry.method]
    return {
        "rows": rows,
        "total": _sum_row(total.seconds, total.energy_kwh, total.emissions_kg, total.class_),
        "spent": _sum_row(spent.seconds, spent.energy_kwh, spent.emissions_kg, spent.class_),
        "any_reused": any(entry.reused_from for entry in entries),
        "classes": {name: CLASSES[name] for name in sorted({entry.class_ for entry in entries})},
        "follows_time": max(entry.class_ for entry in entries) in "CD"
        and min(entry.class_ for entry in entries) != "A",
        "method": methods[0] if methods else {},
    }


def _stage_name(stage: str, candidate: str | None) -> str:
    return f"{stage} · {candidate}" if candidate else stage


def _range_cell(value: Range, class_: str) -> Cell:
    return Cell(digits(value.central, class_), f"{digits(value.low, class_)} to {digits(value.high, class_)}")


def _sum_row(seconds: float, energy_kwh: Range, emissions_kg: Range, class_: str) -> dict[str, Any]:
    return {
        "seconds": words.duration(seconds),
        "energy": _range_cell(energy_kwh.times(1000), class_),
        "grams": _range_cell(emissions_kg.times(1000), class_),
        "class": class_,
    }


def bars(evidence: Evidence) -> list[Bar]:
    """What the figure of energy shows, in Wh: the stages that took most, in the order of work, and all others."""
    order = sorted(evidence.emissions, key=lambda entry: -entry.energy_kwh.central)
    shown = set(map(id, order[:LONGEST_STAGES]))
    found = []
    for entry in evidence.emissions:
        if id(entry) in shown:
            wh = entry.energy_kwh.times(1000)
            name = _stage_name(entry.stage, entry.candidate)
            found.append(Bar(name, wh.low, wh.central, wh.high, entry.reused_from is not None))
    rest = order[LONGEST_STAGES:]
    if rest:
        wh = add(rest).energy_kwh.times(1000)
        found.append(Bar(f"{len(rest)} shorter stages", wh.low, wh.central, wh.high, reused=False))
    return found
