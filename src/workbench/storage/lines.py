"""Logs of one record a line, to which lines are added so that earlier ones are never harmed.

A crash in the middle of an append can leave a torn last line; the next append, or ``repair_lines``, cuts it off. One
writer at a time is taken for granted: hold the lock of the run's folder.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from workbench.storage.files import make_folder, write_all
from workbench.storage.system import APPEND, CHANGE, primitives
from workbench.storage.troubles import check_name, told


def append_line(path: Path, line: str, *, sync: bool = True) -> None:
    r"""Add one line to a file; earlier lines are never harmed, whatever happens meanwhile.

    A torn last line, left by an earlier crash, is cut off first. When the write fails, what was written of the line
    is taken back.

    Args:
        path: The file; it and missing folders are made.
        line: The line without its end; no ``\n`` and no NUL character in it.
        sync: Bring it to the disk before returning. False for what may be lost in a loss of power (curves): faster
            by the time of an fsync, and still safe when only the process is killed.

    Raises:
        RunError: The system refused; the line is not there.
        ValueError: The line holds a line end or NUL; nothing was touched.
    """
    if "\n" in line or "\0" in line:
        raise ValueError("A line to append must not hold a line end or a NUL character.")
    data = line.encode() + b"\n"
    check_name(path)
    with told("adding a line to", path, len(data)):
        make_folder(path.parent)
        descriptor = primitives.open(path, APPEND)
        try:
            _append(descriptor, data, path, sync)
        finally:
            primitives.close(descriptor)


def repair_lines(path: Path) -> int:
    """Cut off a torn last line, which a crash or loss of power in the middle of an append can leave.

    Torn is a last line without an end, or with NUL bytes, with which some file systems fill what was not synced.

    Args:
        path: The file; a missing one is fine.

    Returns:
        Bytes cut off, 0 for a file that was whole.

    Raises:
        RunError: The system refused.
    """
    with told("repairing", path):
        if not path.exists():
            return 0
        descriptor = primitives.open(path, CHANGE)
        try:
            size = os.fstat(descriptor).st_size
            whole = _whole_size(descriptor, size)
            while whole and b"\0" in _last_line(descriptor, whole):
                whole = _whole_size(descriptor, whole - 1)
            if whole < size:
                primitives.truncate(descriptor, whole)
                primitives.fsync(descriptor)
            return size - whole
        finally:
            primitives.close(descriptor)


def _append(descriptor: int, data: bytes, path: Path, sync: bool) -> None:
    """Add the bytes behind the last whole line, or take back what was added.

    A file that holds something has a synced name: the folder is synced while the file is still empty.
    """
    size = os.fstat(descriptor).st_size
    if size == 0:
        primitives.fsync_dir(path.parent)
    whole = _whole_size(descriptor, size)
    if whole < size:
        primitives.truncate(descriptor, whole)
    try:
        write_all(descriptor, data)
        if sync:
            primitives.fsync(descriptor)
    except BaseException:
        with suppress(OSError):
            primitives.truncate(descriptor, whole)
        raise


def _whole_size(descriptor: int, size: int) -> int:
    """Find the size of a file up to and with its last line end at or before ``size``, reading backwards."""
    end = size
    while end:
        start = max(0, end - (1 if end == size else 1 << 16))
        os.lseek(descriptor, start, os.SEEK_SET)
        found = os.read(descriptor, end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _last_line(descriptor: int, whole: int) -> bytes:
    """Read the last line, with its end, of the ``whole`` first bytes, which end in a line end."""
    start = _whole_size(descriptor, whole - 1)
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, whole - start)
