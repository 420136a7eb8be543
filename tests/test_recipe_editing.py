"""Changing one value in a recipe's text: the same as ``--set``, and every comment stays."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import RecipeError
from workbench.recipe import digest, fields, parse, read, shipped_recipes
from workbench.recipe.editing import add_item, remove_value, set_value
from workbench.recipe.overrides import Override, apply_overrides
from workbench.recipe.yaml_text import read_document, write_document

SHIPPED = shipped_recipes()
VALUES = [
    None, True, False, 0, 1, 3, 50, 65_536, 0.25, 5e-5, 1e16, "", "yes", "fewer words", "a, b: c] # d", "'quoted\"",
    "2026-01-02", "two\nlines", " spaces ", "é ’ œ", "a long text " * 12, "- dash", "FRA", "FRA: 1",
    [], ["length", "kind"], [1, 3, 6], {}, {"kind": ["title"]}, {"model": "a/b", "method": "head"},
    [{"name": "linear", "kind": "linear"}, {"name": "static", "kind": "static", "compress": ["onnx"]}],
]  # fmt: skip


def commented(text: str) -> str:
    """A recipe's text with a comment above and behind every line that can have one."""
    lines: list[str] = []
    for number, line in enumerate(text.splitlines()):
        inside = re.match(r"  \S", line) and lines and any(one.startswith("purpose: >-") for one in lines[-6:])
        if inside and "data:" not in "".join(lines):
            lines.append(line)
        elif line.startswith("#") or line.endswith(">-"):
            lines.append(line)
        else:
            indent = " " * (len(line) - len(line.lstrip()))
            lines += [f"{indent}# above {number}", f"{line}  # behind {number}"]
    return "\n".join(lines) + "\n"


TEXTS = {name: path.read_text(encoding="utf-8") for name, path in SHIPPED.items()}
TEXTS |= {f"{name}, commented": commented(text) for name, text in TEXTS.items()}


def comments(text: str) -> list[str]:
    """Every comment, in sorted order; a sign within a value of these tests stands behind one space."""
    return sorted(one.strip() for one in re.findall(r"(?m)(?:^ *|  )(#.*)$", text))


@lru_cache
def values_of(text: str) -> Any:
    """Plain values of a text; not to be changed."""
    return read_document(text, "recipe").values


def paths(text: str) -> list[str]:
    """The path of every field that a recipe may have, for the items that it has."""
    values = values_of(text)
    found: list[str] = []
    for field in fields():
        first, listed, rest = field.path.partition("[].")
        if not listed:
            found.append(field.path.replace("<name>", "pool"))
        elif first == "students":
            found.append(f"students.{values['students'][-1]['name'] if len(found) % 2 else 0}.{rest}")
    return found


def same_as_override(text: str, path: str, value: Any) -> None:
    """What ``set_value`` must do, whatever the value."""
    wanted, _ = apply_overrides(values_of(text), [Override(tuple(path.split(".")), value, path)])
    edited = set_value(text, path, value)
    assert yaml.load(edited, yaml.SafeLoader) == wanted
    assert comments(edited) == comments(text)


@pytest.mark.parametrize("name", TEXTS)
def test_a_commented_recipe_means_what_it_meant(name: str) -> None:
    assert digest(parse(TEXTS[name])) == digest(parse(TEXTS[name.removesuffix(", commented")]))
    assert len(comments(TEXTS[name])) >= 2


def some() -> list[Any]:
    """A number for each field; the quick tests take every fourth."""
    every = range(len(paths(TEXTS["clinical-coding"])))
    return [pytest.param(one, marks=[pytest.mark.slow] if one % 4 else []) for one in every]


@pytest.mark.parametrize("place", some())
def test_every_field_can_be_changed_in_a_text_with_comments(place: int) -> None:
    names = list(TEXTS)
    text = TEXTS[names[place % len(names)]]
    same_as_override(text, paths(text)[place], VALUES[place % len(VALUES)])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_value_at_any_field_of_any_recipe_is_what_an_override_would_have_made(data: st.DataObject) -> None:
    text = TEXTS[data.draw(st.sampled_from(sorted(TEXTS)))]
    same_as_override(text, data.draw(st.sampled_from(paths(text))), data.draw(st.sampled_from(VALUES)))


GOOD = {
    "purpose": "Show it: a text # with signs, and longer than what stands on one line of a file as a rule.",
    "data.splits.near_duplicate": 0.9,
    "data.labelled.per_class": 25,
    "data.slices": ["length"],
    "distillation.temperature": 3.5,
    "evaluation.seeds": 3,
    "evaluation.primary": "accuracy",
    "evaluation.flips": [],
    "carbon.country": "DEU",
    "carbon.budget_grams": 12.5,
    "report.examples": True,
    "students.0.epochs": 7,
}


