"""The lock: never two holders, and never lost to a process that is no more."""

from __future__ import annotations

import errno
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from storage_faults import Crash, Faults, listening, really
from workbench import storage
from workbench.errors import LockHeld, RunError
from workbench.storage import locks, processes
from workbench.storage.system import primitives

posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX system")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / ".lock"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Another process that lives and does nothing."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()
    assert process.stdin
    process.stdin.close()


def record(path: Path, **changes: object) -> None:
    """Write the lock of this process, with changes, as an earlier holder left it."""
    mine = processes.this_process()
    found = {"pid": mine.pid, "boot_id": mine.boot_id, "started": mine.started, "host": mine.host}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**found, "since": "2026-11-01T10:00:00Z", "token": "t", **changes}))


def test_a_lock_names_its_holder_and_is_gone_afterwards(path: Path) -> None:
    with storage.Lock(path):
        held = json.loads(path.read_text())
        assert held["pid"] == os.getpid()
        assert {"pid", "boot_id", "started"} <= held.keys()
        holder = storage.lock_holder(path)
        assert holder
        assert holder.process == processes.this_process()
    assert storage.lock_holder(path) is None
    assert os.name == "nt" or list(path.parent.iterdir()) == []


def test_a_lock_is_given_back_when_the_block_fails(path: Path) -> None:
    with pytest.raises(KeyError), storage.Lock(path):
        raise KeyError
    with storage.Lock(path):
        pass


def test_the_same_process_cannot_take_a_lock_twice(path: Path) -> None:
    lock = storage.Lock(path)
    with lock:
        for other in (lock, storage.Lock(path)):
            with pytest.raises(LockHeld, match="this very one"):
                other.acquire()
        assert storage.lock_holder(path)


