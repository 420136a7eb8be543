"""Sentences say no more than the numbers carry."""

import numpy as np
import pytest

from workbench.metrics import (
    Difference,
    Interval,
    bootstrap_difference,
    mean_over_seeds,
    prediction_consistency,
    rate,
    spread,
)
from workbench.metrics.wording import (
    comparison_sentence,
    consistency_sentence,
    difference_from_row,
    interval_from_row,
    metric_name,
    needed_sentence,
    noninferiority_sentence,
    p_value,
    percent,
    points,
    rate_sentence,
    require,
    score_sentence,
    seeds_sentence,
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


def test_nothing_is_written_without_a_sign_and_something_never_as_nothing():
    assert points(0.0, sign=True) == points(-0.0, sign=True) == points(1e-17, sign=True) == "0.0"
    assert points(0.004, sign=True) == "+0.4"
    assert points(0.000004, sign=True) == "+0.0004"
    assert points(-0.0000001) == "−0.00001"
    assert [percent(one) for one in (0, 1, 0.5, 0.0048, 0.99995, 0.00005, 0.123)] == [
        "0 %",
        "100 %",
        "50.0 %",
        "0.48 %",
        "over 99.99 %",
        "under 0.01 %",
        "12.3 %",
    ]


def test_no_numbers_carry_that_there_is_no_difference():
    same = Difference(0.0, -0.0001, 0.0001, 1.0, 40_000, "exact")
    require("equal", same, 0.01)
    with pytest.raises(ValueError, match="they carry: as good, equal"):
        require("no difference", same, 0.01)


def test_none_of_n_is_not_never_and_a_few_are_no_rate():
    assert rate_sentence("predictions changed", 0, rate(0, 120)) == (
        "None of 120 predictions changed; the rate may still be up to 3.0 % (95 % interval)."
    )
    assert rate_sentence("rows were covered", 120, rate(120, 120)) == (
        "All 120 rows were covered; the rate may still be as low as 97.0 % (95 % interval)."
    )
    assert rate_sentence("predictions changed", 3, rate(3, 120)) == (
        "3 of 120 predictions changed: 2.5 % (95 % interval 0.52 % to 7.1 %)."
    )
    assert rate_sentence("predictions changed", 3, rate(3, 12)) == (
        "3 of 12 predictions changed, too few for a rate (95 % interval 5.5 % to 57.2 %)."
    )
    assert rate_sentence("predictions changed", 0, rate(0, 0)) == (
        "Nothing was counted (predictions changed); no interval: no rows."
    )
    assert "368 independent rows" in needed_sentence(0.01)


def test_seeds_are_told_with_spread_and_both_sources_of_doubt():
    points_of = [0.60, 0.64, 0.68]
    said = seeds_sentence("teacher", "macro_f1", spread(points_of), mean_over_seeds(points_of, 0.01, 500))
    assert said.startswith("The macro-F1 of teacher is 0.640 on average over 3 seeds (standard deviation 4.0 points")
    assert "other rows and other seeds together: 95 % interval 0.5" in said
    alone = seeds_sentence("teacher", "macro_f1", spread([0.6]), mean_over_seeds([0.6], 0.01, 500))
    assert alone.endswith("how much another seed would change is not known.")
    agreed = prediction_consistency(np.array([[0] * 90 + [1] * 10, [0] * 100, [0] * 100]), resamples=100)
    assert consistency_sentence("teacher", 3, agreed.all_seeds).startswith(
        "All 3 seeds of teacher predict the same class for 90.0 % of the rows (95 % interval 82.4 % to 95.1 %, n = 100)"
    )
    assert "one seed" in consistency_sentence("teacher", 1, prediction_consistency(np.zeros((1, 9), int)).all_seeds)


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


def test_a_row_that_went_through_pandas_says_what_the_row_of_the_file_says():
    import pandas as pd

    told = {"value": 0.03, "low": 0.01, "high": 0.05, "n": 900, "method": "resampled", "p": 0.01, "detectable": 0.02}
    other = {"value": None, "low": None, "high": None, "n": 12, "method": "none", "reason": "too few", "p_holm": None}
    frame = pd.DataFrame([told, other])
    for row, shown in zip((told, other), frame.to_dict("records"), strict=True):
        assert difference_from_row(shown) == difference_from_row(row)
        assert verdict(difference_from_row(shown)) == verdict(difference_from_row(row))
        assert interval_from_row(shown) == interval_from_row(row)


def test_sentences_come_from_real_resamples_too():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, 900)
    weak = np.where(generator.random(900) < 0.5, labels, (labels + 1) % 4)
    strong = np.where(generator.random(900) < 0.8, labels, (labels + 1) % 4)
    found = bootstrap_difference("macro_f1", labels, strong, weak, 4, resamples=500)
    assert comparison_sentence("student-linear", "baseline", "macro_f1", found).startswith(
        "student-linear is better than baseline"
    )
