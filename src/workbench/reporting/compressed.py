"""What compression cost: each compressed candidate beside what it was made from, on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.metrics.wording import difference_from_row, metric_name, noninferiority_sentence
from workbench.reporting import words
from workbench.reporting.evidence import NOT_MEASURED, Evidence, Row
from workbench.reporting.sections import Cell, difference_cell, meaning

TINY = 1e-4
"""Differences of logits below this are not told apart."""


def compressed(evidence: Evidence) -> dict[str, Any] | None:
    """The table of compressed candidates and a sentence for each.

    Args:
        evidence: The files of the run's folder.

    Returns:
        ``rows``, ``sentences`` (whether the loss is within the recipe's margin), ``metric``, ``split``, ``margin``;
        ``None`` where nothing was compressed.
    """
    if not evidence.compressed:
        return None
    changes = {
        name: evidence.score(name, evidence.headline, against=original)
        for name, original in evidence.compressed.items()
    }
    ends = [abs(row[end]) for row in changes.values() if row for end in ("low", "high") if row.get(end) is not None]
    scale = max(ends, default=0.0) or 1.0
    return {
        "rows": [_row(evidence, name, changes[name], scale) for name in evidence.compressed],
        "sentences": [_verdict(evidence, name, row) for name, row in changes.items()],
        "metric": metric_name(evidence.primary),
        "split": words.split_name(evidence.headline),
    }


def _row(evidence: Evidence, name: str, change: Row | None, scale: float) -> dict[str, Any]:
    return {
        "name": name,
        "about": meaning(name),
        "recommended": name == evidence.recommended,
        "size": _before_after(evidence, name, "size_mb", words.significant),
        "rate": _before_after(evidence, name, "rows_per_second", words.per_second),
        "agreement": _agreement(evidence.measured(name, "agreement")),
        "logits": _logits(evidence.measured(name, "largest_logit_difference")),
        "change": Cell(NOT_MEASURED, absent=True) if change is None else difference_cell(change, scale),
    }


def _before_after(evidence: Evidence, name: str, quantity: str, text: Callable[[float], str]) -> Cell:
    """A quantity of the original and of the compressed one, and what became of it."""
    rows = [evidence.measured(one, quantity) or {} for one in (evidence.compressed[name], name)]
    before, after = (row.get("value") for row in rows)
    if not before or not after:
        return Cell(str(next((row["reason"] for row in rows if row.get("reason")), NOT_MEASURED)), absent=True)
    return Cell(f"{text(before)} → {text(after)}", _factor(after / before))


def _factor(times: float) -> str:
    """How much of a quantity there is afterwards, in words: ``2.5 times``, ``to 26 %``."""
    if 0.95 < times < 1.05:
        return "about the same"
    return f"to {words.share(times, 1)}" if times < 1 else f"{words.significant(times)} times"


def _agreement(row: Row | None) -> Cell:
    """The share of rows that both put into the same class."""
    if row is None or row.get("value") is None:
        return Cell(str((row or {}).get("reason") or NOT_MEASURED), absent=True)
    low, high = row.get("low"), row.get("high")
    note = "" if low is None or high is None else f"{words.percent(low).removesuffix(' %')} to {words.percent(high)}"
    return Cell(words.percent(float(row["value"])), note)


def _logits(row: Row | None) -> Cell:
    if row is None or row.get("value") is None:
        return Cell(str((row or {}).get("reason") or NOT_MEASURED), absent=True)
    value = float(row["value"])
    return Cell(f"under {TINY:g}" if 0 < value < TINY else words.significant(value))


def _verdict(evidence: Evidence, name: str, row: Row | None) -> str:
    """Whether it is as good as its original within the margin, in the words that the numbers carry."""
    original = evidence.compressed[name]
    if row is None:
        return f"Whether {name} is as good as {original} cannot be said: the two were not compared."
    margin = evidence.recipe.evaluation.margin
    return noninferiority_sentence(name, original, evidence.primary, difference_from_row(row), margin)
