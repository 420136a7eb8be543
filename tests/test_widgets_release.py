"""The panel Report & release, without a kernel: every state, every button, what is typed wrong, what French shows."""

from __future__ import annotations

import html
import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from run_folder import CLASSES, Choices, make_run
from workbench import recipe as recipes
from workbench.projects.desk import Desk
from workbench.releasing import read_card_fields, sign_off, sign_offs
from workbench.reporting import report
from workbench.runs import write_manifest
from workbench.widgets.release import Release
from workbench.widgets.words import Words
from workbench.widgets.work import AtOnce

FILLED = {
    "intended_use": "Librarians let it suggest a subject, and decide themselves.",
    "out_of_scope": "Not for sorting without a person.",
    "owner": "Cataloguing team",
    "contact": "catalogue@library.example",
    "licence_checked_by": "A. Reader, 2026-11-02",
}
SMALL = Choices(rows=160, candidates=("baseline", "student-linear"), classes=CLASSES[:4])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = make_run(tmp_path_factory.mktemp("made") / "runs", SMALL)
    recipe = folder / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("margin: 0.01}", "margin: 0.01, resamples: 1000}"))
    state = json.loads((folder / "run.json").read_text())
    state["recipe_digest"] = recipes.digest(recipes.read(recipe).recipe)
    (folder / "run.json").write_text(json.dumps(state))
    report(folder)
    write_manifest(folder)
    home = folder.parents[1] / "guide" / "library-subjects"
    home.mkdir(parents=True)
    shutil.copy(recipe, home / "library-subjects.yaml")
    return folder


@pytest.fixture
def run(made, tmp_path):
    shutil.copytree(made.parents[1], tmp_path / "runs")
    return tmp_path / "runs" / made.parent.name / made.name


def panel(run, language="en"):
    return Release(run, executor=AtOnce(), words=Words(language))


def type_in(shown, values):
    for name, text in values.items():
        shown.fields[name].value = text


def status(run, word):
    state = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(state | {"status": word}))


def test_a_desk_without_a_finished_run_blocks_and_says_why(tmp_path, run):
    empty = Release(desk=Desk(tmp_path / "nowhere"), executor=AtOnce(), words=Words("en"))
    empty.refresh()
    assert empty.state == "blocked"
    assert empty.blockers == ("There is no finished run of this recipe yet. Train first.",)
    assert empty.body.children == ()
    compile(empty.code, "code", "exec")
    status(run, "stopped")
    stopped = Release(desk=Desk(tmp_path / "runs"), executor=AtOnce(), words=Words("en"))
    stopped.refresh()
    assert stopped.blockers == ("The run is not finished (it was stopped). Finish it first.",)


def test_in_the_guide_it_shows_the_desks_newest_run(tmp_path, run):
    shown = Release(desk=Desk(tmp_path / "runs"), executor=AtOnce(), words=Words("en"))
    shown.refresh()
    assert shown.state == "ready"
    assert shown.candidate.value in ("baseline", "student-linear")
    assert shown.place.value == str(tmp_path / "runs" / "exports" / f"library-subjects-{shown.candidate.value}.zip")


def test_the_report_is_shown_without_script_and_a_missing_one_is_told(run):
    shown = panel(run)
    assert '<iframe class="wb-page" sandbox=""' in shown.report.value
    assert "<details>" in shown.report.value
    assert "<h1" not in shown.report.value, "the page is escaped into its frame"
    (run / "report.html").unlink()
    shown.refresh()
    assert "The report is gone" in shown.report.value


def test_card_fields_are_saved_and_typed_text_survives_a_refresh(run):
    shown = panel(run)
    assert "(required)" in shown.fields["owner"].description
    type_in(shown, FILLED)
    shown.refresh()
    assert shown.fields["owner"].value == "Cataloguing team"
    shown.save.click()
    assert shown.state == "ready"
    assert "The card is written." in shown.notices.value
    assert read_card_fields(run) == FILLED
    assert panel(run).fields["contact"].value == FILLED["contact"]
    assert "All 5 are stated." in shown.gate.value


def test_a_field_that_does_not_fit_says_so_beneath_itself(run):
    shown = panel(run)
    type_in(shown, FILLED | {"contact": "ask <b>us</b>"})
    shown.save.click()
    assert "Fields that do not fit: 1." in shown.notices.value
    assert 'role="alert"' in shown.notes["contact"].value
    assert 'role="alert"' not in shown.notes["owner"].value
    assert read_card_fields(run) == {}
    assert shown.fields["contact"].value == "ask <b>us</b>"
    type_in(shown, {"contact": "a@b.example"})
    shown.save.click()
    assert 'role="alert"' not in shown.notes["contact"].value


