"""The bootstrap draws what it says it draws, and its intervals are never certain of nothing."""

import time

import numpy as np
import pytest
from sklearn.metrics import f1_score

from workbench.metrics import bootstrap_metric, clopper_pearson
from workbench.metrics.bootstrap import draw_cells, draw_units, merge_rows, resample_counts, resample_sums
from workbench.metrics.intervals import Drawn, interval_of
from workbench.metrics.scores import Counts, macro_f1_of


def table(rows=600, classes=7, seed=0, right=0.6):
    generator = np.random.default_rng(seed)
    labels = generator.choice(classes, rows, p=generator.dirichlet(np.ones(classes)))
    predictions = np.where(generator.random(rows) < right, labels, generator.integers(0, classes, rows))
    return labels, predictions


def weights_of(draws):
    return np.concatenate([weights for _, weights in draws]).astype(int)


def test_each_of_100_resamples_of_rows_scores_as_scikit_learn_scores_it():
    labels, predictions = table()
    (counts,), _ = resample_counts(labels, [predictions], 7, resamples=100, seed=5)
    (cell_labels, cell_predictions), multiplicity = merge_rows(labels, [predictions], 7)
    for weights, found in zip(weights_of(draw_cells(multiplicity, 100, 5)), macro_f1_of(counts), strict=True):
        assert weights.sum() == len(labels)
        drawn = np.repeat(cell_labels, weights), np.repeat(cell_predictions, weights)
        assert found == pytest.approx(f1_score(*drawn, average="macro", zero_division=0), abs=1e-12)


def test_each_of_100_resamples_of_groups_scores_as_scikit_learn_scores_it():
    labels, predictions = table()
    groups = np.random.default_rng(1).integers(0, 60, len(labels))
    (counts,), _ = resample_counts(labels, [predictions], 7, groups=groups, resamples=100, seed=5)
    names, unit_of = np.unique(groups, return_inverse=True)
    for weights, found in zip(weights_of(draw_units(len(names), 100, 5)), macro_f1_of(counts), strict=True):
        assert weights.sum() == len(names)
        rows = np.repeat(np.arange(len(labels)), weights[unit_of])
        expected = f1_score(labels[rows], predictions[rows], average="macro", zero_division=0)
        assert found == pytest.approx(expected, abs=1e-12)


def test_ten_thousand_resamples_of_the_size_of_the_flagship_take_seconds():
    labels, predictions = table(rows=12_500, classes=21)
    for groups in (None, np.random.default_rng(0).integers(0, 2_000, 12_500)):
        start = time.process_time()
        bootstrap_metric("macro_f1", labels, predictions, 21, groups=groups)
        assert time.process_time() - start < 8  # 0.5 to 1 on a quiet machine; benchmarks measure it


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    labels, predictions = table()
    first, again, other = (bootstrap_metric("macro_f1", labels, predictions, 7, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.low != other.low
    assert other.low == pytest.approx(first.low, abs=0.01)


def test_groups_that_err_together_widen_the_interval_and_groups_of_one_row_do_not():
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(100), 20)
    labels = generator.integers(0, 4, 2_000)
    right = np.repeat(generator.random(100) < 0.7, 20)
    predictions = np.where(right, labels, (labels + 1) % 4)
    plain, clustered, single = (
        bootstrap_metric("accuracy", labels, predictions, 4, groups=one) for one in (None, groups, np.arange(2_000))
    )
    assert clustered.high - clustered.low > 3 * (plain.high - plain.low)
    assert single == plain
    assert "100 groups (2,000 rows)" in clustered.method


def test_the_standard_error_of_accuracy_is_the_binomial_one():
    labels, predictions = table(rows=3_000)
    found = bootstrap_metric("accuracy", labels, predictions, 7)
    expected = 2 * 1.96 * np.sqrt(found.value * (1 - found.value) / 3_000)
    assert found.high - found.low == pytest.approx(expected, rel=0.05)


def test_a_small_proportion_gets_the_exact_interval():
    labels, predictions = np.zeros(20, int), np.array([0] * 17 + [1] * 3)
    found = bootstrap_metric("accuracy", labels, predictions, 2)
    assert (found.low, found.high) == pytest.approx((0.6211, 0.9679), abs=1e-4)  # tabulated Clopper–Pearson
    assert found.method.startswith("Clopper–Pearson")


def test_clopper_pearson_of_all_and_of_none_follow_the_closed_form():
    assert clopper_pearson(30, 30) == (pytest.approx(0.025 ** (1 / 30)), 1.0)
    assert clopper_pearson(0, 30) == (0.0, pytest.approx(1 - 0.025 ** (1 / 30)))
    with pytest.raises(ValueError, match="above 0"):
        clopper_pearson(0, 0)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "micro_f1", "weighted_f1"])
