"""A run that is killed for real, at any of its stages, goes on and ends with the same numbers."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from small_table import recipe_values, tickets
from workbench import recipe as recipes
from workbench import storage
from workbench.pipeline import Run, resume, run, verify
from workbench.runs import RunFolder

pytestmark = pytest.mark.slow

KILLED = """
import os, signal, sys
from workbench import pipeline, reporting
from workbench.runs import Progress, StageStarted

recipe, runs, where = sys.argv[1:]

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def listen(event):
    if isinstance(event, StageStarted) and event.stage == where:
        kill()
    if where == "in embeddings" and isinstance(event, Progress) and event.stage == "embed":
        kill()

if where == "report":
    reporting.report = kill
pipeline.run(recipe, runs=runs, listener=listen)
"""


def scores(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = storage.read_json(path / "metrics.json")
    return rows


@pytest.fixture(scope="module")
def recipe(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    tickets(500).to_csv(folder / "tickets.csv", index=False)
    values = recipes.from_values(recipe_values(tiny_encoder))
    (folder / "tickets.yaml").write_text(recipes.to_yaml(values), encoding="utf-8")
    return folder / "tickets.yaml"


@pytest.fixture(scope="module")
def undisturbed(recipe: Path) -> Run:
    return run(recipe, runs=recipe.parent / "undisturbed")


@pytest.mark.parametrize(
    "where", ["embeddings", "in embeddings", "teacher", "student", "predictions", "metrics", "measurement", "report"]
)
def test_a_run_killed_goes_on_and_ends_with_the_same_numbers(
    recipe: Path, undisturbed: Run, where: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", KILLED, str(recipe), str(tmp_path), where]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    folder = next(tmp_path.glob("*/*/run.json")).parent
    assert RunFolder(folder).state.status == "running"
    again = resume("latest", runs=tmp_path)
    assert again.path == folder
    assert again.status == "done"
    assert scores(folder) == scores(undisturbed.path)
    assert verify(folder).ok
    assert list(folder.rglob(".tmp-*")) == []
