"""The bootstrap of any statistic: BCa as scipy has it, the two ways alike, and reasons where it is not offered."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from workbench.metrics import bootstrap_rows, bootstrap_sums
from workbench.metrics.intervals import contracted_tail, expanded_tail
from workbench.metrics.resampling import bca_bounds


def ratio(sums):
    return sums[..., 0] / sums[..., 1]


def test_bca_bounds_are_those_of_scipy_on_the_same_resamples():
    values = np.random.default_rng(0).exponential(1, 60)
    expected = bootstrap((values,), np.mean, n_resamples=3_000, method="BCa", rng=1, vectorized=True)
    without_one = (values.sum() - values) / 59
    found = bca_bounds(expected.bootstrap_distribution, values.mean(), without_one, 0.95)
    assert found == pytest.approx(tuple(expected.confidence_interval), abs=1e-6)


@pytest.mark.parametrize("method", ["percentile", "bca"])
@pytest.mark.parametrize("clustered", [False, True])
def test_sums_and_rows_give_nearly_the_same_interval(method, clustered):
    generator = np.random.default_rng(2)
    above, below = generator.exponential(1, 300), generator.uniform(0.5, 1.5, 300)
    groups = np.arange(300) // 5 if clustered else None
    columns = np.stack([above, below], axis=1)
    quick = bootstrap_sums(ratio, columns, groups=groups, method=method, resamples=4_000)
    slow = bootstrap_rows(
        lambda rows: above[rows].sum() / below[rows].sum(), 300, groups=groups, method=method, resamples=4_000
    )
    assert quick.value == pytest.approx(slow.value)
    assert (quick.low, quick.high) == pytest.approx((slow.low, slow.high), abs=1e-9)
    assert ("60 groups (300 rows)" in quick.method) == clustered


def test_few_units_get_students_tails():
    assert expanded_tail(0.025, 10) == pytest.approx(0.00856, abs=1e-4)
    assert expanded_tail(0.025, 499) == pytest.approx(0.025, abs=5e-4)
    assert expanded_tail(0.025, 500) == 0.025
    assert contracted_tail(expanded_tail(0.025, 12), 12) == pytest.approx(0.025)


def test_where_it_says_too_little_there_is_a_reason():
    ones = np.ones((200, 2))
    assert "same value" in bootstrap_sums(ratio, ones).reason
    assert "below 30" in bootstrap_sums(ratio, ones[:29] + np.arange(29)[:, None]).reason
    assert "only 5 groups" in bootstrap_sums(ratio, ones, groups=np.arange(200) % 5).reason
    assert bootstrap_sums(ratio, np.zeros((0, 2))).reason == "no rows"
    assert bootstrap_rows(lambda rows: 0.0, 0).reason == "no rows"
    assert bootstrap_rows(lambda rows: float("nan"), 40, resamples=20).reason == "there is nothing to score"
    with pytest.raises(ValueError, match="do not fit"):
        bootstrap_rows(lambda rows: 0.0, 40, groups=np.zeros(39))
