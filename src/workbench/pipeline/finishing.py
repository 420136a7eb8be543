"""What stands in a run's folder besides stages: environment, data card, models, numbers, recommendation, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench import carbon, reporting, storage
from workbench import recipe as recipes
from workbench.data import SourceTable
from workbench.data.card import write_card
from workbench.errors import Stopped
from workbench.evaluation import measure_candidate
from workbench.evaluation import recommend as choose
from workbench.evaluation.check import Subject
from workbench.evaluation.measurement import hardware
from workbench.metrics import clopper_pearson
from workbench.metrics.scoring import made_from
from workbench.models import Weights
from workbench.pipeline import scoring
from workbench.pipeline.checking import Estimate
from workbench.pipeline.compressing import PARITY
from workbench.pipeline.drawing import Drawn, rows_table
from workbench.pipeline.learning import Trained
from workbench.pipeline.session import Session, StageResult
from workbench.recipe import Recipe
from workbench.runs import RunFolder, StageKey, describe_environment, write_manifest

MEASURED_KINDS = ("baseline", "teacher", "student")


def write_start(folder: RunFolder, recipe: Recipe, source: SourceTable, weights: Mapping[str, Weights]) -> None:
    """Write what is known before anything is done: the recipe with its defaults, and the environment.

    Args:
        folder: The run.
        recipe: The recipe.
        source: The table.
        weights: Model name to its weights.
    """
    header = (f"What ran as {folder.path.name}, defaults filled in.", "Run it again: workbench run recipe.yaml")
    storage.write_text(folder.path / "recipe.yaml", recipes.to_yaml(recipe, header))
    environment = describe_environment() | {"data": {"digest": source.digest, **source.described}}
    environment["weights"] = {
        name: {"digest": one.digest, "uploader": one.uploader, "licence": one.licence} for name, one in weights.items()
    }
    storage.write_json(folder.path / "environment.json", environment)


def write_estimate(folder: RunFolder, expected: Callable[[], Estimate]) -> None:
    """Write what the run is expected to take, once: a resumed run keeps the estimate of its first beginning."""
    if not (folder.path / "estimate.json").is_file():
        storage.write_json(folder.path / "estimate.json", expected().to_json())


def write_data(folder: RunFolder, recipe: Recipe, source: SourceTable, drawn: Sequence[Drawn]) -> None:
    """Write ``data/``: health, card, Croissant, rows. Texts are not in it."""
    data = folder.path / "data"
    health = drawn[0].health.to_json()
    if len(drawn) > 1:
        health["seeds"] = [one.health.to_json() for one in drawn]
    storage.write_json(data / "health.json", health)
    storage.write_parquet(data / "rows.parquet", rows_table(list(drawn)))
    if recipe.report.examples:
        test = drawn[0].splits.tests["test"]
        storage.write_parquet(data / "examples.parquet", pa.table({"row": test.rows, "text": test.texts}))
    write_card(data, recipe, source, drawn[0].health)


def write_models(folder: RunFolder, trained: Trained) -> None:
    """Copy the models of the first seed into the run's folder: those are what a person takes home.

    With a compressed one comes the evidence, row by row, of what it lost.
    """
    for name, stage in trained.stages.items():
        storage.copy_tree(stage.folder / "model", folder.path / "models" / name, replace=True)
        if (stage.folder / PARITY).is_file():
            storage.write_bytes(
                folder.path / "evidence" / f"parity-{name}.parquet", (stage.folder / PARITY).read_bytes()
            )


def score_all(
    session: Session, recipe: Recipe, predictions: Mapping[str, pa.Table], drawn: Sequence[Drawn]
) -> list[dict[str, Any]]:
    """Score every candidate on every test split, and count the look at the tests."""
    folder = session.folder.path
    for name, table in predictions.items():
        storage.write_parquet(folder / "predictions" / f"{name}.parquet", table)
    rows = rows_table(list(drawn))
    classes = drawn[0].splits.classes
    inputs = {
        "predictions": {
            name: storage.sha256_file(folder / "predictions" / f"{name}.parquet") for name in sorted(predictions)
        },
        "evaluation": recipe.evaluation.model_dump(mode="json"),
        "slices": list(recipe.data.slices),
        "rows": storage.sha256_file(folder / "data" / "rows.parquet"),
    }

    def work(stage: Path) -> None:
        storage.write_json(stage / "metrics.json", scoring.score(predictions, rows, recipe, classes))

    result = session.stage(StageKey("metrics", inputs, ("metrics", "pipeline")), work)
    metrics: list[dict[str, Any]] = storage.read_json(result.folder / "metrics.json")
    session.folder.log("test looked at", splits=list(drawn[0].splits.tests), candidates=sorted(predictions))
    storage.write_json(folder / "metrics.json", metrics)
    return metrics


def measure_all(session: Session, recipe: Recipe, trained: Trained, drawn: Drawn) -> list[dict[str, Any]]:
    """Measure what each candidate costs on this machine: latency, rows/s, size, memory, energy.

    A control and a selftrain candidate are the same model as their student with other numbers in it, and a teacher's
    head alone the same as the fine-tuned one, so they carry its figures, and say so.
    """
    rows: list[dict[str, Any]] = []
    test = drawn.splits.tests["test"]
    for name, stage in trained.stages.items():
        if not name.startswith(MEASURED_KINDS) or name == "teacher-head" or is_file(stage):
            continue
        inputs = {
            "model": stage.digest,
            "environment": hardware(),
            "texts": drawn.digest,
            "carbon": [vars(carbon.place(recipe.carbon)), recipe.carbon.metered_seconds],
        }

        def work(folder: Path, name: str = name, model: Path = stage.folder / "model") -> None:
            storage.write_json(folder / "measurements.json", _measure(session, recipe, name, model, test.texts))

        result = session.stage(StageKey("measurement", inputs, ("evaluation", "models", "carbon")), work, name)
        rows += storage.read_json(result.folder / "measurements.json")
    rows += _same_model(rows, trained)
    rows += _parity(trained)
    storage.write_json(session.folder.path / "measurements.json", rows)
    return rows


def is_file(stage: StageResult) -> bool:
    """Whether a candidate is a file of answers, which reads no text and so costs nothing that could be measured."""
    return bool(storage.read_json(stage.folder / "model" / "candidate.json")["kind"] == "file")


def _measure(session: Session, recipe: Recipe, name: str, model: Path, texts: pa.Array) -> list[dict[str, Any]]:
    from workbench import models

    candidate = models.load(model)
    rows = measure_candidate(name, candidate, texts, folder=model, stop=session.stop)
    if session.stop():  # measuring ends early then; half of the figures must not become a stage
        raise Stopped("The run was asked to stop.")
    if hasattr(candidate, "as_fp32"):
        rows += _plain_precision(name, candidate, texts)
    seconds = recipe.carbon.metered_seconds
    metered = carbon.per_thousand(candidate.predict_proba, texts, session.country, seconds, _best_batch(rows))
    return rows + metered.measurements(name, hardware())


def _plain_precision(name: str, candidate: Any, texts: pa.Array) -> list[dict[str, Any]]:
    """Rows a second of a teacher computing in float32, where it computes in another format by itself."""
    from workbench.evaluation.measurement import measure_speed

    if getattr(candidate, "encoder", candidate).dtype == "fp32":
        return []
    rows = measure_speed(name, candidate.as_fp32(), texts)
    return [{**row, "quantity": f"{row['quantity']}_fp32"} for row in rows]


def _best_batch(rows: Sequence[Mapping[str, Any]]) -> int:
    found = [row["value"] for row in rows if row["quantity"] == "best_batch" and row.get("value")]
    return int(found[0]) if found else 1024


def _same_model(rows: Sequence[Mapping[str, Any]], trained: Trained) -> list[dict[str, Any]]:
    """Figures of candidates that are another one's model with other numbers in it; they say whose."""
    copied = []
    for name in trained.stages:
        kind, _, student = name.partition("-")
        twin = {"control": f"student-{student}", "selftrain": f"student-{student}", "teacher": "teacher"}.get(kind)
        if twin is not None and twin != name:
            same = [row for row in rows if row["candidate"] == twin]
            copied += [{**row, "candidate": name, "measured_on": twin} for row in same]
    return copied


