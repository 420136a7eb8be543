"""Areas, hits at few false alarms, what n can show, and statements of ε: checked on hand-worked and simulated cases."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from workbench.metrics.differential_privacy import Learned, Spent, epsilon_at_least, epsilon_statement
from workbench.metrics.membership import is_finding, score_membership
from workbench.metrics.roc import area, curve, detectable_area, hits_at, rows_to_detect, shuffle_p, shuffled_areas

SPENT = Spent(2.9, 2.91, 1e-4, 1.2, 1.0, 0.25, 200, 840, 1.2, 100_000, secret=True)


def evidence(scores, inside, labels, subject="teacher", attack="loss"):
    count = len(scores)
    return pa.table(
        {
            "subject": [subject] * count,
            "attack": [attack] * count,
            "row": np.arange(count),
            "label": np.asarray(labels, dtype=np.int32),
            "member": inside,
            "score": np.asarray(scores, dtype=np.float64),
        }
    )


def two_groups(members, others, shift, seed=0):
    random = np.random.default_rng(seed)
    inside = np.repeat([True, False], [members, others])
    scores = random.normal(size=members + others) + shift * inside
    return scores, inside, random.integers(0, 4, members + others)


def test_an_area_is_the_share_of_pairs_in_order_with_ties_as_halves():
    assert area(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0])).value == pytest.approx(4.5 / 6)


def test_an_area_and_its_curve_are_scikit_learns():
    from sklearn.metrics import roc_auc_score, roc_curve

    scores, inside, _ = two_groups(70, 90, 0.6)
    assert area(scores[inside], scores[~inside]).value == pytest.approx(roc_auc_score(inside, scores), abs=1e-12)
    alarms, hits = curve(scores[inside], scores[~inside])
    wanted = roc_curve(inside, scores, drop_intermediate=False)
    np.testing.assert_allclose((alarms, hits), wanted[:2], atol=1e-12)


def test_the_interval_of_an_area_covers_the_truth_as_often_as_it_says():
    from scipy.special import ndtr

    truth = float(ndtr(0.5 / np.sqrt(2)))
    covered = 0
    for seed in range(400):
        scores, inside, _ = two_groups(120, 150, 0.5, seed)
        found = area(scores[inside], scores[~inside])
        covered += found.low <= truth <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_groups_that_do_not_overlap_still_get_an_interval():
    found = area(np.arange(50.0) + 100, np.arange(40.0))
    assert found.value == found.high == 1
    assert 0.85 < found.low < 0.95


def test_no_more_false_alarms_are_allowed_than_the_share_says():
    others = np.arange(1000.0)
    found = hits_at(np.array([985.0, 990.5, 2000.0, 3000.0]), others)
    assert (found.alarms, found.value) == (10, 0.75)
    tied = hits_at(np.full(50, 5.0), np.full(1000, 5.0))
    assert (tied.alarms, tied.value) == (0, 0.0)
    with pytest.raises(ValueError, match="100 are needed"):
        hits_at(np.zeros(10), np.zeros(99))


def test_shuffled_membership_gives_areas_around_a_half_even_where_classes_differ():
    scores, inside, labels = two_groups(300, 300, 0.0)
    scores += 3 * labels
    shuffled = shuffled_areas(scores, inside, labels, 500)
    assert abs(shuffled.mean() - 0.5) < 0.05
    assert shuffle_p(area(scores[inside], scores[~inside]).value, shuffled) > 0.01


def test_what_can_be_detected_and_the_rows_for_it_agree():
    for wanted in (0.55, 0.6, 0.7):
        rows = rows_to_detect(wanted)
        assert detectable_area(rows, rows) == pytest.approx(wanted, abs=0.01)


def test_a_leak_is_found_and_its_ceiling_and_limits_stand_beside_it():
    scores, inside, labels = two_groups(600, 700, 1.0)
    rows = score_membership(evidence(scores, inside, labels), {"seed": 0, "controls_of": "teacher"})
    found = {row["metric"]: row for row in rows}
    leak, hits = found["membership_auc:loss"], found["membership_tpr:loss"]
    assert is_finding(leak)
    assert leak["low"] < 0.76 < leak["high"]
    assert 0.99 < hits["ceiling"] < 1
    assert hits["alarms"] == 7
    assert 0.5 < found["membership_detectable_auc"]["value"] < 0.56


def test_where_nothing_leaks_nothing_is_found_and_the_null_control_holds():
    scores, inside, labels = two_groups(600, 700, 0.0, seed=3)
    rows = score_membership(evidence(scores, inside, labels), {"seed": 0, "controls_of": "teacher"})
    found = {row["metric"]: row for row in rows}
    assert not is_finding(found["membership_auc:loss"])
    null = found["membership_null_auc"]
    assert null["low"] < 0.5 < null["high"]
    assert null["false_alarms"] <= 0.1


def test_several_attacks_are_adjusted_for_each_other():
    pieces = [evidence(*two_groups(100, 100, 0.3, seed), attack=str(seed)) for seed in range(6)]
    rows = score_membership(pa.concat_tables(pieces), {"seed": 0, "controls_of": "teacher"})
    given = [row for row in rows if "p_holm" in row]
    assert len(given) == 6
    assert all(row["p_holm"] >= row["p"] for row in given)
    assert max(row["p_holm"] / row["p"] for row in given) == pytest.approx(6)


def test_too_few_rows_give_no_figure_but_the_number_that_is_needed():
    few = score_membership(evidence(*two_groups(20, 40, 1.0)), {"seed": 0, "controls_of": "teacher"})
    some = score_membership(evidence(*two_groups(100, 200, 1.0)), {"seed": 0, "controls_of": "teacher"})
    assert all(row["value"] is None for row in few)
    assert "at least 30 of each" in few[0]["reason"]
    hits = next(row for row in some if row["metric"] == "membership_tpr:loss")
    assert hits["value"] is None
    assert "1,000" in hits["reason"]


def test_an_epsilon_is_stated_whole():
    said = epsilon_statement("teacher", SPENT)
    text = " ".join(said.sentences)
    assert said.epsilon == 2.91
    for part in ("δ", "Unit: one labelled row", "Accountant", "Poisson", "Clip", "Noise", "Steps: 200"):
        assert part in text


def test_a_student_of_pool_rows_alone_has_its_teachers_epsilon():
    assert epsilon_statement("student-linear", SPENT, Learned()).epsilon == 2.91


@pytest.mark.parametrize("breach", ["labelled", "validation", "temperature", "others"])
def test_a_student_that_saw_private_rows_has_none(breach):
    said = epsilon_statement("student-linear", SPENT, Learned(**{breach: True}))
    assert said.epsilon is None
    assert len(said.reasons) == 1
    assert said.sentences[0].startswith("No ε is stated for student-linear: ")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"noise_multiplier": 0.0, "noise_seen": 0.0}, "no noise"),
        ({"noise_seen": 0.0}, "steps show noise of 0"),
        ({"epsilon": 3.2}, "differ by"),
        ({"secret": False}, "seed of its noise is known"),
        ({"delta": 0.01}, "not below one in 840"),
        ({"epsilon_checked": float("nan")}, "differ by"),
    ],
)
def test_no_epsilon_is_stated_for_a_training_that_is_not_private(change, word):
    said = epsilon_statement("teacher", Spent.from_json(SPENT.to_json() | change))
    assert said.epsilon is None
    assert word in said.sentences[0]


def test_without_private_training_no_epsilon_is_stated():
    assert epsilon_statement("baseline", None).epsilon is None


def test_right_guesses_bound_epsilon_from_below():
    assert epsilon_at_least(50, 100) == 0
    assert epsilon_at_least(100, 100) == pytest.approx(np.log(0.05**0.01 / (1 - 0.05**0.01)), rel=1e-3)
    assert epsilon_at_least(75, 100) < epsilon_at_least(90, 100) < epsilon_at_least(90, 90)
    assert epsilon_at_least(90, 100, delta=1e-4) < epsilon_at_least(90, 100)


def test_fair_guessing_at_a_stated_epsilon_is_rarely_held_against_it():
    random = np.random.default_rng(0)
    chance = 1 / (1 + np.exp(-1.0))
    wrong = sum(epsilon_at_least(int(random.binomial(200, chance)), 200) > 1.0 for _ in range(300))
    assert wrong / 300 <= 0.08
