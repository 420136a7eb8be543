"""Inspect: which rows a candidate gets wrong, for whom, how sure it is, and what it says of a text of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import ipywidgets as w

from workbench.errors import WorkbenchError
from workbench.widgets import markup
from workbench.widgets.confusion import Confusion
from workbench.widgets.errors_table import ErrorsTable
from workbench.widgets.inspect_code import code_of
from workbench.widgets.label_error import tried
from workbench.widgets.panel import Given, Panel, row
from workbench.widgets.slices import Slices
from workbench.widgets.threshold import Threshold

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.data import SourceTable
    from workbench.reporting.evidence import Evidence
    from workbench.reporting.looking import Look

Splits = dict[str, tuple[str, ...]]
VIEWS = ("confusion", "errors", "slices", "threshold", "try")


class Inspection(Panel):
    """A finished run, looked at closely, one view at a time; each is built when it is first opened.

    Attributes:
        candidate: Whose answers.
        split: On which rows.
        views: Which view is open.
        opened: Name to view, of those that were opened.
    """

    STEP = "inspect"

    def __init__(self, subject: object | None = None, **given: Unpack[Given]) -> None:
        """Look at a run.

        Args:
            subject: A run, its folder, or ``latest``; the desk's run when ``None``.
            **given: What every panel takes; see :class:`~workbench.widgets.panel.Given`.
        """
        super().__init__(**given)
        self.subject: Any = getattr(subject, "path", subject)
        self.desk = given.get("desk")
        self.evidence: Evidence | None = None
        self.opened: dict[str, Any] = {}
        self._looked: dict[tuple[str, str], Look] = {}
        self._splits: Splits = {}
        self._source: SourceTable | None = None
        self._filling = self._inspected = False
        self.candidate = self.control(w.Dropdown, "inspect.candidate", self._on_candidate)
        self.split = self.control(w.Dropdown, "inspect.split", self._other_rows)
        options = [(self.words(f"inspect.view_{one}"), one) for one in VIEWS]
        self.views = self.control(w.ToggleButtons, "inspect.view", self._touch, options=options)
        self.place = w.VBox()
        self._parts = (row(self.candidate, self.split), self.views, self.place)
        if given.get("desk") is None:
            self.refresh()

    def refresh(self) -> None:
        """Read the run again; what was open stays open where it is the same run."""
        self.work(self.words("inspect.reading"), lambda: tried(self._read), self._filled)

    def work(self, doing: str, act: Callable[[], Any], then: Callable[[Any], Any]) -> None:
        """Do something that takes time; who looked at something before is still done afterwards."""

        def shown(result: Any) -> None:
            then(result)
            self._settle()

        super().work(doing, act, shown)

    @property
    def code(self) -> str:
        """The lines that read the same from the run's folder."""
        path = self.subject or "latest" if self.evidence is None else self.evidence.folder
        return code_of(self.views.value, path, self.candidate.value, self.split.value)

    def snapshot(self) -> str:
        """The open view as plain HTML; no texts unless the recipe allows examples in its report."""
        view = self.opened.get(self.views.value)
        named = ("" if self.evidence is None else self.evidence.folder.name, self.candidate.value, self.split.value)
        said = " · ".join(map(str, named)) if self.evidence is not None else ""
        return super().snapshot() + f"<p>{markup.text(said)}</p>" + ("" if view is None else view.snapshot())

    def show_cell(self, true: int, predicted: int) -> None:
        """Show the rows of one cell of the confusion matrix in the list of errors.

        Args:
            true: Number of their class.
            predicted: Number of the class that they were taken for.
        """
        self._view("errors").only((true, predicted))
        self.views.value = "errors"

    def source(self) -> SourceTable:
        """The table that the run was made from, read once; called by works, not by clicks."""
        from workbench.pipeline.rereading import read_again

        assert self.evidence is not None  # noqa: S101  (asked by views, which are there only with a run)
        if self._source is None:
            self._source = read_again(self.evidence.folder)
        return self._source

    def _read(self) -> tuple[Evidence, Splits] | str:
        """The finished run and the splits of its candidates; else the sentence that says why there is none."""
        from workbench.reporting.evidence import read_evidence
        from workbench.reporting.looking import candidates_of, splits_of
        from workbench.widgets.looking import finished_run

        found = finished_run(self.subject, self.desk, self.words)
        if isinstance(found, str):
            return found
        evidence = read_evidence(found)
        return evidence, {name: splits_of(evidence, name) for name in candidates_of(evidence)}

    def _filled(self, found: tuple[Evidence, Splits] | str | WorkbenchError) -> None:
        if isinstance(found, str | WorkbenchError):
            self.evidence, self._inspected, self.body.children = None, False, ()
            self.refuse(found)
            return
        evidence, self._splits = found
        if self.evidence is None or self.evidence.folder != evidence.folder:
            self.opened, self._looked, self._source = {}, {}, None
        self.evidence, names = evidence, tuple(self._splits)
        self._filling = True
        kept = self.candidate.value if self.candidate.value in names else evidence.recommended
        self.candidate.options = names
        self.candidate.value = kept if kept in names else next(iter(names), None)
        self._fill_splits()
        self._filling = False
        self.body.children = self._parts
        self._show()

    def _fill_splits(self) -> None:
        names, kept = self._splits.get(self.candidate.value, ()), self.split.value
        self.split.options = names
        self.split.value = kept if kept in names else next(iter(names), None)

    def _on_candidate(self) -> None:
        if not self._filling:
            self._filling = True
            self._fill_splits()
            self._filling = False
            self._other_rows()

    def _other_rows(self) -> None:
        """Another candidate or split: a cell that was chosen before means nothing now."""
        if not self._filling and "errors" in self.opened:
            self.opened["errors"].pair = None
        self._touch()

    def _touch(self) -> None:
        """Somebody looks at something."""
        if not self._filling and self.evidence is not None:
            self._inspected = True
            self._show()

    def _settle(self) -> None:
        if self._inspected and self.state == "ready":
            self.state = "done"

    def _show(self) -> None:
        """Show the open view for the chosen candidate and split."""
        if self.show_code.value:
            self._show_code()
        name, split = self.candidate.value, self.split.value
        if self.views.value == "try":
            self._open("try")
        elif split is None:
            sentence = self.words("inspect.no_predictions", candidate=name or "–")
            self.place.children = (w.HTML(markup.notice("warning", self.words("panel.warning"), [sentence])),)
            self._settle()
        else:
            self.work(self.words("inspect.reading"), lambda: self._look(name, split), self._with_look)

    def _look(self, name: str, split: str) -> Look:
        from workbench.reporting.looking import look

        assert self.evidence is not None  # noqa: S101  (shown only with a run)
        if (name, split) not in self._looked:
            self._looked[name, split] = look(self.evidence, name, split)
        return self._looked[name, split]

    def _with_look(self, look: Look) -> None:
        view = self._open(self.views.value)
        view.show(self.evidence, look)

    def _open(self, name: str) -> Any:
        view = self._view(name)
        self.place.children = (view,)
        self._settle()
        return view

    def _view(self, name: str) -> Any:
        """A view, built when it is first opened."""
        if name not in self.opened:
            if name == "confusion":
                self.opened[name] = Confusion(self.words, self.show_cell)
            elif name == "errors":
                self.opened[name] = ErrorsTable(self, self.desk, self.source)
            elif name == "try":
                from workbench.widgets.try_it import TryIt

                assert self.evidence is not None  # noqa: S101  (opened only with a run)
                self.opened[name] = TryIt(self.evidence.folder, words=self.words, executor=self.executor)
                self.opened[name].read = self.source
            else:
                self.opened[name] = {"slices": Slices, "threshold": Threshold}[name](self)
        return self.opened[name]
