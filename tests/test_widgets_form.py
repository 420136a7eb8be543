"""The recipe as a form, a draft and a dial: every field has a control, and what is wrong is said at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as w
import pytest

from workbench.errors import ModelError, RecipeError
from workbench.projects import dial
from workbench.projects.draft import Draft, new_student, without_place
from workbench.recipe import digest, fields, parse, shipped_recipes
from workbench.widgets.field import described, field_words
from workbench.widgets.form import PARTS, Form
from workbench.widgets.words import Words

SHIPPED = {name: path.read_text(encoding="utf-8") for name, path in shipped_recipes().items()}
FULL = SHIPPED["licence-obligations-class-full"]


class Kept:
    """A form's other side: takes changes into a draft and shows it again."""

    def __init__(self, text: str, language: str = "en") -> None:
        self.draft = Draft(text)
        self.form = Form(Words(language), self.change)
        self.form.show(self.draft)
        self.told: list[Mapping[str, Any]] = []

    def change(self, edits: Mapping[str, Any]) -> Sequence[str]:
        self.told.append(edits)
        try:
            self.draft.take(self.draft.changed(edits))
        except RecipeError as error:
            return [without_place(one) for one in error.problems]
        self.form.show(self.draft)
        return []

    def open(self) -> None:
        """Open every fold."""
        for box in every(self.form, w.Accordion):
            for place in range(len(box.children)):
                box.selected_index = place
        for box in every(self.form, w.Accordion):
            for place in range(len(box.children)):
                box.selected_index = place


def every(box: w.Widget, kind: type) -> list[Any]:
    """Every widget of a kind within another."""
    inner = [one for child in getattr(box, "children", ()) for one in every(child, kind)]
    return ([box] if isinstance(box, kind) else []) + inner


@pytest.fixture(scope="module")
def opened() -> Kept:
    """A form with every fold open, of a recipe that has most parts; only looked at."""
    kept = Kept(FULL)
    kept.open()
    return kept


def test_every_field_of_the_parts_that_are_on_has_a_control_with_a_label_and_a_help_line(opened: Kept) -> None:
    missing = []
    for field in fields():
        own = described(field.path)["own"]
        part = field.path.split(".")[0].removesuffix("[]")
        if part not in PARTS or "properties" in own:
            continue
        if any(one in field.path for one in (".privacy.", ".ensemble", ".smoothing.", "further_tests.")):
            continue
        found = opened.form.fields.get(field.path.replace("[]", ".1"))
        if found is None:
            missing.append(field.path)
            continue
        assert found.control.description == field.title
        assert field.description.split("'")[0].split("<")[0].split("&")[0] in found.help.value
    assert missing == []


def test_the_form_shows_what_the_recipe_says(opened: Kept) -> None:
    for path, field in opened.form.fields.items():
        assert field.problem.value == ""
        value, read = opened.draft.at(path), field.read()
        assert read == value or (read == [] and not value) or float(read) == value, path


def test_the_folds_are_empty_until_they_are_opened() -> None:
    kept = Kept(FULL)
    assert set(kept.form.fields) == {
        "purpose",
        "evaluation.primary",
        "evaluation.seeds",
        "carbon.country",
        "carbon.budget_grams",
    }


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("evaluation.seeds", 50, "50 is out of range. At least 1, at most 20"),
        ("evaluation.margin", 0.5, "more than 0, less than 0.5"),
        ("carbon.budget_grams", "-2", "out of range"),
        ("carbon.budget_grams", "many", "is not a number"),
        ("carbon.volume", "1.5", "is not a whole number"),
        ("teacher.layers", "1; 2", "whole numbers with commas"),
        ("data.splits.train_where", "kind: [", "cannot be read"),
        ("evaluation.flips", "general, rare", "input should be"),
        ("teacher.revision", "main", "pattern"),
        ("students.0.ngrams", "2, 12", "two numbers"),
        ("data.splits.by", "column", "splits.column is given exactly when"),
    ],
)
def test_a_wrong_value_is_said_at_its_field_and_changes_nothing(path: str, value: Any, said: str, opened: Kept) -> None:
    before = opened.draft.text
    field = opened.form.fields[path]
    right = field.control.value
    field.control.value = value
    assert said.lower() in field.problem.value.lower()
    assert 'role="alert"' in field.problem.value
    assert opened.draft.text == before
    assert [one for one in opened.form.fields.values() if one.problem.value] == [field]
    field.control.value = right
    assert field.problem.value == ""
    opened.draft.waiting.clear()


