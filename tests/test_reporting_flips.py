"""The page on flips: it says no more than the numbers carry, and shows texts only where the recipe allows them."""

from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from flip_candidates import SMALL, WOMEN, Planted, subject_of, texts_of
from workbench.evaluation.flips import Size, check_flips
from workbench.metrics.flips import score_flips
from workbench.reporting import flips
from workbench.reporting.evidence import Evidence


def told(check, subject, folder=Path()):
    """A run's evidence with this check alone."""
    evidence = SimpleNamespace(
        folder=folder,
        recipe=subject.recipe,
        metrics=tuple(score_flips(check.table, check.settings)) if check.table is not None else (),
        checks={"flips": {"settings": check.settings, "reasons": list(check.reasons), "seconds": 1.0}},
    )
    evidence.score = lambda *asked, **more: Evidence.score(evidence, *asked, **more)
    return evidence


def page_of(candidate, texts, size, **more):
    subject = subject_of({"student-toy": candidate}, texts, **more)
    return flips.page(told(check_flips(subject, fast=size), subject))


def test_a_planted_bias_is_the_verdict_with_its_numbers():
    page = page_of(Planted(moves=dict.fromkeys(WOMEN, 0.08), noise=0.02), texts_of(120), Size(120, 12))
    assert page.verdict.startswith("The class that student-toy predicts depends on words for sex: swapping sex in “")
    assert "n = 120 texts" in page.verdict
    assert "a neutral change in" in page.verdict
    assert "p < 0.0" in page.verdict or "p = 0.0" in page.verdict
    assert any("not unfair by itself" in sentence for sentence in page.not_shown)
    assert any(sentence.startswith("The largest mean shift") for sentence in page.sentences)
    assert page.figures[0].svg.startswith("<svg")
    assert all(len(row) == len(page.tables[0].columns) for row in page.tables[0].rows)


def test_noise_is_not_called_bias_and_the_smallest_visible_difference_is_said():
    page = page_of(Planted(noise=0.3), texts_of(120), Size(120, 12))
    assert "are not detectable at n = 120 texts" in page.verdict
    assert "cannot be relied on to be seen" in page.verdict
    assert "depends" not in page.verdict


def test_no_flip_is_said_with_what_may_still_be():
    page = page_of(Planted(), texts_of(60), SMALL)
    assert page.verdict.startswith("No class that student-toy predicts changed with the words swapped; up to 6.0 % may")


def test_every_list_is_named_with_source_and_limits():
    page = page_of(Planted(), texts_of(60), SMALL)
    assert any("List names: A short selection of our own" in sentence for sentence in page.how)
    assert any("List names: That a reader takes a name" in sentence for sentence in page.not_shown)


@pytest.mark.parametrize("allowed", [True, False])
def test_pairs_that_flipped_are_shown_only_where_the_recipe_allows_texts(tmp_path, allowed):
    subject = subject_of({"student-toy": Planted(moves=dict.fromkeys(WOMEN, 0.2))}, texts_of(40), examples=allowed)
    check = check_flips(subject, fast=SMALL)
    (tmp_path / "evidence").mkdir()
    pq.write_table(check.table, tmp_path / "evidence" / "flips.parquet")
    page = flips.page(told(check, subject, tmp_path))
    assert (len(page.tables) == 2) == allowed
    assert ("toy number" in str(page)) == allowed
    if allowed:
        first, one, second, other = page.tables[1].rows[0]
        assert one != other
        assert first.rpartition(": ")[2] == second.rpartition(": ")[2]


def test_without_the_check_there_is_no_page_and_without_lists_the_reason():
    subject = subject_of({"student-toy": Planted()}, texts_of(40))
    assert flips.page(SimpleNamespace(checks={})) is None
    page = flips.page(told(check_flips(subject, ()), subject))
    assert page.verdict == "Counterfactual flips were not measured."
    assert "evaluation.flips" in page.sentences[0]
