"""What a student of a private teacher may learn from: soft targets of pool rows, and nothing that is labelled.

What is made from the outcome of a private training alone is as private as that training. One labelled row beside it,
a validation row that stops early, a temperature fitted on labels: each would go around the noise.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from workbench import storage
from workbench.data.table import Labelled
from workbench.errors import ModelError
from workbench.metrics.differential_privacy import Learned, Spent
from workbench.recipe import Distillation
from workbench.training.lessons import Answers
from workbench.training.students import Material

FILE = "privacy.json"


def pool_alone(material: Material, answers: Answers, settings: Distillation) -> tuple[Material, Answers]:
    """Rows and answers without anything labelled: no training rows, no validation.

    Args:
        material: What a student of any teacher learns from.
        answers: The teacher's.
        settings: How the recipe distils; without smoothing, which passes on the labels of labelled rows.

    Returns:
        The same with empty labelled parts. A student then ends after its epochs and is not calibrated.

    Raises:
        ModelError: There is no pool, or answers are smoothed.
    """
    problems = []
    if not len(material.pool):
        problems.append("there are no pool rows")
    if settings.smoothing is not None:
        problems.append("distillation.smoothing passes the labels of labelled rows on to their neighbours")
    if problems:
        raise ModelError(
            "A student of a private teacher cannot learn as private as its teacher"
            + (f": {problems[0]}." if len(problems) == 1 else "."),
            "Soft targets of pool rows alone: a pool, and no smoothing.",
            "Leave distillation.smoothing out of the recipe, or teacher.privacy; give unlabelled rows.",
            problems=problems,
        )
    bare = replace(material, train=_none_of(material.train), validation=_none_of(material.validation))
    return bare, Answers(answers.train[:0], answers.pool)


def _none_of(rows: Labelled) -> Labelled:
    slices = {name: values[:0] for name, values in rows.slices.items()}
    groups = None if rows.groups is None else rows.groups[:0]
    return Labelled(rows.rows[:0], rows.texts[:0], rows.labels[:0], groups, slices)


def write_privacy(folder: Path, spent: Spent, learned: Learned | None = None) -> None:
    """Keep beside a candidate what its privacy rests on.

    Args:
        folder: The candidate's folder.
        spent: What its training, or its teacher's, spent.
        learned: From what a student learned; ``None`` for the teacher itself.
    """
    about = {"spent": spent.to_json(), "learned": None if learned is None else vars(learned)}
    storage.write_json(folder / FILE, about)


def read_spent(folder: Path) -> Spent | None:
    """What a candidate's training, or its teacher's, spent; ``None`` without differential privacy.

    Args:
        folder: The candidate's folder.
    """
    file = folder / FILE
    return Spent.from_json(storage.read_json(file)["spent"]) if file.is_file() else None


def carry_privacy(source: Path, made: Path, *, temperature: bool) -> None:
    """Keep beside a compressed candidate what the privacy of its original rests on; nothing without privacy.

    Args:
        source: Folder of the original.
        made: Folder of the compressed one.
        temperature: Whether it was calibrated anew on validation, after which no ε is stated.
    """
    spent = read_spent(source)
    if spent is not None:
        learned = Learned(**(storage.read_json(source / FILE)["learned"] or {}))
        write_privacy(made, spent, replace(learned, temperature=learned.temperature or temperature))
