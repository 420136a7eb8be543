"""A run's folder: its state, its log, its stop file, its lock. Readable without this package.

Only the process that holds the lock changes a run. What happened is appended to ``log.jsonl`` (fsynced, one
canonical JSON object a line); curves go to ``progress.jsonl``, whose last lines may be lost in a crash.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785

from workbench import storage
from workbench.errors import RunError, Stopped

FORMAT = 1
STATUSES = ("running", "stopped", "failed", "done")
STOP_FILE = "stop"
LOCK_FILE = ".lock"


@dataclass(frozen=True)
class RunState:
    """What ``run.json`` says.

    Attributes:
        recipe_digest: Digest of the recipe that runs.
        data_digest: Digest of the table that it runs on.
        status: ``running``, ``stopped``, ``failed`` or ``done``.
        seeds: Number of seeds.
        created: When the run began, ISO 8601 in UTC.
        finished: When it was done, or ``None``.
        base: Folder that the recipe's paths start from, relative to the run's folder; ``None`` where there is none.
        format: Version of the folder's layout.
    """

    recipe_digest: str
    data_digest: str
    status: str
    seeds: int
    created: str
    finished: str | None = None
    base: str | None = None
    format: int = FORMAT


def now() -> str:
    """The time, ISO 8601 in UTC with seconds."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


class RunFolder:
    """One run's folder on disk."""

    def __init__(self, path: Path) -> None:
        """Open a run's folder.

        Args:
            path: The folder; it must hold a ``run.json`` that this version can read.

        Raises:
            RunError: It is no run's folder, or was written by a newer format.
        """
        self.path = path
        self.state = _read_state(path)

    @classmethod
    def create(cls, runs: Path, name: str, state: RunState) -> RunFolder:
        """Make a new folder ``runs/<name>/<time>-<6 hex>`` with its ``run.json``.

        Raises:
            RunError: The disk is full or the folder cannot be written.
        """
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
        path = runs / name / f"{stamp}-{secrets.token_hex(3)}"
        with storage.commit_folder(path) as temporary:
            storage.write_json(temporary / "run.json", vars(state))
        return cls(path)

    def set_status(self, status: str) -> None:
        """Write a new status; ``done`` sets the finishing time.

        Raises:
            ValueError: The status is none of the four.
        """
        if status not in STATUSES:
            raise ValueError(f"status must be one of {STATUSES}, not {status!r}")
        finished = now() if status == "done" else None
        self.state = RunState(**{**vars(self.state), "status": status, "finished": finished})
        storage.write_json(self.path / "run.json", vars(self.state))

    def log(self, kind: str, **fields: Any) -> None:
        """Append an event that matters to ``log.jsonl``: fsynced, one canonical JSON object a line."""
        event = {"time": now(), "type": kind, **{name: value for name, value in fields.items() if value is not None}}
        storage.append_line(self.path / "log.jsonl", rfc8785.dumps(event).decode())

    def events(self) -> list[dict[str, Any]]:
        """The events of ``log.jsonl`` in their order; a torn last line is left out."""
        return read_lines(self.path / "log.jsonl")

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Hold the run's lock; sweep what a killed process left half-written.

        Raises:
            LockHeld: Another living process is at work in this folder.
        """
        with storage.Lock(self.path / LOCK_FILE):
            storage.sweep(self.path)
            for name in ("log.jsonl", "progress.jsonl"):
                if (self.path / name).exists():
                    storage.repair_lines(self.path / name)
            storage.remove_file(self.path / STOP_FILE)
            yield

    def request_stop(self) -> None:
        """Ask the process at work to stop at the next batch; works from another process."""
        storage.write_text(self.path / STOP_FILE, now() + "\n")

    def should_stop(self) -> bool:
        """Whether somebody asked to stop."""
        return (self.path / STOP_FILE).exists()

    def check_stop(self) -> None:
        """Raise where somebody asked to stop.

        Raises:
            Stopped: With how to go on.
        """
        if self.should_stop():
            raise Stopped(
                f"The run {self.path.name} was asked to stop.",
                "What was finished is kept.",
                f"Go on with: workbench resume {self.path}",
            )


def read_lines(path: Path) -> list[dict[str, Any]]:
    """JSON objects of a file of lines; an unfinished last line is left out, a missing file is empty."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def _read_state(path: Path) -> RunState:
    file = path / "run.json"
    if not file.is_file():
        raise RunError(
            f"'{path}' is no run's folder: it has no run.json.",
            "A folder runs/<recipe>/<date>-<time>-<6 hex>, or latest.",
            "See what there is with: workbench compare latest  or look into runs/",
        )
    values: Mapping[str, Any] = storage.read_json(file)
    if values.get("format", 0) > FORMAT:
        raise RunError(
            f"'{path}' was written in format {values['format']}; this version reads up to {FORMAT}.",
            "A version of specialist-workbench at least as new as the one that made the run.",
            "Update: pip install --upgrade specialist-workbench",
        )
    known = {name: values[name] for name in RunState.__dataclass_fields__ if name in values}
    return RunState(**known)


def all_runs(runs: Path) -> list[RunFolder]:
    """Every run below a folder that this version can read, newest first."""
    found = []
    for file in runs.glob("*/*/run.json"):
        try:
            found.append(RunFolder(file.parent))
        except RunError:
            continue
    return sorted(found, key=lambda run: (run.state.created, run.path.name), reverse=True)


def find_run(text: str | Path, runs: str | Path = "runs") -> Path:
    """Folder of a run that is given as a path or as ``latest``.

    Raises:
        RunError: There is none.
    """
    if str(text) != "latest":
        RunFolder(Path(text))
        return Path(text)
    found = all_runs(Path(runs))
    if not found:
        raise RunError(
            f"There is no run in '{runs}' yet.", "A folder with at least one run.", "Make one: workbench run RECIPE"
        )
    return found[0].path
