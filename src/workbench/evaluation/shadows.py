"""Many softmax regressions on the same rows at once: the shadow heads of a membership audit.

All heads read one matrix of features, so each step of L-BFGS is two matrix products for all of them together; what
differs is which rows each of them may learn from, and its targets. Nothing here knows what the rows are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import Stopped
from workbench.runs.events import Stop, never

Array = npt.NDArray[Any]
Masks = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.integer]

HISTORY = 8
CURVATURE = 0.1
"""Guess of p(1 - p), the curvature of the log loss, by which features are scaled before the descent."""
HALVINGS = 12


@dataclass(frozen=True)
class Solving:
    """How far the heads are fitted.

    Attributes:
        steps: Steps of L-BFGS at most.
        tolerance: A head is done when its gradient is shorter than this part of its first one.
    """

    steps: int = 150
    tolerance: float = 5e-4


def random_halves(labels: Labels, shadows: int, random: np.random.Generator) -> Masks:
    """Which rows each shadow learns from: half of every class, drawn anew for each.

    Shadows come in pairs that take opposite halves, so that every row is learned by just as many as do not see it.

    Args:
        labels: Class of each row, shape ``(rows,)``.
        shadows: Their number, even.
        random: Draws the halves.

    Returns:
        Shape ``(shadows, rows)``; true where the shadow learns from the row.
    """
    if shadows < 2 or shadows % 2:
        raise ValueError(f"shadows come in pairs of opposite halves; {shadows} is no even number above 0")
    masks = np.zeros((shadows, len(labels)), dtype=np.bool_)
    for first in range(0, shadows, 2):
        for label in np.unique(labels):
            rows = random.permutation(np.flatnonzero(labels == label))
            half = (len(rows) + int(random.integers(2))) // 2
            masks[first, rows[:half]] = True
        masks[first + 1] = ~masks[first]
    return masks


def principal(features: Array, most: int | None = None) -> Array:
    """Features turned so that their columns are at right angles, the longest first; inner products stay as they are.

    Args:
        features: Shape ``(rows, dimensions)``.
        most: Columns kept; all when ``None``.

    Returns:
        Shape ``(rows, columns)``, float32.
    """
    wide = np.asarray(features, dtype=np.float32)
    _, turned = np.linalg.eigh(wide.T @ wide)
    return np.ascontiguousarray(wide @ turned[:, ::-1][:, :most])


def principal_of_kernel(kernel: Array, most: int | None = None) -> Array:
    """Features whose inner products are a kernel matrix, the longest column first (as kernel PCA, not centred).

    Args:
        kernel: Symmetric, shape ``(rows, rows)``.
        most: Columns kept; all when ``None``.

    Returns:
        Shape ``(rows, columns)``, float32.
    """
    values, vectors = np.linalg.eigh(np.asarray(kernel, dtype=np.float32))
    kept = np.flatnonzero(values > values[-1] * 1e-6)[::-1][:most]
    return np.ascontiguousarray(vectors[:, kept] * np.sqrt(values[kept]))


def fit_many(
    features: Array,
    targets: Array,
    weights: Array,
    l2: Array | float,
    solving: Solving | None = None,
    *,
    stop: Stop = never,
) -> Array:
    """Fit softmax regressions that share their features (L-BFGS, Liu and Nocedal 1989, for all of them in step).

    Each minimises its weighted mean cross-entropy plus ``l2 / 2`` times its squared weights, without the bias: what
    ``training.head.fit_linear`` minimises for one.

    Args:
        features: Shape ``(rows, dimensions)``; best with columns at right angles (:func:`principal`).
        targets: Distributions, shape ``(rows, classes)`` for all heads or ``(heads, rows, classes)``.
        weights: Of each row in each head, 0 or more, shape ``(heads, rows)``.
        l2: One strength, or one a head, above 0.
        solving: How far.
        stop: Asked before each step.

    Returns:
        Shape ``(heads, dimensions + 1, classes)``, the bias last.

    Raises:
        Stopped: ``stop`` said yes.
    """
    problem = _Problem(features, targets, weights, np.broadcast_to(np.asarray(l2, float), (len(weights),)))
    return problem.unscaled(_descend(problem, solving or Solving(), stop))


def logits_of(features: Array, heads: Array) -> Array:
    """Logits of many heads, shape ``(heads, rows, classes)``.

    Args:
        features: Shape ``(rows, dimensions)``.
        heads: From :func:`fit_many`.
    """
    said: Array = features @ heads[:, :-1] + heads[:, -1:]
    return said


class _Problem:
    """Losses and gradients of all heads, at weights of the shape ``(dimensions + 1, heads, classes)``."""

    def __init__(self, features: Array, targets: Array, weights: Array, l2: Array) -> None:
        kind = np.result_type(features.dtype, np.float32)
        squares = (features.astype(np.float64) ** 2).mean(axis=0)
        self.scale = np.append(1 / np.sqrt(CURVATURE * squares + l2.mean()), 2.0).astype(kind)
        wide = np.column_stack([features, np.ones(len(features), dtype=kind)])
        self.features = np.ascontiguousarray(wide * self.scale)
        self.penalty = np.outer(np.append(self.scale[:-1] ** 2, 0.0), l2).astype(kind)[:, :, None]
        shares = (weights / weights.sum(axis=1, keepdims=True)).astype(kind)
        own = targets if targets.ndim == 3 else targets[None]
        self.shares = np.ascontiguousarray(shares.T)
        self.aims = np.ascontiguousarray((own * shares[:, :, None]).transpose(1, 0, 2).astype(kind))
        self.shape = (wide.shape[1], len(weights), targets.shape[-1])

    def zero(self) -> Array:
        """Where the descent begins."""
        return np.zeros(self.shape, dtype=self.features.dtype)

    def loss(self, matrix: Array) -> tuple[Array, Array]:
        """Loss of each head, shape ``(heads,)``, and the gradient."""
        wide, heads, classes = self.shape
        logits = (self.features @ matrix.reshape(wide, -1)).reshape(-1, heads, classes)
        logits -= logits.max(axis=2, keepdims=True)
        powers = np.exp(logits)
        sums = powers.sum(axis=2)
        value = (self.shares * np.log(sums)).sum(axis=0, dtype=np.float64)
        value -= np.einsum("nsc,nsc->s", self.aims, logits, dtype=np.float64)
        powers *= (self.shares / sums)[:, :, None]
        powers -= self.aims
        gradient = (self.features.T @ powers.reshape(len(powers), -1)).reshape(self.shape)
        pulled = self.penalty * matrix
        value += 0.5 * inner(pulled, matrix)
        return value, gradient + pulled

    def unscaled(self, matrix: Array) -> Array:
        """Heads over the features as they were given."""
        plain = matrix * self.scale[:, None, None]
        return np.ascontiguousarray(plain.transpose(1, 0, 2))


def inner(one: Array, other: Array) -> Array:
    """Inner product of each head's part of two arrays ``(dimensions, heads, classes)``; shape ``(heads,)``."""
    product: Array = np.einsum("dsc,dsc->s", one, other).astype(np.float64)
    return product


