"""Scores equal scikit-learn's, edge cases included."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

import workbench
from workbench.metrics import METRICS, log_loss, macro_f1, per_class_f1, top_k_accuracy

SOURCES = str(Path(next(iter(workbench.__path__))).parent)
pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(pairs)
def test_every_score_of_predictions_equals_scikit_learn(rows):
    labels, predictions = (np.array(column) for column in zip(*rows, strict=True))
    for average in ("macro", "micro", "weighted"):
        expected = sk.f1_score(labels, predictions, average=average, zero_division=0)
        assert METRICS[f"{average}_f1"](labels, predictions, 5) == pytest.approx(expected, abs=1e-12)
    assert METRICS["accuracy"](labels, predictions, 5) == pytest.approx(sk.accuracy_score(labels, predictions))
    expected = sk.f1_score(labels, predictions, average=None, labels=range(5), zero_division=0)
    assert per_class_f1(labels, predictions, 5) == pytest.approx(expected)


def test_macro_f1_of_a_case_worked_by_hand():
    # class 0: 2 hits of 2 labels and 3 predictions, F1 .8; class 1: 0 of 1 and 0, F1 0; class 2 in neither, left out
    assert macro_f1(np.array([0, 0, 1]), np.array([0, 0, 0]), 3) == pytest.approx(0.4)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_log_loss_and_top_k_equal_scikit_learn_with_ties_and_certainty(kind):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 6, 300)
    probabilities = generator.integers(0, 4, (300, 6)).astype(kind) + np.finfo(kind).tiny
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    probabilities[0] = np.eye(6)[labels[0]]
    probabilities[1] = np.eye(6)[(labels[1] + 1) % 6]
    expected = sk.log_loss(labels, probabilities, labels=range(6))
    assert log_loss(labels, probabilities) == pytest.approx(expected, rel=1e-6)
    for k in (1, 2, 3, 5):
        expected = sk.top_k_accuracy_score(labels, probabilities, k=k, labels=range(6))
        assert top_k_accuracy(labels, probabilities, k) == pytest.approx(expected)


def test_a_score_of_nothing_is_refused():
    nothing = np.array([], dtype=np.int64)
    for score in METRICS.values():
        with pytest.raises(ValueError, match="no rows"):
            score(nothing, nothing, 3)
    with pytest.raises(ValueError, match="no rows"):
        log_loss(nothing, np.zeros((0, 3)))


def test_classes_out_of_range_and_columns_of_unlike_length_are_refused():
    with pytest.raises(ValueError, match=r"0\.\.1"):
        macro_f1(np.array([0, 2]), np.array([0, 1]), 2)
    with pytest.raises(ValueError, match="equally long"):
        macro_f1(np.array([0, 1]), np.array([0]), 2)


def test_importing_metrics_loads_neither_evaluate_nor_sklearn_nor_torch():
    code = (
        "import sys, workbench.metrics;"
        "print([name for name in ('evaluate', 'sklearn', 'torch', 'datasets', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": SOURCES})
    assert done.stdout.strip() == "[]", done.stderr
