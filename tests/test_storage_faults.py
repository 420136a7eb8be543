"""Every operation that writes, with a fault at every step: the old content or the new stands there, whole."""

from __future__ import annotations

import errno
import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from storage_faults import Crash, Disk, Faults, leftovers, listening, put, really, tree
from workbench import storage
from workbench.errors import RunError

OLD, NEW = b"old content\n", b"the new, longer content\n"
LINES = '{"seq": 0}\n{"seq": 1}\n'
ASIDE = ".tmp-0123456789abcdef"


@dataclass(frozen=True)
class Case:
    """An operation: what is there before, what is done."""

    name: str
    prepare: Callable[[Path], object]
    act: Callable[[Path], object]
    may_be_absent: bool = False
    is_log: bool = False


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """Give a folder in memory where the system has one: thousands of small folders are made here."""
    memory = Path("/dev/shm")  # noqa: S108  (a fresh folder in it is used)
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="workbench-") as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def _no_waiting_for_the_platter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the order of operations is judged; real syncs only cost time (test_storage_processes.py has them)."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def _file(folder: Path) -> None:
    (folder / "a.txt").write_bytes(OLD)


def _tree(folder: Path, name: str = "made", content: bytes = OLD) -> None:
    (folder / name / "inner").mkdir(parents=True)
    (folder / name / "one").write_bytes(content)
    (folder / name / "inner" / "two").write_bytes(content * 2)


def _log(content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "log.jsonl").write_text(content)


def _commit(folder: Path, *, replace: bool = False) -> None:
    with storage.commit_folder(folder / "made", replace=replace) as made:
        storage.write_bytes(made / "one", NEW)
        (made / "inner").mkdir()
        (made / "inner" / "two").write_bytes(NEW * 2)


def _leftover(folder: Path) -> None:
    _file(folder)
    _tree(folder, ASIDE)
    (folder / ".tmp-fedcba9876543210").write_bytes(b"half a fi")


def _interrupted_replacing(folder: Path) -> None:
    _tree(folder, f"{ASIDE}-was-made")
    _tree(folder, ".tmp-fedcba9876543210", NEW)


def _nothing(folder: Path) -> None:
    pass


CASES = [
    Case("write_bytes, new", _nothing, lambda f: storage.write_bytes(f / "a.txt", NEW)),
    Case("write_bytes, replacing", _file, lambda f: storage.write_bytes(f / "a.txt", NEW)),
    Case("write_bytes, new folders", _file, lambda f: storage.write_bytes(f / "b" / "c" / "a.txt", NEW)),
    Case("write_chunks", _file, lambda f: storage.write_chunks(f / "a.txt", [NEW, b"", OLD, memoryview(NEW)])),
    Case("write_text", _file, lambda f: storage.write_text(f / "a.txt", "Schlüssel\n")),
    Case("write_json", _file, lambda f: storage.write_json(f / "a.txt", {"b": 1, "a": [None, 0.5]})),
    Case("write_parquet", _file, lambda f: storage.write_parquet(f / "a.txt", pa.table({"a": [1, 2, 3]}))),
    Case("write_array", _file, lambda f: storage.write_array(f / "a.txt", np.arange(6.0).reshape(2, 3))),
    Case("write_tensors", _file, lambda f: storage.write_tensors(f / "a.txt", {"w": np.arange(6.0)})),
    Case("append_line, new file", _nothing, lambda f: storage.append_line(f / "log.jsonl", '{"seq": 2}'), is_log=True),
    Case("append_line", _log(LINES), lambda f: storage.append_line(f / "log.jsonl", '{"seq": 2}'), is_log=True),
    Case(
        "append_line, after a torn line",
        _log(LINES + '{"se'),
        lambda f: storage.append_line(f / "log.jsonl", '{"seq": 2}'),
        is_log=True,
    ),
    Case("repair_lines", _log(LINES + '{"se'), lambda f: storage.repair_lines(f / "log.jsonl"), is_log=True),
    Case("make_folder", _file, lambda f: storage.make_folder(f / "b" / "c")),
    Case("remove_file", _file, lambda f: storage.remove_file(f / "a.txt")),
    Case("commit_folder, new", _file, _commit),
    Case("commit_folder, replacing", _tree, lambda f: _commit(f, replace=True), may_be_absent=True),
    Case("copy_tree, new", _tree, lambda f: storage.copy_tree(f / "made", f / "copied")),
    Case(
        "copy_tree, replacing",
        lambda f: (_tree(f), _tree(f, "copied", NEW)),
        lambda f: storage.copy_tree(f / "made", f / "copied", replace=True),
        may_be_absent=True,
    ),
    Case("remove_tree", _tree, lambda f: storage.remove_tree(f / "made")),
    Case("sweep, unfinished", _leftover, storage.sweep),
    Case("sweep, interrupted replacing", _interrupted_replacing, storage.sweep),
]
WRITING = [case for case in CASES if not case.name.startswith(("repair", "make", "remove", "sweep"))]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def start_again(folder: Path) -> dict[str, bytes]:
    """Do what a run does when it starts under its lock, and read what is there."""
    storage.sweep(folder)
    if (folder / "log.jsonl").exists():
        storage.repair_lines(folder / "log.jsonl")
    assert leftovers(folder) == []
    return filled(folder)


