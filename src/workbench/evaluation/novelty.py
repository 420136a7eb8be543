"""Texts that are not of the domain: how many are flagged or sent to a person, and how many that are of it, too.

Asks with the texts of another shipped data set, everyday English, other languages and noise; false flags are counted
on the run's own splits. A flag rests on spelling alone, so a neighbouring topic in the same words is not found: that
is measured here, not hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.data import Labelled, readers
from workbench.data.sources import peek
from workbench.errors import DataError
from workbench.evaluation import foreign_texts
from workbench.evaluation.check import Check, Subject
from workbench.evaluation.decision import DecisionSettings, fit_decisions, group_codes, learn_novelty
from workbench.models.novelty import Judge
from workbench.recipe.shipped import shipped_folder
from workbench.runs import Listener, Progress, Stop, ignore, never

OFF_DOMAIN = "off-domain"
MOST_OWN = 2_000
OWN_DATA = {"licensedcode-data": "licence texts", "simple-icd-10-cm": "diagnosis titles"}
SAMPLE = "data/licence-obligations-sample.csv"


@dataclass(frozen=True)
class Asked:
    """Texts of one kind.

    Attributes:
        kind: For example ``licence texts``; of the domain: the split's name.
        split: ``off-domain``, or the split.
        texts: ``large_string`` array of length ``n``.
        rows: Number of each text in its source, shape ``(n,)``.
        groups: Number of each text's group, shape ``(n,)``.
    """

    kind: str
    split: str
    texts: pa.Array
    rows: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]


def check_novelty(
    subject: Subject,
    decisions: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    each: int = 200,
    listener: Listener = ignore,
    stop: Stop = never,
) -> Check:
    """Ask with texts of and not of the domain, and note what becomes of each.

    Args:
        subject: The finished comparison.
        decisions: Candidate to its decision; fitted anew when ``None``.
        each: Texts of each kind at most, from 30.
        listener: Hears progress.
        stop: Asked between candidates.

    Returns:
        Evidence ``novelty``: candidate, split, kind, row, group, novelty, flagged, confidence, sent. No texts.
    """
    novelty = learn_novelty(subject)
    decisions = fit_decisions(subject, settings=DecisionSettings()) if decisions is None else decisions
    foreign, reasons = off_domain(subject, each)
    own = in_domain(subject)
    scores = [novelty.score(one.texts) for one in (*foreign, *own)]
    pieces = []
    names = [name for name in subject.asked() if subject.candidates[name].kind != "file" and name in decisions]
    for done, name in enumerate(names):
        if stop():
            break
        judge = Judge(decisions[name], novelty if decisions[name]["novelty"]["threshold"] is not None else None)
        for one, score in zip((*foreign, *own), scores, strict=True):
            pieces.append(_lines(name, one, score, _confidence(subject, name, one), judge))
        listener(Progress("novelty", done + 1, len(names), name))
    if not pieces:
        return Check("novelty", None, {}, (*reasons, "No candidate can read a text."))
    flag = dict(decisions[names[0]]["novelty"])
    settings = {"flag": flag, "kinds": [one.kind for one in foreign], "seed": subject.seed, "each": each}
    told = [str(flag["reason"])] if flag.get("reason") else []
    return Check("novelty", pa.concat_tables(pieces), settings, (*reasons, *told))


def off_domain(subject: Subject, each: int) -> tuple[list[Asked], tuple[str, ...]]:
    """Texts that are not of the domain, by kind, and why a kind is missing.

    Args:
        subject: The finished comparison; its own data set is left out.
        each: Texts of each kind at most.
    """
    generator = np.random.default_rng([subject.seed, 4])
    found, reasons = [], []
    for package, kind in OWN_DATA.items():
        if subject.recipe.data.source.package == package or _is_sample(subject, package):
            continue
        try:
            texts = _other_data(package)
        except DataError as error:
            reasons.append(f"{kind} were not asked: {error}")
            continue
        rows = np.sort(generator.choice(len(texts), min(each, len(texts)), replace=False))
        found.append(_asked(kind, texts.take(pa.array(rows)).to_pylist(), rows))
    found.append(_asked("everyday English", foreign_texts.EVERYDAY))
    found.append(_asked("other languages", foreign_texts.other_languages()))
    own = _some_of(subject, generator, each)
    found.append(_asked("shuffled letters", foreign_texts.shuffled_letters(own, generator)))
    found.append(_asked("random letters", foreign_texts.random_letters(own, generator)))
    found.append(_asked("digits and marks", foreign_texts.digits_and_marks(own, generator)))
    return found, tuple(reasons)


def in_domain(subject: Subject) -> list[Asked]:
    """Reserve and tests, at most 2,000 rows each, drawn at random."""
    splits = {"reserve": subject.splits.reserve, **subject.splits.tests}
    return [_own(name, part, subject.seed) for name, part in splits.items() if len(part)]


def _own(name: str, part: Labelled, seed: int) -> Asked:
    generator = np.random.default_rng([seed, 5])
    chosen = np.sort(generator.choice(len(part), min(MOST_OWN, len(part)), replace=False))
    groups = part.rows if part.groups is None else group_codes(part.groups, part.rows)
    return Asked(name, name, part.texts.take(pa.array(chosen)), part.rows[chosen], groups[chosen])


def _asked(kind: str, texts: Sequence[str | None], rows: npt.NDArray[np.int64] | None = None) -> Asked:
    numbers = np.arange(len(texts), dtype=np.int64) if rows is None else rows
    return Asked(kind, OFF_DOMAIN, pa.array(texts, pa.large_string()), numbers, numbers)


def _some_of(subject: Subject, generator: np.random.Generator, each: int) -> list[str]:
    """Texts of the headline test (or of validation), to be made into noise."""
    part = subject.splits.tests.get("test", subject.splits.validation)
    chosen = np.sort(generator.choice(len(part), min(each, len(part)), replace=False))
    return [text or "" for text in part.texts.take(pa.array(chosen)).to_pylist()]


def _is_sample(subject: Subject, package: str) -> bool:
    """Whether the run's table is the shipped sample of licence texts."""
    path = subject.recipe.data.source.path
    return package == "licensedcode-data" and path is not None and Path(path).name == Path(SAMPLE).name


