"""The arithmetic of distillation, and the three lessons of a student."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from workbench.data.table import Labelled, Unlabelled
from workbench.errors import ModelError
from workbench.recipe import Distillation, Student
from workbench.training import Answers, Material, train_control, train_selftrain, train_student
from workbench.training.distillation import (
    check_classes,
    check_teacher,
    confidence_weights,
    cross_entropy,
    fit_temperature,
    mix,
    one_hot,
    soft_targets,
    softmax,
)
from workbench.training.lessons import control_lesson, distillation_lesson, selftrain_lesson

CLASSES = ("heart", "infection", "injury")


@pytest.fixture
def probabilities() -> np.ndarray:
    return softmax(np.random.default_rng(0).normal(size=(40, 3)) * 3)


def test_softmax_of_a_case_worked_by_hand_and_of_huge_logits():
    np.testing.assert_allclose(softmax(np.log([[1.0, 2.0, 5.0]])), [[0.125, 0.25, 0.625]], atol=1e-7)
    np.testing.assert_allclose(softmax(np.array([[1e4, -1e4]])), [[1, 0]])


def test_temperature_one_leaves_the_distribution_as_it_is(probabilities):
    np.testing.assert_allclose(soft_targets(probabilities, 1), probabilities, atol=1e-6)


def test_soft_targets_of_probabilities_are_the_softmax_of_logits_divided_by_the_temperature():
    logits = np.random.default_rng(1).normal(size=(10, 3))
    np.testing.assert_allclose(soft_targets(softmax(logits), 2.5), softmax(logits / 2.5), atol=1e-6)


def test_a_high_temperature_flattens_and_a_low_one_sharpens(probabilities):
    np.testing.assert_allclose(soft_targets(probabilities, 1e6), 1 / 3, atol=1e-4)
    np.testing.assert_allclose(soft_targets(probabilities, 1e-3), one_hot(probabilities.argmax(1), 3), atol=1e-6)


def test_soft_targets_of_a_certain_teacher_stay_finite():
    np.testing.assert_allclose(soft_targets(np.eye(3), 1), np.eye(3), atol=1e-6)
    assert np.isfinite(soft_targets(np.eye(3), 20)).all()


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_a_temperature_that_is_none_is_refused(temperature: float):
    with pytest.raises(ValueError, match="temperature"):
        soft_targets(np.eye(3), temperature)


def test_soft_weight_zero_gives_the_labels_and_one_the_teacher(probabilities):
    hard = one_hot(np.arange(40) % 3, 3)
    np.testing.assert_array_equal(mix(probabilities, hard, 0), hard)
    np.testing.assert_array_equal(mix(probabilities, hard, 1), probabilities)
    mixed = mix(probabilities, hard, 0.25)
    np.testing.assert_allclose(mixed, 0.25 * probabilities + 0.75 * hard, atol=1e-6)
    assert mixed.dtype == np.float32


def test_mixing_refuses_other_shapes_and_weights_out_of_range(probabilities):
    with pytest.raises(ValueError, match="shape"):
        mix(probabilities, probabilities[:3], 0.5)
    with pytest.raises(ValueError, match="soft_weight"):
        mix(probabilities, probabilities, 1.1)


def test_confidence_by_default_keeps_every_row_alike(probabilities):
    np.testing.assert_array_equal(confidence_weights(probabilities), np.ones(40))


def test_rows_under_the_least_confidence_weigh_nothing_and_the_others_their_confidence():
    given = np.array([[0.5, 0.5], [0.9, 0.1], [0.3, 0.7]])
    np.testing.assert_array_equal(confidence_weights(given, 0.6), [0, 1, 1])
    np.testing.assert_allclose(confidence_weights(given, 0.6, weighting=True), [0, 0.9 / 0.8, 0.7 / 0.8], atol=1e-6)
    np.testing.assert_array_equal(confidence_weights(given, 0.99, weighting=True), [0, 0, 0])


def test_cross_entropy_is_the_log_loss_of_scikit_learn():
    from sklearn.metrics import log_loss

    logits, labels = np.random.default_rng(2).normal(size=(30, 3)), np.arange(30) % 3
    assert cross_entropy(logits, one_hot(labels, 3)) == pytest.approx(log_loss(labels, softmax(logits)), abs=1e-6)


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_that_spoiled_calibrated_logits_is_found_again(true: float):
    random = np.random.default_rng(3)
    logits = random.normal(size=(20_000, 3)) * 2
    labels = (softmax(logits).cumsum(axis=1) > random.random((20_000, 1))).argmax(axis=1)
    assert fit_temperature(logits * true, labels) == pytest.approx(true, rel=0.05)


def test_a_few_rows_that_are_all_right_are_no_proof_of_certainty():
    logits = np.eye(3)[[0, 1, 2, 0, 1]] * 2
    sure = softmax(logits / fit_temperature(logits, np.array([0, 1, 2, 0, 1]))).max()
    assert 0.8 < sure < 0.99


def test_without_validation_rows_the_temperature_is_one():
    assert fit_temperature(np.empty((0, 3)), np.empty(0, dtype=int)) == 1


def test_a_teacher_that_beats_the_largest_class_passes_with_its_numbers():
    labels = np.arange(60) % 3
    checked = check_teacher(one_hot(labels, 3), labels, CLASSES)
    assert (checked.accuracy, checked.majority, checked.rows) == (1, pytest.approx(1 / 3), 60)
    assert "60 of 60" in checked.sentence
    assert checked.p == pytest.approx((1 / 3) ** 60)


def test_a_teacher_no_better_than_the_largest_class_is_refused():
    labels = np.repeat([0, 1, 2], [60, 20, 20])
    always = one_hot(np.zeros(100, dtype=int), 3)
    with pytest.raises(ModelError, match="no better than guessing"):
        check_teacher(always, labels, CLASSES)
    barely = always.copy()
    barely[60:64] = one_hot(labels[60:64], 3)
    with pytest.raises(ModelError, match="64 of 100"):
        check_teacher(barely, labels, CLASSES)


def test_on_a_few_rows_the_check_says_that_it_shows_next_to_nothing():
    labels = np.array([0, 1, 2, 0, 1])
    checked = check_teacher(one_hot(np.array([0, 1, 2, 1, 0]), 3), labels, CLASSES)
    assert "next to nothing" in checked.sentence
    with pytest.raises(ModelError):
        check_teacher(one_hot(np.array([0, 0, 0, 0, 0]), 3), labels, CLASSES)
    assert "nothing is known" in check_teacher(np.empty((0, 3)), labels[:0], CLASSES).sentence


@pytest.mark.parametrize("spoil", [-0.1, np.nan, np.inf, 0.9])
def test_answers_that_are_no_probabilities_are_refused(spoil: float):
    given = one_hot(np.arange(30) % 3, 3)
    given[4, 0] = spoil
    with pytest.raises(ModelError, match="1 of 30 rows"):
        check_teacher(given, np.arange(30) % 3, CLASSES)


def test_another_number_of_classes_is_refused():
    with pytest.raises(ModelError, match="shape"):
        check_teacher(np.full((30, 2), 0.5), np.arange(30) % 3, CLASSES)


def test_label_maps_that_differ_are_refused_with_every_difference():
    check_classes(list(CLASSES), CLASSES)
    with pytest.raises(ModelError, match="another order"):
        check_classes(CLASSES[::-1], CLASSES)
    with pytest.raises(ModelError) as refused:
        check_classes(("heart", "hart", "lung"), CLASSES)
    assert len(refused.value.problems) == 4


@pytest.fixture
def rows(phrases) -> Material:
    texts, labels = phrases
    column = pa.array(texts, pa.large_string())
    number = np.arange(len(texts))
    return Material(
        CLASSES,
        Labelled(number[:60], column[:60], labels[:60]),
        Labelled(number[60:90], column[60:90], labels[60:90]),
        Unlabelled(number[90:], column[90:]),
    )


@pytest.fixture
def answers(phrases) -> Answers:
    right = one_hot(phrases[1], 3) * np.float32(0.7) + np.float32(0.1)
    return Answers(right[:60], right[90:])


def test_a_lesson_has_mixed_targets_on_labelled_rows_and_the_teachers_on_the_pool(rows: Material, answers: Answers):
    lesson = distillation_lesson(rows.train, rows.pool, answers, Distillation(temperature=1, soft_weight=0))
    np.testing.assert_array_equal(lesson.targets[:60], one_hot(rows.train.labels, 3))
    np.testing.assert_allclose(lesson.targets[60:], answers.pool, atol=1e-6)
    assert (len(lesson.texts), len(lesson), lesson.stop_early) == (210, 210, False)


def test_pool_rows_under_the_least_confidence_are_left_out_of_the_lesson(rows: Material, answers: Answers):
    unsure = answers.pool.copy()
    unsure[:100] = 1 / 3
    settings = Distillation(min_confidence=0.5)
    lesson = distillation_lesson(rows.train, rows.pool, Answers(answers.train, unsure), settings)
    assert len(lesson) == len(lesson.texts) == len(lesson.weights) == 60 + 50
    assert lesson.texts[60:].to_pylist() == rows.pool.texts[100:].to_pylist()


def test_selftrain_learns_the_baselines_likeliest_class_and_the_control_no_pool(rows: Material, answers: Answers):
    lesson = selftrain_lesson(rows.train, rows.pool, answers, Distillation())
    np.testing.assert_array_equal(lesson.targets[60:], one_hot(answers.pool.argmax(1), 3))
    control = control_lesson(rows.train, 3)
    assert (len(control), control.stop_early) == (60, True)


def test_answers_for_other_rows_are_refused(rows: Material, answers: Answers):
    with pytest.raises(ModelError, match="60 labelled and 150 pool rows"):
        distillation_lesson(rows.train, rows.pool, Answers(answers.train, answers.pool[1:]), Distillation())


def test_a_linear_student_its_control_and_selftrain_all_learn(rows: Material, answers: Answers, phrases):
    student = Student(name="small", kind="linear", buckets=4096)
    made = [
        train_student(student, rows, answers, Distillation()),
        train_control(student, rows),
        train_selftrain(student, rows, answers, Distillation()),
    ]
    for candidate in made:
        assert candidate.kind == "linear"
        assert (candidate.predict_proba(phrases[0][90:]).argmax(1) == phrases[1][90:]).mean() > 0.8


def test_a_second_round_learns_from_the_student_too(rows: Material, answers: Answers, monkeypatch: pytest.MonkeyPatch):
    from workbench.training import students

    lessons = []
    real = students.learn
    monkeypatch.setattr(
        students,
        "learn",
        lambda student, material, lesson, **more: (lessons.append(lesson), real(student, material, lesson, **more))[1],
    )
    train_student(Student(name="small", kind="linear", buckets=4096, rounds=2), rows, answers, Distillation())
    assert len(lessons) == 2
    assert not np.array_equal(lessons[0].targets, lessons[1].targets)


def test_a_static_student_without_tokens_is_a_wrong_argument(rows: Material):
    with pytest.raises(ValueError, match="tokens"):
        train_control(Student(name="s", kind="static"), rows)
