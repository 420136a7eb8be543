"""Where training happens: device, number format, and which of several processes this is.

One process is the rule. Under ``accelerate launch`` (on processors alone, where that asks for MPI, ``torchrun`` does as
well) every process works on its share of each batch and gradients are added up, so that two processes take the same
steps as one with the same batch.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.models.encoder import native_bf16

Precision = Literal["auto", "fp32", "bf16"]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Place:
    """Where one process of a training works.

    Attributes:
        device: ``cpu`` or ``cuda:<n>``.
        precision: ``fp32`` or ``bf16``.
        index: Number of this process, from 0.
        processes: How many there are.
    """

    device: str
    precision: str
    index: int = 0
    processes: int = 1

    @property
    def multiple(self) -> int:
        """What the width of a batch is rounded up to: 8 where matrix units like it, else nothing is gained by it."""
        return 1 if self.device == "cpu" and self.precision == "fp32" else 8

    def autocast(self) -> AbstractContextManager[Any]:
        """Products in bfloat16 where that is the precision; weights and sums stay in float32."""
        import torch

        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.partition(":")[0], dtype=torch.bfloat16)

    def share(self, rows: Rows) -> Rows:
        """The rows of a batch that this process works on."""
        return rows[self.index :: self.processes]

    def add_up(self, gradients: list[Any]) -> None:
        """Replace every gradient by its sum over all processes."""
        if self.processes == 1:
            return
        import torch
        from accelerate.utils import reduce

        flat = torch.cat([one.reshape(-1) for one in gradients])
        whole = reduce(flat, reduction="sum")
        at = 0
        for one in gradients:
            one.copy_(whole[at : at + one.numel()].view_as(one))
            at += one.numel()


def find_place(precision: Precision = "auto") -> Place:
    """The place of this process: a GPU where there is one, else the processor.

    Args:
        precision: ``auto`` takes bf16 where the processor multiplies it itself, and on a GPU.
    """
    import torch
    from accelerate import PartialState

    state = PartialState(cpu=not torch.cuda.is_available())
    device = str(state.device)
    chosen = precision
    if precision == "auto":
        chosen = "bf16" if device.startswith("cuda") or (device == "cpu" and native_bf16()) else "fp32"
    return Place(device, chosen, int(state.process_index), int(state.num_processes))
