"""Flip rates against a neutral change: how often a bias is found, and how often one is seen where there is none."""

import numpy as np
import pyarrow as pa
import pytest

from workbench.metrics.flips import ATTRIBUTES, crossing_of, findable_excess, flip_rate, score_flips, shuffled_words
from workbench.metrics.wording import difference_from_row, verdict

CLASSES = ["one", "two", "three"]
SETTINGS = {
    "split": "test",
    "classes": CLASSES,
    "seed": 0,
    "lists": [{"kind": "frame", "templates": {"name": "{word}: {text}"}}],
}
ORIGINS = np.repeat(["a", "b", "c", "d", "e", "f"], 4)
SEXES = np.tile(["female", "female", "male", "male"], 6)


def evidence(places, *, sexes=SEXES, origins=ORIGINS):
    """Evidence from the place of every text and word on a circle of three classes, shape ``(texts, words)``."""
    texts, words = places.shape
    classes = (np.floor(places % 1.0 * 3)).astype(int).ravel()
    columns = {
        "candidate": ["student-toy"] * (texts * words),
        "row": np.repeat(np.arange(texts), words),
        "template": ["name"] * (texts * words),
        "member": np.tile([f"word {at}" for at in range(words)], texts),
    }
    columns |= {name: pa.nulls(texts * words, pa.string()) for name in ATTRIBUTES}
    columns |= {"sex": np.tile(sexes, texts), "origin": np.tile(origins, texts)}
    columns |= {"prediction": np.array(CLASSES)[classes]}
    return pa.table(columns | {f"p_{name}": (classes == at).astype(np.float32) for at, name in enumerate(CLASSES)})


def drawn(seed, texts, bias=0.0):
    """Every word moves all texts in its own way, each text a little more, and women's names by `bias` besides."""
    random = np.random.default_rng(seed)
    words = random.normal(0, 0.03, len(SEXES)) + bias * (SEXES == "female")
    return evidence(random.random((texts, 1)) + words + random.normal(0, 0.02, (texts, len(SEXES))))


def alarms(table):
    """Attributes whose excess is worded as one."""
    rows = [row for row in score_flips(table, SETTINGS) if row["metric"] == "flip_excess"]
    return {row["slice"].split()[0] for row in rows if verdict(difference_from_row(row)) == "better"}


def row_of(table, metric, attribute="sex", settings=SETTINGS):
    where = f"attribute={attribute} & template=name"
    return next(row for row in score_flips(table, settings) if (row["slice"], row["metric"]) == (where, metric))


@pytest.mark.slow
def test_of_200_candidates_that_only_stumble_over_words_at_most_10_are_called_biased():
    assert sum(bool(alarms(drawn(seed, 60))) for seed in range(200)) <= 10


def pairs_of(table):
    crossing = crossing_of(table, "sex", CLASSES)
    first, second = crossing.pairs()
    return crossing.flips(), crossing.groups[first] != crossing.groups[second]


def bias_for(excess):
    """How far women's names have to move texts for a mean excess, by simulation without any test."""
    tried, found = (0.02, 0.06, 0.1, 0.14, 0.18), []
    for bias in tried:
        flips, across = zip(*(pairs_of(drawn(seed, 300, bias)) for seed in range(500, 508)), strict=True)
        gaps = [np.nanmean(one[:, swap]) - np.nanmean(one[:, ~swap]) for one, swap in zip(flips, across, strict=True)]
        found.append(np.mean(gaps))
    return float(np.interp(excess, found, tried))


@pytest.mark.slow
@pytest.mark.parametrize("texts", [60, 200])
def test_a_bias_of_the_strength_that_the_power_calculation_gives_for_95_per_cent_is_found_in_95(texts):
    unbiased = (crossing_of(drawn(seed, texts), "sex", CLASSES) for seed in range(900, 906))
    strength = float(np.mean([findable_excess(one, claims=2) for one in unbiased]))
    bias = bias_for(strength)
    found = sum("attribute=sex" in alarms(drawn(seed, texts, bias)) for seed in range(100))
    assert found >= 95, (strength, bias)