@pytest.mark.parametrize("clustered", [False, True])
def test_a_perfect_score_and_a_score_of_nothing_right_get_an_interval_with_width(metric, clustered):
    labels = np.arange(600) % 3
    groups = np.arange(600) // 10 if clustered else None
    perfect = bootstrap_metric(metric, labels, labels, 3, groups=groups, resamples=200)
    assert perfect.value == perfect.high == 1.0
    assert 0.7 < perfect.low < 0.995
    hopeless = bootstrap_metric(metric, labels, (labels + 1) % 3, 3, groups=groups, resamples=200)
    assert hopeless.value == hopeless.low == 0.0
    assert 0.005 < hopeless.high < 0.3


def test_an_empty_table_and_too_few_groups_give_a_reason_and_no_number():
    nothing = np.array([], dtype=np.int64)
    empty = bootstrap_metric("macro_f1", nothing, nothing, 3)
    assert (empty.value, empty.low, empty.high, empty.reason) == (None, None, None, "no rows")
    labels, predictions = table(rows=50)
    few = bootstrap_metric("macro_f1", labels, predictions, 7, groups=np.arange(50) % 6)
    assert few.value is not None
    assert (few.low, few.high) == (None, None)
    assert "only 6 groups" in few.reason


def test_an_interval_holds_its_value_even_on_few_rows_of_many_classes():
    for seed in range(20):
        labels, predictions = table(rows=220, classes=21, seed=seed)
        found = bootstrap_metric("macro_f1", labels, predictions, 21, resamples=500)
        assert found.low <= found.value <= found.high


def test_a_mean_over_classes_of_a_few_rows_each_has_no_interval_and_says_why():
    labels, predictions = table(rows=100, classes=21)
    found = bootstrap_metric("macro_f1", labels, predictions, 21, resamples=200)
    assert found.value is not None
    assert found.low is None
    assert "rows a class: below 10" in found.reason


def test_sums_do_not_depend_on_how_the_work_is_cut(monkeypatch):
    columns = np.random.default_rng(0).integers(0, 5, (300, 8)).astype(np.float32)
    whole = resample_sums(draw_units(300, 50, 3), columns, 50)
    monkeypatch.setattr("workbench.metrics.bootstrap._WEIGHTS", 2_000)
    monkeypatch.setattr("workbench.metrics.bootstrap._DRAWS", 700)
    monkeypatch.setattr("workbench.metrics.bootstrap._DENSE", 500)
    assert np.array_equal(whole, resample_sums(draw_units(300, 50, 3), columns, 50))


def test_the_f1_of_a_class_is_the_exact_interval_of_its_hits_among_rows_labelled_or_predicted_so():
    counts = Counts(np.array([18.0]), np.array([20.0]), np.array([23.0]))
    value = 2 * 18 / 43
    found = interval_of("class_f1", counts, value, np.array([value, value]), Drawn(400, 400, False, 2))
    low, high = clopper_pearson(18, 25)
    assert (found.low, found.high) == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)))
    assert "25 rows of the class" in found.method


def test_a_large_table_with_few_errors_gets_exact_bounds_and_not_percentiles():
    labels = np.zeros(4_000, int)
    few, more = (np.r_[np.ones(wrong, int), labels[wrong:]] for wrong in (9, 10))
    assert bootstrap_metric("accuracy", labels, few, 2, resamples=500).method.startswith("Clopper–Pearson, 4,000 rows")
    assert bootstrap_metric("accuracy", labels, more, 2, resamples=500).method.startswith("bootstrap")
    groups = np.arange(4_000) // 4
    grouped = bootstrap_metric("accuracy", labels, few, 2, groups=groups, resamples=500)
    assert grouped.method.startswith("Clopper–Pearson of the rows")
    assert grouped.low < clopper_pearson(3_991, 4_000)[0] + 1e-3


def test_an_unknown_metric_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="macro_f1"):
        bootstrap_metric("f1", *table(), 7)
