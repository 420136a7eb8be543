"""Robustness curves of a candidate that only knows whole words in lower case."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from behaviour_candidate import Keywords, rows, subject
from workbench.data import Labelled
from workbench.evaluation.robustness import check_robustness, rows_for
from workbench.metrics.robustness import SCHEMA, score_robustness

CURVES = {"typos": (0.05, 0.2, 0.5), "truncation": (0.8, 0.2), "case": ("lower", "upper")}


def scored(check):
    rows = score_robustness(check.table, json.loads(json.dumps(check.settings)))
    return {(row["metric"], row["slice"]): row for row in rows}


def test_the_curve_of_a_candidate_that_needs_whole_words_falls():
    check = check_robustness(subject(), CURVES)
    assert check.table.schema == SCHEMA
    found = scored(check)
    values = [found["macro_f1", name]["value"] for name in ("all", "typos=0.05", "typos=0.2", "typos=0.5")]
    assert values[0] == 1.0
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.7
    change = found["macro_f1_change", "typos=0.5"]
    assert change["high"] < 0
    assert change["p"] < 0.05
    assert found["macro_f1", "case=upper"]["value"] < 0.3


def test_a_change_that_the_candidate_does_not_see_is_not_said_to_be_nothing():
    found = scored(check_robustness(subject(), CURVES))
    change = found["macro_f1_change", "case=lower"]
    assert change["value"] == 0
    assert change["low"] < 0 < change["high"]


def test_points_are_paired_on_the_same_rows_and_groups_are_kept():
    check = check_robustness(subject(groups=40), CURVES, rows=90)
    table = check.table
    assert table.num_rows == 90 * (1 + 3 + 2 + 2)
    assert len(set(table["group"].to_pylist())) <= 40
    assert check.settings["rows"] == {"student-words": 90}
    assert "groups" in scored(check)["macro_f1", "typos=0.2"]["method"]
    again = check_robustness(subject(groups=40), CURVES, rows=90)
    assert again.table.equals(table)


def test_slow_candidates_get_fewer_rows_and_the_page_is_told():
    slow = Keywords()
    slow.kind = "transformer"
    check = check_robustness(subject(slow), CURVES, slow_rows=60)
    assert check.settings["rows"] == {"student-words": 60}
    assert any("60 test rows" in reason for reason in check.reasons)


def test_slow_candidates_get_still_fewer_rows_of_long_texts():
    slow = Keywords()
    slow.kind = "transformer"
    long = Labelled(np.arange(3), pa.array(["word " * 60] * 3, pa.large_string()), np.zeros(3, np.int32))
    assert rows_for(slow, long, 1500, 150) == 40
    assert rows_for(Keywords(), long, 1500, 150) == 1500
    assert rows_for(slow, rows(3), 1500, 150) == 150


def test_too_few_rows_give_a_reason_with_the_number_that_is_needed():
    check = check_robustness(subject(number=12))
    assert check.table is None
    assert "at least 30" in check.reasons[0]


def test_stopping_leaves_the_unfinished_candidate_out():
    check = check_robustness(subject(), CURVES, stop=lambda: True)
    assert check.table is None
    assert "stopped" in check.reasons[0]
