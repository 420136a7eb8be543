"""From the evidence of a check to its rows of ``metrics.json``, by the topic: no model is asked, no torch needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import pyarrow as pa

Row = dict[str, Any]
Scorer = Callable[[pa.Table, Mapping[str, Any]], list[Row]]

SCORERS = {
    "attacks": ("attacks", "score_attacks"),
    "behaviour": ("behaviour", "score_behaviour"),
    "evasion": ("evasion", "score_evasion"),
    "flips": ("flips", "score_flips"),
    "labels": ("labels", "score_labels"),
    "membership": ("membership", "score_membership"),
    "novelty": ("novelty", "score_novelty"),
    "personal": ("personal", "score_personal"),
    "personal-recall": ("personal", "score_personal"),
    "robustness": ("robustness", "score_robustness"),
    "slices": ("slices", "score_slices"),
    "slices-found": ("found_slices", "score_found_slices"),
    "teacher-audit": ("teacher_audit", "score_teacher_audit"),
}
"""Beginning of the evidence's name to module and function; the longest beginning that fits decides."""


def scorer_of(name: str) -> Scorer:
    """The function that turns a check's evidence into rows.

    Args:
        name: Name of the evidence, ``evidence/<name>.parquet``.

    Raises:
        KeyError: No scorer is known for it.
    """
    fitting = [known for known in SCORERS if name == known or name.startswith(f"{known}-")]
    if not fitting:
        raise KeyError(name)
    module, function = SCORERS[max(fitting, key=len)]
    found: Scorer = getattr(import_module(f"workbench.metrics.{module}"), function)
    return found


def score_check(name: str, table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """The rows of a check.

    Args:
        name: Name of its evidence.
        table: The evidence.
        settings: What the check left beside it.
    """
    return scorer_of(name)(table, settings)
