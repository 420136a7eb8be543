"""Agreement of seeds: shares worked by hand, and what grouped rows, one seed or no rows do to them."""

import numpy as np
import pytest

from workbench.metrics import clopper_pearson, prediction_consistency


def test_consistency_counts_rows_on_which_all_seeds_and_pairs_of_seeds_agree():
    predictions = np.array([[0, 1, 2, 0], [0, 1, 0, 1], [0, 1, 2, 2]])
    found = prediction_consistency(predictions, resamples=200)
    assert found.seeds == 3
    assert found.all_seeds.value == 0.5
    assert (found.all_seeds.low, found.all_seeds.high) == pytest.approx(clopper_pearson(2, 4))
    assert found.two_seeds.value == pytest.approx((1 + 1 + 1 / 3 + 0) / 4)
    assert prediction_consistency(np.zeros((2, 50), int)).all_seeds.low == pytest.approx(0.025 ** (1 / 50))


def test_consistency_of_one_seed_or_no_rows_is_a_reason():
    assert "one seed" in prediction_consistency(np.zeros((1, 40), int)).all_seeds.reason
    assert prediction_consistency(np.zeros((3, 0), int)).two_seeds.reason == "no rows"
    with pytest.raises(ValueError, match="seeds, rows"):
        prediction_consistency(np.zeros(40, int))


def test_consistency_of_grouped_rows_is_less_sure():
    generator = np.random.default_rng(5)
    shaky = np.repeat(generator.random(100) < 0.3, 10)
    predictions = np.stack([np.zeros(1_000, int), shaky.astype(int)])
    plain = prediction_consistency(predictions, resamples=1_000).all_seeds
    grouped = prediction_consistency(predictions, groups=np.repeat(np.arange(100), 10), resamples=1_000).all_seeds
    assert grouped.value == plain.value
    assert grouped.high - grouped.low > 2 * (plain.high - plain.low)
