"""One field of a recipe: a stock control made from the recipe's own description, and what is wrong with its value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Any

import ipywidgets as w

from workbench.errors import RecipeError
from workbench.recipe import editing, fields, json_schema
from workbench.recipe.yaml_text import scalar
from workbench.widgets import markup
from workbench.widgets.panel import WIDE
from workbench.widgets.words import Words

BOUNDS = {"minimum": ge, "exclusiveMinimum": gt, "maximum": le, "exclusiveMaximum": lt}


schema = lru_cache(json_schema)


@lru_cache
def described(path: str) -> dict[str, Any]:
    """A field's description, its own type in ``own`` and whether it may be left out in ``optional``.

    Args:
        path: Dotted path; items of a list carry ``[]``. Empty for the recipe itself.
    """
    if not path:
        return {"own": schema()}
    parent, _, name = path.rpartition(".")
    field = described(parent.removesuffix("[]"))["own"]["properties"][name]
    options = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
    own, listed = options[0], False
    if "$ref" in own.get("items", {}):
        own, listed = own["items"], True
    if "$ref" in own:
        own = schema()["$defs"][own["$ref"].rsplit("/", 1)[-1]]
    return {**field, "own": own, "optional": len(options) < len(field.get("anyOf", [1])), "listed": listed}


def kind_of(own: Mapping[str, Any]) -> str:
    """What stands in a field: ``choice``, ``wholes``, ``tags``, or its type in the description."""
    if "enum" in own or "const" in own:
        return "choice"
    if own["type"] == "array":
        return "wholes" if "prefixItems" in own or own["items"].get("type") == "integer" else "tags"
    return str(own["type"])


class Field(w.VBox):
    """A control with the sentence that describes it, and what is wrong with its value.

    Attributes:
        control: The stock control.
        problem: What is wrong; empty where nothing is.
    """

    def __init__(self, path: str, generic: str, words: Words, options: Sequence[tuple[str, str]] = ()) -> None:
        """Make the control that fits a field.

        Args:
            path: Dotted path of the value, items of lists by index.
            generic: The same as in ``recipe.fields()``.
            words: The language.
            options: Label and value of what may be chosen, where the description does not list it.
        """
        self.path, self.words, self.described = path, words, described(generic)
        self.own, self.optional = self.described["own"], self.described["optional"]
        self.kind = "choice" if options else kind_of(self.own)
        title, told = field_words(generic, words)
        bounds = ", ".join(
            words(f"plan.form.{one}", n=words.number(self.own[one])) for one in BOUNDS if one in self.own
        )
        self.range = bounds[:1].upper() + bounds[1:]
        self.control = self._control(title, options, "\n" in told or generic == "purpose")
        self.control.tooltip = told
        self.help = w.HTML(f'<p class="wb-help">{markup.text(told)} {markup.text(self.range)}</p>')
        self.problem = w.HTML()
        super().__init__([self.control, self.help, self.problem])
        self.add_class("wb-field")

    def _control(self, title: str, options: Sequence[tuple[str, str]], long: bool) -> w.Widget:
        given: dict[str, Any] = {"description": title, "style": WIDE}
        if self.kind == "choice":
            listed = list(options) or [(str(one), one) for one in self.own.get("enum", [self.own.get("const")])]
            return w.Dropdown(options=[*[(self.words("plan.form.none"), None)] * self.optional, *listed], **given)
        if self.kind == "boolean":
            return w.Checkbox(indent=False, **given)
        if self.kind in ("integer", "number") and not self.optional:
            return (w.IntText if self.kind == "integer" else w.FloatText)(**given)
        return (
            w.Textarea(rows=4, continuous_update=False, **given) if long else w.Text(continuous_update=False, **given)
        )

    def show(self, value: Any) -> None:
        """Show a value, and nothing wrong with it."""
        self.say("")
        if isinstance(self.control, (w.Dropdown, w.Checkbox, w.IntText, w.FloatText)):
            if isinstance(self.control, w.Dropdown) and value not in [one for _, one in self.control.options]:
                self.control.options = [*self.control.options, (str(value), value)]
            self.control.value = value
        elif self.kind == "object":
            self.control.value = editing.on_one_line(value)
        else:
            self.control.value = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")

    def read(self) -> Any:
        """The value as a recipe takes it.

        Raises:
            ValueError: It is none; says why.
        """
        value = self.control.value
        if not isinstance(value, str) or self.kind in ("choice", "string"):
            made = None if value == "" and self.optional else value
        elif self.kind in ("tags", "wholes"):
            made = [self._number(one) if self.kind == "wholes" else one for one in _split(value)]
        elif self.kind == "object":
            made = self._mapping(value)
        else:
            made = self._number(value) if value.strip() else None
        if self.kind in ("integer", "number") and made is not None:
            if not all(fits(made, self.own[one]) for one, fits in BOUNDS.items() if one in self.own):
                raise ValueError(self.words("plan.form.out_of_range", value=made, range=self.range))
        return made

    def _number(self, text: str) -> int | float:
        try:
            return float(text.replace(",", ".")) if self.kind == "number" else int(text)
        except ValueError:
            raise ValueError(self.words(f"plan.form.no_{self.kind}", value=text)) from None

    def _mapping(self, text: str) -> Any:
        try:
            return scalar(text, "") or {}
        except RecipeError:
            raise ValueError(self.words("plan.form.no_mapping", example="{column: [value, value]}")) from None

    def say(self, sentence: str) -> None:
        """Say what is wrong, at the field."""
        self.problem.value = problem(sentence)


def problem(sentence: str) -> str:
    """What is wrong with a value, as it stands beside its control; nothing where nothing is."""
    return f'<p class="wb-problem" role="alert">⚠ {markup.prose(sentence)}</p>' if sentence else ""


def _split(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


@lru_cache
def _english() -> dict[str, dict[str, str]]:
    return {one.path: {"title": one.title, "description": one.description} for one in fields()}


def field_words(generic: str, words: Words) -> tuple[str, str]:
    """Title and description of a field, in the reader's language."""
    told = words.fields.get(generic) or _english()[generic]
    return told["title"], told["description"]
