"""The second step of the Guide: a table judged in sentences, and what to do about each thing that was found."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from small_table import tickets

pytest.importorskip("ipywidgets")

from workbench import recipe as recipes
from workbench.errors import DataError
from workbench.projects.desk import Desk
from workbench.reporting.personal import kept_sentences
from workbench.widgets.data_health import DataHealth
from workbench.widgets.words import Words
from workbench.widgets.work import AtOnce

REASON = "the texts are near copies on purpose"


def said(value: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", value).split())


def desk_of(folder: Path, frame: pd.DataFrame, **columns: Any) -> Desk:
    file = folder / "notes.csv"
    frame.to_csv(file, index=False)
    desk = Desk(folder / "runs")
    desk.use_table(file, text="note", label="topic", country="FRA", **columns)
    return desk


def panel(desk: Desk | None, language: str = "en") -> DataHealth:
    return DataHealth(desk=desk, words=Words(language), executor=AtOnce())


def is_shown(widget: Any) -> bool:
    return widget.layout.display != "none"


def test_a_healthy_table_is_done_and_told_in_sentences_tables_and_bars(tmp_path):
    health = panel(desk_of(tmp_path, tickets(300)))
    assert (health.state, health.blockers) == ("done", ())
    assert "labels to learn from" in said(health.sentences.value)
    assert "wb-bar" in health.classes.value
    assert "never seen" in said(health.tables.value)
    assert "No personal data" in said(health.personal.value)
    assert not is_shown(health._small)
    assert not is_shown(health._leaks)
    assert is_shown(health._groups)
    exec(compile(health.code, "code", "exec"), {})  # noqa: S102  (the code shown has to run)


def test_without_a_recipe_it_is_blocked_with_a_sentence(tmp_path):
    health = panel(Desk(tmp_path / "runs"))
    assert health.state == "blocked"
    assert "first step" in health.blockers[0]


def test_a_frame_a_path_and_a_recipe_file_stand_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = DataHealth(tickets(120), words=Words("en"), executor=AtOnce())
    assert frame.state == "done"
    assert frame.desk.file == Path("runs/guide/table/table.yaml")
    recipe = DataHealth(frame.desk.file, words=Words("en"), executor=AtOnce())
    assert recipe.state == "done"
    tickets(120).to_csv("mine.csv", index=False)
    path = DataHealth("mine.csv", words=Words("en"), executor=AtOnce())
    assert path.desk.file == Path("runs/guide/mine/mine.yaml")
    none = DataHealth(tickets(120)[["note"]], words=Words("en"), executor=AtOnce())
    assert none.state == "failed"
    assert "only one column" in said(none.notices.value)


def test_small_classes_block_and_one_click_leaves_them_out_and_keeps_comments(tmp_path):
    frame = tickets(300)
    frame.loc[3, "topic"], frame.loc[4, "topic"] = "rare", "odd"
    desk = desk_of(tmp_path, frame)
    health = panel(desk)
    assert health.state == "blocked"
    assert "'odd' (1), 'rare' (1)" in health.blockers[0]
    assert "2 classes: odd (1), rare (1)" in said(health._small_said.value)
    before = desk.text
    health.leave_out.click()
    assert health.state == "done"
    assert desk.recipe.data.exclude_classes == ("odd", "rare")
    kept = [line for line in before.splitlines() if line.lstrip().startswith("#")]
    assert set(kept) <= set(desk.text.splitlines())


def leaking() -> pd.DataFrame:
    frame = tickets(300)
    frame["part"] = ["train", "train", "test"] * 100
    frame.loc[2, "note"] = frame.loc[0, "note"]
    return frame


def by_column(desk: Desk) -> None:
    from workbench.recipe.editing import set_value

    text = set_value(set_value(desk.text, "data.splits.column", "part"), "data.splits.by", "column")
    desk.file.write_text(text, encoding="utf-8")


def test_leaks_block_until_a_reason_is_given_which_must_be_one(tmp_path):
    desk = desk_of(tmp_path, leaking())
    by_column(desk)
    health = panel(desk)
    assert health.state == "blocked"
    assert is_shown(health._leaks)
    assert is_shown(health.draw_anew)
    health.leak_reason.value = "because"
    health.allow.click()
    assert "at least 10 characters; this one has 7" in said(health._leak_said.value)
    health.leak_reason.value = REASON
    health.allow.click()
    assert health.state == "done"
    assert desk.recipe.data.allow_leakage == REASON
    assert REASON in said(health.sentences.value)


def test_splits_that_leak_are_drawn_anew_by_one_click(tmp_path):
    desk = desk_of(tmp_path, leaking())
    by_column(desk)
    health = panel(desk)
    health.draw_anew.click()
    assert health.state == "done"
    assert (desk.recipe.data.splits.by, desk.recipe.data.splits.column) == ("random", None)


def test_groups_can_be_held_out(tmp_path):
    desk = desk_of(tmp_path, tickets(300))
    health = panel(desk)
    assert "shop" in health.group.options
    health.group.value = "shop"
    health.hold_out.click()
    assert (desk.recipe.data.group, desk.recipe.data.splits.by) == ("shop", "group")
    assert "groups" in said(health.sentences.value)
    assert not is_shown(health._groups)


def personal() -> pd.DataFrame:
    frame = tickets(300)
    frame.loc[3, "note"] += " write to jane.roe@example.org"
    frame.loc[7, "note"] += " write to jane.roe@example.org"
    return frame


def test_personal_data_are_counted_masked_and_replaced_in_a_copy_that_is_then_used(tmp_path):
    desk = desk_of(tmp_path, personal())
    health = panel(desk)
    assert health.state == "done"
    told = said(health.personal.value)
    assert "note e-mail addresses j…@…org 2 2" in told
    assert "jane" not in health.snapshot()
    health.redact.click()
    assert health.state == "done"
    assert desk.recipe.data.source.path == "notes-redacted.parquet"
    copy = pd.read_parquet(desk.file.parent / "notes-redacted.parquet")
    assert copy["note"].str.contains("jane.roe").sum() == 0
    stands = copy["note"].str.extract(r"(\[EMAIL_\w+\])")[0].dropna()
    assert len(stands) == 2
    assert stands.nunique() == 1
    assert (tmp_path / "notes.csv").read_text(encoding="utf-8").count("jane.roe") == 2
    desk.use_table(tmp_path / "notes.csv", text="note", label="topic", country="FRA")
    assert desk.recipe.data.source.path == "notes-redacted.parquet"


def test_personal_data_are_kept_with_a_reason_that_the_report_shows(tmp_path):
    desk = desk_of(tmp_path, personal())
    before = recipes.digest(desk.recipe)
    health = panel(desk)
    health.keep_reason.value = "all of them agreed in writing"
    health.keep.click()
    assert "all of them agreed in writing" in said(health.personal.value)
    assert not is_shown(health._private)
    assert kept_sentences(SimpleNamespace(recipe=desk.recipe))[0].endswith("all of them agreed in writing")
    again = desk.recipe.model_copy(update={"data": desk.recipe.data.model_copy(update={"keep_personal_data": None})})
    assert recipes.digest(again) == before
    assert kept_sentences(SimpleNamespace(recipe=again)) == []


def test_rows_are_shown_only_where_a_person_asks_and_kept_only_where_the_recipe_allows(tmp_path):
    frame = tickets(300)
    frame["note"] = "<b>brake</b> " + frame["note"]
    health = panel(desk_of(tmp_path, frame))
    assert health.rows.value == ""
    health.show_rows.value = True
    assert "&lt;b&gt;brake" in health.rows.value
    assert "&lt;b&gt;brake" not in health.snapshot()


def test_a_table_that_is_refused_as_a_whole_blocks_with_its_three_parts(tmp_path):
    desk = desk_of(tmp_path, tickets(120))
    (tmp_path / "notes.csv").unlink()
    health = panel(desk)
    assert health.state == "blocked"
    assert "There is no file" in health.blockers[0]
    assert not is_shown(health._shown)
    tickets(120).to_csv(tmp_path / "notes.csv", index=False)
    health.desk.write(desk.text + "\n", desk.text)
    health.refresh()
    assert health.state == "done"


def test_a_recipe_changed_elsewhere_is_not_overwritten_and_is_shown_anew(tmp_path):
    desk = desk_of(tmp_path, tickets(300))
    health = panel(desk)
    changed = "# by hand\n" + desk.text
    desk.file.write_text(changed, encoding="utf-8")
    health.group.value = "shop"
    health.hold_out.click()
    assert "changed elsewhere meanwhile" in said(health.notices.value)
    assert desk.text == changed
    health.hold_out.click()
    assert desk.recipe.data.group == "shop"
    assert desk.text.startswith("# by hand")


def test_every_shipped_recipe_whose_data_is_here_is_judged(tmp_path):
    desk = Desk(tmp_path / "runs")
    desk.use_shipped("licence-obligations-class")
    health = panel(desk)
    assert health.state == "done"
    health.show_rows.value = True
    assert health.rows.value in health.snapshot()


@pytest.mark.parametrize("make", [lambda: tickets(300), personal, leaking])
def test_health_is_french_in_french(tmp_path, make):
    frame = make()
    frame.loc[3, "topic"] = "rare"
    frame = pd.concat([frame, frame.head(40)])
    desk = desk_of(tmp_path, frame)
    if "part" in frame:
        by_column(desk)
    health = panel(desk, "fr")
    told = health.view.examined
    unknown = [one for one in told.health.sentences if not health.words.knows(one)]
    unknown += [part for one in told.problems for part in (one.what, one.right, one.do) if not health.words.knows(part)]
    assert unknown == []
    assert not re.search(r"\b(the|rows|of|with)\b", said("".join(health.blockers)))


def test_refusals_of_tables_are_french_in_french(tmp_path):
    words = Words("fr")
    tables = [
        "note,topic\n",
        "note,topic\na b c,x\n",
        "note,topic\n" + "".join(f"text {n},class {n}\n" for n in range(9)),
        "note,topic\n" + "a b,X\nc d,x\n" * 9,
        "note,other\na,b\n",
        "note,topic\na,b,c\n",
    ]
    desk = desk_of(tmp_path, tickets(120))
    for content in tables:
        (tmp_path / "notes.csv").write_text(content, encoding="utf-8")
        refusal = panel(desk).view.refusal
        assert isinstance(refusal, DataError)
        parts = [refusal.problem, refusal.would_be_right, refusal.what_to_do]
        assert [part for part in parts if not words.knows(part)] == []
