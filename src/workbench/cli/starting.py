"""``new``: a folder of one's own to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import messages
from workbench.errors import WorkbenchError


def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write the recipe into.")],
    recipe: Annotated[str | None, typer.Option("--recipe", help="Copy this shipped recipe.")] = None,
    table: Annotated[
        Path | None,
        typer.Option("--from", metavar="TABLE", help="Write a recipe for this CSV, TSV, JSONL or Parquet file."),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="Column with the text; proposed when left out.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Column with the class; proposed when left out.")] = None,
    group: Annotated[
        str | None, typer.Option("--group", help="Column whose rows are never split between learning and test.")
    ] = None,
    country: Annotated[
        str | None, typer.Option("--country", help="ISO alpha-3 code of the country whose grid feeds this machine.")
    ] = None,
    as_json: messages.AsJson = False,
) -> None:
    """Begin a project: a shipped recipe to change, or a commented recipe for a table of your own."""
    from workbench import projects

    if (recipe is None) == (table is None):
        raise WorkbenchError(
            "new needs exactly one of --recipe and --from.",
            "workbench new DIR --recipe clinical-coding, or workbench new DIR --from my.csv --text COL --label COL",
            "See the shipped recipes with: workbench recipes",
        )
    if recipe is not None:
        if not_for_copies := [name for name, value in (("text", text), ("label", label), ("group", group)) if value]:
            raise WorkbenchError(
                f"--{not_for_copies[0]} does not go with --recipe.",
                "Column names go with --from.",
                "Change the columns in the copied recipe.",
            )
        started = projects.from_recipe(recipe, folder)
    else:
        assert table is not None  # noqa: S101  (one of the two is given)
        started = projects.from_table(table, folder, text=text, label=label, group=group, country=country)
    if as_json:
        messages.print_json({"recipe": started.recipe, "files": started.files, "notes": started.notes})
        return
    for file in started.files:
        messages.say(f"Wrote {file}")
    for note in started.notes:
        messages.say(f"- {note}")
    messages.say(f"Look before you run: workbench check {started.recipe}")
