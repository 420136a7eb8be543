"""What is the same for both sides of a comparison: rows, weights, settings, and how turns are taken.

Titles and weights are those of the shipped recipe ``clinical-coding``. Both sides start from copies of one model, so
that not even the last layer differs, and take turns, so that noise of the machine does not decide.
"""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.recording import record
from workbench.data import Labelled, Splits
from workbench.recipe import Tuning

if TYPE_CHECKING:
    from workbench.models.weights import Weights
    from workbench.training.batching import Examples

RECIPE = "clinical-coding"
MAX_TOKENS = 128
COMPARED_ROWS = 1_000
LOSS_SLACK, ACCURACY_SLACK = 0.15, 0.06
Turn = Callable[[], float]


class UnlikeWorkError(Exception):
    """The two sides of a comparison did not do the same work."""


@dataclass(frozen=True)
class Sizes:
    """How much is compared.

    Attributes:
        rows: Rows to train on and to score.
        epochs: Passes over them.
        batch: Rows of a batch.
        labels: Labels of each class, for the comparisons at the same label budget.
        iterations: SetFit's ``num_iterations``.
        repeats: How often each side has its turn.
        seed: Of rows, order and dropout.
    """

    rows: int = 2_000
    epochs: int = 2
    batch: int = 32
    labels: int = 10
    iterations: int = 10
    repeats: int = 2
    seed: int = 0


@dataclass(frozen=True)
class Task:
    """The rows and the weights of both sides.

    Attributes:
        splits: The recipe's.
        weights: The encoder's.
        rows: Labelled rows to train on.
        sizes: How much is compared.
    """

    splits: Splits
    weights: Weights
    rows: Labelled
    sizes: Sizes

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.splits.classes

    def pool(self) -> list[str]:
        """Texts without labels, as many as there are rows."""
        texts = self.splits.pool.texts
        drawn = np.random.default_rng(self.sizes.seed).permutation(len(texts))[: self.sizes.rows]
        found: list[str] = texts.take(pa.array(drawn)).to_pylist()
        return found

    def settings(self) -> Tuning:
        """Settings of the engine that take the steps of a Trainer's defaults: no warm-up, no weight decay."""
        return Tuning(epochs=self.sizes.epochs, batch_size=self.sizes.batch, warmup=0.0, weight_decay=0.0, patience=0)

    def tokenizer(self) -> Any:
        """The encoder's tokenizer."""
        from workbench.models.tokens import open_tokenizer

        return open_tokenizer(self.weights.folder / "tokenizer.json", MAX_TOKENS)

    def examples(self) -> Examples:
        """The labelled rows as the engine reads them."""
        from workbench.training.finetuning import labelled_examples

        return labelled_examples(self.tokenizer(), self.rows, len(self.classes))


def open_task(sizes: Sizes) -> Task:
    """Read the recipe's titles; draw the rows among all that have a label, since speed alone is asked of them."""
    from workbench import recipe
    from workbench.data import prepare, sources
    from workbench.models.weights import find_weights

    found = recipe.read(RECIPE)
    wanted = found.recipe.data
    source = sources.read(wanted.source, data=wanted, base=found.base)
    splits = prepare(wanted, source, sizes.seed).splits
    assert found.recipe.teacher is not None
    weights = find_weights(found.recipe.teacher.model or "")
    return Task(splits, weights, draw(splits.tests["test_pool"], sizes.rows, sizes.seed), sizes)


def draw(part: Labelled, rows: int, seed: int) -> Labelled:
    """Some rows of a part, at random."""
    return taken(part, np.random.default_rng(seed).permutation(len(part))[:rows])


def taken(part: Labelled, places: npt.NDArray[np.int64]) -> Labelled:
    """The rows of a part at these places, without groups and slices."""
    chosen = (part.rows[places], part.texts.take(pa.array(places)), part.labels[places])
    return replace(part, rows=chosen[0], texts=chosen[1], labels=chosen[2], groups=None, slices={})


