"""Transformer students: cut from a larger encoder, then trained on answers, labels, hidden states, attention.

The start says what the student is cut from and what its states are compared with. A teacher's answers are arrays made
once; only the losses of hidden states and attention run the larger encoder along, without gradients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.data.table import Labelled
from workbench.models.cutting import cut_layers
from workbench.models.fitting import check_fits
from workbench.models.narrowing import narrow
from workbench.models.tokens import need
from workbench.models.transformer import TransformerCandidate, open_classifier, tokenizer_files
from workbench.models.weights import Weights
from workbench.recipe import Cut, Losses, Student, Tuning
from workbench.training.batching import Examples
from workbench.training.distillation import fit_temperature
from workbench.training.engine import Objective, soft_targets_only, train
from workbench.training.finetuning import labelled_examples, read_tokens
from workbench.training.lessons import Lesson
from workbench.training.losses import layer_pairs
from workbench.training.networks import SequenceNetwork
from workbench.training.watching import Watch

CONTROL_EPOCHS = 12
CONTROL_PATIENCE = 3


@dataclass(frozen=True)
class Start:
    """Where a transformer student comes from.

    Attributes:
        weights: The encoder it is cut from, and whose states it is compared with.
    """

    weights: Weights


def train_transformer(
    start: Start,
    lesson: Lesson,
    validation: Labelled,
    classes: tuple[str, ...],
    student: Student,
    *,
    seed: int = 0,
    watch: Watch | None = None,
) -> TransformerCandidate:
    """Cut a student and train it on a lesson.

    Args:
        start: What it is cut from.
        lesson: Texts with targets.
        validation: Labelled rows that calibrate; a control stops early by them.
        classes: Names of the classes.
        student: The recipe's student: cut, losses, tuning.
        seed: Seed of its last layer, of order and dropout.
        watch: Who looks on, and where checkpoints are kept.

    Raises:
        ModelError: A layer or width does not exist, or the loss is no number.
        Stopped: Somebody asked.
    """
    candidate = cut_student(start, classes, student.cut or Cut(), seed=seed)
    settings = tuning_of(student, lesson)
    losses = Losses() if lesson.stop_early else student.losses or Losses()
    kept = (student.cut or Cut()).keep_layers
    how = (settings, losses)
    return fit_candidate(candidate, lesson, validation, how, start=start, kept=kept, seed=seed, watch=watch)


def repair(
    candidate: TransformerCandidate,
    lesson: Lesson,
    validation: Labelled,
    student: Student,
    *,
    seed: int = 0,
    watch: Watch | None = None,
) -> TransformerCandidate:
    """Leave layers out of a trained student and train the rest for a short while.

    Args:
        candidate: The trained student.
        lesson: What it learned from.
        validation: Labelled rows that calibrate.
        student: Its part of the recipe: ``cut.drop_layers`` and ``cut.repair_epochs``.
        seed: Seed of order and dropout.
        watch: Who looks on.

    Raises:
        ModelError: A layer does not exist, or none would be left.
        Stopped: Somebody asked.
    """
    cut = student.cut or Cut()
    layers = int(candidate.model.config.num_hidden_layers)
    kept = [layer for layer in range(1, layers + 1) if layer not in cut.drop_layers]
    if len(kept) + len(cut.drop_layers) != layers:
        kept = [*kept, *(layer for layer in cut.drop_layers if layer > layers)]  # named by the refusal
    shorter = cut_layers(candidate.model, kept)
    made = TransformerCandidate(shorter, candidate.tokenizer_files, candidate.classes, max_tokens=candidate.max_tokens)
    settings = (student.tuning or Tuning(patience=0)).model_copy(update={"epochs": cut.repair_epochs})
    return fit_candidate(made, lesson, validation, (settings, Losses()), seed=seed, watch=watch)


def tuning_of(student: Student, lesson: Lesson) -> Tuning:
    """How a student is trained: as the recipe says; a control on a few labels goes on until it no longer gains."""
    given = student.tuning or Tuning(patience=0)
    if not lesson.stop_early:
        return given
    return given.model_copy(update={"epochs": max(given.epochs, CONTROL_EPOCHS), "patience": CONTROL_PATIENCE})


def cut_student(start: Start, classes: tuple[str, ...], cut: Cut, *, seed: int) -> TransformerCandidate:
    """The untrained student: chosen layers, perhaps narrower, with a new last layer.

    Args:
        start: What it is cut from.
        classes: Names of the classes.
        cut: Layers and width.
        seed: Seed of the last layer.

    Raises:
        ModelError: A layer or width that the encoder does not have.
    """
    with _seeded(seed):
        model = open_classifier(start.weights, classes)
        if cut.keep_layers:
            model = cut_layers(model, cut.keep_layers)
        if cut.width is not None:
            model = narrow(model, cut.width)
    model = model.requires_grad_(True)
    return TransformerCandidate(model, tokenizer_files(start.weights.folder), classes, max_tokens=cut.max_tokens)


def fit_candidate(
    candidate: TransformerCandidate,
    lesson: Lesson,
    validation: Labelled,
    how: tuple[Tuning, Losses],
    *,
    start: Start | None = None,
    kept: Sequence[int] = (),
    seed: int = 0,
    watch: Watch | None = None,
) -> TransformerCandidate:
    """Train a classifier on a lesson, and calibrate it on validation.

    Args:
        candidate: The classifier; it is trained in place.
        lesson: Texts with targets.
        validation: Labelled rows; may be none, then it is not calibrated.
        how: Settings of the training, and weights of the losses.
        start: What its states are compared with, where a loss does.
        kept: Layers of the start that it kept.
        seed: Seed of order and dropout.
        watch: Who looks on.
    """
    settings, losses = how
    if settings.freeze_embeddings:
        candidate.model.get_input_embeddings().weight.requires_grad_(False)
    objective: Objective = soft_targets_only
    if losses != Losses():
        objective = make_objective(candidate, losses, start, kept, settings.label_smoothing)
    network = SequenceNetwork(candidate.model)
    examples = lesson_examples(candidate.tokenizer, lesson)
    held_out = labelled_examples(candidate.tokenizer, validation, len(candidate.classes)) if len(validation) else None
    if losses.attention:
        settings = settings.model_copy(update={"dropout": settings.dropout or 0.0})
    train(network, examples, settings, validation=held_out, objective=objective, seed=seed, watch=watch)
    candidate.model.requires_grad_(False).eval()
    temperature = fit_temperature(candidate.logits(validation.texts), validation.labels)
    return candidate.scaled(temperature)


def lesson_examples(tokenizer: Any, lesson: Lesson) -> Examples:
    """A lesson as tokens with targets."""
    rows = np.arange(len(lesson), dtype=np.int64)
    return Examples(read_tokens(tokenizer, lesson.texts), lesson.targets, lesson.weights, rows, lesson.labels)


def make_objective(
    candidate: TransformerCandidate,
    losses: Losses,
    start: Start | None,
    kept: Sequence[int] = (),
    smoothing: float = 0.0,
) -> Objective:
    """The weighted sum of losses that a recipe asks for.

    Args:
        candidate: The student.
        losses: Weights.
        start: The encoder whose states the student is compared with; needed for ``hidden`` and ``attention``.
        kept: Layers of the start that the student kept, its partners; spread evenly when empty.
        smoothing: Label smoothing of the hard labels.

    Raises:
        ModelError: The tokenizers differ, so states cannot be compared token by token.
        ValueError: States are asked for without a start.
    """
    from workbench.training.objectives import Compared, WeightedLosses

    if not (losses.hidden or losses.attention):
        return WeightedLosses(losses, smoothing)
    if start is None:
        raise ValueError("losses of hidden states and attention need the encoder that the student comes from")
    check_fits(candidate.tokenizer_files["tokenizer.json"], tokenizer_files(start.weights.folder)["tokenizer.json"])
    reference = open_classifier(start.weights, candidate.classes)
    if losses.attention:
        for model in (candidate.model, reference):
            model.set_attn_implementation("eager")
    ours, theirs = candidate.model.config, reference.config
    pairs = layer_pairs(ours.num_hidden_layers, kept, theirs.num_hidden_layers)
    with _seeded(0):
        compared = Compared.of(reference, pairs, ours.hidden_size, theirs.hidden_size)
        return WeightedLosses(losses, smoothing, compared)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Initial weights of a seed; torch's generators stand afterwards where they stood."""
    torch = need("torch", "training a student")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
