"""The parts of the report, as plain values that a template only has to lay out.

Each function takes the evidence and gives what one part shows, already in words and with every absent value
as its reason. No HTML here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.metrics.scoring import made_from
from workbench.metrics.wording import metric_name
from workbench.metrics.wording import points as in_points
from workbench.reporting import privacy, words
from workbench.reporting.comparison import compare
from workbench.reporting.emissions import digits
from workbench.reporting.evidence import NOT_MEASURED, Evidence, Row, role
from workbench.reporting.figures import Point
from workbench.reporting.findings import references, students, verdict_of

ROLES = {
    "baseline": "learned from the labels alone",
    "teacher": "reads with a pretrained encoder",
    "teacher-head": "as the teacher, its encoder left as it was",
    "student": "compact, learned from the teacher",
    "-short": "without some of its layers",
    "-onnx": "in ONNX, otherwise the same",
    "-fp16": "in 16 bits",
    "-int8": "in 8 bits (ONNX)",
    "control": "as the student, without the teacher",
    "selftrain": "as the student, taught by the baseline",
}
Strip = tuple[float, float, float]


@dataclass(frozen=True)
class Cell:
    """A value in a table: its text, what stands small beside it, and whether it is absent.

    Attributes:
        text: The value in words, or the reason why there is none.
        note: Its interval or spread, in words.
        absent: Whether ``text`` is a reason.
        strip: Places of low, value and high on a line from 0 to 100, where it is drawn.
    """

    text: str
    note: str = ""
    absent: bool = False
    strip: Strip | None = None


def interval(low: float | None, high: float | None) -> str:
    """An interval of scores in words, or nothing."""
    return "" if low is None or high is None else f"{words.score(low)} to {words.score(high)}"


def strips(rows: Sequence[Mapping[str, Any]], prefix: str = "") -> list[Strip | None]:
    """Where each row's interval stands on a line that is common to all of them."""
    ends = [[row.get(f"{prefix}{name}") for name in ("low", "value", "high")] for row in rows]
    known = [end for row in ends if None not in row for end in row if end is not None]
    least, most = min(known, default=0.0), max(known, default=1.0)

    def place(end: float) -> float:
        return 2 + 96 * (end - least) / ((most - least) or 1.0)

    return [
        None if low is None or value is None or high is None else (place(low), place(value), place(high))
        for low, value, high in ends
    ]


def comparison(evidence: Evidence) -> dict[str, Any]:
    """All candidates side by side."""
    table = compare(evidence)
    further = [split for split in evidence.splits if split != evidence.headline]
    places = {prefix: strips(table, prefix) for prefix in ("", *(f"{split}_" for split in further))}
    rows = []
    for at, row in enumerate(table):
        scores = [_score_cell(row, prefix, place[at]) for prefix, place in places.items()]
        name = row["candidate"]
        about = meaning(name) + privacy.remark(evidence, name)
        rows.append({"name": name, "about": about, "recommended": row["recommended"], "scores": scores}
                    | {"costs": _costs(row)})  # fmt: skip
    return {
        "rows": rows,
        "splits": [words.split_name(split) for split in (evidence.headline, *further)],
        "metric": metric_name(evidence.primary),
        "explained": words.EXPLAINED.get(evidence.primary, ""),
        "n": next((words.count(row["n"]) for row in table if row.get("n")), None),
        "shared": _shared(evidence),
        "compressed": bool(evidence.compressed),
        "hardware": next((str(row["hardware"]) for row in evidence.measurements if row.get("hardware")), None),
    }


def meaning(candidate: str) -> str:
    """What a candidate is, in a few words; of a compressed one with its original's name."""
    original = made_from(candidate)
    if original is not None:
        return f"{original} {ROLES.get(candidate.removeprefix(original), '')}"
    return ROLES.get(candidate, ROLES.get(role(candidate), ""))


def _shared(evidence: Evidence) -> str:
    """Whose times are another candidate's, in a sentence; nothing where each was measured itself."""
    carried = {str(row["candidate"]) for row in evidence.measurements if row.get("measured_on")}
    said = []
    if carried - {"teacher-head"}:
        same = "Control and selftrain are the same model as their student with other numbers in it"
        said.append(f"{same}, so they carry its times and energy.")
    if "teacher-head" in carried:
        said.append("teacher-head is the teacher's model likewise, and carries the teacher's.")
    return " ".join(said)


