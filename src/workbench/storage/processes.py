"""Which process took a lock, and whether it is still the same one.

A process is known by its number, its start time and the boot of the machine it runs in: numbers are used
again, the three together are not. Nothing but the standard library and the system's own tools is used.

- Linux: ``/proc``; exact. A killed process that nobody has waited for (a zombie) counts as ended.
- macOS and other Unix: ``/bin/ps`` and ``sysctl``. Start times are whole seconds: a number that is used again within
  the second in which its first owner started would be mistaken for it, so a lock could be seen as held too long.
- Windows: kernel32. There is no boot id; start times are absolute there (100 ns), which does the same work.

Where a start time cannot be read, a living process counts as the same one: a lock is rather held too long than taken
from its owner. A process on another machine or in another container (another host name) cannot be seen, and counts
as running. Two containers that share a host name and a folder, but not process numbers, are not told apart.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

UNKNOWN = ""


@dataclass(frozen=True)
class Process:
    """A process as a lock remembers it: number, start time, boot, machine."""

    pid: int
    started: str
    boot_id: str
    host: str


def this_process() -> Process:
    """Describe the process that is running this."""
    return Process(os.getpid(), start_time(os.getpid()) or UNKNOWN, boot_id(), host())


def is_running(process: Process) -> bool:
    """Say whether a process is still at work, or could be as far as can be seen from here.

    Args:
        process: As it described itself.
    """
    if process.host != host():
        return True
    if process.boot_id != boot_id():
        return False
    started = start_time(process.pid)
    if started is None:
        return False
    return UNKNOWN in (started, process.started) or started == process.started


def host() -> str:
    """Give the name of this machine or container."""
    return platform.node()


@cache
def boot_id() -> str:
    """Give an identifier that changes with every start of the machine, empty where the system has none."""
    if sys.platform == "linux":
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return UNKNOWN
    if sys.platform == "win32":
        return UNKNOWN
    return _answer("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid" if sys.platform == "darwin" else "kern.boottime")


def start_time(pid: int) -> str | None:
    """Say when a process started, in the system's own words, to be compared and nothing else.

    Args:
        pid: Its number.

    Returns:
        The start time; empty when the process lives and the system does not tell; None when there is none.
    """
    if pid <= 0:
        return None
    if sys.platform == "win32":
        return _start_on_windows(pid)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:
        pass
    return _start_on_linux(pid) if sys.platform == "linux" else _start_by_ps(pid)


def _start_on_linux(pid: int) -> str | None:
    """Read the 22nd field of /proc/PID/stat: clock ticks from boot to start (man 5 proc)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return UNKNOWN
    return None if fields[0] in "ZX" else fields[19]


def _start_by_ps(pid: int) -> str | None:
    """Ask ps for state and start; in UTC and the C locale, so that the words never change."""
    state, _, started = _answer("/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)).partition(" ")
    return None if state.startswith("Z") else started.strip()


def _answer(*command: str) -> str:
    """Run one of the system's tools and give what it printed, empty when it failed."""
    try:
        done = subprocess.run(  # noqa: S603  (absolute path of a system tool, arguments of our own)
            command, capture_output=True, text=True, timeout=10, check=False, env={"LC_ALL": "C", "TZ": "UTC"}
        )
    except (OSError, subprocess.TimeoutExpired):
        return UNKNOWN
    return done.stdout.strip()


def _start_on_windows(pid: int) -> str | None:
    """Ask kernel32 for the creation time; os.kill(pid, 0) would send Ctrl-C there."""
    if sys.platform != "win32":
        return None
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.restype = wintypes.HANDLE
    query_limited_information, still_active, access_denied = 0x1000, 259, 5
    handle = wintypes.HANDLE(kernel.OpenProcess(query_limited_information, False, pid))
    if not handle:
        return UNKNOWN if ctypes.get_last_error() == access_denied else None
    try:
        code, times = wintypes.DWORD(), [wintypes.FILETIME() for _ in range(4)]
        if kernel.GetExitCodeProcess(handle, ctypes.byref(code)) and code.value != still_active:
            return None
        if not kernel.GetProcessTimes(handle, *map(ctypes.byref, times)):
            return UNKNOWN
        return str(times[0].dwHighDateTime << 32 | times[0].dwLowDateTime)
    finally:
        kernel.CloseHandle(handle)
