"""Suites put to a candidate whose answers can be told in advance."""

from __future__ import annotations

import pytest

from behaviour_candidate import CLASSES, Keywords, subject
from workbench.errors import RecipeError
from workbench.evaluation.behaviour import check_behaviour, check_suite
from workbench.metrics.behaviour import SCHEMA, judge, score_behaviour
from workbench.recipe.suites import parse_suite

SUITE = """\
name: tickets
about: Written for a test.
classes: {brakes: "01", gears: "02"}
tests:
  - name: plain
    kind: minimum
    about: The word says it.
    cases:
      - {text: the brake squeals, expect: brakes}
      - {text: pad and chain, expect: [brakes, gears]}
      - {text: the lever is loose, expect: brakes, note: no keyword}
  - name: capitals
    kind: invariance
    about: Case must not matter.
    perturb: {name: case, level: upper}
    cases:
      - {text: the chain jumps}
      - {text: the spoke broke}
      - {text: "123"}
  - name: given-variants
    kind: invariance
    about: Words that mean the same.
    cases:
      - {text: the tyre is flat, variants: [a flat tyre, tyre flat]}
      - {text: brake and pad, variants: [brake pad, stopping device]}
  - name: other-part
    kind: direction
    about: The part decides.
    cases:
      - {text: check it, changed: check the brake, rises: brakes, by: 0.1}
      - {text: check the brake, changed: check it, falls: brakes, by: 0.9}
      - {text: the chain, changed: the tyre, changes: true}
      - {text: the tyre, changed: the spoke, changes: true}
      - {text: check it, changed: check this, rises: brakes}
"""


def checked(text=SUITE, candidate=None):
    return check_suite(subject(candidate), parse_suite(text, "mine.yaml", CLASSES))


def rate(rows, slice_name):
    (row,) = [row for row in rows if row["slice"] == slice_name]
    return row


def test_every_kind_passes_and_fails_where_it_must():
    check = checked()
    assert check.name == "behaviour-tickets"
    assert check.table.schema == SCHEMA
    cases = [case for case in judge(check.table) if case.counts]
    found = [(case.test, case.answers[0]["case"], bool(case.failed)) for case in cases]
    assert found == [
        ("plain", 0, False),
        ("plain", 1, False),
        ("plain", 2, True),
        ("capitals", 0, True),
        ("capitals", 1, False),
        ("given-variants", 0, False),
        ("given-variants", 1, True),
        ("other-part", 0, False),
        ("other-part", 1, True),
        ("other-part", 2, False),
        ("other-part", 3, True),
        ("other-part", 4, True),
    ]
    failing = next(case for case in cases if case.test == "given-variants" and case.failed)
    assert failing.answers[failing.failed[0]]["text"] == "stopping device"
    assert failing.line == 25


def test_failure_rates_have_exact_intervals_and_count_cases_not_texts():
    check = checked()
    rows = score_behaviour(check.table, check.settings)
    whole = rate(rows, "all")
    assert (whole["failures"], whole["n"], whole["split"], whole["metric"]) == (6, 12, "suite-tickets", "failure_rate")
    assert whole["low"] < 0.5 < whole["high"]
    assert rate(rows, "kind=invariance")["failures"] == 2
    assert rate(rows, "test=other-part")["value"] == pytest.approx(3 / 5)
    assert rate(rows, "test=plain")["low"] == pytest.approx(0.0084, abs=1e-4)


def test_a_change_that_changes_nothing_is_no_case_and_a_test_of_such_alone_says_so():
    only = SUITE.partition("  - name: given")[0].replace("      - {text: the chain jumps}\n", "")
    only = only.replace("      - {text: the spoke broke}\n", "")
    check = checked(only)
    row = rate(score_behaviour(check.table, check.settings), "test=capitals")
    assert row["value"] is None
    assert row["n"] == 0
    assert "changed none" in row["reason"]


def test_each_text_is_asked_once_and_two_looks_give_the_same_evidence():
    candidate = Keywords()
    first = checked(candidate=candidate)
    assert len(candidate.asked) == 1
    assert candidate.asked[0] < first.table.num_rows
    assert first.table.equals(checked().table)


def test_stopping_keeps_what_was_answered_and_says_what_is_missing():
    check = check_suite(subject(), parse_suite(SUITE, "mine.yaml", CLASSES), stop=lambda: True)
    assert check.table is None
    assert "student-words" in check.reasons[0]


def test_a_suite_for_other_classes_is_refused():
    suite = parse_suite(SUITE.replace('gears: "02"', "gears: Pedals"), "mine.yaml")
    with pytest.raises(RecipeError, match="Pedals"):
        check_suite(subject(), suite)


def test_a_recipe_without_a_suite_or_with_one_that_does_not_fit_gets_a_reason():
    check = check_behaviour(subject())
    assert check.table is None
    assert "--suite" in check.reasons[0]
    check = check_behaviour(subject(name="clinical-coding-mine"))
    assert check.table is None
    assert "clinical-coding does not fit" in check.reasons[0]
    assert check_behaviour(subject(), parse_suite(SUITE, "mine.yaml", CLASSES)).table is not None
