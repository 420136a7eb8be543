"""The page that says how sure a run's figures are."""

from dataclasses import replace

import pytest

from run_folder import Choices, make_run
from workbench.reporting.evidence import read_evidence
from workbench.reporting.statistics import looks, page

SMALL = ("baseline", "teacher", "student-linear", "control-linear")


@pytest.fixture(scope="module")
def one_seed(tmp_path_factory):
    return read_evidence(make_run(tmp_path_factory.mktemp("one"), Choices(rows=300, candidates=SMALL)))


@pytest.fixture(scope="module")
def three_seeds(tmp_path_factory):
    choices = Choices(rows=300, seeds=3, candidates=SMALL, resamples=200)
    return read_evidence(make_run(tmp_path_factory.mktemp("three"), choices))


def test_with_one_seed_the_page_says_what_it_cannot_know(one_seed):
    found = page(one_seed)
    assert "95 % interval" in found.verdict
    assert "n = " in found.verdict
    assert found.sentences[0].startswith("One seed was run")
    assert not found.figures
    assert any("one seed was run" in one for one in found.not_shown)
    assert not any("seed" in one.caption for one in found.tables)


def test_with_several_seeds_every_point_the_spread_and_both_sources_of_doubt_are_shown(three_seeds):
    found = page(three_seeds)
    assert "on average over 3 seeds" in found.sentences[0]
    assert "other rows and other seeds together" in found.sentences[0]
    assert found.sentences[1].startswith("All 3 seeds of")
    table = found.tables[0]
    assert table.columns[-3:] == ("seed 0", "seed 1", "seed 2")
    assert len(table.rows) == len(SMALL) * len(three_seeds.splits)
    row = three_seeds.score("teacher", "test")
    shown = next(cells for cells in table.rows if cells[:2] == ("teacher", "test"))
    assert list(shown[-3:]) == [f"{one:.3f}" for one in row["points"]]
    assert "Student's t with 2 degrees of freedom" in " ".join(found.how)
    assert found.figures[0].svg.startswith("<svg")
    for name in SMALL:
        assert name in found.figures[0].svg


def test_every_comparison_says_what_it_could_have_seen(one_seed):
    found = page(one_seed)
    table = next(one for one in found.tables if one.caption.startswith("Comparisons"))
    gaps = [row for row in one_seed.metrics if row.get("against") and row["seed"] is None and row["split"] == "test"]
    pairs = [frozenset(row[:2]) for row in table.rows]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == {frozenset((row["candidate"], row["against"])) for row in gaps}
    assert all(len(row) == len(one.columns) for one in found.tables for row in one.rows)
    sizes = found.tables[-1].rows
    assert any("(this test)" in row[0] for row in sizes)
    assert ("500", "2.9", "4.1", "5.7", "0.7") in sizes


def test_looks_at_the_test_split_are_counted(one_seed):
    assert looks(one_seed) == 1
    assert any("looked at once" in one for one in page(one_seed).sentences)
    again = replace(one_seed, events=(*one_seed.events, {"type": "test looked at"}))
    assert any("looked at 2 times" in one for one in page(again).sentences)
    assert any("does not say how often" in one for one in page(replace(one_seed, events=())).sentences)


def test_a_run_without_scores_has_no_such_page(one_seed):
    assert page(replace(one_seed, metrics=())) is None