def filled(folder: Path) -> dict[str, bytes]:
    """Read what is there; a log without a line is as good as none."""
    return {path: content for path, content in tree(folder).items() if content or path != "log.jsonl"}


class Bench:
    """Runs a case again and again, each time in a fresh copy of the same beginning."""

    def __init__(self, case: Case, home: Path) -> None:
        self.case, self.home = case, home
        self.numbers = itertools.count()
        self.before = start_again(self.fresh())
        whole = self.fresh()
        case.act(whole)
        self.after = start_again(whole)

    def fresh(self) -> Path:
        folder = self.home / str(next(self.numbers))
        folder.mkdir()
        self.case.prepare(folder)
        return folder

    def judge(self, folder: Path) -> None:
        """Nothing but the old or the new, as it lies there and after starting again; then the work can be done."""
        raw = tree(folder)
        if self.case.is_log:
            kept = self.before.get("log.jsonl", b"")
            assert raw.get("log.jsonl", b"").startswith(kept), "an earlier line was harmed"
        elif not self.case.name.startswith("sweep"):
            gone = {path: data for path, data in self.before.items() if path.split("/")[0] not in ("made", "copied")}
            gone |= {path: data for path, data in self.before.items() if path in self.after and path in raw}
            assert raw in (self.before, self.after) or (self.case.may_be_absent and raw == gone)
        found = start_again(folder)
        assert found in (self.before, self.after)
        if found == self.before:
            self.case.act(folder)
            assert start_again(folder) == self.after


def counted(error: int | None, **more: bool) -> Iterator[Faults]:
    """Give the fault at operation 1, 2, … until one was not reached any more."""
    for at in itertools.count(1):
        faults = Faults(at, error, **more)
        yield faults
        if not faults.fired:
            assert at > 1
            return


@every_case
def test_after_a_crash_at_any_operation_the_old_or_the_new_stands_whole(case: Case, tmp_path: Path) -> None:
    bench = Bench(case, tmp_path)
    for faults in counted(None):
        folder = bench.fresh()
        try:
            with faults.injected():
                case.act(folder)
        except Crash:
            assert faults.fired
        bench.judge(folder)


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
@every_case
def test_an_error_at_any_operation_is_told_in_three_parts_and_leaves_the_old_or_the_new(
    case: Case, error: int, lasting: bool, tmp_path: Path
) -> None:
    bench = Bench(case, tmp_path)
    for faults in counted(error, lasting=lasting):
        folder = bench.fresh()
        raw, raised = tree(folder), None
        with faults.injected():
            try:
                case.act(folder)
            except RunError as caught:
                raised = caught
        if raised is None:
            assert start_again(folder) == bench.after
        else:
            assert raised.problem
            assert raised.would_be_right
            assert raised.what_to_do
            cause = raised.__cause__
            assert isinstance(cause, OSError)
            assert cause.errno == error
            assert error != errno.ENOSPC or "MB are free in" in raised.problem
            if not lasting and case in WRITING:
                # The old folder is kept while it is not sure that its successor's name is on the disk.
                kept = [name for name in leftovers(folder) if "-was-" not in name or tree(folder) != bench.after]
                assert kept == [], "the temporary is removed at once"
                assert filled(folder) in (bench.before, bench.after, raw), "and the old is there at once"
        bench.judge(folder)