@pytest.mark.parametrize("path", GOOD)
def test_the_digest_is_that_of_set(path: str) -> None:
    for name in list(SHIPPED)[::4]:
        value = GOOD[path]
        said = write_document({"k": value})[2:].strip() if not isinstance(value, str) else f'"{value}"'
        edited = set_value(TEXTS[f"{name}, commented"], path, value)
        assert digest(parse(edited)) == digest(read(name, overrides=[f"{path}={said}"]).recipe)


def test_what_is_not_touched_stays_as_it_was_written() -> None:
    text = TEXTS["clinical-coding"]
    edited = set_value(text, "students.static.epochs", 9)
    assert edited == text.replace("{name: static, kind: static}", "{name: static, kind: static, epochs: 9}")
    edited = set_value(text, "evaluation.seeds", 3)
    assert edited == text.replace("seeds: 1", "seeds: 3")


def test_a_new_part_stands_where_the_description_of_recipes_has_it() -> None:
    text = remove_value(TEXTS["clinical-coding"], "evaluation")
    assert "evaluation" not in text
    edited = set_value(text, "evaluation.seeds", 2)
    assert edited.index("distillation:") < edited.index("evaluation:") < edited.index("carbon:")


@pytest.mark.parametrize("name", [one for one in TEXTS if one.endswith("commented")][::3])
def test_items_and_fields_are_taken_out_and_put_in_again_with_every_comment_kept(name: str) -> None:
    text = TEXTS[name]
    values = read_document(text, "recipe").values
    first = values["students"][0]["name"]
    without = remove_value(text, f"students.{first}")
    assert read_document(without, "recipe").values["students"] == values["students"][1:]
    back = add_item(without, "students", values["students"][0])
    assert read_document(back, "recipe").values["students"] == [*values["students"][1:], values["students"][0]]
    bare = back
    for student in values["students"]:
        bare = remove_value(bare, f"students.{student['name']}")
    assert read_document(bare, "recipe").values["students"] == []
    again = add_item(bare, "students", values["students"][0])
    for path in ("teacher.model", "students.0.name", "data.source", "carbon", "report.examples", "nothing.here"):
        again = remove_value(again, path)
        assert comments(again) == comments(text)
    assert "model" not in read_document(again, "recipe").values["teacher"]


def test_long_items_stand_on_lines_of_their_own() -> None:
    student = {
        "name": "layers",
        "kind": "transformer",
        "cut": {"keep_layers": [1, 3, 6], "max_tokens": 64},
        "tuning": {"epochs": 2, "batch_size": 32, "learning_rate": 0.0002, "patience": 0},
    }
    edited = add_item(TEXTS["clinical-coding"], "students", student)
    assert "\n  - name: layers\n    kind: transformer\n    cut: {keep_layers: [1, 3, 6], max_tokens: 64}\n" in edited
    assert max(map(len, edited.splitlines())) <= 125


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "name: a",
        "evaluation:\n",
        "evaluation: {}  # empty\n",
        "evaluation: {seeds: 1,}\n",
        "evaluation:\n  # first\n  seeds: 1\n  # last\n# end\n",
        "evaluation: {\n  margin: 0.1, # why\n  seeds: 4 # how often\n}\n",
        '{"evaluation": {"seeds": 1}}\n',
        "name: |+\n  a\n\n# after\n",
        "? evaluation\n: seeds: 1 # odd\n",
        "\ufeff# mark\nname: a\n",
    ],
)
def test_unusual_texts_are_changed_too(text: str) -> None:
    edited = set_value(text, "evaluation.seeds", 3)
    values = read_document(edited, "recipe").values
    assert values["evaluation"]["seeds"] == 3
    assert {key: one for key, one in values.items() if key != "evaluation"} == {
        key: one for key, one in (read_document(text, "recipe").values or {}).items() if key != "evaluation"
    }
    assert all(one.strip() in edited for one in re.findall(r"#.*", text))


def test_a_path_into_a_plain_value_or_a_missing_item_is_refused() -> None:
    with pytest.raises(RecipeError, match="plain value"):
        set_value(TEXTS["clinical-coding"], "name.more", 1)
    with pytest.raises(RecipeError, match="no 'nobody' in that list"):
        set_value(TEXTS["clinical-coding"], "students.nobody.epochs", 1)
    with pytest.raises(RecipeError, match="holds no recipe"):
        set_value("- a list\n", "name", "x")
