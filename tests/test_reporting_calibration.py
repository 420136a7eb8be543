"""The pages on probabilities and silence: no sentence stronger than its numbers, and nothing where nothing was done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from run_folder import Choices, make_run
from workbench.metrics.decisions import Part, score_decisions
from workbench.metrics.evidence import join_rows
from workbench.metrics.novelty import score_novelty
from workbench.metrics.scoring import Plan
from workbench.reporting import abstention, calibration
from workbench.reporting.abstention import kept_or_not
from workbench.reporting.evidence import read_evidence
from workbench.reporting.pages import Page

DECISION = {
    "format": 1,
    "fitted_on": {"split": "validation", "rows": 210},
    "threshold": 0.605,
    "target_error": 0.4,
    "threshold_level": 0.95,
    "threshold_bound": 0.38,
    "threshold_kept": 0.6,
    "threshold_reason": "",
    "conformal": {
        "method": "LAC",
        "coverage": 0.9,
        "rows": 210,
        "quantile": 0.97,
        "coverage_low": 0.86,
        "coverage_high": 0.94,
    },
    "novelty": {"threshold": 0.3, "false_flags": 0.05, "rows": 210},
    "calibration": {"temperature_left": 1.0},
}


def foreign(name: str) -> pa.Table:
    random = np.random.default_rng(1)
    pieces = []
    for split, kind, share in (("off-domain", "other languages", 0.9), ("test", "test", 0.06)):
        flagged = random.random(200) < share
        columns = {"candidate": [name] * 200, "split": [split] * 200, "kind": [kind] * 200}
        columns |= {"row": np.arange(200), "group": np.arange(200), "novelty": flagged.astype(np.float32)}
        columns |= {"flagged": flagged, "confidence": np.full(200, 0.5, np.float32), "sent": flagged}
        pieces.append(pa.table(columns))
    return pa.concat_tables(pieces)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ("baseline", "teacher", "student-linear", "control-linear")
    made = make_run(tmp_path_factory.mktemp("runs"), Choices(candidates=names, rows=400))
    rows = pq.read_table(made / "data" / "rows.parquet")
    tables = {name: join_rows(pq.read_table(made / "predictions" / f"{name}.parquet"), rows) for name in names}
    classes = tuple(one[2:] for one in tables["baseline"].column_names if one.startswith("p_"))
    decisions = {name: DECISION for name in names}
    found = score_decisions(tables, decisions, Plan(classes, slices=("wording",), resamples=200))
    for name in names:
        found += score_novelty(foreign(name), {"flag": DECISION["novelty"]})
    metrics = json.loads((made / "metrics.json").read_text(encoding="utf-8")) + found
    (made / "metrics.json").write_text(json.dumps(metrics, allow_nan=False), encoding="utf-8")
    for name in names:
        (made / "models" / name / "decision.json").write_text(json.dumps(DECISION), encoding="utf-8")
    return made


def all_text(page: Page) -> str:
    cells = [cell for table in page.tables for row in table.rows for cell in row]
    return " ".join([page.verdict, *page.sentences, *page.how, *page.not_shown, *cells])


def test_the_page_on_probabilities_names_error_interval_n_and_chance(folder):
    page = calibration.page(read_evidence(folder))
    assert page is not None
    assert page.verdict.startswith("On test the probabilities of ")
    assert "n = 400" in page.verdict
    assert "a perfectly calibrated model would show" in page.verdict
    assert len(page.figures) == 1
    assert page.figures[0].svg.startswith("<svg")
    assert [row[0] for row in page.tables[0].rows] == ["baseline", "teacher", "student-linear"]


@pytest.mark.parametrize(("sure", "words"), [(0.95, "too sure of itself"), (0.4, "too unsure")])
def test_probabilities_that_are_off_are_said_to_be_too_high_or_too_low(sure, words):
    probabilities = np.tile([sure, (1 - sure) * 0.6, (1 - sure) * 0.4], (100, 1))
    assert words in calibration.direction(Part(np.arange(100) % 10 // 7, probabilities, None), abs(sure - 0.7))


def test_the_figures_of_the_page_come_from_the_predictions(folder):
    evidence = read_evidence(folder)
    part = calibration.read_part(evidence, "baseline", "test")
    assert part is not None
    row = evidence.score("baseline", "test", "brier")
    table = pq.read_table(folder / "predictions" / "baseline.parquet")
    table = table.filter(pc.equal(table["split"], "test"))
    names = [one for one in table.column_names if one.startswith("p_")]
    said = np.stack([table[one].to_numpy() for one in names], axis=1).astype(np.float64)
    truth = np.array([[label == one[2:] for one in names] for label in table["label"].to_pylist()])
    assert row is not None
    assert row["value"] == pytest.approx(((said - truth) ** 2).sum(axis=1).mean(), abs=1e-6)


def test_the_page_on_silence_says_what_is_answered_and_how_much_of_it_is_wrong(folder):
    page = abstention.page(read_evidence(folder))
    assert page is not None
    assert "Below a probability of 0.60 a text should go to a person" in page.verdict
    text = all_text(page)
    assert "flagged" in text
    assert "nothing is promised there" in text
    assert "other languages" in text
    assert "nan" not in text.lower().replace("finance", "")
    assert len(page.tables) == 3


def test_without_a_threshold_the_page_says_that_nothing_should_be_decided_alone(folder):
    name = read_evidence(folder).recommended or "baseline"
    file = folder / "models" / name / "decision.json"
    reason = "12 validation rows are too few to promise an error of at most 10 %: at least 44 are needed"
    changed = DECISION | {"threshold": None, "threshold_reason": reason, "target_error": 0.1}
    before = file.read_text(encoding="utf-8")
    file.write_text(json.dumps(changed), encoding="utf-8")
    try:
        page = abstention.page(read_evidence(folder))
    finally:
        file.write_text(before, encoding="utf-8")
    assert page is not None
    assert "should decide nothing alone" in page.verdict
    assert "at least 44 are needed" in page.verdict


def test_an_older_run_has_neither_page(tmp_path):
    evidence = read_evidence(make_run(tmp_path, Choices(candidates=("baseline",), rows=60)))
    assert calibration.page(evidence) is None
    assert abstention.page(evidence) is None


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.01, 0.09, "lies within 10 %"), (0.11, 0.2, "is above 10 %"), (0.08, 0.12, "it is not shown whether")],
)
def test_a_promise_is_called_kept_only_where_the_interval_says_so(low, high, words):
    row = {"value": (low + high) / 2, "low": low, "high": high, "n": 300}
    assert words in kept_or_not(row, 0.1)


def test_an_ensemble_and_a_file_of_answers_are_said_to_have_no_temperature_of_their_own(folder, tmp_path):
    own = Path(shutil.copytree(folder, tmp_path / folder.name))
    assert not any("No temperature" in one for one in calibration.page(read_evidence(own)).how)
    card = own / "models" / "teacher" / "candidate.json"
    (own / "models" / "teacher").mkdir(parents=True, exist_ok=True)
    card.write_text(json.dumps({"kind": "ensemble", "classes": [], "format": 1}))
    assert any(
        "No temperature was fitted to teacher as a whole" in one for one in calibration.page(read_evidence(own)).how
    )
    card.write_text(json.dumps({"kind": "file", "classes": [], "format": 1}))
    assert any("The answers of teacher come from a file" in one for one in calibration.page(read_evidence(own)).how)
