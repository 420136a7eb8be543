"""What a transformer student is trained towards, as a module: answers, labels, and the states of a larger encoder.

The larger encoder runs along without gradients, and only where a loss asks for its states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from workbench.recipe import Losses
from workbench.training.batching import Batch
from workbench.training.losses import attention_loss, combine, hard_label_loss, hidden_state_loss, soft_target_loss
from workbench.training.networks import Network, Output, SequenceNetwork

Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Compared:
    """A larger encoder and how its states are matched with the student's.

    Attributes:
        reference: The encoder; frozen.
        pairs: Layers of the student and of the encoder, counted from 1.
        projections: A linear layer for each pair where their widths differ, else none.
    """

    reference: SequenceNetwork
    pairs: Pairs
    projections: nn.ModuleList

    @classmethod
    def of(cls, model: Any, pairs: Pairs, width: int, wider: int) -> Self:
        """Freeze the encoder and make projections from ``width`` to ``wider`` where they differ."""
        layers = nn.ModuleList(nn.Linear(width, wider) for _ in pairs if width != wider)
        reference = SequenceNetwork(model.requires_grad_(False))
        reference.eval()
        return cls(reference, pairs, layers)


class WeightedLosses(nn.Module):
    """The losses of a recipe, each times its weight, added up; called with the network and a batch."""

    def __init__(self, losses: Losses, smoothing: float = 0.0, compared: Compared | None = None) -> None:
        """Put the parts together.

        Args:
            losses: Weights.
            smoothing: Label smoothing of the hard labels.
            compared: For losses of hidden states and attention.
        """
        super().__init__()
        self.losses = losses
        self.smoothing = smoothing
        self.projections = nn.ModuleList() if compared is None else compared.projections
        self._compared = [] if compared is None else [compared]  # in a list: it is not trained, saved or counted

    def forward(self, network: Network, batch: Batch) -> Tensor:
        """The mean loss of a batch."""
        said = network(batch.ids, batch.mask, states=bool(self._compared))
        parts = {"soft": soft_target_loss(said.logits, batch.targets, batch.weights)}
        parts["hard"] = loss_on_labels(said.logits, batch, self.smoothing)
        for compared in self._compared:
            parts |= self._of_states(said, batch, compared)
        return combine({name: value for name, value in parts.items() if getattr(self.losses, name)}, self.losses)

    def _of_states(self, said: Output, batch: Batch, compared: Compared) -> dict[str, Tensor]:
        with torch.no_grad():
            wanted = compared.reference.to(batch.ids.device)(batch.ids, batch.mask, states=True)
        hidden, attention = [], []
        for number, (mine, other) in enumerate(compared.pairs):
            if self.losses.hidden:
                projection = self.projections[number] if len(self.projections) else None
                hidden.append(hidden_state_loss(said.hidden[mine], wanted.hidden[other], batch.mask, projection))
            if self.losses.attention:
                attention.append(attention_loss(said.attentions[mine - 1], wanted.attentions[other - 1], batch.mask))
        parts = {"hidden": hidden, "attention": attention}
        return {name: torch.stack(values).mean() for name, values in parts.items() if values}


def loss_on_labels(logits: Tensor, batch: Batch, smoothing: float) -> Tensor:
    """Cross-entropy on the rows of a batch that have a label; 0 where there is none.

    Args:
        logits: Shape ``(batch, classes)``.
        batch: The batch; ``labels`` is -1 where a row has none.
        smoothing: Label smoothing.
    """
    has = (batch.labels >= 0).float()
    hard = nn.functional.one_hot(batch.labels.clamp_min(0), logits.shape[1]).float()
    return hard_label_loss(logits, hard, batch.weights * has, smoothing)
