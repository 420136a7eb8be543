"""A run's events on the terminal: stage, rate, remaining time, energy so far. A listener like any other.

On a terminal the present stage has a moving line and each finished one a line that stays; elsewhere, in a log
file for example, only the latter. Energy comes as ``Measured`` values named ``energy_kwh``, one a finished stage.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

from workbench.cli import messages
from workbench.reporting.words import duration, significant
from workbench.runs.events import Event, Listener, Measured, StageFinished, StageStarted, Warned
from workbench.runs.events import Progress as Done

ENERGY = "energy_kwh"


@contextmanager
def watched() -> Iterator[Listener]:
    """A listener that shows a run on stderr while the block lasts."""
    console = messages.console(error=True)
    if not console.is_terminal:
        yield TerminalProgress(console, None)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[told]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield TerminalProgress(console, progress)


@dataclass
class TerminalProgress:
    """Shows events.

    Attributes:
        console: Where to.
        progress: The moving line; ``None`` where there is no terminal.
        energy_kwh: Electricity of the stages that finished.
        measured_seconds: Their time, for the mean power.
    """

    console: Console
    progress: Progress | None
    energy_kwh: float = 0.0
    measured_seconds: float = 0.0
    _label: str = ""
    _task: TaskID | None = None
    _began: float = 0.0
    _first: tuple[float, int] | None = None
    _stage_kwh: dict[tuple[str, str], float] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, StageStarted):
            self._begin(label(event.stage, event.candidate))
        elif isinstance(event, Done):
            self._move(event)
        elif isinstance(event, Measured) and event.name == ENERGY:
            self.energy_kwh += event.value
            self._stage_kwh[event.stage, event.candidate] = event.value
        elif isinstance(event, StageFinished):
            self._end(event)
        elif isinstance(event, Warned):
            self.console.print(Text(messages.clean(f"! {event.sentence}"), style="bold yellow"), soft_wrap=True)

    def _begin(self, name: str) -> None:
        self._label, self._began, self._first = name, time.monotonic(), None
        if self.progress is None:
            return
        if self._task is not None:
            self.progress.remove_task(self._task)
        self._task = self.progress.add_task(messages.clean(name), total=None, told=self._energy(0.0))

    def _move(self, event: Done) -> None:
        name = label(event.stage, event.candidate)
        if name != self._label:
            self._begin(name)
        now = time.monotonic()
        if self._first is None:
            self._first = (self._began if event.done else now, 0)
        rate = speed(event.done, now - self._first[0])
        parts = [f"{event.done:,} of {event.total:,}"]
        if rate > 0:
            parts += [f"{significant(rate)}/s", f"{duration((event.total - event.done) / rate)} left"]
        energy = self._energy(now - self._began)
        told = " · ".join([*parts, energy] if energy else parts)
        if self.progress is not None and self._task is not None:
            self.progress.update(self._task, completed=event.done, total=event.total, told=told)

    def _end(self, event: StageFinished) -> None:
        if self.progress is not None and self._task is not None:
            self.progress.remove_task(self._task)
            self._task = None
        kwh = self._stage_kwh.pop((event.stage, event.candidate), None)
        if kwh is not None:
            self.measured_seconds += event.seconds
        told = "was there already" if event.reused else duration(event.seconds)
        energy = self._energy(0.0)
        line = f"  {label(event.stage, event.candidate):<32} {told}{f' · {energy}' if energy else ''}"
        self.console.print(Text(messages.clean(line), style="dim" if event.reused else ""), soft_wrap=True)

    def _energy(self, running_seconds: float) -> str:
        """Energy so far: of the finished stages, and of the present one at their mean power."""
        mean = self.energy_kwh / self.measured_seconds if self.measured_seconds else 0.0
        total_wh = (self.energy_kwh + mean * running_seconds) * 1000
        return f"about {significant(total_wh)} Wh so far" if total_wh > 0 else ""


def label(stage: str, candidate: str) -> str:
    """Stage and candidate in one."""
    return f"{stage} · {candidate}" if candidate else stage


def speed(done: int, seconds: float) -> float:
    """Units a second; 0 while there is nothing to tell from."""
    return done / seconds if done > 0 and seconds > 0.2 else 0.0
