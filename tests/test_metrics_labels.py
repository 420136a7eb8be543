"""Confident learning, kappa, confused pairs and the teacher's verdict on arrays, checked against other packages."""

import numpy as np
import pyarrow as pa
import pytest

from workbench.metrics.confident_learning import (
    confident_joint,
    doubted,
    if_faultless,
    margin,
    ranking,
    suggested,
)
from workbench.metrics.confused_pairs import confused_pairs
from workbench.metrics.kappa import cohen_kappa, kappa_interval, share_interval
from workbench.metrics.label_noise import estimate_noise, raised
from workbench.metrics.teacher_audit import SCHEMA, score_teacher_audit, teacher_verdict


def drawn(rows=1500, classes=5, sharpness=3.0, seed=0, wrong=0.0):
    """Calibrated probabilities, labels drawn from them, and which labels were then made wrong."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, sharpness, (rows, classes))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (random.random((rows, 1)) > np.cumsum(p, axis=1)).sum(axis=1).clip(0, classes - 1)
    flipped = random.random(rows) < wrong
    labels = np.where(flipped, (labels + random.integers(1, classes, rows)) % classes, labels)
    return p, labels, flipped


def test_a_hand_worked_case_of_confident_learning():
    p = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6]])
    labels = np.array([0, 0, 0, 1, 1])
    # thresholds: class 0 (.9 + .7 + .2) / 3 = .6, class 1 (.9 + .6) / 2 = .75
    assert suggested(p, labels).tolist() == [0, 0, 1, 1, -1]
    assert confident_joint(p, labels).tolist() == [[2, 1], [0, 1]]
    assert doubted(p, labels).tolist() == [False, False, True, False, False]
    assert margin(p, labels) == pytest.approx([0.8, 0.4, -0.6, 0.8, 0.2])
    assert ranking(p, labels).tolist() == [2, 4, 1, 0, 3]


@pytest.mark.parametrize("sharpness", [1.0, 3.0])
def test_cleanlab_finds_the_same_labels(sharpness):
    cleanlab = pytest.importorskip("cleanlab", reason="the extra quality is not installed")
    from cleanlab import count, filter, rank

    p, labels, _ = drawn(sharpness=sharpness, wrong=0.05)
    assert cleanlab.__version__
    theirs = count.compute_confident_joint(labels, p, calibrate=False)
    ours = confident_joint(p, labels)
    assert np.abs(theirs - ours).sum() <= 0.01 * len(labels)
    found = filter.find_label_issues(labels, p, filter_by="confident_learning", n_jobs=1)
    both, either = (found & doubted(p, labels)).sum(), (found | doubted(p, labels)).sum()
    assert both >= 0.95 * either
    quality = rank.get_label_quality_scores(labels, p, method="normalized_margin")
    assert quality == pytest.approx((margin(p, labels) + 1) / 2, abs=1e-9)


@pytest.mark.slow
def test_faultless_labels_are_doubted_as_often_as_the_draws_say():
    inside = 0
    for seed in range(40):
        p, labels, _ = drawn(rows=400, seed=seed)
        null = if_faultless(p, draws=200, seed=1)
        inside += null.low <= doubted(p, labels).sum() <= null.high
    assert inside >= 34


@pytest.mark.parametrize("wrong", [0.05, 0.15])
def test_a_share_of_wrong_labels_is_estimated_beside_the_calibration(wrong):
    p, labels, flipped = drawn(rows=2000, wrong=wrong)
    flat = p**0.6 / (p**0.6).sum(axis=1, keepdims=True)
    found = estimate_noise(flat, labels)
    assert found.share.low < flipped.mean() < found.share.high
    assert found.share.low > 0
    assert found.power == pytest.approx(1 / 0.6, rel=0.1)
    said = raised(flat, found.power)
    assert doubted(said, labels).sum() > if_faultless(said, draws=200).high
    assert flipped[ranking(said, labels)[: len(labels) // 10]].sum() >= 0.6 * min(flipped.sum(), len(labels) // 10)


@pytest.mark.slow
def test_the_interval_of_the_share_holds_the_truth():
    held = []
    for seed in range(60):
        p, labels, _ = drawn(rows=400, sharpness=2.0, seed=seed, wrong=0.08)
        share = estimate_noise(p, labels).share
        held.append(share.low <= 0.08 <= share.high)
    assert np.mean(held) >= 0.88


@pytest.mark.slow
def test_faultless_labels_are_rarely_accused():
    accused = [estimate_noise(*drawn(rows=400, sharpness=2.0, seed=seed)[:2]).share.low > 0 for seed in range(60)]
    assert np.mean(accused) <= 0.08


def test_kappa_and_its_variance_are_those_of_scikit_learn_and_statsmodels():
    sklearn = pytest.importorskip("sklearn.metrics")
    raters = pytest.importorskip("statsmodels.stats.inter_rater")
    p, labels, _ = drawn(rows=300, sharpness=1.5)
    said = p.argmax(axis=1)
    assert cohen_kappa(labels, said, 5) == pytest.approx(sklearn.cohen_kappa_score(labels, said), abs=1e-9)
    table = np.bincount(labels * 5 + said, minlength=25).reshape(5, 5)
    theirs, ours = raters.cohens_kappa(table), kappa_interval(labels, said, 5)
    half = (ours.high - ours.low) / 2 / 1.9679 * np.sqrt(299 / 300)
    assert half == pytest.approx(np.sqrt(theirs.var_kappa), rel=1e-3)


@pytest.mark.parametrize(("rows", "classes", "sharpness"), [(200, 2, 1.5), (200, 12, 2.5), (600, 4, 1.0)])
def test_the_interval_of_kappa_holds_what_it_promises(rows, classes, sharpness):
    p, labels, _ = drawn(rows=200_000, classes=classes, sharpness=sharpness)
    said = p.argmax(axis=1)
    truth = cohen_kappa(labels, said, classes)
    starts = range(0, len(labels) - rows + 1, rows)
    found = [kappa_interval(labels[at : at + rows], said[at : at + rows], classes) for at in starts]
    held = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.925 <= held <= 0.98


def test_rows_of_a_group_widen_an_interval():
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 10)
    hits = np.repeat(random.random(60) < 0.7, 10)
    alone, clustered = share_interval(hits), share_interval(hits, groups=groups)
    assert clustered.high - clustered.low > 2.5 * (alone.high - alone.low)
    labels, said = np.repeat(random.integers(0, 3, 60), 10), np.repeat(random.integers(0, 3, 60), 10)
    wide, narrow = kappa_interval(labels, said, 3, groups=groups), kappa_interval(labels, said, 3)
    assert wide.high - wide.low > 2.5 * (narrow.high - narrow.low)


def test_what_cannot_be_said_has_a_reason_and_is_never_nan():
    empty = np.zeros(0, dtype=np.int64)
    assert (kappa_interval(empty, empty, 3).value, kappa_interval(empty, empty, 3).reason) == (None, "no rows")
    one = np.zeros(50, dtype=np.int64)
    assert kappa_interval(one, one, 3).reason == "both name one class alone"
    mixed = np.arange(50) % 3
    assert "always names the same class" in kappa_interval(mixed, one, 3).reason
    perfect = kappa_interval(mixed, mixed, 3)
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert 0.8 < perfect.low < 1
    assert kappa_interval(mixed[:20], mixed[:20], 3).value is None
    assert "groups" in share_interval(mixed > 0, groups=np.arange(50) % 4).reason


def test_classes_that_are_mixed_up_are_found_and_others_are_not():
    random = np.random.default_rng(0)
    labels = random.integers(0, 8, 1600)
    said = np.where(random.random(1600) < 0.25, random.integers(0, 8, 1600), labels)
    mixed = np.isin(labels, [2, 5]) & (random.random(1600) < 0.3)
    found = confused_pairs(labels, np.where(mixed, 7 - labels, said), 8)
    assert found[0].classes == (2, 5)
    assert [pair.classes for pair in found if pair.p_holm < 0.05] == [(2, 5)]
    assert found[0].share.low < found[0].share.value < found[0].share.high
    assert found[0].count > 3 * found[0].expected
    false_alarms = sum(
        any(pair.p_holm < 0.05 for pair in confused_pairs(labels, shuffled_errors(labels, seed), 8))
        for seed in range(60)
    )
    assert false_alarms <= 6


def shuffled_errors(labels, seed):
    """Answers whose errors go anywhere."""
    random = np.random.default_rng(seed)
    return np.where(random.random(len(labels)) < 0.4, random.integers(0, 8, len(labels)), labels)


def audit_table(labels, said, confidence=0.6, groups=None):
    """Evidence of a teacher."""
    rows = len(labels)
    columns = [["teacher"] * rows, ["validation"] * rows, range(rows), groups or [None] * rows]
    columns += [labels, said, np.broadcast_to(confidence, rows)]
    return pa.table(
        [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


SETTINGS = {"classes": ["a", "b", "c"], "seed": 0}


def test_a_teacher_at_chance_is_stopped_in_nearly_every_draw():
    random = np.random.default_rng(0)
    stopped = [
        not teacher_verdict(audit_table(random.integers(0, 3, 200), random.integers(0, 3, 200)), SETTINGS).go
        for _ in range(100)
    ]
    assert sum(stopped) >= 94
    constant = teacher_verdict(audit_table(np.arange(200) % 3, np.zeros(200, int)), SETTINGS)
    assert not constant.go
    assert "not shown to be more than chance" in constant.sentence


def test_a_weak_teacher_goes_on_with_warnings():
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    said = np.where(random.random(300) < 0.4, labels, random.integers(0, 2, 300))
    verdict = teacher_verdict(audit_table(labels, np.where(said == 2, 0, said), confidence=0.95), SETTINGS)
    assert verdict.go
    assert verdict.low is not None
    assert verdict.low > 0
    assert any("never names c" in one for one in verdict.warnings)
    assert any("surer than right" in one for one in verdict.warnings)
    assert "of 300 rows" in verdict.sentence
    few = teacher_verdict(audit_table([0, 1, 2, 0, 1] * 4, [0, 1, 2, 0, 2] * 4), SETTINGS)
    assert few.go
    assert any("next to nothing" in one for one in few.warnings)
    none = teacher_verdict(audit_table([], []), SETTINGS)
    assert none.go
    assert none.warnings


def test_agreement_is_told_by_class_and_by_confidence():
    labels = np.arange(300) % 3
    said = np.where(np.arange(300) < 60, (labels + 1) % 3, labels)
    confidence = np.where(np.arange(300) < 150, 0.6, 0.95)
    rows = score_teacher_audit(audit_table(labels, said, confidence), SETTINGS)
    by_slice = {(row["split"], row["slice"], row["metric"]): row for row in rows}
    assert by_slice["labelled", "all", "kappa"]["value"] == pytest.approx(0.7)
    assert by_slice["labelled", "label=a", "agreement"]["value"] == pytest.approx(0.8)
    assert by_slice["labelled", "confidence=0.5 to 0.7", "agreement"]["value"] == pytest.approx(0.6)
    assert by_slice["labelled", "confidence=0.9 to 1", "mean_confidence"]["value"] == pytest.approx(0.95)
    assert by_slice["labelled", "confidence=0 to 0.5", "agreement"]["reason"] == "no rows"
