"""Where the recipes and notebooks that come with the package are, in a clone and after a wheel install."""

from __future__ import annotations

import difflib
from pathlib import Path

from workbench.errors import RecipeError

PACKAGE = Path(__file__).resolve().parent.parent


def shipped_folder(kind: str) -> Path:
    """Folder of the shipped ``recipes`` or ``notebooks``.

    Raises:
        RecipeError: The package was installed without them.
    """
    for folder in (PACKAGE / "shipped" / kind, PACKAGE.parent.parent / kind):
        if folder.is_dir():
            return folder
    raise RecipeError(
        f"The shipped {kind} are not beside the package.",
        f"A folder {PACKAGE / 'shipped' / kind}",
        "Install the package again: pip install --force-reinstall specialist-workbench",
    )


def shipped_recipes() -> dict[str, Path]:
    """Name to file of every shipped recipe, sorted by name."""
    return {path.stem: path for path in sorted(shipped_folder("recipes").glob("*.yaml"))}


def find_recipe(source: str | Path) -> Path:
    """File of a recipe that is given as a path or a shipped name.

    Raises:
        RecipeError: There is neither; the nearest shipped name is offered.
    """
    path = Path(source)
    if path.is_file():
        return path
    names = shipped_recipes()
    if str(source) in names:
        return names[str(source)]
    if path.is_dir():
        problem = f"'{source}' is a folder, not a recipe."
    elif path.suffix in {".yaml", ".yml"} or path.parent != Path():
        problem = f"There is no recipe file '{source}'."
    else:
        problem = f"'{source}' is neither a file nor a shipped recipe."
    close = difflib.get_close_matches(path.stem, names, n=1, cutoff=0.5)
    raise RecipeError(
        problem,
        f"A YAML file, or one of: {', '.join(names)}",
        f"Did you mean '{close[0]}'?" if close else "See: workbench recipes",
    )


def recipe_header(path: Path) -> list[str]:
    """Comment lines at the top of a recipe: what it makes, how long it takes."""
    lines = []
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return lines
