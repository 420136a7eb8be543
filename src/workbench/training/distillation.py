"""The arithmetic of distillation: soft targets, mixing with labels, confidence, calibration. Arrays in, arrays out.

A student never runs its teacher: it learns from an array of probabilities made once. Everything here is a pure
function of such arrays. Method: Hinton, Vinyals, Dean 2015 (temperature); Guo et al. 2017 (calibration).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.errors import ModelError

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.integer]

TINY = 1e-12
CHANCE = 0.05


def softmax(logits: npt.NDArray[np.floating]) -> Floats:
    """Softmax over the last axis, in double precision inside.

    Args:
        logits: Shape ``(rows, classes)``.

    Returns:
        Probabilities, the same shape; rows sum to 1.
    """
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    powers = np.exp(shifted)
    probabilities: Floats = (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)
    return probabilities


def soft_targets(probabilities: npt.NDArray[np.floating], temperature: float) -> Floats:
    """Soften a teacher's distribution: ``p^(1/temperature)``, scaled to sum to 1.

    The same as ``softmax(logits / temperature)``, since logits are log probabilities up to a constant a row.

    Args:
        probabilities: The teacher's, shape ``(rows, classes)``.
        temperature: Above 0; 1 leaves the distribution as it is, larger values flatten it.

    Returns:
        Soft targets, the same shape.

    Raises:
        ValueError: The temperature is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}; it must be above 0")
    return softmax(np.log(np.maximum(probabilities.astype(np.float64), TINY)) / temperature)


def one_hot(labels: Labels, classes: int) -> Floats:
    """Hard labels as distributions.

    Args:
        labels: Class indices, shape ``(rows,)``.
        classes: Number of classes.

    Returns:
        Shape ``(rows, classes)``, a single 1 a row.
    """
    targets = np.zeros((len(labels), classes), dtype=np.float32)
    targets[np.arange(len(labels)), labels] = 1.0
    return targets


def mix(soft: Floats, hard: Floats, soft_weight: float) -> Floats:
    """Mix the teacher's soft targets with the given labels, for labelled rows.

    Args:
        soft: Soft targets, shape ``(rows, classes)``.
        hard: One-hot labels, the same shape.
        soft_weight: Weight of the soft targets, 0 to 1: 0 gives the labels, 1 the teacher.

    Returns:
        ``soft_weight * soft + (1 - soft_weight) * hard``.

    Raises:
        ValueError: Shapes differ or the weight is out of range.
    """
    if soft.shape != hard.shape:
        raise ValueError(f"soft targets have shape {soft.shape}, labels {hard.shape}; they must be the same")
    if not 0 <= soft_weight <= 1:
        raise ValueError(f"soft_weight is {soft_weight}; it must be 0 to 1")
    weight = np.float32(soft_weight)
    mixed: Floats = weight * soft + (np.float32(1) - weight) * hard
    return mixed


