"""A student of any kind, trained three ways: from a teacher, as its own control, by self-training.

“Did distillation help?” is answered against both others: the control is the same student on the same labelled rows,
hard labels, stopped early, no pool; selftrain is the same student on the pool's pseudo-labels from the baseline, no
teacher. A teacher is never run here: its answers are arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.data.table import Labelled, Unlabelled
from workbench.models.candidate import Candidate
from workbench.models.ensemble import average
from workbench.models.static_tokens import StaticTokens
from workbench.recipe import Distillation, Student
from workbench.training.lessons import Answers, Lesson, control_lesson, distillation_lesson, selftrain_lesson
from workbench.training.watching import Watch

if TYPE_CHECKING:
    from workbench.training.encoders import Start


@dataclass(frozen=True)
class Material:
    """The rows that students may learn from.

    Attributes:
        classes: Names of the classes.
        train: The labelled training rows.
        validation: The labelled rows that choose and calibrate.
        pool: The unlabelled rows.
        tokens: Where a static student starts; ``None`` where there is no static student.
        start: Where a transformer student starts; ``None`` where there is none.
    """

    classes: tuple[str, ...]
    train: Labelled
    validation: Labelled
    pool: Unlabelled
    tokens: StaticTokens | None = None
    start: Start | None = None


def train_student(
    student: Student,
    material: Material,
    answers: Answers,
    settings: Distillation,
    *,
    seed: int = 0,
    watch: Watch | None = None,
) -> Candidate:
    """Train a student from its teacher's answers.

    With ``student.rounds`` of 2 or more, the student of one round answers too, and the mean of its answers and
    the teacher's is what the next one, trained anew, learns from.

    Args:
        student: The student.
        material: The rows.
        answers: The teacher's, at temperature 1.
        settings: Temperature, ``soft_weight``, confidence.
        seed: Seed of initial weights and order.
        watch: Who looks on, and where checkpoints are kept.

    Raises:
        ModelError: The answers do not fit the rows.
        Stopped: Somebody asked.
    """
    said = answers
    for remaining in reversed(range(student.rounds)):
        lesson = distillation_lesson(material.train, material.pool, said, settings)
        part = watch.of_round(remaining) if watch is not None else None
        candidate = learn(student, material, lesson, seed=seed, watch=part)
        if remaining:
            said = Answers(
                average([answers.train, candidate.predict_proba(material.train.texts)], (1, 1)),
                average([answers.pool, candidate.predict_proba(material.pool.texts)], (1, 1)),
            )
    return candidate


def train_control(student: Student, material: Material, *, seed: int = 0, watch: Watch | None = None) -> Candidate:
    """Train the same student on the labelled rows alone: hard labels, stopped early, no pool.

    Args:
        student: The student.
        material: The rows; the pool is not read.
        seed: Seed of initial weights and order.
        watch: Who looks on, and where checkpoints are kept.

    Raises:
        Stopped: Somebody asked.
    """
    lesson = control_lesson(material.train, len(material.classes))
    return learn(student, material, lesson, seed=seed, watch=watch)


def train_selftrain(
    student: Student,
    material: Material,
    baseline: Answers,
    settings: Distillation,
    *,
    seed: int = 0,
    watch: Watch | None = None,
) -> Candidate:
    """Train the same student on the baseline's pseudo-labels of the pool, without a teacher.

    Args:
        student: The student.
        material: The rows.
        baseline: The baseline's answers.
        settings: Its confidence rules.
        seed: Seed of initial weights and order.
        watch: Who looks on, and where checkpoints are kept.

    Raises:
        ModelError: The answers do not fit the rows.
        Stopped: Somebody asked.
    """
    lesson = selftrain_lesson(material.train, material.pool, baseline, settings)
    return learn(student, material, lesson, seed=seed, watch=watch)


def learn(
    student: Student,
    material: Material,
    lesson: Lesson,
    *,
    seed: int = 0,
    watch: Watch | None = None,
) -> Candidate:
    """Train a student of any kind on a lesson.

    Args:
        student: The student.
        material: Classes, validation and, for a static student, its tokens.
        lesson: Texts with targets.
        seed: Seed of initial weights and order.
        watch: Who looks on, and where checkpoints are kept.

    Raises:
        Stopped: Somebody asked.
        ValueError: A static or transformer student without what it starts from.
    """
    validation, watch = material.validation, watch or Watch()
    if student.kind == "transformer":
        from workbench.training.encoders import train_transformer

        if material.start is None:
            raise ValueError("a transformer student needs material.start: the encoder that it is cut from")
        return train_transformer(material.start, lesson, validation, material.classes, student, seed=seed, watch=watch)
    if student.kind == "static":
        from workbench.training.static import train_static

        if material.tokens is None:
            raise ValueError("a static student needs material.tokens: see models.static_tokens.distil_tokens")
        return train_static(
            material.tokens,
            lesson,
            validation,
            material.classes,
            student,
            seed=seed,
            listener=watch.listener,
            stop=watch.stop,
        )
    from workbench.training.linear import LinearSettings, train_linear

    return train_linear(
        lesson.texts,
        lesson.targets,
        classes=material.classes,
        settings=LinearSettings(student.ngrams, student.buckets, student.l2, epochs=student.epochs),
        weights=lesson.weights,
        validation=(validation.texts, validation.labels),
        seed=seed,
        listener=watch.listener,
        stop=watch.stop,
    )
