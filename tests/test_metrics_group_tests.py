"""Whether groups differ: the level is kept, planted differences are found, and the power is what was calculated."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from workbench.metrics.group_bands import gap_interval, ratio_interval, resampled_rates, worst_interval
from workbench.metrics.group_tests import Grouped, above_rest, design_effect, difference_test, smallest_gap


def independent(seed, rows, rates):
    random = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(rows)), rows)
    wrong = random.random(len(codes)) < np.repeat(rates, rows)
    return Grouped(wrong.astype(float), codes, len(rows), np.arange(len(codes)), False)


def clustered(seed, rows, units, groups, rate=0.3, *, alike=0.3, whole=False, excess=0.0):
    """Rows in units whose own rates scatter (intra-class correlation `alike`); `whole` units stand in one group."""
    random = np.random.default_rng(seed)
    _, unit = np.unique(random.integers(0, units, rows), return_inverse=True)
    spread = 1 / alike - 1
    own = random.beta(rate * spread, (1 - rate) * spread, unit.max() + 1)[unit]
    codes = random.integers(0, groups, unit.max() + 1)[unit] if whole else random.integers(0, groups, rows)
    chance = own + (1 - own) * excess * (codes == 0)
    return Grouped((random.random(rows) < chance).astype(float), codes, groups, unit, True)


def alarms(make, runs, draws=499):
    return sum((difference_test(make(seed), draws=draws, seed=seed).p or 1.0) < 0.05 for seed in range(runs))


@pytest.mark.parametrize(
    ("rows", "rate"), [((150, 150), 0.1), ((60, 60, 60, 60, 60), 0.1), ((40, 300, 45), 0.03), ((200,) * 10, 0.3)]
)
def test_groups_that_do_not_differ_are_called_different_in_at_most_one_of_twenty_runs(rows, rate):
    assert alarms(lambda seed: independent(seed, rows, [rate] * len(rows)), 200) <= 18


@pytest.mark.parametrize("whole", [False, True])
def test_rows_that_share_a_unit_do_not_feign_a_difference(whole):
    assert alarms(lambda seed: clustered(seed, 600, 100, 3, whole=whole), 200) <= 18


def test_the_same_rows_taken_for_independent_would_feign_one():
    def careless(seed):
        found = clustered(seed, 600, 60, 3, whole=True, alike=0.5)
        return Grouped(found.outcome, found.codes, 3, np.arange(600), False)

    assert alarms(careless, 60) > 12


@pytest.mark.parametrize(
    ("n", "rest", "rate"), [(30, 300, 0.1), (100, 100, 0.2), (60, 600, 0.35), (500, 2000, 0.1), (200, 1000, 0.02)]
)
def test_the_gap_of_the_power_calculation_is_found_in_95_of_100_runs(n, rest, rate):
    gap = smallest_gap(n, rest, rate)
    found = alarms(lambda seed: independent(seed, (n, rest), (rate + gap, rate)), 400)
    assert found >= 0.95 * 400


def test_the_power_calculation_holds_for_several_groups_and_design_effects():
    gap = smallest_gap(80, 320, 0.2, comparisons=5)
    assert alarms(lambda seed: independent(seed, (80,) * 5, [0.2 + gap, *[0.2] * 4]), 300) >= 0.95 * 300
    assert smallest_gap(80, 320, 0.2, comparisons=5, design=2.0) > gap > smallest_gap(80, 320, 0.2)


def test_a_gap_that_cannot_be_found_has_no_size():
    assert smallest_gap(2, 2, 0.1) is None
    with pytest.raises(ValueError, match="above 0"):
        smallest_gap(0, 10, 0.1)


def test_the_test_of_a_leaf_is_fishers_where_rows_are_independent():
    grouped = independent(3, (200, 60), (0.2, 0.35))
    x, n = np.array([grouped.outcome[grouped.codes == one].sum() for one in (0, 1)]), grouped.rows
    expected = fisher_exact([[x[1], n[1] - x[1]], [x[0], n[0] - x[0]]], alternative="greater").pvalue
    assert above_rest(grouped) == pytest.approx(expected, abs=1e-9)


def test_the_test_of_a_leaf_keeps_its_level_with_units():
    hits = sum(above_rest(clustered(seed, 400, 80, 2), draws=499, seed=seed) < 0.05 for seed in range(200))
    assert hits <= 18


def test_few_rows_few_units_and_all_equal_outcomes_are_reasons():
    assert "30 or more rows" in difference_test(independent(0, (25, 20), (0.5, 0.5))).reason
    assert "only one group" in difference_test(independent(0, (90, 20), (0.5, 0.5))).reason
    assert "same outcome" in difference_test(independent(0, (90, 80), (0.0, 0.0))).reason
    one_unit = Grouped(np.tile([0.0, 1.0], 60), np.repeat([0, 1], 60), 2, np.repeat([0, 1], 60), True)
    assert "units" in difference_test(one_unit).reason
    assert difference_test(Grouped(np.zeros(0), np.zeros(0, int), 2, np.zeros(0, int), False)).p is None


def test_the_gap_by_chance_is_what_simulation_gives():
    test = difference_test(independent(0, (50,) * 8, [0.3] * 8))
    gaps = [np.ptp(independent(seed, (50,) * 8, [0.3] * 8).rates) for seed in range(1, 400)]
    assert test.null_gap == pytest.approx(np.mean(gaps), rel=0.08)
    assert test.null_gap_high == pytest.approx(np.quantile(gaps, 0.95), rel=0.10)


def test_units_that_err_together_have_a_design_effect():
    assert design_effect(independent(0, (400, 400), (0.3, 0.3)), 0) == pytest.approx(1.0)
    assert design_effect(clustered(0, 2000, 100, 2, whole=True, alike=0.4), 0) > 3


@pytest.mark.parametrize("rates", [(0.3, 0.3, 0.3, 0.3, 0.3, 0.3), (0.1, 0.1, 0.1, 0.4), (0.05, 0.2)])
def test_bands_of_gap_ratio_and_worst_hold_the_truth_in_95_of_100_runs(rates):
    rows, hits = (60,) * len(rates), np.zeros(3)
    truth = (max(rates) - min(rates), min(rates) / max(rates), max(rates))
    for seed in range(150):
        drawn = resampled_rates(independent(seed, rows, rates), resamples=400, seed=seed)
        bounds = [make(drawn) for make in (gap_interval, ratio_interval, worst_interval)]
        hits += [one.low - 1e-9 <= real <= one.high + 1e-9 for one, real in zip(bounds, truth, strict=True)]
    assert (hits >= 0.92 * 150).all(), hits


def test_a_group_without_errors_does_not_get_a_band_of_no_width():
    drawn = resampled_rates(independent(0, (40, 40), (0.0, 0.0)), resamples=300, seed=0)
    gap = gap_interval(drawn)
    assert gap.value == 0
    assert gap.high > 0.05
    assert ratio_interval(drawn).value is None
