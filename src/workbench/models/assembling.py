"""A model's folder whose zip was cut into several packages: put together once, in this user's cache.

Nobody's word is taken for what the parts hold: each part's SHA-256 is pinned, and so is that of the weights in them.
Only the files that an encoder needs are unpacked, under their own flat names; the packages are never imported, and
what they say they require is not needed. The folder appears whole or not at all, and is reused without writing.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import os
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from workbench import storage
from workbench.errors import ModelError, RunError
from workbench.models.packages import PartedPackage

CACHE = "WORKBENCH_CACHE"
MARKER = "assembled.json"
WEIGHTS = "model.safetensors"
NEEDED = ("config.json", "tokenizer.json", WEIGHTS)
WANTED = (*NEEDED, "tokenizer_config.json", "vocab.txt", "special_tokens_map.json", "README.md")
_LARGEST_OTHER = 16_000_000
_SPARE = 20_000_000
_CHUNK = 1 << 20
_PATIENCE_S = 120.0


def cache_folder() -> Path:
    """Folder for what can be made again: ``WORKBENCH_CACHE``, else the place that the system has for it.

    Raises:
        ModelError: This user has no home folder.
    """
    if given := os.environ.get(CACHE):
        return Path(given).expanduser().absolute()
    name = "specialist-workbench"
    variable = {"win32": "LOCALAPPDATA", "darwin": ""}.get(sys.platform, "XDG_CACHE_HOME")
    if variable and Path(base := os.environ.get(variable, "")).is_absolute():
        return Path(base) / name
    below = {"win32": "AppData/Local", "darwin": "Library/Caches"}.get(sys.platform, ".cache")
    try:
        return Path.home() / below / name
    except RuntimeError as error:
        raise ModelError(
            "This user has no home folder, so there is no place for unpacked weights.",
            f"A folder named by the environment variable {CACHE}.",
            f"Set {CACHE} to a folder with 0.5 GB of room.",
        ) from error


def cached_folder(package: PartedPackage) -> Path:
    """Where a package's files are unpacked to, whether they are there or not."""
    name = package.model.rpartition("/")[2]
    return cache_folder() / "weights" / f"{name}-{package.archive_sha256[:8]}"


def find_parts(package: PartedPackage) -> list[Path | None]:
    """Look for the parts among the installed packages, without importing any; None for each that is missing."""
    return [_part(name, f"{package.archive}.{at:03d}") for at, name in enumerate(package.distributions, start=1)]


def folder_of(package: PartedPackage) -> Path | None:
    """Folder with a package's files, assembled if need be; None where no part of it is there.

    Raises:
        ModelError: As :func:`assemble`.
        RunError: As :func:`assemble`.
    """
    return assembled(package) or (assemble(package) if any(find_parts(package)) else None)


def assembled(package: PartedPackage) -> Path | None:
    """Folder of a package that was assembled before and is whole, or None. Nothing is written.

    Small files are compared by digest, the weights by size: ``find_weights`` looks at their digest in any case.
    """
    folder = cached_folder(package)
    if not all((folder / name).is_file() for name in (*NEEDED, MARKER)):
        return None
    found = {name: _described(package, folder / name) for name in WANTED if (folder / name).is_file()}
    try:
        return folder if storage.read_json(folder / MARKER) == _marker(package, found) else None
    except RunError:
        return None


def assemble(package: PartedPackage) -> Path:
    """Put a package's parts together and unpack what an encoder needs, unless that was done before.

    A second process waits for the first. The 438 MB of MPNet take about five seconds, once.

    Args:
        package: What to assemble.

    Returns:
        The folder, in :func:`cache_folder`.

    Raises:
        ModelError: A part is missing, or is not the pinned one; the zip holds what it should not; too little room.
        RunError: The disk is full or the cache cannot be written to, or another process has it for too long.
    """
    if (folder := assembled(package)) is not None:
        return folder
    parts = _all_parts(package)
    folder = cached_folder(package)
    with _cache_named(), _alone(folder.parent / ".lock"):
        if assembled(package) is None:
            storage.sweep(folder.parent)
            _refuse_little_room(package, folder)
            _refuse_other_parts(package, parts)
            _unpack(package, parts, folder)
    return folder


def _part(distribution: str, name: str) -> Path | None:
    try:
        files = importlib.metadata.distribution(distribution).files or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = [Path(str(file.locate())) for file in files if file.name == name]
    return found[0] if found and found[0].is_file() else None


def _all_parts(package: PartedPackage) -> list[Path]:
    found = find_parts(package)
    missing = tuple(name for name, path in zip(package.distributions, found, strict=True) if path is None)
    if missing:
        raise ModelError(
            f"{package.model} cannot be put together: {len(missing)} of {len(found)} parts are not installed: "
            f"{', '.join(missing)}.",
            f"All of {package.distributions[0]} to {package.distributions[-1]}, version {package.version}, installed.",
            f"Run: {package.pip(missing, '--force-reinstall ')}",
        )
    return [path for path in found if path is not None]


