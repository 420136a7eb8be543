"""Calibration: bins, the error beside other tools' figures, its interval, Brier and log loss."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.metrics.calibration import (
    brier_score,
    calibration_error,
    equal_mass,
    equal_width,
    expected_calibration_error,
    number_of_bins,
    reliability_curve,
)
from workbench.metrics.probabilities import log_loss


def drawn(rows: int = 900, classes: int = 5, seed: int = 0, temperature: float = 1.0):
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, size=(rows, classes))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (true.cumsum(axis=1) < random.random(rows)[:, None]).sum(axis=1)
    said = np.exp(logits / temperature)
    return np.minimum(labels, classes - 1), said / said.sum(axis=1, keepdims=True)


def test_the_error_in_bins_of_equal_width_is_that_of_torchmetrics():
    torch = pytest.importorskip("torch")
    from torchmetrics.functional.classification import multiclass_calibration_error

    labels, probabilities = drawn()
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    ours = expected_calibration_error(confidence, correct, equal_width(confidence, 15))
    theirs = multiclass_calibration_error(torch.tensor(probabilities), torch.tensor(labels), 5, n_bins=15, norm="l1")
    assert ours == pytest.approx(float(theirs), abs=1e-6)


def test_brier_and_log_loss_are_those_of_scikit_learn():
    from sklearn.metrics import brier_score_loss
    from sklearn.metrics import log_loss as theirs

    labels, probabilities = drawn()
    known = list(range(5))
    ours = brier_score(labels, probabilities)
    assert ours == pytest.approx(brier_score_loss(labels, probabilities, labels=known, scale_by_half=False), abs=1e-6)
    assert log_loss(labels, probabilities) == pytest.approx(theirs(labels, probabilities, labels=known), abs=1e-6)


def test_bins_hold_as_many_rows_each_and_never_part_equal_values():
    values = np.random.default_rng(0).random(1000)
    assert np.ptp(np.bincount(equal_mass(values, 10))) <= 2
    tied = np.repeat([0.2, 0.5, 0.9], [10, 80, 10])
    found = equal_mass(tied, 5)
    assert all(len(np.unique(found[tied == value])) == 1 for value in (0.2, 0.5, 0.9))
    assert (np.bincount(found) > 0).all()


def test_all_equal_predictions_make_one_bin_and_an_error_all_the_same():
    confidence, correct = np.full(200, 0.8), np.arange(200) < 120
    found = calibration_error(confidence, correct)
    assert found.bins == 1
    assert found.interval.value == pytest.approx(0.2)
    assert found.interval.low is not None
    assert found.interval.low > 0.05
    assert found.p is not None
    assert found.p < 0.01


def test_the_number_of_bins_grows_with_the_rows_up_to_fifteen():
    assert [number_of_bins(units) for units in (1, 79, 80, 400, 5000)] == [1, 1, 2, 10, 15]


def test_too_few_rows_give_a_reason_and_no_figure():
    found = calibration_error(np.full(12, 0.5), np.ones(12, dtype=bool))
    assert found.interval.value is None
    assert "12 rows" in found.interval.reason
    assert reliability_curve(np.zeros(0), np.zeros(0, dtype=bool)) == []


def test_too_few_groups_give_no_interval():
    labels, probabilities = drawn(200)
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    found = calibration_error(confidence, correct, groups=np.arange(200) % 4)
    assert found.interval.value is not None
    assert found.interval.low is None
    assert "4 groups" in found.interval.reason


def test_a_calibrated_model_is_rarely_said_to_be_off_and_its_interval_starts_at_zero():
    said = []
    for seed in range(60):
        labels, probabilities = drawn(600, seed=seed)
        confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
        found = calibration_error(confidence, correct, resamples=300, seed=seed)
        assert found.interval.low is not None
        said.append(found.interval.low > 0)
        assert found.floor is not None
    assert sum(said) <= 5


def test_an_overconfident_model_is_found_and_the_interval_holds_the_true_error():
    labels, probabilities = drawn(200_000, seed=99, temperature=0.5)
    everything = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    truth = expected_calibration_error(*everything, equal_mass(everything[0], 15))
    held = 0
    for seed in range(40):
        labels, probabilities = drawn(600, seed=seed, temperature=0.5)
        confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
        found = calibration_error(confidence, correct, resamples=300, seed=seed)
        assert found.p is not None
        assert found.p < 0.05
        held += (found.interval.low or 0) <= truth <= (found.interval.high or 0)
    assert held >= 36


def test_copied_rows_in_groups_widen_the_interval():
    labels, probabilities = drawn(400, temperature=0.5)
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    plain = calibration_error(np.tile(confidence, 4), np.tile(correct, 4))
    grouped = calibration_error(np.tile(confidence, 4), np.tile(correct, 4), groups=np.tile(np.arange(400), 4))
    assert plain.interval.low is not None
    assert grouped.interval.low is not None
    assert plain.interval.low > grouped.interval.low
