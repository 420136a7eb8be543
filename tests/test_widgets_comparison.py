"""The Comparison panel on runs made by `run_folder`: every state, and what may be said."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from run_folder import Choices, make_run
from workbench.projects.desk import Desk
from workbench.reporting.evidence import read_evidence
from workbench.reporting.findings import distillation_sentences, reasons, recommendation_sentences, verdict_of
from workbench.widgets.comparison import Comparison
from workbench.widgets.words import Words
from workbench.widgets.work import AtOnce

SMALL = ("baseline", "teacher", "student-linear", "control-linear", "selftrain-linear")
FORMS = ("baseline", "teacher", "student-cut", "control-cut", "selftrain-cut", "student-cut-short", "student-cut-int8")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a few candidates."""
    return make_run(tmp_path_factory.mktemp("runs"), Choices(candidates=SMALL, rows=400, resamples=50))


@pytest.fixture(scope="module")
def shown(done: Path) -> Comparison:
    """The panel of that run, for tests that only read."""
    return panel(done)


@pytest.fixture
def own(done: Path, tmp_path: Path) -> Path:
    """The same run, to be changed."""
    return Path(shutil.copytree(done, tmp_path / done.parent.name / "20261122-111500-3fa9c2"))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No figure is drawn, for tests that look at words and tables only."""
    monkeypatch.setattr("workbench.widgets.figures.tradeoff", lambda *_: "<img>")


def panel(subject: Any, language: str = "en") -> Comparison:
    return Comparison(subject, words=Words(language), executor=AtOnce())


def told(shown: str) -> str:
    """The text of some HTML, a space between elements."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", shown)))


def change(folder: Path, name: str, **values: Any) -> None:
    file = folder / name
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | values), encoding="utf-8")


