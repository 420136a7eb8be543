"""Counterfactual flips: swap lists, what candidates are asked, a planted bias that is found and noise that is not."""

import numpy as np
import pytest

from flip_candidates import SMALL, WOMEN, Planted, subject_of, texts_of
from workbench.errors import RecipeError, Stopped
from workbench.evaluation.flips import Size, check_flips
from workbench.evaluation.swaps import chosen_lists, swap_lists
from workbench.metrics.flips import score_flips
from workbench.metrics.wording import difference_from_row, verdict


def rows_by(check):
    return {(row["slice"], row["metric"]): row for row in score_flips(check.table, check.settings)}


def alarmed(rows, attribute=""):
    return [
        name
        for (name, metric), row in rows.items()
        if metric == "flip_excess" and name.startswith(f"attribute={attribute}") and row.get("p") is not None
        if verdict(difference_from_row(row)) == "better"
    ]


def test_every_list_says_where_its_words_come_from_and_what_it_does_not_show():
    for one in swap_lists():
        assert len(one.source) > 60, one.id
        assert len(one.limits) > 60, one.id
        assert set(one.sets) <= {"general", "health"}
        for sentence in one.templates.values():
            assert one.kind == "words" or ("{word}" in sentence and "{text}" in sentence)


def test_a_frame_list_has_two_words_or_more_of_every_group_and_none_twice():
    for one in swap_lists():
        cells = [tuple(member.values.items()) for member in one.members]
        assert min(cells.count(cell) for cell in cells) >= (2 if one.kind == "frame" else 1), one.id
        assert len({member.id for member in one.members}) == len(one.members), one.id


@pytest.mark.parametrize("name", [one.id for one in swap_lists() if one.kind == "words"])
def test_a_words_list_gives_each_row_back_and_has_no_word_twice(name):
    one = next(one for one in swap_lists() if one.id == name)
    words = [word for row in one.rows for group in row.values() for word in group]
    assert len(words) == len(set(words))
    for row in one.rows:
        for group, (word, *_) in row.items():
            variants = one.variants(f"A {word} b", name)
            assert {other: text for other, text in variants.items() if other.endswith(" 0")} == {
                f"{other} 0": f"A {plain[0]} b" for other, plain in row.items()
            }, (group, word)


def test_words_are_swapped_with_their_capitals_and_only_where_they_are_whole():
    words = next(one for one in swap_lists() if one.id == "gendered-words")
    found = words.variants("Man and woman, MEN in the mandible", words.id)
    assert found["female 0"] == "Woman and woman, WOMEN in the mandible"
    assert found["male 1"] == "Gentleman and gentleman, GENTLEMEN in the mandible"
    assert words.variants("Mandible", words.id) == {}
    spelling = next(one for one in swap_lists() if one.id == "spelling-parts")
    assert spelling.variants("Papilloedema and tumor", spelling.id) == {
        "UK 0": "Papilloedema and tumour",
        "US 0": "Papilledema and tumor",
    }


def test_a_planted_bias_against_womens_names_is_found_and_only_there():
    biased = Planted(moves=dict.fromkeys(WOMEN, 0.08), noise=0.02)
    rows = rows_by(check_flips(subject_of({"student-toy": biased}, texts_of(120)), fast=Size(120, 12)))
    assert alarmed(rows, "sex & template=name-before")
    assert alarmed(rows, "sex & template=reported-by")
    assert not alarmed(rows, "origin")
    assert not alarmed(rows, "age")
    excess = rows["attribute=sex & template=name-before", "flip_excess"]
    assert excess["low"] > 0.1
    assert excess["p_words"] < 0.01


def test_the_largest_shift_of_a_probability_names_its_class_and_group_and_is_the_mean_difference():
    tilted = Planted(tilts=dict.fromkeys(WOMEN, 0.2))
    rows = rows_by(check_flips(subject_of({"student-toy": tilted}, texts_of(60)), fast=SMALL))
    shift = rows["attribute=sex & template=name-before", "probability_shift"]
    plain = Planted().predict_proba([f"John: {text}" for text in texts_of(60)])[:, 1]
    assert shift["class"] == "two"
    assert abs(shift["value"]) == pytest.approx(0.2 * (1 - plain.mean()), abs=1e-4)
    assert (shift["value"] > 0) == (shift["group"] == "female")
    assert shift["low"] < shift["value"] < shift["high"]