def _parity(trained: Trained) -> list[dict[str, Any]]:
    """How often a compressed candidate says what its original says on the tests, and how far logits are apart."""
    rows: list[dict[str, Any]] = []
    for name, stage in trained.stages.items():
        if (stage.folder / PARITY).is_file():
            table = pq.read_table(stage.folder / PARITY)
            same, far = table["agrees"].to_numpy(), table["logit_difference"].to_numpy()
            low, high = clopper_pearson(int(same.sum()), len(same))
            about = {"candidate": name, "against": made_from(name), "n": len(same), "hardware": hardware()}
            bounds = {"value": float(same.mean()), "low": low, "high": high}
            rows.append({**about, "quantity": "agreement", "unit": "share of rows", **bounds})
            largest = {"value": float(far.max(initial=0.0)), "low": None, "high": None}
            rows.append({**about, "quantity": "largest_logit_difference", "unit": "nats", **largest})
    return rows


def recommend(
    folder: RunFolder, recipe: Recipe, metrics: Sequence[dict[str, Any]], measurements: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Choose a candidate by the rule, with the reasons, and write ``recommendation.json``."""
    evaluation = recipe.evaluation
    chosen = choose(metrics, measurements, primary=evaluation.primary, margin=evaluation.margin)
    storage.write_json(folder.path / "recommendation.json", chosen)
    folder.log("candidate recommended", candidate=chosen["candidate"], rule=chosen["rule"])
    return chosen


def decide(folder: RunFolder, recipe: Recipe, subject: Subject) -> None:
    """Fit when each candidate answers, gives several classes, or hands over to a person; into ``decision.json``."""
    from workbench.evaluation.decision import DecisionSettings, fit_decisions

    wanted = recipe.evaluation
    settings = DecisionSettings(wanted.target_error, wanted.confidence, wanted.coverage, wanted.false_flags)
    fit_decisions(subject, folder.path / "models", settings)


def add_evidence(folder: RunFolder, recipe: Recipe) -> None:
    """Put the rows of decisions and checks into ``metrics.json``, in place of earlier ones."""
    metrics = folder.path / "metrics.json"
    scores = [row for row in storage.read_json(metrics) if "check" not in row]
    storage.write_json(metrics, [*scores, *scoring.evidence_rows(folder.path, recipe)])


def report(session: Session, recipe: Recipe, trained: Sequence[Trained]) -> None:
    """Write emissions, report, card and, last of all, status and manifest."""
    folder = session.folder
    storage.write_json(folder.path / "emissions.json", session.emissions)
    with carbon.measure("report", country=session.country) as block:
        made = reporting.report(folder.path)
    session.emissions.append(block.emission.to_json())
    storage.write_json(folder.path / "emissions.json", session.emissions)
    folder.log("run finished", candidates=sorted(trained[0].stages))
    folder.set_status("done")
    reporting.report(folder.path, made)
    write_manifest(folder.path)
