"""The table of a desk's recipe, judged: whether it is fit to be learned from, and what in it concerns persons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import DataError, WorkbenchError
from workbench.projects.desk import Desk
from workbench.recipe import Located, Recipe

if TYPE_CHECKING:
    from workbench.data import Examined
    from workbench.data.personal import Finding


@dataclass(frozen=True)
class Judged:
    """A recipe's table, judged.

    Attributes:
        text: The recipe's text that it was judged by.
        recipe: The recipe.
        examined: Its splits and their health; ``None`` where the table is refused as a whole.
        refusal: Why it is.
        findings: What looks like personal data.
        groups: Columns that could tie rows together, where the recipe names none.
    """

    text: str
    recipe: Recipe
    examined: Examined | None = None
    refusal: WorkbenchError | None = None
    findings: tuple[Finding, ...] = ()
    groups: tuple[str, ...] = ()


def judge(desk: Desk) -> Judged:
    """Read the table of the desk's recipe and judge it. Trains and writes nothing.

    Raises:
        RecipeError: The recipe has problems.
        RunError: Nothing was chosen.
    """
    from workbench.data import examine, sources
    from workbench.data.personal import summary

    text, located = desk.text, desk.located
    data = located.recipe.data
    try:
        source = sources.read(data.source, data=data, base=located.base)
    except DataError as error:
        return Judged(text, located.recipe, refusal=error)
    searched = [name for name in source.table.column_names if name != data.label]
    found = summary(source.table, searched)
    return Judged(text, located.recipe, examine(data, source, 0), None, tuple(found), _groups(located))


def _groups(located: Located) -> tuple[str, ...]:
    """Columns of a file that may be groups: at least five values, each in several rows."""
    from workbench.data.outline import outline
    from workbench.data.sources import files

    data = located.recipe.data
    if data.group is not None or data.source.path is None:
        return () if data.group is None else (data.group,)
    columns = outline(files.read(located.base / data.source.path, data.source, None).table)
    fit = [one for one in columns.values() if one.kind in ("classes", "text", "number") and one.different >= 5]
    return tuple(one.name for one in fit if one.name not in (data.text, data.label))