def test_a_candidate_that_stumbles_over_any_word_is_not_called_biased():
    noisy = Planted(noise=0.3)
    rows = rows_by(check_flips(subject_of({"student-toy": noisy}, texts_of(120)), fast=Size(120, 12)))
    rate = rows["attribute=sex & template=name-before", "flip_rate"]
    control = rows["attribute=sex & template=name-before", "flip_rate_control"]
    assert rate["value"] > 0.15
    assert control["value"] > 0.15
    assert alarmed(rows) == []


def test_no_flip_at_all_leaves_an_upper_bound():
    rows = rows_by(check_flips(subject_of({"student-toy": Planted()}, texts_of(60)), fast=SMALL))
    rate = rows["attribute=sex & template=name-before", "flip_rate"]
    assert rate["value"] == 0
    assert 0.05 < rate["high"] < 0.07
    excess = rows["attribute=sex & template=name-before", "flip_excess"]
    assert excess["p"] == 1
    assert excess["high"] > 0


def test_spelling_has_a_rate_and_no_excess_because_it_has_no_neutral_change():
    texts = [f"tumour number {at}" for at in range(40)]
    rows = rows_by(check_flips(subject_of({"student-toy": Planted()}, texts), fast=SMALL))
    where = "attribute=spelling & template=spelling-parts"
    assert rows[where, "flip_rate"]["n"] == 40
    assert rows[where, "flip_rate"]["value"] == 1 - np.mean(same_class(texts))
    assert rows[where, "flip_excess"]["value"] is None
    assert "no neutral change" in rows[where, "flip_excess"]["reason"]


def same_class(texts):
    """Whether each text has the same class in British and American spelling."""
    british, american = (Planted().predict_proba(own).argmax(axis=1) for own in (texts, respelled(texts)))
    return british == american


def respelled(texts):
    return [text.replace("tumour", "tumor") for text in texts]


def test_words_that_few_texts_hold_get_a_reason_and_no_rate():
    check = check_flips(subject_of({"student-toy": Planted()}, [*texts_of(50), "a woman", "a man"]), fast=SMALL)
    assert any("2 test texts hold words of the list gendered-words" in reason for reason in check.reasons)
    row = rows_by(check)["attribute=sex & template=gendered-words", "flip_rate"]
    assert row["value"] is None
    assert row["n"] == 2
    assert "below 30" in row["reason"]


@pytest.mark.slow
def test_the_teacher_is_asked_less_and_the_same_seed_asks_the_same():
    teacher, student = Planted(kind="head"), Planted()
    subject = subject_of({"student-toy": student, "teacher": teacher}, texts_of(100))
    one = check_flips(subject, fast=SMALL, slow=Size(30, 12))
    assert teacher.asked < student.asked
    assert one.settings["asked"]["teacher"]["texts"] == 30
    assert one.table.equals(check_flips(subject, fast=SMALL, slow=Size(30, 12)).table)
    assert score_flips(one.table, one.settings) == score_flips(one.table, one.settings)


def test_texts_are_kept_only_where_the_recipe_allows_them():
    closed = check_flips(subject_of({"student-toy": Planted()}, texts_of(40)), fast=SMALL)
    assert "text" not in closed.table.column_names
    assert not any("toy number" in str(column) for column in closed.table.to_pydict().values())
    allowed = check_flips(subject_of({"student-toy": Planted()}, texts_of(40), examples=True), fast=SMALL)
    assert "text" in allowed.table.column_names


def test_a_recipe_may_choose_no_set_and_a_wrong_set_is_told_with_the_right_ones():
    check = check_flips(subject_of({"student-toy": Planted()}, texts_of(40)), ())
    assert check.table is None
    assert "evaluation.flips" in check.reasons[0]
    with pytest.raises(RecipeError, match="no set of swap lists called 'halth'") as caught:
        list(chosen_lists(("halth",)))
    assert "general, health" in caught.value.would_be_right


def test_it_stops_when_asked_to():
    with pytest.raises(Stopped):
        check_flips(subject_of({"student-toy": Planted()}, texts_of(40)), fast=SMALL, stop=lambda: True)
