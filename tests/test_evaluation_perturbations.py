"""Named changes of a text: seeded, bounded, and doing what their names say."""

from __future__ import annotations

import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.evaluation.perturbations import FILLER, HOMOGLYPHS, NEIGHBOURS, PERTURBATIONS, perturb
from workbench.recipe.suite_parts import FORMS, SHARES, Perturb, Perturbation

TEXT = "Fracture of the left wrist, without open wound, due to a fall at home"


def level_of(name):
    return Perturb(name=name).chosen_level


def distance(one, other):
    """Levenshtein distance."""
    before = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now = [row]
        for column, second in enumerate(other, 1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (letter != second)))
        before = now
    return before[-1]


def test_suites_and_code_know_the_same_changes():
    assert set(typing.get_args(Perturbation)) == set(PERTURBATIONS)
    assert set(SHARES) | set(FORMS) < set(PERTURBATIONS)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_the_same_seed_gives_the_same_text_and_another_seed_may_give_another(name):
    one = perturb(TEXT, name, level_of(name), seed=3)
    assert one == perturb(TEXT, name, level_of(name), seed=3)
    assert one != TEXT
    if name in {"typos", "homoglyphs", "word-order", "padding"}:
        assert len({perturb(TEXT, name, level_of(name), seed=seed) for seed in range(8)}) > 1


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.floats(0, 1), st.integers(0, 1000))
def test_typos_are_bounded_by_their_rate_and_touch_nothing_but_letters(text, rate, seed):
    changed = perturb(text, "typos", rate, seed=seed)
    letters = sum(one.isalpha() for one in text)
    slips = int(rate * letters) + 1
    assert distance(text, changed) <= 2 * slips
    assert [one for one in text if not one.isalpha()] == [one for one in changed if not one.isalpha()]


def test_the_rate_of_typos_is_kept_on_average():
    texts = [f"{TEXT} {number}" for number in range(80)]
    changed = [perturb(text, "typos", 0.05) for text in texts]
    hit = sum(one != other for one, other in zip(texts, changed, strict=True))
    assert hit > 70
    mean = sum(distance(*pair) for pair in zip(texts, changed, strict=True)) / len(texts)
    letters = sum(one.isalpha() for one in TEXT)
    assert 0.05 * letters * 0.9 < mean < 0.05 * letters * 1.5


def test_nothing_changes_at_rate_zero_and_one_letter_where_at_least_one_is_asked_for():
    assert perturb(TEXT, "typos", 0.0) == TEXT
    assert perturb(TEXT, "homoglyphs", 0.0) == TEXT
    assert 1 <= distance(TEXT, perturb(TEXT, "typos", 0.0, fewest=1)) <= 2
    assert perturb("123", "typos", 0.5, fewest=1) == "123"


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60), st.integers(0, 100))
def test_homoglyphs_keep_the_length_and_change_only_letters_that_look_alike(text, seed):
    changed = perturb(text, "homoglyphs", 0.5, seed=seed)
    assert len(changed) == len(text)
    assert all(one == other or HOMOGLYPHS[one] == other for one, other in zip(text, changed, strict=True))


def test_the_other_changes_do_what_their_names_say():
    assert perturb(TEXT, "truncation", 0.5) == "Fracture of the left wrist, without open"
    assert perturb("one", "truncation", 0.1) == "one"
    assert perturb(TEXT, "case", "upper") == TEXT.upper()
    assert perturb("parkinson's of the OLD", "case", "title") == "Parkinson's Of The Old"
    assert perturb("a, b (c)-d", "punctuation", "removed") == "a b c d"
    assert perturb("?!", "punctuation", "removed") == "?!"
    assert perturb("a b.", "punctuation", "added") == "a b."
    assert perturb(TEXT, "abbreviations", "").startswith("fx of the lt wrist, w/o open")
    assert perturb("withhold it", "abbreviations", "") == "withhold it"
    assert perturb("big house", "abbreviations", "", words={"Big House": "b\\h"}) == "b\\h"
    assert sorted(perturb(TEXT, "word-order", "").split()) == sorted(TEXT.split())
    padded = perturb(TEXT, "padding", 10)
    assert padded.startswith(f"{TEXT} ")
    assert set(padded.removeprefix(TEXT).split()) <= set(" ".join(FILLER).split())
    assert len(padded.split()) == len(TEXT.split()) + 10


def test_every_letter_of_the_keyboard_has_neighbours():
    assert len(NEIGHBOURS) == 26
    assert set(NEIGHBOURS["g"]) >= {"f", "h"}
    assert all(letter in NEIGHBOURS[other] for letter, others in NEIGHBOURS.items() for other in others)


def test_an_unknown_change_is_refused():
    with pytest.raises(ValueError, match="typos"):
        perturb(TEXT, "typo", 0.1)
