"""Paired comparisons: checked against tables, hand-worked cases and simulation."""

import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from workbench.metrics import bootstrap_difference, clopper_pearson, mcnemar, smallest_detectable


def rivals(rows=1_500, gain=0.05, seed=0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 5, rows)
    wrong = (labels + 1) % 5
    second = np.where(generator.random(rows) < 0.7, labels, wrong)
    first = np.where((second == wrong) & (generator.random(rows) < gain / 0.3), labels, second)
    return labels, first, second


@pytest.mark.parametrize(
    ("n", "ten", "twenty"), [(100, 8.8, 12.8), (200, 6.4, 9.1), (500, 4.1, 5.7), (1_000, 2.9, 4.0), (2_000, 2.0, 2.8)]
)
def test_the_smallest_detectable_difference_is_the_known_one(n, ten, twenty):
    assert 100 * smallest_detectable(n, 0.1) == pytest.approx(ten, abs=0.05)
    assert 100 * smallest_detectable(n, 0.2) == pytest.approx(twenty, abs=0.05)


def test_where_no_difference_could_be_found_there_is_none():
    assert smallest_detectable(20, 0.1) is None
    with pytest.raises(ValueError, match="discordant"):
        smallest_detectable(20, 0.0)


def test_mcnemar_is_the_exact_binomial_test():
    for first, second in ((0, 0), (5, 15), (8, 8), (0, 6), (120, 90)):
        expected = binomtest(first, first + second).pvalue if first + second else 1.0
        assert mcnemar(first, second) == pytest.approx(expected)
    with pytest.raises(ValueError, match="0 or more"):
        mcnemar(-1, 3)


def test_mcnemar_is_that_of_statsmodels():
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    for first, second in ((5, 15), (8, 8), (0, 6), (120, 90)):
        expected = tables.mcnemar([[50, first], [second, 50]], exact=True).pvalue
        assert mcnemar(first, second) == pytest.approx(expected, abs=1e-6)


def test_a_paired_difference_is_seen_where_unpaired_intervals_overlap():
    labels, first, second = rivals(gain=0.02)
    found = bootstrap_difference("accuracy", labels, first, second, 5, margin=0.01)
    assert found.value == pytest.approx(np.mean(first == labels) - np.mean(second == labels))
    assert 0 < found.low <= found.value <= found.high < 0.04
    assert found.p < 0.001
    assert found.p_noninferior < 0.001
    assert found.discordant == (first != second).sum()
    assert found.non_inferior(0.01)


def test_the_detectable_difference_of_the_bootstrap_agrees_with_mcnemars():
    labels, first, second = rivals(rows=2_000, gain=0.01)
    generator = np.random.default_rng(1)
    flipped = generator.random(2_000) < 0.1
    first = np.where(flipped, np.where(second == labels, (labels + 2) % 5, labels), second)
    found = bootstrap_difference("accuracy", labels, first, second, 5)
    assert found.detectable == pytest.approx(smallest_detectable(2_000, 0.1), rel=0.15)


def test_swapping_the_two_turns_the_sign_and_keeps_p():
    labels, first, second = rivals(rows=400, gain=0.02)
    one = bootstrap_difference("macro_f1", labels, first, second, 5)
    other = bootstrap_difference("macro_f1", labels, second, first, 5)
    assert other.value == pytest.approx(-one.value)
    assert other.low == pytest.approx(-one.high, abs=0.004)
    assert other.p == pytest.approx(one.p, abs=0.02)


def test_two_equal_columns_are_not_shown_to_be_equal_by_a_small_test():
    labels = np.arange(40) % 4
    few = bootstrap_difference("macro_f1", labels, labels, labels, 4, margin=0.01)
    assert (few.value, few.p) == (0.0, 1.0)
    assert few.low == pytest.approx(-(1 - 0.025 ** (1 / 40)))
    assert not few.non_inferior(0.01)
    many = np.arange(4_000) % 4
    assert bootstrap_difference("macro_f1", many, many, many, 4, margin=0.01).non_inferior(0.01)


