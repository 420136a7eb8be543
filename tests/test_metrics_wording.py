"""Sentences say no more than the numbers carry."""

import numpy as np
import pytest

from workbench.metrics import Difference, Interval, bootstrap_difference
from workbench.metrics.wording import (
    comparison_sentence,
    difference_from_row,
    metric_name,
    noninferiority_sentence,
    p_value,
    points,
    require,
    score_sentence,
    verdict,
)


def difference(value, low, high, p, detectable=0.02):
    return Difference(value, low, high, p, 1_000, "paired bootstrap", detectable=detectable)


CLEAR = difference(0.05, 0.03, 0.07, 0.0002)
CLOSE = difference(0.004, -0.006, 0.008, 0.4)
TINY = difference(0.012, 0.001, 0.023, 0.03)
WIDE = difference(-0.02, -0.09, 0.05, 0.6, detectable=0.1)


def test_better_needs_p_interval_and_a_difference_that_could_be_seen():
    assert verdict(CLEAR) == "better"
    assert verdict(difference(-0.05, -0.07, -0.03, 0.0002)) == "worse"
    assert verdict(CLOSE) == "not detectable"
    assert verdict(TINY) == "not detectable"  # p below 5 %, but smaller than what such a test finds reliably
    assert verdict(Difference(None, None, None, None, 12, "none", "12 rows")) == "unknown"


def test_the_sentence_of_an_unseen_difference_names_n_and_what_could_be_seen():
    said = comparison_sentence("student-linear", "teacher", "macro_f1", CLOSE)
    assert "not detectable at n = 1,000" in said
    assert "differences under 2.0 points" in said
    assert "better" not in said
    assert "equal" not in said


def test_words_that_the_numbers_do_not_carry_are_refused():
    require("better", CLEAR, 0.01)
    require("as good", CLOSE, 0.01)
    require("equal", CLOSE, 0.01)
    for word, numbers in (("better", TINY), ("equal", CLEAR), ("as good", WIDE), ("worse", WIDE), ("equal", WIDE)):
        with pytest.raises(ValueError, match="do not carry"):
            require(word, numbers, 0.01)


def test_not_worse_significantly_is_not_as_good():
    assert noninferiority_sentence("a", "b", "macro_f1", CLOSE, 0.01).startswith("a is as good as b within 1.0 points")
    assert noninferiority_sentence("a", "b", "macro_f1", WIDE, 0.01).startswith("It is not shown that a is as good")
    worse = difference(-0.05, -0.07, -0.03, 0.0002)
    assert "more than 1.0 points below b" in noninferiority_sentence("a", "b", "macro_f1", worse, 0.01)
    nothing = Difference(None, None, None, None, 12, "none", "12 rows: below 30 nothing is compared")
    assert "cannot be said: 12 rows" in noninferiority_sentence("a", "b", "macro_f1", nothing, 0.01)


def test_a_score_without_a_point_says_why():
    few = Interval(None, 0.3, 0.9, 12, "Clopper–Pearson", "12 rows: below 30 no figure is given")
    assert score_sentence("teacher", "accuracy", few).endswith(
        "12 rows: below 30 no figure is given; it lies between 0.30 and 0.90."
    )
    full = Interval(0.561, 0.531, 0.59, 2_514, "bootstrap")
    assert score_sentence("teacher", "macro_f1", full) == (
        "The macro-F1 of teacher is 0.561 (95 % interval 0.531 to 0.590, n = 2,514)."
    )


def test_small_numbers_are_not_rounded_to_nothing():
    assert points(0.0003) == "0.03"
    assert points(-0.012, sign=True) == "−1.2"
    assert p_value(0.00009) == "p < 0.001"
    assert [metric_name(one) for one in ("top_3_accuracy", "f1:Eye", "log_loss")] == [
        "top-3 accuracy",
        "F1 of Eye",
        "log loss",
    ]


def test_a_row_gives_its_difference_back_with_the_adjusted_p():
    row = {
        "value": 0.1,
        "low": 0.05,
        "high": 0.15,
        "n": 50,
        "method": "m",
        "p": 0.01,
        "p_holm": 0.04,
        "detectable": 0.08,
    }
    assert difference_from_row(row).p == 0.04


def test_sentences_come_from_real_resamples_too():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, 900)
    weak = np.where(generator.random(900) < 0.5, labels, (labels + 1) % 4)
    strong = np.where(generator.random(900) < 0.8, labels, (labels + 1) % 4)
    found = bootstrap_difference("macro_f1", labels, strong, weak, 4, resamples=500)
    assert comparison_sentence("student-linear", "baseline", "macro_f1", found).startswith(
        "student-linear is better than baseline"
    )
