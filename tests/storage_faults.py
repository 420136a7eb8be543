"""Faults for the tests of storage, in the manner of SQLite's I/O-error tests, and a model of a disk that forgets.

``Faults`` makes the n-th primitive operation crash or fail. A crash forbids every later operation, the cleaning up
included, until the test has “started again”. ``Disk`` follows the operations and says what could stand on the
disk if the power went after any of them: everything that was not synced may be there, missing, torn or zeroed.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from workbench.storage import system

NAMES = [name for name in vars(system.Primitives) if not name.startswith("_")]
Tree = dict[str, bytes]


class Crash(BaseException):
    """The process ends here: no handler of errors may do anything more to the disk."""


def really(name: str, *arguments: Any) -> Any:
    """Do a primitive operation as the package does it."""
    return getattr(system.Primitives, name)(system.primitives, *arguments)


@contextmanager
def listening(listener: Any) -> Iterator[None]:
    """Send every primitive operation through ``listener(name, *arguments)``."""
    with patch.multiple(system.primitives, **{name: _bound(listener, name) for name in NAMES}):
        yield


def _bound(listener: Any, name: str) -> Any:
    return lambda *arguments: listener(name, *arguments)


@dataclass
class Faults:
    """Let operation number ``at`` (from 1) crash or fail.

    Args:
        at: Which operation; 0 for none.
        error: The errno to raise; None for a crash.
        lasting: Every later operation fails as well, cleaning up included.
        torn: Bytes that a failing write still writes; with it only writes are counted.
        short: Writes take at most so many bytes at a time, as a system may do.
    """

    at: int = 0
    error: int | None = None
    lasting: bool = False
    torn: int | None = None
    short: int | None = None
    count: int = 0
    fired: bool = False
    descriptors: set[int] = field(default_factory=set)

    def __call__(self, name: str, *arguments: Any) -> Any:
        if self.fired and self.error is None:
            raise Crash("nothing can be done after a crash")
        self.count += self.torn is None or name == "write"
        if (self.at and self.count == self.at and not self.fired) or (self.fired and self.lasting):
            self.fired = True
            if self.torn is not None and name == "write":
                really("write", arguments[0], arguments[1][: self.torn])
            if name == "close":
                self._close(arguments[0])
            raise Crash(name) if self.error is None else OSError(self.error, os.strerror(self.error))
        if name == "close":
            return self._close(arguments[0])
        if name == "write" and self.short:
            arguments = (arguments[0], arguments[1][: self.short])
        result = really(name, *arguments)
        if name == "open":
            self.descriptors.add(result)
        return result

    def _close(self, descriptor: int) -> None:
        self.descriptors.discard(descriptor)
        really("close", descriptor)

    @contextmanager
    def injected(self) -> Iterator[None]:
        """Inject the fault in the block, and end the “process” after it: its descriptors are closed."""
        try:
            with listening(self):
                yield
        finally:
            for descriptor in self.descriptors:
                os.close(descriptor)
            self.descriptors.clear()


def tree(folder: Path) -> Tree:
    """Read all files below a folder but unfinished ones: relative path to content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".tmp-") for part in path.relative_to(folder).parts)
    }


def leftovers(folder: Path) -> list[str]:
    """List unfinished things below a folder."""
    return [path.name for path in folder.rglob(".tmp-*")]


