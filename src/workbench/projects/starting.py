"""``new``: write a first recipe, and nothing else; what stands there already is never replaced."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import recipe as recipes
from workbench import storage
from workbench.data.columns import columns_guess
from workbench.data.problems import listed, nearest
from workbench.errors import DataError, RunError
from workbench.projects.commented import commented_yaml
from workbench.projects.draft import ENCODER

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.recipe import Located

ENOUGH_FOR_A_RESERVE = 10_000
RESERVE = 1_000


@dataclass(frozen=True)
class Started:
    """What was written.

    Attributes:
        recipe: The recipe's file.
        files: Every file written.
        notes: What the person should know or decide, a sentence each.
    """

    recipe: Path
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def from_recipe(name: str, folder: Path) -> Started:
    """Copy a shipped recipe, with its comments and the files that it reads.

    Args:
        name: Of a shipped recipe.
        folder: Where it goes.

    Raises:
        RecipeError: There is no such recipe.
        RunError: One of the files stands there already, or cannot be written.
    """
    located = recipes.read(name)
    relative = [Path(located.name), *_files_of(located)]
    targets = [folder / path for path in relative]
    for target in targets:
        _refuse_existing(target)
    for path, target in zip(relative, targets, strict=True):
        storage.write_bytes(target, (located.base / path).read_bytes())
    return Started(targets[0], tuple(targets), ())


def _files_of(located: Located) -> list[Path]:
    """Files that a recipe reads from beside itself, each with what describes it and the notices of its folder."""
    suites = located.base / Path(located.name).stem
    found = sorted(path for path in suites.rglob("*") if path.is_file())
    table = located.recipe.data.source.path
    if table is not None and (located.base / table).is_file():
        file = located.base / table
        found += [file, *sorted(file.parent.glob(f"{file.name}.*")), *sorted(file.parent.glob("NOTICE*"))]
    return [path.relative_to(located.base) for path in found]


def from_table(
    table: Path,
    folder: Path,
    *,
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    country: str | None = None,
    name: str | None = None,
    encoding: str | None = None,
) -> Started:
    """Write a commented recipe for a table; the table stays where it is.

    Args:
        table: CSV, TSV, JSONL or Parquet file.
        folder: Where the recipe goes.
        text: Column with the text; proposed from the table when left out.
        label: Column with the class; proposed when left out.
        group: Column whose rows are never split between learning and test; none when left out.
        country: ISO alpha-3 code for emissions; FRA when left out, and a note says so.
        name: Of the recipe; made from the table's when left out.
        encoding: Of a text file; UTF-8 when left out.

    Raises:
        DataError: The table cannot be read, a column is not there, or none could be proposed.
        RunError: The recipe stands there already, or cannot be written.
    """
    from workbench.data.sources import peek

    read = peek(table, encoding)
    chosen, notes = _columns(read, table.name, {"text": text, "label": label, "group": group})
    name = name or recipe_name(table)
    target = folder / f"{name}.yaml"
    _refuse_existing(target)
    if country is None:
        notes.append("Emissions are counted for the grid of FRA; set carbon.country to the country of this machine.")
    notes.append("Write into purpose who uses the model for what, and what it must not be used for.")
    values = _values(name, _relative(table, folder), chosen, read.num_rows, country or "FRA")
    if encoding is not None:
        values["data"]["source"]["encoding"] = encoding
    recipes.from_values(values)
    header = (
        f"Sorts the texts of {table.name} into the classes of its column {chosen['label']}.",
        f"Written by: workbench new. Look before you run: workbench check {target.name}",
    )
    storage.write_text(target, commented_yaml(values, header))
    return Started(target, (target,), tuple(notes))


def _columns(table: pa.Table, about: str, given: dict[str, str | None]) -> tuple[dict[str, str | None], list[str]]:
    """Columns as given, proposed where left out; a wrong name is refused with the nearest one."""
    names = list(table.column_names)
    problems = []
    for role, column in given.items():
        if column is not None and column not in names:
            near = nearest(column, names)
            problems.append(
                f"--{role} {column}: {about} has no such column." + (f" Did you mean {near!r}?" if near else "")
            )
    if problems:
        raise _no_column(problems, names)
    guessed = dict(zip(("text", "label"), columns_guess(table), strict=True))
    chosen, notes = dict(given), []
    for role, column in guessed.items():
        if chosen[role] is None:
            if column is None or column in chosen.values():
                problems.append(f"No column of {about} looks like the {role}.")
                continue
            chosen[role] = column
            notes.append(f"Column {column!r} was taken as the {role}; if that is wrong, give --{role}.")
    if problems:
        raise _no_column(problems, names)
    return chosen, notes


def _no_column(problems: list[str], names: list[str]) -> DataError:
    return DataError(
        problems[0] if len(problems) == 1 else f"{len(problems)} columns are not right.",
        f"One of its columns: {listed(repr(name) for name in names) or 'it has none'}.",
        "Name them: workbench new DIR --from TABLE --text COL --label COL",
        problems=problems,
    )


def _values(name: str, path: str, columns: dict[str, str | None], rows: int, country: str) -> dict[str, Any]:
    data: dict[str, Any] = {"source": {"path": path}, "text": columns["text"], "label": columns["label"]}
    if columns["group"] is not None:
        data["group"] = columns["group"]
    data["splits"] = {
        "by": "random" if columns["group"] is None else "group",
        "test_share": 0.2,
        "reserve": RESERVE if rows >= ENOUGH_FOR_A_RESERVE else 0,
    }
    data["labelled"] = {}
    return {
        "format": 1,
        "name": name,
        "task": "text-classification",
        "purpose": f"Suggest the {columns['label']} of a text to a person, who decides.",
        "data": data,
        "teacher": {"model": ENCODER, "method": "head"},
        "students": [{"name": "linear", "kind": "linear"}, {"name": "static", "kind": "static"}],
        "distillation": {"temperature": 2.0, "soft_weight": 0.9},
        "evaluation": {"primary": "macro_f1", "seeds": 1, "margin": 0.01},
        "carbon": {"country": country},
        "report": {"examples": False},
    }


def recipe_name(table: Path) -> str:
    """A recipe's name from a file's: lower case, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", table.stem.lower()).strip("-")[:63].rstrip("-") or "table"


def _relative(table: Path, folder: Path) -> str:
    """The table's path from the recipe's folder; absolute where there is no way (another drive)."""
    try:
        return Path(os.path.relpath(table.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return table.resolve().as_posix()


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise RunError(
            f"'{target}' stands there already.",
            "A folder without a recipe of that name.",
            "Choose another folder, or move the file away.",
        )
