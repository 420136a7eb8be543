"""Abstention: the risk–coverage curve and thresholds whose promise is kept."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.metrics.selective import (
    aurc,
    aurc_interval,
    best_aurc,
    excess_aurc,
    find_threshold,
    risk_coverage,
    rows_needed,
)


def test_the_curve_of_a_hand_worked_case():
    coverage, risk = risk_coverage(np.array([0.9, 0.8, 0.7, 0.6]), np.array([False, True, False, True]))
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert aurc(np.array([0.9, 0.8, 0.7, 0.6]), np.array([False, True, False, True])) == pytest.approx(1 / 3)


def test_a_perfect_order_has_no_excess_and_equal_confidence_has_the_error_itself():
    wrong = np.arange(50) >= 40
    assert excess_aurc(-np.arange(50.0), wrong) == pytest.approx(0)
    assert aurc(np.ones(50), wrong) == pytest.approx(0.2)
    assert best_aurc(np.zeros(5, dtype=bool)) == 0


def test_the_area_has_an_interval_where_it_can_have_one_and_else_a_reason():
    random = np.random.default_rng(0)
    confidence = random.random(400)
    wrong = random.random(400) > confidence
    found = aurc_interval(confidence, wrong, resamples=200)
    assert found.low is not None
    assert found.value is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert aurc_interval(confidence, np.zeros(400, dtype=bool)).reason
    assert aurc_interval(confidence[:8], wrong[:8]).value is None


def test_the_promised_error_is_broken_no_more_often_than_stated():
    def true_error(threshold: float) -> float:
        return (1 - threshold) / 2  # confidence uniform on [0, 1], wrong with probability 1 - confidence

    broken = 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        confidence = random.random(210)
        wrong = random.random(210) > confidence
        found = find_threshold(confidence, wrong, 0.2)
        broken += found.value is not None and true_error(found.value) > 0.2
    assert broken <= 30  # 5 % of 400, and three standard errors of chance


def test_a_good_model_answers_all_and_a_bad_one_nothing():
    confidence = np.linspace(0.5, 1, 500)
    everything = find_threshold(confidence, np.zeros(500, dtype=bool), 0.05)
    assert everything.kept == 1
    assert everything.value == 0.5
    nothing = find_threshold(confidence, np.arange(500) % 2 == 0, 0.05)
    assert nothing.value is None
    assert "no threshold promises" in nothing.reason
    assert nothing.bound is not None


def test_too_few_rows_promise_nothing_and_say_how_many_are_needed():
    found = find_threshold(np.ones(20), np.zeros(20, dtype=bool), 0.1)
    assert found.value is None
    assert str(rows_needed(0.1)) in found.reason
    assert find_threshold(np.ones(rows_needed(0.1)), np.zeros(rows_needed(0.1), dtype=bool), 0.1).value == 1


def test_rows_of_one_group_count_as_one():
    confidence = np.linspace(1, 0.5, 300)
    wrong = np.arange(300) >= 250
    alone = find_threshold(confidence, wrong, 0.1)
    grouped = find_threshold(confidence, wrong, 0.1, groups=np.arange(300) // 20)
    assert alone.value is not None
    assert grouped.value is None


def test_equal_confidence_is_answered_or_left_together():
    confidence = np.repeat([0.9, 0.6], [120, 120])
    wrong = np.concatenate([np.zeros(120, dtype=bool), np.ones(120, dtype=bool)])
    found = find_threshold(confidence, wrong, 0.1)
    assert found.value == 0.9
    assert found.kept == 0.5


def test_a_target_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        find_threshold(np.ones(100), np.zeros(100, dtype=bool), 0)
