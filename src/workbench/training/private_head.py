"""A linear head with differential privacy: DP-SGD over frozen embeddings (Abadi et al. 2016), by Opacus.

Rows are drawn by Poisson sampling, the gradient of each is shortened to a bound, noise is added to their sum. Nothing
is chosen, stopped or calibrated on labelled rows, for no noise would cover that. The noise is measured while training:
a run whose noise is off is refused, not described. Adapters are not trained this way (Opacus ruins LoRA weights).
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import MissingExtraError, ModelError, Stopped
from workbench.metrics.differential_privacy import AGREEMENT, SLACK, Spent, noise_fits
from workbench.models.head import Head
from workbench.models.tokens import need
from workbench.runs.events import Listener, Progress, Stop, ignore, never
from workbench.training.private_accounts import checked_epsilon, opacus_epsilon

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.integer]

STAGE = "private head"
FEWEST = 50


@dataclass(frozen=True)
class PrivateSettings:
    """How a head is trained with differential privacy.

    Attributes:
        epsilon: The most that may be spent, above 0.
        delta: Chance that the promise does not hold; a tenth of one in all rows when ``None``.
        clip: Longest gradient of one row (L2).
        sample_rate: Chance of each row to be in a step; the nearest unit fraction is taken.
        steps: Number of steps.
        learning_rate: Step size on the mean gradient.
        dimensions: Directions of the pool's vectors that are kept, where a pool is given: noise grows with them.
        noise_multiplier: Noise in clipping bounds; found from ``epsilon`` when ``None``.
        seed: For tests alone: noise that anybody can make again protects nobody, so that no ε is stated then.
    """

    epsilon: float = 3.0
    delta: float | None = None
    clip: float = 1.0
    sample_rate: float = 0.5
    steps: int = 100
    learning_rate: float = 4.0
    dimensions: int = 32
    noise_multiplier: float | None = None
    seed: int | None = None

    def delta_of(self, rows: int) -> float:
        """The δ for so many rows."""
        return 0.1 / rows if self.delta is None else self.delta


@dataclass(frozen=True)
class PrivateHead:
    """A head, and what its training spent. Its logits are not calibrated."""

    head: Head
    spent: Spent


def train_private_head(
    embeddings: Floats,
    labels: Labels,
    classes: int,
    settings: PrivateSettings | None = None,
    *,
    pool: Floats | None = None,
    listener: Listener = ignore,
    stop: Stop = never,
) -> PrivateHead:
    """Train a head with differential privacy for each labelled row.

    Args:
        embeddings: Of the labelled rows, shape ``(rows, dimensions)``.
        labels: Their classes, shape ``(rows,)``.
        classes: Number of classes, known to everybody.
        settings: How; the defaults when ``None``.
        pool: Vectors of pool rows, which ε does not cover: their main directions are all that the head sees, since
            noise falls on every dimension. All dimensions when ``None``.
        listener: Gets ``Progress("private head", done, total)`` in steps.
        stop: Asked between steps.

    Raises:
        ModelError: Settings promise nothing, the noise is off, or the two accountants disagree.
        MissingExtraError: Opacus or dp-accounting is not installed.
        Stopped: ``stop`` said yes.
    """
    settings = settings or PrivateSettings()
    _check(settings, len(labels))
    need_privacy()
    torch = need("torch", "training with differential privacy")
    rate = 1 / max(1, round(1 / settings.sample_rate))
    noise = _noise(settings, rate, len(labels))
    view = _View.of(pool, embeddings.shape[1], settings.dimensions)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        fit = _Fit(torch, view.seen(embeddings), labels, classes, settings, rate, noise)
        for step in range(settings.steps):
            if stop():
                raise Stopped("Training was asked to stop.", "", "Run again: a private training starts anew.")
            fit.step()
            listener(Progress(STAGE, step + 1, settings.steps))
    finally:
        torch.set_num_threads(before)
    spent = _spent(fit, settings, rate, noise, len(labels))
    return PrivateHead(view.head(fit.head()), spent)


@dataclass(frozen=True)
class _View:
    """The main directions of the pool's vectors, scaled so that these have a mean length of 1.

    Attributes:
        centre: Their mean, shape ``(dimensions,)``.
        turn: Shape ``(dimensions, kept)``.
    """

    centre: Floats
    turn: Floats

    @classmethod
    def of(cls, pool: Floats | None, dimensions: int, kept: int) -> _View:
        if pool is None or not len(pool):
            return cls(np.zeros(dimensions, dtype=np.float32), np.eye(dimensions, dtype=np.float32))
        centre = pool.mean(axis=0, dtype=np.float64)
        moved: npt.NDArray[np.float64] = pool.astype(np.float64) - centre
        turn: npt.NDArray[np.float64] = np.linalg.eigh(moved.T @ moved)[1][:, ::-1][:, :kept]
        length = max(float(np.linalg.norm(moved @ turn, axis=1).mean()), 1e-12)
        return cls(centre.astype(np.float32), (turn / length).astype(np.float32))

    def seen(self, vectors: Floats) -> Floats:
        return np.asarray((vectors - self.centre) @ self.turn, dtype=np.float32)

    def head(self, head: Head) -> Head:
        """The same head over whole vectors."""
        weight = np.ascontiguousarray(head.weight @ self.turn.T)
        return Head(weight, (head.bias - weight @ self.centre).astype(np.float32))


def _check(settings: PrivateSettings, rows: int) -> None:
    """Refuse settings that promise nothing, all problems at once."""
    delta = settings.delta_of(max(rows, 1))
    wrong = {
        f"{rows} rows are too few: with noise for one row among them next to nothing is learned": rows < FEWEST,
        f"epsilon is {settings.epsilon}": not 0 < settings.epsilon < math.inf,
        f"delta is {delta}, not below one in {rows} rows": not 0 < delta < 1 / max(rows, 1),
        f"the clipping bound is {settings.clip}": not 0 < settings.clip < math.inf,
        f"the sampling rate is {settings.sample_rate}": not 0 < settings.sample_rate <= 1,
        f"the number of steps is {settings.steps}": settings.steps < 1,
        f"the noise multiplier is {settings.noise_multiplier}: without noise there is no privacy": (
            settings.noise_multiplier is not None and not 0 < settings.noise_multiplier < math.inf
        ),
    }
    problems = [problem for problem, is_wrong in wrong.items() if is_wrong]
    if problems:
        raise ModelError(
            "The teacher cannot be trained with differential privacy" + (f": {problems[0]}." if problems else "."),
            f"At least {FEWEST} labelled rows, epsilon, clip and noise above 0, delta below one in all rows, a sampling"
            " rate above 0 and up to 1.",
            "Correct teacher.privacy in the recipe, or leave it out; then no ε is stated.",
            problems=problems,
        )


def need_privacy() -> None:
    """Look whether what trains with differential privacy is installed; nothing is imported.

    Raises:
        MissingExtraError: The extra ``privacy`` is not installed.
    """
    import importlib.util

    for name in ("opacus", "dp_accounting"):
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError("privacy", "training a teacher with differential privacy")


def _noise(settings: PrivateSettings, rate: float, rows: int) -> float:
    """The least noise that keeps to ε, by Opacus's accountant."""
    if settings.noise_multiplier is not None:
        return settings.noise_multiplier
    from opacus.accountants.utils import get_noise_multiplier

    tolerance = min(0.01, settings.epsilon / 100)
    try:
        found = get_noise_multiplier(
            target_epsilon=settings.epsilon,
            target_delta=settings.delta_of(rows),
            sample_rate=rate,
            steps=settings.steps,
            accountant="rdp",
            epsilon_tolerance=tolerance,
        )
    except ValueError as error:
        raise ModelError(
            f"No noise keeps to an ε of {settings.epsilon:g} in {settings.steps} steps.",
            "A larger epsilon, or fewer steps.",
            "Change teacher.privacy in the recipe.",
        ) from error
    return float(found)


