"""``predict``: CSV that no spreadsheet runs, and requests that make no sense."""

from __future__ import annotations

import csv
import io

import pytest

from workbench.cli.predicting import csv_lines, harmless


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
