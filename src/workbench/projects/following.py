"""Which run a training is, where it stands and why it ended: looked up on disk again at every look."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.projects.desk import Desk
from workbench.projects.process import Training
from workbench.projects.watching import Snapshot, Watch


@dataclass(frozen=True)
class Seen:
    """What is on disk: the run, whether a process lives (one may have no run yet), why the last one ended."""

    snapshot: Snapshot | None = None
    living: bool = False
    error: WorkbenchError | None = None

    @property
    def status(self) -> str:
        """``none``, ``starting``, or as the run stands."""
        found = "none" if self.snapshot is None else self.snapshot.run.status
        return "starting" if self.living and found not in ("running", "done") else found


class Following:
    """The training of a desk's recipe, or of one run."""

    def __init__(self, subject: object = None, desk: Desk | None = None) -> None:
        """Take a run, a run's folder or a recipe's file; nothing is read yet.

        Args:
            subject: What a person named; the desk's recipe when ``None``.
            desk: The Guide's desk; one of its own when ``None``.
        """
        self.run: Path | None = None
        self.desk = desk or Desk()
        if desk is None and subject is not None:
            path = Path(str(getattr(subject, "path", subject)))
            named = path.suffix in (".yaml", ".yml")
            self.desk = Desk(recipe=path) if named else Desk(path.parent.parent, path / "recipe.yaml")
            self.run = None if named else path
        self.seen = Seen()
        self._watch: Watch | None = None
        self._file = self.desk.file
        self._lock = threading.Lock()

    @property
    def training(self) -> Training:
        """The process of the recipe.

        Raises:
            RunError: Nothing was chosen, or the recipe is gone.
        """
        _ = self.desk.text  # says which of the two it is
        return Training(self.desk.file or Path(), self.desk.runs)

    def start(self, *, resume: bool = False, fresh: bool = False) -> None:
        """Start a process, unless one is at work.

        Raises:
            WorkbenchError: It could not be started.
        """
        shown = self.seen.snapshot
        self.training.start(shown.run.path if resume and shown else None, fresh=fresh)
        self.run = None if fresh else self.run

    def stop(self) -> None:
        """Ask the run to stop after its present batch; end a process that has none yet."""
        from workbench import pipeline

        shown = self.seen.snapshot
        working = shown is not None and shown.run.status == "running"
        self.training.stop(shown.run.path if shown and working else None, pipeline.request_stop)

    def forget(self) -> None:
        """Begin anew, for example after the folder vanished."""
        self.seen, self._watch = Seen(), None

    def look(self) -> Seen:
        """Read what is on disk.

        Raises:
            WorkbenchError: The recipe is wrong; the run's folder is gone, or was written by a newer version.
        """
        with self._lock:
            if self._file != self.desk.file:  # another recipe was chosen
                self._file = self.desk.file
                self.forget()
            training = self.training if self.desk.file is not None and self.desk.file.is_file() else None
            living = training is not None and training.living
            path = self._path(training, living)
            if path is None or self._watch is None or self._watch.path != path:
                self._watch = None if path is None else Watch(path)
            snapshot = None if self._watch is None else self._watch.poll()
            over = snapshot is not None and snapshot.run.status in ("running", "done")
            error = training.error(path) if training is not None and not living and not over else None
            self.seen = Seen(snapshot, living, error)
            return self.seen

    def _path(self, training: Training | None, living: bool) -> Path | None:
        """The run to look at: the one that was at work, that of the living process, the one named, the newest."""
        before = self.seen.snapshot
        if before is not None and before.run.status == "running":
            return before.run.path
        if training is None or (self.run is not None and not living):
            return self.run
        newest = None if living else self.desk.run
        return training.folder() or self.run or (newest.path if newest is not None else None)
