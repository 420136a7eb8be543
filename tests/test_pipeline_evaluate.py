"""Evidence beyond the scores: made by ``run`` where it is quick, by ``evaluate`` all of it, verified from its files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import workbench as wb
from workbench import storage
from workbench.cli.app import app
from workbench.errors import RecipeError, RunError
from workbench.metrics.checks import scorer_of
from workbench.pipeline import evaluate

SUITE = """
format: 1
name: workshop
about: Phrases of our own about bicycles.
tests:
  - name: plain-words
    kind: minimum
    about: One word that says it.
    cases:
      - {text: the brake lever makes a squeal, expect: brakes}
      - {text: my tyre has a puncture, expect: wheels}
      - {text: the chain and the derailleur, expect: wheels}
"""


@pytest.fixture(scope="module")
def run(finished_run: Path) -> wb.Run:
    return wb.Run(finished_run)


@pytest.fixture
def copied(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the run, its table and its recipe, that a test may change."""
    whole = tmp_path / "work"
    shutil.copytree(finished_run.parent.parent.parent, whole)
    return whole / "runs" / "tickets" / finished_run.name


def test_a_run_has_decisions_and_the_quick_checks(run: wb.Run) -> None:
    index = storage.read_json(run.path / "evidence" / "checks.json")
    assert {"personal", "teacher-audit", "novelty", "slices", "behaviour", "evasion"} <= set(index)
    assert "flips" not in index
    for name, entry in index.items():
        assert (run.path / "evidence" / f"{name}.parquet").is_file() == entry["made"]
        assert entry["made"] or entry["reasons"], name
    decision = storage.read_json(run.path / "models" / "student-linear" / "decision.json")
    assert decision["target_error"] == 0.1
    took = {one["stage"]: one["seconds"] for one in storage.read_json(run.path / "emissions.json")}
    assert all(entry["seconds"] == round(took[f"evidence-{entry['topic']}"], 3) for entry in index.values())
    checks = {row.get("check") for row in storage.read_json(run.path / "metrics.json")}
    assert {None, "decisions", "slices", "personal"} <= checks
    assert wb.verify(run.path).ok


@pytest.mark.slow
def test_evaluate_adds_the_other_checks_and_the_run_still_verifies(copied: Path) -> None:
    before = storage.read_json(copied / "metrics.json")
    done = evaluate(copied, only=("flips", "robustness"))
    index = storage.read_json(copied / "evidence" / "checks.json")
    assert {"flips", "robustness", "slices"} <= set(index)
    rows = storage.read_json(copied / "metrics.json")
    assert [row for row in rows if "check" not in row] == [row for row in before if "check" not in row]
    assert {"robustness"} <= {row.get("check") for row in rows}
    verified = wb.verify(done.path)
    assert verified.ok, verified.findings
    stages = [one["stage"] for one in storage.read_json(copied / "emissions.json")]
    assert stages.count("evidence-robustness") == 1


@pytest.mark.slow
def test_a_check_that_has_not_changed_is_made_once(copied: Path) -> None:
    evaluate(copied, only=("robustness",))
    first = storage.read_json(copied / "evidence" / "checks.json")["robustness"]
    files = (copied / "emissions.json").read_bytes()
    evaluate(copied, only=("robustness",))
    assert storage.read_json(copied / "evidence" / "checks.json")["robustness"] == first
    assert (copied / "emissions.json").read_bytes() == files


def behaviour(folder: Path) -> dict[str, int | None]:
    """Names of the behaviour evidence, with the cases of the whole suite."""
    index = storage.read_json(folder / "evidence" / "checks.json")
    rows = storage.read_json(folder / "metrics.json")
    asked = {row["check"]: row["n"] for row in rows if row["metric"] == "failure_rate" and row["slice"] == "all"}
    return {name: asked.get(name) for name in index if name.startswith("behaviour")}


@pytest.mark.slow
def test_a_suite_of_ones_own_stands_in_the_run_and_is_not_taken_away_by_the_next_evaluation(
    copied: Path, tmp_path: Path
) -> None:
    suite = tmp_path / "workshop.yaml"
    suite.write_text(SUITE, encoding="utf-8")
    evaluate(copied, suite=suite, only=("behaviour",))
    assert behaviour(copied) == {"behaviour-workshop": 3}
    assert wb.verify(copied).ok
    evaluate(copied, only=("behaviour",))
    assert behaviour(copied)["behaviour-workshop"] == 3
    assert wb.verify(copied).ok


