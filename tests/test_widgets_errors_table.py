"""The list of errors: pages, order, search, texts on request, and labels that are marked as wrong."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("ipywidgets")

from inspected_run import shared_run
from workbench.data.corrections import read_corrections
from workbench.projects.desk import Desk
from workbench.widgets.errors_table import PAGE, ErrorsTable
from workbench.widgets.inspection import Inspection
from workbench.widgets.words import Words
from workbench.widgets.work import AtOnce


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_run(tmp_path_factory)


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(folder.parents[2], tmp_path, dirs_exist_ok=True)
    return tmp_path / folder.relative_to(folder.parents[2])


def errors_of(run: Path, language: str = "en", desk: Desk | None = None) -> ErrorsTable:
    panel = Inspection(run, words=Words(language), executor=AtOnce(), desk=desk)
    panel.refresh()
    panel.views.value = "errors"
    view: ErrorsTable = panel.opened["errors"]
    return view


def column(view: ErrorsTable, place: int) -> list[str]:
    rows = re.findall(r"<tr>(.*?)</tr>", view.table.value)[1:]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)[place] for row in rows]


def mark(view: ErrorsTable, label: str, who: str = "A. Clerk", why: str = "read it again") -> None:
    view.correct.label.value = label
    view.correct.who.value, view.correct.why.value = who, why
    view.correct.mark.click()


def test_errors_are_paged_and_the_surest_stand_first(folder):
    view = errors_of(folder)
    n = len(view._places)
    assert len(column(view, 0)) == PAGE
    assert f"1 to {PAGE} of {n}" in view.where.value
    assert view.before.disabled
    shares = [float(one) for one in column(view, 3)]
    assert shares == sorted(shares, reverse=True)
    first = column(view, 0)
    view.after.click()
    assert not set(first) & set(column(view, 0))
    view.before.click()
    assert column(view, 0) == first
    for _ in range(n // PAGE):
        view.after.click()
    assert view.after.disabled


@pytest.mark.parametrize(("order", "place"), [("true", 1), ("predicted", 2), ("row", 0)])
def test_errors_are_sorted_by_class_or_row(folder, order, place):
    view = errors_of(folder)
    view.sort.value = order
    found = [int(one) if place == 0 else one for one in column(view, place)]
    assert found == sorted(found)


def test_a_search_finds_classes_groups_rows_and_texts_that_are_shown(folder):
    view = errors_of(folder)
    row = column(view, 0)[3]
    view.search.value = f"<b>{row}</b>"
    assert "No rows." in view.where.value
    view.search.value = "everyday"
    assert set(column(view, 4)) == {"everyday"}
    view.search.value = ""
    view.texts.value = True
    view.search.value = f"<b>{row}</b>"
    assert column(view, 0) == [row]


def test_texts_are_shown_on_request_only_and_escaped(folder):
    view = errors_of(folder)
    assert "worn" not in view.table.value
    view.texts.value = True
    assert "&lt;b&gt;" in view.table.value
    assert "<b>" not in view.table.value
    assert "&lt;b&gt;" in view.correct.whole.value
    view.texts.value = False
    assert "&lt;b&gt;" not in view.table.value + view.correct.whole.value


def test_a_table_that_is_gone_or_has_changed_is_a_sentence_and_the_rest_stays(own):
    table = own.parents[2] / "phrases.csv"
    table.write_text(table.read_text().replace("puncture", "hole"))
    view = errors_of(own)
    view.texts.value = True
    assert "The table has changed" in view.told.value
    assert not view.texts.value
    assert column(view, 0)
    table.unlink()
    french = errors_of(own, "fr")
    french.texts.value = True
    assert "ne peuvent pas être montrés" in french.told.value
    mark(french, "gears")
    assert 'role="alert"' in french.correct.told.value


def test_a_marked_label_becomes_a_correction_beside_the_recipe(own):
    view = errors_of(own)
    row = int(column(view, 0)[0])
    mark(view, "gears")
    file = own.parents[2] / "library-subjects-corrections.csv"
    (one,) = read_corrections(file).entries
    assert (one.row, one.new_label, one.who, one.why) == (row, "gears", "A. Clerk", "read it again")
    assert "data: corrections: library-subjects-corrections.csv" in view.correct.told.value
    assert view.correct.who.value == "A. Clerk"
    assert view.correct.use.disabled


def test_who_and_why_are_asked_for_and_nothing_is_written_without(own):
    view = errors_of(own)
    mark(view, "gears", who=" ", why="")
    assert "does not say who or why" in view.correct.told.value
    assert not list(own.parents[2].glob("*corrections*"))


def test_a_second_correction_is_added_and_another_opinion_is_refused(own):
    view = errors_of(own)
    mark(view, "gears")
    mark(view, "brakes")
    assert "was corrected to &#x27;gears&#x27; by A. Clerk already" in view.correct.told.value
    view.correct.row.index = 1
    mark(view, "brakes")
    assert "(2 in all)" in view.correct.told.value
    assert len(read_corrections(view.correct.path).entries) == 2


def test_what_stands_in_a_file_of_corrections_stays_as_it_is(own):
    view = errors_of(own)
    mark(view, "gears")
    file = view.correct.path
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    lines = ["place," + ",".join(rows[0]), "7," + ",".join(rows[0].values()), "8,5,,,,,,"]
    before = "\n".join(lines)
    file.write_text(before, encoding="utf-8")
    view.correct.row.index = 1
    mark(view, "brakes")
    assert file.read_text(encoding="utf-8").startswith(before + "\n,")
    file.write_text("no corrections at all\n", encoding="utf-8")
    view.correct.row.index = 2
    mark(view, "brakes")
    assert "has no column" in view.correct.told.value
    assert file.read_text(encoding="utf-8") == "no corrections at all\n"


def test_a_button_names_the_file_in_the_recipe_of_the_desk(own):
    desk = Desk(own.parents[1], own.parents[2] / "recipe.yaml")
    comment = desk.text.splitlines()[0]
    view = errors_of(own, desk=desk)
    mark(view, "gears")
    assert not view.correct.use.disabled
    view.correct.use.click()
    assert desk.recipe.data.corrections == "library-subjects-corrections.csv"
    assert desk.text.startswith(comment)
    assert view.correct.use.disabled


def test_corrections_that_came_after_the_run_do_not_make_it_another_table(own):
    from workbench.errors import RunError
    from workbench.pipeline.rereading import read_again

    view = errors_of(own)
    mark(view, "gears")
    recipe, state = own / "recipe.yaml", own / "run.json"
    named = f"label: subject\n  corrections: {view.correct.path.name}"
    recipe.write_text(recipe.read_text().replace("label: subject", named))
    before = state.read_text()
    state.write_text(json.dumps(json.loads(before) | {"created": "2020-01-01T00:00:00+00:00"}))
    assert len(read_again(own)) == 20_300
    state.write_text(json.dumps(json.loads(before) | {"created": "2999-01-01T00:00:00+00:00"}))
    with pytest.raises(RunError, match="has changed"):
        read_again(own)
