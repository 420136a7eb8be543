"""Is a private training what it says? Canaries by fair coins, and guesses which of them were in.

It belongs to tests and to a reader's doubts: the teacher of a run has no canary in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.metrics.differential_privacy import epsilon_at_least
from workbench.training.private_head import PrivateSettings, train_private_head

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.integer]


@dataclass(frozen=True)
class CanaryAudit:
    """Which of some canaries a private training was told to have seen.

    Attributes:
        right: Guesses that were right.
        canaries: Their number; each was in or out by a fair coin.
        epsilon_at_least: An ε that the training exceeds, at 95 %; 0 where nothing is shown.
        stated: The ε it states.
    """

    right: int
    canaries: int
    epsilon_at_least: float
    stated: float

    @property
    def caught(self) -> bool:
        """Whether the training is shown to keep less than it says."""
        return self.epsilon_at_least > self.stated


def audit_private_head(
    embeddings: Floats, labels: Labels, classes: int, settings: PrivateSettings, *, canaries: int = 200, seed: int = 0
) -> CanaryAudit:
    """Train once more with canaries and guess which of them were in (Steinke, Nasr and Jagielski 2023: one run).

    A canary is a random direction with a random label: a gradient that no other row has.

    Args:
        embeddings: Of the labelled rows.
        labels: Their classes.
        classes: Number of classes.
        settings: As for :func:`train_private_head`.
        canaries: Their number.
        seed: Of canaries and coins.
    """
    random = np.random.default_rng(seed)
    made = random.normal(size=(canaries, embeddings.shape[1])).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    named = random.integers(0, classes, canaries)
    inside = random.random(canaries) < 0.5
    rows = np.concatenate([embeddings, made[inside]])
    trained = train_private_head(rows, np.concatenate([labels, named[inside]]), classes, settings)
    logits = trained.head.logits(made)
    scores = logits[np.arange(canaries), named] - logits.mean(axis=1)
    right = int(((scores > np.median(scores)) == inside).sum())
    bound = epsilon_at_least(right, canaries, trained.spent.delta)
    return CanaryAudit(right, canaries, bound, trained.spent.epsilon)
