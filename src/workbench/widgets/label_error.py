"""Notes that a row's label is wrong: who says so, why, and the right one, in a file of corrections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import ipywidgets as w

from workbench.errors import WorkbenchError
from workbench.projects.desk import Desk
from workbench.widgets import markup
from workbench.widgets.panel import Panel, row

if TYPE_CHECKING:
    from workbench.data import SourceTable
    from workbench.reporting.evidence import Evidence
    from workbench.reporting.looking import Look

T = TypeVar("T")
LONGEST = 20_000
"""Characters of a text that are shown."""


class LabelError(w.VBox):
    """One row, its text where it was asked for, and the label that it should have.

    Attributes:
        row: The row that is looked at.
        label: The label that it should have; the prediction until somebody chooses.
        who: Who says so.
        why: The reason.
        mark: Button that notes the correction.
        use: Button that names the file of corrections in the recipe.
        path: The file of corrections, once there is one.
    """

    def __init__(self, panel: Panel, desk: Desk | None, source: Callable[[], SourceTable]) -> None:
        """Make it without a row.

        Args:
            panel: Who does the work, in which language.
            desk: Whose recipe names the corrections.
            source: Reads the table that the run was made from.
        """
        self.panel, self.words, self.desk, self._read = panel, panel.words, desk, source
        self._look: Look | None = None
        self._texts: Sequence[str] | None = None
        self.path: Path | None = None
        self.row = panel.control(w.Dropdown, "inspect.row", self._choose)
        self.label = panel.control(w.Dropdown, "inspect.right_label")
        self.who, self.why = (panel.control(w.Text, f"inspect.{one}") for one in ("who", "why"))
        self.mark = panel.button("inspect.mark", self.note)
        self.use = panel.button("inspect.use", self.name_in_recipe)
        self.use.disabled = True
        self.whole, self.told = w.HTML(), w.HTML()
        lines = [row(self.row, self.label), row(self.who, self.why, self.mark, self.use)]
        about = w.HTML(markup.paragraphs([self.words("inspect.mark_why")]))
        super().__init__([panel.h3("inspect.label_error"), about, lines[0], self.whole, lines[1], self.told])

    def show(self, evidence: Evidence, look: Look, places: Sequence[int], texts: Sequence[str] | None) -> None:
        """Offer the rows of a page.

        Args:
            evidence: The run.
            look: The candidate's answers.
            places: Which of them.
            texts: Of every answer, where they are shown.
        """
        self.evidence, self._texts = evidence, texts
        if self._look is not look:
            self._look = look
            self.label.options = sorted(look.classes)
        self.row.options = [(f"{look.rows[at]} · {look.classes[look.labels[at]]}", at) for at in places]
        self.row.index = 0 if places else None
        self._choose()

    def note(self) -> None:
        """Note that the row's label is wrong, in the file of corrections."""
        if self.row.value is None or self._look is None:
            self._say("warning", [self.words("inspect.no_row")])
            return
        row = int(self._look.rows[self.row.value])
        decided = (self.label.value, self.who.value.strip(), self.why.value.strip())
        self.panel.work(self.words("inspect.noting"), lambda: tried(lambda: self._note(row, *decided)), self._noted)

    def name_in_recipe(self) -> None:
        """Name the file of corrections in the recipe, for the next run."""
        from workbench.recipe.editing import set_value

        assert self.desk is not None and self.path is not None  # noqa: S101, PT018  (else the button is off)
        try:
            seen = self.desk.text
            self.desk.write(set_value(seen, "data.corrections", self.path.name), seen)
        except WorkbenchError as error:
            self._say("error", self.panel.told(error))
            return
        self.use.disabled = True
        self._say("ok", [self.words("inspect.used", name=self.path.name)])

    def _note(self, row: int, label: str, who: str, why: str) -> tuple[Path, int, bool]:
        from workbench.data.marking import add_correction, correction_of
        from workbench.runs import now
        from workbench.widgets.looking import corrections_file

        path, named = corrections_file(self.evidence, self.desk)
        one = correction_of(self._read(), self.evidence.recipe.data, row, (label, who, why, now()))
        return path, len(add_correction(path, one).entries), named

    def _noted(self, found: tuple[Path, int, bool] | WorkbenchError) -> None:
        if isinstance(found, WorkbenchError):
            self._say("error", self.panel.told(found))
            return
        self.path, n, named = found
        self.use.disabled = named or self.desk is None
        self.why.value = ""
        key = "inspect.noted_named" if named else "inspect.noted"
        self._say("ok", [self.words(key, path=self.path, name=self.path.name, n=n)])

    def _choose(self) -> None:
        look, at = self._look, self.row.value
        if look is None or at is None:
            self.whole.value = ""
            return
        self.label.value = look.classes[look.predictions[at]]
        text = "" if self._texts is None else self._texts[at][:LONGEST]
        self.whole.value = f'<div class="wb-text" tabindex="0">{markup.text(text)}</div>' if text else ""

    def _say(self, kind: str, sentences: Sequence[str]) -> None:
        self.told.value = markup.notice(kind, self.words(f"panel.{kind}"), sentences)


def tried(act: Callable[[], T]) -> T | WorkbenchError:
    """What a work gives, or what went wrong, to be told where it was asked for."""
    try:
        return act()
    except WorkbenchError as error:
        return error
