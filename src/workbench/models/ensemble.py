"""The candidate kind ``ensemble``: the weighted mean of its members' probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from workbench.errors import ModelError
from workbench.models.card import read_card, write_card
from workbench.models.tokens import Texts

if TYPE_CHECKING:
    from workbench.models.candidate import Candidate

Floats = npt.NDArray[np.float32]


class EnsembleCandidate:
    """Several candidates that answer together."""

    kind = "ensemble"

    def __init__(self, members: Sequence[Candidate], weights: Sequence[float]) -> None:
        """Put the members together.

        Args:
            members: One or more, all of the same classes in the same order.
            weights: Weight of each, above 0.

        Raises:
            ModelError: Their classes differ.
            ValueError: There is none, or another number of weights.
        """
        if not members or len(members) != len(weights):
            raise ValueError(f"{len(members)} members and {len(weights)} weights")
        for member in members[1:]:
            if tuple(member.classes) != tuple(members[0].classes):
                raise ModelError(
                    "The members of the ensemble have different label maps.",
                    "The same classes in the same order for all of them.",
                    "Train all members on the same labels.",
                )
        self.members = tuple(members)
        self.weights = tuple(float(weight) for weight in weights)
        self.classes = tuple(members[0].classes)

    @property
    def size_mb(self) -> float:
        """Size of all members together, in MB of 1,000,000 bytes."""
        return sum(member.size_mb for member in self.members)

    def predict_proba(self, texts: Texts) -> Floats:
        """Weighted mean of the members' probabilities, shape ``(rows, classes)``."""
        return average([member.predict_proba(texts) for member in self.members], self.weights)

    def save(self, folder: Path) -> None:
        """Save every member into ``member-<number>`` of a folder."""
        for number, member in enumerate(self.members):
            member.save(folder / f"member-{number}")
        write_card(folder, self.kind, self.classes, weights=list(self.weights))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load from a folder.

        Raises:
            ModelError: The folder or one of its members is damaged.
        """
        from workbench.models import load

        weights = read_card(folder)["weights"]
        return cls([load(folder / f"member-{number}") for number in range(len(weights))], weights)


def average(probabilities: Sequence[npt.NDArray[np.floating]], weights: Sequence[float]) -> Floats:
    """Weighted mean of distributions.

    Args:
        probabilities: One array a member, each of shape ``(rows, classes)``.
        weights: Weight of each member, above 0.

    Returns:
        Shape ``(rows, classes)``.
    """
    total = np.zeros(probabilities[0].shape, dtype=np.float64)
    for one, weight in zip(probabilities, weights, strict=True):
        total += np.float64(weight) * one
    mean: Floats = (total / sum(weights)).astype(np.float32)
    return mean
