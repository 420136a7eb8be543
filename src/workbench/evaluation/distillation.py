"""Did distillation help? Answered for every student against its control and its selftrain, on the same rows.

The control had the same labels and no teacher; selftrain had the pool and no teacher. Only a student that is better
than both, after Holm, has been helped by its teacher.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.metrics.scoring import made_from
from workbench.metrics.wording import comparison_sentence, difference_from_row, metric_name, points, verdict

Row = dict[str, Any]


def distillation_helped(rows: Sequence[Row], margin: float) -> dict[str, Any]:
    """Judge every student against its control and selftrain.

    Args:
        rows: Rows of metrics.json of one split and metric, aggregated over seeds.
        margin: The recipe's margin, for saying that a control is as good.

    Returns:
        For each student that was trained {helped: True, False, or None where it cannot be said; sentence; against:
        {other: {verdict, sentence}}}. A compressed one has its original's answer.
    """
    students = dict.fromkeys(
        row["candidate"] for row in rows if row["candidate"].startswith("student-") and row["against"] is None
    )
    return {student: _judge(student, rows, margin) for student in students if made_from(student) is None}


def _judge(student: str, rows: Sequence[Row], margin: float) -> dict[str, Any]:
    """One student."""
    name = student.removeprefix("student-")
    others = (f"control-{name}", f"selftrain-{name}")
    found = {row["against"]: row for row in rows if row["candidate"] == student and row["against"] in others}
    against = {
        other: {
            "verdict": verdict(difference_from_row(row)),
            "sentence": comparison_sentence(student, other, row["metric"], difference_from_row(row)),
        }
        for other, row in found.items()
    }
    verdicts = [one["verdict"] for one in against.values()]
    if not verdicts or "unknown" in verdicts or others[0] not in found:
        reason = (
            "it was not compared with its control"
            if others[0] not in found
            else "the test rows do not carry the comparison"
        )
        return {
            "helped": None,
            "sentence": f"Whether distillation helped {student} cannot be said: {reason}.",
            "against": against,
        }
    helped = all(one == "better" for one in verdicts)
    return {"helped": helped, "sentence": _sentence(student, against, found, margin), "against": against}


def _sentence(student: str, against: dict[str, dict[str, str]], found: dict[str, Row], margin: float) -> str:
    """The answer in one or two sentences."""
    metric = metric_name(next(iter(found.values()))["metric"])
    better = [other for other, one in against.items() if one["verdict"] == "better"]
    if len(better) == len(against):
        gains = " and ".join(f"{points(found[other]['value'], sign=True)} points over {other}" for other in better)
        return f"Distillation helped {student}: {gains} in {metric}."
    worse = [other for other, one in against.items() if one["verdict"] == "worse"]
    if worse:
        return f"Distillation did not help {student}: in {metric} it is worse than {' and '.join(worse)}."
    as_good = [other for other in against if other not in better and found[other]["high"] < margin]
    tail = f"{' and '.join(as_good)} is as good within {points(margin)} points" if len(as_good) == 1 else ""
    tail = tail or (f"{' and '.join(as_good)} are as good within {points(margin)} points" if as_good else "")
    tail = tail or " ".join(against[other]["sentence"] for other in against if other not in better).rstrip(".")
    return f"Distillation was not shown to help {student}: {tail}."
