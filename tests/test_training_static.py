"""Training of static students."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from workbench.data.table import Labelled, Unlabelled
from workbench.errors import Stopped
from workbench.models.encoder import Encoder
from workbench.models.static import StaticCandidate
from workbench.models.static_tokens import StaticTokens, distil_tokens
from workbench.models.weights import check_folder
from workbench.recipe import Distillation, Student
from workbench.runs.events import Measured, Progress
from workbench.training import Answers, Material, Watch, train_control, train_student
from workbench.training.distillation import one_hot
from workbench.training.lessons import Lesson
from workbench.training.static import train_static

CLASSES = ("heart", "infection", "injury")
UNLABELLED = np.full(100, -1)
SETTINGS = Student(name="s", kind="static", dimensions=8, epochs=6, learning_rate=0.02)
TOLD = ("loss", "validation macro F1")


@pytest.fixture(scope="module")
def tokens(tiny_encoder: Path) -> StaticTokens:
    return distil_tokens(Encoder.open(check_folder(tiny_encoder), dtype="fp32"), 16)


@pytest.fixture(scope="module")
def rows(tokens: StaticTokens, phrases) -> Material:
    texts, labels = phrases
    column, number = pa.array(texts, pa.large_string()), np.arange(len(texts))
    return Material(
        CLASSES,
        Labelled(number[:60], column[:60], labels[:60]),
        Labelled(number[60:90], column[60:90], labels[60:90]),
        Unlabelled(number[90:], column[90:]),
        tokens,
    )


@pytest.fixture(scope="module")
def answers(phrases) -> Answers:
    right = one_hot(phrases[1], 3) * np.float32(0.7) + np.float32(0.1)
    return Answers(right[:60], right[90:])


def accuracy(candidate: StaticCandidate, phrases) -> float:
    return float((candidate.predict_proba(phrases[0][90:]).argmax(1) == phrases[1][90:]).mean())


def test_a_student_learns_from_answers_and_tells_of_it(rows: Material, answers: Answers, phrases):
    told = []
    student = train_student(SETTINGS, rows, answers, Distillation(), watch=Watch(told.append))
    assert accuracy(student, phrases) > 0.9
    assert student.table.shape[1] == 8
    losses, scores = ([one.value for one in told if isinstance(one, Measured) and one.name == name] for name in TOLD)
    assert len(losses) == len(scores) == 6
    assert losses[-1] < losses[0]
    assert scores[-1] >= scores[0]
    assert told[-3] == Progress("train", 6 * 210, 6 * 210)


def test_the_same_seed_gives_the_same_student_and_another_one_another(rows: Material, answers: Answers, phrases):
    made = [train_student(SETTINGS, rows, answers, Distillation(), seed=seed) for seed in (1, 1, 2)]
    first, again, other = (one.predict_proba(phrases[0]) for one in made)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_only_tokens_that_were_read_are_changed(tokens: StaticTokens, rows: Material):
    from workbench.training.static import _Bags, _Fit

    fit = _Fit(tokens.vectors, 3, 0.05, 0)
    lesson = Lesson(rows.train.texts, one_hot(rows.train.labels, 3), np.ones(60, dtype=np.float32), UNLABELLED[:60])
    from workbench.models.static_text import StaticTokenizer

    bags = _Bags.read(StaticTokenizer(tokens.tokenizer_json), lesson.texts)
    fit.epoch(bags, lesson, 0, 1, lambda event: None, lambda: False)
    changed = np.flatnonzero((fit.table() != tokens.vectors).any(axis=1))
    assert set(changed) <= set(bags.ids)
    assert len(changed) > 10
    assert fit.bag.weight.grad.is_sparse


def test_a_control_learns_from_labels_alone_and_stops_early(rows: Material, phrases):
    told = []
    control = train_control(SETTINGS, rows, watch=Watch(told.append))
    assert accuracy(control, phrases) > 0.8
    losses = [event.value for event in told if isinstance(event, Measured) and event.name == "validation loss"]
    assert len(losses) == 60 or min(losses) <= losses[-1]


def test_the_best_epoch_is_kept_when_training_stops_early(rows: Material, phrases):
    wrong = replace(rows, validation=replace(rows.validation, labels=(rows.validation.labels + 1) % 3))
    told = []
    control = train_control(SETTINGS, wrong, watch=Watch(told.append))
    epochs = [event.step for event in told if isinstance(event, Measured) and event.name == "validation loss"]
    assert max(epochs) < 30
    assert control.predict_proba(phrases[0]).max() < 0.6


def test_rows_of_weight_zero_teach_nothing(tokens: StaticTokens, rows: Material, phrases):
    texts, labels = pa.array(phrases[0], pa.large_string()), phrases[1]
    shifted = np.concatenate([labels[:120], (labels[120:] + 1) % 3])
    weights = (np.arange(240) < 120).astype(np.float32)
    lesson = Lesson(texts, one_hot(shifted, 3), weights, UNLABELLED[: len(weights)])
    assert accuracy(train_static(tokens, lesson, rows.validation, CLASSES, SETTINGS), phrases) > 0.9


def test_texts_without_a_known_token_do_no_harm(tokens: StaticTokens, rows: Material):
    texts = pa.array(["", "漢字", "fever", "burn", "heart"] * 20, pa.large_string())
    lesson = Lesson(texts, one_hot(np.array([0, 1, 1, 2, 0] * 20), 3), np.ones(100, dtype=np.float32), UNLABELLED)
    student = train_static(tokens, lesson, rows.validation, CLASSES, SETTINGS)
    assert np.isfinite(student.predict_proba(["", "fever"])).all()


def test_a_student_is_calibrated_on_validation(rows: Material, answers: Answers):
    from workbench.training.distillation import fit_temperature

    student = train_student(SETTINGS, rows, answers, Distillation(temperature=4))
    assert fit_temperature(student.logits(rows.validation.texts), rows.validation.labels) == pytest.approx(1, abs=0.02)


def test_training_can_be_stopped_and_leaves_the_threads_as_they_were(rows: Material, answers: Answers):
    before = torch.get_num_threads()
    with pytest.raises(Stopped):
        train_student(SETTINGS, rows, answers, Distillation(), watch=Watch(stop=lambda: True))
    assert torch.get_num_threads() == before
