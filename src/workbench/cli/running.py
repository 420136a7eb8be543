"""``run``, ``resume`` and ``stop``: start the pipeline, listen to it, and say what came out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli import messages
from workbench.cli.recipes import RecipeName, Settings
from workbench.errors import Stopped

if TYPE_CHECKING:
    from workbench.pipeline import Run
    from workbench.runs import Listener


def run(
    recipe: RecipeName,
    settings: Settings = None,
    runs: messages.RunsFolder = Path("runs"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, even where this recipe has run before.")] = False,
    seeds: Annotated[int | None, typer.Option("--seeds", help="Repeat label draw, start and order so often.")] = None,
    download: messages.Download = False,
    as_json: messages.AsJson = False,
) -> None:
    """Make the models of a recipe and compare them.

    Goes on with an unfinished run of the same recipe, and shows a finished one; --fresh begins anew.
    """
    messages.quiet_and_offline(download)
    from workbench import pipeline
    from workbench.runs import all_runs

    changes = [*(settings or ()), *([] if seeds is None else [f"evaluation.seeds={seeds}"])]
    source = Path(recipe) if Path(recipe).is_file() else recipe
    before = {folder.path: folder.state.status for folder in all_runs(runs)}

    def work(listener: Listener) -> Run:
        return pipeline.run(source, runs=runs, overrides=changes, fresh=fresh, download=download, listener=listener)

    finished = watched_run(work, runs)
    _show(finished, as_json, _beginning(before.get(finished.path)))


def resume(
    run: messages.RunName,
    runs: messages.RunsFolder = Path("runs"),
    download: messages.Download = False,
    as_json: messages.AsJson = False,
) -> None:
    """Go on with a run that was stopped or cut off."""
    messages.quiet_and_offline(download)
    from workbench import pipeline
    from workbench.runs import RunFolder, find_run

    path = find_run(run, runs)
    before = RunFolder(path).state.status
    finished = watched_run(
        lambda listener: pipeline.resume(path, download=download, listener=listener), path.parent.parent
    )
    _show(finished, as_json, _beginning(before))


def stop(run: messages.RunName, runs: messages.RunsFolder = Path("runs"), as_json: messages.AsJson = False) -> None:
    """Ask a run at work in another terminal to stop; what is finished is kept."""
    from workbench import pipeline

    path = pipeline.request_stop(run, runs)
    if as_json:
        messages.print_json({"run": path, "asked": True})
    else:
        messages.say(f"Asked {path} to stop after its present batch. Go on with: workbench resume {path}")


def _beginning(status: str | None) -> str:
    """Which of its three beginnings a run had, from the status it had before; ``None``: it was not there."""
    if status is None:
        return "new"
    return "shown" if status == "done" else "continued"


def watched_run(work: Callable[[Listener], Run], runs: Path) -> Run:
    """Do a run's work under the eyes of the terminal; an interrupted one says how to go on.

    Args:
        work: Takes a listener, gives the run.
        runs: Folder of all runs.

    Raises:
        typer.Exit: With status 130, when the run was interrupted or asked to stop.
    """
    from workbench.cli.terminal import watched

    try:
        with watched() as listener:
            return work(listener)
    except Stopped as stopped:
        messages.tell(stopped.problem)
        _tell_how_to_go_on(runs)
        raise typer.Exit(130) from None
    except KeyboardInterrupt:
        _tell_how_to_go_on(runs)
        raise typer.Exit(130) from None


def _tell_how_to_go_on(runs: Path) -> None:
    from workbench.runs import all_runs

    newest = next((run for run in all_runs(runs) if run.state.status in {"running", "stopped"}), None)
    if newest is None:
        messages.tell("Stopped before anything was begun.")
    else:
        messages.tell(f"Stopped. What was finished is kept; go on with: workbench resume {newest.path}")


def _show(run: Run, as_json: bool, beginning: str) -> None:
    from workbench.cli.tables import show_comparison, show_recommendation
    from workbench.reporting import comparison_table

    rows = comparison_table(run.path)
    if as_json:
        told = {"run": run.path, "beginning": beginning, "status": run.status, "report": run.report_path}
        messages.print_json({**told, "recommendation": run.recommendation, "comparison": rows})
        return
    if beginning == "shown":
        messages.say("This recipe has run on this data before; here is that run. Begin anew with --fresh.")
    elif beginning == "continued":
        messages.say("Went on with the unfinished run of this recipe.")
    show_comparison(rows, run.path.name)
    show_recommendation(run.recommendation)
    messages.say(f"Folder:  {run.path}")
    messages.say(f"Report:  {run.report_path}")
    if run.recommendation.get("candidate"):
        messages.say(f'Use it:  workbench predict {run.path} "your text"')
