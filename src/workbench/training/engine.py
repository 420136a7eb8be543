"""The one loop: fine-tuning and distillation, on a processor or a GPU, in one process or several, resumed bit for bit.

What comes next is a function of seed and position alone: the order of the rows of (seed, epoch), dropout of (seed,
batch), the step size of the step. A checkpoint holds the rest: weights, AdamW's means, early stopping. So training that
is killed and resumed ends with the weights that an undisturbed one has, to the bit, on the same machine with the same
versions and threads. Checkpoints are written by the clock and change nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import ModelError, Stopped
from workbench.models.tokens import batches
from workbench.recipe import Tuning
from workbench.runs.events import Measured, Progress
from workbench.training.batching import Batch, Examples, Floats, Rows, epoch_batches, make_batch
from workbench.training.checkpoints import Checkpoint, random_state, restore_random_state
from workbench.training.dropout import quick_dropout, set_dropout
from workbench.training.limits import no_number, refuse_too_little_memory
from workbench.training.losses import soft_target_loss
from workbench.training.networks import Network
from workbench.training.optimising import make_optimiser, moments, rate_share, set_moments, set_rate, trained
from workbench.training.places import Place, find_place
from workbench.training.vocabulary import only_used_tokens
from workbench.training.watching import Watch, tell_score

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

STAGE = "train"
SCORING_TOKENS = 2048
CHECKPOINT_SHARE = 20
"""A checkpoint is written at most as often as its writing takes a twentieth of the time (5 %)."""
BETTER = 1e-4

Objective = Callable[[Network, Batch], "Tensor"]


@dataclass
class Trained:
    """What a training came to; the network itself holds the weights that were kept.

    Attributes:
        steps: Steps of the optimiser.
        epochs: Epochs begun.
        losses: Validation loss after each epoch, in nats; empty without validation.
        best_epoch: Epoch whose weights were kept, from 1; the last one where nothing was chosen.
        seconds: Time spent, those before a resume included.
        rows: Rows consumed.
        tokens: Tokens consumed, padding not counted.
        checkpoint_seconds: Part of ``seconds`` that checkpoints took.
        resumed_at: Step that this process began at.
    """

    steps: int = 0
    epochs: int = 0
    losses: list[float] = field(default_factory=list)
    best_epoch: int = 0
    seconds: float = 0.0
    rows: int = 0
    tokens: int = 0
    checkpoint_seconds: float = 0.0
    resumed_at: int = 0


def soft_targets_only(network: Network, batch: Batch) -> Tensor:
    """The plain objective: the divergence of the logits from the targets, hard or soft."""
    return soft_target_loss(network(batch.ids, batch.mask).logits, batch.targets, batch.weights)


def train(
    network: Network,
    examples: Examples,
    settings: Tuning,
    *,
    validation: Examples | None = None,
    objective: Objective = soft_targets_only,
    seed: int = 0,
    watch: Watch | None = None,
) -> Trained:
    """Train a network; it holds the result when this returns.

    With ``settings.patience`` above 0 and validation rows, the weights of the epoch with the least validation loss
    are kept, and training ends when that has not fallen for so many epochs.

    Args:
        network: What is trained; its frozen parameters stay.
        examples: The rows to learn from.
        settings: How.
        validation: Rows that only choose the epoch.
        objective: Network and batch to a mean loss; a module with parameters of its own is trained along.
        seed: Seed of order and dropout.
        watch: Who looks on, and where checkpoints are kept.

    Returns:
        What it came to.

    Raises:
        ModelError: The loss is no number (the rows are named, the last checkpoint is kept), or there are no rows.
        Stopped: Somebody asked; where there are checkpoints, one was written first.
    """
    if not len(examples):
        raise ModelError("There are no rows to train on.", "One row or more.", "Look at the splits: workbench check.")
    watch = watch or Watch()
    refuse_too_little_memory(network, examples, settings)
    place = find_place(settings.precision)
    network.to(place.device)
    sets = [examples] if validation is None else [examples, validation]
    if settings.dropout is not None:
        set_dropout(network, settings.dropout)
    used = only_used_tokens(network.encoder, network.pad_id(), sets)
    with _own_randomness(seed), quick_dropout(network), used as smaller:
        held_out = smaller[1] if len(smaller) > 1 and len(smaller[1]) else None
        fit = _Fit(network, objective, settings, seed, place, watch)
        return fit.run(smaller[0], held_out)


class _Fit:
    """A training between steps: everything that a checkpoint holds, and how it moves on."""

    def __init__(
        self, network: Network, objective: Objective, settings: Tuning, seed: int, place: Place, watch: Watch
    ) -> None:
        import torch

        self.torch = torch
        self.network, self.objective, self.settings = network, objective, settings
        self.seed, self.place, self.watch = seed, place, watch
        self.checkpoints = watch.checkpoints()
        self.module = torch.nn.ModuleDict({"network": network})
        if isinstance(objective, torch.nn.Module):
            self.module["objective"] = objective.to(place.device)
        heads = {f"network.{name}" for name in network.head_parameters()}
        heads |= {name for name in trained(self.module) if name.startswith("objective.")}
        self.optimiser = make_optimiser(self.module, heads, settings)
        self.parameters = list(trained(self.module).values())
        self.done = Trained()
        self.epoch, self.batch, self.since = 0, 0, 0
        self.best: dict[str, Any] = {}
        self.least = math.inf
        self._saved_at, self._save_seconds = time.perf_counter(), 0.0
        self._began, self._before = self._saved_at, 0.0

    def run(self, examples: Examples, validation: Examples | None) -> Trained:
        """Train to the end, from where a checkpoint stands."""
        self._began = time.perf_counter()
        steps = -(-len(self._batches(examples, 0)) // self.settings.accumulate) * self.settings.epochs
        self._resume(len(examples), steps)
        self._before = self.done.seconds
        while self.epoch < self.settings.epochs and not self._over():
            self._epoch(examples, steps)
            self._judge(validation)
            self.epoch, self.batch = self.epoch + 1, 0
            self._save_when_due(len(examples), steps)
        if self.best:
            self._put_back(self.best)
        self.done.seconds, self.done.epochs = self._seconds(), self.epoch
        self.done.best_epoch = self.done.best_epoch or self.epoch
        self.network.eval()
        return self.done

    def _seconds(self) -> float:
        """Time spent, that before a resume included."""
        return self._before + time.perf_counter() - self._began

    def _batches(self, examples: Examples, epoch: int) -> list[Rows]:
        return epoch_batches(examples.tokens.lengths, self.settings.batch_size, seed=self.seed, epoch=epoch)

    def _over(self) -> bool:
        return bool(self.settings.patience) and self.since >= self.settings.patience

    def _epoch(self, examples: Examples, steps: int) -> None:
        """One pass over the rows, from the batch that a checkpoint stands at."""
        order = self._batches(examples, self.epoch)
        self.module.train()
        size = self.settings.accumulate
        every = max(1, steps // 200)
        while self.batch < len(order):
            group = order[self.batch : self.batch + size]
            set_rate(self.optimiser, rate_share(self.done.steps, steps, self.settings.warmup))
            loss = self._step(examples, group)
            self.batch += len(group)
            self.done.steps += 1
            self.done.rows += sum(map(len, group))
            self.done.tokens += int(sum(examples.tokens.lengths[rows].sum() for rows in group))
            if self.done.steps % every == 0:
                self.watch.listener(Measured(STAGE, "loss", loss, self.done.steps))
            self.watch.listener(Progress(STAGE, self.done.rows, len(examples) * self.settings.epochs))
            self._between_steps(len(examples), steps)

    def _step(self, examples: Examples, group: list[Rows]) -> float:
        """Gradients of one batch or several, added up and clipped, and one step; the weighted mean loss."""
        torch = self.torch
        whole = float(sum(examples.weights[rows].sum(dtype=np.float64) for rows in group))
        self.optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for number, rows in enumerate(group):
            mine = self.place.share(rows)
            if not len(mine) or not whole:
                continue
            batch = make_batch(examples, mine, self.network.pad_id(), self.place.multiple, self.place.device)
            self._seed_batch(self.batch + number)
            with self.place.autocast():
                loss = self.objective(self.network, batch)
            share = float(batch.weights.sum()) / whole
            (loss * share).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach()) * share
            if not math.isfinite(total):
                raise no_number(examples, mine, self.done.steps)
        for parameter in self.parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self.place.add_up([parameter.grad for parameter in self.parameters])
        norm = torch.nn.utils.get_total_norm([parameter.grad for parameter in self.parameters])
        if not math.isfinite(float(norm)):
            raise no_number(examples, np.concatenate(group), self.done.steps)
        if float(norm) > self.settings.clip:  # else a pass over all gradients would multiply them by one
            torch.nn.utils.clip_grads_with_norm_(self.parameters, self.settings.clip, norm)
        self.optimiser.step()
        return total

    def _seed_batch(self, number: int) -> None:
        """Dropout of a batch is a function of seed and position; each process draws its own."""
        mixed = np.random.SeedSequence([self.seed, self.epoch, number, self.place.index])
        self.torch.manual_seed(int(mixed.generate_state(1, np.uint64)[0] >> np.uint64(1)))

    def _judge(self, validation: Examples | None) -> None:
        """Validation loss after an epoch; the best weights are kept aside."""
        if validation is None:
            return
        logits = predict_logits(self.network, validation, place=self.place)
        loss = _cross_entropy(logits, validation)
        self.done.losses.append(loss)
        self.watch.listener(Measured(STAGE, "validation loss", loss, self.epoch + 1))
        tell_score(self.watch.listener, STAGE, logits, validation.targets.argmax(axis=1), self.epoch + 1)
        if not self.settings.patience:
            return
        if loss < self.least - BETTER:
            self.least, self.since, self.done.best_epoch = loss, 0, self.epoch + 1
            self.best = {name: value.detach().to("cpu", copy=True) for name, value in trained(self.module).items()}
        else:
            self.since += 1

    def _put_back(self, tensors: Mapping[str, Any]) -> None:
        with self.torch.no_grad():
            for name, parameter in trained(self.module).items():
                parameter.copy_(tensors[name])

    def _save_when_due(self, rows: int, steps: int) -> None:
        """Write a checkpoint when it is time for one."""
        waited = time.perf_counter() - self._saved_at
        every = self.settings.checkpoint_seconds
        if waited >= max(every, CHECKPOINT_SHARE * self._save_seconds if every else 0.0):
            self._save(rows, steps)

    def _between_steps(self, rows: int, steps: int) -> None:
        """Write a checkpoint when it is time for one, or when somebody asked to stop."""
        if not self.watch.stop():
            self._save_when_due(rows, steps)
        else:
            self._save(rows, steps)
            raise Stopped("Training was asked to stop.", "", "Go on with it: workbench resume latest")

    def _save(self, rows: int, steps: int) -> None:
        if self.checkpoints is None or self.place.index:
            return
        began = time.perf_counter()
        self.done.seconds = self._seconds()
        tensors = {f"weights.{name}": value.detach() for name, value in trained(self.module).items()}
        tensors |= {f"moments.{name}": value for name, value in moments(self.module, self.optimiser).items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        random, plain = random_state()
        tensors |= {f"random.{name}": value for name, value in random.items()}
        about = self._about(rows, steps)
        state = {"about": about, "random": plain, "done": vars(self.done), "epoch": self.epoch, "batch": self.batch}
        state |= {"since": self.since, "least": None if math.isinf(self.least) else self.least}
        self.checkpoints.save(self.done.steps, tensors, state)
        self._saved_at = time.perf_counter()
        self._save_seconds = self._saved_at - began
        self.done.checkpoint_seconds += self._save_seconds

    def _about(self, rows: int, steps: int) -> dict[str, Any]:
        """What must be the same for a checkpoint to be of this training."""
        settings = self.settings.model_dump(mode="json", exclude={"checkpoint_seconds"})
        about = {"rows": rows, "steps": steps, "seed": self.seed, "settings": settings}
        return about | {"precision": self.place.precision, "processes": self.place.processes}

    def _resume(self, rows: int, steps: int) -> None:
        found = self.checkpoints.newest() if self.checkpoints is not None else None
        if found is None:
            return
        if found.state["about"] != self._about(rows, steps):
            self.watch.tell("The checkpoint is of another training (other rows or settings), so training begins anew.")
            return
        self._restore(found)
        self.watch.tell(
            f"Training goes on from step {self.done.steps} of {steps} (epoch {self.epoch + 1},"
            f" {self.done.seconds:.0f} seconds of work kept)."
        )

    def _restore(self, found: Checkpoint) -> None:
        parts: dict[str, dict[str, Any]] = {"weights": {}, "moments": {}, "best": {}, "random": {}}
        for name, value in found.tensors.items():
            kind, _, rest = name.partition(".")
            parts[kind][rest] = value
        self._put_back(parts["weights"])
        set_moments(self.module, self.optimiser, parts["moments"])
        restore_random_state(parts["random"], found.state["random"])
        state = found.state
        self.best, self.done = parts["best"], Trained(**state["done"])
        self.done.resumed_at = self.done.steps
        self.epoch, self.batch, self.since = state["epoch"], state["batch"], state["since"]
        self.least = math.inf if state["least"] is None else state["least"]


def predict_logits(network: Network, examples: Examples, *, place: Place | None = None) -> Floats:
    """Logits of all rows, in their order, without dropout.

    Args:
        network: The network; it is in evaluation mode afterwards.
        examples: The rows.
        place: Where; found when ``None``.

    Returns:
        Shape ``(n, classes)``.
    """
    import torch

    place = place or find_place()
    network.eval()
    logits = np.zeros(examples.targets.shape, dtype=np.float32)
    with torch.inference_mode():
        for rows in batches(examples.tokens.lengths, SCORING_TOKENS, place.multiple):
            batch = make_batch(examples, rows, network.pad_id(), place.multiple, place.device)
            with place.autocast():
                said = network(batch.ids, batch.mask).logits
            logits[rows] = said.float().cpu().numpy()
    return logits


@contextmanager
def _own_randomness(seed: int) -> Iterator[None]:
    """Training draws from torch's generators; afterwards they stand where they stood."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def _cross_entropy(logits: Floats, examples: Examples) -> float:
    wide = logits.astype(np.float64)
    logs = wide - wide.max(axis=1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    return float(np.average(-(examples.targets * logs).sum(axis=1), weights=examples.weights))
