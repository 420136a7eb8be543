"""Kappa: checked against scikit-learn, statsmodels and torchmetrics, and at the ends."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from workbench.metrics import cohen_kappa, kappa_interval


def raters(rows=400, agree=0.7, seed=0):
    generator = np.random.default_rng(seed)
    first = generator.choice(4, rows, p=[0.5, 0.3, 0.15, 0.05])
    return first, np.where(generator.random(rows) < agree, first, generator.integers(0, 4, rows))


def test_kappa_is_that_of_scikit_learn_and_its_interval_that_of_statsmodels():
    first, second = raters()
    assert cohen_kappa(first, second, 4) == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    inter = pytest.importorskip("statsmodels.stats.inter_rater")
    table = np.zeros((4, 4))
    np.add.at(table, (first, second), 1)
    theirs, found = inter.cohens_kappa(table), kappa_interval(first, second, 4)
    assert found.value == pytest.approx(theirs.kappa, abs=1e-9)
    assert found.high - found.low == pytest.approx(theirs.kappa_upp - theirs.kappa_low, rel=0.01)


def test_kappa_is_that_of_torchmetrics():
    functional = pytest.importorskip("torchmetrics.functional.classification")
    import torch

    first, second = raters(seed=1)
    theirs = functional.multiclass_cohen_kappa(torch.tensor(second), torch.tensor(first), num_classes=4)
    assert cohen_kappa(first, second, 4) == pytest.approx(float(theirs), abs=1e-6)


def test_full_agreement_has_a_width_and_one_class_alone_a_reason():
    first, _ = raters(60)
    full = kappa_interval(first, first, 4)
    assert (full.value, full.high) == (1.0, 1.0)
    assert 0.8 < full.low < 0.97
    alone = kappa_interval(np.zeros(60, int), np.zeros(60, int), 4)
    assert alone.value is None
    assert alone.reason
    assert kappa_interval(first[:29], first[:29], 4).value is None
    assert kappa_interval(first[:0], first[:0], 4).reason


def test_kappa_of_chance_is_about_0_and_groups_widen_it():
    generator = np.random.default_rng(2)
    first, second = generator.integers(0, 3, 3_000), generator.integers(0, 3, 3_000)
    chance = kappa_interval(first, second, 3)
    assert chance.low < 0 < chance.high
    base, groups = generator.integers(0, 3, 100), np.repeat(np.arange(100), 20)
    same = np.where(generator.random(100) < 0.5, base, (base + 1) % 3)
    plain, clustered = (
        kappa_interval(np.repeat(base, 20), np.repeat(same, 20), 3, groups=one) for one in (None, groups)
    )
    assert clustered.high - clustered.low > 3 * (plain.high - plain.low)