def rows_of(shown: Comparison) -> list[list[str]]:
    """Cells of the table of candidates, a list a row."""
    body = shown.parts["table"].value.split("<tbody>")[1].split("</tbody>")[0]
    return [[told(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in
            re.findall(r"<tr>(.*?)</tr>", body)]  # fmt: skip


def test_a_finished_run_shows_every_candidate_with_its_interval_and_what_it_is_for(shown: Comparison) -> None:
    assert shown.state == "done"
    rows = {row[0]: row for row in rows_of(shown)}
    assert list(rows) == list(SMALL)
    assert "for comparison only" in rows["control-linear"][1]
    assert "for comparison only" in rows["selftrain-linear"][1]
    assert "no teacher" in rows["baseline"][1]
    assert all(re.fullmatch(r"\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]", row[2]) for row in rows.values())
    assert "data:image/svg+xml" in shown.parts["figure"].value
    assert 'alt="On the front of' in shown.parts["figure"].value


def test_the_recommendation_is_the_runs_own_with_its_rule_and_why_not_each_other(done: Path, shown: Comparison) -> None:
    own = json.loads((done / "recommendation.json").read_text(encoding="utf-8"))
    said = told(shown.parts["verdict"].value)
    assert own["sentence"].split(". ")[0] in said
    assert own["rule"] in said
    assert all(other["reason"] in said for other in own["others"])


def test_differences_are_worded_as_the_numbers_allow(done: Path, shown: Comparison) -> None:
    said = told(shown.parts["differences"].value)
    evidence = read_evidence(done)
    row = evidence.score("student-linear", "test", against="control-linear")
    assert row is not None
    assert f"student-linear control-linear {100 * row['value']:+.1f}" in said
    assert verdict_of(row) in said
    assert "One seed" in said


@pytest.mark.usefixtures("undrawn")
def test_the_table_is_sorted_by_what_is_chosen(done: Path) -> None:
    shown = panel(done)
    shown.sort.value, shown.order.value = "size", True
    sizes = [float(row[6]) for row in rows_of(shown)]
    assert sizes == sorted(sizes, reverse=True)
    shown.order.value = False
    assert [float(row[6]) for row in rows_of(shown)] == sorted(sizes)
    assert shown.state == "done"


@pytest.mark.usefixtures("undrawn")
def test_another_split_changes_the_figures_and_says_that_it_did_not_decide(done: Path) -> None:
    shown = panel(done)
    before = rows_of(shown)
    assert shown.split.options == (("test", "test"), ("test_pool", "test_pool"))
    shown.split.value = "test_pool"
    assert [row[2] for row in rows_of(shown)] != [row[2] for row in before]
    said = told(shown.parts["table"].value)
    assert "The recommendation was made by macro-F1 on test" in said
    assert "expect less on groups that are new" in said


@pytest.mark.slow
def test_another_metric_and_another_cost_are_drawn(done: Path) -> None:
    shown = panel(done)
    pictures = {shown.parts["figure"].value}
    assert "energy" not in [value for _, value in shown.cost.options]
    for cost in ("rate", "all"):
        shown.cost.value = cost
        pictures.add(shown.parts["figure"].value)
    shown.metric.value = "accuracy"
    pictures.add(shown.parts["figure"].value)
    assert len(pictures) == 4
    assert "accuracy on test" in told(shown.parts["table"].value)
    assert "no comparison of two candidates" in told(shown.parts["differences"].value)


def test_metered_energy_can_be_set_against_quality(tmp_path: Path) -> None:
    metered = make_run(tmp_path, Choices(candidates=SMALL[:3], rows=400, resamples=50, class_="A"))
    shown = panel(metered)
    shown.cost.value = "energy"
    assert "energy per 1,000 texts" in told(shown.parts["figure"].value)
    assert shown.state == "done"


@pytest.mark.usefixtures("undrawn")
def test_where_the_baseline_wins_the_first_sentence_says_so(own: Path) -> None:
    sentence = "baseline is recommended: it has the highest macro-F1 on test (0.500), at 0.1 ms a row."
    change(own, "recommendation.json", candidate="baseline", chosen_among=3, sentence=sentence, others=[])
    verdict = panel(own).parts["verdict"].value
    assert told(verdict.split("<strong>")[1]).startswith("The baseline wins")


@pytest.mark.usefixtures("undrawn")
def test_a_run_that_recommends_nothing_says_so_and_what_is_kept(own: Path) -> None:
    sentence = (
        "No candidate can be recommended from test: 12 rows: below 30 no figure is given. baseline is kept because it "
        "is the simplest, not because it was shown to be as good. More labelled test rows would change that."
    )
    change(own, "recommendation.json", candidate=None, fallback="baseline", best=None, sentence=sentence, others=[])
    shown = panel(own)
    said = told(shown.parts["verdict"].value)
    assert "No candidate can be recommended" in said
    assert "not because it was shown to be as good" in said
    assert "→ recommended" not in told(shown.parts["table"].value)
    assert "baseline wins" not in said


@pytest.mark.usefixtures("undrawn")
def test_a_run_without_recommendation_shows_what_is_there(own: Path) -> None:
    (own / "recommendation.json").unlink()
    change(own, "run.json", status="stopped", finished=None)
    shown = panel(own)
    assert shown.state == "ready"
    assert "was stopped" in told(shown.notices.value)
    assert "no recommendation: it is stopped" in told(shown.parts["verdict"].value)
    assert len(rows_of(shown)) == len(SMALL)


def test_a_run_that_has_scored_nothing_is_blocked_and_names_the_step(own: Path) -> None:
    (own / "metrics.json").unlink()
    for status, word in (("stopped", "Resume it"), ("failed", "says why")):
        change(own, "run.json", status=status)
        shown = panel(own)
        assert shown.state == "blocked"
        assert "Train" in shown.blockers[0]
        assert word in shown.blockers[0]


def test_without_a_run_it_is_blocked_and_names_the_step(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "runs")
    shown = Comparison(desk=desk, words=Words("en"), executor=AtOnce())
    shown.refresh()
    assert shown.state == "blocked"
    assert "Train" in shown.blockers[0]
    assert panel(None).state == "blocked"


@pytest.mark.usefixtures("undrawn")
def test_a_deleted_folder_and_a_newer_version_are_told_in_three_parts(own: Path) -> None:
    shown = panel(own)
    change(own, "run.json", format=99)
    shown.refresh()
    assert shown.state == "failed"
    assert "format 99" in told(shown.notices.value)
    assert "pip install --upgrade" in told(shown.notices.value)
    shutil.rmtree(own)
    shown.refresh()
    assert shown.state == "failed"
    assert "no run's folder" in told(shown.notices.value)
    assert "<table" not in shown.snapshot()


def test_only_a_baseline_is_shown_with_its_interval(tmp_path: Path) -> None:
    shown = panel(make_run(tmp_path, Choices(candidates=("baseline",), rows=400, resamples=50)))
    assert shown.state == "done"
    assert [row[0] for row in rows_of(shown)] == ["baseline"]
    assert "only candidate" in told(shown.parts["verdict"].value)
    assert "baseline wins" not in told(shown.parts["verdict"].value)
    assert "<img" in shown.parts["figure"].value


@pytest.mark.usefixtures("undrawn")
def test_several_seeds_show_their_spread(tmp_path: Path) -> None:
    shown = panel(make_run(tmp_path, Choices(candidates=SMALL[:2], rows=300, resamples=20, seeds=2)))
    said = told(shown.parts["differences"].value)
    assert "Standard deviation" in said
    assert "One seed" not in said


@pytest.mark.usefixtures("undrawn")
def test_runs_that_may_not_be_compared_stand_in_tables_of_their_own(done: Path, own: Path) -> None:
    together = panel([done, own, done])
    assert len(together.runs) == 2
    assert len(rows_of(together)) == 2 * len(SMALL)
    assert "baseline (2)" in told(together.parts["table"].value)
    change(own, "run.json", data_digest="ab" * 32)
    apart = panel([done, own])
    assert "Group 2 is not compared with group 1: they were made on different tables." in told(
        apart.parts["table"].value
    )
    assert apart.parts["table"].value.count("<table") == 2
    assert "library-subjects/20261122-111500-3fa9c2" in told(apart.parts["verdict"].value)


def test_names_from_data_are_escaped(own: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    for name in ("metrics.json", "measurements.json"):
        text = (own / name).read_text(encoding="utf-8").replace("student-linear", evil)
        (own / name).write_text(text, encoding="utf-8")
    change(own, "recommendation.json", candidate=evil, sentence=f"{evil} is recommended.", others=[])
    shown = panel(own)
    assert shown.state == "done"
    assert "<img src=x" not in shown.snapshot()
    assert "&lt;img src=x" in shown.snapshot()


@pytest.mark.slow
def test_the_code_runs_and_writes_its_tables_beside_the_run(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = panel(own)
    shown.show_code.value = True
    assert "--format csv" in shown.code_view.value
    exec(compile(shown.code, "panel", "exec"), {})  # noqa: S102  (the panel's own code)
    assert "student-linear" in capsys.readouterr().out
    assert {"comparison.csv", "comparison.md", "comparison.tex"} <= {one.name for one in
            (own.parent / "comparison").iterdir()}  # fmt: skip


@pytest.mark.slow
def test_in_french_every_sentence_of_the_report_is_translated(tmp_path: Path) -> None:
    run = make_run(tmp_path, Choices(candidates=FORMS, rows=300, resamples=20))
    words, evidence = Words("fr"), read_evidence(run)
    said = [*recommendation_sentences(evidence), evidence.recommendation["rule"], *distillation_sentences(evidence)]
    unknown = [one for one in [*said, *(reason for _, reason in reasons(evidence))] if not words.knows(one)]
    assert unknown == []
    shown = panel(run, "fr")
    text = told(shown.snapshot())
    assert shown.state == "done"
    assert not re.search(r"\b(the|and|with|behind|better|worse|interval|is|of|not)\b", text), text


def test_both_languages_have_the_same_keys_and_names() -> None:
    english, french = Words("en").texts, Words("fr").texts
    for key in english:
        if key.startswith(("compare.", "saved.")):
            assert set(re.findall(r"{\w+}", english[key])) == set(re.findall(r"{\w+}", french[key])), key
