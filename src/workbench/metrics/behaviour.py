"""From the answers to a suite to failure rates; a pure function of the evidence.

A case fails where any of its texts fails: a minimum functionality test where the class is none of the expected ones, an
invariance test where one variant gets another class than the text, a directional test where the probability does not
move as told or the class stays. Failure rates have exact intervals (Clopper and Pearson, 1934): they say what other
cases of the same kind might give, not what real texts give, for the cases were chosen and not drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from workbench.metrics.proportions import clopper_pearson

Row = dict[str, Any]
SCHEMA = pa.schema(
    [
        ("candidate", pa.string()),
        ("seed", pa.int64()),
        ("test", pa.string()),
        ("kind", pa.string()),
        ("case", pa.int64()),
        ("line", pa.int64()),
        ("variant", pa.int64()),
        ("text", pa.string()),
        ("note", pa.string()),
        ("expected", pa.list_(pa.string())),
        ("move", pa.string()),
        ("watched", pa.string()),
        ("by", pa.float64()),
        ("prediction", pa.string()),
        ("probability", pa.float64()),
        ("p_watched", pa.float64()),
    ]
)
"""Columns of the evidence: a line for each candidate, case and variant; variant 0 is the text as the suite has it."""


@dataclass(frozen=True)
class Judged:
    """One case and one candidate.

    Attributes:
        candidate: Who answered.
        test: Name of the test.
        kind: minimum, invariance or direction.
        line: Line of the case in the suite's file.
        answers: Its lines of evidence, the unchanged text first.
        failed: Numbers of the answers that fail, ascending; empty where it passed.
    """

    candidate: str
    test: str
    kind: str
    line: int
    answers: tuple[Mapping[str, Any], ...]
    failed: tuple[int, ...]

    @property
    def counts(self) -> bool:
        """Whether there was anything to judge: an invariance whose change changed no letter is none."""
        return self.kind == "minimum" or len(self.answers) > 1


def judge(table: pa.Table) -> list[Judged]:
    """Judge every case of every candidate.

    Args:
        table: Evidence with the columns of SCHEMA.

    Returns:
        The cases in the order of the evidence.
    """
    grouped: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for line in table.to_pylist():
        key = (line["candidate"], line["seed"], line["test"], line["kind"], line["case"])
        grouped.setdefault(key, []).append(line)
    found = []
    for (candidate, _, test, kind, _), lines in grouped.items():
        answers = tuple(sorted(lines, key=lambda line: int(line["variant"])))
        found.append(Judged(candidate, test, kind, answers[0]["line"], answers, tuple(_failing(kind, answers))))
    return found


def score_behaviour(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Failure rate of each candidate: of the suite, of each kind, of each test.

    Args:
        table: Evidence with the columns of SCHEMA.
        settings: ``suite``, ``confidence``.

    Returns:
        Rows of metrics.json, split ``suite-<suite>``, slice ``all``, ``kind=…`` or ``test=…``, metric failure_rate,
        with the number of failures beside it; n counts cases.
    """
    split, confidence = f"suite-{settings['suite']}", float(settings.get("confidence", 0.95))
    cases = judge(table)
    rows = []
    for candidate in dict.fromkeys(case.candidate for case in cases):
        own = [case for case in cases if case.candidate == candidate]
        parts: dict[str, list[Judged]] = {"all": own}
        for case in own:
            parts.setdefault(f"kind={case.kind}", []).append(case)
        for case in own:
            parts.setdefault(f"test={case.test}", []).append(case)
        rows += [_rate(candidate, split, name, part, confidence) for name, part in parts.items()]
    return rows


def _rate(candidate: str, split: str, slice_name: str, cases: Sequence[Judged], confidence: float) -> Row:
    """One failure rate."""
    judged = [case for case in cases if case.counts]
    n, failures = len(judged), sum(bool(case.failed) for case in judged)
    row: Row = {"candidate": candidate, "split": split, "slice": slice_name, "metric": "failure_rate"}
    if n == 0:
        absent = {"value": None, "low": None, "high": None, "n": 0, "method": "none", "seed": None, "against": None}
        return row | absent | {"reason": "the change of this test changed none of its texts; give others, or variants"}
    low, high = clopper_pearson(failures, n, confidence)
    row |= {"value": failures / n, "low": low, "high": high, "n": n, "method": f"Clopper–Pearson, {n} cases"}
    row |= {"seed": None, "against": None, "failures": failures}
    return row | ({} if confidence == 0.95 else {"confidence": confidence})


def _failing(kind: str, answers: Sequence[Mapping[str, Any]]) -> Iterable[int]:
    """Numbers of the answers that are not as they should be."""
    first = answers[0]
    if kind == "minimum":
        return [0] if first["prediction"] not in first["expected"] else []
    if kind == "invariance":
        return [at for at, one in enumerate(answers) if one["prediction"] != first["prediction"]]
    return [at for at, one in enumerate(answers) if at and not _moved(first, one)]


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a change did what the case asks of it."""
    if before["move"] == "changes":
        return bool(after["prediction"] != before["prediction"])
    gain = after["p_watched"] - before["p_watched"]
    return bool(gain > before["by"] if before["move"] == "rises" else -gain > before["by"])
