"""``--set part.field=value``: changes to a recipe's values before they are checked.

A value is read as YAML. A list is addressed by index or, where its items have names, by name:
``students.linear.buckets=65536``.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from workbench.errors import RecipeError
from workbench.recipe.yaml_text import scalar


@dataclass(frozen=True)
class Override:
    """One change: where, to what, and how the person wrote it."""

    path: tuple[str, ...]
    value: Any
    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``part.field=value``.

        Raises:
            RecipeError: There is no ``=``, or an empty name.
        """
        name, equals, value = text.partition("=")
        path = tuple(name.strip().split("."))
        if not equals or not all(path):
            raise RecipeError(
                f"--set {text}: not of the form part.field=value.",
                "For example: --set evaluation.seeds=3",
                "Write the field's path, an equals sign and the value.",
            )
        return cls(path, scalar(value, f"--set {text}") if value.strip() else None, text)


def apply_overrides(
    values: Mapping[str, Any], overrides: Sequence[Override]
) -> tuple[dict[str, Any], dict[tuple[str | int, ...], str]]:
    """Values with the overrides put in, and which path each override wrote to.

    Raises:
        RecipeError: An override points into a list at a place that is not there, or into a plain value.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(values))
    told: dict[tuple[str | int, ...], str] = {}
    for override in overrides:
        told[_put(changed, override)] = override.text
    return changed, told


def _put(values: dict[str, Any], override: Override) -> tuple[str | int, ...]:
    place: Any = values
    path: list[str | int] = []
    for position, part in enumerate(override.path):
        last = position == len(override.path) - 1
        key = _key(place, part, override)
        path.append(key)
        if last:
            place[key] = override.value
        elif isinstance(place, dict):
            if place.get(key) is None:
                place[key] = {}
            place = place[key]
        else:
            place = place[key]
    return tuple(path)


def _key(place: Any, part: str, override: Override) -> str | int:
    if isinstance(place, dict):
        return part
    if isinstance(place, list):
        names = [item.get("name") if isinstance(item, dict) else None for item in place]
        if part in names:
            return names.index(part)
        if part.isdigit() and int(part) < len(place):
            return int(part)
        raise RecipeError(
            f"--set {override.text}: there is no '{part}' in that list.",
            f"One of: {', '.join(str(name or index) for index, name in enumerate(names)) or '(the list is empty)'}",
            "Use an item's name or its index, counted from 0.",
        )
    raise RecipeError(
        f"--set {override.text}: '{part}' would lie inside a plain value.",
        "A path of fields as in the recipe, for example evaluation.seeds.",
        "See every field with: workbench recipes --fields",
    )
