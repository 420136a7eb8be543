"""What the system said, turned into the three parts that a person can act on; and names that cannot travel.

Only ``OSError`` is explained. Mistakes of the calling code stay ``ValueError`` and ``TypeError``.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import RunError

FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_GO_ON = "give the same command again: what was finished is kept."
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_NOT_IN_NAMES = '<>:"/\\|?*'


@contextmanager
def told(act: str, path: Path, size: int | None = None) -> Iterator[None]:
    """Turn an ``OSError`` of the block into a ``RunError`` with three parts.

    Args:
        act: What is being done, as in “writing” or “taking the lock”.
        path: What it is done to.
        size: Bytes that are needed, where known.

    Raises:
        RunError: The block raised ``OSError``; the original is its cause.
    """
    try:
        yield
    except OSError as error:
        raise explain(error, act, path, size) from error


def explain(error: OSError, act: str, path: Path, size: int | None = None) -> RunError:
    """Say in three parts what a failed operation of the system means.

    Args:
        error: What the system raised.
        act: What was being done.
        path: What it was done to.
        size: Bytes that were needed, where known.
    """
    failed = f"{act.capitalize()} {path} failed: {error.strerror or error}"
    if error.errno in FULL:
        free, need = free_bytes(path) / 1e6, "more than that" if size is None else f"{size / 1e6:.1f} MB"
        return RunError(
            f"{failed}. {free:.1f} MB are free in {path.parent}.",
            f"A disk (or quota) with room for {need} there.",
            f"Delete what is not needed, or choose a folder on another disk; then {_GO_ON}",
        )
    if error.errno == errno.EFBIG:
        much = "This file" if size is None else f"This file of {size / 1e6:.1f} MB"
        return RunError(
            f"{failed}. {much} is larger than the system lets one file be; "
            f"{free_bytes(path) / 1e6:.1f} MB are free in {path.parent}.",
            "No limit (`ulimit -f` says unlimited), and a file system that takes large files (FAT ends at 4 GB).",
            f"Raise the limit with `ulimit -f unlimited` or choose a folder on another disk; then {_GO_ON}",
        )
    if error.errno in _FORBIDDEN:
        return RunError(
            f"{failed}.",
            f"A folder that this user may write to, and a file no other program holds open: {path.parent}",
            "Change the folder's permissions, close the program that uses it, or choose another folder.",
        )
    if error.errno == errno.EIO:
        return RunError(
            f"{failed}. The disk itself reported this.",
            "A disk that takes what it is given.",
            f"Look at the disk's health, choose a folder on another disk; then {_GO_ON}",
        )
    right = "A file or folder that is there" if error.errno == errno.ENOENT else "A path that the system accepts"
    return RunError(f"{failed}.", f"{right}: {path}", f"Look at the path and at what stands there; then {_GO_ON}")


def free_bytes(path: Path) -> int:
    """Say how many bytes this user can still write on the disk of a path.

    Args:
        path: A file or folder; it need not exist yet.

    Returns:
        Free bytes, 0 where the system does not tell.
    """
    existing = path.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        return shutil.disk_usage(existing).free
    except OSError:
        return 0


def check_name(path: Path) -> None:
    """Refuse a last part of a path that could not be copied to Windows or to a memory stick.

    A run's folder is meant to travel, so the rule is the same on every system; folders above it are the user's own.

    Args:
        path: What is going to be written.

    Raises:
        RunError: The name holds a character or ending that some systems refuse, or is a device's name there.
    """
    name = path.name
    wrong = sorted({letter for letter in name if letter in _NOT_IN_NAMES or ord(letter) < 32})
    reasons = [f"holds {', '.join(map(repr, wrong))}"] if wrong else []
    if not name or name.endswith((".", " ")):
        reasons.append("is empty or ends in a dot or space")
    if name.split(".")[0].strip().lower() in _DEVICES:
        reasons.append("is the name of a device on Windows")
    if len(name.encode(errors="surrogateescape")) > 255:
        reasons.append("is longer than 255 bytes")
    if reasons:
        raise RunError(
            f"The name {name!r} {' and '.join(reasons)}, so some systems cannot store it.",
            "A name of letters, digits, '-', '_', '.' and inner spaces.",
            f"Choose another name for {path}",
        )
