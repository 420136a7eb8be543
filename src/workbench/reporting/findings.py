"""What the numbers say, in sentences and small tables: the recommendation, its limits, whether distillation helped.

The words better and worse come from ``metrics.wording`` alone, which refuses them where the numbers do not
carry them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workbench.metrics.scoring import made_from
from workbench.metrics.wording import comparison_sentence, difference_from_row, verdict
from workbench.reporting import privacy, words
from workbench.reporting.evidence import Evidence, Row, role

FEW_ROWS = 30


def references(student: str) -> tuple[str, ...]:
    """The candidates that a student is held against, the ones that answer whether distillation helped first.

    For a compressed one that is what it was made from.
    """
    original = made_from(student)
    if original is not None:
        return (original,)
    name = student.partition("-")[2]
    return (f"control-{name}", f"selftrain-{name}", "baseline", "teacher")


def students(evidence: Evidence) -> list[str]:
    """Names of the students that were trained; compressed ones are judged in a part of their own."""
    return [name for name in evidence.candidates if role(name) == "student"]


def verdict_of(row: Row) -> str:
    """What a difference allows to be said, in a table's cell."""
    found = difference_from_row(row)
    said = verdict(found)
    if said == "not detectable":
        return f"not detectable at n = {words.count(found.n)}"
    return found.reason or "no interval" if said == "unknown" else said


def distillation_sentences(evidence: Evidence) -> list[str]:
    """What the run says about distillation; composed from the differences where it says nothing."""
    told = evidence.recommendation.get("distillation_helped", evidence.recommendation.get("distillation"))
    if isinstance(told, Mapping):
        told = [one.get("sentence") if isinstance(one, Mapping) else one for one in told.values()]
    sentences = _texts(told)
    if sentences:
        return sentences
    for student in students(evidence):
        for other in references(student)[:2]:
            row = evidence.score(student, evidence.headline, against=other)
            if row is not None:
                sentences.append(comparison_sentence(student, other, evidence.primary, difference_from_row(row)))
    return sentences


def _texts(value: Any) -> list[str]:
    """Every sentence in a piece of JSON, in order."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return []


def recommendation_sentences(evidence: Evidence) -> list[str]:
    """The recommendation: the first sentence is the whole of it, the others say what has to be known beside it."""
    sentence = str(evidence.recommendation.get("sentence") or "").strip()
    if sentence:
        parts = re.split(r"(?<=[.!?])\s+(?=[^\W\d_])", sentence)
        return [" ".join(parts[:1]), *parts[1:]]
    if evidence.recommended:
        return [f"Use {evidence.recommended}."]
    why = evidence.recommendation.get("reason") or f"it is {evidence.run.get('status', 'not finished')}"
    return [f"This run has no recommendation: {why}."]


def looks(evidence: Evidence) -> int | None:
    """How often test was looked at, or ``None`` where the run does not say."""
    told = evidence.recommendation.get("looks", evidence.recommendation.get("looks_at_test"))
    if told is not None:
        return int(told)
    counted = [event for event in evidence.events if "look" in str(event.get("type", ""))]
    return len(counted) or None


def limits(evidence: Evidence) -> list[str]:
    """What the figures do not show, in plain sentences."""
    found = []
    main = evidence.score(evidence.recommended or "", evidence.headline)
    where = words.split_name(evidence.headline)
    if main and main.get("n"):
        rows = f"{words.count(main['n'])} rows of the same table ({where})"
        found.append(f"Quality was measured on {rows}; texts from elsewhere may be sorted worse.")
    if "chosen_among" not in evidence.recommendation and evidence.recommended and len(evidence.candidates) > 1:
        found.append(f"It was chosen among {len(evidence.candidates)} candidates on the rows that it is scored on.")
    for split in evidence.splits:
        if split != evidence.headline and _is_transductive(evidence, split):
            found.append(
                f"{words.split_name(split).capitalize()} holds rows whose groups also stand in the labels or the pool: "
                "expect less on groups that are new."
            )
    of_slices = evidence.slices(evidence.recommended or "", evidence.headline)
    small = [str(row["slice"]).replace("=", " = ") for row in of_slices if _few(row)]
    if small:
        found.append(f"Nothing can be said of the slice {words.listing(small)}: fewer than {FEW_ROWS} rows.")
    if evidence.recipe.data.exclude_classes:
        excluded = words.listing(list(evidence.recipe.data.exclude_classes))
        found.append(f"Rows of {excluded} were left out; the model puts such texts into one of its own classes.")
    found += privacy.limits(evidence)
    found.append("Every text gets one of the known classes, also a text that belongs to none of them.")
    return found


def _few(row: Row) -> bool:
    return int(row.get("n") or 0) < FEW_ROWS


def _is_transductive(evidence: Evidence, split: str) -> bool:
    further = evidence.recipe.data.splits.further_tests.get(split.removeprefix("test_"))
    return further is not None and further.groups == "seen"


def reasons(evidence: Evidence) -> list[tuple[str, str]]:
    """Why the other candidates are not the recommended one: names that share a reason, and the reason."""
    by_reason: dict[str, list[str]] = {}
    for one in evidence.recommendation.get("others") or []:
        by_reason.setdefault(str(one.get("reason", "")), []).append(str(one["candidate"]))
    return [(words.listing(names), reason) for reason, names in by_reason.items()]


def leakage_reason(evidence: Evidence) -> str | None:
    """The reason why a run went on though test rows leak into training, or ``None``."""
    told = evidence.health.get("allow_leakage")
    if isinstance(told, Mapping):
        told = told.get("reason")
    return str(told or evidence.recipe.data.allow_leakage or "") or None
