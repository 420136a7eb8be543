"""Results of stages, shared by runs: an unchanged stage is reused, and says so.

A result's key is the digest of everything it depends on: the part of the recipe, the digests of what it
reads, the seed and the package's own sources. Resuming a killed run, running again and “change only the
student” are all this one mechanism. A result is a folder, committed whole and checked before it is reused.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import rfc8785

from workbench import storage
from workbench.errors import LockHeld
from workbench.runs.events import Stop, never

PACKAGE = Path(__file__).resolve().parent.parent
RECORD = "stage.json"
LEFTOVER_S = 6 * 3600.0


@dataclass(frozen=True)
class StageKey:
    """What a stage's result depends on.

    Attributes:
        stage: Name of the stage.
        inputs: Plain values: parts of the recipe, digests, seed.
        rooms: Rooms or modules of the package whose sources the stage uses, for example ``models/encoder``.
    """

    stage: str
    inputs: Mapping[str, Any]
    rooms: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over stage, inputs and sources, 64 hex digits."""
        values: Any = {"stage": self.stage, "inputs": dict(self.inputs), "code": code_digest(self.rooms)}
        return hashlib.sha256(rfc8785.dumps(values)).hexdigest()


@cache
def code_digest(rooms: tuple[str, ...]) -> str:
    """SHA-256 over the names and contents of the Python files of some rooms; of all when empty."""
    total = hashlib.sha256()
    folders = [PACKAGE / room for room in sorted(rooms)] or [PACKAGE]
    for folder in folders:
        files = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
        for file in files:
            total.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0")
            total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


class StageStore:
    """The folder ``runs/.stages``."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: The folder that holds a sub-folder for each result."""
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Where the result of a key lies, whether it is there or not."""
        return self.folder / digest

    def find(self, digest: str) -> dict[str, Any] | None:
        """Record of a whole, unchanged result; ``None`` where there is none or a file of it was changed."""
        record_file = self.path(digest) / RECORD
        if not record_file.is_file():
            return None
        record: dict[str, Any] = storage.read_json(record_file)
        for name, sha256 in record["files"].items():
            file = self.path(digest) / name
            if not file.is_file() or storage.sha256_file(file) != sha256:
                return None
        return record

    @contextmanager
    def claim(self, digest: str, stop: Stop = never) -> Iterator[None]:
        """Be the only process that makes this result; waits for another one that does.

        Args:
            digest: Digest of the result's key.
            stop: Asked while waiting; the wait ends with ``LockHeld`` when it says yes.

        Raises:
            LockHeld: Another process still makes it and ``stop`` said yes.
        """
        storage.make_folder(self.folder)
        lock = storage.Lock(self.folder / f"{digest}.lock")
        while True:
            try:
                lock.acquire()
                break
            except LockHeld:
                if stop():
                    raise
                time.sleep(0.2)
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def commit(self, digest: str, record: dict[str, Any]) -> Iterator[Path]:
        """Give a temporary folder to fill; when the block ends, it becomes the result, whole.

        Args:
            digest: Digest of the result's key.
            record: Plain values for ``stage.json``; the block may still add to it.
        """
        with storage.commit_folder(self.path(digest), replace=True) as folder:
            yield folder
            files = sorted(file for file in folder.rglob("*") if file.is_file())
            record["files"] = {file.relative_to(folder).as_posix(): storage.sha256_file(file) for file in files}
            storage.write_json(folder / RECORD, record)

    def partial(self, digest: str) -> Path:
        """A folder for pieces of a long stage, kept when it is killed; see :meth:`drop_partial`."""
        folder = self.partial_path(digest)
        storage.make_folder(folder)
        return folder

    def partial_path(self, digest: str) -> Path:
        """Where :meth:`partial` is, whether it is there or not."""
        return self.folder / f"{digest}.partial"

    def sweep(self) -> None:
        """Remove what killed processes left half-written some hours ago; other processes may be writing now."""
        if self.folder.is_dir():
            storage.sweep(self.folder, older_than_s=LEFTOVER_S)

    def drop_partial(self, digest: str) -> None:
        """Remove the pieces of a finished stage."""
        storage.remove_tree(self.partial_path(digest))