def test_the_findable_excess_falls_with_texts_and_rises_with_power_and_with_what_is_tested_together():
    small, large = (crossing_of(drawn(3, texts), "sex", CLASSES) for texts in (60, 240))
    assert findable_excess(large) < findable_excess(small) < 1
    assert findable_excess(small, power=0.8) < findable_excess(small, power=0.99)
    assert findable_excess(small) <= findable_excess(small, claims=8)


def test_with_too_few_texts_or_words_no_excess_can_be_found():
    assert findable_excess(crossing_of(drawn(3, 20), "sex", CLASSES)) is None
    four = evidence(np.random.default_rng(0).random((60, 4)), sexes=["female"] * 2 + ["male"] * 2, origins=["a"] * 4)
    assert findable_excess(crossing_of(four, "sex", CLASSES)) is None


def test_one_odd_word_is_no_sex_though_texts_alone_would_say_so():
    random = np.random.default_rng(0)
    words = np.where(np.arange(12) == 0, 0.2, 0.0)
    table = evidence(random.random((300, 1)) + words, sexes=np.repeat(["female", "male"], 6), origins=["a"] * 12)
    row = row_of(table, "flip_excess")
    assert row["p_words"] > 0.2
    assert row["p"] == row["p_words"]
    assert verdict(difference_from_row(row)) == "not detectable"


def test_rates_are_the_shares_of_pairs_counted_by_hand():
    places = np.tile([0.1, 0.5, 0.1, 0.1], (40, 1))
    table = evidence(places, sexes=["female", "female", "male", "male"], origins=["a"] * 4)
    assert row_of(table, "flip_rate")["value"] == 0.5
    assert row_of(table, "flip_rate_control")["value"] == 0.5
    assert row_of(table, "flip_excess")["value"] == 0
    shift = row_of(table, "probability_shift")
    assert (abs(shift["value"]), shift["n"]) == (0.5, 40)


def test_only_words_that_differ_in_nothing_else_are_compared():
    places = np.tile([0.1, 0.5, 0.1, 0.5], (40, 1))
    table = evidence(places, sexes=["female", "female", "male", "male"], origins=["a", "b", "a", "b"])
    assert row_of(table, "flip_rate")["value"] == 0
    assert row_of(table, "flip_rate", "origin")["value"] == 1
    assert "no pairs" in row_of(table, "flip_rate_control")["reason"]
    assert "no neutral change" in row_of(table, "flip_excess")["reason"]


def test_no_flip_in_40_texts_leaves_up_to_9_per_cent_and_under_30_no_rate_is_given():
    assert flip_rate(np.zeros(40)).value == 0
    assert 0.08 < flip_rate(np.zeros(40)).high < 0.09
    few = flip_rate(np.zeros(29))
    assert few.value is None
    assert few.high > 0.1
    assert "below 30" in few.reason
    assert flip_rate(np.full(5, np.nan)).n == 0


@pytest.mark.parametrize("shape", [0.02, 0.1, 0.5])
def test_the_bounds_of_a_rate_hold_it_at_least_as_often_as_they_say(shape):
    random = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        found = flip_rate(random.binomial(4, random.beta(shape, 10 * shape, 60)) / 4)
        held += found.low <= 1 / 11 <= found.high
    assert held >= 950


def test_dealing_the_words_gives_a_small_p_only_where_groups_agree_within_themselves():
    random = np.random.default_rng(0)
    start = random.random((100, 1))
    apart = evidence(start + np.where(SEXES == "female", 0.2, 0.0))
    same = evidence(start + random.normal(0, 0.1, len(SEXES)))
    assert shuffled_words(crossing_of(apart, "sex", CLASSES), 0) < 0.01
    assert shuffled_words(crossing_of(same, "sex", CLASSES), 0) > 0.05


def test_the_same_evidence_gives_the_same_rows():
    table = drawn(3, 60)
    assert score_flips(table, SETTINGS) == score_flips(table, SETTINGS)
