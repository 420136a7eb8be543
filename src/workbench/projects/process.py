"""A training in a process of its own: started, found again, stopped; never two on one run.

It has a session of its own and a low priority, so an interrupted cell, a closed browser and a kernel that dies leave it
alone, and the notebook stays quick beside it. Two hidden files beside the recipe, ``.<name>.training.json`` (which
process, for which recipe) and ``.<name>.out`` (what it said), tell a later kernel whether a process that has no run's
folder yet lives, and why one ended that never made one.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench import recipe as recipes
from workbench import storage
from workbench.errors import LockHeld, RunError, WorkbenchError
from workbench.projects.desk import run_at
from workbench.runs import all_runs
from workbench.runs.folder import LOCK_FILE
from workbench.storage import processes

ANSWER = re.compile(r"^\{\n.*?^\}$", re.DOTALL | re.MULTILINE)
NICENESS = "10"
LATER_S = 2.0


class Training:
    """The process of a recipe: of its file, or of ``recipe.yaml`` in a run's folder."""

    def __init__(self, recipe: Path, runs: Path) -> None:
        """Name the recipe's file and the folder of all runs; nothing is touched yet."""
        self.recipe, self.runs = recipe, runs
        shipped = recipes.shipped_folder("recipes").resolve() in recipe.resolve().parents
        home = runs if shipped or not os.access(recipe.parent, os.W_OK) else recipe.parent
        self.record, self.output = home / f".{recipe.stem}.training.json", home / f".{recipe.stem}.out"

    def start(self, resume: Path | None = None, *, fresh: bool = False) -> bool:
        """Start a process, unless one of this recipe is at work or another panel is just starting one.

        Args:
            resume: The run to go on with; the command ``run`` decides when ``None``.
            fresh: Begin a new run.

        Returns:
            Whether one was started; else the living one is to be watched.

        Raises:
            RecipeError: The recipe has problems.
            RunError: The system refused, or the run's folder is gone.
        """
        digest, same = self._digest(), [] if resume is None else [resume]
        asked = ["run", self.recipe.resolve(), "--runs", self.runs.resolve(), *(["--fresh"] if fresh else [])]
        same += [run.path for run in all_runs(self.runs) if run.state.recipe_digest == digest]
        try:
            with storage.Lock(self.record.with_suffix(".lock")):
                if self.living or any(run_at(path).status == "running" for path in same):
                    return False
                self._spawn([*map(str, asked if resume is None else ["resume", resume.resolve()]), "--json"], digest)
        except LockHeld:
            return False
        return True

    def _digest(self) -> str:
        return recipes.digest(recipes.read(self.recipe).recipe)

    def _spawn(self, arguments: list[str], digest: str) -> None:
        there = os.name != "nt" and any((Path(folder) / "nice").is_file() for folder in os.get_exec_path())
        nice = ["nice", "-n", NICENESS] if there else []
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            quiet = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
            apart = {"creationflags": quiet | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
        command = [*nice, sys.executable, "-m", "workbench", *arguments]
        more = {**os.environ, "MPLBACKEND": "Agg", "PYTHONUTF8": "1"}
        try:
            with storage.child_output(self.output) as output:
                child = subprocess.Popen(  # noqa: S603  (this very program, its arguments a list)
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=more, **apart
                )
        except OSError as error:
            raise RunError(f"The training could not be started: {error}.", "", "Run it in a terminal.") from error
        threading.Thread(target=child.wait, daemon=True).start()  # takes its exit status: no zombie stays
        started = processes.start_time(child.pid) or processes.UNKNOWN
        known = processes.Process(child.pid, started, processes.boot_id(), processes.host())
        storage.write_json(self.record, {"process": vars(known), "recipe_digest": digest})

    def _process(self) -> processes.Process | None:
        return processes.Process(**storage.read_json(self.record)["process"]) if self.record.is_file() else None

    @property
    def living(self) -> bool:
        """Whether the process that was started last is at work, with a run's folder or still without."""
        known = self._process()
        return known is not None and processes.is_running(known)

    def folder(self) -> Path | None:
        """The run whose lock the process holds; ``None`` while it has none."""
        known = self._process()
        holders = ((run.path, storage.lock_holder(run.path / LOCK_FILE)) for run in all_runs(self.runs))
        return next((path for path, one in holders if one and known and one.process.pid == known.pid), None)

    def stop(self, run: Path | None, ask: Callable[[Path], object]) -> None:
        """Ask the run to stop (``ask`` is ``pipeline.request_stop``); a process that has none yet is ended."""
        known = self._process()
        if run is not None:
            ask(run)
        elif known is not None and self.living:
            storage.remove_file(self.record)
            os.kill(known.pid, signal.SIGTERM)

    def error(self, run: Path | None) -> WorkbenchError | None:
        """Why the last process ended where the run does not tell it; ``None`` where nothing is known to be wrong.

        Args:
            run: The recipe's run; what was said before it last worked is old.
        """
        if not self.record.is_file() or not self.output.is_file() or self.living:
            return None
        log = self.output if run is None else run / "log.jsonl"
        if storage.read_json(self.record)["recipe_digest"] != self._digest():
            return None
        if log.is_file() and log.stat().st_mtime > self.output.stat().st_mtime + LATER_S:
            return None
        said = self.output.read_text(encoding="utf-8", errors="replace")
        answers = [json.loads(one) for one in ANSWER.findall(said)]
        told = answers[-1].get("error") if answers else None
        if told is not None:
            return WorkbenchError(
                told["problem"], told["would_be_right"], told["what_to_do"], problems=told["problems"]
            )
        if answers or run is not None:
            return None
        last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
        return RunError(
            f"The training ended before it made a run's folder: {last.strip()}",
            "A process that makes a run's folder and works in it.",
            f"What it said stands in {self.output}. Start it again when the reason is gone.",
        )
