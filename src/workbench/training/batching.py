"""Which rows come when, and what a batch holds.

The order is a function of seed and epoch alone, so a position is the number of rows consumed: training that is resumed
sees the very rows that it would have seen. Rows of like length stand in one batch, since padding is work for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.models.tokens import Tokens, padded

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

SORTED_BATCHES = 50
"""Batches whose rows are sorted by length together: enough for little padding, few enough for a random order."""


@dataclass(frozen=True)
class Examples:
    """Rows to learn from, as tokens with targets.

    Attributes:
        tokens: Token ids.
        targets: Distributions, hard or soft, shape ``(n, classes)``.
        weights: How much each row counts, 0 or more, shape ``(n,)``.
        rows: Numbers of the rows in their table, for messages, shape ``(n,)``.
        labels: Class where a row has a given label, else -1, shape ``(n,)``; ``None`` where no objective asks.
    """

    tokens: Tokens
    targets: Floats
    weights: Floats
    rows: Rows
    labels: Rows | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.targets)


@dataclass(frozen=True)
class Batch:
    """What an objective sees of a batch, as tensors on the device.

    Attributes:
        ids: Shape ``(batch, width)``.
        mask: 1 where a token is, the same shape.
        targets: Shape ``(batch, classes)``.
        weights: Shape ``(batch,)``.
        labels: Class of each row or -1, shape ``(batch,)``.
        rows: Positions in the examples, shape ``(batch,)``.
    """

    ids: Tensor
    mask: Tensor
    targets: Tensor
    weights: Tensor
    labels: Tensor
    rows: Rows


def epoch_batches(lengths: Rows, size: int, *, seed: int, epoch: int) -> list[Rows]:
    """The batches of one epoch: every row once, rows of like length together, in random order.

    Args:
        lengths: Tokens of each row, shape ``(rows,)``.
        size: Rows of a batch.
        seed: Seed of the training.
        epoch: Number of the epoch, from 0.

    Returns:
        Row numbers of each batch.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    found: list[Rows] = []
    for start in range(0, len(order), size * SORTED_BATCHES):
        part = order[start : start + size * SORTED_BATCHES]
        part = part[np.argsort(-lengths[part], kind="stable")]
        found += [part[at : at + size] for at in range(0, len(part), size)]
    return [found[index] for index in random.permutation(len(found))]


def make_batch(examples: Examples, rows: Rows, pad_id: int, multiple: int, device: str) -> Batch:
    """A batch as tensors.

    Args:
        examples: The examples.
        rows: Positions in them, shape ``(batch,)``.
        pad_id: Id that fills.
        multiple: Its width is rounded up to this.
        device: Where the tensors shall lie.
    """
    import torch

    ids, mask = padded(examples.tokens, rows, pad_id, multiple)
    labels = np.full(len(rows), -1) if examples.labels is None else examples.labels[rows]
    arrays = (ids, mask, examples.targets[rows], examples.weights[rows], labels.astype(np.int64))
    ids_, mask_, targets, weights, classes = (torch.from_numpy(np.ascontiguousarray(one)).to(device) for one in arrays)
    return Batch(ids_, mask_, targets, weights, classes, rows)