class _Fit:
    """A linear layer, and Opacus's optimiser whose noise is measured."""

    def __init__(
        self,
        torch: Any,
        embeddings: Floats,
        labels: Labels,
        classes: int,
        settings: PrivateSettings,
        rate: float,
        noise: float,
    ) -> None:
        from opacus import GradSampleModule
        from opacus.optimizers import DPOptimizer

        seed = secrets.randbits(63) if settings.seed is None else settings.seed
        self.torch, self.rate = torch, rate
        self.random = torch.Generator().manual_seed(seed)
        self.features = torch.from_numpy(np.ascontiguousarray(embeddings, dtype=np.float32))
        self.labels = torch.from_numpy(np.asarray(labels, dtype=np.int64))
        layer = torch.nn.Linear(embeddings.shape[1], classes)
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
        self.layer = GradSampleModule(layer, loss_reduction="sum")
        expected = max(1.0, rate * len(labels))
        plain = torch.optim.SGD(self.layer.parameters(), lr=settings.learning_rate / expected)
        self.optimiser = DPOptimizer(
            plain,
            noise_multiplier=noise,
            max_grad_norm=settings.clip,
            expected_batch_size=max(1, round(expected)),
            loss_reduction="sum",
            generator=self.random,
        )
        self.squares, self.numbers = 0.0, 0
        self.clip = settings.clip

    def step(self) -> None:
        """Draw rows by Poisson sampling, shorten their gradients, add noise, go a step."""
        torch = self.torch
        drawn = torch.rand(len(self.labels), generator=self.random) < self.rate
        self.optimiser.zero_grad(set_to_none=True)
        if bool(drawn.any()):
            logits = self.layer(self.features[drawn].requires_grad_())  # else Opacus's hooks warn at every step
            torch.nn.functional.cross_entropy(logits, self.labels[drawn], reduction="sum").backward()
        else:
            self._nothing_drawn()
        self.optimiser.step()
        for one in self.layer.parameters():
            added = one.grad - one.summed_grad
            self.squares += float((added.double() ** 2).sum())
            self.numbers += added.numel()

    def _nothing_drawn(self) -> None:
        """An empty draw is a step too: noise alone."""
        for one in self.layer.parameters():
            one.grad_sample = self.torch.zeros((0, *one.shape))

    @property
    def noise_seen(self) -> float:
        """Standard deviation of what was added to the sums, in clipping bounds."""
        return math.sqrt(self.squares / max(self.numbers, 1)) / self.clip

    def head(self) -> Head:
        """The layer."""
        layer = self.layer._module
        return Head(layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy())


