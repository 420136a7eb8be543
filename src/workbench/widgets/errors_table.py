"""The rows that a candidate gets wrong: paged, sorted, searched, and each can be marked as a wrong label.

Texts are read from the table only when somebody asks for them, and are written nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from workbench.errors import WorkbenchError
from workbench.projects.desk import Desk
from workbench.widgets import markup
from workbench.widgets.label_error import LabelError, tried
from workbench.widgets.panel import Panel, row

if TYPE_CHECKING:
    from workbench.data import SourceTable
    from workbench.reporting.evidence import Evidence
    from workbench.reporting.looking import Look

PAGE = 25
IN_TABLE = 600
"""Characters of a text that stand in the table; the whole one stands below it."""
ORDERS = ("sure", "unsure", "true", "predicted", "row")


class ErrorsTable(w.VBox):
    """A page of errors, and what can be done with each.

    Attributes:
        sort: Order of the rows.
        search: Only rows that hold this.
        texts: Shows the texts, read from the table.
        every: Button that takes the choice of one cell away.
        before: Button to the page before.
        after: Button to the page after.
        correct: Where a label is marked as wrong.
        pair: Numbers of the true and the predicted class, where only such rows are shown.
    """

    def __init__(self, panel: Panel, desk: Desk | None, source: Callable[[], SourceTable]) -> None:
        """Make it without rows.

        Args:
            panel: Who does the work, in which language.
            desk: Whose recipe names the corrections.
            source: Reads the table that the run was made from.
        """
        self.panel, self.words, self._read = panel, panel.words, source
        self._look: Look | None = None
        self._texts: list[str] | None = None
        self.pair: tuple[int, int] | None = None
        self._page, self._places = 0, list[int]()
        orders, anew = [(self.words(f"inspect.by_{one}"), one) for one in ORDERS], partial(self._turn, None)
        self.sort = panel.control(w.Dropdown, "inspect.sort", anew, options=orders)
        self.search = panel.control(w.Text, "inspect.search", anew, continuous_update=False)
        self.texts = panel.control(w.ToggleButton, "inspect.texts", self._show_texts)
        self.every = panel.button("inspect.every", lambda: self.only(None))
        self.before = panel.button("inspect.before", lambda: self._turn(-1))
        self.after = panel.button("inspect.after", lambda: self._turn(+1))
        self.correct = LabelError(panel, desk, source)
        self.where, self.table, self.told = w.HTML(), w.HTML(), w.HTML()
        controls = (self.sort, self.search, self.texts, self.every)
        lines = [row(*controls), row(self.before, self.after, self.where)]
        super().__init__([*lines, self.told, self.table, self.correct])
        self.add_class("wb-errors")

    def show(self, evidence: Evidence, look: Look) -> None:
        """Show a candidate's errors on a split."""
        if self._look is not look:
            self._texts = None
        self.evidence, self._look = evidence, look
        self._show_texts()

    def only(self, pair: tuple[int, int] | None) -> None:
        """Only rows of one cell of the confusion matrix; all errors with ``None``."""
        self.pair = pair
        self._turn(None)

    def snapshot(self) -> str:
        """The page; texts only where the recipe allows examples in its report."""
        if self._look is None:
            return ""
        return str(self.where.value) + self._page_of(self._look, texts=self.evidence.recipe.report.examples)

    def _show_texts(self) -> None:
        """Show texts or hide them; they are read once for a candidate's rows."""
        look, column = self._look, self.evidence.recipe.data.text
        if not self.texts.value or self._texts is not None or look is None:
            self._turn(None)
            return

        def read() -> list[str]:
            from workbench.pipeline.rereading import texts_of

            return texts_of(self._read(), column, look.rows)

        self.panel.work(self.words("inspect.reading_texts"), lambda: tried(read), self._with_texts)

    def _with_texts(self, found: list[str] | WorkbenchError) -> None:
        if isinstance(found, WorkbenchError):
            sentences = [self.words("inspect.no_texts"), *self.panel.told(found)]
            self.told.value = markup.notice("warning", self.words("panel.warning"), sentences)
            self.texts.value = False
            return
        self.told.value = ""
        self._texts = found
        self._turn(None)

    def _turn(self, by: int | None) -> None:
        """Another page, or with ``None`` the first one of another choice of rows."""
        look = self._look
        if look is None:
            return
        texts = self._texts if self.texts.value else None
        if by is None:
            self._places = look.chosen(self.sort.value, self.search.value, self.pair, texts).tolist()
        last = max(0, (len(self._places) - 1) // PAGE)
        self._page = 0 if by is None else min(max(self._page + by, 0), last)
        self.before.disabled, self.after.disabled = self._page == 0, self._page == last
        self.every.disabled = self.pair is None
        self.where.value = markup.status(self._where(look))
        self.table.value = self._page_of(look, texts=self.texts.value)
        self.correct.show(self.evidence, look, self._shown(), texts)

    def _shown(self) -> list[int]:
        return self._places[self._page * PAGE : (self._page + 1) * PAGE]

    def _where(self, look: Look) -> str:
        first, n = self._page * PAGE, len(self._places)
        told = self.words("inspect.no_errors")
        if n:
            told = self.words("inspect.page", first=first + 1, last=min(first + PAGE, n), n=n)
        if self.pair is None:
            return told
        true, predicted = (look.classes[one] for one in self.pair)
        return f"{told} {self.words('inspect.of_cell', true=true, predicted=predicted)}"

    def _page_of(self, look: Look, *, texts: bool) -> str:
        told = self._texts if texts else None
        heads = [self.words(f"inspect.{one}") for one in ("row", "true", "predicted", "probability")]
        heads += [*look.slices, *([] if told is None else [self.words("inspect.text")])]
        rows = []
        for at in self._shown():
            cells: list[Any] = [look.rows[at], look.classes[look.labels[at]], look.classes[look.predictions[at]]]
            cells += [f"{look.confidence[at]:.2f}", *(values[at] for values in look.slices.values())]
            rows.append([*cells, *([] if told is None else [_cut(told[at])])])
        caption = self.words("inspect.errors_caption", candidate=look.candidate, split=look.split)
        return markup.table(heads, rows, caption)


def _cut(text: str) -> str:
    return text if len(text) <= IN_TABLE else f"{text[:IN_TABLE]}…"
