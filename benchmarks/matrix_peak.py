"""How fast this machine multiplies matrices: the peak that a training's FLOP/s are a share of."""

from __future__ import annotations

import time

from benchmarks.recording import record

SIZES = (1024, 2048)
SECONDS = 1.0


def matrix_peak(precision: str, device: str = "cpu") -> float:
    """The best rate of square products, in FLOP/s, over some sizes and a second each.

    Args:
        precision: ``fp32`` or ``bf16``.
        device: torch's name of it.
    """
    import torch

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    best = 0.0
    for size in SIZES:
        left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        out = torch.empty(size, size, dtype=dtype, device=device)
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            began = time.perf_counter()
            torch.mm(left, right, out=out)
            if device.startswith("cuda"):
                torch.cuda.synchronize()
            best = max(best, 2 * size**3 / (time.perf_counter() - began))
    return best


def main() -> None:
    """Measure fp32, and bf16 where the processor multiplies it itself."""
    from workbench.models.encoder import native_bf16

    for precision in ("fp32", "bf16") if native_bf16() else ("fp32",):
        record(f"peak of matrix products, {precision}", matrix_peak(precision) / 1e9, "GFLOP/s")


if __name__ == "__main__":
    main()
