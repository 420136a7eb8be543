"""Projects that are found again: the same table or shipped recipe always leads to the recipe that was made of it.

Each stands in a folder of its own below one home, called like its recipe; another table of the same name gets a name
of its own (``notes``, ``notes-2`` …). Nothing that stands there is ever replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from workbench import recipe as recipes
from workbench import storage
from workbench.errors import RecipeError
from workbench.projects.starting import from_recipe, from_table, recipe_name


def shipped_project(home: Path, name: str) -> Path:
    """The copy of a shipped recipe, made now where there is none yet.

    Args:
        home: Folder of all projects.
        name: Of a shipped recipe.

    Raises:
        RecipeError: There is no such recipe.
    """
    source = recipes.read(name).recipe.data.source
    folder = _place(home, name, lambda one: _data_of(one / f"{name}.yaml", "source") == source)
    file = folder / f"{name}.yaml"
    if not file.is_file():
        from_recipe(name, folder)
    return file


def keep_table(home: Path, name: str, content: bytes) -> Path:
    """Keep a table that has no file of its own, so that another process can read it; the same one only once.

    Args:
        home: Folder of all projects.
        name: What its file is called.
        content: The file's bytes.
    """
    name, digest = Path(name).name, hashlib.sha256(content).hexdigest()

    def same(folder: Path) -> bool:
        return (folder / name).is_file() and storage.sha256_file(folder / name) == digest

    file = _place(home, recipe_name(Path(name)), same) / name
    if not file.is_file():
        storage.write_bytes(file, content)
    return file


def table_project(
    home: Path, table: Path, *, text: str, label: str, group: str | None, country: str, encoding: str | None
) -> Path:
    """The recipe of a table with these columns, proposed now where there is none yet.

    Args:
        home: Folder of all projects.
        table: The table's file; it stays where it is.
        text: Column with the text.
        label: Column with the class.
        group: Column whose rows are never split between learning and test.
        country: ISO alpha-3 code of the grid.
        encoding: Of a text file; UTF-8 when ``None``.

    Raises:
        DataError: The table cannot be read.
    """
    table = table.resolve()
    wanted = [("text", text), ("label", label), *([("group", group)] if group else [])]

    def fits(folder: Path) -> bool:
        file = folder / f"{folder.name}.yaml"
        if not file.is_file():
            return folder.resolve() == table.parent
        return _reads(file, table) and all(_data_of(file, field) == column for field, column in wanted)

    folder = _place(home, recipe_name(table), fits)
    file = folder / f"{folder.name}.yaml"
    if not file.is_file():
        chosen = {"text": text, "label": label, "country": country, "name": folder.name}
        from_table(table, folder, **chosen, group=group, encoding=encoding)
    return file


def _reads(file: Path, table: Path) -> bool:
    """Whether a recipe reads a table, or the copy of it without personal data."""
    from workbench.data.personal import copied_name

    source = _data_of(file, "source")
    if source is None or source.path is None:
        return False
    found = (file.parent / source.path).resolve()
    return bool(found == table or found == file.parent.resolve() / copied_name(table))


def _data_of(file: Path, field: str) -> Any:
    """A field of a recipe's data; ``None`` where there is no recipe that can be read."""
    try:
        return getattr(recipes.read(file).recipe.data, field)
    except RecipeError:
        return None


def _place(home: Path, name: str, same: Callable[[Path], bool]) -> Path:
    """The first of the folders name, name-2 … that is free or holds the same."""
    folders = (home / (name if number == 1 else f"{name}-{number}") for number in count(1))
    return next(folder for folder in folders if not folder.exists() or same(folder))
