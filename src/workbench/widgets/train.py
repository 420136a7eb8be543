"""Train: start, stop and go on with a run, and watch it through its files while it works in a process of its own.

Nothing of a run is kept here. A panel made tomorrow, or in another notebook, shows the same: a run at work live, one
that was cut off with what is kept and the offer to go on.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any, Unpack

import ipywidgets as w

from workbench.errors import WorkbenchError
from workbench.projects.following import Following, Seen
from workbench.widgets import markup, train_words
from workbench.widgets.curves import Curves
from workbench.widgets.panel import Given, Panel, row

EVERY_S, UNSEEN_S = 0.5, 5.0
"""Seconds between two looks at a run at work: seen, and while nobody can see the panel."""


class Train(Panel):
    """One training: of a desk's recipe, or of a run.

    Attributes:
        start: Button that begins.
        stop: Button that asks the run to stop.
        resume: Button that goes on with a run that was stopped, cut off or failed.
        fresh: Button that begins a new run.
        curves: Live curves, with a table beside them.
    """

    STEP = "train"

    def __init__(self, subject: object = None, **given: Unpack[Given]) -> None:
        """Show the training of a run's folder, of a recipe's file, or of a desk.

        Args:
            subject: A run, a run's folder, or a recipe's file.
            **given: What every panel takes; see :class:`~workbench.widgets.panel.Given`.
        """
        super().__init__(**given)
        self.following = Following(subject, given.get("desk"))
        self.desk = self.following.desk
        self._lock, self._wake = threading.RLock(), threading.Event()
        self._poller: threading.Thread | None = None
        self._working, self._estimated = False, ""
        self.start = self.button("train.start", lambda: self.begin(), primary=True)
        self.stop = self.button("train.stop", self.ask_to_stop)
        self.resume = self.button("train.resume", lambda: self.begin(resume=True), primary=True)
        self.fresh = self.button("train.fresh", lambda: self.begin(fresh=True))
        self.plan, self.overall, self.stages, self.lines = w.HTML(), w.HTML(), w.HTML(), w.HTML()
        self.curves = Curves(self.words)
        self.curves.chart.observe(lambda _: self._wake.set(), "visible")
        curves = w.VBox([self.h3("train.curves"), self.curves])
        self.parts = row(w.VBox([self.stages, self.lines]), curves, kind="wb-two")
        self.body.children = (self.plan, row(self.start, self.stop, self.resume, self.fresh), self.overall, self.parts)
        self._offer("")
        if given.get("desk") is None:
            self.refresh()

    @property
    def code(self) -> str:
        """What does the same: ``wb.run``, or ``wb.resume`` for a run of its own."""
        run, file, runs = self.following.run, self.desk.file, self.desk.runs.as_posix()
        named = "recipe.yaml" if file is None else file.as_posix()
        call = f"wb.run({named!r}, runs={runs!r})" if run is None else f"wb.resume({run.as_posix()!r})"
        return f"import workbench as wb\n\nrun = {call}\nrun.comparison"

    def snapshot(self) -> str:
        """The state as plain HTML: stages, energy and the curves as a table."""
        parts = (self.plan.value, self.overall.value, self.stages.value, self.curves.as_html())
        return super().snapshot() + "".join(parts)

    def refresh(self) -> None:
        """Look at what is on disk, and follow a run that is at work."""
        if self.desk.file is None and self.following.run is None:
            self._offer("")
            self.block([self.words("train.no_recipe")])
            return
        self.blockers = ()
        if self._poller is not None:
            self._wake.set()
            return
        self.work(self.words("train.looking"), self.following.look, self._show)

    def begin(self, *, resume: bool = False, fresh: bool = False) -> None:
        """Start a process, unless one is at work already; then that one is watched.

        Args:
            resume: Go on with the run that is shown.
            fresh: Begin a new run.
        """
        self._turn += 1
        try:
            self.following.start(resume=resume, fresh=fresh)
        except WorkbenchError as error:
            self.fail(error)
            return
        self.say("info", ())
        self._offer("starting")
        self.tell(self.words("train.starting"))
        self.state = "running"
        self._follow()

    def ask_to_stop(self) -> None:
        """Ask the run to stop after its present batch; one that has no folder yet is ended."""
        self.stop.disabled = True
        self.tell(self.words("train.stopping"))
        self.executor.submit(self._stop)

    def close(self) -> None:
        """End looking; the training goes on."""
        super().close()
        self._wake.set()

    def _stop(self) -> None:
        try:
            self.following.stop()
        except WorkbenchError as error:
            if self._working:  # else it ended meanwhile, and that is shown
                self.fail(error)

    def _show(self, seen: Seen) -> None:
        """Show what was seen, and follow what works."""
        with self._lock:
            told = train_words.Told(self.words, seen.snapshot)
            self._offer(seen.status)
            self.parts.layout.display = "none" if seen.snapshot is None else None
            if seen.snapshot is not None:
                self.plan.value = ""
                self.overall.value, self.stages.value, self.lines.value = told.overall(), told.stages(), told.log()
                self.curves.show(seen.snapshot.curves)
            self._tell(seen, told)
        if seen.status in ("starting", "running"):
            self._follow()
        elif seen.status == "none" and seen.error is None and not self._working:
            self._estimate()

    def _tell(self, seen: Seen, told: train_words.Told) -> None:
        """State, sentence and notices."""
        status = seen.status
        if status in ("starting", "running"):
            self.tell(self.words("train.starting") if status == "starting" else told.sentence())
            self.state = "running"
            return
        self._working = False
        self.tell(told.sentence())
        self.say("info", ())
        self.state = {"done": "done", "failed": "failed"}.get(status, "ready")
        if seen.error is not None or status == "failed":
            sentences = self.told(seen.error) if seen.error is not None else told.reasons()
            self.say("error", [*sentences, *told.kept(status)])
            self.state = "failed"
        elif status in ("stopped", "cut off"):
            self.say("info" if status == "stopped" else "warning", told.kept(status))

    def _offer(self, status: str) -> None:
        """Show the buttons that make sense; the others are not there."""
        working = status in ("starting", "running")
        over = status in ("stopped", "cut off", "failed")
        offered = {self.start: status == "none", self.stop: working, self.resume: over}
        for button, there in (offered | {self.fresh: over or status == "done"}).items():
            button.layout.display = None if there else "none"
        shown = self.following.seen.snapshot
        self.stop.disabled = status == "running" and shown is not None and shown.stopping

    def _estimate(self) -> None:
        """Say what will run and what it is likely to take; once for a recipe as it stands."""
        text = self.desk.text
        if self._estimated != text:
            self.work(self.words("train.estimating"), lambda: self._checked(text), self._show_plan)

    def _checked(self, text: str) -> tuple[str, Any]:
        from workbench import pipeline

        assert self.desk.file is not None  # noqa: S101  (there was a text)
        return text, pipeline.check(self.desk.file)

    def _show_plan(self, found: tuple[str, Any]) -> None:
        self._estimated, checked = found
        self.plan.value = markup.paragraphs(train_words.plan(self.words, checked))

    def _follow(self) -> None:
        """Look again and again from a thread, while a run works and the panel is open."""
        with self._lock:
            self._working = True
            self._wake.set()
            if self._poller is None:
                self._poller = threading.Thread(target=self._poll, daemon=True, name="workbench-train")
                self._poller.start()

    def _poll(self) -> None:
        failed = False
        while self._goes_on():
            try:
                self._show(self._looked())
                failed = False
            except Exception as error:  # a thread that died would leave the panel at work for good
                failed = not failed
                if failed and not isinstance(error, (WorkbenchError, OSError)):
                    continue
                self._working = False
                self.following.forget()
                self._offer("")
                self.fail(error)
            self._wake.clear()
            if self._working and not self._wake.wait(EVERY_S) and not self.curves.seen:
                self._wake.wait(UNSEEN_S)

    def _looked(self) -> Seen:
        """A look; one that met a folder in the midst of being removed or written is made again after a moment."""
        seen = None
        with suppress(Exception):
            seen = self.following.look()
        if seen is None or seen.status == "cut off":
            time.sleep(EVERY_S)
            seen = self.following.look()
        return seen

    def _goes_on(self) -> bool:
        """Whether there is something to follow; one thread follows at a time."""
        with self._lock:
            if self.comm is None or not self._working:
                self._poller = None
            return self._poller is not None
