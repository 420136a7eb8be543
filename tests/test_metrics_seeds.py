"""Several seeds: spread, and means whose intervals hold both rows and seeds as often as they say."""

import numpy as np
import pytest

from workbench.metrics import mean_over_seeds, spread
from workbench.metrics.seeds import pool_seeds


def test_the_spread_of_seeds_is_their_mean_deviation_and_ends():
    found = spread([0.6, 0.64, 0.68])
    assert found.mean == pytest.approx(0.64)
    assert found.sd == pytest.approx(0.04)
    assert (found.low, found.high, found.points) == (0.6, 0.68, (0.6, 0.64, 0.68))
    assert spread([0.5]).sd is None
    for wrong in ([], [0.5, float("nan")]):
        with pytest.raises(ValueError, match="finite"):
            spread(wrong)


def test_one_seed_has_no_interval_and_says_what_to_do():
    alone = mean_over_seeds([0.6], 0.01, 500)
    assert (alone.value, alone.low) == (0.6, None)
    assert "3 or more" in alone.reason
    assert mean_over_seeds([0.6, 0.6], 0.0, 500).low is None
    with pytest.raises(ValueError, match="row_error"):
        mean_over_seeds([0.6, 0.7], -1.0, 500)


def test_without_doubt_about_rows_it_is_students_interval_and_without_spread_the_normal_one():
    found = mean_over_seeds([0.60, 0.64, 0.68], 0.0, 500)
    assert found.high - found.value == pytest.approx(4.3027 * 0.04 / 3**0.5, abs=1e-5)
    assert mean_over_seeds([0.6, 0.6, 0.6], 0.01, 500).high == pytest.approx(0.6 + 1.95996 * 0.01, abs=1e-6)


def test_resamples_of_one_seed_stay_as_they_are_and_seeds_alike_add_nothing():
    rows = np.random.default_rng(0).normal(0.6, 0.01, 1_000)
    assert np.array_equal(pool_seeds(rows[None, :], seed=0), rows)
    assert pool_seeds(np.stack([rows, rows, rows]), seed=0) == pytest.approx(rows)


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("ratio", [0.0, 3.0])
def test_the_mean_over_seeds_covers_the_truth_whichever_source_is_the_larger(seeds, ratio):
    generator = np.random.default_rng(seeds)
    draws, held = 500, np.zeros(2)
    for _ in range(draws):
        points = 0.6 + generator.normal(0, 0.01) + generator.normal(0, 0.01 * ratio, seeds)
        points = points + generator.normal(0, 0.004, seeds)
        scores = points[:, None] + generator.normal(0, 0.01, 400) + generator.normal(0, 0.004, (seeds, 400))
        low, high = np.quantile(pool_seeds(scores, seed=1), [0.025, 0.975])
        short = mean_over_seeds(points.tolist(), float(scores.mean(axis=0).std()), 500)
        held += (low <= 0.6 <= high, short.low <= 0.6 <= short.high)
    assert (held / draws >= 0.95 - 2.5 * (0.05 * 0.95 / draws) ** 0.5).all()