def test_each_line_of_the_gate_has_a_sign_and_a_word(run):
    gate = panel(run).gate.value
    assert gate.count("✓ yes") + gate.count("✕ no") == 10
    assert "This was not verified yet." in gate


def test_verify_says_what_it_found_and_the_answer_is_void_after_a_change(run):
    shown = panel(run)
    shown.verify.click()
    assert "Parts that failed" in shown.notices.value or "Everything holds" in shown.notices.value
    assert "This was not verified yet." not in shown.gate.value
    type_in(shown, FILLED)
    shown.save.click()
    assert "This was not verified yet." in shown.gate.value
    (run / "metrics.json").write_text("[]")
    shown.verify.click()
    assert "Not everything holds" in shown.notices.value
    assert "metrics.json was changed after the run." in shown.gate.value


def test_sign_offs_are_listed_with_the_state_they_are_of(run):
    shown = panel(run)
    assert "Nobody has signed off yet." in shown.signed.value
    shown.sign.click()
    assert shown.state == "failed"
    assert "The name is empty." in shown.notices.value
    shown.name.value, shown.role.value, shown.statement.value = "Ada <i>", "clerk", "Seen."
    shown.sign.click()
    assert shown.state == "ready"
    assert "of the present state" in shown.signed.value
    assert "Ada &lt;i&gt;" in shown.signed.value
    type_in(shown, FILLED)
    shown.save.click()
    assert "of an earlier state" in shown.signed.value
    assert len(sign_offs(run)) == 1


def test_the_export_is_written_with_one_click_and_found_again(run):
    shown = panel(run)
    shown.export.click()
    assert shown.state == "done"
    assert zipfile.is_zipfile(shown.place.value)
    assert "The export does not change that." in shown.exported.value
    again = panel(run)
    assert again.state == "done"
    assert "is there" in again.exported.value
    later = Path(shown.place.value).stat().st_mtime + 5
    os.utime(run / "manifest.json", (later, later))
    assert panel(run).state == "ready"


def test_an_export_that_cannot_be_is_told_and_the_panel_stays_usable(run):
    shown = panel(run)
    shown.place.value = str(run / "inside.zip")
    shown.export.click()
    assert shown.state == "failed"
    assert "lies inside the run" in shown.notices.value
    shown.place.value = str(run.parents[2] / "out.zip")
    shown.export.click()
    assert shown.state == "done"


def test_a_run_that_is_gone_is_told(run):
    shown = panel(run)
    shutil.rmtree(run)
    shown.refresh()
    assert shown.state == "failed"
    assert "run.json" in shown.notices.value
    shown.verify.click()
    assert shown.state == "failed"


def test_a_file_that_cannot_be_read_is_told_in_a_sentence(run):
    (run / "card_fields.json").write_text("[]")
    shown = panel(run)
    assert shown.state == "failed"
    assert "card_fields.json" in shown.notices.value


@pytest.mark.slow
def test_the_code_does_the_same(run, capsys):
    shown = panel(run)
    type_in(shown, FILLED)
    shown.save.click()
    shown.show_code.value = True
    assert "releasing.export" in html.unescape(shown.code_view.value)
    exec(compile(shown.code, "code", "exec"), {})  # noqa: S102  (the panel's own lines)
    assert "no No personal data" in capsys.readouterr().out
    assert zipfile.is_zipfile(shown.place.value)


def test_the_snapshot_is_plain_and_holds_no_report(run):
    shown = panel(run)
    assert "<iframe" not in shown.snapshot()
    assert "✕ no" in shown.snapshot()


def test_in_french_no_english_is_left(run):
    sign_off(run, "Ada", "cheffe", "Vu.")
    shown = panel(run, "fr")
    shown.sign.click()
    shown.export.click()
    shown.verify.click()
    type_in(shown, {"contact": "x"})
    shown.save.click()
    texts = [shown.snapshot(), shown.notices.value, *(note.value for note in shown.notes.values())]
    texts += [box.description for box in shown.fields.values()]
    said = html.unescape(" ".join(texts)).lower()
    for english in (" the ", " is ", " not ", "stated", " who ", " what ", "required"):
        assert english not in said.replace("the baseline", ""), english
    assert "Usage prévu (obligatoire)" in shown.fields["intended_use"].description
