"""Reference models for a fine-tuned teacher: fine-tuned alike, on random halves. Minutes each, so only on request."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.data.table import Labelled
from workbench.evaluation.check import Subject
from workbench.evaluation.references import Audited, Shadows
from workbench.evaluation.shadows import random_halves
from workbench.models.encoder import Encoder
from workbench.runs.events import Stop, never

Array = npt.NDArray[Any]

FEWEST, MOST = 2, 8


def tuned_shadows(
    subject: Subject, encoder: Encoder, vectors: Array, audited: Audited, references: int, *, stop: Stop = never
) -> Shadows:
    """Fine-tune some reference models as the run's teacher was: the head first, then encoder and head.

    Args:
        subject: The finished comparison; its recipe has one fine-tuned teacher.
        encoder: The encoder before any tuning.
        vectors: Its vectors of the audited rows.
        audited: The rows.
        references: Their number, even, 2 to 8.
        stop: Asked between steps.

    Raises:
        ValueError: Another number.
        Stopped: ``stop`` said yes.
    """
    if references % 2 or not FEWEST <= references <= MOST:
        raise ValueError(f"{references} fine-tuned reference models; an even number from {FEWEST} to {MOST} is right")
    masks = random_halves(audited.labels, references, np.random.default_rng([subject.seed, 3]))
    said = [
        _tuned(subject, encoder, vectors, audited, mask, seed=number, stop=stop) for number, mask in enumerate(masks)
    ]
    logits = np.log(np.maximum(np.stack(said), 1e-12))
    about = (f"{references} reference models are few: means over them are rough.",)
    return Shadows(masks, np.zeros(0), logits, "fine-tuned alike", 0.0, 1.0, None, about)


def _tuned(
    subject: Subject, encoder: Encoder, vectors: Array, audited: Audited, mask: Array, *, seed: int, stop: Stop
) -> Array:
    from workbench.training import Watch, train_head
    from workbench.training.distillation import one_hot
    from workbench.training.finetuning import Labels, finetune

    splits, teacher = subject.splits, subject.recipe.teacher
    assert teacher is not None  # noqa: S101  (there is a fine-tuned one)
    chosen = np.flatnonzero(mask)
    labels = audited.labels[chosen].astype(np.int32)
    half = Labelled(audited.rows[chosen], audited.texts.take(pa.array(chosen)), labels)
    held = splits.validation
    trained = train_head(
        vectors[chosen], one_hot(labels, audited.classes), encoder.encode(held.texts), held.labels, stop=stop
    )
    head = trained.head.scaled(1 / trained.temperature)
    with tempfile.TemporaryDirectory() as folder:
        rows = Labels(splits.classes, half, held)
        tuned = finetune(encoder.weights, teacher, rows, head, Path(folder), seed=seed, watch=Watch(stop=stop))
        return tuned.candidate.predict_proba(audited.texts)
