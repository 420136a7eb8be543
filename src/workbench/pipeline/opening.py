"""Which run it is: the newest unfinished one of the same recipe and table, a finished one, or a new one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench import recipe as recipes
from workbench.data import SourceTable, sources
from workbench.data.roles import flat
from workbench.errors import RunError
from workbench.pipeline.embedding import need_extras
from workbench.pipeline.session import RowIds
from workbench.recipe import Recipe
from workbench.runs import RunFolder, RunState, all_runs, find_run, now


@dataclass(frozen=True)
class Job:
    """What is to be done, and where.

    Attributes:
        recipe: The recipe.
        base: Folder that its relative paths start from.
        source: The table.
        folder: The run's folder.
        store: Folder of the stages that runs share.
        finished: Whether the run is done already.
        found: ``new``, ``unfinished`` or ``finished``: which run this is.
        download: Whether the hub may be asked.
    """

    recipe: Recipe
    base: Path
    source: SourceTable
    folder: RunFolder
    store: Path
    finished: bool
    found: str
    download: bool = False

    @property
    def ids(self) -> RowIds:
        """What a file of a teacher's answers calls the rows."""
        name = self.recipe.data.id
        return RowIds("row", None) if name is None else RowIds(name, flat(self.source.table[name]))


def locate(recipe: str | Path | Recipe, overrides: Sequence[str] = ()) -> recipes.Located:
    """A recipe with the folder its paths start from; for a ``Recipe`` object that is the working folder."""
    if not isinstance(recipe, Recipe):
        return recipes.read(recipe, overrides)
    changed = recipes.from_values(recipe.plain(), overrides) if overrides else recipe
    return recipes.Located(changed, Path.cwd(), recipe.name)


def open_job(
    recipe: str | Path | Recipe,
    *,
    table: object | None,
    runs: Path,
    overrides: Sequence[str],
    fresh: bool,
    download: bool,
) -> Job:
    """Read recipe and table, and find or make the run's folder."""
    located = locate(recipe, overrides)
    need_extras(located.recipe)
    data = located.recipe.data
    source = sources.read(data.source, data=data, base=located.base, table=table, download=download)
    digest = recipes.digest(located.recipe)
    folder = None if fresh else _latest(runs, digest, source.digest)
    found = "new"
    if folder is not None:
        found = "finished" if folder.state.status == "done" else "unfinished"
    else:
        folder = _create(runs, located, digest, source.digest)
    return Job(
        recipe=located.recipe,
        base=located.base,
        source=source,
        folder=folder,
        store=runs / ".stages",
        finished=found == "finished",
        found=found,
        download=download,
    )


def reopen_job(path: str | Path, *, runs: Path, download: bool) -> Job:
    """The job of a run's folder.

    Raises:
        RunError: Its table was given in Python, its recipe's folder is gone, or its table has changed.
    """
    folder = RunFolder(find_run(path, runs))
    recipe = recipes.read(folder.path / "recipe.yaml").recipe
    base = _base(folder, recipe)
    source = sources.read(recipe.data.source, data=recipe.data, base=base, download=download)
    if source.digest != folder.state.data_digest:
        raise RunError(
            f"The table has changed since the run {folder.path.name} began.",
            "The same table, so that the finished part fits the rest.",
            "Put the table back, or start a new run: workbench run RECIPE",
        )
    done = folder.state.status == "done"
    store = folder.path.parent.parent / ".stages"
    return Job(recipe, base, source, folder, store, done, "finished" if done else "unfinished", download)


def _latest(runs: Path, recipe_digest: str, data_digest: str) -> RunFolder | None:
    """Newest run of the same recipe and table, unfinished ones first."""
    wanted = (recipe_digest, data_digest)
    same = [one for one in all_runs(runs) if (one.state.recipe_digest, one.state.data_digest) == wanted]
    unfinished = [one for one in same if one.state.status != "done"]
    return next(iter(unfinished or same), None)


def _create(runs: Path, located: recipes.Located, digest: str, data_digest: str) -> RunFolder:
    path = runs.resolve() / located.recipe.name / "run"
    try:
        base = Path(os.path.relpath(located.base.resolve(), path)).as_posix()
    except ValueError:  # another drive on Windows
        base = None
    if located.recipe.data.source.path is None and not _reads_files(located.recipe):
        base = None
    state = RunState(
        recipe_digest=digest,
        data_digest=data_digest,
        status="running",
        seeds=located.recipe.evaluation.seeds,
        created=now(),
        base=base,
    )
    return RunFolder.create(runs, located.recipe.name, state)


def _reads_files(recipe: Recipe) -> bool:
    members = () if recipe.teacher is None else (recipe.teacher, *recipe.teacher.ensemble)
    if recipe.data.corrections is not None:
        return True
    return recipe.data.source.hub is not None or any(one.file or one.model for one in members)


def _base(folder: RunFolder, recipe: Recipe) -> Path:
    if recipe.data.source.table is not None:
        raise RunError(
            "The table of this run was given in Python, and is not kept in its folder.",
            "The same table handed over again.",
            "Call wb.run(recipe, table=frame) again: it goes on with the unfinished run.",
        )
    if folder.state.base is None:
        return folder.path
    base = (folder.path / folder.state.base).resolve()
    if not base.is_dir():
        raise RunError(
            "The folder of this run's recipe is gone, and with it the table.",
            f"A folder {base}",
            "Put it back, or run the recipe from where it is now: workbench run RECIPE",
        )
    return base
