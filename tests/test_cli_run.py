"""``check``, ``run``, ``predict``, ``verify``: the whole way, on a small table that no reader knows."""

from __future__ import annotations

import csv
import random

import pytest

from workbench.cli import running
from workbench.errors import Stopped

ABOUT = {
    "kitchen": ("bread flour oven pan soup salt knife dough spoon", "the {} is on the table beside the {}"),
    "garden": ("rose spade hedge soil seed lawn rake pond bulb", "put the {} near the {} before it rains"),
    "harbour": ("boat rope mast tide crane buoy anchor pier net", "a {} lies by the {} at low water"),
}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """A recipe for 240 invented sentences: a baseline alone, so that it needs no weights."""
    from workbench import recipe as recipes
    from workbench.projects import from_table

    folder = tmp_path_factory.mktemp("mine")
    rng = random.Random(0)  # noqa: S311  (invented rows, nothing secret)
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sentence", "place"])
        for row in range(240):
            place = list(ABOUT)[row % 3]
            words, pattern = ABOUT[place]
            writer.writerow([f"{pattern.format(*rng.sample(words.split(), 2))}, number {row}", place])
    written = from_table(folder / "rows.csv", folder, text="sentence", label="place", country="FRA").recipe
    assert recipes.read(written, ["teacher=", "students=[]"]).recipe.teacher is None
    return written


SMALL = ("--set", "teacher=", "--set", "students=[]", "--set", "evaluation.resamples=1000")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One folder of runs for this module: the second run of a recipe is the point of a test."""
    return tmp_path_factory.mktemp("runs")


def test_check_estimates_and_writes_nothing(workbench, recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = workbench("check", recipe, *SMALL, "--json")
    assert answer.status == 0, answer.told
    estimate = answer.json["estimate"]
    assert estimate["seconds"] > 0
    assert estimate["energy_wh"]["low"] < estimate["energy_wh"]["central"] < estimate["energy_wh"]["high"]
    assert answer.json["health"]["counts"]["test"]["rows"] > 0
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_column_is_refused_with_the_nearest_before_anything_is_written(workbench, recipe, runs):
    answer = workbench("run", recipe, *SMALL, "--set", "data.text=sentense", "--runs", runs)
    assert answer.status == 2
    assert "'sentence'" in answer.told
    assert not list(runs.glob("rows/*"))


@pytest.mark.slow
def test_run_makes_a_model_and_says_how_to_use_it(workbench, recipe, runs):
    answer = workbench("run", recipe, *SMALL, "--runs", runs)
    assert answer.status == 0, answer.told
    assert "baseline is" in answer.out
    assert "workbench predict" in answer.out
    assert "report.html" in answer.out
    assert "metrics" in answer.told


@pytest.mark.slow
def test_the_second_time_the_finished_run_is_shown(workbench, recipe, runs):
    answer = workbench("run", recipe, *SMALL, "--runs", runs, "--json")
    assert answer.json["beginning"] == "shown"
    assert answer.json["recommendation"]["candidate"] == "baseline"
    assert [row["candidate"] for row in answer.json["comparison"]] == ["baseline"]


@pytest.mark.slow
def test_a_finished_run_holds_and_predicts(workbench, runs, recipe, tmp_path):
    assert workbench("verify", "latest", "--runs", runs).status == 0
    told = workbench("predict", "latest", "rope and anchor", "--runs", runs, "--json").json
    assert told["predictions"][0]["label"] in ABOUT
    out = tmp_path / "sorted.csv"
    answer = workbench("predict", "latest", "--file", recipe.parent / "rows.csv", "--out", out, "--runs", runs)
    assert answer.status == 0, answer.told
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 240
    assert sum(row["place"] == row["predicted_label"] for row in rows) > 120


@pytest.mark.slow
def test_verify_says_no_with_status_1_when_a_prediction_was_changed(workbench, runs):
    from workbench.runs import find_run

    metrics = find_run("latest", runs) / "metrics.json"
    metrics.write_text(metrics.read_text(encoding="utf-8").replace("0.", "0.9", 1), encoding="utf-8")
    answer = workbench("verify", "latest", "--runs", runs)
    assert answer.status == 1
    assert "FAILS" in answer.out


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Stopped("Asked to stop.")])
def test_an_interrupted_run_says_how_to_go_on(monkeypatch, capsys, tmp_path, error):
    import typer

    from workbench.runs import RunFolder, RunState, now

    folder = RunFolder.create(tmp_path, "rows", RunState("a" * 64, "b" * 64, "stopped", 1, now()))

    def work(_):
        raise error

    with pytest.raises(typer.Exit) as ended:
        running.watched_run(work, tmp_path)
    assert ended.value.exit_code == 130
    assert f"workbench resume {folder.path}" in capsys.readouterr().err
