"""The few operations by which this package changes a disk, in one table.

Everything in ``storage`` that alters a file, a folder or a lock calls a method of the module's object
``primitives``, looked up at every call, so that a test can make the n-th operation fail or crash, and can see
the order in which they came. Reading does not go through it. Nothing here retries, cleans up or explains:
that is done by the callers. Differences between Linux, macOS and Windows stay in this module.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)
CHANGE = os.O_RDWR | getattr(os, "O_BINARY", 0)
APPEND = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
OPEN_OR_NEW = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)

WINDOWS = sys.platform == "win32"
_LARGEST_WRITE = 1 << 26
_NOT_SYNCABLE = {errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EOPNOTSUPP}
_NO_LOCKS_HERE = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
_PATIENCE_S = 1.0
_GUARD_BYTE = 1 << 30


class Primitives:
    """The operations themselves; every method either does its one thing or raises ``OSError``."""

    def open(self, path: Path, flags: int) -> int:
        """Open a file and return its descriptor.

        Args:
            path: The file.
            flags: One of ``READ``, ``CHANGE``, ``APPEND``, ``NEW``, ``OPEN_OR_NEW`` of this module.
        """
        return os.open(path, flags, 0o666)

    def write(self, descriptor: int, data: memoryview) -> int:
        """Write a part of the bytes, at least one, and return how many."""
        return os.write(descriptor, data[:_LARGEST_WRITE])

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut an open file to a size in bytes."""
        os.ftruncate(descriptor, size)

    def fsync(self, descriptor: int) -> None:
        """Bring a file's content to the disk.

        On macOS plain ``fsync`` leaves the bytes in the drive's own cache, so ``F_FULLFSYNC`` is asked for first.
        """
        if sys.platform == "darwin":
            import fcntl

            try:
                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
                return
            except OSError as error:
                if error.errno not in _NOT_SYNCABLE | {errno.ENOTTY}:
                    raise
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close a descriptor."""
        os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Give a file or folder another name in the same folder, in one step; an existing file there is replaced.

        A folder replaces nothing but, on POSIX, an empty folder. On Windows another program (a virus scanner, an
        indexer) may hold either name open for a moment: the step is tried again for one second.
        """
        _patiently(lambda: source.replace(target))

    def fsync_dir(self, folder: Path) -> None:
        """Bring a folder's list of names to the disk.

        Windows has no such call, NTFS keeps names in its own journal: nothing is done there, and after a loss of
        power a finished rename may be undone (to the old content whole). Network and FUSE systems that do not
        support the call are left alone too.
        """
        if WINDOWS:
            return
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _NOT_SYNCABLE:
                raise
        finally:
            os.close(descriptor)

    def mkdir(self, folder: Path) -> None:
        """Make one folder whose parent exists."""
        folder.mkdir()

    def unlink(self, path: Path) -> None:
        """Remove a file or a symbolic link; on Windows a read-only mark is taken off first."""
        if WINDOWS and not path.is_symlink():
            path.chmod(stat.S_IWRITE)
        _patiently(path.unlink)

    def rmdir(self, folder: Path) -> None:
        """Remove an empty folder."""
        _patiently(folder.rmdir)

    def guard(self, descriptor: int) -> bool:
        """Take the system's own lock on an open file, without waiting.

        It excludes other processes and other descriptors of this one, and ends with its process.

        Returns:
            False where the file system knows no locks (some Lustre and NFS mounts): nobody is excluded then.

        Raises:
            BlockingIOError: Somebody else has it.
        """
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _GUARD_BYTE, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError as error:
                raise BlockingIOError(errno.EAGAIN, "locked") from error
            return True
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno not in _NO_LOCKS_HERE:
                raise
            return False
        return True

    def unguard(self, descriptor: int) -> None:
        """Give the system's lock back, also for descriptors that a forked child inherited."""
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _GUARD_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
            return
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _patiently(step: Callable[[], object]) -> None:
    """Do a step; on Windows do it again for a second while another program holds the file."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            step()
            return
        except PermissionError:
            if not WINDOWS or time.monotonic() > end:
                raise
        time.sleep(0.02)


primitives = Primitives()
