"""A recipe's text while it is being changed: from a form, from the dial or by hand, always a whole valid recipe."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from workbench import recipe as recipes
from workbench.errors import RecipeError
from workbench.recipe import Recipe, editing
from workbench.recipe.parts import Member

ENCODER = "sentence-transformers/all-MiniLM-L6-v2"


class Draft:
    """The last valid text of a recipe and what it says.

    Attributes:
        text: YAML, comments included.
        recipe: What it says, defaults filled in.
        waiting: Changes that were refused because others must go with them; they are tried again with the next one.
    """

    def __init__(self, text: str, name: str = "recipe") -> None:
        """Read a text.

        Args:
            text: YAML of a recipe.
            name: What to call it in messages.

        Raises:
            RecipeError: It has problems; all of them are listed.
        """
        self.name = name
        self.waiting: dict[str, Any] = {}
        self.take(text)

    def take(self, text: str) -> None:
        """Go on with another text; with problems, everything stays as it was.

        Raises:
            RecipeError: It has problems; all of them are listed.
        """
        self.recipe = parsed(text, self.name)
        self.text = text
        self.values = self.recipe.model_dump(mode="json")
        self.waiting = {}

    @property
    def digest(self) -> str:
        """What the recipe means, as 64 hex digits; texts that mean the same have the same."""
        return recipes.digest(self.recipe)

    def at(self, path: str) -> Any:
        """The value at a dotted path, items of lists by index; ``None`` where there is none."""
        place: Any = self.values
        for part in path.split("."):
            if isinstance(place, list):
                place = place[int(part)] if int(part) < len(place) else None
            else:
                place = place.get(part) if isinstance(place, dict) else None
        return place

    def changed(self, edits: Mapping[str, Any]) -> str:
        """The text with values changed, with those that wait where only both together are right.

        Args:
            edits: Dotted path to value; ``None`` takes it out, a path that ends with + adds an item to a list.

        Raises:
            RecipeError: The values are not right; they wait for the next change.
        """
        self.waiting = {path: value for path, value in self.waiting.items() if path not in edits}
        for tried in ({**self.waiting, **edits}, edits) if self.waiting else (edits,):
            try:
                text = self._with(tried)
                parsed(text, self.name)
            except RecipeError as problem:
                error = problem
                continue
            return text
        self.waiting |= edits
        raise error

    def _with(self, edits: Mapping[str, Any]) -> str:
        text = self.text
        for path, value in edits.items():
            act = editing.add_item if path.endswith("+") else editing.set_value
            text = editing.remove_value(text, path) if value is None else act(text, path.rstrip("+"), value)
        return text


@lru_cache(maxsize=4)
def parsed(text: str, name: str = "recipe") -> Recipe:
    """The recipe of a text; asked again for the same one, it is there already.

    Raises:
        RecipeError: It has problems; all of them are listed.
    """
    return recipes.parse(text.removeprefix("\ufeff"), name)


def without_place(problem: str) -> str:
    """A recipe's problem without the file and the line, for where the field itself is before one's eyes."""
    bare = re.sub(r"^[^']*?, line \d+: (?='|unknown)|^[\w.-]+: (?=')", "", problem)
    return re.sub(r"^'[\w. ]+': ", "", bare).removesuffix(".")


def new_student(kind: str, taken: set[str], layers: int = 6) -> dict[str, Any]:
    """A student with settings that are a good beginning, under a name that is not taken."""
    wanted = "layers" if kind == "transformer" else kind
    name = next(one for one in (wanted, *(f"{wanted}-{n}" for n in range(2, 99))) if one not in taken)
    if kind != "transformer":
        return {"name": name, "kind": kind}
    made = {
        "cut": {"keep_layers": sorted({1, (layers + 1) // 2, layers}), "max_tokens": 64},
        "losses": {"soft": 1.0, "hard": 0.1},
        "tuning": {"epochs": 2, "batch_size": 32, "learning_rate": 2e-4, "patience": 0},
    }
    compressed = {"compress": ["int8"]} if importlib.util.find_spec("onnxruntime") else {}
    return {"name": name, "kind": kind, **made, **compressed}


def another_teacher(teacher: Mapping[str, Any]) -> dict[str, Any]:
    """Edits that add a teacher to an ensemble; a single teacher becomes its first member, the baseline its second.

    Args:
        teacher: The recipe's part, defaults filled in.
    """
    if teacher["ensemble"]:
        has_baseline = any(one["baseline"] for one in teacher["ensemble"])
        return {"teacher.ensemble+": {"model": ENCODER} if has_baseline else {"baseline": True}}
    plain = Member().model_dump(mode="json")
    first = {name: teacher[name] for name, value in plain.items() if teacher[name] != value}
    taken_out: dict[str, Any] = {f"teacher.{name}": None for name in first}
    return {**taken_out, "teacher.ensemble": [first, {"baseline": True}]}
