"""Linear heads over embeddings."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from workbench.training.distillation import fit_temperature, one_hot, softmax
from workbench.training.head import GRID, HeadSettings, fit_linear, row_weights, train_head


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    features, labels = make_classification(600, 12, n_informative=6, n_classes=3, class_sep=0.8, random_state=0)
    return features.astype(np.float32), labels.astype(np.int32)


def test_the_optimum_is_that_of_scikit_learn(data):
    features, labels = data
    l2 = 1e-2
    matrix = fit_linear(features, one_hot(labels, 3), np.ones(600), l2, np.zeros((13, 3)))
    theirs = LogisticRegression(C=1 / (l2 * 600), tol=1e-8, max_iter=5000).fit(features, labels)
    ours = softmax(features @ matrix[:-1] + matrix[-1])
    np.testing.assert_allclose(ours, theirs.predict_proba(features), atol=1e-3)


def test_soft_targets_that_a_head_can_express_are_reached(data):
    features = data[0]
    truth = softmax(features @ np.random.default_rng(0).normal(size=(12, 3)))
    matrix = fit_linear(features, truth, np.ones(600), 0.0, np.zeros((13, 3)))
    np.testing.assert_allclose(softmax(features @ matrix[:-1] + matrix[-1]), truth, atol=2e-3)


def test_a_row_of_weight_two_counts_as_two_rows(data):
    features, labels = data
    weights = np.where(np.arange(600) < 50, 2.0, 1.0)
    double = np.concatenate([features, features[:50]])
    once = fit_linear(features, one_hot(labels, 3), weights, 1e-2, np.zeros((13, 3)))
    twice = fit_linear(double, one_hot(np.concatenate([labels, labels[:50]]), 3), np.ones(650), 1e-2, np.zeros((13, 3)))
    np.testing.assert_allclose(once, twice, atol=1e-3)


def test_the_strength_is_the_one_with_the_least_validation_loss_and_the_head_is_calibrated(data):
    features, labels = data
    trained = train_head(features[:60], one_hot(labels[:60], 3), features[60:200], labels[60:200])
    assert trained.losses[trained.l2] == min(trained.losses.values())
    assert set(trained.losses) == set(GRID)
    np.testing.assert_allclose(trained.head.predict_proba(features[60:200]), trained.validation, atol=1e-6)
    assert fit_temperature(np.log(trained.validation), labels[60:200]) == pytest.approx(1, abs=0.01)


def test_the_same_data_give_the_same_head(data):
    features, labels = data
    heads = [
        train_head(features[:90], one_hot(labels[:90], 3), features[90:150], labels[90:150]).head for _ in range(2)
    ]
    np.testing.assert_array_equal(heads[0].weight, heads[1].weight)


def test_without_validation_a_middling_strength_is_taken_uncalibrated(data):
    features, labels = data
    trained = train_head(features, one_hot(labels, 3), features[:0], labels[:0])
    assert (trained.l2, trained.temperature) == (GRID[len(GRID) // 2], 1.0)
    assert trained.validation.shape == (0, 3)


def test_a_given_strength_is_kept(data):
    features, labels = data
    settings = HeadSettings(l2=0.5)
    assert train_head(features[:60], one_hot(labels[:60], 3), features[60:], labels[60:], settings).l2 == 0.5


def test_refitting_uses_validation_rows_but_answers_for_them_without(data):
    features, labels = data
    plain, refitted = (
        train_head(features[:60], one_hot(labels[:60], 3), features[60:200], labels[60:200], HeadSettings(refit=refit))
        for refit in (False, True)
    )
    np.testing.assert_array_equal(plain.validation, refitted.validation)
    assert not np.allclose(plain.head.weight, refitted.head.weight)


def test_balancing_gives_every_class_the_same_weight_together():
    targets = one_hot(np.repeat([0, 1, 2], [80, 15, 5]), 4)
    weights = row_weights(targets, balanced=True)
    np.testing.assert_allclose(weights @ targets, [100 / 3, 100 / 3, 100 / 3, 0])
    np.testing.assert_array_equal(row_weights(targets, balanced=False), np.ones(100))


def test_shapes_that_do_not_fit_are_wrong_arguments(data):
    features, labels = data
    with pytest.raises(ValueError, match="as many rows"):
        train_head(features, one_hot(labels[:5], 3), features, labels)
