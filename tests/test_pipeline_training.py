"""Fine-tuned teachers, transformer students and their compressed forms, through a whole run of a small table."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from small_table import recipe_values, tickets
from workbench import recipe as recipes
from workbench import storage
from workbench.errors import ModelError
from workbench.pipeline import Run, resume, run, verify

pytestmark = pytest.mark.slow

TUNING = {"epochs": 2, "batch_size": 16, "learning_rate": 1e-3, "checkpoint_seconds": 0}
CUT = {
    "name": "cut",
    "kind": "transformer",
    "cut": {"keep_layers": [1, 2], "drop_layers": [1]},
    "losses": {"hard": 0.5, "hidden": 0.1},
    "tuning": TUNING,
    "compress": ["int8", "fp16"],
}

KILLED = """
import os, signal, sys
import torch
from workbench import pipeline
from workbench.runs import Progress

torch.set_num_threads(1)
recipe, runs, candidate, count = sys.argv[1:]
seen = []

def listen(event):
    if isinstance(event, Progress) and event.candidate == candidate:
        seen.append(event)
        if len(seen) == int(count):
            os.kill(os.getpid(), signal.SIGKILL)

pipeline.run(recipe, runs=runs, listener=listen)
"""


def write_recipe(folder: Path, encoder: Path, method: str, students: list[dict[str, Any]]) -> Path:
    tickets(400).to_csv(folder / "tickets.csv", index=False)
    teacher = {"model": str(encoder), "method": method, "layers": [0, 2], "tuning": TUNING}
    values = recipes.from_values(recipe_values(encoder, teacher=teacher, students=students))
    (folder / "tickets.yaml").write_text(recipes.to_yaml(values), encoding="utf-8")
    return folder / "tickets.yaml"


def digests(path: Path) -> dict[str, str]:
    files = sorted((path / "models").rglob("*.safetensors"))
    return {file.relative_to(path).as_posix(): storage.sha256_file(file) for file in files}


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """So small networks gain nothing from two threads, and wait for the second on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tuned(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("tuned")
    return run(write_recipe(folder, tiny_encoder, "lora", [CUT]), runs=folder / "runs")


def test_every_candidate_is_made_scored_and_measured(tuned: Run):
    wanted = {"baseline", "teacher", "teacher-head", "control-cut", "selftrain-cut"}
    wanted |= {"student-cut", "student-cut-int8", "student-cut-fp16", "student-cut-short"}
    assert set(tuned.candidates) == wanted
    assert set(tuned.comparison.index) == wanted
    rates = tuned.measurements.query("quantity == 'rows_per_second'").set_index("candidate")["value"]
    assert set(rates.index) == wanted
    assert verify(tuned.path, full=True).ok


def test_compressed_candidates_bring_the_evidence_of_what_they_lost(tuned: Run):
    rows = tuned.measurements.query("quantity == 'agreement'").set_index("candidate")
    assert set(rows.index) == {"student-cut-int8", "student-cut-fp16"}
    assert (tuned.path / "evidence" / "parity-student-cut-int8.parquet").is_file()
    assert rows.loc["student-cut-fp16", "value"] > 0.99


def test_the_low_rank_updates_are_kept_beside_the_merged_teacher_without_a_path(tuned: Run):
    about = json.loads((tuned.path / "models" / "teacher" / "adapter" / "adapter_config.json").read_text())
    assert about["base_model_name_or_path"] == "tiny-bert"


def test_a_student_loads_with_transformers_alone(tuned: Run):
    script = """
import sys
from transformers import AutoModelForSequenceClassification, AutoTokenizer
model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1]).eval()
tokens = AutoTokenizer.from_pretrained(sys.argv[1])("chain slipping on my old bike", return_tensors="pt")
print([round(value, 4) for value in model(**tokens).logits.softmax(-1)[0].tolist()], model.config.id2label[0])
"""
    folder = tuned.path / "models" / "student-cut"
    command = [sys.executable, "-c", script, str(folder)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    ours = tuned.candidate("student-cut").model.predict_proba(["chain slipping on my old bike"])[0]
    assert [float(value) for value in said[1 : said.index("]")].split(",")] == pytest.approx(list(ours), abs=2e-4)
    assert "brakes" in said


def test_the_report_says_what_tuning_and_compression_brought(tuned: Run):
    page = tuned.report_path.read_text(encoding="utf-8")
    assert "teacher-head" in page
    assert "student-cut-int8" in page


def test_a_run_killed_inside_three_trainings_ends_with_the_same_weights(tiny_encoder: Path, tmp_path: Path):
    student = {**CUT, "compress": [], "cut": {"keep_layers": [2]}}
    recipe = write_recipe(tmp_path, tiny_encoder, "finetune", [student])
    undisturbed = run(recipe, runs=tmp_path / "undisturbed")
    for candidate, count in (("teacher", 4), ("student-cut", 12), ("control-cut", 5)):
        command = [sys.executable, "-c", KILLED, str(recipe), str(tmp_path / "killed"), candidate, str(count)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    found = next((tmp_path / "killed").glob("*/*/run.json")).parent
    assert any((found / "checkpoints").iterdir())
    again = resume(found)
    assert digests(again.path) == digests(undisturbed.path)
    log = (found / "log.jsonl").read_text(encoding="utf-8")
    assert log.count("Training goes on from step") == 3
    assert not any((found / "checkpoints").glob("*/step-*"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cut": {"keep_layers": [1, 7]}}, "7"),
        ({"cut": {"width": 33}}, "33"),
    ],
)
def test_what_does_not_fit_is_refused(tiny_encoder: Path, tmp_path: Path, change: dict[str, Any], message: str):
    student = {"name": "cut", "kind": "transformer", "tuning": TUNING, **change}
    with pytest.raises(ModelError, match=message):
        run(write_recipe(tmp_path, tiny_encoder, "finetune", [student]), runs=tmp_path / "runs")


def test_lora_targets_that_match_nothing_are_refused(tiny_encoder: Path, tmp_path: Path):
    recipe = write_recipe(tmp_path, tiny_encoder, "lora", [])
    with pytest.raises(ModelError, match="querry"):
        run(recipe, runs=tmp_path / "runs", overrides=["teacher.tuning.targets=[querry]"])
