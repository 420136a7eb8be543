"""Bounds of proportions: checked against statsmodels and scipy, at the ends, and for what they refuse."""

import numpy as np
import pytest
from scipy.stats import binomtest

from workbench.metrics import clopper_pearson, rate, wilson
from workbench.metrics.proportions import effective_bounds, largest_unseen, rows_to_exclude

CASES = [(0, 30), (30, 30), (1, 30), (17, 20), (250, 500), (495, 500), (1_999, 2_000), (0, 1), (1, 1)]


@pytest.mark.parametrize(("hits", "n"), CASES)
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_bounds_are_those_of_scipy(hits, n, confidence):
    test = binomtest(hits, n)
    for own, name in ((wilson, "wilson"), (clopper_pearson, "exact")):
        expected = test.proportion_ci(confidence, method=name)
        assert own(hits, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("hits", "n"), CASES)
def test_bounds_are_those_of_statsmodels(hits, n):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    for own, name in ((wilson, "wilson"), (clopper_pearson, "beta")):
        assert own(hits, n) == pytest.approx(proportion.proportion_confint(hits, n, method=name), abs=1e-6)


def test_a_perfect_rate_has_a_lower_bound_and_a_rate_of_nothing_an_upper_one():
    for bounds in (wilson, clopper_pearson):
        low, high = bounds(30, 30)
        assert 0.85 < low < 0.9
        assert high == 1.0
        assert bounds(0, 30) == pytest.approx((0.0, 1 - low))
    assert rate(30, 30).low == clopper_pearson(30, 30)[0]


def test_nothing_of_nothing_is_a_reason_and_not_a_number():
    empty = rate(0, 0)
    assert (empty.value, empty.low, empty.high, empty.reason) == (None, None, None, "no rows")
    for bounds in (wilson, clopper_pearson):
        with pytest.raises(ValueError, match="above 0"):
            bounds(0, 0)
        with pytest.raises(ValueError, match="11 of 10"):
            bounds(11, 10)
        with pytest.raises(ValueError, match="confidence"):
            bounds(1, 10, 95)


def test_what_none_of_n_leaves_open_and_how_many_would_close_it():
    assert largest_unseen(30) == pytest.approx(1 - 0.025 ** (1 / 30))
    for share in (0.5, 0.05, 0.01, 0.001):
        n = rows_to_exclude(share)
        assert largest_unseen(n) < share <= largest_unseen(n - 1)
    assert rows_to_exclude(0.01) == 368
    with pytest.raises(ValueError, match="between 0 and 1"):
        rows_to_exclude(0)


def test_rows_that_hang_together_count_as_fewer():
    alone = np.sqrt(0.9 * 0.1 / 1_000)
    assert effective_bounds(0.9, alone, 1_000, 1_000) == pytest.approx(clopper_pearson(900, 1_000))
    low, high = effective_bounds(0.9, 2 * alone, 1_000, 1_000)
    assert (low, high) == pytest.approx(clopper_pearson(225, 250))
    fewer = effective_bounds(0.9, 2 * alone, 1_000, 20)
    assert fewer[0] < low < high < fewer[1]
    assert effective_bounds(0.9, alone / 9, 1_000, 1_000) == pytest.approx(clopper_pearson(900, 1_000))
