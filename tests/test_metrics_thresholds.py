"""What thresholds would do, against a count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.metrics.proportions import clopper_pearson
from workbench.metrics.thresholds import sweep


def test_each_threshold_answers_what_lies_at_or_above_it():
    random = np.random.default_rng(0)
    confidence, wrong = random.random(300).round(2), random.random(300) < 0.3
    steps = np.array([0.0, 0.25, 0.5, 0.99, 2.0])
    found = sweep(confidence, wrong, steps)
    assert found.n == 300
    assert found.answered.tolist() == [int((confidence >= one).sum()) for one in steps]
    inside = confidence >= 0.5
    assert found.errors[2] == pytest.approx(wrong[inside].mean())
    assert (found.low[2], found.high[2]) == pytest.approx(clopper_pearson(wrong[inside].sum(), inside.sum()))


def test_below_thirty_answers_nothing_is_said():
    found = sweep(np.linspace(0, 1, 40), np.zeros(40, bool), np.array([0.0, 0.9]))
    assert found.errors[0] == 0
    assert np.isnan([found.errors[1], found.low[1], found.high[1]]).all()


def test_rows_that_share_a_group_count_once_in_the_bounds():
    confidence, wrong = np.full(90, 0.8), np.arange(90) % 3 == 0
    alone = sweep(confidence, wrong, np.array([0.5]))
    shared = sweep(confidence, wrong, np.array([0.5]), groups=np.repeat(np.arange(9), 10))
    assert alone.errors == shared.errors
    assert shared.high[0] > alone.high[0]
    assert (shared.low[0], shared.high[0]) == pytest.approx(clopper_pearson(3, 9))