def new_model(task: Task, keep: tuple[int, ...] = (), *, frozen: bool = False) -> Any:
    """A sequence classifier to be trained, the same at every call.

    Args:
        task: Weights and classes.
        keep: Layers that stay, counted from 1; all when empty.
        frozen: Whether the word embeddings are frozen.
    """
    import torch

    from workbench.models.cutting import cut_layers
    from workbench.models.transformer import open_classifier

    with torch.random.fork_rng():
        torch.manual_seed(task.sizes.seed)
        model = open_classifier(task.weights, task.classes)
        model = cut_layers(model, keep) if keep else model
    model.requires_grad_(True)
    model.get_input_embeddings().weight.requires_grad_(not frozen)
    return model


def twin(model: Any) -> Any:
    """A copy to be trained."""
    return copy.deepcopy(model).train()


def take_turns(sides: Mapping[str, Turn], repeats: int) -> dict[str, list[float]]:
    """Let every side work, forwards and backwards in turn.

    Args:
        sides: Name to what works once and says its rate.
        repeats: Turns of each side.

    Returns:
        The rates of each side, in order.
    """
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(repeats):
        for name in list(sides) if turn % 2 == 0 else reversed(list(sides)):
            rates[name].append(sides[name]())
            print(f"  {name}, turn {turn + 1}: {rates[name][-1]:,.1f}", flush=True)
    return rates


def compare(comparison: str, ours: list[float], peer: list[float], unit: str = "rows/s", **more: Any) -> dict[str, Any]:
    """Keep the medians of both sides, and beside them the best and the ratio of every turn.

    Args:
        comparison: What was compared.
        ours: Our rates, one a turn.
        peer: The peer's.
        unit: Of both; the more, the better.
        more: What else the line shall say.
    """
    ratios = [round(one / other, 3) for one, other in zip(ours, peer, strict=True)]
    best = {"ours_best": round(max(ours), 3), "peer_best": round(max(peer), 3)}
    return record(
        comparison, statistics.median(ours), unit, statistics.median(peer), ratio_of_turns=ratios, **best, **more
    )


def fit_of(model: Any, examples: Examples) -> tuple[float, float]:
    """Mean divergence from the targets in nats, and share of rows whose likeliest class is the targets' likeliest."""
    from workbench.training.engine import predict_logits
    from workbench.training.networks import SequenceNetwork

    logits = predict_logits(SequenceNetwork(model), examples).astype(np.float64)
    logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    entropy = np.where(examples.targets > 0, np.log(np.maximum(examples.targets, 1e-12)), 0.0)
    divergence = float((examples.targets * (entropy - logs)).sum(axis=1).mean())
    return divergence, float((logits.argmax(axis=1) == examples.targets.argmax(axis=1)).mean())


def check_equal_work(fits: Mapping[str, tuple[float, float]], *, strict: bool) -> dict[str, Any]:
    """Say what each side reached; both must have learned as much, or they did not do the same work.

    Args:
        fits: Side to loss and accuracy on the training rows.
        strict: Whether sides that differ are refused; a few rows are too few to judge by.

    Returns:
        For the line of the comparison.

    Raises:
        UnlikeWorkError: They differ.
    """
    for name, (loss, accuracy) in fits.items():
        print(f"  {name}: training loss {loss:.3f}, accuracy {accuracy:.3f}", flush=True)
    losses, accuracies = ([fit[index] for fit in fits.values()] for index in (0, 1))
    same = max(losses) - min(losses) <= max(LOSS_SLACK * max(losses), 0.02)
    same &= max(accuracies) - min(accuracies) <= ACCURACY_SLACK
    if strict and not same:
        raise UnlikeWorkError(f"the sides did not learn as much as each other, so no speeds are compared: {dict(fits)}")
    return {"training_loss": {name: round(loss, 4) for name, (loss, _) in fits.items()}}
