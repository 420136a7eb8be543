"""Single files, written whole or not at all, and the folders they lie in.

A write goes to a temporary file in the same folder, is synced to the disk, takes its final name in one step, and
then the folder is synced: after a crash or loss of power the old content or the new stands there, whole. When
a function has returned, its content survives a loss of power (on Windows: the rename may be undone, see
``system``; folders that were there before are taken to be synced). Temporary files are called ``.tmp-`` and 16 hex
digits; ``folders.sweep`` removes those that a crash left. Permissions of a replaced file are not kept, and a symbolic
link is replaced, not followed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.storage.system import APPEND, NEW, primitives
from workbench.storage.troubles import check_name, told

TEMPORARY = ".tmp-"
Bytes = bytes | bytearray | memoryview


def write_bytes(path: Path, data: Bytes) -> None:
    """Write a file whole or not at all; missing folders above it are made.

    Args:
        path: The file; an existing one is replaced.
        data: Its whole content.

    Raises:
        RunError: The system refused (disk full, file too large, no permission …); nothing half-written is left.
    """
    _write_whole(path, [data], memoryview(data).nbytes)


def write_chunks(path: Path, chunks: Iterable[Bytes]) -> None:
    """Write a large file whole or not at all from pieces that need not be in memory together.

    Args:
        path: The file; an existing one is replaced.
        chunks: The content in order. What the iterable raises goes through, and nothing is left.

    Raises:
        RunError: The system refused.
    """
    _write_whole(path, chunks, None)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, with its line ends as they are, whole or not at all.

    Args:
        path: The file.
        text: Its whole content.

    Raises:
        RunError: The system refused.
        UnicodeEncodeError: The text holds half a surrogate pair; nothing was touched.
    """
    write_bytes(path, text.encode())


@contextmanager
def child_output(path: Path) -> Iterator[int]:
    """Open an empty file for what a process that is started says; the child keeps it open, this process does not.

    It is the one file here that is not whole at every moment: lines come as the child writes them, so that one can read
    how a program ended that could not start. Nothing is promised after a loss of power.

    Args:
        path: The file; an earlier one is emptied, missing folders are made.

    Yields:
        A descriptor for the child's standard output and error, closed here when the block ends.

    Raises:
        RunError: The system refused.
    """
    check_name(path)
    with told("writing", path):
        make_folder(path.parent)
        descriptor = primitives.open(path, APPEND)
    try:
        with told("writing", path):
            primitives.truncate(descriptor, 0)
        yield descriptor
    finally:
        primitives.close(descriptor)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, so that they survive a loss of power; an existing one is fine.

    Args:
        path: The folder.

    Raises:
        RunError: The system refused, or a file of that name stands there.
    """
    if path.is_dir():
        return
    with told("making the folder", path):
        make_folder(path.parent)
        try:
            primitives.mkdir(path)
        except FileExistsError:
            if not path.is_dir():
                raise
        primitives.fsync_dir(path.parent)


def remove_file(path: Path) -> None:
    """Remove a file or symbolic link; a missing one is fine.

    Args:
        path: The file.

    Raises:
        RunError: The system refused.
    """
    with told("removing", path):
        with suppress(FileNotFoundError):
            primitives.unlink(path)
        if path.parent.is_dir():
            primitives.fsync_dir(path.parent)


def sha256_file(path: Path) -> str:
    """Compute the SHA-256 of a file's content, without reading it into memory at once.

    Args:
        path: The file.

    Returns:
        64 lower-case hex digits.

    Raises:
        RunError: The file is missing or cannot be read.
    """
    with told("reading", path), path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def temporary_name() -> str:
    """Give a new name for something that is not finished, recognisable to ``sweep`` and never used twice."""
    return f"{TEMPORARY}{secrets.token_hex(8)}"


def fill(path: Path, chunks: Iterable[Bytes]) -> None:
    """Write and sync a new file without any promise for its name; a part of the room's own work.

    Args:
        path: The file, which must not exist.
        chunks: The content in order.

    Raises:
        OSError: The system refused; a part may stand in the file.
    """
    descriptor = primitives.open(path, NEW)
    try:
        for chunk in chunks:
            write_all(descriptor, chunk)
        primitives.fsync(descriptor)
    finally:
        primitives.close(descriptor)


def write_all(descriptor: int, data: Bytes) -> None:
    """Write all bytes to a descriptor, in as many steps as the system wants; a part of the room's own work.

    Args:
        descriptor: An open file.
        data: The bytes.

    Raises:
        OSError: The system refused; a part may have been written.
    """
    left = memoryview(data)
    left = left.cast("B") if left.nbytes else left
    while left.nbytes:
        left = left[primitives.write(descriptor, left) :]


def _write_whole(path: Path, chunks: Iterable[Bytes], size: int | None) -> None:
    """Write, sync, rename, sync the folder; on any trouble before the rename the temporary file is removed."""
    check_name(path)
    with told("writing", path, size):
        make_folder(path.parent)
        temporary = path.with_name(temporary_name())
        try:
            fill(temporary, chunks)
            primitives.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                primitives.unlink(temporary)
            raise
        primitives.fsync_dir(path.parent)
