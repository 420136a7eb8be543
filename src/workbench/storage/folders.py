"""Whole folders: put in place whole or not at all, copied, removed; and what crashes left behind, swept up.

A folder is filled under a temporary name beside its target, every file and folder in it is synced, then it takes
its name in one step. Replacing a folder needs two steps (the old one is set aside, the new one takes its name): after
a crash between the two the target is absent, and ``sweep`` puts the old one back. What is not finished, or no
longer wanted, is called ``.tmp-`` and 16 hex digits, and never has a name that a reader would open.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.errors import RunError
from workbench.storage.files import fill, make_folder, temporary_name
from workbench.storage.system import CHANGE, READ, WINDOWS, primitives
from workbench.storage.troubles import FULL, check_name, explain, told

_LEFT_OVER = re.compile(r"\.tmp-[0-9a-f]{16}(?:-was-(?P<name>.+))?", re.DOTALL)
_CHUNK = 1 << 20


@contextmanager
def commit_folder(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """Fill a folder that appears under its name whole, when the block ends well, or not at all.

    Args:
        target: The folder's name; missing folders above it are made.
        replace: Put it in the place of an existing one. After a crash in the middle of that, the target can be
            absent until ``sweep`` has put the old one back.

    Yields:
        The temporary folder to fill, by any means; it lies beside the target, and is removed when the block raises.

    Raises:
        RunError: The target exists and is not to be replaced, or the system refused, also inside the block when
            the disk is full.
    """
    check_name(target)
    if not replace and _stands(target):
        raise _exists(target)
    make_folder(target.parent)
    temporary = target.with_name(temporary_name())
    try:
        with told("making the folder", target):
            primitives.mkdir(temporary)
        with _full_disk_told(target):
            yield temporary
        with told("writing the folder", target):
            sync_tree(temporary)
            _put_in_place(temporary, target, replace)
    except BaseException:
        with suppress(OSError):
            _remove_now(temporary)
        raise
    with told("writing the folder", target):
        primitives.fsync_dir(target.parent)
    _remove_set_aside(target)


def copy_tree(source: Path, target: Path, *, replace: bool = False) -> None:
    """Copy a folder: the target appears whole or not at all. Times and permissions are not copied.

    Args:
        source: A folder of regular files and folders. A symbolic link to a file becomes a file (as weights in the
            hub's cache are kept).
        target: The copy; not inside the source.
        replace: Put it in the place of an existing one.

    Raises:
        RunError: The target exists, the system refused, or the source holds a link to a folder or a device.
        ValueError: The target lies inside the source.
    """
    if target.absolute().is_relative_to(source.absolute()):
        raise ValueError(f"{target} lies inside {source}, which is to be copied.")
    with told("reading the folder", source):
        folders, files = _listed(source)
    _refuse_odd([source / part for part in files], source)
    with commit_folder(target, replace=replace) as temporary, told("copying to", target):
        for part in folders:
            primitives.mkdir(temporary / part)
        for part in files:
            fill(temporary / part, _chunks(source / part))


def remove_tree(path: Path) -> None:
    """Remove a folder, file or link; its name is gone in one step, and a missing one is fine.

    Links are removed, never followed.

    Args:
        path: What to remove.

    Raises:
        RunError: The system refused; what is left of it no longer has its name, and ``sweep`` removes it.
    """
    with told("removing", path):
        if path.parent.is_dir():
            _remove_set_aside(path)
        if not _stands(path):
            return
        away = path.with_name(temporary_name())
        primitives.replace(path, away)
        primitives.fsync_dir(path.parent)
        _remove_now(away)


def sweep(folder: Path, *, older_than_s: float = 0.0) -> int:
    """Remove what crashed writers left under a folder, and put back a folder that was being replaced.

    Only names that this room gives are touched. Whoever calls it must know that nobody is writing there: a run calls
    it under its lock, with ``older_than_s`` for a folder that runs share.

    Args:
        folder: Where to look, at every depth; links are not followed, and a missing folder is fine.
        older_than_s: Leave alone what was changed in the last so many seconds.

    Returns:
        How many leftovers were removed or put back.

    Raises:
        RunError: The system refused.
    """
    swept = 0
    with told("sweeping", folder):
        for here, folders, files in os.walk(folder):
            found = [(Path(here, name), match) for name in [*folders, *files] if (match := _LEFT_OVER.fullmatch(name))]
            folders[:] = [name for name in folders if not _LEFT_OVER.fullmatch(name)]
            for path, match in found:
                if _age_s(path) >= older_than_s:
                    _sweep_one(path, match["name"])
                    swept += 1
    return swept


def sync_tree(folder: Path) -> None:
    """Bring every file and folder below, and the folder itself, to the disk; a part of the room's own work.

    Args:
        folder: The folder; links in it are left alone.

    Raises:
        OSError: The system refused.
    """
    for here, _, names in os.walk(folder, topdown=False, onerror=_raise):
        for name in sorted(names):
            path = Path(here, name)
            if path.is_symlink() or not path.is_file():
                continue
            descriptor = primitives.open(path, CHANGE if WINDOWS else READ)
            try:
                primitives.fsync(descriptor)
            finally:
                primitives.close(descriptor)
        primitives.fsync_dir(Path(here))


def _put_in_place(temporary: Path, target: Path, replace: bool) -> None:
    """Give the finished folder its name; an old one is set aside first, and put back if that fails."""
    if not _stands(target):
        primitives.replace(temporary, target)
        return
    if not replace:
        raise _exists(target)
    aside = target.with_name(f"{temporary_name()}-was-{target.name}")
    primitives.replace(target, aside)
    try:
        primitives.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            primitives.replace(aside, target)
        raise


def _remove_set_aside(target: Path) -> None:
    """Remove older versions of a target that were set aside; those that resist are left to ``sweep``."""
    for path in sorted(target.parent.iterdir()):
        match = _LEFT_OVER.fullmatch(path.name)
        if match and match["name"] == target.name:
            with suppress(OSError):
                _remove_now(path)


def _sweep_one(path: Path, was: str | None) -> None:
    """Put a set-aside folder back if nothing has taken its place; remove anything else."""
    if was and not _stands(path.with_name(was)):
        primitives.replace(path, path.with_name(was))
        primitives.fsync_dir(path.parent)
    else:
        _remove_now(path)


def _remove_now(path: Path) -> None:
    """Remove a file, link or folder with all that is in it, step by step."""
    if not _stands(path):
        return
    if path.is_symlink() or not path.is_dir():
        primitives.unlink(path)
        return
    for here, folders, files in os.walk(path, topdown=False, onerror=_raise):
        for name in files:
            primitives.unlink(Path(here, name))
        for inner in (Path(here, name) for name in folders):
            if inner.is_symlink():
                primitives.unlink(inner)
            else:
                primitives.rmdir(inner)
    primitives.rmdir(path)


def _listed(source: Path) -> tuple[list[Path], list[Path]]:
    """List folders (parents first) and files below a folder, relative to it; links to folders count as files."""
    folders: list[Path] = []
    files: list[Path] = []
    for here, inner, names in os.walk(source, onerror=_raise):
        inside = Path(here).relative_to(source)
        for name in sorted(inner):
            (files if Path(here, name).is_symlink() else folders).append(inside / name)
        files += [inside / name for name in sorted(names)]
    return folders, files


def _refuse_odd(files: list[Path], source: Path) -> None:
    """Refuse to copy what is neither a file nor a link to one."""
    odd = [f"{path} is a link to a folder, a broken link or a device." for path in files if not path.is_file()]
    if odd:
        raise RunError(
            f"{source} holds {len(odd)} things that cannot be copied: {odd[0]}",
            "A folder of plain files and folders.",
            "Put the real files in their places, or remove them, and try again.",
            problems=odd,
        )


def _chunks(path: Path) -> Iterator[bytes]:
    """Read a file piece by piece."""
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            yield chunk


@contextmanager
def _full_disk_told(target: Path) -> Iterator[None]:
    """Explain a full disk met by whoever fills the folder; other troubles of theirs go through as they are."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL | {errno.EFBIG}:
            raise explain(error, "filling the folder", target) from error
        raise


def _age_s(path: Path) -> float:
    """Say how many seconds ago something was last changed, at any depth."""
    newest = path.lstat().st_mtime
    for here, _, names in os.walk(path):
        newest = max([newest, Path(here).stat().st_mtime, *(Path(here, name).lstat().st_mtime for name in names)])
    return time.time() - newest


def _stands(path: Path) -> bool:
    """Say whether the name is taken, also by a broken link."""
    return os.path.lexists(path)


def _exists(target: Path) -> RunError:
    """Say that a folder is in the way."""
    return RunError(
        f"{target} exists already, and would be replaced.",
        "A name that is not taken yet.",
        "Choose another name, or remove the folder if it is no longer needed.",
    )


def _raise(error: OSError) -> None:
    """Let a folder that cannot be listed be an error, not an empty one."""
    raise error
