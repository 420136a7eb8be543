"""The first step of the Guide: recipe cards, a table of one's own in every shape, and bad ones said so."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from small_table import tickets

pytest.importorskip("ipywidgets")

from workbench import recipe as recipes
from workbench import widgets
from workbench.errors import DataError, MissingExtraError
from workbench.projects import needed, uploads
from workbench.projects.desk import Desk
from workbench.widgets.choose import Choose
from workbench.widgets.words import Words
from workbench.widgets.work import AtOnce


@pytest.fixture(autouse=True)
def _in_france(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")


def panel(folder: Path, table: object | None = None, language: str = "en") -> Choose:
    return Choose(table, desk=Desk(folder / "runs"), words=Words(language), executor=AtOnce())


def csv(folder: Path, name: str = "notes.csv", rows: int = 60) -> Path:
    file = folder / name
    tickets(rows).to_csv(file, index=False)
    return file


def upload(choose: Choose, name: str, content: bytes, size: int | None = None) -> None:
    file = {"name": name, "type": "", "size": len(content) if size is None else size, "content": memoryview(content)}
    choose.upload.value = ({**file, "last_modified": pd.Timestamp("2026-01-02", tz="UTC").to_pydatetime()},)


def said(value: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", value).split())


def test_an_empty_desk_shows_a_card_for_each_shipped_recipe_and_what_is_missing_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(needed, "util", SimpleNamespace(find_spec=lambda name: None))
    choose = panel(tmp_path)
    assert set(choose.cards) == set(recipes.shipped_recipes())
    assert choose.state == "ready"
    assert "pip install simple-icd-10-cm==1.5.0" in choose._texts["clinical-coding"].value
    assert "specialist-workbench[train]" in choose._texts["clinical-coding"].value
    assert choose._earlier_box.layout.display == "none"
    assert "shipped_recipes" in choose.code


def test_a_card_copies_its_recipe_once_and_finds_it_again(tmp_path):
    choose = panel(tmp_path)
    choose.cards["licence-obligations-class"].click()
    file = choose.desk.file
    assert choose.state == "done"
    assert recipes.read(file).recipe.name == "licence-obligations-class"
    assert (file.parent / "data" / "licence-obligations-sample.csv").is_file()
    file.write_text("# mine\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    choose.cards["licence-obligations-class"].click()
    assert choose.desk.file == file
    assert choose.desk.text.startswith("# mine")


def test_a_path_is_read_its_columns_proposed_and_two_clicks_write_the_recipe(tmp_path):
    choose = panel(tmp_path)
    choose.path.value = str(csv(tmp_path))
    choose.read.click()
    assert (choose.text.value, choose.label.value, choose.group.value) == ("note", "topic", "")
    assert choose.country.value == "FRA"
    assert "brakes" not in choose.columns.value
    choose.use.click()
    assert choose.state == "done"
    assert choose.desk.recipe.data.source.path == "../../../notes.csv"
    assert choose.desk.recipe.carbon.country == "FRA"
    exec(compile(choose.code, "code", "exec"), {})  # noqa: S102  (the code shown has to run)


def test_rows_are_shown_only_where_a_person_asks(tmp_path):
    choose = panel(tmp_path, csv(tmp_path))
    assert choose.rows.value == ""
    choose.show_rows.value = True
    assert "<td>" in choose.rows.value
    assert choose.rows.value not in choose.snapshot()


def test_the_same_upload_finds_its_recipe_and_another_of_its_name_gets_a_name_of_its_own(tmp_path):
    choose, content = panel(tmp_path), csv(tmp_path).read_bytes()
    upload(choose, "notes.csv", content)
    choose.use.click()
    first = choose.desk.file
    assert (first.parent / "notes.csv").read_bytes() == content
    upload(choose, "notes.csv", content)
    choose.use.click()
    assert choose.desk.file == first
    upload(choose, "notes.csv", csv(tmp_path, rows=80).read_bytes())
    choose.use.click()
    assert choose.desk.file.parent.name == "notes-2"
    assert choose.desk.recipe.name == "notes-2"
    assert choose.desk.earlier()[0].file.stem == "notes-2"


@pytest.mark.parametrize("make", [tickets, lambda rows: pa.Table.from_pandas(tickets(rows))])
def test_a_frame_is_kept_beside_its_recipe_so_that_another_process_can_read_it(tmp_path, make):
    choose = panel(tmp_path, make(60))
    choose.use.click()
    assert choose.desk.recipe.data.source.path == "table.parquet"
    again = panel(tmp_path, make(60))
    again.use.click()
    assert again.desk.file == choose.desk.file


def test_a_dataset_is_kept_too(tmp_path):
    datasets = pytest.importorskip("datasets")
    choose = panel(tmp_path, datasets.Dataset.from_pandas(tickets(60)))
    assert choose.label.value == "topic"


def test_what_was_begun_is_offered_and_taken_up_again(tmp_path):
    choose = panel(tmp_path)
    choose.cards["licence-obligations-class"].click()
    choose.take(csv(tmp_path))
    choose.use.click()
    later = panel(tmp_path)
    assert later.desk.file.stem == "notes"
    assert later.earlier.options[0][0] == "notes: not trained yet"
    later.earlier.index = 1
    later.go_on.click()
    assert later.desk.file.stem == "licence-obligations-class"
    assert Desk(tmp_path / "runs").file.stem == "licence-obligations-class"


BAD = {
    "a picture": ("table.csv", b"\x89PNG\r\n\x1a\n" + bytes(60), "is a picture, and no table"),
    "a web page": ("table.csv", b"<!DOCTYPE html><html><body>hello</body></html>", "is a web page (HTML)"),
    "a spreadsheet": ("table.xlsx", b"PK\x03\x04" + bytes(60), "ZIP, XLSX, ODS"),
    "nothing": ("table.csv", b"", "is empty"),
    "another ending": ("table.exe", b"a,b\n1,2\n", "ends in .exe"),
    "another encoding": ("table.csv", "text,label\nécran noir,é\n".encode("latin-1"), "is not UTF-8"),
    "ragged rows": ("table.csv", b"text,label\none,two,three\nfour,five\n", "number of fields"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_upload_that_is_no_table_is_said_so_and_nothing_of_it_is_kept(tmp_path, case):
    name, content, told = BAD[case]
    choose = panel(tmp_path)
    upload(choose, name, content)
    assert choose.state == "failed"
    assert told in said(choose.notices.value)
    assert list(choose.desk.home.glob("*")) == []
    upload(choose, "notes.csv", csv(tmp_path).read_bytes())
    assert choose.label.value == "topic"


def test_what_is_said_of_such_uploads_is_french_in_french(tmp_path):
    words = Words("fr")
    for name, content, _ in BAD.values():
        with pytest.raises(DataError) as caught:
            uploads.look(uploads.Incoming(name, content=content), scratch=tmp_path)
        parts = (caught.value.problem, caught.value.would_be_right, caught.value.what_to_do)
        assert [part for part in parts if not words.knows(part)] == [], name


def test_another_encoding_is_asked_for_and_written_into_the_recipe(tmp_path):
    choose = panel(tmp_path)
    frame = tickets(60).assign(topic=lambda one: one["topic"] + "é")
    upload(choose, "notes.csv", frame.to_csv(index=False).encode("latin-1"))
    assert choose.encoding.layout.display is None
    choose.encoding.value = "latin-1"
    assert choose.label.value == "topic"
    choose.use.click()
    assert choose.desk.recipe.data.source.encoding == "latin-1"


def test_a_file_of_200_mb_is_refused_with_the_other_way_and_the_limit_stands_there_before(tmp_path):
    choose = panel(tmp_path)
    told = said("".join(one.value for one in walk(choose) if hasattr(one, "value") and isinstance(one.value, str)))
    assert f"at most {uploads.LARGEST_MB} MB" in told
    upload(choose, "large.csv", b"a,b\n", size=200_000_000)
    assert "large.csv has 200 MB" in said(choose.notices.value)
    assert "type its path" in said(choose.notices.value)


def test_a_path_that_does_not_exist_names_the_nearest_one(tmp_path):
    csv(tmp_path)
    choose = panel(tmp_path)
    choose.path.value = str(tmp_path / "nots.csv")
    choose.read.click()
    choose.refresh()
    assert choose.state == "failed"
    assert "Did you mean notes.csv?" in said(choose.notices.value)


def columns_of(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


TEXTS = [f"a sentence of some words, number {number}" for number in range(6000)]
DOUBTFUL = {
    "one column": (columns_of(text=TEXTS), {}, "only one column (text)"),
    "a label with 5,000 values": (
        columns_of(text=TEXTS, label=[f"class {n % 5000}" for n in range(6000)], kind=["a", "b"] * 3000),
        {},
        "has 5,000 different values, which looks like an id or a text. A label column has a few classes (at most some "
        "hundreds), each in several rows. The column kind looks like one.",
    ),
    "no better column": (columns_of(text=TEXTS, label=[f"id {n}" for n in range(6000)]), {}, "Choose another column"),
    "label and text the same": (
        columns_of(text=TEXTS, label=["a", "b"] * 3000),
        {"label": "text"},
        "Text and label are the same column, text",
    ),
    "one class": (columns_of(text=TEXTS, label=["a"] * 6000), {"label": "label"}, "at least two classes"),
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_columns_that_cannot_be_used_are_said_beside_them_with_what_would_be_right(tmp_path, case):
    frame, chosen, told = DOUBTFUL[case]
    choose = panel(tmp_path, frame)
    for name, value in chosen.items():
        getattr(choose, name).value = value
    assert told in said(choose._trouble.value)
    assert choose.use.disabled
    choose.use_table()
    assert choose.desk.file is None


def test_classes_with_one_row_are_told_and_do_not_stop(tmp_path):
    frame = tickets(60)
    frame.loc[3, "topic"] = "rare"
    choose = panel(tmp_path, frame)
    assert "1 classes stand in one row only" in said(choose._trouble.value)
    assert not choose.use.disabled


def test_without_a_country_in_the_locale_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    choose = panel(tmp_path, csv(tmp_path))
    assert choose.use.disabled
    assert "electricity" in said(choose._trouble.value)
    choose.country.value = "DEU"
    assert not choose.use.disabled


def test_names_from_a_table_never_become_html(tmp_path):
    frame = tickets(60).rename(columns={"note": "<img src=x onerror=alert(1)>"})
    choose = panel(tmp_path, frame)
    choose.show_rows.value = True
    assert "<img src=x" not in choose.columns.value + choose.rows.value


def walk(widget: Any) -> list[Any]:
    return [widget, *(inner for child in getattr(widget, "children", ()) for inner in walk(child))]


def test_every_control_has_words_and_the_cards_are_french_in_french(tmp_path):
    choose = panel(tmp_path, language="fr")
    controls = [one for one in walk(choose) if hasattr(one, "description") and type(one).__name__ != "HTML"]
    assert len(controls) > 15
    assert all(one.description for one in controls)
    for file in recipes.shipped_recipes().values():
        assert choose.words.knows(" ".join(recipes.recipe_header(file))), file.stem


def test_both_languages_have_the_same_keys():
    for step in ("choose.", "data."):
        keys = [{key for key in Words(code).texts if key.startswith(step)} for code in ("en", "fr")]
        assert keys[0] == keys[1]


def test_a_file_comes_in_pieces_and_a_larger_one_without_its_content(tmp_path):
    choose = panel(tmp_path)
    content = csv(tmp_path).read_bytes()
    half = len(content) // 2
    for at, piece in ((0, content[:half]), (half, content[half:])):
        told = {"name": "notes.csv", "size": len(content), "at": at, "last": at > 0}
        choose.upload._handle_custom_msg(told, [memoryview(piece)])
    assert choose.look is not None
    assert choose.look.incoming.content == content
    told = {"name": "large.csv", "size": 200_000_000, "at": 0, "last": True}
    choose.upload._handle_custom_msg(told, [memoryview(b"")])
    assert "large.csv has 200 MB" in choose.notices.value


@pytest.mark.parametrize("library", ["ipywidgets", "anywidget"])
def test_a_kernel_without_the_extra_gets_the_line_that_installs_it(library, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == library else find(name))
    monkeypatch.delitem(vars(widgets), "Guide", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'specialist-workbench\[lab\]'"):
        _ = widgets.Guide