def _spent(fit: _Fit, settings: PrivateSettings, rate: float, noise: float, rows: int) -> Spent:
    """What was spent, by two accountants; refused where the noise is off or they disagree."""
    delta = settings.delta_of(rows)
    first = opacus_epsilon(noise, rate, settings.steps, delta)
    second = checked_epsilon(noise, rate, settings.steps, delta)
    seen = fit.noise_seen
    problems = []
    if not noise_fits(seen, noise, fit.numbers):
        problems.append(f"the optimiser added noise of {seen:.3g} clipping bounds instead of {noise:.3g}")
    if abs(first - second) > AGREEMENT * second:
        problems.append(f"Opacus counts an ε of {first:.4g}, dp-accounting {second:.4g}")
    if problems:
        raise ModelError(
            "The training with differential privacy is not what it should be"
            + (f": {problems[0]}." if len(problems) == 1 else "."),
            f"Noise of the stated size in every step (within {100 * SLACK:g} %), and two accountants that agree within"
            f" {100 * AGREEMENT:g} %.",
            "Use the tested versions of the extra 'privacy' (constraints.txt), and do not replace the optimiser.",
            problems=problems,
        )
    counted = (first, second, delta, noise, settings.clip, rate, settings.steps, rows, seen, fit.numbers)
    return Spent(*counted, secret=settings.seed is None)
