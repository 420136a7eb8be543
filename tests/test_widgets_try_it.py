"""Try it: a text asked of every kept candidate, and what odd texts and damaged candidates get."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("ipywidgets")

from inspected_run import SAID, shared_run
from workbench.models.neighbours import Neighbours
from workbench.widgets.inspection import Inspection
from workbench.widgets.try_it import TryIt
from workbench.widgets.words import Words
from workbench.widgets.work import AtOnce


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shared = shared_run(tmp_path_factory)
    home = tmp_path_factory.mktemp("asked")
    shutil.copytree(shared.parents[2], home, dirs_exist_ok=True)
    run = home / shared.relative_to(shared.parents[2])
    shutil.rmtree(run / "models" / "teacher")
    return run


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(folder.parents[2], tmp_path, dirs_exist_ok=True)
    return tmp_path / folder.relative_to(folder.parents[2])


def asked(run: Path, text: str, language: str = "en") -> TryIt:
    panel = TryIt(run, words=Words(language), executor=AtOnce())
    panel.text.value = text
    panel.ask.click()
    return panel


def told(shown: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", shown)))


def test_every_kept_candidate_answers_with_its_time_and_who_decides(folder):
    panel = asked(folder, SAID["gears"])
    assert panel.state == "done"
    rows = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", panel.answers.value)[1:]
    ]
    assert {row[0] for row in rows} == {"baseline", "student-linear"}
    assert all(row[1] == "gears" and "gears" in row[4] and float(row[6]) > 0 for row in rows)
    assert all(row[5] == "the model alone" or row[5].startswith("a person") for row in rows)


def test_the_words_that_mattered_stand_with_numbers_and_bars(folder):
    panel = asked(folder, "the chain slips")
    assert re.search(r"chain</th>.*?[+-]\d\.\d{3}", panel.weights.value)
    assert "▬" in panel.weights.value
    panel.explained.value = "student-linear"
    assert "student-linear: the 3 strongest of 3 words" in panel.weights.value


def test_no_text_is_a_sentence_and_nothing_is_asked(folder):
    panel = asked(folder, "  \n ")
    assert "no text yet" in panel.hint.value
    assert panel.answers.value == ""
    panel.near.click()
    assert panel.examples.value == ""


def test_a_hundred_thousand_characters_are_answered_and_the_limits_said(folder):
    panel = asked(folder, "chain " * 16_700)
    assert "characters" in panel.hint.value
    assert "student-linear" in panel.answers.value
    assert panel.weights.value == ""
    assert "Shorten it" in asked(folder, "x" * 1_000_001).hint.value


def test_a_text_of_another_language_is_flagged_and_goes_to_a_person(folder):
    panel = asked(folder, "Das Wetter ist schön, und der Hund bellt im Garten")
    assert "hardly occurs in the training texts" in panel.answers.value
    assert "a person: not the domain" in panel.answers.value
    french = asked(folder, "Das Wetter ist schön, und der Hund bellt im Garten", "fr")
    assert "une personne\u00a0: pas le domaine" in french.answers.value


def test_the_nearest_examples_come_from_train_with_their_class_and_from_the_pool_without(folder):
    panel = asked(folder, SAID["wheels"])
    panel.near.click()
    assert "puncture" in panel.examples.value
    assert "<b>" not in panel.examples.value
    cells = told(panel.examples.value)
    assert "wheels" in cells or "pool, no label used" in cells


def test_without_the_table_there_is_a_sentence_in_place_of_examples(own):
    (own.parents[2] / "phrases.csv").unlink()
    panel = asked(own, SAID["wheels"])
    panel.near.click()
    assert "cannot be shown" in panel.examples.value
    assert "wheels" in panel.answers.value


def test_a_damaged_candidate_and_a_missing_extra_are_said_and_the_others_answer(own, monkeypatch):
    import importlib

    (own / "models" / "baseline" / "model.safetensors").write_bytes(b"no weights")
    onnx = own / "models" / "student-linear-onnx"
    onnx.mkdir()
    card = json.loads((own / "models" / "student-linear" / "candidate.json").read_text())
    (onnx / "candidate.json").write_text(json.dumps(card | {"kind": "onnx"}))
    real = importlib.import_module

    def without(name, *rest):
        if name.startswith("onnxruntime"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    panel = asked(own, SAID["gears"])
    said = told(panel.answers.value)
    assert "baseline: " in said
    assert "student-linear-onnx: " in said
    assert re.search(r"student-linear</th><td>gears", panel.answers.value)


def test_it_is_blocked_without_a_run_or_models(own):
    assert TryIt(None, words=Words("en"), executor=AtOnce()).state == "blocked"
    shutil.rmtree(own / "models")
    assert "keeps no models" in TryIt(own, words=Words("en"), executor=AtOnce()).blockers[0]
    shutil.rmtree(own)
    assert TryIt(own, words=Words("en"), executor=AtOnce()).state == "failed"


def test_neither_the_text_nor_its_words_go_into_snapshot_or_code(folder, capsys):
    panel = asked(folder, "zebra chain")
    panel.near.click()
    assert "zebra" not in panel.snapshot() + panel.code
    assert "student-linear" in panel.snapshot()
    exec(compile(panel.code, "try", "exec"), {})  # noqa: S102  (our own lines)
    assert "gears" in capsys.readouterr().out


def test_inspect_opens_it_as_one_of_its_views(folder):
    shown = Inspection(folder, words=Words("en"), executor=AtOnce())
    shown.views.value = "try"
    panel = shown.opened["try"]
    assert shown.place.children == (panel,)
    assert shown.state == "done"
    panel.text.value = SAID["brakes"]
    panel.ask.click()
    assert "brakes" in shown.snapshot()


def test_the_same_spelling_is_nearest_and_nothing_in_common_is_not_shown(folder):
    from workbench import models

    candidate = models.load(folder / "models" / "baseline")
    known = Neighbours(candidate, [SAID["gears"], SAID["wheels"], ""])
    (first, similarity), *_ = known.nearest(SAID["wheels"])
    assert (first, round(similarity, 4)) == (1, 1.0)
    assert known.nearest("") == []
