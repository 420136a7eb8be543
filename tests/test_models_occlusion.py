"""The words behind a decision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from workbench.models.occlusion import MAX_WORDS, occlude
from workbench.training.distillation import one_hot
from workbench.training.linear import LinearSettings, train_linear


class CountsFever:
    """Two classes; the second's probability is 0.1, 0.5 or 0.9 with no, one or two or more times the word fever."""

    kind = "test"
    classes = ("other", "fever")
    size_mb = 0.0
    asked = 0

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += len(texts)
        second = np.array([(0.1, 0.5, 0.9)[min(text.split().count("fever"), 2)] for text in texts], np.float32)
        return np.stack([1 - second, second], axis=1)


def test_a_word_is_worth_what_the_answer_falls_without_it():
    found = occlude(CountsFever(), "high fever and fever")
    assert [word for word, _ in found] == ["high", "fever", "and", "fever"]
    assert [fall for _, fall in found] == pytest.approx([0, 0.4, 0, 0.4], abs=1e-6)


def test_words_that_say_the_same_hide_each_other():
    assert all(fall == pytest.approx(0) for _, fall in occlude(CountsFever(), "fever fever fever"))


def test_a_word_that_speaks_against_the_answer_counts_below_zero():
    class Doubts(CountsFever):
        def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
            first = np.array([0.6 if "perhaps" in text else 0.8 for text in texts], np.float32)
            return np.stack([first, 1 - first], axis=1)

    assert dict(occlude(Doubts(), "perhaps cough")) == pytest.approx({"perhaps": -0.2, "cough": 0.0})


@pytest.mark.parametrize("text", ["", " ", "\n\t\u00a0"])
def test_a_text_without_words_has_no_reasons(text: str):
    assert occlude(CountsFever(), text) == []


def test_a_single_word_is_compared_with_the_empty_text():
    candidate = CountsFever()
    candidate.classes = ("fever", "other")
    assert occlude(candidate, "cough") == [("cough", pytest.approx(0))]
    assert candidate.asked == 2


def test_no_more_than_so_many_words_are_looked_at_but_all_are_read():
    candidate = CountsFever()
    found = occlude(candidate, " ".join(["word"] * MAX_WORDS + ["fever", "fever"]))
    assert len(found) == MAX_WORDS
    assert candidate.asked == MAX_WORDS + 1
    assert all(fall == pytest.approx(0) for _, fall in found)


def test_a_trained_candidate_rests_on_the_words_that_tell_its_classes_apart(phrases):
    texts, labels = phrases
    settings = LinearSettings(buckets=1 << 12, l2=1e-4)
    candidate = train_linear(texts, one_hot(labels, 3), classes=("injury", "infection", "heart"), settings=settings)
    found = occlude(candidate, "acute asthma of the left")
    assert max(found, key=lambda one: one[1])[0] == "asthma"
    assert all(-1 <= fall <= 1 for _, fall in found)