def changed(rows, lost, won, groups=None, metric="accuracy", margin=0.01):
    """A form that answers some rows otherwise than its original."""
    labels = np.arange(rows) % 4
    original = np.where(np.arange(rows) % 10 < 7, labels, (labels + 1) % 4)
    form = original.copy()
    right, wrong = np.flatnonzero(original == labels)[:lost], np.flatnonzero(original != labels)[:won]
    form[right], form[wrong] = (labels[right] + 2) % 4, labels[wrong]
    return bootstrap_difference(
        metric, labels, form, original, 4, groups=groups, margin=margin, resamples=1_000, seed=1
    )


@pytest.mark.parametrize("rows", [60, 210, 400, 2_000])
@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
@pytest.mark.parametrize("clustered", [False, True])
def test_a_form_that_changes_nothing_is_never_judged_more_harshly_than_one_that_changes_a_little(
    rows, metric, clustered
):
    groups = np.arange(rows) // 3 if clustered else None
    same = changed(rows, 0, 0, groups, metric)
    for lost, won in ((1, 0), (0, 1), (1, 1), (3, 1), (0, 4), (4, 4), (9, 9), (12, 14)):
        other = changed(rows, lost, won, groups, metric)
        assert other.low <= same.low or other.low > 0
        assert other.high >= same.high or other.high < 0
        assert other.p_noninferior >= same.p_noninferior - 1e-12 or other.low > 0


def test_with_fewer_than_368_rows_no_margin_of_a_point_can_be_shown_and_with_368_it_can():
    assert not changed(367, 0, 0).non_inferior(0.01)
    assert changed(368, 0, 0).non_inferior(0.01)
    assert not changed(368, 1, 0).non_inferior(0.01)


def test_the_more_a_form_loses_the_lower_its_bound():
    lows = [changed(600, lost, 0).low for lost in range(20)]
    assert all(after <= before for before, after in itertools.pairwise(lows))
    assert changed(600, 5, 0).low == pytest.approx(-clopper_pearson(5, 600)[1])
    highs = [changed(600, 5, won).high for won in range(15)]
    assert all(after >= before for before, after in itertools.pairwise(highs))


def test_few_differing_rows_are_no_more_significant_than_the_sign_test_says():
    assert changed(2_000, 0, 5).p == pytest.approx(0.0625)
    assert changed(2_000, 0, 5).low < 0
    assert changed(2_000, 0, 6).p == pytest.approx(0.03125)
    assert changed(2_000, 0, 6).low > 0
    assert "6 units differ" in changed(2_000, 0, 6).method


def test_rows_of_one_group_that_change_together_are_one_unit():
    groups = np.arange(2_000) // 20
    assert "1 units differ" in changed(2_000, 10, 0, groups).method
    assert changed(2_000, 10, 0, groups).p == 1.0


def test_no_rows_and_few_groups_give_a_reason():
    nothing = np.array([], dtype=np.int64)
    assert bootstrap_difference("accuracy", nothing, nothing, nothing, 2).reason == "no rows"
    labels, first, second = rivals(rows=80)
    few = bootstrap_difference("accuracy", labels, first, second, 5, groups=np.arange(80) % 4)
    assert few.p is None
    assert "only 4 groups" in few.reason
    assert few.non_inferior(0.01) is None


def test_under_no_difference_p_is_below_five_per_cent_about_one_time_in_twenty():
    generator, hits = np.random.default_rng(0), 0
    for _ in range(200):
        labels = generator.integers(0, 3, 300)
        first, second = (np.where(generator.random(300) < 0.7, labels, (labels + 1) % 3) for _ in range(2))
        hits += bootstrap_difference("macro_f1", labels, first, second, 3, resamples=400).p < 0.05
    assert 3 <= hits <= 20
