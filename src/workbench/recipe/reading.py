"""From a file, a shipped name or plain values to a checked ``Recipe``, with every problem told at once.

Each problem names the file, the line, the field and, for an unknown key, the nearest known one. Reading a
recipe runs nothing and needs no torch.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import rfc8785
from pydantic import BaseModel, ValidationError

from workbench.errors import RecipeError
from workbench.recipe.overrides import Override, apply_overrides
from workbench.recipe.parts import Recipe
from workbench.recipe.shipped import find_recipe
from workbench.recipe.yaml_text import Document, read_document, write_document


@dataclass(frozen=True)
class Located:
    """A recipe and the folder that its relative paths start from."""

    recipe: Recipe
    base: Path
    name: str


def read(source: str | Path, overrides: Sequence[str] = ()) -> Located:
    """Read a recipe from a YAML file or by its shipped name.

    Args:
        source: Path of a YAML file, or the name of a shipped recipe.
        overrides: ``part.field=value`` texts, as ``--set`` takes them, applied in order.

    Raises:
        RecipeError: The recipe is not found, cannot be read, or has problems; all of them are listed.
    """
    path = find_recipe(source)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"{path.name} is not UTF-8 text.", "A recipe is a YAML file in UTF-8.", "Save it again as UTF-8."
        ) from error
    return Located(parse(text, path.name, overrides), path.parent, path.name)


def parse(text: str, name: str = "recipe", overrides: Sequence[str] = ()) -> Recipe:
    """Check the YAML text of a recipe.

    Raises:
        RecipeError: It has problems; all of them are listed.
    """
    return _parsed(text, name, tuple(overrides))


@lru_cache(maxsize=64)
def _parsed(text: str, name: str, overrides: tuple[str, ...]) -> Recipe:
    """A recipe is frozen, so the same text need not be read twice: a panel asks for it at every click."""
    return check(read_document(text, name), name, overrides)


def from_values(values: Mapping[str, Any], overrides: Sequence[str] = ()) -> Recipe:
    """Check plain values, for example from a form.

    Raises:
        RecipeError: They have problems; all of them are listed.
    """
    return check(Document(dict(values), {}), "recipe", overrides)


def check(document: Document, name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Apply overrides to a document and turn it into a recipe.

    Raises:
        RecipeError: With every problem found.
    """
    if not isinstance(document.values, dict):
        raise RecipeError(
            f"{name} holds no recipe.",
            "A mapping with at least name, purpose, data and carbon.",
            "Start from: workbench new DIR --recipe clinical-coding",
        )
    values, told = apply_overrides(document.values, [Override.parse(text) for text in overrides])
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        problems = [_sentence(one, document, name, told) for one in error.errors()]
        raise RecipeError(
            f"{name} has {len(problems)} {'problem' if len(problems) == 1 else 'problems'}."
            if len(problems) > 1
            else problems[0],
            "Every field is described by: workbench recipes --fields",
            f"Mend {'it' if len(problems) == 1 else 'them'} and try: workbench check {name}",
            problems=problems,
        ) from error


def digest(recipe: BaseModel) -> str:
    """SHA-256 of a recipe or a part of it, in canonical JSON (RFC 8785), 64 hex digits.

    Defaults count as if they were written, so a form, a file and ``--set`` that mean the same agree.
    """
    values = recipe.model_dump(mode="json", exclude_none=True)
    return hashlib.sha256(rfc8785.dumps(values)).hexdigest()


def digest_as_written(path: Path) -> str:
    """Digest of a recipe file as it stands, nothing filled in: so a run's recipe keeps its digest in later releases.

    Args:
        path: A file that :func:`to_yaml` wrote.

    Raises:
        RecipeError: It is no YAML of plain data.
    """
    values: Any = read_document(path.read_text(encoding="utf-8"), path.name).values
    return hashlib.sha256(rfc8785.dumps(values)).hexdigest()


def to_yaml(recipe: Recipe, header: Sequence[str] = ()) -> str:
    """A recipe as YAML with every default filled in; reads back to an equal recipe.

    Args:
        recipe: The recipe.
        header: Comment lines to put first, without ``#``.
    """
    comment = "".join(f"# {line}\n" for line in header)
    return comment + write_document(recipe.plain())


def _sentence(error: Any, document: Document, name: str, told: Mapping[tuple[str | int, ...], str]) -> str:
    path = tuple(part for part in error["loc"] if not (isinstance(part, str) and part.startswith("function-")))
    where = _where(path, document, name, told)
    field = ".".join(str(part) for part in path) or "the recipe"
    kind = error["type"]
    if kind == "extra_forbidden":
        return f"{where}: unknown key '{field}'{_nearest(path)}."
    if kind == "missing":
        return f"{where}: '{field}' is missing."
    message = str(error["msg"]).removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    given = "" if isinstance(error["input"], (dict, list)) else f" (it is {error['input']!r})"
    return f"{where}: '{field}': {message}{given}."


def _where(
    path: tuple[str | int, ...], document: Document, name: str, told: Mapping[tuple[str | int, ...], str]
) -> str:
    for length in range(len(path), 0, -1):
        if path[:length] in told:
            return f"--set {told[path[:length]]}"
    line = document.line(path)
    return f"{name}, line {line}" if line else name


def _nearest(path: tuple[str | int, ...]) -> str:
    known = known_keys(path[:-1])
    close = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else f"; known here: {', '.join(known)}" if known else ""


def known_keys(path: Sequence[str | int]) -> list[str]:
    """Names of the fields that a recipe has at ``path`` (empty for the top)."""
    model: Any = Recipe
    for part in path:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part) if isinstance(model, type) and issubclass(model, BaseModel) else None
        if field is None:
            continue
        model = _model_in(field.annotation) or model
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
