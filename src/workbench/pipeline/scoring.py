"""From saved predictions to the rows of ``metrics.json``: the same function makes and verifies them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench import storage
from workbench.data import Labelled
from workbench.metrics.checks import score_check
from workbench.metrics.evidence import join_rows
from workbench.metrics.scoring import Plan, score_run
from workbench.recipe import Recipe

Floats = npt.NDArray[np.float32]
INDEX = "evidence/checks.json"


def prediction_table(classes: Sequence[str], seed: int, split: str, part: Labelled, probabilities: Floats) -> pa.Table:
    """Predictions of one candidate on one split, a line a row.

    Args:
        classes: Names of the classes.
        seed: Seed of the candidate.
        split: Name of the split.
        part: Its rows, ``n`` of them.
        probabilities: Calibrated probabilities, shape ``(n, classes)``.

    Returns:
        Columns ``seed``, ``row``, ``split``, ``label``, ``prediction``, ``p_<class>``.
    """
    names = pa.array(classes, pa.large_string())
    columns = {
        "seed": pa.array(np.full(len(part), seed, dtype=np.int32)),
        "row": pa.array(part.rows),
        "split": pa.array([split], pa.string()).take(pa.array(np.zeros(len(part), dtype=np.int64))),
        "label": names.take(pa.array(part.labels)),
        "prediction": names.take(pa.array(probabilities.argmax(axis=1))),
    }
    columns |= {f"p_{name}": pa.array(probabilities[:, index]) for index, name in enumerate(classes)}
    return pa.table(columns)


def scoring_plan(recipe: Recipe, classes: Sequence[str]) -> Plan:
    """What is scored and how, from the recipe."""
    return Plan(
        classes=tuple(classes),
        primary=recipe.evaluation.primary,
        margin=recipe.evaluation.margin,
        slices=recipe.data.slices,
        resamples=recipe.evaluation.resamples,
        confidence=recipe.evaluation.confidence,
    )


def score(
    predictions: Mapping[str, pa.Table], rows: pa.Table, recipe: Recipe, classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Score every candidate on every test split.

    Args:
        predictions: Candidate to its predictions on all splits.
        rows: ``data/rows.parquet``: which row has which group and slices.
        recipe: The recipe.
        classes: Names of the classes.

    Returns:
        The rows of ``metrics.json``.
    """
    tested = {
        name: join_rows(table.filter(pc.starts_with(table["split"], "test")), rows)
        for name, table in predictions.items()
    }
    return score_run(tested, scoring_plan(recipe, classes))


def evidence_rows(folder: Path, recipe: Recipe) -> list[dict[str, Any]]:
    """The rows of decisions and of all gathered evidence, from a run's files alone; each says its ``check``.

    Args:
        folder: The run's folder.
        recipe: What ran.
    """
    return [*_decision_rows(folder, recipe), *_check_rows(folder)]


def _decision_rows(folder: Path, recipe: Recipe) -> list[dict[str, Any]]:
    from workbench.metrics.decisions import score_decisions

    decisions = {file.parent.name: storage.read_json(file) for file in (folder / "models").glob("*/decision.json")}
    predictions = read_predictions(folder)
    if not decisions or not predictions:
        return []
    rows = pq.read_table(folder / "data" / "rows.parquet")
    joined = {name: join_rows(table, rows) for name, table in predictions.items()}
    plan = scoring_plan(recipe, classes_of(next(iter(predictions.values()))))
    return [{**row, "check": "decisions"} for row in score_decisions(joined, decisions, plan)]


def _check_rows(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, entry in sorted(read_index(folder).items()):
        file = folder / "evidence" / f"{name}.parquet"
        if entry["made"] and file.is_file():
            rows += [{**row, "check": name} for row in score_check(name, pq.read_table(file), entry["settings"])]
    return rows


def read_index(folder: Path) -> dict[str, Any]:
    """``evidence/checks.json`` of a run: name to settings, reasons, seconds; empty where no check was made."""
    file = folder / INDEX
    found: dict[str, Any] = storage.read_json(file) if file.is_file() else {}
    return found


def read_predictions(folder: Path) -> dict[str, pa.Table]:
    """Candidate to its predictions, as a run's folder has them."""
    return {file.stem: pq.read_table(file) for file in sorted((folder / "predictions").glob("*.parquet"))}


def classes_of(table: pa.Table) -> tuple[str, ...]:
    """Names of the classes, from the columns of a table of predictions."""
    return tuple(name.removeprefix("p_") for name in table.column_names if name.startswith("p_"))
