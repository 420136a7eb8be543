"""Training with only those word embeddings that the rows use, with the same result as with all of them.

An embedding whose token does not occur gets no gradient, and as embeddings have no weight decay here, AdamW leaves it
where it is. Most of a small encoder's parameters are such rows: leaving them out of the optimiser saves a fifth to
a third of a step, and changes nothing (tested against the full table).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.models.tokens import Tokens
from workbench.training.batching import Examples


@contextmanager
def only_used_tokens(encoder: Any, pad_id: int, sets: list[Examples]) -> Iterator[list[Examples]]:
    """Give the encoder a smaller table of word embeddings for a while; what it learns is put back in the full one.

    Args:
        encoder: A transformers encoder; left alone where its word embeddings are frozen.
        pad_id: Id of the padding token, which keeps its number.
        sets: All the examples that the encoder will read.

    Yields:
        The same examples with the ids of the smaller table.
    """
    import torch

    full = encoder.get_input_embeddings()
    if not full.weight.requires_grad or not sets:
        yield sets
        return
    first = np.arange(pad_id + 1)
    used = np.unique(np.concatenate([first, *[one.tokens.ids for one in sets]]))
    index = torch.from_numpy(used)
    small = torch.nn.Embedding(len(used), full.weight.shape[1], padding_idx=full.padding_idx, device=full.weight.device)
    with torch.no_grad():
        small.weight.copy_(full.weight[index])
    encoder.set_input_embeddings(small)
    try:
        yield [replace(one, tokens=_renumbered(one.tokens, used)) for one in sets]
    finally:
        with torch.no_grad():
            full.weight[index] = small.weight
        encoder.set_input_embeddings(full)


def _renumbered(tokens: Tokens, used: npt.NDArray[np.int64]) -> Tokens:
    return Tokens(np.searchsorted(used, tokens.ids), tokens.lengths, tokens.truncated)
