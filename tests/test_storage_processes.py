"""Real processes that are killed while they write, and real limits, permissions and full disks."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage_faults import leftovers, tree
from workbench import storage

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL, limits and users are POSIX's")

WRITER = """
import sys
from pathlib import Path
from workbench import storage
home = Path(sys.argv[1])
with storage.Lock(home / ".lock"):
    storage.sweep(home)
    storage.repair_lines(home / "log.jsonl")
    log = home / "log.jsonl"
    seq = len(log.read_text().splitlines()) if log.exists() else 0
    while True:
        text = f"{seq}" * 3000
        storage.append_line(log, f'{{"seq": {seq}, "pad": "{text[:seq % 700]}"}}')
        print(seq, flush=True)
        storage.write_json(home / "state.json", {"seq": seq, "pad": [seq] * 2000})
        with storage.commit_folder(home / "model", replace=True) as folder:
            storage.write_text(folder / "a", text)
            storage.write_text(folder / "inner" / "b", text)
        storage.copy_tree(home / "model", home / f"copy-{seq % 3}", replace=True)
        storage.remove_tree(home / f"copy-{(seq + 1) % 3}")
        seq += 1
"""


@pytest.mark.slow
def test_whatever_the_moment_of_a_kill_everything_is_whole_and_the_next_process_goes_on(tmp_path: Path) -> None:
    moments, done = random.Random(0), -1  # noqa: S311  (moments, no secrets)
    for _ in range(10):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout
        first = writer.stdout.readline()
        time.sleep(moments.random() * 0.12)
        writer.send_signal(signal.SIGKILL)
        told = (first + writer.stdout.read()).split(b"\n")[:-1]
        writer.stdout.close()
        writer.wait()
        assert int(told[0]) == done + 1 or int(told[0]) == done + 2, "it goes on where it was"
        done = int(told[-1])
        with storage.Lock(tmp_path / ".lock"):
            storage.sweep(tmp_path)
            storage.repair_lines(tmp_path / "log.jsonl")
        done = judge(tmp_path, done)


def judge(home: Path, told: int) -> int:
    """Every line that was told is there, every file and folder is whole; give the last line's number."""
    assert leftovers(home) == []
    lines = [json.loads(line) for line in (home / "log.jsonl").read_text().splitlines()]
    assert [line["seq"] for line in lines] == list(range(len(lines)))
    assert len(lines) in (told + 1, told + 2), "a line that was told is lost"
    last = len(lines) - 1
    if last:
        state = storage.read_json(home / "state.json")
        assert state == {"seq": state["seq"], "pad": [state["seq"]] * 2000}
        assert state["seq"] in (last, last - 1)
    for folder in [home / "model", *home.glob("copy-*")]:
        if folder.exists():
            found = tree(folder)
            assert set(found) == {"a", "inner/b"}
            assert found["a"] == found["inner/b"] == found["a"][: len(found["a"]) // 3000] * 3000
    assert not last or (home / "model").exists(), "the sweep puts back what was being replaced"
    return last


def run(source: str, *arguments: object, before: list[str] | None = None) -> str:
    """Run a piece of Python in a process of its own; give what it printed."""
    done = subprocess.run(
        [*(before or []), sys.executable, "-c", source, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


REFUSED = """
import sys
from pathlib import Path
from workbench import storage
from workbench.errors import RunError
home = Path(sys.argv[1])
def told(do):
    try:
        do()
    except RunError as error:
        assert error.would_be_right and error.what_to_do
        print(error.problem)
    else:
        print("NOT REFUSED")
def commit():
    with storage.commit_folder(home / "folder") as folder:
        (folder / "small").write_text("fits")
        (folder / "large").write_bytes(bytes(200_000))
told(lambda: storage.write_bytes(home / "file", bytes(200_000)))
told(lambda: storage.append_line(home / "log", "x" * 200_000))
told(commit)
"""


def test_a_file_above_the_limit_of_the_system_is_told_and_nothing_half_written_stays(tmp_path: Path) -> None:
    storage.write_text(tmp_path / "file", "old")
    storage.append_line(tmp_path / "log", "first")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
    told = run(limit + REFUSED, tmp_path).splitlines()
    assert len(told) == 3
    assert all("File too large" in line and "larger than the system lets one file be" in line for line in told)
    assert "0.2 MB" in told[0]
    assert tree(tmp_path) == {"file": b"old", "log": b"first\n"}
    assert leftovers(tmp_path) == []


def test_a_disk_that_is_really_full_is_told_and_nothing_half_written_stays(tmp_path: Path) -> None:
    disk = ["unshare", "--mount", "sh", "-c"]
    mounted = 'mount -t tmpfs -o size=128k none "$0" && exec "$@"'
    tried = subprocess.run([*disk, mounted, str(tmp_path), "true"], capture_output=True) if _can_unshare() else None
    if tried is None or tried.returncode:
        pytest.skip("needs the right to mount a small disk")
    begin = "import sys; from pathlib import Path; from workbench import storage; home = Path(sys.argv[1])\n"
    begin += "storage.write_text(home / 'file', 'old'); storage.append_line(home / 'log', 'first')\n"
    end = "print(sorted((p.name, p.read_bytes()) for p in home.iterdir()))"
    told = run(begin + REFUSED + end, tmp_path, before=[*disk, mounted, str(tmp_path)]).splitlines()
    assert len(told) == 4
    assert all("No space left on device" in line and "MB are free in" in line for line in told[:3])
    assert told[3] == "[('file', b'old'), ('log', b'first\\n')]"


def _can_unshare() -> bool:
    return shutil.which("unshare") is not None and shutil.which("mount") is not None and os.geteuid() == 0


@pytest.fixture
def locked_folder() -> Iterator[Path]:
    """A folder with a file, in which an ordinary user may not write."""
    with tempfile.TemporaryDirectory(prefix="workbench-") as name:
        folder = Path(name)
        (folder / "file").write_text("old")
        (folder / "log").write_text("first\n")
        (folder / "log").chmod(0o444)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


def test_a_folder_that_may_not_be_written_to_is_told_and_left_as_it_was(locked_folder: Path) -> None:
    ordinary = "import fcntl, os; from workbench import storage; os.geteuid() or os.setuid(65534)\n"
    more = "told(storage.Lock(home / '.lock').acquire)\ntold(lambda: storage.remove_tree(home / 'file'))\n"
    told = run(ordinary + REFUSED + more, locked_folder).splitlines()
    assert len(told) == 5
    assert all("Permission denied" in line for line in told)
    assert tree(locked_folder) == {"file": b"old", "log": b"first\n"}
    assert leftovers(locked_folder) == []
