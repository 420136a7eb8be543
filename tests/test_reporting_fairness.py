"""The page “For whom does it fail?”: no stronger than the test, every number from a row, safe in HTML."""

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from run_folder import Choices, make_run
from workbench.metrics.slice_table import slice_table
from workbench.metrics.slices import score_slices
from workbench.metrics.wording import percent
from workbench.reporting.evidence import read_evidence
from workbench.reporting.fairness import page
from workbench.reporting.fairness_figure import Dot, dots

SETTINGS = {"label": "subject", "resamples": 200, "draws": 499}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs"), Choices(rows=900, resamples=50))


def with_slices(folder, spoil=0.0, *, shuffled=False, **settings):
    """The run's evidence with rows by group.

    `shuffled` takes every difference away; `spoil` makes a share of one group's rows wrong.
    """
    evidence = read_evidence(folder)
    name, rows = evidence.recommended, pq.read_table(folder / "data" / "rows.parquet")
    table = slice_table({name: pq.read_table(folder / "predictions" / f"{name}.parquet")}, rows, ("wording", "length"))
    if shuffled:
        mixed = np.random.default_rng(0).permutation(table.num_rows)
        table = table.set_column(table.column_names.index("wrong"), "wrong", table["wrong"].take(pa.array(mixed)))
    if spoil:
        values, wrong = table["slice:wording"].to_pylist(), table["wrong"].to_pylist()
        wrong = [
            one or (value == "everyday" and at % 10 < 10 * spoil)
            for at, (one, value) in enumerate(zip(wrong, values, strict=True))
        ]
        table = table.set_column(table.column_names.index("wrong"), "wrong", pa.array(wrong))
    found = score_slices(table, SETTINGS | settings)
    return replace(evidence, metrics=(*evidence.metrics, *found)), found


def test_a_run_without_such_evidence_has_no_page(folder):
    assert page(read_evidence(folder)) is None


def test_without_a_difference_no_group_is_named_and_n_is_told(folder):
    evidence, rows = with_slices(folder, shuffled=True)
    assert not any(row.get("worst") for row in rows)
    said = page(evidence)
    assert "not detectable at n = " in said.verdict
    assert "19 times in 20" in said.verdict
    assert "errs most" not in said.verdict
    assert len(said.tables) >= 3
    assert any("not a person" in one for one in said.not_shown)


def test_a_planted_difference_names_the_group_with_interval_and_n(folder):
    evidence, rows = with_slices(folder, shuffled=True, spoil=0.6)
    said = page(evidence)
    (worst,) = [
        row["worst"] for row in rows if row.get("worst") and row["slice"] == "wording=*" and row["split"] == "test"
    ]
    assert f"errs most where {worst.replace('=', ' is ')}" in said.verdict
    assert re.search(r"95 % interval [\d.]+ % to [\d.]+ %, n = \d+", said.verdict)
    assert any("class mix evened out they lie" in one for one in said.sentences)


def test_the_numbers_of_the_tables_are_those_of_the_rows(folder):
    evidence, rows = with_slices(folder)
    name = evidence.recommended
    for row in rows:
        if (row["metric"], row["split"]) == ("error_rate", evidence.headline) and row.get("over") == "wording=*":
            cell = next(cells for table in page(evidence).tables for cells in table.rows if cells[0] == row["slice"])
            assert row["candidate"] == name
            assert cell[1] == f"{row['n']:,}"
            assert cell[2].startswith("" if row["value"] is None else percent(row["value"]))


def test_groups_that_cannot_be_compared_are_a_reason_in_the_verdict(folder):
    evidence, _ = with_slices(folder, fewest=100_000)
    assert "cannot be said" in page(evidence).verdict


def test_the_figure_is_an_svg_that_escapes_names_and_draws_bounds_without_a_dot():
    drawn = dots([Dot("a <b> & c", 0.2, 0.1, 0.3, 0.25, marked=True), Dot("few", None, 0.0, 0.6, head=True)], 0.3)
    assert drawn.startswith("<svg")
    assert "<b>" not in drawn
    assert 'role="img"' in drawn
    assert "no group" in dots([Dot("few", None, 0.0, 0.6)], None).lower()
