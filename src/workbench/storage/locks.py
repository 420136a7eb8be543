"""One process at a time in a folder.

The lock is a small JSON file that says who holds it: process number, start time, boot, machine, since when. A holder
that has ended, whose number now belongs to another process, or that ran before the machine was started again is
no holder: its lock is taken over. Looking and taking happen under the system's own lock on the same file
(``flock``, ``msvcrt.locking``), held for some milliseconds only, so two processes can never both find it free.

Weaker: where the file system has no locks (some Lustre and NFS mounts) the holder looks again after a fifth of a
second instead, which two processes can in theory both pass. A holder on another machine or in another container
cannot be seen from here and counts as alive. On Windows the released lock stays behind as an empty file.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from workbench.errors import LockHeld
from workbench.storage import processes
from workbench.storage.files import make_folder, write_all
from workbench.storage.system import OPEN_OR_NEW, WINDOWS, primitives
from workbench.storage.troubles import check_name, told

_PATIENCE_S = 5.0
_SECOND_LOOK_S = 0.2
_LARGEST_RECORD = 4096


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, since when (ISO 8601, UTC), and the token that makes this one taking unique."""

    process: processes.Process
    since: str
    token: str


class Lock:
    """A lock on a folder, held by this process until ``release`` or the end of the ``with`` block.

    It cannot be taken twice, not even by the same process. A forked child does not hold it, and cannot release it.
    """

    def __init__(self, path: Path) -> None:
        """Name the lock; nothing is touched yet.

        Args:
            path: The lock's file, such as ``run/.lock``.
        """
        self.path = path
        self._holder: Holder | None = None

    def acquire(self) -> None:
        """Take the lock, also from a holder that is no more; do not wait for one that is at work.

        Raises:
            LockHeld: Another process (or this one) holds it; the message tells its number and since when.
            RunError: The system refused.
        """
        check_name(self.path)
        make_folder(self.path.parent)
        with told("taking the lock", self.path), _guarded(self.path) as (descriptor, guarded):
            found = _parsed(_content(descriptor))
            if found and processes.is_running(found.process):
                raise _held(self.path, found)
            mine = Holder(processes.this_process(), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", secrets.token_hex(8))
            _overwrite(descriptor, mine)
            if not guarded:
                time.sleep(_SECOND_LOOK_S)
                if _parsed(self.path.read_bytes()) != mine:
                    raise _held(self.path, _parsed(self.path.read_bytes()))
            self._holder = mine

    def release(self) -> None:
        """Give the lock back; when it is not held by this process, do nothing.

        Raises:
            RunError: The system refused.
        """
        mine = self._holder
        if mine is not None and mine.process.pid == os.getpid() and self.path.exists():
            with told("releasing the lock", self.path), _guarded(self.path) as (descriptor, _):
                if _parsed(_content(descriptor)) == mine:
                    primitives.truncate(descriptor, 0)
                    if not WINDOWS:
                        with suppress(OSError):
                            primitives.unlink(self.path)
        self._holder = None

    def __enter__(self) -> Self:
        """Take the lock."""
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back."""
        self.release()


def lock_holder(path: Path) -> Holder | None:
    """Say who holds a lock now, without touching it; None for nobody or one that is no more.

    Args:
        path: The lock's file.

    Raises:
        RunError: The file is there and cannot be read.
    """
    with told("reading the lock", path):
        found = _parsed(path.read_bytes()) if path.exists() else None
    return found if found and processes.is_running(found.process) else None


@contextmanager
def _guarded(path: Path) -> Iterator[tuple[int, bool]]:
    """Open the lock's file under the system's lock; also tells whether that lock exists here."""
    descriptor, guarded = _enter(path)
    try:
        yield descriptor, guarded
    finally:
        with suppress(OSError):  # what was written is synced by now, and the system's lock ends with the descriptor
            if guarded:
                primitives.unguard(descriptor)
        with suppress(OSError):
            primitives.close(descriptor)


def _enter(path: Path) -> tuple[int, bool]:
    """Open and guard the file that now has this name; others hold the guard for milliseconds, so wait a little."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        descriptor = primitives.open(path, OPEN_OR_NEW)
        try:
            guarded = primitives.guard(descriptor)
            if _is_at(descriptor, path):
                return descriptor, guarded
        except BlockingIOError:
            pass
        except BaseException:
            primitives.close(descriptor)
            raise
        primitives.close(descriptor)
        if time.monotonic() > end:
            raise _held(path, lock_holder(path))
        time.sleep(0.01)


def _is_at(descriptor: int, path: Path) -> bool:
    """Say whether an open file still has its name, and was not removed by the one who had it before."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _content(descriptor: int) -> bytes:
    """Read an open lock file from its beginning."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _LARGEST_RECORD)


def _overwrite(descriptor: int, holder: Holder) -> None:
    """Put a holder into an open lock file, or leave it empty, which is free."""
    record = {**asdict(holder.process), "since": holder.since, "token": holder.token}
    try:
        primitives.truncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        write_all(descriptor, json.dumps(record, sort_keys=True).encode() + b"\n")
        primitives.fsync(descriptor)
    except BaseException:
        with suppress(OSError):
            primitives.truncate(descriptor, 0)
        raise


def _parsed(content: bytes) -> Holder | None:
    """Read a record; an empty or torn one is None, for only a process that died while taking the lock leaves it."""
    try:
        record = json.loads(content)
        process = processes.Process(
            int(record["pid"]), str(record["started"]), str(record["boot_id"]), str(record["host"])
        )
        return Holder(process, str(record["since"]), str(record["token"]))
    except (ValueError, KeyError, TypeError):
        return None


def _held(path: Path, holder: Holder | None) -> LockHeld:
    """Say who is in the way."""
    right = "One process at a time in the same folder."
    if holder is None:
        return LockHeld(f"{path.parent} is being taken by another process right now.", right, "Try again in a moment.")
    process, where, end = holder.process, "", f"stop process {holder.process.pid}"
    if process.host != processes.host():
        where = f" on {process.host!r}, which cannot be seen from here,"
        end = f"if nothing runs there any more, delete {path}"
    elif process.pid == os.getpid():
        where, end = " (this very one: another cell or thread of it)", "stop that"
    return LockHeld(
        f"{path.parent} is in use: process {process.pid}{where} has held its lock since {holder.since}.",
        right,
        f"Wait until it has finished, or {end}.",
    )