def _score_cell(row: Mapping[str, Any], prefix: str, place: Strip | None) -> Cell:
    value = row.get(f"{prefix}value")
    if value is None:
        return Cell(row["absent"].get(f"{prefix}value", NOT_MEASURED), absent=True)
    return Cell(words.score(value), interval(row.get(f"{prefix}low"), row.get(f"{prefix}high")), strip=place)


def _costs(row: Mapping[str, Any]) -> list[Cell]:
    """Latency, rate, size, energy of predicting in mWh, emissions of training in g."""

    def cell(key: str, text: str, note: str = "") -> Cell:
        value = row.get(key)
        return Cell(row["absent"].get(key, NOT_MEASURED), absent=True) if value is None else Cell(text, note)

    slow = row.get("latency_p95_ms")
    slow_note = f"{words.significant(slow)} for 95 %" if slow else ""
    energy, training = row.get("energy_wh_per_1000"), row.get("training_g_co2e")
    fp32 = row.get("rows_per_second_fp32")
    fp32_note = f"{words.per_second(fp32)} in fp32" if fp32 else ""
    energy_class = str(row.get("energy_class") or "D")
    energy_note = _ends(row.get("energy_low"), row.get("energy_high"), energy_class, 1000)
    training_class = str(row.get("training_class") or "D")
    training_note = _ends(row.get("training_low"), row.get("training_high"), training_class)
    return [
        cell("latency_ms", words.significant(row["latency_ms"] or 0), slow_note),
        cell("rows_per_second", words.per_second(row["rows_per_second"] or 0), fp32_note),
        cell("size_mb", words.significant(row["size_mb"] or 0)),
        cell("energy_wh_per_1000", digits(1000 * (energy or 0), energy_class), energy_note),
        cell("training_g_co2e", digits(training or 0, training_class), training_note),
    ]


def _ends(low: float | None, high: float | None, class_: str, factor: float = 1.0) -> str:
    if low is None or high is None or low == high:
        return ""
    return f"{digits(low * factor, class_)} to {digits(high * factor, class_)}"


def points(evidence: Evidence) -> list[Point]:
    """What the figure of quality against latency shows; candidates without both values are left out."""
    found = []
    for row in compare(evidence):
        if row["value"] is None or not row["latency_ms"]:
            continue
        measured = evidence.measured(row["candidate"], "latency_p50_ms") or {}
        latency = float(row["latency_ms"])
        found.append(
            Point(
                row["candidate"],
                role(row["candidate"]),
                latency,
                float(measured.get("low") or latency),
                float(measured.get("high") or latency),
                float(row["value"]),
                row["low"],
                row["high"],
                bool(row["recommended"]),
            )
        )
    return found


def differences(evidence: Evidence) -> list[dict[str, Any]]:
    """Each student against what it has to beat, in points: a table for each split."""
    found = [
        (split, student, row)
        for split in evidence.splits
        for student in students(evidence)
        for other in references(student)
        if (row := evidence.score(student, split, against=other)) is not None
    ]
    ends = [abs(row[name]) for _, _, row in found for name in ("low", "high") if row.get(name) is not None]
    scale = max(ends, default=0.0) or 1.0
    tables = []
    for split in dict.fromkeys(split for split, _, _ in found):
        rows = [
            {"student": student, "against": row["against"], "cell": difference_cell(row, scale)}
            | {"verdict": verdict_of(row) if row.get("low") is not None else ""}
            for of_split, student, row in found
            if of_split == split
        ]
        tables.append({"split": words.split_name(split), "rows": rows})
    return tables


def difference_cell(row: Row, scale: float) -> Cell:
    """A difference in points with its interval, drawn around 50; ``scale`` is the one that reaches 2 or 98."""
    low, value, high = row.get("low"), row.get("value"), row.get("high")
    if value is None:
        return Cell(verdict_of(row), absent=True)
    text = in_points(value, sign=True)
    if low is None or high is None:
        return Cell(text)
    strip = (50 + 48 * low / scale, 50 + 48 * value / scale, 50 + 48 * high / scale)
    return Cell(text, f"{in_points(low, sign=True)} to {in_points(high, sign=True)}", strip=strip)