def _descend(problem: _Problem, solving: Solving, stop: Stop) -> Array:
    place = problem.zero()
    value, gradient = problem.loss(place)
    first = np.sqrt(inner(gradient, gradient))
    memory: list[tuple[Array, Array, Array]] = []
    for _ in range(solving.steps):
        if stop():
            raise Stopped("The audit was asked to stop.", "", "Run `workbench evaluate RUN` again.")
        running = np.sqrt(inner(gradient, gradient)) > solving.tolerance * first
        if not running.any():
            break
        direction = _direction(gradient, memory) * running[None, :, None]
        step = _search(problem.loss, place, value, gradient, direction)
        if step is None:
            break
        moved, value, after = step
        change, bend = moved - place, after - gradient
        curve = inner(change, bend)
        memory = [*memory[-HISTORY + 1 :], (change, bend, np.where(curve > 1e-12, 1 / np.maximum(curve, 1e-12), 0.0))]
        place, gradient = moved, after
    return place


def _direction(gradient: Array, memory: list[tuple[Array, Array, Array]]) -> Array:
    """The two-loop recursion for every head; a pair without curvature counts for nothing."""
    pull, kept = gradient.copy(), []
    for change, bend, curve in reversed(memory):
        share = curve * inner(change, pull)
        kept.append(share)
        pull -= share[None, :, None].astype(pull.dtype) * bend
    if memory:
        change, bend, curve = memory[-1]
        size = inner(change, bend) / np.maximum(inner(bend, bend), 1e-30)
        pull *= np.where(curve > 0, size, 1.0)[None, :, None].astype(pull.dtype)
    for (change, bend, curve), share in zip(memory, reversed(kept), strict=True):
        back = share - curve * inner(bend, pull)
        pull += back[None, :, None].astype(pull.dtype) * change
    return -pull


def _search(
    loss: Callable[[Array], tuple[Array, Array]], place: Array, value: Array, gradient: Array, direction: Array
) -> tuple[Array, Array, Array] | None:
    """Halve each head's step until its loss falls enough (Armijo); ``None`` where none of them can go on."""
    slope = inner(gradient, direction)
    downhill = slope < 0
    size = downhill.astype(np.float64)
    slack = 1e-6 * np.maximum(np.abs(value), 1e-12) if place.dtype == np.float32 else 0.0
    for _ in range(HALVINGS):
        moved = place + size[None, :, None].astype(place.dtype) * direction
        after, bent = loss(moved)
        failed = (size > 0) & ~(after <= value + 1e-4 * size * slope + slack)
        if not failed.any():
            return (moved, after, bent) if downhill.any() else None
        size[failed] /= 4
    size[failed] = 0.0
    if not size.any():
        return None
    moved = place + size[None, :, None].astype(place.dtype) * direction
    return (moved, *loss(moved))
