"""Plan: what will be made, by a dial, a form or the recipe's own text, and what it will take before anything starts.

All three show the same file and change it at once; comments stay. What is not right is said where it stands, and
nothing is written. An estimate runs in the background after every change; the newest one counts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import ipywidgets as w

from workbench import recipe as recipes
from workbench.errors import RecipeError, RunError, WorkbenchError
from workbench.projects import dial
from workbench.projects.desk import Desk
from workbench.projects.draft import Draft, without_place
from workbench.projects.estimating import Looked, look
from workbench.recipe.shipped import find_recipe
from workbench.widgets import markup
from workbench.widgets.estimated import blockers, table
from workbench.widgets.form import Form
from workbench.widgets.panel import Given, Panel, row


class Plan(Panel):
    """The recipe, ready to be changed, with its estimate.

    Attributes:
        dial: From smaller to better.
        form: The recipe's fields.
        yaml: The recipe's text.
        back: Button that gives up a text with problems.
        copy: Button that makes a copy of a shipped recipe, which is never changed itself.
        draft: The last valid recipe; ``None`` where there is none.
    """

    STEP = "plan"
    PAUSE_S = 0.4
    """So long nothing more is changed before an estimate begins."""

    def __init__(self, subject: str | Path | None = None, **given: Unpack[Given]) -> None:
        """Show a recipe.

        Args:
            subject: A shipped name or a recipe's file; the desk's recipe when ``None``.
            **given: What every panel takes; see :class:`~workbench.widgets.panel.Given`.

        Raises:
            RecipeError: There is no such recipe.
        """
        super().__init__(**given)
        self.desk = given.get("desk") or Desk(recipe=None if subject is None else find_recipe(subject))
        self.draft: Draft | None = None
        self.here: dial.Possible | None = None
        self._file: Path | None = None
        self._seen, self._wanted, self._showing = "", 0, False
        self.dial = self.control(w.RadioButtons, "plan.dial", self.turn, options=[], disabled=True)
        self.dial.add_class("wb-dial")
        self.dial_told, self.estimate, self.yaml_told = w.HTML(), w.HTML(), w.HTML()
        self.form = Form(self.words, self.change)
        self.yaml = self.control(w.Textarea, "plan.yaml", self.take_yaml, rows=32, continuous_update=False)
        self.yaml.add_class("wb-yaml")
        self.back = self.button("plan.back", self.give_up)
        self.copy = self.button("plan.copy", self.make_copy, primary=True)
        beside = w.VBox([self.h3("plan.yaml_title"), self.yaml, self.yaml_told, self.back])
        top = row(w.VBox([self.dial, self.dial_told, self.copy]), self.estimate, kind="wb-two")
        self.parts = w.VBox([top, row(w.VBox([self.h3("plan.main"), self.form]), beside, kind="wb-two")])
        self.body.children = [self.parts]
        if given.get("desk") is None:
            self.refresh()

    @property
    def read_only(self) -> bool:
        """Whether the recipe comes with the package."""
        return self.desk.file in recipes.shipped_recipes().values()

    @property
    def code(self) -> str:
        """The check and the estimate of the recipe as it stands."""
        file = (self.desk.file or Path("recipe.yaml")).as_posix()
        return f'import workbench as wb\n\nchecked = wb.check({file!r})\nprint(*checked.sentences, sep="\\n")'

    def snapshot(self) -> str:
        """Position of the dial, estimate and the recipe's text."""
        return f"{super().snapshot()}{self.dial_told.value}{self.estimate.value}{markup.code(self._seen)}"

    def refresh(self) -> None:
        """Show the recipe's file as it is now; check it where it, or what blocked it, may have changed."""
        try:
            text = self.desk.text
        except WorkbenchError as error:
            self.parts.layout.display = "none"
            self.block(self.told(error))
            return
        self.parts.layout.display = None
        changed = (self.desk.file, text) != (self._file, self._seen)
        if changed:
            self._show(text)
        if self.draft is not None and (changed or self.state not in ("done", "running")):
            self.check()

    def change(self, edits: Mapping[str, Any]) -> Sequence[str]:
        """Change fields and write the recipe; what is wrong with them is given back, and nothing is written.

        Args:
            edits: Dotted path to value; ``None`` takes a field out.
        """
        refused = self._refusal()
        if refused or self.draft is None:
            return refused
        try:
            self._save(self.draft.changed(edits))
        except RecipeError as error:
            told = [self.words.sentence(without_place(problem)) for problem in error.problems]
            return [f"{one[:1].upper()}{one[1:]}." for one in told]
        return []

    def take_yaml(self) -> None:
        """Take the text as it was edited, or list every problem with its line; the form keeps its last valid state."""
        if self._showing:
            return
        if self.draft is not None and self.yaml.value == self.draft.text:
            self._tell_yaml([])
        elif self.read_only:
            self._tell_yaml([self.words("plan.read_only")])
        else:
            try:
                recipes.parse(self.yaml.value, self.desk.file.name if self.desk.file else "recipe")
            except RecipeError as error:
                self._tell_yaml([self.words.sentence(problem) for problem in error.problems])
            else:
                self._save(self.yaml.value, anew=True)

    def give_up(self) -> None:
        """Go back to the last valid text."""
        self._show(self._seen)

    def turn(self) -> None:
        """Change the recipe to the dial's position."""
        if self._showing or self.draft is None or self.here is None or self.dial.value is None:
            return
        refused = self._refusal()
        if not refused:
            try:
                self._save(dial.turned(self.draft.text, self.dial.value, self.here), anew=True)
            except RecipeError as error:
                refused = self.told(error)
        if refused:
            self._show_dial(refused)

    def make_copy(self) -> None:
        """Copy the shipped recipe into the Guide's folder, and go on with the copy."""
        name = self.desk.file.stem if self.desk.file is not None else ""
        self.work(self.words("plan.copying"), lambda: self.desk.use_shipped(name), lambda _: self.refresh())

    def check(self) -> None:
        """Check and estimate in the background; a newer check makes this one void."""
        self._wanted += 1
        wanted = self._wanted
        self.estimate.value = markup.paragraphs([self.words("plan.checking")])
        self.work(self.words("plan.checking"), lambda: self._look(wanted), self._show_looked)

    def _look(self, wanted: int) -> Looked | None:
        """Wait for more changes; look only if there were none."""
        if wanted == self._wanted:
            time.sleep(self.PAUSE_S)
        return look(self.desk) if wanted == self._wanted else None

    def _show_looked(self, looked: Looked | None) -> None:
        if looked is None or self.draft is None:
            return
        self.here = looked.here
        if not self.form.countries:
            self.form.countries = self.words.countries(looked.countries)
            self.form.show(self.draft, rebuild=True)
        self._show_dial()
        self.estimate.value = "" if looked.checked is None else table(looked.checked, self.words)
        self.block(self.told(looked.error) if looked.error is not None else blockers(looked, self.words))
        if not self.blockers:
            self.state = "done"
            self.say("ok", [self.words("plan.fine")])

    def _save(self, text: str, *, anew: bool = False) -> None:
        try:
            self.desk.write(text, self._seen)
        except RunError as error:
            self._show(self.desk.text)
            self._tell_yaml(self.told(error))
        else:
            self._show(text, anew=anew)
        if self.draft is not None:
            self.check()

    def _show(self, text: str, *, anew: bool = True) -> None:
        """Show a text in all three places; of one with problems, the text and the problems."""
        self._file, self._seen = self.desk.file, text
        self.copy.layout.display = None if self.read_only else "none"
        self._set(self.yaml, text)
        try:
            self.draft = self.draft or Draft(text)
            self.draft.take(text)
        except RecipeError as error:
            self.draft = None
            self.block([self.words("plan.invalid")])
            self._tell_yaml([self.words.sentence(problem) for problem in error.problems])
            return
        self._tell_yaml([])
        self.form.show(self.draft, anew=anew)
        self._show_dial()

    def _refusal(self) -> list[str]:
        """Why nothing can be changed by form or dial just now."""
        if self.read_only:
            return [self.words("plan.read_only")]
        whole = self.draft is not None and self.yaml.value == self.draft.text
        return [] if whole else [self.words("plan.yaml_first")]

    def _show_dial(self, refused: Sequence[str] = ()) -> None:
        if self.draft is None:
            return
        at = dial.position_of(self.draft.recipe)
        names = self.here.names if self.here is not None else () if at is None else (at,)
        self.dial.disabled = self.here is None
        self._set(self.dial, at if at in names else None, [(self.words(f"plan.dial.{one}"), one) for one in names])
        told = [self.words(f"plan.dial.{at or 'own'}.told")]
        if self.here is not None and self.here.missing is not None:
            told.append(self.words("plan.dial.few"))
        self.dial_told.value = markup.paragraphs(told) + markup.notice("error", self.words("panel.error"), refused)

    def _set(self, control: w.Widget, value: Any, options: Sequence[tuple[str, str]] | None = None) -> None:
        self._showing = True
        if options is not None:
            control.options = options
        control.value = value
        self._showing = False

    def _tell_yaml(self, problems: Sequence[str]) -> None:
        """The text's problems, or the short digest of what it means."""
        self.back.layout.display = None if problems and self.draft is not None else "none"
        digest = "" if self.draft is None else self.words("plan.digest", digest=self.draft.digest[:12])
        listed = markup.notice("error", self.words("panel.error"), problems)
        self.yaml_told.value = listed or markup.status(digest)
