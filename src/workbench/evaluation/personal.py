"""Looks for personal data in everything that a run reads, and measures on invented sentences what it would have seen.

No model is asked. The evidence says where something stands and of which type, never what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.data import personal
from workbench.evaluation.check import Check, Subject
from workbench.runs.events import Listener, Progress, ignore, never

SENTENCES = 5_000


def check_personal(subject: Subject, *, listener: Listener = ignore, stop: Callable[[], bool] = never) -> Check:
    """Scan texts, groups and slices of every split.

    Args:
        subject: A finished comparison; only its recipe and splits are looked at.
        listener: Told of the beginning and the end.
        stop: Looked at before it begins.

    Returns:
        Evidence ``personal``: row, column, split, type, start, length. Its ``reasons`` say what an extra that is not
        installed would have added.
    """
    if stop():
        return Check("personal", None, reasons=("The scan for personal data was stopped before it began.",))
    data = subject.recipe.data
    by = personal.scanner()
    listener(Progress("personal", 0, 1))
    table = personal.scan_splits(subject.splits, by, text=data.text, group=data.group)
    settings = described(by) | {
        "text": data.text,
        "rows": personal.looked_at(subject.splits, text=data.text, group=data.group),
    }
    listener(Progress("personal", 1, 1))
    return Check("personal", table, settings, by.missing)


def check_personal_recall(
    subject: Subject | None = None,
    *,
    sentences: int = SENTENCES,
    listener: Listener = ignore,
    stop: Callable[[], bool] = never,
) -> Check:
    """Put the same scan to invented sentences in which it is known what stands where.

    Args:
        subject: Gives the seed; 0 where there is none.
        sentences: How many are made.
        listener: Told of the beginning and the end.
        stop: Looked at before it begins.

    Returns:
        Evidence ``personal-recall``: sentence, locale, type, start, length, planted, found.
    """
    if stop():
        return Check("personal-recall", None, reasons=("The scan's recall was not measured: it was stopped.",))
    seed = 0 if subject is None else subject.seed
    by = personal.scanner()
    listener(Progress("personal", 0, 1))
    table = personal.measured(personal.generate(sentences, seed), by)
    listener(Progress("personal", 1, 1))
    return Check("personal-recall", table, described(by) | {"sentences": sentences, "seed": seed})


def described(by: personal.Scanner) -> dict[str, Any]:
    """What was looked for, and with what."""
    return {
        "kinds": [kind.to_json() for kind in by.kinds],
        "sources": dict(by.sources),
        "not_seen": list(personal.NOT_SEEN),
    }
