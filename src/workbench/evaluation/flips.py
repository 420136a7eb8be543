"""Counterfactual flips: does the predicted class change when only a name, a gendered word, an age or a spelling does?

After Garg et al. (2019), “Counterfactual Fairness in Text Classification through Robustness”, with a control that their
work does not have: another word of the same group. Every text is asked in every variant of a list, so that all pairs of
variants can be compared, pairs of two groups (the swap) and pairs within one (the control). Texts are kept only where
the recipe allows it; what a flip means is decided in ``workbench.metrics.flips``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.data import Labelled
from workbench.errors import Stopped
from workbench.evaluation.check import Check, Subject
from workbench.evaluation.swaps import Member, SwapList, chosen_lists
from workbench.metrics.flips import ATTRIBUTES, FEWEST
from workbench.models import Candidate
from workbench.runs.events import Listener, Progress, Stop, ignore, never

NAME = "flips"
SPLIT = "test"
FAST_KINDS = ("linear", "static")
BATCH = 2048
DECIMALS = 4
"""Probabilities are kept to this many decimals, which makes the file several times smaller."""


@dataclass(frozen=True)
class Size:
    """How many texts and words a candidate is asked.

    Attributes:
        texts: Texts of the test split.
        members: Words of a frame list, spread evenly over its groups; at least two of each.
    """

    texts: int
    members: int


FAST, SLOW = Size(300, 16), Size(40, 12)
"""For linear and static candidates, and for encoders, which read about a thousand times slower."""


@dataclass(frozen=True)
class Question:
    """One text in all variants of one template.

    Attributes:
        row: Its number in the table.
        swap: The list.
        template: The template.
        variants: Members of the list with their texts.
    """

    row: int
    swap: SwapList
    template: str
    variants: tuple[tuple[Member, str], ...]


def check_flips(
    subject: Subject,
    sets: Sequence[str] = ("general",),
    *,
    fast: Size = FAST,
    slow: Size = SLOW,
    listener: Listener = ignore,
    stop: Stop = never,
) -> Check:
    """Ask the chosen candidates about a seeded sample of test texts in every variant.

    Args:
        subject: A finished comparison.
        sets: Sets of swap lists: ``general`` for any English text, ``health`` for findings and diagnoses; none for
            texts of another language, or where nothing of this makes sense.
        fast: How much linear and static candidates are asked.
        slow: How much all others are asked.
        listener: Told how far it is.
        stop: Looked at between batches.

    Returns:
        Evidence ``flips``: a line for each candidate, text, template and variant; or the reason why there is none.

    Raises:
        RecipeError: There is no such set of lists.
        Stopped: It was asked to stop.
    """
    lists = tuple(chosen_lists(sets))
    test = subject.splits.tests.get(SPLIT)
    if not lists or test is None or not len(test) or not subject.chosen():
        return Check(NAME, None, {"sets": list(sets)}, (_why_none(bool(lists)),))
    parts, asked = [], {}
    for name in subject.chosen():
        candidate = subject.candidates[name]
        size = fast if candidate.kind in FAST_KINDS else slow
        questions = list(_questions(lists, test, size, subject.seed))
        asked[name] = {"texts": size.texts, "members": size.members, "variants": _count(questions)}
        answers = _answers(name, candidate, questions, listener, stop)
        parts.append(_table(name, questions, answers, subject))
    settings = _settings(subject, sets, lists) | {"asked": asked}
    return Check(NAME, pa.concat_tables(parts), settings, tuple(_left_out(parts[0], lists)))


def _why_none(lists: bool) -> str:
    """Why nothing was asked."""
    if lists:
        return "No counterfactual flips: they need a candidate and at least 30 rows of the split test."
    return (
        "No counterfactual flips: the recipe chooses no set of swap lists. The shipped ones are English: general fits "
        "any text, health texts that name a finding; write them to evaluation.flips."
    )


def _count(questions: Sequence[Question]) -> int:
    """Number of variants."""
    return sum(len(question.variants) for question in questions)


def _settings(subject: Subject, sets: Sequence[str], lists: Sequence[SwapList]) -> dict[str, Any]:
    """What the scorer and a reader need."""
    return {
        "sets": list(sets),
        "split": SPLIT,
        "seed": subject.seed,
        "classes": list(subject.splits.classes),
        "confidence": subject.recipe.evaluation.confidence,
        "language": "en",
        "decimals": DECIMALS,
        "lists": [
            {"id": one.id, "kind": one.kind, "templates": dict(one.templates), "attributes": list(one.attributes)}
            | {"source": one.source, "limits": one.limits}
            for one in lists
        ],
    }


def _questions(lists: Sequence[SwapList], test: Labelled, size: Size, seed: int) -> Iterator[Question]:
    """Every text to be asked, with its variants; the texts of a frame are the same for all frames."""
    order = np.random.default_rng(seed).permutation(len(test))
    texts = test.texts.take(pa.array(order)).to_pylist()
    rows = test.rows[order]
    for swap in lists:
        allowed = _drawn_members(swap, size.members, seed)
        for template in swap.templates:
            found = 0
            for row, text in zip(rows, texts, strict=True):
                if found == size.texts:
                    break
                variants = swap.variants(text or "", template)
                if variants:
                    kept = tuple((one, variants[one.id]) for one in allowed if one.id in variants)
                    found += 1
                    yield Question(int(row), swap, template, kept)


def _drawn_members(swap: SwapList, members: int, seed: int) -> tuple[Member, ...]:
    """Words of a list, evenly from all of its groups, in the order of the file; a words list has them all."""
    if swap.kind != "frame":
        return swap.members
    cells: dict[tuple[str, ...], list[int]] = {}
    for at, member in enumerate(swap.members):
        cells.setdefault(tuple(member.values.values()), []).append(at)
    each = max(2, members // len(cells))
    random = np.random.default_rng(seed)
    drawn = [at for cell in cells.values() for at in random.permutation(cell)[:each]]
    return tuple(swap.members[at] for at in sorted(drawn))


def _answers(
    name: str, candidate: Candidate, questions: Sequence[Question], listener: Listener, stop: Stop
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Probabilities of all variants in order, shape ``(variants, classes)``; equal texts are asked once."""
    texts = [text for question in questions for _, text in question.variants]
    distinct = list(dict.fromkeys(texts))
    found = []
    for start in range(0, len(distinct), BATCH):
        if stop():
            raise Stopped("The check of flips was asked to stop.", "", "Run `workbench evaluate RUN` again.")
        found.append(candidate.predict_proba(distinct[start : start + BATCH]))
        listener(Progress(NAME, min(start + BATCH, len(distinct)), len(distinct), name))
    place = {text: at for at, text in enumerate(distinct)}
    answers: np.ndarray[tuple[int, int], np.dtype[np.float32]] = np.concatenate(found)[[place[text] for text in texts]]
    return answers


