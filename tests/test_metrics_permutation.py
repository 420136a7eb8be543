"""The paired permutation test: equal to enumeration, to scipy and to McNemar where they overlap."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import permutation_test as scipy_test

from workbench.metrics import macro_f1, mcnemar, permutation_mean, permutation_metric, permutation_test


def rivals(rows, differing, seed=0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 4, rows)
    first = np.where(generator.random(rows) < 0.7, labels, generator.integers(0, 4, rows))
    second = first.copy()
    second[:differing] = generator.integers(0, 4, differing)
    return labels, first, second


def test_p_is_the_share_of_all_swapped_tables():
    labels, first, second = rivals(60, 10)
    differing = np.flatnonzero(first != second)
    observed, reached = macro_f1(labels, first, 4) - macro_f1(labels, second, 4), []
    for swap in product([False, True], repeat=len(differing)):
        a, b = first.copy(), second.copy()
        places = differing[list(swap)]
        a[places], b[places] = second[places], first[places]
        reached.append(abs(macro_f1(labels, a, 4) - macro_f1(labels, b, 4)) >= abs(observed) - 1e-12)
    found = permutation_metric("macro_f1", labels, first, second, 4, permutations=20_000)
    assert found == pytest.approx(np.mean(reached), abs=0.012)
    any_other = permutation_test(
        lambda one: macro_f1(one[:, 0], one[:, 1], 4), np.stack([labels, first], 1), np.stack([labels, second], 1)
    )
    assert any_other == pytest.approx(np.mean(reached), abs=0.05)


def test_for_accuracy_it_is_mcnemars_test():
    labels, first, second = rivals(200, 60)
    ahead = int(((first == labels) & (second != labels)).sum())
    behind = int(((first != labels) & (second == labels)).sum())
    found = permutation_metric("accuracy", labels, first, second, 4, permutations=20_000)
    assert found == pytest.approx(mcnemar(ahead, behind), abs=0.012)


def test_for_means_it_is_scipys_test():
    generator = np.random.default_rng(3)
    first, second = generator.normal(0.2, 1, 40), generator.normal(0, 1, 40)
    expected = scipy_test(
        (first, second), lambda a, b: a.mean() - b.mean(), permutation_type="samples", n_resamples=20_000, rng=0
    ).pvalue
    assert permutation_mean(first, second, permutations=20_000) == pytest.approx(expected, abs=0.012)


def test_groups_are_swapped_whole():
    generator = np.random.default_rng(4)
    first = np.repeat(generator.normal(0.5, 1, 20), 30)
    second = np.zeros(600)
    alone, whole = (permutation_mean(first, second, groups=groups) for groups in (None, np.repeat(np.arange(20), 30)))
    assert alone < 0.001
    assert whole > 5 * alone
    labels, one, other = rivals(300, 300)
    assert permutation_metric("macro_f1", labels, one, other, 4, groups=np.zeros(300)) == 1.0


def test_equal_predictions_give_p_one_and_no_rows_are_refused():
    labels, first, _ = rivals(50, 0)
    assert permutation_metric("macro_f1", labels, first, first, 4, permutations=100) == 1.0
    assert permutation_mean(np.ones(5), np.ones(5), permutations=100) == 1.0
    nothing = np.array([], dtype=np.int64)
    with pytest.raises(ValueError, match="no rows"):
        permutation_metric("accuracy", nothing, nothing, nothing, 2)
    with pytest.raises(ValueError, match="no rows"):
        permutation_mean(np.array([]), np.array([]))
    with pytest.raises(ValueError, match="finite"):
        permutation_mean(np.array([np.nan]), np.array([1.0]))
