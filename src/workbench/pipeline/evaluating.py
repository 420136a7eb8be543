"""``workbench evaluate``: all checks of a finished run, into the same folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench import carbon, reporting, storage
from workbench.errors import RunError
from workbench.pipeline import drawing, finishing
from workbench.pipeline.checks import plans
from workbench.pipeline.gathering import STAGE, gather, open_subject
from workbench.pipeline.opened import Run
from workbench.pipeline.opening import Job, reopen_job
from workbench.pipeline.scoring import read_predictions
from workbench.pipeline.session import Session
from workbench.recipe import Recipe
from workbench.runs import Listener, StageStore, ignore, write_manifest

Row = dict[str, Any]


def evaluate(
    path: str | Path,
    *,
    runs: str | Path = "runs",
    suite: str | Path | None = None,
    only: Sequence[str] = (),
    listener: Listener = ignore,
) -> Run:
    """Make the checks of a finished run that ``run`` leaves out, and any whose code has changed since.

    Args:
        path: The run's folder, or ``latest``.
        runs: Where ``latest`` is looked for.
        suite: A file of behaviour tests, put to the candidates beside the recipe's own; its evidence stays.
        only: Topics to make; all when empty.
        listener: Called with every event.

    Returns:
        The run, with evidence, metrics, report and manifest renewed.

    Raises:
        RunError: The run is not done, its table has changed or was given in Python, or a topic does not exist.
        RecipeError: The suite has problems; all are listed.
        Stopped: Somebody asked; what was gathered is kept.
    """
    job = reopen_job(path, runs=Path(runs), download=False)
    if not job.finished:
        raise RunError(
            f"The run {job.folder.path.name} is not done, so there is nothing to evaluate yet.",
            "A run whose status is done.",
            f"Go on with it first: workbench resume {job.folder.path}",
        )
    with job.folder.at_work():
        _evaluate(job, suite, only, listener)
    return Run(job.folder.path)


def _evaluate(job: Job, suite: str | Path | None, only: Sequence[str], listener: Listener) -> None:
    recipe, folder = job.recipe, job.folder
    session = Session(folder, StageStore(job.store), listener, carbon.place(recipe.carbon), job.base, job.ids)
    session.budget = _budget(session, recipe)
    drawn = drawing.draw(session, recipe, job.source, 0)
    predictions = read_predictions(folder.path)
    recommended = storage.read_json(folder.path / "recommendation.json")["candidate"]
    subject = open_subject(folder.path, recipe, drawn.splits, predictions, recommended)
    wanted = plans(subject, job.base, suite=suite, only=only)
    gather(session, subject, wanted, drawn.digest)
    folder.log("test looked at", splits=list(drawn.splits.tests), checks=[plan.topic for plan in wanted])
    finishing.add_evidence(folder, recipe)
    _add_emissions(folder.path, session.emissions)
    reporting.report(folder.path)
    write_manifest(folder.path)


def _budget(session: Session, recipe: Recipe) -> carbon.Budget:
    """What the run may still emit: what it spent already counts."""
    budget = carbon.Budget(recipe.carbon.budget_grams, session.warn)
    for entry in storage.read_json(session.folder.path / "emissions.json"):
        budget.add(entry)
    return budget


def _add_emissions(folder: Path, made: Sequence[Row]) -> None:
    """Add what the checks took; a check that was made again counts again, a reused one once."""
    known: list[Row] = storage.read_json(folder / "emissions.json")
    new = [one for one in made if one["stage"].startswith(f"{STAGE}-") and one not in known]
    storage.write_json(folder / "emissions.json", [*known, *new])
