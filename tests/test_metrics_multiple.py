"""Several tests at once: adjusted p-values checked by hand, against scipy and statsmodels, and by simulation."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from workbench.metrics import benjamini_hochberg, holm


def test_cases_worked_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert benjamini_hochberg([0.9, 0.8]) == [0.9, 0.9]
    for adjust in (holm, benjamini_hochberg):
        assert adjust([]) == []
        assert adjust([0.03]) == [0.03]
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            adjust([1.2])
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            adjust([float("nan")])


def test_adjusted_values_are_those_of_scipy_and_statsmodels():
    generator = np.random.default_rng(0)
    for size in (1, 2, 7, 40):
        p = generator.random(size) ** 2
        p[: size // 3] = p[0]
        assert benjamini_hochberg(p.tolist()) == pytest.approx(false_discovery_control(p), abs=1e-12)
    tests = pytest.importorskip("statsmodels.stats.multitest")
    assert holm(p.tolist()) == pytest.approx(tests.multipletests(p, method="holm")[1], abs=1e-9)
    assert benjamini_hochberg(p.tolist()) == pytest.approx(tests.multipletests(p, method="fdr_bh")[1], abs=1e-9)


def test_with_ten_true_nulls_a_false_claim_is_made_in_at_most_one_of_twenty_families():
    p = np.random.default_rng(1).random((4_000, 10))
    for adjust in (holm, benjamini_hochberg):
        wrong = np.mean([min(adjust(family.tolist())) < 0.05 for family in p])
        assert 0.04 < wrong <= 0.055
