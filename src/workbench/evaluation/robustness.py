"""How the primary metric falls when texts get worse: typing errors, cut texts, other case, look-alike letters.

The same test rows are asked again and again, so every point of a curve is paired with the clean one. Texts are not
kept: the evidence holds row numbers, and seed and level give every text again. Slow candidates get fewer rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.data import Labelled
from workbench.evaluation.check import Check, Subject
from workbench.evaluation.perturbations import Level, perturb
from workbench.metrics.robustness import CLEAN, FEWEST, SCHEMA
from workbench.models import Candidate
from workbench.runs.events import Listener, Progress, ignore, never

CURVES: dict[str, tuple[Level, ...]] = {
    "typos": (0.02, 0.05, 0.1, 0.15, 0.2),
    "truncation": (0.8, 0.6, 0.4, 0.2),
    "case": ("lower", "upper", "title"),
    "homoglyphs": (0.05, 0.1, 0.2, 0.4),
}
"""Levels of each curve: share of letters hit, share of words kept, form, share of replaceable letters."""
FAST = ("linear", "static")
ROWS, SLOW_ROWS = 1_500, 120
"""Test rows asked of candidates that predict thousands of texts a second, and of all others (short texts)."""
SHORT, LEAST_ROWS = 60, 40
"""Characters of a short text, and rows that slow candidates are asked however long the texts are."""


def check_robustness(
    subject: Subject,
    curves: dict[str, tuple[Level, ...]] | None = None,
    *,
    rows: int = ROWS,
    slow_rows: int = SLOW_ROWS,
    listener: Listener = ignore,
    stop: Callable[[], bool] = never,
) -> Check:
    """Ask the recommended candidate and the teacher for the same test rows, clean and changed.

    Args:
        subject: A finished comparison.
        curves: Perturbation to its levels; None for CURVES.
        rows: Rows asked of fast candidates (linear, static), at most.
        slow_rows: Rows asked of all others, at most: the first ones of the same draw.
        listener: Told of each candidate.
        stop: Looked at between conditions; a candidate that is not finished is left out.

    Returns:
        Evidence ``robustness``, a line for each candidate, row and condition; or the reason why there is none.
    """
    curves = CURVES if curves is None else curves
    test = subject.splits.tests["test"]
    if len(test) < FEWEST:
        reason = f"No robustness curves: {len(test)} test rows; at least {FEWEST} are needed."
        return Check("robustness", None, {}, (reason,))
    order = np.random.default_rng([subject.seed, 5]).permutation(len(test))
    parts: list[pa.Table] = []
    sizes: dict[str, int] = {}
    names = subject.chosen()
    for done, name in enumerate(names):
        candidate = subject.candidates[name]
        chosen = np.sort(order[: rows_for(candidate, test, rows, slow_rows)])
        answered = _conditions(candidate, test, chosen, (curves, subject.seed), stop)
        if answered is None:
            break
        sizes[name] = len(chosen)
        parts += [_lines(name, subject, chosen, condition, answer) for condition, answer in answered]
        listener(Progress("robustness", done + 1, len(names)))
    settings = {
        "classes": list(subject.splits.classes),
        "primary": subject.recipe.evaluation.primary,
        "confidence": subject.recipe.evaluation.confidence,
        "resamples": min(subject.recipe.evaluation.resamples, 2_000),
        "seed": subject.seed,
        "curves": {one: [str(level) for level in levels] for one, levels in curves.items()},
        "rows": sizes,
    }
    return Check("robustness", pa.concat_tables(parts) if parts else None, settings, _reasons(subject, sizes, rows))


def rows_for(candidate: Candidate, part: Labelled, rows: int, slow_rows: int) -> int:
    """How many rows a candidate is asked: all wanted ones where it is fast, else fewer, and fewer of long texts.

    Args:
        candidate: Its kind decides; nothing is timed, so that the number is the same everywhere.
        part: The rows.
        rows: Rows for fast kinds (linear, static).
        slow_rows: Rows for all others where texts are short (60 characters on average); at least 40 of longer ones.
    """
    if candidate.kind in FAST:
        return rows
    mean = float(pc.mean(pc.utf8_length(part.texts)).as_py() or SHORT)
    return min(slow_rows, max(LEAST_ROWS, round(slow_rows * SHORT / max(mean, 1))))


def _reasons(subject: Subject, sizes: dict[str, int], rows: int) -> tuple[str, ...]:
    """What was left out."""
    reasons = []
    for name in subject.chosen():
        if name not in sizes:
            reasons.append(f"Robustness of {name} was not measured: stopped; evaluate again for it.")
        elif sizes[name] < min(rows, len(subject.splits.tests["test"])):
            reasons.append(f"{name} is slow and was asked only {sizes[name]:,} test rows, so its intervals are wide.")
    left = [name for name in subject.asked() if name not in subject.chosen()]
    if left:
        reasons.append(f"Not asked, to save time: {', '.join(left)}.")
    return tuple(reasons)


Answer = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


def _conditions(
    candidate: Candidate,
    test: Labelled,
    chosen: npt.NDArray[np.int64],
    plan: tuple[dict[str, tuple[Level, ...]], int],
    stop: Callable[[], bool],
) -> list[tuple[tuple[str, str], Answer]] | None:
    """Predictions and their probabilities under every condition, the clean one first; None where stopped."""
    curves, seed = plan
    texts: list[str] = test.texts.take(pa.array(chosen)).to_pylist()
    found = [((CLEAN, ""), _answer(candidate, texts))]
    for name, levels in curves.items():
        for level in levels:
            if stop():
                return None
            changed = [perturb(text, name, level, seed=seed) for text in texts]
            found.append(((name, str(level)), _answer(candidate, changed)))
    return found


def _answer(candidate: Candidate, texts: Sequence[str]) -> Answer:
    probabilities = np.asarray(candidate.predict_proba(texts), dtype=np.float64)
    return probabilities.argmax(axis=1), probabilities.max(axis=1)


def _lines(
    name: str, subject: Subject, chosen: npt.NDArray[np.int64], condition: tuple[str, str], answer: Answer
) -> pa.Table:
    """Evidence of one candidate under one condition."""
    test, n = subject.splits.tests["test"], len(chosen)
    classes = np.asarray(subject.splits.classes, dtype=object)
    values: dict[str, Any] = {
        "candidate": [name] * n,
        "seed": np.full(n, subject.seed),
        "row": test.rows[chosen],
        "group": group_codes(test, chosen),
        "perturbation": [condition[0]] * n,
        "level": [condition[1]] * n,
        "label": classes[test.labels[chosen]],
        "prediction": classes[answer[0]],
        "probability": answer[1],
    }
    return pa.table(values, schema=SCHEMA)


def group_codes(part: Labelled, chosen: npt.NDArray[np.int64]) -> pa.Array:
    """A number for the group of each chosen row; its own where it has none. Rows that share one are drawn together.

    Args:
        part: Labelled rows.
        chosen: Places in them (n,).
    """
    own = -1 - part.rows[chosen]
    if part.groups is None:
        return pa.array(own)
    codes = (
        part.groups.dictionary_encode().indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)[chosen]
    )
    return pa.array(np.where(codes < 0, own, codes))
