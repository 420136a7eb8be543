"""Texts that attack a classifier, and how often they succeed against a neutral change of the same length.

An attack succeeds where the answer becomes the class that the attacker named; it does harm where a right answer becomes
a wrong one. Texts are not kept: row, template and seed give them again.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.data import Labelled
from workbench.evaluation.attack_texts import ATTACKS, HOMOGLYPH_RATE, PADDED_WORDS, TARGETED, attacked, corpus_texts
from workbench.evaluation.attack_texts import templates_of as templates_for
from workbench.evaluation.check import Check, Subject
from workbench.evaluation.robustness import group_codes, rows_for
from workbench.metrics.attacks import FEWEST, SCHEMA
from workbench.models import Candidate
from workbench.runs.events import Listener, Progress, ignore, never

ROWS, SLOW_ROWS = 600, 80
"""Test rows asked of candidates that predict thousands of texts a second, and of all others."""
NO_CORPUS = (
    "The injection texts of bastioncorpus were not tried: it is not installed "
    "(pip install 'specialist-workbench[attacks]')."
)


@dataclass(frozen=True)
class _Rows:
    """The attacked rows and what a candidate said of them before: all arrays (rows,)."""

    part: Labelled
    chosen: npt.NDArray[np.int64]
    texts: list[str]
    clean: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]


def check_attacks(
    subject: Subject,
    *,
    rows: int = ROWS,
    slow_rows: int = SLOW_ROWS,
    listener: Listener = ignore,
    stop: Callable[[], bool] = never,
) -> Check:
    """Attack the recommended candidate and the teacher on test rows.

    Args:
        subject: A finished comparison.
        rows: Rows asked of fast candidates (linear, static), at most.
        slow_rows: Rows asked of all others, at most.
        listener: Told of each candidate.
        stop: Looked at between attacks; a candidate that is not finished is left out.

    Returns:
        Evidence ``attacks``: a line for each candidate, row, attack and arm (attack or control); or the reason why
        there is none.
    """
    test, classes = subject.splits.tests["test"], subject.splits.classes
    if len(test) < FEWEST or len(classes) < 2:
        reason = f"No attacks: {len(test)} test rows of {len(classes)} classes; {FEWEST} rows and 2 classes are needed."
        return Check("attacks", None, {}, (reason,))
    order = np.random.default_rng([subject.seed, 6]).permutation(len(test))
    corpus, reasons = corpus_texts(), []
    parts: list[pa.Table] = []
    sizes: dict[str, int] = {}
    for done, name in enumerate(names := subject.chosen()):
        candidate = subject.candidates[name]
        chosen = np.sort(order[: rows_for(candidate, test, rows, slow_rows)])
        found = _attack(name, subject, chosen, corpus, stop)
        if found is None:
            reasons.append(f"{name} was not attacked: stopped; evaluate again for it.")
            continue
        parts += found
        sizes[name] = len(chosen)
        listener(Progress("attacks", done + 1, len(names)))
    reasons += [] if corpus else [NO_CORPUS]
    return Check(
        "attacks", pa.concat_tables(parts) if parts else None, _settings(subject, sizes, corpus), tuple(reasons)
    )


def _settings(subject: Subject, sizes: dict[str, int], corpus: tuple[str, ...] | None) -> dict[str, Any]:
    """What the scorer and a reader need."""
    return {
        "rows": sizes,
        "templates": {attack: len(templates_for(attack, corpus)) for attack in ATTACKS},
        "targeted": list(TARGETED),
        "homoglyph_rate": HOMOGLYPH_RATE,
        "padded_words": PADDED_WORDS,
        "confidence": subject.recipe.evaluation.confidence,
        "resamples": min(subject.recipe.evaluation.resamples, 2_000),
        "seed": subject.seed,
    }


def _attack(
    name: str,
    subject: Subject,
    chosen: npt.NDArray[np.int64],
    corpus: tuple[str, ...] | None,
    stop: Callable[[], bool],
) -> list[pa.Table] | None:
    """Every attack and its control on the chosen rows; None where stopped."""
    candidate, part = subject.candidates[name], subject.splits.tests["test"]
    texts: list[str] = part.texts.take(pa.array(chosen)).to_pylist()
    clean = _answer(candidate, texts)[0]
    random = np.random.default_rng([subject.seed, 7])
    targets = (clean + random.integers(1, len(subject.splits.classes), size=len(clean))) % len(subject.splits.classes)
    rows = _Rows(part, chosen, texts, clean, targets)
    tables = []
    for attack in ATTACKS:
        templates = templates_for(attack, corpus)
        if stop():
            return None
        if templates:
            tables += _arms(name, candidate, rows, (attack, templates), subject)
    return tables


def _arms(
    name: str, candidate: Candidate, rows: _Rows, attack: tuple[str, tuple[str, ...]], subject: Subject
) -> list[pa.Table]:
    """Evidence of one attack and of its control; templates are dealt out over the rows in turn."""
    kind, templates = attack
    used = np.arange(len(rows.texts)) % len(templates)
    random = np.random.default_rng([subject.seed, 8, zlib.crc32(kind.encode())])
    pairs = [
        attacked(text, kind, templates[at], subject.splits.classes[target], random)
        for text, at, target in zip(rows.texts, used, rows.targets, strict=True)
    ]
    tables = []
    for place, arm in enumerate(("attack", "control")):
        changed = [pair[place] for pair in pairs]
        tables.append(_lines((name, kind, arm), rows, used, changed, (_answer(candidate, changed), subject)))
    return tables


Answer = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


def _answer(candidate: Candidate, texts: list[str]) -> Answer:
    probabilities = np.asarray(candidate.predict_proba(texts), dtype=np.float64)
    return probabilities.argmax(axis=1), probabilities.max(axis=1)


def _lines(
    names: tuple[str, str, str],
    rows: _Rows,
    used: npt.NDArray[np.int64],
    changed: list[str],
    answered: tuple[Answer, Subject],
) -> pa.Table:
    """Evidence of one arm."""
    answer, subject = answered
    n = len(changed)
    classes = np.asarray(subject.splits.classes, dtype=object)
    values: dict[str, Any] = {
        "candidate": [names[0]] * n,
        "seed": np.full(n, subject.seed),
        "row": rows.part.rows[rows.chosen],
        "group": group_codes(rows.part, rows.chosen),
        "attack": [names[1]] * n,
        "arm": [names[2]] * n,
        "template": used,
        "characters": [len(text) for text in changed],
        "label": classes[rows.part.labels[rows.chosen]],
        "clean": classes[rows.clean],
        "target": classes[rows.targets],
        "prediction": classes[answer[0]],
        "probability": answer[1],
    }
    return pa.table(values, schema=SCHEMA)
