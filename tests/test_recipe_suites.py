"""Suites of behaviour tests: read strictly, every problem at once with file and line."""

from __future__ import annotations

import pytest

from workbench.errors import RecipeError
from workbench.recipe import shipped_recipes
from workbench.recipe.suites import class_named, parse_suite, read_suite, shipped_suites, suite_of

CLASSES = ("01 Brakes", "02 Gears", "03 Wheels")
GOOD = """\
name: tickets
about: Written for a test.
classes: {brakes: "01"}
tests:
  - name: plain
    kind: minimum
    about: The word says it.
    cases:
      - {text: the brake squeals, expect: brakes}
      - {text: something is wrong, expect: ["01", 03 Wheels]}
  - name: slips
    kind: invariance
    about: A slip must not matter.
    perturb: {name: typos, level: 0.1, copies: 2}
    cases:
      - {text: the chain jumps}
  - name: other-part
    kind: direction
    about: The part decides.
    cases:
      - {text: check the brake, changed: check the chain, falls: brakes, by: 0.1}
      - {text: check the tyre, changed: check the chain, changes: true}
"""


def problems(text, classes=CLASSES):
    with pytest.raises(RecipeError) as caught:
        parse_suite(text, "mine.yaml", classes)
    return caught.value.problems


def test_a_suite_is_read_with_the_line_of_every_case():
    suite = parse_suite(GOOD, "mine.yaml", CLASSES)
    assert suite.size == 5
    assert [test.kind for test in suite.tests] == ["minimum", "invariance", "direction"]
    assert suite.tests[0].cases[0].expect == ("brakes",)
    assert suite.lines[0, 1] == 10
    assert len(suite.digest) == 64


def test_an_unknown_field_is_refused_with_the_nearest_name_and_its_line():
    (one,) = problems(GOOD.replace("text: the chain jumps", "text: the chain jumps, varients: [a]"))
    assert one == "mine.yaml, line 16: unknown field 'tests.1.cases.0.varients'; did you mean 'variants'?"


def test_every_problem_is_told_at_once():
    text = (
        GOOD.replace("about: Written for a test.", "abuot: Written for a test.")
        .replace("expect: brakes}", "expect: breaks}")
        .replace("level: 0.1, copies", "level: 0.9, copies")
        .replace("kind: direction", "kind: directional")
    )
    found = problems(text)
    wanted = (
        "'about' is missing",
        "did you mean 'about'?",
        "did you mean 'brakes'?",
        "from 0.001 to 0.5",
        "must be one of",
    )
    for sentence in wanted:
        assert any(sentence in one for one in found), (sentence, found)
    assert all("mine.yaml" in one for one in found)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("expect: brakes}", "expect: Pedals}", "line 9: the run has no class 'Pedals'"),
        ('{brakes: "01"}', '{brakes: "0"}', "is the beginning of 3 classes"),
        ("something is wrong", "the brake squeals", "line 10: the same case as on line 9"),
        ("name: slips", "name: plain", "the test 'plain' stands twice (first on line 5)"),
        ("perturb: {name: typos, level: 0.1, copies: 2}", "", "nothing would change"),
        ("falls: brakes, by: 0.1", "falls: brakes, rises: brakes", "exactly one of rises, falls, changes"),
        ("changes: true", "by: 0.1", "exactly one of rises, falls, changes"),
        ("name: typos, level: 0.1", "name: tyops", "tests.1.perturb.name"),
        ("name: typos, level: 0.1", "name: case, level: small", "one of lower, upper, title"),
        ("name: typos, level: 0.1", "name: typos, words: {a: b}", "words go with the perturbation abbreviations"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(old, new, told):
    assert old in GOOD
    found = problems(GOOD.replace(old, new))
    assert any(told in one for one in found), found


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "name: &a x\nabout: *a\n", "name: x\nname: y\n"])
def test_a_file_that_is_no_suite_is_refused(text):
    with pytest.raises(RecipeError):
        parse_suite(text, "mine.yaml")


def test_a_class_is_named_whole_or_by_the_beginning_that_only_it_has():
    assert class_named("02", {}, CLASSES) == "02 Gears"
    assert class_named("02 Gears", {}, CLASSES) == "02 Gears"
    assert class_named("0", {}, CLASSES) is None
    assert class_named("Copyleft", {}, ("Copyleft", "Copyleft Limited")) == "Copyleft"
    assert class_named("g", {"g": "02"}, CLASSES) == "02 Gears"


def test_a_class_may_be_named_by_words_inside_it_that_no_other_class_has():
    systems = ("Findings of the ear", "Findings of the heart", "Findings of skin/hair", "Growth")
    assert class_named("ear", {}, systems) == "Findings of the ear"
    assert class_named("hair", {}, systems) == "Findings of skin/hair"
    assert class_named("of the", {}, systems) is None
    assert class_named("art", {}, systems) is None


def test_a_suite_that_is_not_there_is_named_with_the_nearest_one():
    with pytest.raises(RecipeError, match="clinical-coding"):
        read_suite("clinical-codin")


def test_a_recipe_may_want_a_suite_of_its_own(tmp_path):
    (tmp_path / "mine.yaml").write_text(GOOD, encoding="utf-8")
    assert suite_of("clinical-coding", "mine.yaml", tmp_path) == tmp_path / "mine.yaml"
    assert suite_of("tickets", "licence-obligations", tmp_path).stem == "licence-obligations"
    with pytest.raises(RecipeError, match="neither a file nor a shipped suite"):
        suite_of("tickets", "yours.yaml", tmp_path)


def test_a_recipe_finds_the_suite_of_its_own_name_or_of_its_beginning():
    assert {"clinical-coding", "licence-obligations"} <= set(shipped_suites())
    assert suite_of("clinical-coding-full").stem == "clinical-coding"
    assert suite_of("licence-obligations-class").stem == "licence-obligations"
    assert suite_of("clinical-codings") is None
    assert not set(shipped_suites().values()) & set(shipped_recipes().values())


LICENCE_CLASSES = (
    "Commercial|Copyleft|Copyleft Limited|Permissive|Proprietary Free|Public Domain|Source-available|Unstated License"
)
CHAPTERS = tuple(f"{number:02d} chapter" for number in range(1, 22))
SYSTEMS = tuple(
    f"Findings: {word}"
    for word in "blood|cardiovascular|digestive|ear|endocrine|eye|genitourinary|Growth|head|immune|integument|limbs|"
    "metabolism|musculoskeletal|nervous|prenatal|respiratory|Constitutional".split("|")
)


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("clinical-coding", CHAPTERS),
        ("licence-obligations", tuple(LICENCE_CLASSES.split("|"))),
        ("patient-wording", SYSTEMS),
    ],
)
def test_the_shipped_suites_hold_a_hundred_cases_of_every_kind_for_every_class(name, classes):
    suite = read_suite(name, classes)
    assert suite.size >= 100
    assert {test.kind for test in suite.tests} == {"minimum", "invariance", "direction"}
    expected = {
        class_named(word, suite.classes, classes)
        for test in suite.tests
        if test.kind == "minimum"
        for case in test.cases
        for word in case.expect
    }
    assert expected == set(classes)


def test_no_two_shipped_suites_share_a_text_and_every_suite_has_its_recipe():
    of_suite = {
        name: {
            " ".join(text.lower().split())
            for test in read_suite(name).tests
            for case in test.cases
            for text in (case.text, *getattr(case, "variants", ()))
        }
        for name in shipped_suites()
    }
    for name, texts in of_suite.items():
        assert not texts & set().union(*(other for one, other in of_suite.items() if one != name)), name
    assert set(of_suite) <= set(shipped_recipes())