def confidence_weights(
    probabilities: npt.NDArray[np.floating], min_confidence: float = 0.0, *, weighting: bool = False
) -> Floats:
    """How much each pool row counts, by the teacher's highest probability.

    Args:
        probabilities: The teacher's at temperature 1, shape ``(rows, classes)``.
        min_confidence: Rows below it weigh 0; 0 keeps all.
        weighting: Whether kept rows weigh their highest probability, scaled to a mean of 1; else each weighs 1.

    Returns:
        Weights of 0 or more, shape ``(rows,)``; all 0 where no row is confident enough.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    kept = confidence >= min_confidence
    weights = np.where(kept, confidence if weighting else 1.0, 0.0)
    if weighting and kept.any():
        weights /= weights[kept].mean()
    scaled: Floats = weights.astype(np.float32)
    return scaled


def cross_entropy(logits: npt.NDArray[np.floating], targets: npt.NDArray[np.floating]) -> float:
    """Mean cross-entropy of targets under logits, in nats.

    Args:
        logits: Shape ``(rows, classes)``.
        targets: Distributions, the same shape.
    """
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(shifted).sum(axis=1))
    return float((total * targets.sum(axis=1) - (shifted * targets).sum(axis=1)).mean())


def fit_temperature(logits: npt.NDArray[np.floating], labels: Labels) -> float:
    """The temperature that calibrates logits on held-out labels: it minimises their log loss.

    To the labels one more row is added in thought, spread evenly over the classes: a few rows that are all right are no
    proof of certainty (Platt 1999 smooths his targets alike).

    Args:
        logits: Of rows that were not trained on, shape ``(rows, classes)``.
        labels: Their classes, shape ``(rows,)``.

    Returns:
        Between 0.05 and 20; 1 when there are no rows. Divide the last layer by it.
    """
    from scipy.optimize import minimize_scalar

    if not len(labels):
        return 1.0
    rows, classes = logits.shape
    targets = (one_hot(labels, classes) * np.float32(rows) + np.float32(1 / classes)) / np.float32(rows + 1)
    found = minimize_scalar(
        lambda power: cross_entropy(logits / np.exp(power), targets),
        bounds=(np.log(0.05), np.log(20.0)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(np.exp(found.x))


@dataclass(frozen=True)
class TeacherCheck:
    """What validation says of a teacher.

    Attributes:
        accuracy: Share of validation rows that it gets right.
        majority: Share of the largest class: what no teacher at all gets right.
        p: Chance of doing so well, or better, when guessing the largest class (exact binomial, one-sided).
        rows: Validation rows.
        sentence: The same in words.
    """

    accuracy: float
    majority: float
    p: float
    rows: int
    sentence: str


def check_classes(teacher: Sequence[str], run: Sequence[str]) -> None:
    """Refuse a teacher whose classes are not the run's, name by name and in the same order.

    Args:
        teacher: The teacher's classes.
        run: The run's.

    Raises:
        ModelError: They differ; every difference is named.
    """
    if tuple(teacher) == tuple(run):
        return
    missing, strange = [c for c in run if c not in teacher], [c for c in teacher if c not in run]
    problems = [f"the teacher does not know the class '{name}'" for name in missing]
    problems += [f"the teacher has a class '{name}' that the run has not" for name in strange]
    problems = problems or ["the same classes stand in another order"]
    raise ModelError(
        "The teacher's label map is not the run's" + (f": {problems[0]}." if len(problems) == 1 else "."),
        f"The same {len(run)} classes in the same order: {', '.join(run[:8])}{' …' if len(run) > 8 else ''}",
        "Train or export the teacher with these labels, or leave classes out of the recipe with data.exclude_classes.",
        problems=problems,
    )


def check_teacher(probabilities: npt.NDArray[np.floating], labels: Labels, classes: Sequence[str]) -> TeacherCheck:
    """Refuse a teacher that is no better than always saying the largest class.

    Rule: the number of validation rows that it gets right is compared with guessing the largest class by an exact
    one-sided binomial test at .05. On a few rows that test sees little, so with fewer than 30 rows a teacher is refused
    only when it is not above the largest class at all, and the sentence says that this shows next to nothing.

    Args:
        probabilities: The teacher's on validation, shape ``(rows, classes)``.
        labels: The validation labels, shape ``(rows,)``.
        classes: The run's classes.

    Raises:
        ModelError: Another number of classes, values that are no probabilities, or no better than the largest class.
    """
    from scipy.stats import binom

    if probabilities.shape != (len(labels), len(classes)):
        raise ModelError(
            f"The teacher gave probabilities of shape {probabilities.shape} for {len(labels)} validation rows.",
            f"Shape ({len(labels)}, {len(classes)}): one column for each of the run's classes.",
            "Use a teacher that was made for these classes.",
        )
    refuse_improper(probabilities)
    rows = len(labels)
    if rows == 0:
        return TeacherCheck(0.0, 0.0, 1.0, 0, "There are no validation rows, so nothing is known of the teacher.")
    right = int((probabilities.argmax(axis=1) == labels).sum())
    largest = int(np.bincount(labels, minlength=len(classes)).max())
    p = float(binom.sf(right - 1, rows, largest / rows)) if largest < rows else 1.0
    sentence = (
        f"The teacher gets {right} of {rows} validation rows right; always saying the largest class gets {largest}"
        f" (exact binomial, one-sided, p = {p:.2g})."
    )
    tiny = rows < 30
    if right <= largest or (not tiny and p >= CHANCE):
        raise ModelError(
            f"The teacher is no better than guessing. {sentence}",
            "A teacher that beats the largest class on validation with p < .05 (with fewer than 30 rows: at all).",
            "Use another teacher or more labels; `workbench run` without a teacher makes the baseline alone.",
        )
    if tiny:
        sentence += f" With {rows} rows that shows next to nothing."
    return TeacherCheck(right / rows, largest / rows, p, rows, sentence)


def refuse_improper(probabilities: npt.NDArray[np.floating]) -> None:
    """Refuse values that are no probabilities: not finite, below 0, or rows that do not sum to 1 within .001.

    Args:
        probabilities: Shape ``(rows, classes)``.

    Raises:
        ModelError: With the number of such rows.
    """
    with np.errstate(invalid="ignore"):
        bad = ~np.isfinite(probabilities).all(axis=1) | (probabilities < 0).any(axis=1)
        bad |= np.abs(probabilities.sum(axis=1) - 1) > 1e-3
    if bad.any():
        raise ModelError(
            f"{int(bad.sum())} of {len(bad)} rows of the teacher are no probabilities (the first is row"
            f" {int(bad.argmax())}).",
            "Numbers from 0 to 1 that sum to 1 in each row.",
            "Export probabilities, not scores or logits.",
        )
