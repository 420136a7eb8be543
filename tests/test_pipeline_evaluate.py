"""Evidence beyond the scores: made by ``run`` where it is quick, by ``evaluate`` all of it, verified from its files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import workbench as wb
from small_table import recipe_values, tickets
from workbench import recipe as recipes
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
def run(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> wb.Run:
    folder = tmp_path_factory.mktemp("work")
    tickets(700).to_csv(folder / "tickets.csv", index=False)
    file = folder / "tickets.yaml"
    file.write_text(recipes.to_yaml(recipes.from_values(recipe_values(tiny_encoder))), encoding="utf-8")
    return wb.run(file, runs=folder / "runs")


@pytest.fixture
def copied(run: wb.Run, tmp_path: Path) -> Path:
    """A copy of the run, its table and its recipe, that a test may change."""
    whole = tmp_path / "work"
    shutil.copytree(run.path.parent.parent.parent, whole)
    return whole / "runs" / "tickets" / run.path.name


def test_a_run_has_decisions_and_the_quick_checks(run: wb.Run) -> None:
    index = storage.read_json(run.path / "evidence" / "checks.json")
    assert {"personal", "teacher-audit", "novelty", "slices", "behaviour", "evasion"} <= set(index)
    assert "flips" not in index
    for name, entry in index.items():
        assert (run.path / "evidence" / f"{name}.parquet").is_file() == entry["made"]
        assert entry["made"] or entry["reasons"], name
    decision = storage.read_json(run.path / "models" / "student-linear" / "decision.json")
    assert decision["target_error"] == 0.1
    checks = {row.get("check") for row in storage.read_json(run.path / "metrics.json")}
    assert {None, "decisions", "slices", "personal"} <= checks
    assert wb.verify(run.path).ok


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


def test_a_check_that_has_not_changed_is_made_once(copied: Path) -> None:
    evaluate(copied, only=("robustness",))
    first = storage.read_json(copied / "evidence" / "checks.json")["robustness"]
    files = (copied / "emissions.json").read_bytes()
    evaluate(copied, only=("robustness",))
    assert storage.read_json(copied / "evidence" / "checks.json")["robustness"] == first
    assert (copied / "emissions.json").read_bytes() == files


def test_a_suite_of_ones_own_takes_the_place_of_the_shipped_one(copied: Path, tmp_path: Path) -> None:
    suite = tmp_path / "workshop.yaml"
    suite.write_text(SUITE, encoding="utf-8")
    evaluate(copied, suite=suite, only=("behaviour",))
    index = storage.read_json(copied / "evidence" / "checks.json")
    assert "behaviour" not in index
    assert index["behaviour-workshop"]["made"]
    failed = [
        row
        for row in storage.read_json(copied / "metrics.json")
        if row.get("check") == "behaviour-workshop" and row["slice"] == "all" and row["candidate"] == "teacher"
    ]
    assert failed[0]["n"] == 3
    assert wb.verify(copied).ok


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


def test_the_command_says_what_was_made_and_why_something_was_not(copied: Path) -> None:
    told = CliRunner().invoke(app, ["evaluate", str(copied), "--only", "behaviour"])
    assert told.exit_code == 0, told.output
    assert "No suite of behaviour tests is shipped" in " ".join(told.output.split())


def test_every_kind_of_evidence_has_a_scorer() -> None:
    for name in ("flips", "behaviour-mine", "labels-tests", "personal-recall", "slices-found", "membership"):
        assert callable(scorer_of(name))
    with pytest.raises(KeyError):
        scorer_of("something-else")
