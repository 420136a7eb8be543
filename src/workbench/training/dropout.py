"""Dropout whose mask costs a third: on a processor torch's draws one double a number, and takes a tenth of a step so.

Here one 64-bit number serves four values. Their share is exact to 1/65,536, and what is kept is scaled by the very
share, so the expectation of every value stays what it was (Srivastava et al. 2014). The numbers come from torch's own
generator, so a seed gives the same masks and a resumed training goes on with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

STEPS = 1 << 16
HALF = STEPS // 2


class QuickDropout(nn.Dropout):
    """Dropout with masks of 16-bit numbers; on other devices than a processor, torch's own."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Values with a share of ``p`` of them 0 and the others scaled; as they are outside of training."""
        if not self.training or values.device.type != "cpu" or self.p >= 1:
            return super().forward(values)
        dropped = round(self.p * STEPS)
        if not dropped:
            return values
        drawn = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
        bits = drawn.view(torch.int16)[: values.numel()].view(values.shape)
        return values * ((bits >= dropped - HALF).to(values.dtype) * (STEPS / (STEPS - dropped)))


@contextmanager
def quick_dropout(network: nn.Module) -> Iterator[None]:
    """Let a network's dropout be quick for a while; afterwards its own parts are back.

    Args:
        network: Its plain ``nn.Dropout`` parts are replaced, with their shares.
    """
    replaced: list[tuple[nn.Module, str, nn.Module]] = []
    for parent in list(network.modules()):
        for name, part in list(parent.named_children()):
            if type(part) is nn.Dropout:
                replaced.append((parent, name, part))
                setattr(parent, name, QuickDropout(part.p).train(part.training))
    try:
        yield
    finally:
        for parent, name, part in replaced:
            setattr(parent, name, part.train(parent.training))


def set_dropout(network: nn.Module, share: float) -> None:
    """Set every dropout of a network, that of attention included.

    Args:
        network: A network of the BERT family.
        share: Share of values that are dropped, from 0 to under 1.
    """
    for part in network.modules():
        if isinstance(part, nn.Dropout):
            part.p = share
