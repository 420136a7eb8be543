"""A training works in a process of its own: found again by any kernel, never two on one run, and told when it fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from watched_run import WatchedRun, written_recipe
from workbench import storage
from workbench.pipeline import request_stop
from workbench.projects.desk import run_at
from workbench.projects.process import Training
from workbench.runs import read_lines
from workbench.storage import processes

posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX system")


def until(true: Callable[[], object], seconds: float = 120.0) -> object:
    """What something says as soon as it says anything."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it never came")


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Training]:
    monkeypatch.setattr("workbench.projects.process.NICENESS", "1")  # a test waits for it, also on a busy machine
    made = Training(written_recipe(tmp_path / "runs" / "guide" / "tickets"), tmp_path / "runs")
    yield made
    if made.living:
        os.kill(storage.read_json(made.record)["process"]["pid"], signal.SIGKILL)


def logged(run: Path, kind: str) -> bool:
    """Whether a run's log tells of something."""
    return any(event["type"] == kind for event in read_lines(run / "log.jsonl"))


def pid_of(training: Training) -> int:
    return int(storage.read_json(training.record)["process"]["pid"])


@pytest.mark.slow
def test_an_error_before_there_is_a_run_is_told_in_its_three_parts_and_leaves_no_zombie(training: Training) -> None:
    (training.recipe.parent / "tickets.csv").unlink()
    assert training.start()
    pid = pid_of(training)
    until(lambda: not training.living)
    error = training.error(None)
    assert error is not None
    assert "tickets.csv" in error.problem
    assert error.would_be_right
    assert error.what_to_do
    until(lambda: not Path(f"/proc/{pid}").exists() if sys.platform == "linux" else True)
    assert training.output.name.startswith(".")


@posix
def test_a_start_that_finds_a_living_process_of_another_kernel_only_watches_it(training: Training) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        started = processes.start_time(other.pid)
        assert started is not None
        known = processes.Process(other.pid, started, processes.boot_id(), processes.host())
        storage.write_json(training.record, {"process": vars(known), "recipe_digest": training._digest()})
        assert training.living
        assert not training.start()
        assert pid_of(training) == other.pid
        training.stop(None, request_stop)
        assert other.wait(30) == -signal.SIGTERM
    assert not training.living
    assert training.error(None) is None


def test_a_run_at_work_that_somebody_else_started_is_never_joined_by_a_second(training: Training) -> None:
    from workbench import recipe as recipes

    run = WatchedRun(training.runs, recipes.read(training.recipe).recipe).at_work()
    assert not training.start()
    assert not training.start(resume=run.path)
    assert not training.record.is_file()
    assert training.folder() is None
    run.lock.release()


def test_two_panels_that_start_at_once_make_one_process(training: Training) -> None:
    with storage.Lock(training.record.with_suffix(".lock")):
        assert not training.start()
    assert not training.record.is_file()


def test_a_process_that_ended_without_a_word_is_told_with_its_last_line(training: Training) -> None:
    known = processes.Process(2**22 + 1, "1", processes.boot_id(), processes.host())
    storage.write_json(training.record, {"process": vars(known), "recipe_digest": training._digest()})
    storage.write_text(training.output, "Traceback (most recent call last):\nMemoryError: too large\n\n")
    error = training.error(None)
    assert error is not None
    assert "MemoryError: too large" in error.problem
    assert str(training.output) in error.what_to_do


def test_what_was_said_before_the_run_last_worked_is_old(training: Training) -> None:
    known = processes.Process(2**22 + 1, "1", processes.boot_id(), processes.host())
    storage.write_json(training.record, {"process": vars(known), "recipe_digest": training._digest()})
    told = '{\n "ok": false,\n "error": {"problem": "p", "would_be_right": "", "what_to_do": "", "problems": []}\n}\n'
    storage.write_text(training.output, told)
    run = WatchedRun(training.runs)
    assert training.error(run.path) is not None
    os.utime(training.output, (1.0, 1.0))
    assert training.error(run.path) is None


def test_what_was_said_of_another_recipe_is_no_answer(training: Training) -> None:
    known = processes.Process(2**22 + 1, "1", processes.boot_id(), processes.host())
    storage.write_json(training.record, {"process": vars(known), "recipe_digest": "0"})
    storage.write_text(training.output, "MemoryError: too large\n")
    assert training.error(None) is None


def test_beside_a_shipped_recipe_nothing_is_written(tmp_path: Path) -> None:
    from workbench.recipe import shipped_folder

    made = Training(shipped_folder("recipes") / "clinical-coding.yaml", tmp_path)
    assert made.record.parent == made.output.parent == tmp_path


@pytest.mark.slow
@posix
def test_a_killed_process_is_cut_off_and_a_second_one_goes_on_to_the_end(training: Training) -> None:
    assert training.start()
    assert not training.start(fresh=True)
    run = until(training.folder)
    assert isinstance(run, Path)
    until(lambda: logged(run, "stage finished"))
    assert os.getsid(pid_of(training)) == pid_of(training) != os.getsid(0)
    niceness = [os.getpriority(os.PRIO_PROCESS, pid) for pid in (pid_of(training), 0)]
    assert niceness[0] == min(niceness[1] + 1, 19)
    os.kill(pid_of(training), signal.SIGKILL)
    until(lambda: not training.living)
    assert run_at(run).status == "cut off"
    assert training.error(run) is None
    assert training.start(resume=run)
    until(lambda: not training.living, 300)
    assert run_at(run).status == "done"
    assert len(list(training.runs.glob("tickets/*/run.json"))) == 1


@pytest.mark.slow
@posix
def test_a_run_outlives_the_process_that_started_it_and_stops_when_asked(training: Training) -> None:
    code = (
        "import sys; from pathlib import Path; from workbench.projects.process import Training\n"
        "Training(*map(Path, sys.argv[1:])).start()"
    )
    subprocess.run([sys.executable, "-c", code, training.recipe, training.runs], check=True, timeout=120)
    assert training.living
    run = until(training.folder)
    assert isinstance(run, Path)
    until(lambda: logged(run, "run started"))
    training.stop(run, request_stop)
    until(lambda: not training.living)
    assert run_at(run).status == "stopped"
    assert training.error(run) is None
