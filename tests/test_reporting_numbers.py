"""Every number of a report stands in the run's files or follows from them, by a reader that shares no code with it."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import report_numbers
import run_values
from report_numbers import Checker, Text, missing_numbers, texts_of, tokens_of
from run_folder import FULL, Choices, make_run
from run_values import differing_scores, open_run
from workbench.pipeline import evaluate
from workbench.reporting import report
from workbench.reporting.meter_reading import Reading, record_reading


@pytest.fixture(scope="module")
def checker(finished_run: Path) -> Checker:
    return Checker(open_run(finished_run))


@pytest.fixture(scope="module")
def small_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(
        tmp_path_factory.mktemp("runs"), Choices(rows=200, candidates=("baseline", "teacher"), resamples=50)
    )


@pytest.fixture
def small(small_once: Path, tmp_path: Path) -> Path:
    """A small run with simulated predictions and its report, which a test may change."""
    folder = Path(shutil.copytree(small_once, tmp_path / small_once.name))
    report(folder)
    return folder


@pytest.mark.slow
def test_every_number_of_a_real_runs_report_is_found_in_its_files(finished_run: Path, checker: Checker) -> None:
    texts = texts_of((finished_run / "report.html").read_text(encoding="utf-8"))
    assert {"head", "comparison", "how-sure", "labels", "payback", "energy", "data"} <= {one.section for one in texts}
    assert [str(one) for one in checker.missing(texts)] == []


def test_the_scores_of_a_real_run_follow_from_its_predictions_alone(checker: Checker) -> None:
    assert differing_scores(checker.run) == []


@pytest.mark.slow
def test_a_digit_that_is_changed_is_noticed_nearly_always(finished_run: Path, checker: Checker) -> None:
    numbers = [
        (text, token)
        for text in texts_of((finished_run / "report.html").read_text(encoding="utf-8"))
        if text.text not in checker.run.recipe_text
        for token in tokens_of(report_numbers.without_known(checker.run, text.text))
    ]
    drawn = numbers[:: max(1, len(numbers) // 200)]
    noticed = sum(bool(checker.missing([_with_another_digit(text, token)])) for text, token in drawn)
    assert noticed >= 0.85 * len(drawn)


def _with_another_digit(text: Text, token: report_numbers.Token) -> Text:
    """The first digit of a number changed, and nothing else."""
    at = next(place for place in range(token.start, token.end) if text.text[place].isdigit())
    other = "7" if text.text[at] != "7" else "3"
    return replace(text, text=text.text[:at] + other + text.text[at + 1 :])


@pytest.mark.slow
def test_every_number_of_a_whole_evaluation_is_found(finished_run: Path, tmp_path: Path) -> None:
    whole = tmp_path / "work"
    shutil.copytree(finished_run.parent.parent.parent, whole)
    folder = whole / "runs" / "tickets" / finished_run.name
    evaluate(folder)
    assert [str(one) for one in missing_numbers(folder)] == []


@pytest.mark.slow
def test_every_number_of_a_report_of_all_kinds_of_candidates_and_seeds_is_found(tmp_path: Path) -> None:
    folder = make_run(tmp_path, Choices(seeds=2, rows=600, candidates=FULL, resamples=50))
    report(folder)
    assert [str(one) for one in missing_numbers(folder)] == []
    assert differing_scores(open_run(folder)) == []


@pytest.mark.slow
def test_every_number_is_found_where_a_wattmeter_was_read_and_no_modelled_one_stands_beside_it(small: Path) -> None:
    assert [str(one) for one in missing_numbers(small)] == []
    before = open_run(small).measurements
    record_reading(small, Reading(0.002, "A. Reader", "plug meter, read before and after", idle_watts=2.0))
    report(small)
    assert [str(one) for one in missing_numbers(small)] == []
    after = open_run(small).measurements
    changed = {one["quantity"] for one, other in zip(before, after, strict=True) if one != other}
    assert changed == {"energy_wh_per_1000", "emissions_g_per_1000"}


def test_a_score_that_its_predictions_do_not_give_is_told(small: Path) -> None:
    run = open_run(small)
    row = next(row for row in run.metrics if row["metric"] == "accuracy" and row["seed"] == 0)
    row["value"] += 0.01
    assert len(differing_scores(run)) == 1


@pytest.mark.slow
def test_the_reader_stands_alone_and_says_what_it_misses(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in (report_numbers, run_values):
        source = Path(str(part.__file__)).read_text(encoding="utf-8")
        assert not re.search(r"^\s*(?:from|import) workbench", source, re.MULTILINE)
    monkeypatch.setattr("sys.argv", ["report_numbers.py", str(small)])
    assert (report_numbers.main(), capsys.readouterr().out) == (0, "")
    page = small / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("</h1>", "</h1><p>87.65 of them.</p>"), encoding="utf-8")
    assert report_numbers.main() == 1
    assert "[head] '87.65' in '87.65 of them.'" in capsys.readouterr().out
