"""What a compressed candidate lost, in numbers and sentences."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.compression import parity


class Fixed:
    """A candidate whose logits are given."""

    classes = ("a", "b")

    def __init__(self, logits):
        self._logits = np.asarray(logits, dtype=np.float32)

    def logits(self, texts):
        return self._logits[: len(texts)]


def rows(n=400, wrong=0):
    labels = np.arange(n) % 2
    logits = np.where(labels[:, None] == np.arange(2), 1.0, 0.0).astype(np.float32)
    turned = logits.copy()
    turned[:wrong] = turned[:wrong, ::-1]
    return labels, logits, turned, [""] * n


def test_equal_candidates_agree_on_all_and_the_interval_is_not_nothing():
    labels, logits, _, texts = rows()
    found = parity(Fixed(logits), Fixed(logits), texts, labels, resamples=500)
    assert (found.largest_logit_difference, found.agreement, found.change.value, found.n) == (0.0, 1.0, 0.0, 400)
    assert found.change.low < 0 < found.change.high
    assert not found.loses_more_than(0.01)
    assert found.loses_more_than(0.005)
    assert "100 % of them" in " ".join(found.sentences)


def test_a_loss_is_negative_has_an_interval_and_is_refused():
    labels, logits, turned, texts = rows(wrong=20)
    found = parity(Fixed(logits), Fixed(turned), texts, labels, metric="accuracy", resamples=500)
    assert found.agreement == pytest.approx(0.95)
    assert found.change.value == pytest.approx(-0.05)
    assert found.change.low < -0.05 < found.change.high < 0
    assert found.largest_logit_difference == 1.0
    assert found.loses_more_than(0.01)
    assert any(line.startswith("Accuracy changes by −5.0 points (95 % interval −") for line in found.sentences)


def test_one_row_in_many_is_not_rounded_to_all():
    labels, logits, turned, texts = rows(n=100_000, wrong=1)
    found = parity(Fixed(logits), Fixed(turned), texts, labels, resamples=50)
    assert "99.99 % of them" in " ".join(found.sentences)


def test_no_rows_are_said_to_be_none():
    labels, logits, _, texts = rows()
    found = parity(Fixed(logits), Fixed(logits), texts[:0], labels[:0])
    assert found.sentences == ["No rows were compared."]
    assert found.loses_more_than(0.01)


def test_other_classes_are_refused():
    labels, logits, _, texts = rows()
    other = Fixed(logits)
    other.classes = ("b", "a")
    with pytest.raises(ValueError, match="same classes"):
        parity(Fixed(logits), other, texts, labels)
