"""All candidates of a run side by side, as plain rows: for the terminal, for a frame, for the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.reporting.emissions import add
from workbench.reporting.evidence import NOT_MEASURED, Evidence, Row, read_evidence

MEASURED = {
    "latency_ms": ("latency_p50_ms",),
    "latency_p95_ms": ("latency_p95_ms",),
    "rows_per_second": ("rows_per_second",),
    "best_batch": ("best_batch",),
    "size_mb": ("size_mb",),
    "peak_memory_mb": ("peak_memory_mb",),
    "energy_wh_per_1000": ("energy_wh_per_1000",),
}


def comparison_table(run_folder: Path) -> list[dict[str, Any]]:
    """Compare the candidates of a run.

    Args:
        run_folder: The run's folder.

    Returns:
        A row for each candidate, in the order baseline, teacher, students beside their compressed forms and
        their controls. Keys:
        ``candidate``, ``recommended``, ``metric``, ``split``, ``value``, ``low``, ``high``, ``n`` (of the
        headline split), ``<split>_value``, ``<split>_low``, ``<split>_high`` of each further split,
        ``latency_ms``, ``latency_p95_ms``, ``rows_per_second``, ``rows_per_second_fp32`` (of an encoder that
        else computes in bf16), ``best_batch``, ``size_mb``, ``peak_memory_mb``, ``energy_wh_per_1000`` with
        ``energy_low``, ``energy_high`` and ``energy_class``, ``training_g_co2e`` with ``training_low``,
        ``training_high`` and ``training_class``, and ``absent``: for each key that is ``None``, the reason.

    Raises:
        RunError: It is no run's folder, or one of its files cannot be understood.
        RecipeError: Its recipe cannot be read.
    """
    return compare(read_evidence(run_folder))


def compare(evidence: Evidence) -> list[dict[str, Any]]:
    """As ``comparison_table``, of files that are read already."""
    return [_row(evidence, candidate) for candidate in evidence.candidates]


def _row(evidence: Evidence, candidate: str) -> dict[str, Any]:
    absent: dict[str, str] = {}
    row: dict[str, Any] = {
        "candidate": candidate,
        "recommended": candidate == evidence.recommended,
        "metric": evidence.primary,
        "split": evidence.headline,
    }
    row |= _scores(evidence.score(candidate, evidence.headline), "", absent)
    for split in evidence.splits:
        if split != evidence.headline:
            row |= _scores(evidence.score(candidate, split), f"{split}_", absent)
    for key, quantities in MEASURED.items():
        found = evidence.measured(candidate, *quantities)
        row[key] = _value(found, key, absent)
        if key == "energy_wh_per_1000":
            row["energy_low"] = found.get("low") if found else None
            row["energy_high"] = found.get("high") if found else None
            row["energy_class"] = found.get("class") if found else None
    fp32 = evidence.measured(candidate, "rows_per_second_fp32")
    row["rows_per_second_fp32"] = fp32.get("value") if fp32 else None
    row |= _training(evidence, candidate, absent)
    return row | {"absent": absent}


def _value(found: Row | None, key: str, absent: dict[str, str]) -> Any:
    value = found.get("value") if found else None
    if value is None:
        absent[key] = str((found or {}).get("reason") or NOT_MEASURED)
    return value


def _scores(found: Row | None, prefix: str, absent: dict[str, str]) -> dict[str, Any]:
    names = ("value", "low", "high", "n")
    if found is None or found.get("value") is None:
        absent[f"{prefix}value"] = str((found or {}).get("reason") or NOT_MEASURED)
        return {f"{prefix}{name}": (found or {}).get(name) for name in names}
    if found.get("low") is None:
        absent[f"{prefix}low"] = str(found.get("reason") or "no interval was computed")
    return {f"{prefix}{name}": found.get(name) for name in names}


def _training(evidence: Evidence, candidate: str, absent: dict[str, str]) -> dict[str, Any]:
    own = [entry for entry in evidence.emissions if entry.candidate == candidate and is_training(entry.stage)]
    if not own:
        absent["training_g_co2e"] = "no stage of its own" if evidence.emissions else NOT_MEASURED
        return {"training_g_co2e": None, "training_low": None, "training_high": None, "training_class": None}
    total = add(own)
    grams = total.emissions_kg.times(1000)
    return {
        "training_g_co2e": grams.central,
        "training_low": grams.low,
        "training_high": grams.high,
        "training_class": total.class_,
    }


def is_training(stage: str) -> bool:
    """Whether a stage makes a model, and does not measure or score one."""
    words = ("predict", "evaluat", "measur", "score", "report", "recommend", "metric")
    return not any(word in stage for word in words)
