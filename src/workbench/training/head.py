"""A linear head over embeddings: multinomial logistic regression on hard labels or soft targets.

The problem is convex and small, so it is solved to its optimum (L-BFGS): the same data give the same head, whatever the
seed. Strength of weight decay and calibration are chosen on validation; the encoder stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.models.head import Head
from workbench.runs.events import Listener, Measured, Progress, Stop, ignore, never
from workbench.training.distillation import cross_entropy, fit_temperature, one_hot
from workbench.training.threads import one_thread
from workbench.training.watching import tell_score

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.integer]

STAGE = "train"
GRID = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5)


@dataclass(frozen=True)
class TrainedHead:
    """A head and how it was chosen.

    Attributes:
        head: Weights with the calibration temperature divided in.
        l2: The chosen strength of weight decay.
        temperature: The calibration temperature.
        validation: Calibrated probabilities on validation, by a head that never saw it, shape ``(rows, classes)``.
        losses: Validation log loss (nats, before calibration) of each strength that was tried.
    """

    head: Head
    l2: float
    temperature: float
    validation: Floats
    losses: dict[float, float]


@dataclass(frozen=True)
class HeadSettings:
    """How a head is trained.

    Attributes:
        l2: Strength of weight decay on the mean loss; chosen on validation from a grid when ``None``.
        balanced: Whether every class weighs the same, however many rows it has.
        refit: Whether the chosen head is trained again on train and validation together; strength and
            temperature stay those that the head without validation got.
    """

    l2: float | None = None
    balanced: bool = False
    refit: bool = False


def train_head(
    embeddings: Floats,
    targets: Floats,
    validation: Floats,
    labels: Labels,
    settings: HeadSettings | None = None,
    *,
    listener: Listener = ignore,
    stop: Stop = never,
) -> TrainedHead:
    """Train a linear head.

    Args:
        embeddings: Of the training rows, shape ``(rows, dimensions)``.
        targets: Hard (one-hot) or soft targets, shape ``(rows, classes)``.
        validation: Embeddings of the validation rows, shape ``(validation rows, dimensions)``; may be empty.
        labels: Their classes, shape ``(validation rows,)``.
        settings: How; the defaults when ``None``.
        listener: Gets progress, and log loss and macro-F1 on validation of each strength that is tried.
        stop: Asked between strengths.

    Raises:
        ValueError: Shapes do not fit.
    """
    settings = settings or HeadSettings()
    if len(embeddings) != len(targets) or len(validation) != len(labels):
        raise ValueError("embeddings and targets, validation and labels must have as many rows as each other")
    weights = row_weights(targets, balanced=settings.balanced)
    given = GRID if settings.l2 is None else (settings.l2,)
    strengths = given if len(labels) else given[len(given) // 2 :][:1]
    with one_thread():
        chosen, losses = _choose(embeddings, targets, weights, (validation, labels), strengths, listener, stop)
    temperature = fit_temperature(_logits(validation, chosen.matrix), labels)
    held_out = Head.of(chosen.matrix, temperature).predict_proba(validation)
    if settings.refit and len(labels):
        everything = np.concatenate([embeddings, validation])
        all_targets = np.concatenate([targets, one_hot(labels, targets.shape[1])])
        all_weights = row_weights(all_targets, balanced=settings.balanced)
        chosen = _Fitted(fit_linear(everything, all_targets, all_weights, chosen.l2, chosen.matrix), chosen.l2)
    return TrainedHead(Head.of(chosen.matrix, temperature), chosen.l2, temperature, held_out, losses)


@dataclass(frozen=True)
class _Fitted:
    matrix: Doubles
    l2: float


def _choose(
    embeddings: Floats,
    targets: Floats,
    weights: Doubles,
    held_out: tuple[Floats, Labels],
    strengths: tuple[float, ...],
    listener: Listener,
    stop: Stop,
) -> tuple[_Fitted, dict[float, float]]:
    """Fit every strength, each from the one before, and keep the one with the least validation log loss."""
    validation, labels = held_out
    hard = one_hot(labels, targets.shape[1])
    matrix = np.zeros((embeddings.shape[1] + 1, targets.shape[1]))
    best, least, losses = _Fitted(matrix, strengths[0]), np.inf, {}
    for number, l2 in enumerate(strengths, 1):
        matrix = fit_linear(embeddings, targets, weights, l2, matrix)
        logits = _logits(validation, matrix)
        temperature = fit_temperature(logits, labels)
        loss = cross_entropy(logits / temperature, hard) if len(labels) else 0.0
        losses[l2] = loss
        if len(labels):
            listener(Measured(STAGE, "validation log loss", loss, number))
            tell_score(listener, STAGE, logits, labels, number)
        listener(Progress(STAGE, number, len(strengths)))
        if loss < least:
            best, least = _Fitted(matrix, l2), loss
        if stop():
            break
    return best, losses


def row_weights(targets: Floats, *, balanced: bool) -> Doubles:
    """Weight of each row, of mean 1.

    Args:
        targets: Shape ``(rows, classes)``.
        balanced: Whether each class's rows weigh the same together; else every row weighs 1.
    """
    if not balanced:
        return np.ones(len(targets))
    mass = targets.sum(axis=0, dtype=np.float64)
    share = np.divide(1.0, mass, out=np.zeros_like(mass), where=mass > 0)
    weights = targets.astype(np.float64) @ share
    scaled: Doubles = weights / max(weights.mean(), 1e-12)
    return scaled


def fit_linear(features: Floats, targets: Floats, weights: Doubles, l2: float, start: Doubles) -> Doubles:
    """Minimise weighted cross-entropy plus ``l2 / 2`` times the squared weights (not the bias).

    Args:
        features: Shape ``(rows, dimensions)``.
        targets: Distributions, shape ``(rows, classes)``.
        weights: Of the rows, shape ``(rows,)``.
        l2: 0 or more.
        start: Where to begin, shape ``(dimensions + 1, classes)``; the last row is the bias.

    Returns:
        The optimum, in the shape of ``start``.
    """
    from scipy.optimize import minimize

    wide = features.astype(np.float64)
    soft, total = targets.astype(np.float64), float(weights.sum())
    shares = (weights / total)[:, None]

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        matrix = flat.reshape(start.shape)
        logits = wide @ matrix[:-1] + matrix[-1]
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        sums = powers.sum(axis=1, keepdims=True)
        value = float((shares * soft * (np.log(sums) - logits)).sum()) + 0.5 * l2 * float((matrix[:-1] ** 2).sum())
        pull = shares * (powers / sums * soft.sum(axis=1, keepdims=True) - soft)
        gradient = np.vstack([wide.T @ pull + l2 * matrix[:-1], pull.sum(axis=0)])
        return value, gradient.ravel()

    found = minimize(
        loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 1000, "ftol": 1e-10, "gtol": 1e-6}
    )
    optimum: Doubles = found.x.reshape(start.shape)
    return optimum


def _logits(features: Floats, matrix: Doubles) -> Doubles:
    logits: Doubles = features.astype(np.float64) @ matrix[:-1] + matrix[-1]
    return logits
