"""The comparisons with peers run to their end on a tiny encoder; what they measure there means nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from workbench.data import Labelled, Splits, Unlabelled
from workbench.models.weights import check_folder

ROOT = Path(__file__).resolve().parents[1]
ROWS = 96

pytestmark = pytest.mark.slow


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import recording

    monkeypatch.setattr(recording, "RESULTS", tmp_path / "latest.jsonl")
    return tmp_path / "latest.jsonl"


@pytest.fixture
def task(results, tiny_encoder, phrases):
    from benchmarks.peers_task import Sizes, Task

    texts, labels = phrases
    arrays = pa.array(texts[:ROWS], pa.large_string()), np.asarray(labels[:ROWS], dtype=np.int32)
    rows = Labelled(np.arange(ROWS), *arrays, None, {})
    pool = Unlabelled(np.arange(ROWS), arrays[0], None, {})
    splits = Splits(("injury", "infection", "organ"), rows, rows, pool, rows, {"test_pool": rows}, 0)
    return Task(splits, check_folder(tiny_encoder), rows, Sizes(rows=ROWS, epochs=1, batch=16, labels=10, repeats=2))


def lines(results):
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def test_fine_tuning_is_timed_beside_both_trainers_and_every_line_says_on_which_processor(results, task):
    from benchmarks import peers_finetune

    peers_finetune.finetune(task)

    found = lines(results)
    assert [line["comparison"].rpartition("beside ")[2] for line in found] == ["Trainer as by default", "Trainer tuned"]
    assert all(line["ours"] > 0 and line["peer"] > 0 and line["unit"] == "rows/s" for line in found)
    assert all(len(line["ratio_of_turns"]) == 2 and line["device"] and "flags" in line for line in found)


def test_distilling_is_timed_with_labelling_included(results, task, monkeypatch):
    from benchmarks import peers_finetune

    monkeypatch.setattr(peers_finetune, "STUDENT_LAYERS", (2,))
    peers_finetune.distil(task)

    (line,) = lines(results)
    assert "labelling included" in line["comparison"]
    assert line["ratio"] == pytest.approx(line["ours"] / line["peer"], rel=1e-4)


def test_scoring_gives_the_probabilities_that_the_pipeline_gives(results, task, monkeypatch):
    from benchmarks import peers_scoring

    monkeypatch.setattr(peers_scoring, "BATCHES", (1, 16))
    peers_scoring.scoring(task)

    assert lines(results)[0]["largest_difference"] < 0.05


def test_the_share_of_the_peak_and_of_checkpoints_are_shares(results, task):
    from benchmarks import peers_finetune

    peers_finetune.flops(task)
    peers_finetune.checkpoints(task)

    peak, usual, often = lines(results)
    assert 0 < peak["ratio"] < 1
    assert 0 <= usual["ours"] < 0.1  # so short a training may end before a checkpoint is due
    assert 0 <= often["ours"] < 0.3


def test_sides_that_learned_differently_are_not_compared(results):
    from benchmarks.peers_task import UnlikeWorkError, check_equal_work

    fits = {"ours": (0.2, 0.95), "peer": (1.1, 0.6)}

    assert check_equal_work(fits, strict=False)["training_loss"] == {"ours": 0.2, "peer": 1.1}
    with pytest.raises(UnlikeWorkError, match="did not learn as much"):
        check_equal_work(fits, strict=True)


def test_the_label_budget_holds_every_class_alike(results, task):
    from benchmarks.peers_labels import divided, labels

    budget = labels(replace(task, sizes=replace(task.sizes, labels=5)))
    train, validation = divided(budget, 3)

    assert np.bincount(budget.labels).tolist() == [5, 5, 5]
    assert np.bincount(train.labels).tolist() == [4, 4, 4]
    assert np.bincount(validation.labels).tolist() == [1, 1, 1]