class _File:
    def __init__(self, content: bytes = b"") -> None:
        self.now, self.synced = content, content

    def possible(self, how: int) -> bytes:
        """Content after a loss of power: synced / all there / half / the new length, but zeros."""
        grown = max(0, len(self.now) - len(self.synced))
        kept = self.now[: len(self.synced) + grown // 2]
        return (self.synced, self.now, kept, self.synced + bytes(grown))[how]


class _Folder:
    def __init__(self) -> None:
        self.versions: list[dict[str, _File | _Folder]] = [{}]

    @property
    def names(self) -> dict[str, _File | _Folder]:
        return self.versions[-1]

    def change(self, **changes: _File | _Folder | None) -> None:
        names = {name: node for name, node in {**self.names, **changes}.items() if node is not None}
        self.versions.append(names)


class Disk:
    """A disk that forgets what was not synced, each folder's list of names and each file's content by itself.

    Args:
        root: A real folder; what stands in it counts as synced.
        deaf_to: Primitives that the model does not notice, to show that it would catch their absence.
    """

    def __init__(self, root: Path, deaf_to: tuple[str, ...] = ()) -> None:
        self.root, self.deaf_to = root, deaf_to
        self.top = self._read(root)
        self.open_files: dict[int, tuple[_File, int | None]] = {}
        self.moments: dict[frozenset[tuple[str, bytes | None]], None] = {}

    def _read(self, path: Path) -> Any:
        if path.is_file():
            return _File(path.read_bytes())
        folder = _Folder()
        folder.versions = [{inner.name: self._read(inner) for inner in path.iterdir()}]
        return folder

    def _at(self, path: Path) -> Any:
        node: Any = self.top
        for part in path.relative_to(self.root).parts:
            node = node.names[part]
        return node

    def __call__(self, name: str, *arguments: Any) -> Any:
        result = really(name, *arguments)
        if name not in self.deaf_to:
            getattr(self, f"_{name}", lambda *_: None)(result, *arguments)
        self.moments |= dict.fromkeys(self.states())
        return result

    def _open(self, descriptor: int, path: Path, flags: int) -> None:
        folder = self._at(path.parent)
        if path.name not in folder.names:
            folder.change(**{path.name: _File()})
        self.open_files[descriptor] = (folder.names[path.name], None if flags & os.O_APPEND else 0)

    def _write(self, written: int, descriptor: int, data: memoryview) -> None:
        file, position = self.open_files[descriptor]
        start = len(file.now) if position is None else position
        file.now = file.now[:start] + bytes(data[:written]) + file.now[start + written :]
        self.open_files[descriptor] = (file, None if position is None else start + written)

    def _truncate(self, _: None, descriptor: int, size: int) -> None:
        file = self.open_files[descriptor][0]
        file.now = file.now[:size]

    def _fsync(self, _: None, descriptor: int) -> None:
        file = self.open_files[descriptor][0]
        file.synced = file.now

    def _replace(self, _: None, source: Path, target: Path) -> None:
        self._at(source.parent).change(**{target.name: self._at(source), source.name: None})

    def _mkdir(self, _: None, path: Path) -> None:
        self._at(path.parent).change(**{path.name: _Folder()})

    def _unlink(self, _: None, path: Path) -> None:
        self._at(path.parent).change(**{path.name: None})

    _rmdir = _unlink

    def _fsync_dir(self, _: None, path: Path) -> None:
        folder = self._at(path)
        folder.versions = folder.versions[-1:]

    def states(self) -> Iterator[frozenset[tuple[str, bytes | None]]]:
        """Give every state in which the disk may be found if the power goes now; None stands for a folder."""
        for how in range(4):
            yield from (frozenset(state.items()) for state in self._possible(self.top, "", how))

    def _possible(self, folder: _Folder, prefix: str, how: int) -> Iterator[dict[str, bytes | None]]:
        for names in folder.versions:
            parts = []
            for name, node in names.items():
                path = f"{prefix}{name}"
                if isinstance(node, _File):
                    parts.append([{path: node.possible(how)}])
                else:
                    parts.append([{path: None} | inner for inner in self._possible(node, f"{path}/", how)])
            for chosen in itertools.product(*parts):
                yield {path: content for part in chosen for path, content in part.items()}


def put(state: frozenset[tuple[str, bytes | None]], folder: Path) -> None:
    """Make a folder that holds a state of the disk."""
    folder.mkdir()
    for path, content in sorted(state, key=lambda item: item[0]):
        if content is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(content)
