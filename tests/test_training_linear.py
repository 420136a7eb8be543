"""Training of linear candidates: full batch for few rows, streamed for many."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from workbench.errors import ModelError, Stopped
from workbench.models.linear import LinearCandidate
from workbench.runs.events import Measured, Progress
from workbench.training.distillation import cross_entropy, fit_temperature, one_hot
from workbench.training.linear import LEAST_STEPS, LinearSettings, train_linear

CLASSES = ("injury", "infection", "heart")
FULL = LinearSettings(buckets=1 << 12)
STREAMED = LinearSettings(buckets=1 << 12, epochs=12, batch=32, full_batch_rows=0)
BOTH = pytest.mark.parametrize("settings", [FULL, STREAMED], ids=["full batch", "streamed"])


def train(texts, targets, settings: LinearSettings = FULL, **more) -> LinearCandidate:
    return train_linear(texts, targets, classes=CLASSES, settings=settings, **more)


@pytest.fixture(scope="module")
def parts(phrases):
    texts, labels = phrases
    return (texts[:120], one_hot(labels[:120], 3)), (texts[120:180], labels[120:180]), (texts[180:], labels[180:])


@pytest.fixture(scope="module")
def noisy(parts):
    """Hard labels, every fourth of them wrong."""
    (texts, targets), *_ = parts
    wrong = targets.copy()
    wrong[::4] = np.roll(targets[::4], 1, axis=1)
    return texts, wrong


@BOTH
def test_it_learns_to_tell_classes_apart(parts, settings):
    (texts, targets), validation, (others, labels) = parts
    candidate = train(texts, targets, settings, validation=validation)
    assert (candidate.predict_proba(others).argmax(axis=1) == labels).mean() > 0.9


@BOTH
def test_it_learns_the_distribution_and_not_the_likeliest_class(settings):
    given = {
        "fever": np.array([0.6, 0.3, 0.1], np.float32),
        "burn": np.array([0.05, 0.5, 0.45], np.float32),
        "cough": np.array([0.2, 0.2, 0.6], np.float32),
    }
    texts = list(given) * 40
    settings = LinearSettings(buckets=1 << 12, l2=1e-7, epochs=40, batch=32, full_batch_rows=settings.full_batch_rows)
    found = train(texts, np.stack([given[text] for text in texts]), settings).predict_proba(list(given))
    np.testing.assert_allclose(found, np.stack(list(given.values())), atol=0.03)


@BOTH
def test_contradicting_labels_are_answered_with_their_shares(settings):
    texts, targets = ["fever", "cough"] * 60, np.zeros((120, 3), np.float32)
    targets[1::2, 2] = 1
    targets[0::2][:45, 0] = 1
    targets[0::2][45:, 1] = 1
    settings = LinearSettings(buckets=1 << 12, l2=1e-6, epochs=40, batch=32, full_batch_rows=settings.full_batch_rows)
    np.testing.assert_allclose(train(texts, targets, settings).predict_proba(["fever"])[0], [0.75, 0.25, 0], atol=0.06)


@BOTH
def test_rows_that_weigh_nothing_are_left_out(parts, settings):
    (texts, targets), validation, _ = parts
    junk = ["burn burn burn zebra", "heart valve zebra"] * 10
    mixed = [*junk, *texts]
    wrong = np.concatenate([one_hot(np.full(20, 1), 3), targets])
    weights = np.concatenate([np.zeros(20, np.float32), np.ones(len(texts), np.float32)])
    with_junk = train(mixed, wrong, settings, weights=weights, validation=validation)
    without = train(texts, targets, settings, validation=validation)
    np.testing.assert_array_equal(with_junk.table, without.table)
    np.testing.assert_array_equal(with_junk.bias, without.bias)


@BOTH
def test_a_heavy_row_counts_more_than_a_light_one(settings):
    texts, targets = ["fever"] * 40, one_hot(np.arange(40) % 2, 3)
    weights = np.where(np.arange(40) % 2 == 0, 3.0, 1.0).astype(np.float32)
    settings = LinearSettings(buckets=1 << 12, l2=1e-6, epochs=60, batch=32, full_batch_rows=settings.full_batch_rows)
    found = train(texts, targets, settings, weights=weights).predict_proba(["fever"])[0]
    assert found[0] == pytest.approx(0.75, abs=0.06)


@BOTH
def test_only_the_proportion_of_weights_counts(parts, settings):
    (texts, targets), *_ = parts
    once = train(texts, targets, settings, weights=np.ones(len(texts), np.float32))
    tenfold = train(texts, targets, settings, weights=np.full(len(texts), 8, np.float32))
    np.testing.assert_array_equal(once.table, tenfold.table)


@BOTH
def test_the_same_seed_gives_the_same_weights(parts, settings):
    (texts, targets), validation, _ = parts
    one, other = (train(texts, targets, settings, validation=validation, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.table, other.table)
    np.testing.assert_array_equal(one.bias, other.bias)


def test_another_seed_is_another_order_when_streamed(parts):
    (texts, targets), *_ = parts
    assert (train(texts, targets, STREAMED, seed=0).table != train(texts, targets, STREAMED, seed=1).table).any()


@BOTH
@pytest.mark.parametrize("after", [0, 5])
def test_it_stops_when_it_is_asked_to(parts, settings, after):
    (texts, targets), validation, _ = parts
    asked = count()
    with pytest.raises(Stopped, match="resume"):
        train(texts, targets, settings, validation=validation, stop=lambda: next(asked) >= after)
    assert next(asked) == after + 1


def test_streamed_and_full_batch_agree_on_what_can_be_told_apart(parts):
    (texts, targets), _, (others, _) = parts
    settings = [LinearSettings(buckets=1 << 12, l2=1e-4, epochs=40, batch=32, full_batch_rows=r) for r in (500, 0)]
    full, streamed = (train(texts, targets, one).predict_proba(others) for one in settings)
    assert (full.argmax(axis=1) == streamed.argmax(axis=1)).mean() > 0.95
    assert np.abs(full - streamed).mean() < 0.1


def test_hard_labels_are_stopped_early_where_validation_is_best(noisy, parts):
    texts, wrong = noisy
    validation, settings = (
        parts[1],
        LinearSettings(buckets=1 << 12, epochs=25, learning_rate=0.3, batch=16, l2=0.0, full_batch_rows=0),
    )
    told: list = []
    candidate = train(texts, wrong, settings, validation=validation, listener=told.append)
    losses = [one.value for one in told if isinstance(one, Measured) and one.name == "validation log loss"]
    assert len(losses) == 25
    assert min(losses) < losses[-1], "training to the end would have been as good: the test shows nothing"
    kept = cross_entropy(candidate.logits(validation[0]), one_hot(validation[1], 3))
    assert kept == pytest.approx(min(losses), abs=2e-3)


def test_soft_targets_are_learned_to_the_end(parts):
    (texts, targets), validation, _ = parts
    told: list = []
    train(texts, targets * np.float32(0.7) + np.float32(0.1), STREAMED, validation=validation, listener=told.append)
    assert not [one for one in told if isinstance(one, Measured) and one.name == "validation log loss"]


def test_a_candidate_comes_calibrated_on_validation(noisy, parts):
    texts, wrong = noisy
    for settings in (FULL, STREAMED):
        candidate = train(texts, wrong, settings, validation=parts[1])
        assert fit_temperature(candidate.logits(parts[1][0]), parts[1][1]) == pytest.approx(1, abs=0.02)


def test_the_strength_is_chosen_on_validation_unless_it_is_given(parts):
    (texts, targets), validation, _ = parts
    for l2, held, tried in ((None, validation, 3), (1e-4, validation, 1), (None, None, 1)):
        told: list = []
        train(texts, targets, LinearSettings(buckets=1 << 12, l2=l2), validation=held, listener=told.append)
        progress = [one for one in told if isinstance(one, Progress)]
        assert [(one.done, one.total) for one in progress] == [(place + 1, tried) for place in range(tried)]


def test_a_stronger_pull_gives_flatter_answers(parts):
    (texts, targets), _, (others, _) = parts
    weak, strong = (
        train(texts, targets, LinearSettings(buckets=1 << 12, l2=l2)).predict_proba(others).max(axis=1).mean()
        for l2 in (1e-5, 1e-1)
    )
    assert strong < weak


@pytest.mark.parametrize(("epochs", "steps"), [(1, LEAST_STEPS), (12, LEAST_STEPS), (50, 50 * 4)])
def test_a_small_pool_is_passed_over_until_there_were_enough_steps(parts, epochs, steps):
    (texts, targets), *_ = parts
    told: list = []
    train(texts, targets, replace(STREAMED, epochs=epochs), listener=told.append)
    last = [one for one in told if isinstance(one, Progress)][-1]
    assert last.done == last.total == steps


def test_streaming_tells_of_losses_that_fall(parts):
    (texts, targets), *_ = parts
    told: list = []
    train(texts, targets, STREAMED, listener=told.append)
    losses = [one.value for one in told if isinstance(one, Measured)]
    assert losses[-1] < losses[0]


@BOTH
def test_texts_without_words_do_no_harm(parts, settings):
    (texts, targets), *_ = parts
    empty = train([*texts, "", " \n"], np.concatenate([targets, targets[:2]]), settings)
    assert np.isfinite(empty.predict_proba(["", "burn", "\u6f22"])).all()


@pytest.mark.parametrize(("buckets", "offered"), [(100_000, "65536 or 131072"), (3, "2 or 4"), (1, "2 or 4"), (0, "2")])
def test_a_number_of_buckets_that_is_no_power_of_two_is_refused_before_training(buckets, offered):
    with pytest.raises(ModelError) as refused:
        LinearSettings(buckets=buckets)
    assert f"cannot have {buckets} buckets" in str(refused.value)
    assert f"A power of two, for example {offered}" in str(refused.value)
    assert "Set buckets to" in str(refused.value)


def test_parts_that_do_not_fit_are_refused(parts):
    (texts, targets), *_ = parts
    with pytest.raises(ValueError, match="as many rows"):
        train(texts[1:], targets)
    with pytest.raises(ValueError, match="as many rows"):
        train(texts, targets[:, :2])
    with pytest.raises(ValueError, match="as many rows"):
        train(texts, targets, weights=np.ones(3, np.float32))
    with pytest.raises(ValueError, match="no row weighs anything"):
        train(texts, targets, weights=np.zeros(len(texts), np.float32))
