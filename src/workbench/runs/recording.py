"""Listeners that write a run's own files, and one that passes events to several."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from workbench import storage
from workbench.runs.events import Event, Listener, Measured, Progress
from workbench.runs.folder import RunFolder


def tell_all(listeners: Sequence[Listener]) -> Listener:
    """One listener that passes each event to several, in order."""

    def listen(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return listen


class ProgressFile:
    """Writes values of curves and progress to ``progress.jsonl``, at most twice a second; it may lose the last.

    Args:
        folder: The run.
        every_seconds: Least time between two writes.
    """

    def __init__(self, folder: RunFolder, every_seconds: float = 0.5) -> None:
        self.path = folder.path / "progress.jsonl"
        self.every_seconds = every_seconds
        self.waiting: list[str] = []
        self.last = 0.0

    def __call__(self, event: Event) -> None:
        """Keep an event that belongs to a curve."""
        if not isinstance(event, Measured | Progress):
            return
        fields = {"event": type(event).__name__, "at": round(time.time(), 3), **vars(event)}
        self.waiting.append(json.dumps(fields, sort_keys=True))
        if time.monotonic() - self.last >= self.every_seconds:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        for line in self.waiting:
            storage.append_line(self.path, line, sync=False)
        self.waiting.clear()
        self.last = time.monotonic()

    def close(self) -> None:
        """Write what waits, at the end or when the run was stopped: a stage that is reused tells its curve no more."""
        self.flush()
