"""A run's folder tells its state without this package, and a stage's result is reused only when it is whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import runs, storage
from workbench.errors import LockHeld, RunError, Stopped
from workbench.runs.folder import RunFolder, RunState


def state(**changes: object) -> RunState:
    values: dict[str, object] = {
        "recipe_digest": "a" * 64,
        "data_digest": "b" * 64,
        "status": "running",
        "seeds": 1,
        "created": runs.now(),
    }
    return RunState(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "runs", "small", state())


def test_the_state_is_plain_json_that_needs_no_package(folder: RunFolder) -> None:
    folder.set_status("done")
    values = json.loads((folder.path / "run.json").read_text(encoding="utf-8"))
    assert values["status"] == "done"
    assert values["format"] == 1
    assert values["finished"] >= values["created"]


def test_a_folder_of_a_newer_format_is_refused_with_what_to_do(folder: RunFolder) -> None:
    storage.write_json(folder.path / "run.json", {**vars(folder.state), "format": 2})
    with pytest.raises(RunError, match="reads up to 1") as caught:
        RunFolder(folder.path)
    assert "pip install --upgrade" in str(caught.value)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"has no run\.json"):
        RunFolder(tmp_path)


def test_latest_is_the_newest_run_and_none_is_told(folder: RunFolder) -> None:
    newer = RunFolder.create(folder.path.parent.parent, "other", state(created="2999-01-01T00:00:00+00:00"))
    assert runs.find_run("latest", folder.path.parent.parent) == newer.path
    with pytest.raises(RunError, match="no run in"):
        runs.find_run("latest", folder.path / "nothing")


def test_the_log_keeps_every_whole_line_and_drops_a_torn_one(folder: RunFolder) -> None:
    folder.log("run started", recipe="small")
    folder.log("stage finished", stage="data", candidate=None)
    with (folder.path / "log.jsonl").open("ab") as file:
        file.write(b'{"type": "torn')
    assert [event["type"] for event in folder.events()] == ["run started", "stage finished"]
    with folder.at_work():
        folder.log("run resumed")
    assert [event["type"] for event in folder.events()][-1] == "run resumed"


def test_a_second_process_in_the_folder_is_told_who_is_at_work(folder: RunFolder) -> None:
    script = (
        "import sys, time; from pathlib import Path; from workbench.runs.folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).at_work():\n  print('in', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(folder.path)], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            other.stdout.readline()
            with pytest.raises(LockHeld, match=str(other.pid)), folder.at_work():
                pass
        finally:
            other.kill()
    with folder.at_work():
        assert storage.lock_holder(folder.path / ".lock") is not None
    assert os.getpid() != other.pid


def test_a_stop_asked_from_outside_is_seen_and_a_new_start_forgets_it(folder: RunFolder) -> None:
    folder.request_stop()
    with pytest.raises(Stopped, match="asked to stop") as caught:
        folder.check_stop()
    assert "workbench resume" in str(caught.value)
    with folder.at_work():
        folder.check_stop()


def make(store: runs.StageStore, digest: str, text: str) -> None:
    with store.commit(digest, {"stage": "data", "run": "first"}) as folder:
        storage.write_text(folder / "result.txt", text)


def test_a_result_is_found_again_and_a_changed_one_is_not(tmp_path: Path) -> None:
    store = runs.StageStore(tmp_path)
    key = runs.StageKey("data", {"seed": 0}, ("recipe",))
    assert store.find(key.digest) is None
    make(store, key.digest, "good")
    record = store.find(key.digest)
    assert record is not None
    assert record["run"] == "first"
    (store.path(key.digest) / "result.txt").write_text("bad", encoding="utf-8")
    assert store.find(key.digest) is None
    make(store, key.digest, "good again")
    assert store.find(key.digest) is not None


def test_a_key_changes_with_inputs_seed_and_sources() -> None:
    keys = [
        runs.StageKey("data", {"seed": 0}, ("recipe",)),
        runs.StageKey("data", {"seed": 1}, ("recipe",)),
        runs.StageKey("data", {"seed": 0}, ("recipe", "metrics")),
        runs.StageKey("student", {"seed": 0}, ("recipe",)),
    ]
    assert len({key.digest for key in keys}) == len(keys)


def test_a_failed_stage_leaves_no_result(tmp_path: Path) -> None:
    store = runs.StageStore(tmp_path)

    def fail() -> None:
        with store.commit("d" * 64, {}) as folder:
            storage.write_text(folder / "half.txt", "half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.find("d" * 64) is None
    assert list(tmp_path.iterdir()) == []


def test_two_processes_do_not_make_the_same_result_at_once(tmp_path: Path) -> None:
    store = runs.StageStore(tmp_path)
    with store.claim("e" * 64), pytest.raises(LockHeld), store.claim("e" * 64, stop=lambda: True):
        pass


def test_the_manifest_shows_a_changed_a_missing_and_an_added_file(folder: RunFolder) -> None:
    storage.write_text(folder.path / "report.html", "<p>")
    storage.write_text(folder.path / "data" / "card.md", "card")
    runs.write_manifest(folder.path)
    folder.log("looked at")
    assert runs.check_manifest(folder.path) == []
    storage.write_text(folder.path / "report.html", "<p>changed")
    storage.remove_file(folder.path / "data" / "card.md")
    storage.write_text(folder.path / "extra.txt", "")
    told = runs.check_manifest(folder.path)
    assert told == [
        "data/card.md is missing.",
        "extra.txt was added after the run.",
        "report.html was changed after the run.",
    ]


def test_the_environment_names_versions_and_no_machine() -> None:
    described = runs.describe_environment()
    assert described["packages"]["numpy"]
    assert os.uname().nodename not in json.dumps(described)
    assert str(Path.home()) not in json.dumps(described)


def test_progress_is_written_as_lines_that_can_be_read(folder: RunFolder) -> None:
    listener = runs.ProgressFile(folder, every_seconds=0)
    listener(runs.Measured("student", "loss", 0.5, 3, "student-linear"))
    listener(runs.Progress("embeddings", 10, 20))
    listener(runs.StageStarted("data"))
    lines = runs.read_lines(folder.path / "progress.jsonl")
    assert [line["event"] for line in lines] == ["Measured", "Progress"]
