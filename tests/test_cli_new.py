"""``recipes`` and ``new``: what can be made, and a recipe of one's own to begin with."""

from __future__ import annotations

import pytest

from workbench import recipe
from workbench.projects import commented_yaml


@pytest.fixture
def table(tmp_path):
    """A small table of invented help-desk texts."""
    file = tmp_path / "tables" / "Help desk.csv"
    file.parent.mkdir()
    rows = ["the printer does not print,hardware,a", "my password is forgotten,accounts,b"] * 4
    file.write_text("phrase,team,customer\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return file


def test_the_shipped_recipes_are_listed_with_what_they_make(workbench):
    listed = {one["name"]: one["about"] for one in workbench("recipes", "--json").json["recipes"]}
    assert {"clinical-coding", "licence-obligations"} <= set(listed)
    assert all(len(about) >= 2 for about in listed.values())


def test_every_field_is_described(workbench):
    described = workbench("recipes", "--fields", "--json").json["fields"]
    assert {"data.text", "distillation.temperature", "students[].kind"} <= {field["path"] for field in described}
    assert all(field["description"] for field in described)


def test_the_schema_is_printed_as_json(workbench):
    assert workbench("recipes", "--schema").json["title"] == "Recipe"


@pytest.mark.parametrize("name", sorted(recipe.shipped_recipes()))
def test_new_copies_a_shipped_recipe_with_its_comments_and_the_files_that_it_reads(workbench, tmp_path, name):
    answer = workbench("new", tmp_path / "mine", "--recipe", name, "--json")
    assert answer.status == 0, answer.told
    copied = tmp_path / "mine" / f"{name}.yaml"
    assert copied.read_bytes() == recipe.shipped_recipes()[name].read_bytes()
    path = recipe.read(copied).recipe.data.source.path
    assert path is None or (copied.parent / path).is_file()


def test_new_never_replaces_a_file(workbench, tmp_path):
    workbench("new", tmp_path, "--recipe", "clinical-coding")
    (tmp_path / "clinical-coding.yaml").write_text("mine", encoding="utf-8")
    answer = workbench("new", tmp_path, "--recipe", "clinical-coding")
    assert answer.status == 2
    assert "stands there already" in answer.told
    assert (tmp_path / "clinical-coding.yaml").read_text(encoding="utf-8") == "mine"


def test_new_writes_a_recipe_for_a_table_that_reads_back(workbench, tmp_path, table):
    arguments = ("--text", "phrase", "--label", "team", "--group", "customer", "--country", "DEU")
    answer = workbench("new", tmp_path / "mine", "--from", table, *arguments, "--json")
    assert answer.status == 0, answer.told
    file = tmp_path / "mine" / "help-desk.yaml"
    made = recipe.read(file).recipe
    assert (made.name, made.data.text, made.data.label, made.data.group) == ("help-desk", "phrase", "team", "customer")
    assert (made.data.splits.by, made.data.splits.reserve, made.carbon.country) == ("group", 0, "DEU")
    assert (file.parent / made.data.source.path).resolve() == table.resolve()


def test_new_explains_every_field_of_the_recipe_in_a_comment(workbench, tmp_path, table):
    workbench("new", tmp_path / "mine", "--from", table)
    comments = " ".join((tmp_path / "mine" / "help-desk.yaml").read_text(encoding="utf-8").replace("#", " ").split())
    members = ("teacher.ensemble[]", "data.splits.further_tests.")
    for field in recipe.fields():
        if not field.path.startswith(members):
            assert field.description in comments, field.path


def test_new_proposes_columns_and_says_which(workbench, tmp_path, table):
    answer = workbench("new", tmp_path / "mine", "--from", table, "--json")
    assert any("'phrase' was taken as the text" in note for note in answer.json["notes"])
    assert any("'team' was taken as the label" in note for note in answer.json["notes"])
    assert any("FRA" in note for note in answer.json["notes"])


def test_new_lists_all_wrong_column_names_with_the_nearest_and_writes_nothing(workbench, tmp_path, table):
    answer = workbench("new", tmp_path / "mine", "--from", table, "--text", "phrse", "--label", "taem")
    assert answer.status == 2
    assert "Did you mean 'phrase'?" in answer.told
    assert "Did you mean 'team'?" in answer.told
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    "arguments",
    [(), ("--recipe", "clinical-coding", "--from", "x.csv"), ("--recipe", "clinical-coding", "--text", "phrase")],
)
def test_new_refuses_a_request_that_means_two_things_or_none(workbench, tmp_path, arguments):
    assert workbench("new", tmp_path / "mine", *arguments).status == 2
    assert not (tmp_path / "mine").exists()


def test_an_unknown_shipped_recipe_is_refused_with_the_nearest(workbench, tmp_path):
    answer = workbench("new", tmp_path / "mine", "--recipe", "clinical-codng")
    assert answer.status == 2
    assert "clinical-coding" in answer.told


@pytest.mark.parametrize("name", sorted(recipe.shipped_recipes()))
def test_a_commented_recipe_reads_back_to_the_same_recipe(name):
    original = recipe.read(name).recipe
    again = recipe.parse(commented_yaml(original.plain(), ["a header"]))
    assert recipe.digest(again) == recipe.digest(original)