def test_a_field_that_was_refused_keeps_its_value_while_others_are_changed() -> None:
    kept = Kept(FULL)
    kept.form.fields["evaluation.seeds"].control.value = 50
    kept.form.fields["evaluation.primary"].control.value = "accuracy"
    assert kept.draft.recipe.evaluation.primary == "accuracy"
    assert kept.form.fields["evaluation.seeds"].control.value == 50
    assert "out of range" in kept.form.fields["evaluation.seeds"].problem.value
    kept.form.fields["evaluation.seeds"].control.value = 3
    assert kept.draft.recipe.evaluation.seeds == 3
    assert kept.form.fields["evaluation.seeds"].problem.value == ""


def test_an_optional_number_takes_a_decimal_comma_and_is_left_out_when_empty() -> None:
    kept = Kept(FULL)
    budget = kept.form.fields["carbon.budget_grams"].control
    budget.value = "12,5"
    assert kept.draft.recipe.carbon.budget_grams == 12.5
    budget.value = ""
    assert kept.draft.recipe.carbon.budget_grams is None
    assert kept.draft.text == FULL


def test_two_changes_that_are_right_only_together_are_both_taken() -> None:
    kept = Kept(SHIPPED["clinical-coding"])
    kept.open()
    kept.form.fields["data.splits.by"].control.value = "column"
    assert "exactly when" in kept.form.fields["data.splits.by"].problem.value
    kept.form.fields["data.splits.column"].control.value = "part"
    assert (kept.draft.recipe.data.splits.by, kept.draft.recipe.data.splits.column) == ("column", "part")
    assert kept.form.fields["data.splits.by"].problem.value == ""


def test_tags_mappings_and_checkboxes_are_read_as_the_recipe_takes_them() -> None:
    kept = Kept(SHIPPED["clinical-coding"])
    kept.open()
    kept.form.fields["data.slices"].control.value = "length, kind"
    kept.form.fields["data.splits.test_where"].control.value = "{kind: [title, inclusion]}"
    kept.form.fields["teacher.layers"].control.value = "0, 3, 6"
    kept.form.fields["report.examples"].control.value = True
    recipe = kept.draft.recipe
    assert recipe.data.slices == ("length", "kind")
    assert recipe.data.splits.test_where == {"kind": ["title", "inclusion"]}
    assert recipe.teacher is not None
    assert recipe.teacher.layers == (0, 3, 6)
    assert recipe.report.examples


def test_students_are_added_and_taken_out_and_open_folds_stay_open() -> None:
    kept = Kept(SHIPPED["clinical-coding"])
    folds = kept.form.expert.children[0]
    folds.selected_index = PARTS.index("students")
    kept.form.buttons["students.transformer"].click()
    assert [one.name for one in kept.draft.recipe.students] == ["linear", "static", "layers"]
    folds = kept.form.expert.children[0]
    assert folds.selected_index == PARTS.index("students")
    students = every(folds.children[2], w.Accordion)[0]
    assert [students.get_title(place) for place in range(3)] == ["linear", "static", "layers"]
    students.selected_index = 0
    kept.form.buttons["students.0.remove"].click()
    assert [one.name for one in kept.draft.recipe.students] == ["static", "layers"]


def test_a_part_that_may_be_left_out_has_a_switch() -> None:
    kept = Kept(SHIPPED["clinical-coding"])
    kept.open()
    kept.form.switches["distillation.smoothing"].value = False
    assert kept.draft.recipe.distillation.smoothing is None
    kept.open()
    kept.form.switches["distillation.smoothing"].value = True
    assert kept.draft.recipe.distillation.smoothing is not None
    kept.open()
    kept.form.switches["teacher"].value = False
    assert kept.draft.recipe.teacher is not None, "students need a teacher"
    told = [one.value for one in every(kept.form, w.HTML) if "wb-problem" in one.value]
    assert len(told) == 1
    assert "teacher" in told[0]


