"""The whole job, in order: read this first.

``run`` continues the newest unfinished run of the same recipe and table, shows a finished one, and starts
anew with ``fresh=True``; it says which it did. Every step is a stage: done once, kept, reused while
nothing that it depends on has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from workbench import carbon
from workbench.errors import Stopped
from workbench.pipeline import checking, checks, drawing, embedding, finishing, gathering, learning
from workbench.pipeline.opened import Run
from workbench.pipeline.opening import Job, open_job, reopen_job
from workbench.pipeline.session import Session
from workbench.recipe import Recipe
from workbench.runs import Listener, ProgressFile, RunFolder, StageStore, ignore, tell_all


def run(
    recipe: str | Path | Recipe,
    *,
    table: object | None = None,
    runs: str | Path = "runs",
    overrides: Sequence[str] = (),
    fresh: bool = False,
    download: bool = False,
    listener: Listener = ignore,
) -> Run:
    """Make a compact model, with the evidence beside it.

    Args:
        recipe: A shipped name, a path to a YAML file, or a ``Recipe``.
        table: The table itself, for a recipe with ``source: {table: given}``: a pandas frame, a
            ``datasets.Dataset`` or an Arrow table.
        runs: Folder for runs; made when missing.
        overrides: ``part.field=value`` texts that change the recipe.
        fresh: Start a new run even where an unfinished or finished one is there. Unchanged stages are reused.
        download: Whether weights and data may be fetched from the hub.
        listener: Called with every event.

    Returns:
        The run, done.

    Raises:
        WorkbenchError: Something a person can put right; nothing half-written is left.
        KeyboardInterrupt: Interrupted; what was done is kept and ``resume`` goes on.
    """
    job = open_job(recipe, table=table, runs=Path(runs), overrides=overrides, fresh=fresh, download=download)
    return Run(job.folder.path) if job.finished else do(job, listener)


def resume(path: str | Path, *, runs: str | Path = "runs", download: bool = False, listener: Listener = ignore) -> Run:
    """Go on with a run that was stopped, killed or failed.

    Args:
        path: The run's folder, or ``latest``.
        runs: Where ``latest`` is looked for.
        download: Whether weights and data may be fetched from the hub.
        listener: Called with every event.

    Raises:
        RunError: Another process is at work in it, or its table was given in Python: then call ``run`` again.
    """
    job = reopen_job(path, runs=Path(runs), download=download)
    return Run(job.folder.path) if job.finished else do(job, listener)


def do(job: Job, listener: Listener) -> Run:
    """Do every stage of a job, in order."""
    recipe, folder = job.recipe, job.folder
    seeds = range(recipe.evaluation.seeds)
    curves = ProgressFile(folder)
    store, told = StageStore(job.store), tell_all([curves, listener])
    session = Session(folder, store, told, carbon.place(recipe.carbon), job.base, job.ids, job.download)
    session.budget = carbon.Budget(recipe.carbon.budget_grams, session.warn)
    with folder.at_work(), at_status(folder), closing(curves):
        weights = embedding.find_all_weights(recipe, job.base, download=job.download)
        store.sweep()
        finishing.write_start(folder, recipe, job.source, weights)
        drawn = [drawing.draw(session, recipe, job.source, seed) for seed in seeds]
        checking.need_suite(recipe, job.base, drawn[0].splits.classes)
        finishing.write_data(folder, recipe, job.source, drawn)
        finishing.write_estimate(folder, lambda: checking.estimate(recipe, drawn[0].splits, job.source, weights))
        vectors = embedding.embed(session, recipe, drawn)
        trained = [learning.learn(session, recipe, one, vectors) for one in drawn]
        predictions = learning.predict(session, drawn, trained)
        finishing.write_models(folder, trained[0])
        metrics = finishing.score_all(session, recipe, predictions, drawn)
        measurements = finishing.measure_all(session, recipe, trained[0], drawn[0])
        chosen = finishing.recommend(folder, recipe, metrics, measurements)
        subject = gathering.open_subject(folder.path, recipe, drawn[0].splits, predictions, chosen["candidate"])
        finishing.decide(folder, recipe, subject)
        gathering.gather(session, subject, checks.plans(subject, job.base, soon=True), drawn[0].digest)
        finishing.add_evidence(folder, recipe)
        curves.flush()
        finishing.report(session, recipe, trained)
    return Run(folder.path)


@contextmanager
def at_status(folder: RunFolder) -> Iterator[None]:
    """Keep ``run.json`` true: running, then done, stopped or failed."""
    folder.log("run resumed" if folder.events() else "run started", recipe_digest=folder.state.recipe_digest)
    folder.set_status("running")
    try:
        yield
    except (Stopped, KeyboardInterrupt) as error:
        folder.set_status("stopped")
        folder.log("run stopped", reason=type(error).__name__)
        raise
    except BaseException as error:
        folder.set_status("failed")
        folder.log("run failed", reason=f"{type(error).__name__}: {error}")
        raise
