"""A recipe is plain data: everything wrong with it is told at once, and nothing in it can run."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from workbench import recipe as recipes
from workbench.errors import RecipeError
from workbench.recipe.yaml_text import read_document

GOOD = """\
# Makes a test.
name: small
purpose: Tests of the workbench.
data:
  source: {path: notes.csv}
  splits: {test_share: 0.3}
teacher: {model: some/encoder}
students:
  - {name: linear, kind: linear}
carbon: {country: FRA}
"""


def test_three_mistakes_are_all_told_with_file_line_and_nearest_key(tmp_path: Path) -> None:
    text = GOOD.replace("test_share: 0.3", "test_shair: 0.3").replace("kind: linear", "kind: liner")
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("country: FRA", "country: france"), encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        recipes.read(file)
    message = str(caught.value)
    assert len(caught.value.problems) == 3
    assert "mine.yaml, line 6: unknown key 'data.splits.test_shair'; did you mean 'test_share'?" in message
    assert "mine.yaml, line 9" in message
    assert "'linear', 'static' or 'transformer'" in message
    assert "mine.yaml, line 10" in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x 1\nb: *x\n", "line 1: uses an alias or anchor"),
        ("a: 1\nb: 2\na: 3\n", "line 3: the key 'a' stands twice (first on line 1)"),
        ("a: !!python/object/apply:os.system ['true']\n", "not plain data"),
        ("a: !!set {x, y}\n", "not plain data"),
        ("a: 1\n---\nb: 2\n", "longer than one document"),
        ("[" * 40 + "]" * 40, "nested deeper than 12 levels"),
        ("a: '" + "x" * 300_000 + "'", "KiB"),
        ("a: [1, 2\nb: 3", "not valid YAML"),
        ("? [1, 2]\n: 3\n", "a key must be a plain word"),
    ],
)
def test_yaml_that_is_more_than_plain_data_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(RecipeError) as caught:
        read_document(text, "mine.yaml")
    assert told in str(caught.value)


@given(st.text(max_size=200))
def test_any_text_either_reads_or_is_refused_as_a_recipe_error(text: str) -> None:
    try:
        recipes.parse(text)
    except RecipeError as error:
        assert str(error)  # noqa: PT017  (either outcome is right, a crash is not)


def test_writing_and_reading_gives_an_equal_recipe_with_the_same_digest() -> None:
    first = recipes.parse(GOOD)
    second = recipes.parse(recipes.to_yaml(first))
    assert second == first
    assert recipes.digest(second) == recipes.digest(first)


def test_form_yaml_and_set_flags_of_the_same_meaning_have_the_same_digest() -> None:
    in_file = recipes.parse(GOOD.replace("carbon:", "evaluation: {seeds: 3}\ncarbon:"))
    by_flag = recipes.parse(GOOD, overrides=["evaluation.seeds=3"])
    by_form = recipes.from_values({**yaml.safe_load(GOOD), "evaluation": {"seeds": 3, "margin": 0.01}})
    assert len({recipes.digest(one) for one in (in_file, by_flag, by_form)}) == 1
    assert recipes.digest(in_file) != recipes.digest(recipes.parse(GOOD))


def test_the_digest_does_not_change_between_versions_by_accident() -> None:
    values = json.loads(json.dumps(recipes.parse(GOOD).plain()))
    assert recipes.digest(recipes.from_values(values)) == recipes.digest(recipes.parse(GOOD))


def test_set_reaches_a_student_by_name_and_by_index() -> None:
    by_name = recipes.parse(GOOD, overrides=["students.linear.buckets=65536"])
    by_index = recipes.parse(GOOD, overrides=["students.0.buckets=65536"])
    assert by_name == by_index
    assert by_name.students[0].buckets == 65536


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("evaluation.seeds", "not of the form part.field=value"),
        ("evaluation.seeds=many", "--set evaluation.seeds=many"),
        ("evaluation.sedes=3", "did you mean 'seeds'?"),
        ("students.nobody.epochs=3", "there is no 'nobody' in that list"),
        ("name.first=x", "inside a plain value"),
        ("name=*x", "--set name=*x, line 1: uses an alias or anchor"),
    ],
)
def test_a_wrong_set_flag_is_told_as_the_person_wrote_it(flag: str, told: str) -> None:
    with pytest.raises(RecipeError) as caught:
        recipes.parse(GOOD, overrides=[flag])
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{path: notes.csv}", "{path: a.csv, hub: b/c}", "name exactly one of path, package, hub, table"),
        ("{path: notes.csv}", "{package: simple-icd-10-cm}", "package and reader go together"),
        ("{test_share: 0.3}", "{by: group}", "data.group must name the group column"),
        ("{test_share: 0.3}", "{by: column}", "splits.column is given exactly when"),
        ("{model: some/encoder}", "{baseline: true}", "selftrain"),
        ("{model: some/encoder}", "{max_tokens: 12}", "name exactly one of model, file, baseline"),
        ("  - {name: linear, kind: linear}", "  - {name: a, kind: linear}\n" * 2, "used twice: a"),
        ("kind: linear}", "kind: linear, ngrams: [5, 2]}", "1 <= first <= second <= 8"),
        ("kind: linear}", "kind: linear, buckets: 100000}", "a power of two, for example 65536 or 131072"),
        ("teacher: {model: some/encoder}\n", "", "students need a teacher"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(old: str, new: str, told: str) -> None:
    with pytest.raises(RecipeError) as caught:
        recipes.parse(GOOD.replace(old, new))
    assert told in str(caught.value)


def test_a_byte_order_mark_is_accepted_and_other_encodings_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert recipes.read(file).recipe.name == "small"
    file.write_bytes(GOOD.replace("Tests", "Prüfung").encode("latin-1"))
    with pytest.raises(RecipeError, match="not UTF-8"):
        recipes.read(file)


def test_a_name_that_is_not_shipped_offers_the_nearest() -> None:
    with pytest.raises(RecipeError, match="Did you mean 'clinical-coding'"):
        recipes.read("clinical-codding")


def test_every_field_has_a_title_a_sentence_and_a_default_or_is_required() -> None:
    for field in recipes.fields():
        assert field.title, field.path
        assert field.description.endswith("."), field.path
        assert field.default, field.path
        assert field.range, field.path


def test_the_json_schema_accepts_what_the_reader_accepts() -> None:
    schema = recipes.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(recipes.parse(GOOD).plain(), schema)


@pytest.mark.parametrize("name", sorted(recipes.shipped_recipes()))
def test_every_shipped_recipe_reads_has_a_header_and_round_trips(name: str) -> None:
    located = recipes.read(name)
    assert located.recipe.name == name
    assert len(recipes.recipe_header(recipes.shipped_recipes()[name])) >= 2
    assert recipes.parse(recipes.to_yaml(located.recipe)) == located.recipe


def test_a_student_cannot_be_cut_from_a_teacher_that_is_no_single_encoder() -> None:
    values = recipes.read("licence-obligations-class-full").recipe.plain()
    values["teacher"] = {"file": "answers.parquet"}
    with pytest.raises(RecipeError, match="needs a single teacher with a model"):
        recipes.from_values(values)


def test_what_belongs_to_another_kind_of_student_is_refused() -> None:
    values = recipes.read("clinical-coding-full").recipe.plain()
    values["students"] = [{"name": "small", "kind": "linear", "compress": ["int8"]}]
    with pytest.raises(RecipeError, match="runs on NumPy alone"):
        recipes.from_values(values)
    values["students"] = [{"name": "small-int8", "kind": "static"}]
    with pytest.raises(RecipeError, match="choose another one"):
        recipes.from_values(values)