def test_a_lock_that_is_held_tells_who_holds_it_and_since_when(path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    record(path, pid=sleeper.pid, started=processes.start_time(sleeper.pid))
    with pytest.raises(LockHeld) as caught:
        storage.Lock(path).acquire()
    assert f"process {sleeper.pid} has held its lock since 2026-11-01T10:00:00Z" in caught.value.problem
    assert f"stop process {sleeper.pid}" in caught.value.what_to_do
    assert caught.value.would_be_right
    assert isinstance(caught.value, RunError)


@posix
def test_the_lock_of_a_killed_process_is_taken_over_even_before_anybody_waited_for_it(
    path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    record(path, pid=sleeper.pid, started=processes.start_time(sleeper.pid))
    sleeper.kill()
    end = time.monotonic() + 5
    while processes.start_time(sleeper.pid) is not None and time.monotonic() < end:
        time.sleep(0.01)
    with storage.Lock(path):
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_a_pid_that_was_used_again_does_not_hold_the_lock(path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    record(path, pid=sleeper.pid, started="1")
    assert storage.lock_holder(path) is None
    with storage.Lock(path):
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_a_lock_from_before_the_machine_started_again_is_taken_over(path: Path) -> None:
    record(path, boot_id="another")
    with storage.Lock(path):
        pass


def test_a_holder_on_another_machine_counts_as_alive_and_the_message_says_how_to_get_rid_of_it(path: Path) -> None:
    record(path, host="elsewhere", boot_id="another", pid=1)
    with pytest.raises(LockHeld, match="'elsewhere', which cannot be seen from here") as caught:
        storage.Lock(path).acquire()
    assert f"delete {path}" in caught.value.what_to_do


def test_a_holder_whose_start_cannot_be_read_counts_as_alive(path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    record(path, pid=sleeper.pid, started="")
    with pytest.raises(LockHeld):
        storage.Lock(path).acquire()


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": ', b"\0" * 80, b"[]", b'{"pid": "x"}', b"\xff", b"9" * 5000])
def test_a_torn_record_is_no_holder(content: bytes, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert storage.lock_holder(path) is None
    with storage.Lock(path):
        with pytest.raises(LockHeld):
            storage.Lock(path).acquire()
        assert json.loads(path.read_text())["pid"] == os.getpid()


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1, 10**30])
def test_an_impossible_number_is_no_process(pid: int) -> None:
    assert processes.start_time(pid) is None


@linux
def test_a_process_is_known_in_the_same_way_by_ps_as_by_proc(sleeper: subprocess.Popen[bytes]) -> None:
    first = processes._start_by_ps(sleeper.pid)
    assert first == processes._start_by_ps(sleeper.pid) != ""
    assert processes._start_by_ps(2**22 + 1) == ""
    assert processes.start_time(sleeper.pid) != processes.start_time(os.getpid())
    assert processes.start_time(1)


@posix
def test_a_forked_child_does_not_give_back_its_parents_lock(path: Path) -> None:
    with storage.Lock(path) as lock:
        child = os.fork()
        if child == 0:
            lock.release()
            os._exit(0)
        os.waitpid(child, 0)
        assert storage.lock_holder(path)


def test_a_lock_that_somebody_deleted_is_given_back_without_harm(path: Path) -> None:
    with storage.Lock(path) as lock:
        path.unlink()
        with storage.Lock(path):
            lock.release()
            assert storage.lock_holder(path)
    with storage.Lock(path):
        pass


@posix
def test_who_waited_for_a_lock_that_was_given_back_and_taken_by_a_third_does_not_hold_it_too(path: Path) -> None:
    first, second, third = (storage.Lock(path) for _ in range(3))
    first.acquire()
    opened = []

    def listener(name: str, *arguments: Any) -> Any:
        result = really(name, *arguments)
        if name == "open" and not opened:
            opened.append(result)
            first.release()
            third.acquire()
        return result

    with listening(listener), pytest.raises(LockHeld):
        second.acquire()
    assert opened
    third.release()


@pytest.mark.parametrize("stale", [False, True])
def test_a_crash_at_any_step_of_taking_or_giving_back_leaves_a_lock_that_can_be_taken(
    stale: bool, tmp_path: Path
) -> None:
    for at in itertools.count(1):
        path = tmp_path / str(at) / ".lock"
        if stale:
            record(path, started="1")
        faults = Faults(at)
        try:
            with faults.injected(), storage.Lock(path):
                pass
        except Crash:
            pass
        with patch.object(processes, "start_time", _after_a_new_start):
            with storage.Lock(path), pytest.raises(LockHeld):
                storage.Lock(path).acquire()
        if not faults.fired:
            break
    assert at > 8


def _after_a_new_start(pid: int) -> str:
    return "the process that came after the crash"


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_an_error_at_any_step_of_taking_leaves_a_lock_that_can_be_taken(error: int, tmp_path: Path) -> None:
    for at in itertools.count(1):
        path = tmp_path / str(at) / ".lock"
        faults, lock = Faults(at, error), storage.Lock(path)
        try:
            with faults.injected():
                lock.acquire()
        except RunError as caught:
            assert caught.what_to_do  # noqa: PT017
            assert not isinstance(caught, LockHeld)  # noqa: PT017
            lock.acquire()
        with pytest.raises(LockHeld):
            storage.Lock(path).acquire()
        lock.release()
        assert storage.lock_holder(path) is None
        if not faults.fired:
            break
    assert at > 5


def test_an_error_in_giving_back_can_be_tried_again(path: Path) -> None:
    for at in range(1, 6):
        lock = storage.Lock(path)
        lock.acquire()
        try:
            with Faults(at, errno.EIO).injected():
                lock.release()
        except RunError:
            assert storage.lock_holder(path)
            lock.release()
        assert storage.lock_holder(path) is None


def test_threads_never_hold_a_lock_together(path: Path) -> None:
    inside, most, taken = 0, 0, 0
    counting = threading.Lock()

    def work() -> None:
        nonlocal inside, most, taken
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            try:
                with storage.Lock(path):
                    with counting:
                        inside, taken = inside + 1, taken + 1
                        most = max(most, inside)
                    time.sleep(0.001)
                    with counting:
                        inside -= 1
            except LockHeld:
                time.sleep(0.001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert taken > 4


CONTENDER = """
import os, random, sys, time
from pathlib import Path
from workbench import storage
from workbench.storage import processes
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
random.seed(seed)
taken = 0
end = time.monotonic() + 1.5
while time.monotonic() < end and taken < 40:
    try:
        with storage.Lock(folder / ".lock"):
            marker = folder / "inside"
            if marker.exists() and processes.start_time(int(marker.read_text())) is not None:
                sys.exit(3)
            marker.write_text(str(os.getpid()))
            time.sleep(random.random() * 0.004)
            taken += 1
            if seed % 2 and taken == 5:
                os._exit(9)
            if marker.read_text() != str(os.getpid()):
                sys.exit(4)
            marker.unlink()
    except storage.LockHeld:
        time.sleep(random.random() * 0.003)
print(taken)
"""


@posix
def test_processes_that_contend_and_die_inside_never_hold_the_lock_together(tmp_path: Path) -> None:
    others = [
        subprocess.Popen([sys.executable, "-c", CONTENDER, str(tmp_path), str(seed)], stdout=subprocess.PIPE)
        for seed in range(4)
    ]
    taken = [int(other.communicate(timeout=30)[0] or 0) for other in others]
    codes = [other.returncode for other in others]
    assert set(codes) <= {0, 9}, codes
    assert sum(taken) > 5
    with storage.Lock(tmp_path / ".lock"):
        pass


def test_a_guard_that_stays_taken_is_told_after_a_while(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_PATIENCE_S", 0.05)
    path.parent.mkdir()
    with path.open("a+b") as other:
        assert primitives.guard(other.fileno())
        with pytest.raises(LockHeld, match="right now") as caught:
            storage.Lock(path).acquire()
        assert caught.value.what_to_do
        primitives.unguard(other.fileno())
    with storage.Lock(path):
        pass


def test_where_the_file_system_has_no_locks_the_one_who_was_overwritten_gives_way(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(primitives, "guard", lambda descriptor: False)
    with storage.Lock(path), pytest.raises(LockHeld):
        storage.Lock(path).acquire()
    other = path.parent / "other"
    record(other, pid=os.getppid(), started=processes.start_time(os.getppid()))
    monkeypatch.setattr(locks, "_SECOND_LOOK_S", 0)
    monkeypatch.setattr("time.sleep", lambda seconds: path.write_bytes(other.read_bytes()))
    with pytest.raises(LockHeld, match=f"process {os.getppid()}"):
        storage.Lock(path).acquire()