def _other_data(package: str) -> pa.Array:
    """Texts of a shipped data set: the sample that is part of the project, or the titles that a package carries."""
    if package == "licensedcode-data":
        return pa.array(peek(shipped_folder("recipes") / SAMPLE)["text"].to_pylist(), pa.large_string())
    table = readers.read("icd10cm", package).table
    return table.filter(pc.equal(table["kind"], "title"))["text"].combine_chunks()


def _confidence(subject: Subject, name: str, asked: Asked) -> npt.NDArray[np.float32]:
    """Probability of the likeliest class: stored for the run's own rows, else asked."""
    if asked.split == OFF_DOMAIN:
        return np.asarray(subject.candidates[name].predict_proba(asked.texts).max(axis=1), dtype=np.float32)
    table = subject.predictions[name]
    mine = pc.and_(pc.equal(table["split"], asked.split), pc.equal(table["seed"], subject.seed))
    table = table.filter(mine).sort_by("row")
    place = np.searchsorted(table["row"].to_numpy(), asked.rows)
    columns = [table[f"p_{one}"].to_numpy() for one in subject.splits.classes]
    return np.asarray(np.stack(columns, axis=1).max(axis=1)[place], dtype=np.float32)


def _lines(
    name: str,
    asked: Asked,
    score: npt.NDArray[np.float64],
    confidence: npt.NDArray[np.float32],
    judge: Judge,
) -> pa.Table:
    new = score > judge.decision["novelty"]["threshold"] if judge.novelty is not None else np.zeros(len(score), bool)
    threshold = judge.decision["threshold"]
    below = confidence < (np.inf if threshold is None else threshold)
    n = len(score)
    return pa.table(
        {
            "candidate": pa.array([name] * n),
            "split": pa.array([asked.split] * n),
            "kind": pa.array([asked.kind] * n),
            "row": pa.array(asked.rows),
            "group": pa.array(asked.groups),
            "novelty": pa.array(score.astype(np.float32)),
            "flagged": pa.array(new),
            "confidence": pa.array(confidence),
            "sent": pa.array(new | below),
        }
    )