def _table(name: str, questions: Sequence[Question], answers: np.ndarray[Any, Any], subject: Subject) -> pa.Table:
    """Evidence of one candidate."""
    lines = [(question, member, text) for question in questions for member, text in question.variants]
    classes = subject.splits.classes
    columns: dict[str, pa.Array] = {
        "candidate": pa.array([name] * len(lines), pa.string()),
        "split": pa.array([SPLIT] * len(lines), pa.string()),
        "row": pa.array([question.row for question, _, _ in lines], pa.int64()),
        "list": pa.array([question.swap.id for question, _, _ in lines], pa.string()),
        "template": pa.array([question.template for question, _, _ in lines], pa.string()),
        "member": pa.array([member.id for _, member, _ in lines], pa.string()),
    }
    for attribute in ATTRIBUTES:
        columns[attribute] = pa.array([member.values.get(attribute) for _, member, _ in lines], pa.string())
    columns["prediction"] = pa.array([classes[at] for at in answers.argmax(axis=1)], pa.string())
    rounded = np.round(answers.astype(np.float32), DECIMALS)
    columns |= {f"p_{label}": pa.array(rounded[:, at], pa.float32()) for at, label in enumerate(classes)}
    if subject.recipe.report.examples:
        columns["text"] = pa.array([text for _, _, text in lines], pa.string())
    return pa.table(columns)


def _left_out(table: pa.Table, lists: Sequence[SwapList]) -> Iterator[str]:
    """What few or no texts were found for."""
    for swap in lists:
        for template in swap.templates:
            found = len(pc.unique(table.filter(pc.field("template") == template)["row"]))
            if found < FEWEST:
                yield (
                    f"{found} test texts hold words of the list {swap.id}: no flip rate is given of it; it would need "
                    f"at least {FEWEST}."
                )
