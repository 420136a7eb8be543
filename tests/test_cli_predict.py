"""``predict``: CSV that no spreadsheet runs, and requests that make no sense."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from workbench.cli.predicting import _decided, _for_a_person, _told, csv_lines, harmless


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(start):
    assert harmless(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize(("cell", "text"), [("a = b", "a = b"), (None, ""), (3, "3"), (-3, "'-3"), ("", "")])
def test_other_cells_stay_as_they_are(cell, text):
    assert harmless(cell) == text


def test_csv_lines_quote_what_csv_needs():
    rows = [["a,b", 'say "hi"', "two\nlines"], ["=1", None, "ü"]]
    assert list(csv.reader(io.StringIO(csv_lines(rows)))) == [["a,b", 'say "hi"', "two\nlines"], ["'=1", "", "ü"]]


@pytest.mark.parametrize(
    "arguments", [(), ("a text", "--file", "x.csv"), ("a text", "--out", "y.csv"), ("a text", "--text", "column")]
)
def test_a_request_that_means_two_things_or_none_is_refused(workbench, arguments):
    answer = workbench("predict", "latest", *arguments)
    assert answer.status == 2
    assert "Wrong:" in answer.told


def test_decisions_are_told_with_each_prediction_where_the_run_has_them():
    frame = pd.DataFrame(
        {
            "label": ["A", "B"],
            "probability": [0.9, 0.4],
            "set": [["A"], ["B", "A"]],
            "to_person": [False, True],
            "why": ["", "below the threshold"],
        }
    )
    first, second = _told(frame)
    assert first == {"label": "A", "probability": 0.9, "set": ["A"], "to_person": False, "why": ""}
    assert _for_a_person(first) == ""
    assert _for_a_person(second) == "below the threshold; one of B, A"
    assert _decided(frame) == [["A", "B | A"], ["no", "yes"], ["", "below the threshold"]]


def test_a_run_without_decisions_tells_label_and_probability_alone():
    frame = pd.DataFrame({"label": ["A"], "probability": [0.9]})
    assert list(_told(frame)) == [{"label": "A", "probability": 0.9}]
    assert _decided(frame) == []