@pytest.mark.slow
def test_a_suite_of_ones_own_is_put_beside_the_recipes_own(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, suite = tmp_path / "tickets.yaml", tmp_path / "workshop.yaml"
    own.write_text(SUITE.replace("name: workshop", "name: tickets"), encoding="utf-8")
    suite.write_text(SUITE.replace("      - {text: my tyre has a puncture, expect: wheels}\n", ""), encoding="utf-8")
    monkeypatch.setattr("workbench.recipe.suites.shipped_suites", lambda: {"tickets": own})
    evaluate(copied, suite=suite, only=("behaviour",))
    assert behaviour(copied) == {"behaviour-tickets": 3, "behaviour-workshop": 2}
    suite.write_text(SUITE, encoding="utf-8")
    evaluate(copied, suite=suite, only=("behaviour",))
    assert behaviour(copied) == {"behaviour-tickets": 3, "behaviour-workshop": 3}
    assert wb.verify(copied).ok
    suite.write_text(SUITE.replace("name: workshop", "name: tickets").replace("puncture", "hole"), encoding="utf-8")
    with pytest.raises(RecipeError, match="called 'tickets', as the recipe's own"):
        evaluate(copied, suite=suite, only=("behaviour",))


def test_a_suite_that_the_recipe_names_lies_beside_it_and_is_read_before_anything_is_trained(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = next((tmp_path / "work").glob("*.yaml"))
    monkeypatch.chdir(tmp_path)
    named = ["evaluation.suite=mine.yaml"]
    with pytest.raises(RecipeError, match=r"'mine.yaml' is neither a file nor a shipped suite"):
        wb.check(recipe, overrides=named)
    mine = recipe.with_name("mine.yaml")
    mine.write_text(SUITE.replace("expect: brakes", "expect: bells"), encoding="utf-8")
    with pytest.raises(RecipeError, match="bells"):
        wb.check(recipe, overrides=named)
    with pytest.raises(RecipeError, match="bells"):
        wb.run(recipe, runs=tmp_path / "other", overrides=named)
    assert not list((tmp_path / "other").glob("*/*/models"))
    mine.write_text(SUITE, encoding="utf-8")
    wb.check(recipe, overrides=named)


def test_a_suite_with_an_unknown_field_changes_nothing(copied: Path, tmp_path: Path) -> None:
    suite = tmp_path / "wrong.yaml"
    suite.write_text(SUITE.replace("expect: brakes", "expects: brakes"), encoding="utf-8")
    with pytest.raises(RecipeError, match="expect"):
        evaluate(copied, suite=suite)
    assert wb.verify(copied).ok


def test_verify_finds_evidence_that_was_changed(copied: Path) -> None:
    file = copied / "evidence" / "slices.parquet"
    table = pq.read_table(file)
    storage.write_parquet(file, table.slice(0, len(table) // 2))
    verified = wb.verify(copied)
    assert not verified.ok
    assert any(
        "slices" in detail or "metrics" in finding.what
        for finding in verified.findings
        if not finding.ok
        for detail in finding.details
    )


def test_an_unknown_check_and_an_unfinished_run_are_refused(copied: Path) -> None:
    with pytest.raises(RunError, match="no check 'colour'"):
        evaluate(copied, only=("colour",))
    state = storage.read_json(copied / "run.json")
    storage.write_json(copied / "run.json", {**state, "status": "stopped"})
    with pytest.raises(RunError, match="not done"):
        evaluate(copied)


@pytest.mark.slow
def test_the_command_says_what_was_made_and_why_something_was_not(copied: Path) -> None:
    told = CliRunner().invoke(app, ["evaluate", str(copied), "--only", "behaviour"])
    assert told.exit_code == 0, told.output
    assert "No suite of behaviour tests is shipped" in " ".join(told.output.split())


def test_every_kind_of_evidence_has_a_scorer() -> None:
    for name in ("flips", "behaviour-mine", "labels-tests", "personal-recall", "slices-found", "membership"):
        assert callable(scorer_of(name))
    with pytest.raises(KeyError):
        scorer_of("something-else")
