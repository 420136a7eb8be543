"""Training of static students: token embeddings and a linear layer fitted to soft targets or labels.

A step touches only the embeddings of its own tokens (sparse gradients, Adam's sparse form); nothing of the size
of the vocabulary is computed. Texts are tokenised once. Everything runs on one thread in a fixed order, so a seed
gives the same student on the same machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.data.table import Labelled
from workbench.errors import Stopped
from workbench.models.head import Head
from workbench.models.static import StaticCandidate, quantise
from workbench.models.static_text import StaticTokenizer
from workbench.models.static_tokens import StaticTokens
from workbench.models.tokens import need
from workbench.recipe import Student
from workbench.runs.events import Listener, Measured, Progress, Stop, ignore, never
from workbench.training.distillation import cross_entropy, fit_temperature, one_hot
from workbench.training.lessons import Lesson
from workbench.training.watching import tell_score

Floats = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]

STAGE = "train"
HEAD_RATE = 5.0
PATIENCE = 5
LONGEST = 60


def train_static(
    tokens: StaticTokens,
    lesson: Lesson,
    validation: Labelled,
    classes: tuple[str, ...],
    settings: Student,
    *,
    seed: int = 0,
    listener: Listener = ignore,
    stop: Stop = never,
) -> StaticCandidate:
    """Train a static student.

    Args:
        tokens: Where its embeddings start; the first ``settings.dimensions`` of each vector are taken.
        lesson: What it learns from.
        validation: Calibrates it, and ends training on hard labels; may be empty.
        classes: Names of the classes.
        settings: Epochs, learning rate, dimensions.
        seed: Seed of initial layer and order.
        listener: Gets ``Progress("train", …)`` in rows and, an epoch, the loss and macro-F1 on validation.
        stop: Asked between batches.

    Raises:
        Stopped: ``stop`` said yes.
        MissingExtraError: torch is not installed.
    """
    tokenizer = StaticTokenizer(tokens.tokenizer_json)
    start = np.ascontiguousarray(tokens.vectors[:, : settings.dimensions])
    bags = _Bags.read(tokenizer, lesson.texts)
    held_out = _Bags.read(tokenizer, validation.texts)
    fit = _Fit(start, len(classes), settings.learning_rate, seed)
    with _one_thread(fit.torch):
        if lesson.stop_early and len(validation):
            _until_no_better(fit, bags, lesson, held_out, validation.labels, listener, stop)
        else:
            for epoch in range(settings.epochs):
                fit.epoch(bags, lesson, epoch, settings.epochs, listener, stop)
                if len(validation):
                    tell_score(listener, STAGE, fit.logits(held_out), validation.labels, epoch + 1)
    candidate = StaticCandidate(tokenizer, quantise(fit.table()), fit.head(), classes)
    return candidate.scaled(fit_temperature(candidate.logits(validation.texts), validation.labels))


@dataclass(frozen=True)
class _Bags:
    """Tokens of all texts: ids one after another, and where each text's begin."""

    ids: npt.NDArray[np.int32]
    counts: Counts
    starts: Counts

    @classmethod
    def read(cls, tokenizer: StaticTokenizer, texts: pa.Array) -> _Bags:
        ids, counts = tokenizer.read(texts)
        return cls(ids, counts, np.cumsum(counts) - counts)

    def of(self, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Ids of some rows one after another, and where each row's begin."""
        counts = self.counts[rows]
        starts = np.cumsum(counts) - counts
        places = np.repeat(self.starts[rows] - starts, counts) + np.arange(counts.sum())
        return self.ids[places], starts.astype(np.int32)


class _Fit:
    """Embeddings, layer and optimisers between steps."""

    def __init__(self, start: Floats, classes: int, rate: float, seed: int) -> None:
        self.torch = torch = need("torch", "training static students")
        self.random = np.random.default_rng(seed)
        self.rate = rate
        self.bag = torch.nn.EmbeddingBag.from_pretrained(
            torch.from_numpy(start.copy()), freeze=False, mode="mean", sparse=True
        )
        self.layer = torch.nn.Linear(start.shape[1], classes)
        weight = self.random.normal(0.0, 0.01, (classes, start.shape[1])).astype(np.float32)
        with torch.no_grad():
            self.layer.weight.copy_(torch.from_numpy(weight))
            self.layer.bias.zero_()
        self.sparse = torch.optim.SparseAdam(list(self.bag.parameters()), lr=rate)
        self.dense = torch.optim.Adam(self.layer.parameters(), lr=rate * HEAD_RATE)

    def epoch(self, bags: _Bags, lesson: Lesson, epoch: int, epochs: int, listener: Listener, stop: Stop) -> None:
        """Go once over the lesson in a new order; the rates fall linearly to 0 over all epochs."""
        rows = len(bags.counts)
        size = int(np.clip(rows // 50, 16, 512))
        total, weight = 0.0, 0.0
        for done, batch in _batches(self.random.permutation(rows), size):
            if stop():
                raise Stopped("Training was asked to stop.", "", "Run again to go on with this candidate.")
            falling = 1.0 if lesson.stop_early else 1.0 - (epoch + done / rows) / epochs
            loss, mass = self._step(bags, lesson, batch, falling)
            total, weight = total + loss * mass, weight + mass
            listener(Progress(STAGE, epoch * rows + done + len(batch), epochs * rows))
        listener(Measured(STAGE, "loss", total / max(weight, 1e-12), epoch + 1))

    def _step(self, bags: _Bags, lesson: Lesson, batch: npt.NDArray[np.int64], falling: float) -> tuple[float, float]:
        torch = self.torch
        for optimiser, rate in ((self.sparse, self.rate), (self.dense, self.rate * HEAD_RATE)):
            optimiser.param_groups[0]["lr"] = rate * falling
            optimiser.zero_grad(set_to_none=True)
        weights = torch.from_numpy(lesson.weights[batch])
        logs = torch.log_softmax(self.layer(self._means(bags, batch)), dim=1)
        losses = -(logs * torch.from_numpy(lesson.targets[batch])).sum(dim=1)
        loss = (losses * weights).sum() / weights.sum().clamp_min(1e-12)
        loss.backward()
        self.sparse.step()
        self.dense.step()
        return float(loss.detach()), float(weights.sum())

    def _means(self, bags: _Bags, rows: npt.NDArray[np.int64]) -> Any:
        ids, starts = bags.of(rows)
        means = self.bag(self.torch.from_numpy(ids), self.torch.from_numpy(starts))
        return self.torch.nn.functional.normalize(means, dim=1)

    def logits(self, bags: _Bags) -> Floats:
        """Logits of all rows, shape ``(rows, classes)``."""
        with self.torch.no_grad():
            result: Floats = self.layer(self._means(bags, np.arange(len(bags.counts)))).numpy()
        return result

    def table(self) -> Floats:
        """The embeddings, shape ``(vocabulary, dimensions)``."""
        result: Floats = self.bag.weight.detach().numpy()
        return result

    def head(self) -> Head:
        """The layer over unit vectors."""
        return Head(self.layer.weight.detach().numpy().copy(), self.layer.bias.detach().numpy().copy())

    def keep(self) -> tuple[Any, Any]:
        """A copy of what was learned so far."""
        layer = {name: value.clone() for name, value in self.layer.state_dict().items()}
        return self.bag.weight.detach().clone(), layer

    def restore(self, kept: tuple[Any, Any]) -> None:
        """Go back to what was kept."""
        with self.torch.no_grad():
            self.bag.weight.copy_(kept[0])
        self.layer.load_state_dict(kept[1])


def _until_no_better(
    fit: _Fit,
    bags: _Bags,
    lesson: Lesson,
    held_out: _Bags,
    labels: npt.NDArray[np.integer],
    listener: Listener,
    stop: Stop,
) -> None:
    """Train on until the validation loss has not fallen for some epochs, and go back to the best one."""
    hard = one_hot(labels, lesson.targets.shape[1])
    best, since, kept = np.inf, 0, fit.keep()
    for epoch in range(LONGEST):
        fit.epoch(bags, lesson, epoch, LONGEST, listener, stop)
        logits = fit.logits(held_out)
        loss = cross_entropy(logits, hard)
        listener(Measured(STAGE, "validation loss", loss, epoch + 1))
        tell_score(listener, STAGE, logits, labels, epoch + 1)
        if loss < best - 1e-4:
            best, since, kept = loss, 0, fit.keep()
        else:
            since += 1
        if since >= PATIENCE:
            break
    fit.restore(kept)


def _batches(order: npt.NDArray[np.int64], size: int) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    for start in range(0, len(order), size):
        yield start, order[start : start + size]


@contextmanager
def _one_thread(torch: Any) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
