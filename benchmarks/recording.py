"""Results of benchmarks: printed, and kept one JSON object a line."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench import storage
from workbench.evaluation.measurement import hardware

RESULTS = Path(__file__).resolve().parent / "results" / "latest.jsonl"
CPU_INFO = Path("/proc/cpuinfo")
FLAGS = (
    *("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16"),
    *("asimd", "asimddp", "sve", "i8mm", "bf16"),
)
"""What decides how fast matrices are multiplied: x86 first, then ARM."""


def begin() -> None:
    """Empty the results of the last time."""
    storage.write_text(RESULTS, "")


def record(comparison: str, ours: float, unit: str, peer: float | None = None, **more: Any) -> dict[str, Any]:
    """Keep and print one figure.

    Args:
        comparison: What was measured, and against what.
        ours: The figure.
        unit: Its unit.
        peer: The figure that it is compared with, from the same run; ``None`` where there is none.
        more: What else the line shall say, for example the ratio of every repeat.

    Returns:
        The line as written; ``ratio`` is ours by peer.
    """
    line = {
        "comparison": comparison,
        "ours": round(ours, 6),
        "peer": None if peer is None else round(peer, 6),
        "ratio": round(ours / peer, 6) if peer else None,
        "unit": unit,
        "device": hardware(),
        "flags": list(cpu_flags()),
        **more,
    }
    storage.append_line(RESULTS, json.dumps(line, sort_keys=True))
    beside = "" if peer is None else f"  beside {peer:,.4g}  ratio {line['ratio']:,.4g}"
    print(f"{comparison}: {ours:,.4g} {unit}{beside}", flush=True)
    return line


@lru_cache(maxsize=1)
def cpu_flags() -> tuple[str, ...]:
    """The processor's instructions for vectors and matrices, as Linux names them; empty elsewhere."""
    if not CPU_INFO.is_file():
        return ()
    for line in CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            has = set(value.split())
            return tuple(flag for flag in FLAGS if flag in has)
    return ()
