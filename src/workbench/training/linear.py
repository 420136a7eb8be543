"""Training of linear candidates on soft targets: full-batch for a few labels, streamed for a large pool.

Few rows are solved by L-BFGS with early stopping on validation; many rows by Adam (Kingma & Ba 2015) over
batches whose features are hashed as they come, so that memory does not grow with the pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.errors import ModelError, Stopped
from workbench.models.candidate import Floats, Texts
from workbench.models.hashing import as_column, hashed
from workbench.models.linear import LinearCandidate
from workbench.runs.events import Listener, Measured, Progress, Stop, ignore, never
from workbench.training.distillation import cross_entropy, fit_temperature, one_hot
from workbench.training.threads import one_thread
from workbench.training.watching import tell_score

Labels = npt.NDArray[np.integer]
Weights = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

STAGE = "linear"
BLOCK = 8192
LABEL_GRID = (1e-4, 3e-5, 1e-5)
POOL_L2 = 2e-5
FEWEST_SEEN = 2
LEAST_STEPS = 160
BETA_1, BETA_2 = 0.9, 0.999


@dataclass(frozen=True)
class LinearSettings:
    """How a linear candidate is made.

    Attributes:
        ngrams: Shortest and longest run of bytes, 1 to 8.
        buckets: Places to hash to, a power of two.
        l2: Strength of weight decay on the mean loss; when ``None`` chosen on validation (full batch) or
            2e-5 (streamed).
        epochs: Passes over the rows (streamed); more where these would be under 160 steps, since fewer leave the
            weights short of what the targets teach.
        learning_rate: First step size, falling to 0 (streamed).
        batch: Rows a step (streamed).
        full_batch_rows: Up to this many rows L-BFGS is used.
    """

    ngrams: tuple[int, int] = (2, 5)
    buckets: int = 1 << 17
    l2: float | None = None
    epochs: int = 5
    learning_rate: float = 0.05
    batch: int = 1024
    full_batch_rows: int = 2_500

    def __post_init__(self) -> None:
        """Refuse a number of buckets that hashing cannot fill, before anything is trained.

        Raises:
            ModelError: It is no power of two, or less than 2.
        """
        if self.buckets < 2 or self.buckets & (self.buckets - 1):
            below = 1 << max(self.buckets.bit_length() - 1, 1)
            raise ModelError(
                f"A linear candidate cannot have {self.buckets} buckets.",
                f"A power of two, for example {below} or {2 * below}.",
                f"Set buckets to {2 * below} for this student in the recipe.",
            )


def train_linear(
    texts: Texts,
    targets: Floats,
    *,
    classes: Sequence[str],
    settings: LinearSettings | None = None,
    weights: Weights | None = None,
    validation: tuple[Texts, Labels] | None = None,
    seed: int = 0,
    listener: Listener = ignore,
    stop: Stop = never,
) -> LinearCandidate:
    """Fit a linear layer to distributions over classes.

    Args:
        texts: ``n`` texts.
        targets: Soft or one-hot targets, shape ``(n, classes)``.
        classes: Names of the classes.
        settings: How; the defaults when ``None``.
        weights: Weight of each row, 0 or more, shape ``(n,)``; all 1 when ``None``.
        validation: Texts and labels that choose the strength, stop early (full batch) and calibrate.
        seed: Order of the rows (streamed).
        listener: Gets progress and losses.
        stop: Asked between steps.

    Returns:
        A calibrated candidate.

    Raises:
        ValueError: Shapes do not fit, or no row weighs anything.
        Stopped: ``stop`` said yes.
    """
    settings = settings or LinearSettings()
    column = as_column(texts)
    weights = np.ones(len(column), dtype=np.float32) if weights is None else weights
    if targets.shape != (len(column), len(classes)) or weights.shape != (len(column),):
        raise ValueError("texts, targets and weights must have as many rows as each other, targets a column a class")
    kept = np.flatnonzero(weights > 0)
    if not len(kept):
        raise ValueError("no row weighs anything: there is nothing to learn from")
    if len(kept) < len(column):
        column, targets, weights = column.take(pa.array(kept)), targets[kept], weights[kept]
    problem = _Problem(column, targets, weights / weights.mean(), tuple(classes), settings, listener, stop)
    held = _Held(validation, problem)
    if len(column) <= settings.full_batch_rows:
        with one_thread():
            candidate = _full_batch(problem, held)
    else:
        candidate = _streamed(problem, held, seed)
    return candidate.scaled(fit_temperature(candidate.logits(held.column), held.labels)) if held.rows else candidate


class _Problem:
    """Texts, targets and the features that were seen often enough to learn about."""

    def __init__(
        self,
        column: pa.Array,
        targets: Floats,
        weights: Weights,
        classes: tuple[str, ...],
        settings: LinearSettings,
        listener: Listener,
        stop: Stop,
    ) -> None:
        self.column, self.targets, self.weights, self.classes = column, targets, weights, classes
        self.settings, self.listener, self._stop = settings, listener, stop
        seen = self._document_frequency()
        self.used = np.flatnonzero(seen >= (FEWEST_SEEN if len(column) > settings.full_batch_rows else 1))
        self.idf = (np.log((1 + len(column)) / (1 + seen[self.used])) + 1).astype(np.float32)
        self.place = np.full(settings.buckets, len(self.used), dtype=np.int32)
        self.place[self.used] = np.arange(len(self.used), dtype=np.int32)

    def check_stop(self) -> None:
        """Raise where somebody asked to stop."""
        if self._stop():
            raise Stopped("Training was asked to stop.", "What was finished is kept.", "Go on: workbench resume RUN")

    def _document_frequency(self) -> npt.NDArray[np.int64]:
        total = np.zeros(self.settings.buckets, dtype=np.int64)
        for start in range(0, len(self.column), BLOCK):
            self.check_stop()
            runs, offsets = hashed(self.column.slice(start, BLOCK), *self.settings.ngrams, self.settings.buckets)
            rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
            pairs = np.unique(rows * self.settings.buckets + runs)
            total += np.bincount(pairs % self.settings.buckets, minlength=self.settings.buckets)
        return total

    def features(self, column: pa.Array) -> Any:
        """Features of texts, each row of length 1: sparse, shape ``(rows, used + 1)``; the last column is unused."""
        import scipy.sparse

        runs, offsets = hashed(column, *self.settings.ngrams, self.settings.buckets)
        columns = self.place[runs]
        idf = np.append(self.idf, np.float32(0))[columns]
        squares = np.concatenate([[0.0], np.cumsum(idf.astype(np.float64) ** 2)])
        norms = np.sqrt(np.maximum(squares[offsets[1:]] - squares[offsets[:-1]], 1e-12)).astype(np.float32)
        values = idf / np.repeat(norms, np.diff(offsets))
        return scipy.sparse.csr_matrix((values, columns, offsets), shape=(len(column), len(self.used) + 1))

    def candidate(self, matrix: Floats, bias: Floats) -> LinearCandidate:
        """A candidate from weights of the used features, shape ``(used + 1, classes)``."""
        table = np.zeros((self.settings.buckets, len(self.classes) + 1), dtype=np.float32)
        table[self.used, :-1] = matrix[: len(self.used)] * self.idf[:, None]
        table[self.used, -1] = self.idf**2
        return LinearCandidate(self.classes, self.settings.ngrams, table.astype(np.float16), bias.astype(np.float32))


class _Held:
    """Validation rows, as features of a problem; may be none."""

    def __init__(self, validation: tuple[Texts, Labels] | None, problem: _Problem) -> None:
        texts, labels = validation if validation is not None else ([], np.zeros(0, dtype=np.int32))
        self.column, self.labels, self.rows = as_column(texts), labels, len(labels)
        self.features: Any = problem.features(self.column) if self.rows else None
        self.targets = one_hot(labels, len(problem.classes)) if self.rows else None

    def loss_of(self, logits: npt.NDArray[np.floating]) -> float:
        """Log loss in nats after the best temperature, so that nothing is chosen for its calibration."""
        assert self.targets is not None  # noqa: S101  (asked only where there are rows)
        return cross_entropy(logits / fit_temperature(logits, self.labels), self.targets)


def _full_batch(problem: _Problem, held: _Held) -> LinearCandidate:
    """L-BFGS for each strength; the iterate with the least validation log loss of all is kept (early stopping).

    The optimum lies in the span of the rows (representer theorem, Kimeldorf & Wahba 1971), so the problem is solved
    there: as many unknowns a class as rows, not as features.
    """
    features = problem.features(problem.column)
    gram = np.asarray((features @ features.T).todense(), dtype=np.float64)
    values, vectors = np.linalg.eigh(gram)
    spread = np.sqrt(np.maximum(values, values[-1] * 1e-10))
    rows = vectors * spread
    back = vectors / spread
    held_rows = np.asarray(held.features @ (features.T @ back)) if held.rows else None
    best: tuple[float, Doubles] = (np.inf, np.zeros((len(rows) + 1, len(problem.classes))))
    grid = _strengths(problem.settings, held)
    for number, l2 in enumerate(grid, 1):
        best = min(best, _descend(rows, problem, l2, held_rows, held), key=lambda one: one[0])
        problem.listener(Measured(STAGE, "validation log loss" if held.rows else "loss", best[0], number))
        if held_rows is not None:
            tell_score(problem.listener, STAGE, held_rows @ best[1][:-1] + best[1][-1], held.labels, number)
        problem.listener(Progress(STAGE, number, len(grid)))
    matrix = np.asarray(features.T @ (back @ best[1][:-1]), dtype=np.float32)
    return problem.candidate(matrix, best[1][-1].astype(np.float32))


def _strengths(settings: LinearSettings, held: _Held) -> tuple[float, ...]:
    if settings.l2 is not None:
        return (settings.l2,)
    return LABEL_GRID if held.rows else LABEL_GRID[1:2]


def _descend(
    rows: Doubles, problem: _Problem, l2: float, held_rows: Doubles | None, held: _Held
) -> tuple[float, Doubles]:
    """Least validation log loss on the way down for one strength (without validation the loss), and its weights."""
    from scipy.optimize import minimize

    shape = (len(rows) + 1, len(problem.classes))
    shares = (problem.weights / problem.weights.sum()).astype(np.float64)[:, None]
    targets = problem.targets.astype(np.float64)

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        matrix = flat.reshape(shape)
        logits = rows @ matrix[:-1] + matrix[-1]
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        sums = powers.sum(axis=1, keepdims=True)
        pull = shares * (powers / sums - targets)
        value = float((shares * targets * (np.log(sums) - logits)).sum())
        gradient = np.vstack([rows.T @ pull + l2 * matrix[:-1], pull.sum(axis=0)])
        return value + 0.5 * l2 * float((matrix[:-1] ** 2).sum()), gradient.ravel()

    seen: list[tuple[float, Doubles]] = []
    counted: list[int] = []

    def watch(flat: Doubles) -> None:
        problem.check_stop()
        counted.append(1)
        if held_rows is not None and len(counted) % 3 == 0:
            matrix = flat.reshape(shape)
            seen.append((held.loss_of(held_rows @ matrix[:-1] + matrix[-1]), matrix.copy()))

    options: Any = {"maxiter": 100, "ftol": 1e-7, "gtol": 1e-6}
    step: Any = watch
    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", callback=step, options=options)
    return min(seen, key=lambda one: one[0], default=(float(found.fun), found.x.reshape(shape)))


def _streamed(problem: _Problem, held: _Held, seed: int) -> LinearCandidate:
    """Adam over batches in an order of the seed; the step falls linearly to 0.

    On hard labels the epoch with the least validation log loss is kept (early stopping); soft targets
    are learned to the end, since the few validation labels know less than the teacher.
    """
    settings, rows = problem.settings, len(problem.column)
    optimiser = _Adam(len(problem.used) + 1, len(problem.classes), settings)
    generator = np.random.Generator(np.random.PCG64(seed))
    of_epoch = -(-rows // settings.batch)
    epochs = max(settings.epochs, -(-LEAST_STEPS // of_epoch))
    steps = epochs * of_epoch
    hard = bool(held.rows) and bool((problem.targets.max(axis=1) > 1 - 1e-6).all())
    best: tuple[float, Floats, Floats] | None = None
    for _ in range(epochs):
        order = generator.permutation(rows)
        for start in range(0, rows, settings.batch):
            problem.check_stop()
            chosen = np.sort(order[start : start + settings.batch])
            features = problem.features(problem.column.take(pa.array(chosen)))
            value = optimiser.step(features, problem.targets[chosen], problem.weights[chosen], steps)
            if optimiser.done % 10 == 0:
                problem.listener(Measured(STAGE, "loss", value, optimiser.done))
                problem.listener(Progress(STAGE, optimiser.done, steps))
        logits = held.features @ optimiser.matrix + optimiser.bias if held.rows else None
        tell_score(problem.listener, STAGE, logits, held.labels, optimiser.done)
        if hard and logits is not None:
            now = held.loss_of(logits)
            problem.listener(Measured(STAGE, "validation log loss", now, optimiser.done))
            if best is None or now < best[0]:
                best = (now, optimiser.matrix.copy(), optimiser.bias.copy())
    problem.listener(Progress(STAGE, steps, steps))
    if best is not None:
        return problem.candidate(best[1], best[2])
    return problem.candidate(optimiser.matrix, optimiser.bias)


class _Adam:
    """Adam for a linear layer with softmax, in float32."""

    def __init__(self, features: int, classes: int, settings: LinearSettings) -> None:
        self.l2 = np.float32(POOL_L2 if settings.l2 is None else settings.l2)
        self.rate, self.done = settings.learning_rate, 0
        self.matrix = np.zeros((features, classes), dtype=np.float32)
        self.bias = np.zeros(classes, dtype=np.float32)
        self.mean, self.square, self.spare = (np.zeros_like(self.matrix) for _ in range(3))
        self.bias_mean, self.bias_square = np.zeros_like(self.bias), np.zeros_like(self.bias)

    def step(self, features: Any, targets: Floats, weights: Weights, steps: int) -> float:
        """One step on a batch; returns its mean loss in nats."""
        logits = features @ self.matrix + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        sums = powers.sum(axis=1, keepdims=True)
        value = float((weights[:, None] * targets * (np.log(sums) - logits)).sum() / len(targets))
        pull = (powers / sums - targets) * (weights[:, None] / np.float32(len(targets)))
        gradient = features.T @ pull
        self.done += 1
        rate = self.rate * (1 - (self.done - 1) / steps)
        rate *= float(np.sqrt(1 - BETA_2**self.done) / (1 - BETA_1**self.done))
        self._move_matrix(gradient, np.float32(rate))
        pulled = pull.sum(axis=0)
        self.bias_mean = np.float32(BETA_1) * self.bias_mean + np.float32(1 - BETA_1) * pulled
        self.bias_square = np.float32(BETA_2) * self.bias_square + np.float32(1 - BETA_2) * pulled**2
        self.bias -= np.float32(rate) * self.bias_mean / (np.sqrt(self.bias_square) + np.float32(1e-8))
        return value

    def _move_matrix(self, gradient: Floats, rate: np.float32) -> None:
        """Adam's step in place: the matrix is the one large thing, so nothing of its size is allocated."""
        spare = self.spare
        if self.l2:
            np.multiply(self.matrix, self.l2, out=spare)
            gradient += spare
        self.mean *= np.float32(BETA_1)
        np.multiply(gradient, np.float32(1 - BETA_1), out=spare)
        self.mean += spare
        gradient *= gradient
        gradient *= np.float32(1 - BETA_2)
        self.square *= np.float32(BETA_2)
        self.square += gradient
        np.sqrt(self.square, out=spare)
        spare += np.float32(1e-8)
        np.divide(self.mean, spare, out=spare)
        spare *= rate
        self.matrix -= spare
