"""``compare``, ``report``, ``verify`` and ``stop`` on folders of runs."""

from __future__ import annotations

import json
import shutil

import pytest

from run_folder import Choices, make_run
from workbench.runs import check_manifest, write_manifest

FEW = Choices(rows=300, candidates=("baseline", "teacher", "student-linear", "control-linear"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run with simulated predictions and a manifest."""
    folder = make_run(tmp_path_factory.mktemp("made") / "runs", FEW)
    write_manifest(folder)
    return folder


@pytest.fixture
def run(made, tmp_path):
    """A copy of it, to change."""
    copied = tmp_path / "runs" / made.parent.name / made.name
    shutil.copytree(made, copied)
    return copied


def test_compare_shows_every_candidate_and_marks_the_recommended_one(workbench, run):
    answer = workbench("compare", run)
    assert answer.status == 0, answer.told
    assert all(name in answer.out for name in FEW.candidates)
    recommended = json.loads((run / "recommendation.json").read_text(encoding="utf-8"))["candidate"]
    marked = [line for line in answer.out.splitlines() if "→" in line]
    assert len(marked) == 1
    assert recommended in marked[0]


def test_compare_finds_the_latest_run(workbench, run):
    answer = workbench("compare", "latest", "--runs", run.parent.parent, "--json")
    compared = answer.json["runs"][0]
    assert compared["run"] == str(run)
    assert [row["candidate"] for row in compared["comparison"]] == list(FEW.candidates)


def test_compare_without_a_run_says_how_to_make_one(workbench, tmp_path):
    answer = workbench("compare", "latest", "--runs", tmp_path)
    assert answer.status == 2
    assert "workbench run" in answer.told


def test_compare_says_who_is_on_the_front_and_keeps_its_json(workbench, run):
    answer = workbench("compare", run)
    assert "on the front of macro-F1" in answer.out
    told = workbench("compare", run, "--json").json
    assert set(told["runs"][0]) == {"run", "status", "comparison"}
    assert told["groups"][0]["points"][0]["place"] in {"front", "possible", "dominated"}
    assert told["apart"] == told["written"] == []


def test_compare_prints_one_table_for_a_paper_and_nothing_else(workbench, run):
    answer = workbench("compare", run, "--format", "latex")
    assert answer.status == 0, answer.told
    assert answer.out.startswith("%")
    assert answer.out.rstrip().endswith(r"\end{table}")
    assert workbench("compare", run, "--format", "csv").out.startswith("group,run,candidate")
    assert workbench("compare", run, "--format", "word").status == 2


@pytest.mark.slow
def test_compare_writes_tables_and_figures_into_a_folder(workbench, run, tmp_path):
    answer = workbench("compare", run, "--out", tmp_path / "paper", "--json")
    assert answer.status == 0, answer.told
    written = sorted(one.name for one in (tmp_path / "paper").iterdir())
    assert written == sorted(one.rpartition("/")[2] for one in answer.json["written"])
    assert "comparison.tex" in written
    assert "tradeoffs.png" in written
    refused = workbench("compare", run, "--out", run / "paper")
    assert refused.status == 2
    assert "manifest" in refused.told


def test_compare_keeps_runs_on_other_tables_apart(workbench, run, tmp_path):
    other = tmp_path / "other" / run.parent.name / run.name
    shutil.copytree(run, other)
    state = json.loads((other / "run.json").read_text(encoding="utf-8"))
    (other / "run.json").write_text(json.dumps(state | {"data_digest": "0" * 64}), encoding="utf-8")
    answer = workbench("compare", run, other)
    assert "Group 2 is not compared with group 1: they were made on different tables." in answer.out


@pytest.mark.slow
def test_report_is_made_again_and_the_manifest_goes_with_it(workbench, run):
    answer = workbench("report", run, "--json")
    assert answer.status == 0, answer.told
    assert answer.json["differing"] == []
    assert (run / "report.html").is_file()
    assert check_manifest(run) == []


@pytest.mark.slow
def test_report_does_not_hide_that_a_run_was_changed(workbench, run):
    changed = run / "data" / "health.json"
    changed.write_text(changed.read_text(encoding="utf-8") + " ", encoding="utf-8")
    answer = workbench("report", run)
    assert answer.status == 0, answer.told
    assert "data/health.json was changed after the run." in answer.out
    assert "data/health.json was changed after the run." in check_manifest(run)


def test_stop_refuses_a_run_that_is_done(workbench, run):
    answer = workbench("stop", run)
    assert answer.status == 2
    assert not (run / "stop").exists()