@pytest.mark.parametrize("error", [None, errno.ENOSPC], ids=["crash", "ENOSPC"])
@pytest.mark.parametrize("case", WRITING, ids=lambda case: case.name)
def test_a_write_torn_at_any_byte_leaves_the_old_or_the_new(case: Case, error: int | None, tmp_path: Path) -> None:
    bench = Bench(case, tmp_path)
    longest = max(map(len, bench.after.values()))
    every = range(min(longest, 24)) if case.name in ("write_bytes, replacing", "append_line") else range(2)
    for torn in sorted({*every, longest // 2, longest - 1}):
        for at in itertools.count(1):
            faults = Faults(at, error, torn=torn)
            folder = bench.fresh()
            try:
                with faults.injected():
                    case.act(folder)
            except Crash:
                assert faults.fired
            except RunError:
                assert filled(folder) == bench.before, "what was written of it is taken back at once"
            bench.judge(folder)
            if not faults.fired:
                break


@pytest.mark.parametrize("case", WRITING, ids=lambda case: case.name)
def test_a_system_that_takes_three_bytes_at_a_time_gets_them_all(case: Case, tmp_path: Path) -> None:
    bench = Bench(case, tmp_path)
    folder = bench.fresh()
    with Faults(short=3).injected():
        case.act(folder)
    assert start_again(folder) == bench.after


def lost_power(bench: Bench, deaf_to: tuple[str, ...] = ()) -> tuple[list[dict[str, bytes]], list[dict[str, bytes]]]:
    """Do the act on a disk that forgets; give what is found after a loss of power during it, and after its end."""
    folder = bench.fresh()
    disk = Disk(folder, deaf_to)
    with listening(disk):
        bench.case.act(folder)
    found = []
    for states in (disk.moments, dict.fromkeys(disk.states())):
        found.append([])
        for state in states:
            again = bench.home / str(next(bench.numbers))
            put(state, again)
            found[-1].append(start_again(again))
    return found[0], found[1]


# What other code wrote into a folder without going through storage is known to the model only once it is opened.
MODELLED = [case for case in CASES if not case.name.startswith("commit")]


@pytest.mark.parametrize("case", MODELLED, ids=lambda case: case.name)
def test_a_loss_of_power_leaves_the_old_or_the_new_and_what_was_done_is_kept(case: Case, tmp_path: Path) -> None:
    bench = Bench(case, tmp_path)
    during, afterwards = lost_power(bench)
    assert [found for found in during if found not in (bench.before, bench.after)] == []
    if not case.name.startswith(("sweep", "make")):
        assert afterwards
        assert [found for found in afterwards if found != bench.after] == []


@pytest.mark.parametrize("replace", [False, True])
def test_a_loss_of_power_leaves_a_committed_folder_absent_or_whole(replace: bool, tmp_path: Path) -> None:
    def act(folder: Path) -> None:
        with storage.commit_folder(folder / "made", replace=replace) as made:
            storage.write_bytes(made / "one", NEW)
            storage.write_bytes(made / "inner" / "two", NEW * 2)

    bench = Bench(Case("commit", _tree if replace else _file, act, may_be_absent=replace), tmp_path)
    during, afterwards = lost_power(bench)
    assert [found for found in during if found not in (bench.before, bench.after)] == []
    assert [found for found in afterwards if found != bench.after] == []


@pytest.mark.parametrize("forgotten", ["fsync", "fsync_dir"])
@pytest.mark.parametrize("name", ["write_bytes, replacing", "append_line, new file", "copy_tree, new"])
def test_the_model_of_the_disk_catches_a_sync_that_is_left_out(name: str, forgotten: str, tmp_path: Path) -> None:
    bench = Bench(next(case for case in CASES if case.name == name), tmp_path)
    _, afterwards = lost_power(bench, deaf_to=(forgotten,))
    assert any(found != bench.after for found in afterwards)


def test_data_that_others_wrote_into_a_folder_is_synced_before_it_gets_its_name(tmp_path: Path) -> None:
    seen: list[tuple[str, object]] = []

    def listener(name: str, *arguments: object) -> object:
        seen.append((name, arguments[0]))
        return really(name, *arguments)

    with listening(listener), storage.commit_folder(tmp_path / "made") as made:
        (made / "inner").mkdir()
        (made / "one").write_bytes(NEW)
        (made / "inner" / "two").write_bytes(NEW)
    named = seen.index(("replace", made))
    opened = [subject for name, subject in seen[:named] if name == "open"]
    assert sorted(map(str, opened)) == sorted([str(made / "one"), str(made / "inner" / "two")])
    assert [name for name, _ in seen[:named]].count("fsync") == 2
    assert [subject for name, subject in seen[:named] if name == "fsync_dir"] == [made / "inner", made]
    assert seen[named + 1] == ("fsync_dir", tmp_path)


def test_a_failing_source_of_chunks_leaves_nothing_behind(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield NEW
        raise KeyboardInterrupt

    _file(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        storage.write_chunks(tmp_path / "a.txt", chunks())
    assert tree(tmp_path) == {"a.txt": OLD}
    assert leftovers(tmp_path) == []
