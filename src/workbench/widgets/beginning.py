"""What the panels Choose and Data say beside their controls: a table's columns, what is missing, the same in code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from workbench.projects.desk import Desk
from workbench.projects.uploads import Look
from workbench.recipe import shipped_recipes
from workbench.widgets import markup
from workbench.widgets.words import Words

if TYPE_CHECKING:
    from workbench.projects import Missing


LIST = """\
from workbench.recipe import recipe_header, shipped_recipes

for name, file in shipped_recipes().items():
    print(name, *recipe_header(file), sep="\\n")
"""
HEALTH = """\
from workbench import recipe as recipes
from workbench.data import examine, sources

located = recipes.read({file!r})
data = located.recipe.data
found = examine(data, sources.read(data.source, data=data, base=located.base), 0)
print(*found.health.sentences, *found.problems, sep="\\n")
"""


def columns_table(look: Look, words: Words) -> str:
    """The columns of a table that was read, without a value of them."""
    headings = [words(f"choose.column.{one}") for one in ("name", "kind", "different", "empty")]
    rows = [
        (one.name, words(f"choose.kind.{one.kind}"), words.number(one.different), f"{one.empty:.0%}")
        for one in look.columns.values()
    ]
    caption = words("choose.columns", name=look.incoming.name, rows=words.number(look.table.num_rows))
    return markup.table(headings, rows, caption, numbers=2)


def needs(missing: Iterable[Missing], words: Words) -> str:
    """What is not installed, each with the line that installs it; or that all is there."""
    told = "".join(
        f"<p>{markup.text(words(f'choose.needs.{one.kind}', name=one.name))}</p>{markup.code(one.line)}"
        for one in missing
    )
    return told or f"<p>✓ {markup.text(words('choose.all_there'))}</p>"


def choosing(desk: Desk) -> str:
    """Write the chosen recipe where it is not there, and show it; list the shipped ones where none is chosen."""
    file = desk.file
    if file is None or not file.is_file():
        return LIST
    recipe = desk.recipe
    data, made = recipe.data, f"from_recipe({file.stem!r}, recipe.parent)"
    if data.source.path is not None and file.stem not in shipped_recipes():
        given = {"text": data.text, "label": data.label, "group": data.group, "country": recipe.carbon.country}
        given |= {"name": file.stem, "encoding": data.source.encoding}
        lines = [f"recipe.parent / {data.source.path!r}", "recipe.parent", *(f"{k}={v!r}" for k, v in given.items())]
        made = "from_table(\n" + "".join(f"        {line},\n" for line in lines) + "    )"
    return (
        "from pathlib import Path\n\n"
        f"from workbench.projects import {made.partition('(')[0]}\n\n"
        f"recipe = Path({file.as_posix()!r})\n"
        f"if not recipe.exists():\n    {made}\n"
        'print(recipe.read_text(encoding="utf-8"))\n'
    )


def examining(desk: Desk) -> str:
    """Say how the table of the recipe is, with everything that stands against training on it."""
    return HEALTH.format(file="recipe.yaml" if desk.file is None else desk.file.as_posix())
