"""The recipe as a form: the handful of fields that matter, then the others in folds that are made when opened.

The form keeps nothing: it shows a draft, and hands every change on. What is wrong with a value is said at its field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import ipywidgets as w

from workbench.projects.draft import ENCODER, Draft, another_teacher, new_student
from workbench.widgets import markup
from workbench.widgets.field import Field, described, field_words, problem
from workbench.widgets.panel import button, row
from workbench.widgets.words import Words

PARTS = ("data", "teacher", "students", "distillation", "evaluation", "carbon", "report")
MAIN = ("purpose", "evaluation.primary", "evaluation.seeds", "carbon.country", "carbon.budget_grams")
KINDS = ("linear", "static", "transformer")
FOR_TRANSFORMERS = ("cut", "losses", "tuning")
Change = Callable[[Mapping[str, Any]], Sequence[str]]
Children = list[w.Widget]


class Form(w.VBox):
    """Every field of a recipe: the handful that matters, then the others in folds that are made when opened.

    Attributes:
        fields: Dotted path to the field, for those that were made.
        switches: Dotted path to the control that takes a part in or out.
        buttons: ``<path>.remove``, ``<path>.add``, ``students.<kind>`` to the button that takes out or adds.
        expert: The folds.
    """

    def __init__(self, words: Words, change: Change) -> None:
        """Make an empty form.

        Args:
            words: The language.
            change: Takes changed values by path, and gives back what is wrong with them.
        """
        self.words, self._change = words, change
        self.draft: Draft | None = None
        self.fields: dict[str, Field] = {}
        self.buttons: dict[str, w.Button] = {}
        self.switches: dict[str, w.Checkbox] = {}
        self.countries: Sequence[tuple[str, str]] = ()
        self._shape: object = None
        self._showing = False
        self._open: dict[str, int | None] = {}
        self.main, self.expert = w.VBox(), w.VBox()
        title = w.HTML(f"<h3>{markup.text(words('plan.expert'))}</h3>")
        super().__init__([self.main, title, self.expert])

    def show(self, draft: Draft, *, anew: bool = False, rebuild: bool = False) -> None:
        """Show a draft; what was refused stays at its field, unless everything is shown anew.

        Args:
            draft: The recipe.
            anew: Whether refused values are given up.
            rebuild: Whether every control is made again.
        """
        self.draft, shape = draft, shape_of(draft.values)
        if rebuild or shape != self._shape:
            self._shape, self.fields, self.buttons, self.switches = shape, {}, {}, {}
            self.main.children = [self._field(path, path) for path in MAIN]
            titles = [field_words(part, self.words)[0] for part in PARTS]
            self.expert.children = [self._folds("", titles, [partial(self._part, one, one) for one in PARTS])]
        for path, field in self.fields.items():
            if anew or not field.problem.value or self._agrees(field):
                self._fill(field, draft.at(path))

    def _agrees(self, field: Field) -> bool:
        try:
            return self.draft is not None and bool(field.read() == self.draft.at(field.path))
        except ValueError:
            return False

    def _fill(self, field: Field, value: Any) -> None:
        self._showing = True
        try:
            field.show(value)
        finally:
            self._showing = False

    def _field(self, path: str, generic: str) -> Field:
        field = Field(path, generic, self.words, self.countries if generic == "carbon.country" else ())
        self.fields[path] = field
        if self.draft is not None:
            self._fill(field, self.draft.at(path))
        field.control.observe(lambda _: self._changed(field), "value")
        return field

    def _changed(self, field: Field) -> None:
        if self._showing:
            return
        try:
            value = field.read()
        except ValueError as error:
            field.say(str(error))
            return
        field.say("")
        field.say(" ".join(self._change({field.path: value})))

    def _folds(self, key: str, titles: Sequence[str], builders: Sequence[Callable[[], Children]]) -> w.Accordion:
        """Folds whose content is made when they are opened; those that were open before are so again."""
        boxes = [w.VBox() for _ in titles]
        folds = w.Accordion(children=boxes, selected_index=None)
        for place, title in enumerate(titles):
            folds.set_title(place, title)

        def opened(place: int | None) -> None:
            self._open[key] = place
            if place is not None and not boxes[place].children:
                boxes[place].children = builders[place]()

        folds.observe(lambda change: opened(change["new"]), "selected_index")
        before = self._open.get(key)
        folds.selected_index = before if before is not None and before < len(boxes) else None
        return folds

    def _part(self, path: str, generic: str) -> Children:
        """The fields of a part; of one that may be left out, a switch and, where it is on, its fields."""
        about, value = described(generic), self._at(path)
        if about["listed"]:
            return self._items(path, generic)
        title, told = field_words(generic, self.words)
        made: Children = [w.HTML(f'<p class="wb-help">{markup.text(told)}</p>')]
        if about["optional"]:
            switch = w.Checkbox(value=value is not None, description=self.words("plan.form.use", part=title))
            switch.indent, switch.tooltip = False, told
            told, change = self._changing()
            start = {"model": ENCODER, "method": "head"} if path == "teacher" else {}
            switch.observe(lambda turned: change({path: start if turned["new"] else None}), "value")
            self.switches[path] = switch
            made += [switch, told]
        return made + (self._fields(path, generic, about["own"]) if value is not None else [])

    def _fields(self, path: str, generic: str, own: Mapping[str, Any]) -> Children:
        made: Children = []
        for name in own["properties"]:
            inner, place = f"{generic}.{name}", f"{path}.{name}"
            foreign = name in FOR_TRANSFORMERS and generic == "students[]" and self._at(f"{path}.kind") != KINDS[2]
            if inner in MAIN or (foreign and self._at(place) is None):
                continue
            about = described(inner)
            if about["listed"] or "properties" in about["own"]:
                heading = w.HTML(f"<h4>{markup.text(field_words(inner, self.words)[0])}</h4>")
                made += [heading, *self._part(place, inner)]
            else:
                made.append(self._field(place, inner))
        return made

    def _items(self, path: str, generic: str) -> Children:
        """A list's items, each in a fold with a button that takes it out, and buttons that add one."""
        items = self._at(path) or []
        titles = [
            str(one.get("name") or one.get("model") or one.get("file") or place) for place, one in enumerate(items)
        ]
        builders = [partial(self._item, f"{path}.{place}", f"{generic}[]") for place in range(len(items))]
        told = field_words(generic, self.words)[1]
        help_line = w.HTML(f'<p class="wb-help">{markup.text(told)}</p>')
        told, change = self._changing()
        add = [self._adder(path, kind, change) for kind in (KINDS if generic == "students" else ("",))]
        return [help_line, self._folds(path, titles, builders), row(*add), told]

    def _item(self, path: str, generic: str) -> Children:
        told, change = self._changing()
        self.buttons[f"{path}.remove"] = out = button(self.words, "plan.form.remove", lambda: change({path: None}))
        return [*self._fields(path, generic, described(generic.removesuffix("[]"))["own"]), out, told]

    def _adder(self, path: str, kind: str, change: Callable[[Mapping[str, Any]], None]) -> w.Button:
        def add() -> None:
            items = self._at(path) or []
            student = new_student(kind, {one["name"] for one in items}) if kind else {}
            change({f"{path}+": student} if kind else another_teacher(self._at("teacher")))

        key = "plan.form.add_student" if kind else "plan.form.add"
        self.buttons[f"{path}.{kind or 'add'}"] = made = button(self.words, key, add, kind=kind)
        return made

    def _changing(self) -> tuple[w.HTML, Callable[[Mapping[str, Any]], None]]:
        """Where it is told that a change was refused, and what makes the change."""
        told = w.HTML()

        def change(edits: Mapping[str, Any]) -> None:
            told.value = problem(" ".join(self._change(edits)))

        return told, change

    def _at(self, path: str) -> Any:
        return None if self.draft is None else self.draft.at(path)


def shape_of(value: Any) -> Any:
    """What decides which fields there are: parts that are on, items with their names and kinds."""
    if isinstance(value, dict):
        return {name: shape_of(one) for name, one in value.items() if isinstance(one, (dict, list))}
    return [(one.get("name"), one.get("kind"), shape_of(one)) for one in value if isinstance(one, dict)]
