"""What the command line says when a request is wrong, and what it never says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from workbench.cli import app, messages
from workbench.errors import RunError, Stopped, WorkbenchError


@pytest.fixture
def failing(monkeypatch):
    """Lets every command end with an error of one's choice."""

    def fail_with(error):
        def fail(**_):
            raise error

        monkeypatch.setattr(app, "app", fail)

    return fail_with


def test_an_unknown_command_is_refused_with_the_nearest_one(workbench):
    answer = workbench("comparee", "latest")
    assert answer.status == 2
    assert "compare" in answer.told.replace("comparee", "")


def test_a_missing_argument_is_refused_with_status_2(workbench):
    assert workbench("run").status == 2


def test_an_error_is_told_in_three_parts_without_a_traceback(workbench, failing):
    failing(WorkbenchError("The cup is empty.", "A cup of tea.", "Fill it."))
    answer = workbench("recipes")
    assert answer.status == 2
    assert answer.out == ""
    assert answer.told.splitlines() == ["Wrong: The cup is empty.", "Right: A cup of tea.", "To do: Fill it."]


def test_every_problem_of_several_is_listed(workbench, failing):
    failing(WorkbenchError("There are 2 problems.", problems=["the first", "the second"]))
    assert [line for line in workbench("recipes").told.splitlines() if line.startswith("  - ")] == [
        "  - the first",
        "  - the second",
    ]


def test_markup_and_control_characters_of_data_are_shown_not_obeyed(workbench, failing):
    failing(WorkbenchError("[bold red]x[/] \x1b]0;owned\x07 \x9b31m \u202eabc", "[link=file:///etc]here[/link]"))
    told = workbench("recipes").told
    assert "[bold red]x[/] \\x1b]0;owned\\x07 \\x9b31m \\x202eabc" in told
    assert "[link=file:///etc]here[/link]" in told
    assert "\x1b]0;" not in told


def test_with_json_an_error_is_one_json_object(workbench, failing):
    failing(RunError("No run.", "A run.", "Make one."))
    answer = workbench("compare", "x", "--json")
    assert answer.status == 2
    assert answer.json["ok"] is False
    assert answer.json["error"] == {
        "kind": "RunError",
        "problem": "No run.",
        "would_be_right": "A run.",
        "what_to_do": "Make one.",
        "problems": ["No run."],
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Stopped("Asked to stop.", "Kept.", "workbench resume x")])
def test_an_interrupted_command_ends_with_status_130(workbench, failing, error):
    failing(error)
    assert workbench("recipes").status == 130


def test_json_has_no_nan_and_no_numpy():
    import numpy as np

    value = {"a": float("nan"), "b": np.float32(0.5), "c": (1, None, {"d": np.int64(3)})}
    assert messages.plain(value) == {"a": None, "b": 0.5, "c": [1, None, {"d": 3}]}


@pytest.mark.parametrize(("download", "told"), [(False, "1"), (True, "0")])
def test_libraries_are_told_to_stay_offline_unless_the_person_allows_downloads(monkeypatch, download, told):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    messages.quiet_and_offline(download)
    import os

    assert os.environ["HF_HUB_OFFLINE"] == os.environ["HF_DATASETS_OFFLINE"] == told


def test_help_names_every_command_and_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['workbench', '--help']\n"
        "from workbench.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'torch', 'sklearn', 'yaml', 'evaluate', 'matplotlib'}\n"
        "sys.exit(sorted(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    for command in "recipes check run resume stop compare predict report verify new lab doctor".split():
        assert f" {command} " in done.stdout