@pytest.mark.slow
def test_a_teacher_becomes_an_ensemble_with_the_baseline_as_second_member() -> None:
    kept = Kept(SHIPPED["clinical-coding"])
    kept.open()
    kept.form.buttons["teacher.ensemble.add"].click()
    teacher = kept.draft.recipe.teacher
    assert teacher is not None
    assert teacher.model is None
    first, second = teacher.ensemble
    assert (first.model, first.layers) == ("sentence-transformers/all-MiniLM-L6-v2", (0, 6))
    assert second.baseline
    kept.open()
    kept.form.buttons["teacher.ensemble.add"].click()
    assert [one.baseline for one in kept.draft.recipe.teacher.ensemble] == [False, True, False]
    kept.open()
    kept.form.fields["teacher.ensemble.2.weight"].control.value = 2.0
    assert kept.draft.recipe.teacher.ensemble[2].weight == 2.0
    kept.open()
    kept.form.buttons["teacher.ensemble.0.remove"].click()
    kept.open()
    kept.form.buttons["teacher.ensemble.1.remove"].click()
    told = [one.value for one in every(kept.form, w.HTML) if "wb-problem" in one.value]
    assert len(told) == 1
    assert "⚠ distillation.smoothing needs a teacher with a model" in told[0]
    kept.form.switches["distillation.smoothing"].value = False
    assert [one.baseline for one in kept.draft.recipe.teacher.ensemble] == [True], (
        "both changes, now that they go together"
    )
    kept.open()
    kept.form.buttons["teacher.ensemble.0.remove"].click()
    assert kept.draft.recipe.teacher.ensemble[0].baseline, "without a member it would be no teacher"
    assert any("exactly one" in one.value for one in every(kept.form, w.HTML) if "wb-problem" in one.value)


def test_every_field_has_a_french_title_and_description() -> None:
    french = Words("fr")
    assert set(french.fields) == {field.path for field in fields()}
    for field in fields():
        title, told = field_words(field.path, french)
        assert title
        assert told.endswith((".", "FRA.", "EUR."))
        assert told != field.description


def test_what_is_wrong_is_said_in_french() -> None:
    kept = Kept(FULL, "fr")
    kept.form.fields["evaluation.seeds"].control.value = 50
    assert "50 est hors limites. Au moins 1, au plus 20" in kept.form.fields["evaluation.seeds"].problem.value


HERE = dial.Possible(tuple(dial.POSITIONS), "sentence-transformers/all-MiniLM-L6-v2")


@pytest.mark.parametrize("name", list(SHIPPED)[::3])
def test_the_dial_turns_every_recipe_to_every_position_and_keeps_its_comments(name: str) -> None:
    text = SHIPPED[name]
    for position in ("layers", "baseline", "finetune", "static"):
        text = dial.turned(text, position, HERE)
        assert dial.position_of(parse(text)) == position
    assert [one for one in text.splitlines() if one.startswith("#")] == [
        one for one in SHIPPED[name].splitlines() if one.startswith("#")
    ]


def test_turning_the_dial_keeps_the_settings_of_students_that_stay() -> None:
    text = SHIPPED["clinical-coding-full"]
    assert dial.position_of(parse(text)) == "finetune"
    assert dial.turned(text, "finetune", HERE) == text
    fewer = parse(dial.turned(text, "static", HERE))
    assert fewer.students == parse(text).students[:2]
    assert fewer.teacher is not None
    assert (fewer.teacher.method, fewer.teacher.layers) == ("head", (0, 6))


def test_without_weights_only_the_baseline_is_offered_and_it_is_said_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import workbench.models

    def none(name: object) -> None:
        raise ModelError(f"The weights '{name}' are not on this machine.")

    monkeypatch.setattr(workbench.models, "find_weights", none)
    found = dial.possible(parse(SHIPPED["clinical-coding"]), tmp_path)
    assert found.names == ("baseline",)
    assert found.missing is not None


def test_an_encoder_that_is_not_here_gives_way_to_one_that_is() -> None:
    text = dial.turned(SHIPPED["clinical-coding"], "linear", dial.Possible(tuple(dial.POSITIONS), "other/encoder"))
    teacher = parse(text).teacher
    assert teacher is not None
    assert (teacher.model, teacher.layers) == ("other/encoder", ())


def test_a_new_student_has_a_name_that_is_not_taken_and_layers_that_the_encoder_has() -> None:
    assert new_student("linear", {"linear", "linear-2"})["name"] == "linear-3"
    assert new_student("transformer", set(), 12)["cut"]["keep_layers"] == [1, 6, 12]


def test_a_recipe_that_stands_between_the_positions_has_none() -> None:
    text = SHIPPED["licence-obligations-class"].replace("students:\n  - {name: linear, kind: linear}\n", "students:\n")
    assert dial.position_of(parse(text)) is None
    assert digest(parse(text))
