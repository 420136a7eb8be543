"""The Guide: seven steps from a table of one's own to a compact model with its evidence, in one cell.

It keeps nothing in its head. Which step one is at follows from what is on disk: no recipe, choose; a recipe without a
run, plan; a run at work, train; a finished one, compare. Restart the kernel, run the same cell, and go on.
"""

from __future__ import annotations

import threading
from concurrent.futures import Executor
from functools import partial
from importlib import import_module
from pathlib import Path

import ipywidgets as w

from workbench.errors import WorkbenchError
from workbench.projects.desk import Desk
from workbench.widgets import markup, saved
from workbench.widgets.panel import Panel, button, row
from workbench.widgets.words import Words
from workbench.widgets.work import background

STEPS = {
    "choose": ("choose", "Choose"),
    "data": ("data_health", "DataHealth"),
    "plan": ("plan", "Plan"),
    "train": ("train", "Train"),
    "compare": ("comparison", "Comparison"),
    "inspect": ("inspection", "Inspection"),
    "release": ("release", "Release"),
}
SIGNS = {"blocked": "⚠", "ready": "○", "running": "…", "done": "✓", "failed": "✕"}


class Guide(w.VBox):
    """The whole way, one panel at a time.

    Attributes:
        desk: The recipe's file and its runs.
        step: Name of the step that is shown.
        buttons: Step to the button that shows it.
        back: Button to the step before.
        forward: Button to the next step.
        write_notebook: Button that writes a notebook of everything done here.
    """

    def __init__(
        self,
        table: object | None = None,
        *,
        runs: str | Path = "runs",
        recipe: str | Path | None = None,
        language: str | None = None,
        executor: Executor | None = None,
    ) -> None:
        """Open the Guide where it was left.

        Args:
            table: A table of one's own to begin with: a path, a pandas frame, an Arrow table.
            runs: Folder of all runs; the Guide's recipes stand in ``guide`` below it.
            recipe: A recipe's file to go on with; the newest of the Guide's own when ``None``.
            language: ISO 639 code of a shipped language; the locale's when ``None``.
            executor: Who does the panels' work; a thread for each when ``None``.

        Raises:
            ValueError: The language is not shipped.
        """
        self.words = Words(language)
        self.desk = Desk(runs, recipe)
        self.table = table
        self._executor = executor
        self._worker = executor or background()
        self.panels: dict[str, Panel] = {}
        self._saved: saved.Saved | None = None
        self._lock = threading.RLock()
        self.buttons = {step: button(self.words, f"guide.step.{step}", partial(self.show, step)) for step in STEPS}
        self.back = button(self.words, "guide.back", self.go_back)
        self.forward = button(self.words, "guide.forward", self.go_forward, primary=True)
        self.write_notebook = button(self.words, "guide.write_notebook", self.make_notebook)
        self.status = w.HTML(markup.status(""))
        self.place = w.VBox()
        self._reached = self._step_of_disk()
        self.step = "choose" if table is not None else self._reached
        foot = row(self.back, self.forward, self.write_notebook)
        super().__init__([w.HTML(markup.style()), self._header(), self.place, foot, self.status])
        self.add_class("wb-guide")
        self.desk.watch(self._on_desk)
        self.show(self.step)

    def show(self, step: str) -> None:
        """Show a step's panel, as things stand on disk.

        Args:
            step: Name of the step.
        """
        self.step = step
        panel = self._panel(step)
        self.place.children = (panel,)
        self._mark()
        panel.refresh()
        self._keep()

    def go_forward(self) -> None:
        """Go to the next step, unless something stands in the way: then its sentence is said."""
        panel = self._panel(self.step)
        if panel.state == "blocked" and panel.blockers:
            self.tell(self.words("guide.blocked", why=panel.blockers[0]))
            return
        self._go(+1)

    def go_back(self) -> None:
        """Go to the step before."""
        self._go(-1)

    def make_notebook(self) -> None:
        """Write a notebook that does without the Guide what was done in it."""
        from workbench.projects.notebooks import write_notebook

        self.tell(self.words("guide.writing"))

        def write() -> None:
            try:
                self.tell(self.words("guide.written", path=write_notebook(self.desk, self.words)))
            except WorkbenchError as error:
                self.tell(" ".join(self._panel(self.step).told(error)))

        self._worker.submit(write)

    def tell(self, sentence: str) -> None:
        """Say something beneath the panel."""
        self.status.value = markup.status(sentence)

    def snapshot(self) -> str:
        """The present state as plain HTML, for a saved notebook."""
        where = self.words("guide.at_step", step=self.words(f"{self.step}.title"))
        return f"<p>{markup.text(where)}</p>{self._panel(self.step).snapshot()}"

    def _ipython_display_(self) -> None:
        """Show the Guide, and below it what a saved notebook keeps of it."""
        self._saved = saved.show(self, self.snapshot, self.words)

    def _keep(self) -> None:
        if self._saved is not None:
            self._saved.update()

    def _step_of_disk(self) -> str:
        if self.desk.file is None:
            return "choose"
        try:
            run = self.desk.run
        except WorkbenchError:
            return "plan"
        if run is None:
            return "data"
        return "compare" if run.status == "done" else "train"

    def _panel(self, step: str) -> Panel:
        """The panel of a step, made once whichever thread asks first: the one that keeps the saved state does, too."""
        with self._lock:
            if step not in self.panels:
                module, name = STEPS[step]
                made = getattr(import_module(f"workbench.widgets.{module}"), name)
                given = (self.table,) if step == "choose" and self.table is not None else ()
                self.panels[step] = panel = made(*given, desk=self.desk, words=self.words, executor=self._executor)
                panel.observe(lambda _: self._mark(), ["state", "blockers"])
                panel.observe(lambda _: self._keep(), "state")
            return self.panels[step]

    def _go(self, by: int) -> None:
        steps = list(STEPS)
        at = min(max(steps.index(self.step) + by, 0), len(steps) - 1)
        self.tell("")
        self.show(steps[at])

    def _on_desk(self) -> None:
        """Another recipe, or a changed one: panels that are not shown look again when they are."""
        self._reached = self._step_of_disk()
        self._mark()

    def _mark(self) -> None:
        """Put each step's state on its button, and say where one is; any thread may, and the last one is right."""
        with self._lock:
            behind = list(STEPS)[: list(STEPS).index(self._reached)]
            states = {step: "done" if step in behind else "ready" for step in STEPS}
            states |= {step: str(panel.state) for step, panel in self.panels.items()}
            said = {step: self.words(f"guide.state.{state}") for step, state in states.items()}
            titles = {step: self.words(f"guide.step.{step}") for step in STEPS}
            for number, (step, shown) in enumerate(self.buttons.items(), 1):
                shown.description = f"{number} {titles[step]} {SIGNS[states[step]]}"
                shown.tooltip = f"{titles[step]}: {said[step]}"
                shown.button_style = "primary" if step == self.step else ""
            at, last = list(STEPS).index(self.step), len(STEPS) - 1
            self.back.disabled, self.forward.disabled = at == 0, at == last
            place = {"number": at + 1, "all": last + 1, "step": titles[self.step], "state": said[self.step]}
            self.where.value = markup.status(self.words("guide.where", **place))

    def _header(self) -> w.VBox:
        steps = row(*self.buttons.values(), kind="wb-steps")
        self.where = w.HTML()
        return w.VBox([w.HTML(f"<h2>{markup.text(self.words('guide.title'))}</h2>"), steps, self.where])
