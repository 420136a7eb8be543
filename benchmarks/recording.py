"""Results of benchmarks: printed, and kept one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbench import storage
from workbench.evaluation.measurement import hardware

RESULTS = Path(__file__).resolve().parent / "results" / "latest.jsonl"


def begin() -> None:
    """Empty the results of the last time."""
    storage.write_text(RESULTS, "")


def record(comparison: str, ours: float, unit: str, peer: float | None = None) -> dict[str, Any]:
    """Keep and print one figure.

    Args:
        comparison: What was measured, and against what.
        ours: The figure.
        unit: Its unit.
        peer: The figure that it is compared with, from the same run; ``None`` where there is none.

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
    }
    storage.append_line(RESULTS, json.dumps(line, sort_keys=True))
    beside = "" if peer is None else f"  beside {peer:,.4g}  ratio {line['ratio']:,.4g}"
    print(f"{comparison}: {ours:,.4g} {unit}{beside}", flush=True)
    return line
