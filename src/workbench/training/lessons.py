"""What a student learns from: texts with targets, for distillation, for its control and for self-training.

Nothing here runs a model. The pool comes as ``Unlabelled``, which has no labels to reach.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.data.table import Labelled, Unlabelled
from workbench.errors import ModelError
from workbench.models.embeddings import as_arrow
from workbench.recipe import Distillation
from workbench.training.distillation import confidence_weights, mix, one_hot, soft_targets

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Lesson:
    """Texts with targets. No teacher is run, and no label of the pool is in it.

    Attributes:
        texts: ``large_string`` of length ``n``.
        targets: Distributions, shape ``(n, classes)``.
        weights: How much each row counts, 0 or more, shape ``(n,)``.
        stop_early: Whether training ends when the validation loss no longer falls (hard labels).
        labels: Class of each labelled row, -1 for rows of the pool, shape ``(n,)``.
    """

    texts: pa.Array
    targets: Floats
    weights: Floats
    labels: npt.NDArray[np.int64]
    stop_early: bool = False

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.targets)


@dataclass(frozen=True)
class Answers:
    """What a teacher, or the baseline, answered once: calibrated probabilities at temperature 1.

    Attributes:
        train: For the labelled training rows, shape ``(rows, classes)``.
        pool: For the pool, shape ``(pool rows, classes)``.
    """

    train: Floats
    pool: Floats


def distillation_lesson(train: Labelled, pool: Unlabelled, answers: Answers, settings: Distillation) -> Lesson:
    """Soft targets on the pool; on the labelled rows soft targets mixed with their labels.

    Args:
        train: The labelled training rows.
        pool: The pool.
        answers: The teacher's.
        settings: Temperature, ``soft_weight``, confidence.

    Raises:
        ModelError: The answers do not fit the rows.
    """
    _refuse_other_rows(train, pool, answers)
    hard = one_hot(train.labels, answers.train.shape[1])
    labelled = mix(soft_targets(answers.train, settings.temperature), hard, settings.soft_weight)
    unlabelled = soft_targets(answers.pool, settings.temperature)
    weights = confidence_weights(answers.pool, settings.min_confidence, weighting=settings.confidence_weighting)
    return _joined(train, pool, labelled, unlabelled, weights)


def selftrain_lesson(train: Labelled, pool: Unlabelled, baseline: Answers, settings: Distillation) -> Lesson:
    """Labels on the labelled rows and the baseline's pseudo-labels (its likeliest class) on the pool; no teacher.

    Args:
        train: The labelled training rows.
        pool: The pool.
        baseline: The baseline's answers; those for ``train`` are not used.
        settings: Its confidence rules hold here too, so that only the teacher differs.

    Raises:
        ModelError: The answers do not fit the rows.
    """
    _refuse_other_rows(train, pool, baseline)
    classes = baseline.pool.shape[1]
    pseudo = one_hot(baseline.pool.argmax(axis=1), classes)
    weights = confidence_weights(baseline.pool, settings.min_confidence, weighting=settings.confidence_weighting)
    return _joined(train, pool, one_hot(train.labels, classes), pseudo, weights)


def control_lesson(train: Labelled, classes: int) -> Lesson:
    """The labelled rows with their labels, stopped early; no pool and no teacher.

    Args:
        train: The labelled training rows.
        classes: Number of classes.
    """
    weights = np.ones(len(train), dtype=np.float32)
    labels = train.labels.astype(np.int64)
    return Lesson(as_arrow(train.texts), one_hot(train.labels, classes), weights, labels, stop_early=True)


def _refuse_other_rows(train: Labelled, pool: Unlabelled, answers: Answers) -> None:
    found, wanted = (len(answers.train), len(answers.pool)), (len(train), len(pool))
    if found != wanted or answers.train.shape[1:] != answers.pool.shape[1:]:
        raise ModelError(
            f"There are answers of shapes {answers.train.shape} and {answers.pool.shape} for {wanted[0]} labelled"
            f" and {wanted[1]} pool rows.",
            "An answer for every row, with a column for every class.",
            "Label these very rows again: run with --fresh.",
        )


def _joined(train: Labelled, pool: Unlabelled, labelled: Floats, unlabelled: Floats, weights: Floats) -> Lesson:
    """Labelled rows, each of weight 1, before the pool rows that weigh anything."""
    kept = np.flatnonzero(weights > 0)
    texts = as_arrow(pool.texts)
    some = texts if len(kept) == len(texts) else texts.take(pa.array(kept))
    return Lesson(
        pa.concat_arrays([as_arrow(train.texts), some]),
        np.concatenate([labelled, unlabelled[kept]]),
        np.concatenate([np.ones(len(train), dtype=np.float32), weights[kept]]),
        np.concatenate([train.labels.astype(np.int64), np.full(len(kept), -1)]),
    )
