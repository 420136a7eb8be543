"""The page “Are the labels right?”: its verdict is no stronger than the numbers, and it shows no texts."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from run_folder import Choices, make_run
from workbench.metrics.labels import score_labels
from workbench.metrics.teacher_audit import SCHEMA, score_teacher_audit
from workbench.reporting.evidence import read_evidence
from workbench.reporting.labels import page
from workbench.storage import write_parquet

NAMES = ("bees", "boats", "bread")
SETTINGS = {"part": "labelled", "seed": 0, "draws": 200, "classes": list(NAMES)}


def lines(part, labels, originals, p):
    """Evidence of one model."""
    rows = len(labels)
    columns = {"part": [part] * rows, "model": ["linear"] * rows, "row": range(rows), "split": ["train"] * rows}
    table = {**columns, "group": pa.array([None] * rows, pa.int64()), "label": labels, "original": originals}
    return pa.table(table | {f"p_{name}": p[:, place] for place, name in enumerate(NAMES)})


def evidence_of(wrong, rows=900, seed=0):
    """Labels drawn from sharp probabilities, of which a share is wrong; and a control with one in twenty planted."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 3, (rows, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    right = (random.random((rows, 1)) > np.cumsum(p, axis=1)).sum(axis=1).clip(0, 2)

    def spoiled(labels, share):
        return np.where(random.random(rows) < share, (labels + random.integers(1, 3, rows)) % 3, labels)

    given = spoiled(right, wrong)
    return pa.concat_tables([lines("given", given, given, p), lines("planted", spoiled(given, 0.05), given, p)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs"), Choices(rows=300, resamples=1000))


def shown(folder, table, checks=None):
    """The page of a run with this evidence."""
    write_parquet(folder / "evidence" / "labels.parquet", table)
    evidence = read_evidence(folder)
    more = tuple(json.loads(json.dumps(score_labels(table, SETTINGS))))
    found = page(replace(evidence, metrics=(*evidence.metrics, *more), checks=checks or {}))
    assert found is not None
    return found


def test_a_run_without_the_check_has_no_page(folder):
    assert page(read_evidence(folder)) is None


def test_wrong_labels_are_told_with_an_interval_and_a_person_has_to_look(folder):
    found = shown(folder, evidence_of(0.08))
    assert found.verdict.startswith("About ")
    assert "of 900 labels to learn from are in doubt (95 % interval" in found.verdict
    assert found.verdict.endswith("A person has to look.")
    assert "labels changed on purpose" in found.sentences[0]
    assert found.tables[0].columns[:4] == ("Place", "Row", "Split", "Given label")
    assert len(found.tables[0].rows) == 20


def test_labels_without_errors_are_neither_accused_nor_acquitted(folder):
    found = shown(folder, evidence_of(0.0))
    assert "that is no sign of wrong labels, and no proof that there are none" in found.verdict


def test_what_was_left_out_is_told(folder):
    reasons = {"labels": {"reasons": ["No head was asked."], "settings": {}}}
    assert "No head was asked." in shown(folder, evidence_of(0.0), reasons).not_shown


def test_the_teacher_s_agreement_stands_on_the_page(folder):
    labels = np.arange(300) % 3
    said = np.where(np.arange(300) < 90, (labels + 1) % 3, labels)
    columns = [["teacher"] * 300, ["validation"] * 300, range(300), [None] * 300, labels, said, [0.8] * 300]
    table = pa.table(
        [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )
    settings = {"classes": list(NAMES), "seed": 0}
    write_parquet(folder / "evidence" / "teacher-audit.parquet", table)
    evidence = read_evidence(folder)
    rows = tuple(score_teacher_audit(table, settings))
    checks = {"teacher-audit": {"settings": settings, "reasons": []}}
    found = page(replace(evidence, metrics=(*evidence.metrics, *rows), checks=checks))
    assert found is not None
    assert any("on 210 of 300 rows" in one and "more than chance" in one for one in found.sentences)
    assert any("surer than right" in one for one in found.sentences)
    assert [table.columns[0] for table in found.tables][-2:] == ["Given label", "How sure the teacher is"]
