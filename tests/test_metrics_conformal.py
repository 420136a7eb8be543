"""Conformal sets: the promised coverage on exchangeable splits, and what too few rows give."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.metrics.conformal import (
    Penalty,
    aps_scores,
    class_quantiles,
    conformal_quantile,
    coverage_spread,
    lac_scores,
    least_rows,
    of_labels,
    sets_within,
    with_the_likeliest,
)


def classified(rows: int, seed: int):
    """Probabilities that are too sure of themselves, and labels."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.2, size=(rows, 6))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.minimum((true.cumsum(axis=1) < random.random(rows)[:, None]).sum(axis=1), 5)
    said = np.exp(2 * logits)
    return said / said.sum(axis=1, keepdims=True), labels, random.random(rows)


@pytest.mark.parametrize("method", ["LAC", "APS", "RAPS"])
@pytest.mark.parametrize(("promised", "fitted"), [(0.9, 210), (0.95, 500), (0.8, 1000)])
def test_coverage_on_200_exchangeable_splits_is_within_a_point_of_the_promise(method, promised, fitted):
    probabilities, labels, uniform = classified(4000, seed=1)
    penalty = Penalty(0.05, 2) if method == "RAPS" else None
    scores = lac_scores(probabilities) if method == "LAC" else aps_scores(probabilities, uniform, penalty)
    own = of_labels(scores, labels)
    shuffled = np.random.default_rng(7).permuted(np.tile(own, (200, 1)), axis=1)
    rank = math.ceil((fitted + 1) * promised) - 1
    quantiles = np.partition(shuffled[:, :fitted], rank, axis=1)[:, rank]
    assert quantiles[0] == conformal_quantile(shuffled[0, :fitted], promised)
    coverage = (shuffled[:, fitted:] <= quantiles[:, None]).mean()
    assert abs(coverage - promised) <= 0.01


def test_one_fitted_quantile_spreads_as_the_beta_distribution_says():
    random = np.random.default_rng(3)
    low, high = coverage_spread(210, 0.9)
    true = np.array([conformal_quantile(random.random(210), 0.9) for _ in range(1000)])
    assert np.mean((true >= low) & (true <= high)) == pytest.approx(0.95, abs=0.02)


def test_too_few_rows_give_all_classes():
    assert least_rows(0.9) == 9
    assert least_rows(0.95) == 19
    assert math.isfinite(conformal_quantile(np.arange(9.0), 0.9))
    assert math.isinf(conformal_quantile(np.arange(8.0), 0.9))
    assert sets_within(lac_scores(np.full((2, 3), 1 / 3)), math.inf).all()


def test_scores_of_a_hand_worked_row():
    row = np.array([[0.5, 0.2, 0.3]])
    assert lac_scores(row)[0] == pytest.approx([0.5, 0.8, 0.7])
    assert aps_scores(row)[0] == pytest.approx([0.5, 1.0, 0.8])
    assert aps_scores(row, np.array([0.0]))[0] == pytest.approx([0.0, 0.8, 0.5])
    assert aps_scores(row, penalty=Penalty(0.1, 1))[0] == pytest.approx([0.5, 1.2, 0.9])


def test_the_likeliest_class_is_in_every_set():
    probabilities, _, _ = classified(500, seed=2)
    sets = sets_within(lac_scores(probabilities), 0.05)
    whole = with_the_likeliest(sets, probabilities)
    assert (whole.sum(axis=1) >= 1).all()
    assert (whole >= sets).all()


def test_quantiles_by_class_are_infinite_where_a_class_has_too_few_rows():
    probabilities, labels, _ = classified(300, seed=4)
    labels[labels == 5] = 0
    labels[:3] = 5
    found = class_quantiles(lac_scores(probabilities), labels, 6, 0.9)
    assert np.isinf(found[5])
    assert np.isfinite(found[:5]).all()
    held = of_labels(lac_scores(probabilities), labels) <= found[labels]
    assert all(held[labels == one].mean() >= 0.9 for one in range(6))


def test_a_coverage_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        conformal_quantile(np.ones(50), 1.0)
