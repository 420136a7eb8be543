"""Inspect: every state, every view of a run that was made by `run_folder`, and what bad folders get."""

from __future__ import annotations

import html
import json
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ipywidgets")

from inspected_run import CLASSES, shared_run
from run_folder import Choices, make_run
from workbench.projects.desk import Desk
from workbench.widgets.inspection import Inspection
from workbench.widgets.words import Words
from workbench.widgets.work import AtOnce


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_run(tmp_path_factory)


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    """The same run with its table, to be changed."""
    shutil.copytree(folder.parents[2], tmp_path, dirs_exist_ok=True)
    return tmp_path / folder.relative_to(folder.parents[2])


def panel(subject: Any, language: str = "en", **more: Any) -> Inspection:
    return Inspection(subject, words=Words(language), executor=AtOnce(), **more)


def told(shown: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", shown)))


def change(file: Path, **values: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def test_it_opens_on_the_recommended_candidate_and_the_headline(folder):
    shown = panel(folder)
    assert shown.state == "ready"
    recommended = json.loads((folder / "recommendation.json").read_text())["candidate"]
    assert (shown.candidate.value, shown.split.value) == (recommended, "test")
    assert list(shown.opened) == ["confusion"]


def test_without_a_run_it_is_blocked_and_says_so(tmp_path):
    assert panel(None).state == "blocked"
    desk = panel(None, desk=Desk(tmp_path / "runs"))
    desk.refresh()
    assert desk.state == "blocked"
    assert "no finished run" in desk.blockers[0]


@pytest.mark.parametrize("status", ["running", "stopped", "failed"])
def test_a_run_that_is_not_done_blocks_it_with_what_to_do(own, status):
    change(own / "run.json", status=status)
    shown = panel(own)
    assert shown.state == "blocked"
    assert own.name in shown.blockers[0]
    assert shown.body.children == ()


def test_a_deleted_run_and_one_of_a_newer_version_are_sentences(own):
    change(own / "run.json", format=99)
    shown = panel(own)
    assert shown.state == "failed"
    assert "format 99" in shown.notices.value
    assert "pip install --upgrade" in shown.notices.value
    shutil.rmtree(own)
    shown.refresh()
    assert "run.json" in shown.notices.value


def test_a_candidate_without_predictions_is_said_and_the_others_stay(own):
    (own / "predictions" / "teacher.parquet").unlink()
    shown = panel(own)
    shown.candidate.value = "teacher"
    assert "keeps no answers of teacher" in shown.place.children[0].value
    shown.candidate.value = "baseline"
    assert shown.place.children == (shown.opened["confusion"],)


def test_every_cell_of_the_matrix_says_what_it_is_and_opens_its_rows(folder):
    shown = panel(folder)
    matrix = shown.opened["confusion"]
    counts = matrix._look.confusion.counts
    assert {cell: int(button.description.split("\n")[0]) for cell, button in matrix.cells.items()} == {
        (i, j): counts[i, j] for i in range(3) for j in range(3) if counts[i, j]
    }
    i, j = next(cell for cell in matrix.cells if cell[0] != cell[1])
    name = f"true {CLASSES[i]}, predicted {CLASSES[j]}: {counts[i, j]} rows"
    assert matrix.cells[i, j].tooltip == name
    assert matrix.cells[i, j].description.endswith(name)
    matrix.kind.value = "shares"
    assert matrix.cells[i, j].description.split("\n")[0].endswith(" %")
    matrix.cells[i, j].click()
    assert shown.views.value == "errors"
    errors = shown.opened["errors"]
    assert len(errors._places) == counts[i, j]
    assert shown.state == "done"
    errors.every.click()
    assert len(errors._places) == counts.sum() - counts.trace()


def test_another_candidate_forgets_the_cell(folder):
    shown = panel(folder)
    matrix = shown.opened["confusion"]
    next(button for (i, j), button in matrix.cells.items() if i != j).click()
    shown.candidate.value = "teacher"
    assert shown.opened["errors"].pair is None
    assert "Only true" not in shown.opened["errors"].where.value


def test_many_classes_become_a_list_of_pairs_that_can_be_sorted_and_opened(tmp_path):
    classes = tuple(f"class {number:02}" for number in range(30))
    small = ("baseline", "teacher", "student-linear", "control-linear", "selftrain-linear")
    run = make_run(tmp_path / "runs", Choices(rows=300, resamples=20, classes=classes, candidates=small))
    shown = panel(run)
    matrix = shown.opened["confusion"]
    assert matrix.cells == {}
    times = [int(re.search(r": (\d+) of", text)[1]) for text, _ in matrix.pairs.options]
    assert times == sorted(times, reverse=True)
    matrix.sort.value = "true"
    assert matrix.pairs.options[0][0] <= matrix.pairs.options[-1][0]
    matrix.pairs.index = 0
    matrix.open_pair.click()
    assert shown.opened["errors"].pair == matrix.pairs.value


def test_groups_stand_the_worst_first_and_small_ones_have_no_figure(folder):
    shown = panel(folder)
    shown.views.value = "slices"
    rows = re.findall(r"<tr>(.*?)</tr>", shown.opened["slices"].table.value)[1:]
    cells = [[told(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]
    assert {len(row) for row in cells} == {4}
    shares = [float(row[2].removesuffix(" %")) for row in cells if row[2].endswith("%")]
    assert shares == sorted(shares, reverse=True)
    few = [row for row in cells if int(row[1]) < 30]
    assert few
    assert all("no figure" in row[2] for row in few)


def test_found_groups_are_told_in_words(own):
    metrics = json.loads((own / "metrics.json").read_text())
    name = json.loads((own / "recommendation.json").read_text())["candidate"]
    row = {
        "candidate": name,
        "split": "test",
        "seed": None,
        "against": None,
        "check": "slices-found",
        "method": "a tree",
    }
    slice_ = "found=texts of at most 13 characters, predicted as gears"
    more = {"metric": "found:error_rate", "slice": slice_, "value": 0.7, "low": 0.5, "high": 0.9, "n": 88, "rest": 0.4}
    metrics += [row | {"metric": "found", "slice": "found=*", "value": 1, "n": 100, "tested": 3}, row | more]
    (own / "metrics.json").write_text(json.dumps(metrics))
    english, french = panel(own), panel(own, "fr")
    for one in (english, french):
        one.views.value = "slices"
    assert "texts of at most 13 characters, predicted as gears: 70.0 % of 88 rows" in told(
        english.opened["slices"].told.value
    )
    assert "textes (au plus 13 caractères), prédits gears" in told(french.opened["slices"].told.value)


def test_the_slider_tells_coverage_and_error_of_every_step_quickly(folder):
    shown = panel(folder)
    shown.views.value = "threshold"
    view = shown.opened["threshold"]
    assert view.slider.value == pytest.approx(0.65)
    assert "0.65 (the run’s threshold" in view.said.value
    assert "0.654" in view.own.value
    assert "test_pool" in view.live.value
    assert "image/svg+xml" in view.picture.value
    view.slider.value = 0.0
    assert "100.0 % of the texts are answered (200 rows)" in told(view.said.value)
    view.slider.value = 1.0
    assert "too few to say" in told(view.said.value)
    start = time.perf_counter()
    for step in range(100):
        view.slider.value = step / 100
    assert (time.perf_counter() - start) / 100 < 0.05
    view.back.click()
    assert view.slider.value == pytest.approx(0.65)


def test_a_candidate_without_a_decision_has_a_slider_and_no_mark(folder):
    shown = panel(folder)
    shown.views.value = "threshold"
    shown.candidate.value = "teacher"
    view = shown.opened["threshold"]
    assert view.back.disabled
    assert "fitted no threshold for teacher" in view.own.value


def test_the_lines_that_do_the_same_run(folder, capsys):
    shown = panel(folder)
    for view in ("confusion", "errors", "slices", "threshold"):
        shown.views.value = view
        exec(compile(shown.code, view, "exec"), {})  # noqa: S102  (our own lines)
        assert capsys.readouterr().out.strip()


def test_a_snapshot_holds_the_view_and_no_texts(folder):
    shown = panel(folder)
    shown.views.value = "errors"
    shown.opened["errors"].texts.value = True
    assert "puncture" in shown.opened["errors"].table.value
    assert "puncture" not in shown.snapshot()
    assert "<table" in shown.snapshot()


def test_every_view_is_french_in_french(folder):
    shown = panel(folder, "fr")
    for view in ("confusion", "errors", "slices", "threshold"):
        shown.views.value = view
        said = told(shown.snapshot())
        assert not re.search(r"\b(the|rows|wrong|with|answered|group|below)\b", said), said


def test_nothing_heavy_is_loaded_before_the_work_begins():
    import subprocess

    lines = "import sys, workbench.widgets.inspection, workbench.widgets.try_it\n"
    lines += "assert not {'pandas', 'pyarrow', 'numpy', 'scipy', 'torch', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", lines], check=True)
