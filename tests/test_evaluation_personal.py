"""The check for personal data: evidence without values, counts, recall with intervals, and the page that tells them."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from workbench import recipe as recipes
from workbench.data.table import Labelled, Splits, Unlabelled
from workbench.evaluation.check import Subject
from workbench.evaluation.personal import check_personal, check_personal_recall
from workbench.metrics.personal import FEWEST, score_personal
from workbench.reporting.evidence import Evidence
from workbench.reporting.personal import page

SECRETS = ("jane.doe@example.org", "219-09-9999", "Anna Schmidt", "020 7946 0123")


def labelled(texts, first=0):
    """Rows of one class."""
    rows = np.arange(first, first + len(texts))
    return Labelled(rows, pa.array(texts, pa.large_string()), np.zeros(len(texts), np.int32))


def subject(train, test):
    """A comparison of no candidates on these texts."""
    pool = Unlabelled(np.arange(50, 52), pa.array(["a pool text", "and another"], pa.large_string()))
    splits = Splits(
        ("x",), labelled(train), labelled([], 40), pool, labelled(["x"], 45), {"test": labelled(test, 60)}, 0
    )
    return Subject(recipes.read("clinical-coding").recipe, splits, {}, {})


def evidence(*checks):
    """What a report reads of a run with these checks."""
    rows = [row for check in checks if check.table is not None for row in score_personal(check.table, check.settings)]
    told = {one.name: {"settings": one.settings, "reasons": list(one.reasons), "seconds": 1.0} for one in checks}
    told = json.loads(json.dumps(told))
    empty = {field: () for field in ("measurements", "emissions", "events", "candidates")}
    empty |= {field: {} for field in ("run", "environment", "health", "recommendation")}
    recipe = SimpleNamespace(data=SimpleNamespace(keep_personal_data=None))
    return Evidence(folder=None, recipe=recipe, metrics=tuple(rows), checks=told, **empty)


@pytest.fixture(scope="module")
def recall():
    """The scan put to 5,000 invented sentences."""
    return check_personal_recall()


def test_the_evidence_holds_places_and_no_values():
    check = check_personal(subject(["Mail jane.doe@example.org", "SSN 219-09-9999"], ["Anna Schmidt, 020 7946 0123"]))
    assert check.name == "personal"
    assert check.table.column_names == ["row", "column", "split", "type", "start", "length"]
    told = json.dumps([check.table.to_pylist(), check.settings, check.reasons])
    assert not [secret for secret in SECRETS if secret in told]
    assert check.table.num_rows == 4


def test_counts_are_by_type_and_split_with_the_rows_that_were_looked_at():
    check = check_personal(subject(["Mail jane.doe@example.org or j@example.com", "x"], ["nothing", "here"]))
    rows = {(row["split"], row["metric"]): row for row in score_personal(check.table, check.settings)}
    assert rows["train", "personal:email"]["value"] == 2
    assert rows["train", "personal:any"]["value"] == 1
    assert rows["train", "personal:email"]["n"] == 2
    assert rows["test", "personal:iban"]["value"] == 0
    assert rows["validation", "personal:any"]["n"] == 0
    assert {row["candidate"] for row in rows.values()} == {"data"}
    assert all("no interval" in row["reason"] for row in rows.values())


def test_recall_is_a_proportion_with_an_exact_interval_and_no_point_below_thirty(recall):
    rows = score_personal(recall.table, recall.settings)
    whole = [row for row in rows if row["slice"] == "all" and row["metric"].startswith("personal_recall:")]
    assert len(whole) == len(recall.settings["kinds"])
    for row in whole:
        assert row["n"] >= FEWEST
        assert row["low"] <= row["value"] <= row["high"]
    few = check_personal_recall(sentences=60)
    small = [row for row in score_personal(few.table, few.settings) if row["n"] < FEWEST]
    assert small
    assert all(row["value"] is None and "below 30" in row["reason"] for row in small)


def test_the_same_evidence_from_a_file_gives_the_same_rows(recall, tmp_path):
    from workbench import storage

    storage.write_parquet(tmp_path / "x.parquet", recall.table)
    again = pa.parquet.read_table(tmp_path / "x.parquet")
    settings = json.loads(json.dumps(recall.settings))
    assert score_personal(again, settings) == score_personal(recall.table, recall.settings)


def test_a_clean_table_is_not_called_free_of_personal_data(recall):
    shown = page(evidence(check_personal(subject(["a text"], ["another"])), recall))
    assert shown.verdict.startswith("None of the 18 types of personal data that were looked for was found in 5 texts;")
    assert any("no proof" in sentence for sentence in shown.not_shown)
    assert "On real notes it will be less." in " ".join(shown.sentences)
    assert len(shown.tables[0].rows) == 18
    assert shown.figures[0].svg.startswith("<svg")


def test_findings_are_told_with_their_numbers_and_the_splits_that_were_learnt_from(recall):
    check = check_personal(subject(["Mail jane.doe@example.org", "x"], ["Anna Schmidt"]))
    shown = page(evidence(check, recall))
    assert shown.verdict == (
        "Possibly: 2 of 6 texts (33 %) hold what looks like e-mail addresses (1) and names of people (1)."
    )
    assert "1 of 2 in train and 1 of 1 in test" in shown.sentences[0]
    assert "The models learnt from texts with findings (train)" in shown.sentences[1]
    assert "jane" not in str(shown)


def test_a_type_below_its_promise_is_named(recall):
    spoilt = recall.table.to_pandas()
    hit = spoilt.index[(spoilt["type"] == "email") & spoilt["planted"]]
    spoilt.loc[hit[: len(hit) // 2], "found"] = False
    worse = replace(recall, table=pa.Table.from_pandas(spoilt, schema=recall.table.schema, preserve_index=False))
    shown = page(evidence(check_personal(subject(["a"], ["b"])), worse))
    assert any(one.startswith("Of e-mail addresses it found 5") for one in shown.sentences)


def test_a_scan_that_was_stopped_or_not_made_is_said():
    stopped = check_personal(subject(["a"], ["b"]), stop=lambda: True)
    assert stopped.table is None
    assert "not searched" in page(evidence(stopped)).verdict
    assert page(evidence()) is None
    assert check_personal_recall(stop=lambda: True).table is None


def test_without_measured_recall_the_page_says_so():
    shown = page(evidence(check_personal(subject(["a"], ["b"]))))
    assert not shown.figures
    assert any("not measured" in sentence for sentence in shown.how)