def slices(evidence: Evidence) -> list[dict[str, Any]]:
    """The recommended candidate in each slice of the headline split: a table for each attribute."""
    name = evidence.recommended
    if name is None:
        return []
    whole = evidence.score(name, evidence.headline)
    tables: dict[str, list[Row]] = {}
    for row in evidence.slices(name, evidence.headline):
        tables.setdefault(str(row["slice"]).partition("=")[0], []).append(row)
    found = []
    for attribute, rows in tables.items():
        with_whole = [*([whole] if whole else []), *rows]
        places = strips(with_whole)
        shown = [_slice_row(row, place) for row, place in zip(with_whole, places, strict=True)]
        found.append({"attribute": attribute, "rows": shown, "worst": _worst(rows)})
    return found


def _slice_row(row: Row, place: Strip | None) -> dict[str, Any]:
    name = "all rows" if row.get("slice", "all") == "all" else str(row["slice"]).partition("=")[2]
    n = words.count(row.get("n") or 0)
    if row.get("value") is None:
        cell = Cell(str(row.get("reason") or NOT_MEASURED), absent=True)
    else:
        cell = Cell(words.score(row["value"]), interval(row.get("low"), row.get("high")), strip=place)
    return {"name": name, "n": n, "cell": cell, "whole": row.get("slice", "all") == "all"}


def _worst(rows: Iterable[Row]) -> str | None:
    """Name of the slice with the lowest score, where at least two have one."""
    known = [row for row in rows if row.get("value") is not None]
    return str(min(known, key=lambda row: row["value"])["slice"]).partition("=")[2] if len(known) > 1 else None


def seeds(evidence: Evidence) -> list[dict[str, Any]]:
    """Every candidate's score of every seed, their mean and spread; empty for a single seed."""
    if len(evidence.seeds) < 2:
        return []
    rows: list[dict[str, Any]] = []
    for candidate in evidence.candidates:
        of_seeds = [evidence.score(candidate, evidence.headline, seed=seed) for seed in evidence.seeds]
        values = [float(row["value"]) for row in of_seeds if row and row.get("value") is not None]
        if values:
            mean = sum(values) / len(values)
            sd = (sum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1)) ** 0.5
            rows.append({"candidate": candidate, "values": values, "mean": words.score(mean), "sd": words.score(sd)})
    least = min((value for row in rows for value in row["values"]), default=0.0)
    width = max((value for row in rows for value in row["values"]), default=1.0) - least or 1.0
    for row in rows:
        row["places"] = [2 + 96 * (value - least) / width for value in row["values"]]
        row["texts"] = [words.score(value) for value in row["values"]]
    return rows


def data_counts(evidence: Evidence) -> list[dict[str, str]]:
    """Rows of each split, with what it is for."""
    purposes = {
        "train": "labelled, to learn from",
        "validation": "labelled, to choose and calibrate with",
        "pool": "unlabelled, read by the teacher",
        "reserve": "set aside for later checks",
        "test": "the headline: to judge on",
    }
    counts: Mapping[str, Any] = evidence.health.get("counts") or {}
    found = []
    order = list(purposes)
    for name, value in sorted(counts.items(), key=lambda one: (order.index(one[0]) if one[0] in order else 9, one[0])):
        rows, groups = (value.get("rows"), value.get("groups")) if isinstance(value, Mapping) else (value, None)
        if rows is not None:
            found.append(
                {
                    "name": words.split_name(str(name)),
                    "rows": words.count(rows),
                    "groups": "" if groups is None else words.count(groups),
                    "purpose": purposes.get(str(name), "a further test" if str(name).startswith("test_") else ""),
                }
            )
    return found


def flattened(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested values as name and text, for a table; an empty one is left out."""
    found: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{str(key).replace('_', ' ')}"
        if isinstance(value, Mapping):
            found += flattened(value, f"{name} · ")
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            for at, one in enumerate(value, 1):
                found += flattened(one, f"{name} {at} · ")
        elif isinstance(value, list):
            found.append((name, ", ".join(str(one) for one in value)))
        elif value is not None and value != "":
            found.append((name, str(value)))
    return [(name, text) for name, text in found if text]