def _refuse_other_parts(package: PartedPackage, parts: list[Path]) -> None:
    """Compare each part's digest with the pinned one."""
    for name, pinned, part in zip(package.distributions, package.digests, parts, strict=True):
        if (digest := storage.sha256_file(part)) != pinned:
            raise ModelError(
                f"The part of {package.model} in the package {name} is not the pinned one: SHA-256 {digest}.",
                f"SHA-256 {pinned}, as in {name} {package.version}.",
                f"Do not use it. Run: {package.pip((name,), '--force-reinstall ')}",
            )


def _refuse_little_room(package: PartedPackage, folder: Path) -> None:
    needed, free = package.weights_bytes + _SPARE, storage.free_bytes(folder)
    if 0 < free < needed:  # 0 where the system does not tell
        raise ModelError(
            f"There is no room to unpack {package.model}: {free / 1e6:,.0f} MB are free in {folder.parent}.",
            f"{needed / 1e6:,.0f} MB free there.",
            f"Delete what is not needed, or set {CACHE} to a folder on another disk.",
        )


def _unpack(package: PartedPackage, parts: list[Path], folder: Path) -> None:
    """Unpack the wanted members into a folder that appears whole, with a marker of what it holds."""
    try:
        with (
            io.BufferedReader(_Joined(parts), _CHUNK) as joined,
            zipfile.ZipFile(joined) as archive,
            storage.commit_folder(folder, replace=True) as temporary,
        ):
            found = {
                name: _write_member(zipfile.Path(archive, member), temporary / name)
                for name, member in _members(package, archive).items()
            }
            if found[WEIGHTS]["sha256"] != package.sha256:
                raise _refused(package, f"its weights have the SHA-256 {found[WEIGHTS]['sha256']}")
            storage.write_json(temporary / MARKER, _marker(package, found))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise _refused(package, str(error) or "it ends too early") from error


def _members(package: PartedPackage, archive: zipfile.ZipFile) -> dict[str, str]:
    """Wanted files' names and their members; every name in the zip must stay inside, and sizes are bounded."""
    members: dict[str, str] = {}
    for info in archive.infolist():
        path = PurePosixPath(info.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename:
            raise _refused(package, f"it holds the name {info.filename!r}, which leads out of it")
        if info.is_dir() or len(path.parts) != 2 or path.name not in WANTED:
            continue
        if path.name in members:
            raise _refused(package, f"it holds {path.name} twice")
        if info.file_size > (package.weights_bytes if path.name == WEIGHTS else _LARGEST_OTHER):
            raise _refused(package, f"{path.name} in it has {info.file_size:,} bytes")
        members[path.name] = info.filename
    if missing := [name for name in NEEDED if name not in members]:
        raise _refused(package, f"{', '.join(missing)} is missing in it")
    return members


def _write_member(member: zipfile.Path, target: Path) -> dict[str, Any]:
    """Write one member piece by piece, and say what was written."""
    digest = hashlib.sha256()

    def chunks() -> Iterator[bytes]:
        with member.open("rb") as content:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
                yield chunk

    storage.write_chunks(target, chunks())
    return {"bytes": target.stat().st_size, "sha256": digest.hexdigest()}


def _described(package: PartedPackage, file: Path) -> dict[str, Any]:
    digest = package.sha256 if file.name == WEIGHTS else storage.sha256_file(file)
    return {"bytes": file.stat().st_size, "sha256": digest}


def _marker(package: PartedPackage, files: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {"format": 1, "model": package.model, "archive_sha256": package.archive_sha256, "files": files}


def _refused(package: PartedPackage, why: str) -> ModelError:
    return ModelError(
        f"The zip of {package.model} is not what it should be: {why}.",
        f"One folder with {', '.join(NEEDED)} ({package.weights_bytes:,} bytes, SHA-256 {package.sha256}).",
        f"Do not use it. Run: {package.pip(package.distributions, '--force-reinstall ')}",
    )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock for the block; wait for whoever holds it, for as long as the work can take."""
    lock, end = storage.Lock(path), time.monotonic() + _PATIENCE_S
    while True:
        try:
            lock.acquire()
            break
        except storage.LockHeld:
            if time.monotonic() > end:
                raise
        time.sleep(0.1)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _cache_named() -> Iterator[None]:
    """Add to the disk's troubles how another folder is chosen."""
    try:
        yield
    except storage.LockHeld:
        raise
    except RunError as error:
        advice = f"{error.what_to_do} Another folder for unpacked weights: set {CACHE}."
        raise RunError(error.problem, error.would_be_right, advice) from error


class _Joined(io.RawIOBase):
    """Files read as one, one after the other, with a position that can be set."""

    def __init__(self, files: list[Path]) -> None:
        """Look at the sizes.

        Args:
            files: In order.
        """
        self._files = files
        self._sizes = [file.stat().st_size for file in files]
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes: a zip's list of members is at its end."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position in bytes, from the beginning, from here or from the end."""
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: sum(self._sizes)}[whence] + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer from the file in which the position lies; 0 at the end of the last one."""
        before = 0
        for file, size in zip(self._files, self._sizes, strict=True):
            if self._at < before + size:
                with file.open("rb") as content:
                    content.seek(self._at - before)
                    read = content.readinto(buffer)
                self._at += read
                return read
            before += size
        return 0
