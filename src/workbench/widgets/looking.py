"""Which run the views of Inspect look at, and where corrections of its labels belong. No widget here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.pipeline.rereading import base_of
from workbench.projects.desk import Desk, run_at
from workbench.recipe.shipped import PACKAGE
from workbench.runs import find_run
from workbench.widgets.words import Words

if TYPE_CHECKING:
    from workbench.reporting.evidence import Evidence


def finished_run(subject: str | Path | None, desk: Desk | None, words: Words) -> Path | str:
    """Folder of a finished run; else the sentence that says why there is none to look at.

    Args:
        subject: A run's folder or ``latest``; the desk's newest run when ``None``.
        desk: Whose run.
        words: The language.

    Raises:
        RunError: The folder is gone, is no run's, or was written by a newer version.
        RecipeError: The desk's recipe has problems.
    """
    found = run_at(find_run(subject)) if subject is not None else None if desk is None else desk.run
    if found is None:
        return words("inspect.no_run")
    if found.status != "done":
        return words(f"inspect.is_{found.status.replace(' ', '_')}", run=found.path.name)
    return found.path


def corrections_file(evidence: Evidence, desk: Desk | None) -> tuple[Path, bool]:
    """Where corrections of a run's labels belong, and whether the recipe names that file already.

    Beside the recipe; where that is one of the shipped ones, in the working folder.
    """
    if desk is not None and desk.file is not None and desk.file.is_file():
        located = desk.located
        recipe, base = located.recipe, located.base
    else:
        recipe, base = evidence.recipe, base_of(evidence.folder) or Path.cwd()
    if recipe.data.corrections is not None:
        return base / recipe.data.corrections, True
    shipped = {PACKAGE / "shipped" / "recipes", PACKAGE.parent.parent / "recipes"}
    return (Path.cwd() if base in shipped else base) / f"{recipe.name}-corrections.csv", False
