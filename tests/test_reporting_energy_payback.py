"""Payback worked by hand, the kinds of work, a wattmeter's reading, the idle share, the estimate, the page."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from run_folder import Choices, make_run
from workbench.errors import RunError
from workbench.reporting import payback, spending
from workbench.reporting.emissions import Emission, Range, add, read_entries, spent_here
from workbench.reporting.evidence import Evidence, read_evidence
from workbench.reporting.meter_reading import Reading, record_reading
from workbench.reporting.payback_points import Payback, Terms, cases, cost, in_words, span_in_words
from workbench.reporting.payback_points import payback as after
from workbench.runs import check_manifest

ONE = Range(1.0, 1.0, 1.0)
METER = Reading(0.02, "A. Reader", "plug meter, read before and after")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs"), Choices(rows=200))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return make_run(tmp_path, Choices(rows=200))


@pytest.fixture(scope="module")
def evidence(folder: Path) -> Evidence:
    return read_evidence(folder)


@pytest.mark.parametrize(
    ("fixed", "other", "each", "ends", "verdict"),
    [
        (Range(90, 100, 110), Range(2, 3, 4), Range(0.5, 1, 1.5), (90 / 3.5, 50, 220), "pays back"),
        (Range(90, 100, 110), Range(1, 3, 4), Range(0.5, 1, 1.5), (90 / 3.5, 50, None), "may never"),
        (Range(90, 100, 110), Range(1, 1, 2), Range(0.5, 1, 1.5), (60, None, None), "not by the best figures"),
        (ONE, Range(1, 1, 1), Range(1, 2, 3), (None, None, None), "never"),
        (Range(), Range(2, 3, 4), Range(0.5, 1, 1.5), (0, 0, 0), "at once"),
    ],
)
def test_payback_is_the_fixed_cost_over_what_each_saves_with_every_figure_at_its_worst(
    fixed: Range, other: Range, each: Range, ends: tuple[Any, Any, Any], verdict: str
) -> None:
    found = after(fixed, other, each)
    assert (found.low, found.central, found.high) == pytest.approx(ends)
    assert found.verdict == verdict


def test_words_say_never_at_once_and_when_the_interval_spans_never() -> None:
    assert in_words(Payback(None, None, None)).startswith("never")
    assert in_words(Payback(0, 0, 0)).startswith("at once")
    assert "the interval spans never" in in_words(Payback(10, 20, None))
    assert "interval spans never" in in_words(Payback(10, None, None))
    assert in_words(Payback(7_012, 69_123, 680_000)) == "after about 69,000 predictions (7,000 to 680,000)"
    assert span_in_words(Payback(500, 1000, None), 1000) == "after about 30 days (15 days to never)"
    assert span_in_words(Payback(1, 2, 3), 1e6) == "within the first hour"


def test_kinds_and_candidates_add_up_to_the_whole(evidence: Evidence) -> None:
    total = add(evidence.emissions)
    for sums in (spending.by_kind(evidence.emissions), spending.by_candidate(evidence.emissions)):
        again = add(sums.values())
        assert again.seconds == pytest.approx(total.seconds)
        assert again.energy_kwh.central == pytest.approx(total.energy_kwh.central)
        assert again.emissions_kg.high == pytest.approx(total.emissions_kg.high)


@pytest.mark.parametrize(
    ("stage", "candidate", "kind"),
    [
        ("data", None, "data"),
        ("embeddings", None, "labelling"),
        ("soft targets", "teacher", "labelling"),
        ("teacher", "teacher", "teacher"),
        ("teacher-head", "teacher-head", "teacher"),
        ("baseline", "baseline", "baseline"),
        ("tokens", None, "students"),
        ("student", "student-linear", "students"),
        ("int8", "student-cut-int8", "students"),
        ("control", "control-linear", "controls"),
        ("selftrain", "selftrain-linear", "controls"),
        ("predictions", "control-linear", "evaluation"),
        ("measurement", "teacher", "evaluation"),
        ("metrics", None, "evaluation"),
        ("evidence-membership", None, "evaluation"),
        ("report", None, "evaluation"),
    ],
)
def test_every_stage_of_a_run_has_its_kind(stage: str, candidate: str | None, kind: str) -> None:
    assert spending.kind(Emission(stage, candidate, 1.0, ONE, ONE, "D")) == kind


def test_training_is_labelling_and_own_stages_of_one_seed(tmp_path: Path) -> None:
    seen = read_evidence(make_run(tmp_path, Choices(rows=200, seeds=2, resamples=50)))
    by_hand = {one.stage: one.seconds for one in seen.emissions if one.candidate is None}["embed"] + (2.4 + 14.5) / 2
    assert spending.training(seen, "student-linear").seconds == pytest.approx(by_hand)


def test_a_wattmeters_reading_takes_the_place_of_what_it_covers_and_keeps_what_was_modelled(own: Path) -> None:
    rows = json.loads((own / "emissions.json").read_text())
    before = read_entries(rows)
    written = record_reading(own, METER)
    assert json.loads((own / "emissions.json").read_text()) == rows
    found = read_entries([*rows, {**rows[0], "stage": "evidence-labels"}], written)
    spent = [one for one in found[:-1] if one.reused_from is None]
    assert add(spent).energy_kwh.central == pytest.approx(0.02)
    assert {one.class_ for one in spent} == {"A"}
    assert {one.class_ for one in found if one.reused_from or one.stage == "evidence-labels"} == {"D"}
    for was, one in zip(before, found, strict=False):
        if one.class_ == "A":
            assert one.method["modelled_kwh"] == was.energy_kwh.central
            ratio = was.emissions_kg.central / was.energy_kwh.central
            assert one.emissions_kg.central / one.energy_kwh.central == pytest.approx(ratio)
    again = record_reading(own, dataclasses.replace(METER, measured_kwh=0.03))
    assert [one["measured_kwh"] for one in again["earlier"]] == [0.02]


def test_a_reading_of_stages_that_have_changed_since_is_not_used_and_the_page_says_so(own: Path) -> None:
    record_reading(own, METER)
    rows = json.loads((own / "emissions.json").read_text())
    (own / "emissions.json").write_text(json.dumps(rows[1:]))
    seen = read_evidence(own)
    assert {one.class_ for one in seen.emissions} == {"D"}
    told = payback.page(seen)
    assert told is not None
    assert any("the reading is not used" in one for one in told.sentences)


@pytest.mark.parametrize(
    ("reading", "named"),
    [
        (dataclasses.replace(METER, measured_kwh=-1.0), "--measured-kwh"),
        (dataclasses.replace(METER, measured_kwh=float("nan")), "--measured-kwh"),
        (dataclasses.replace(METER, by=" "), "--by"),
        (dataclasses.replace(METER, meter=""), "--meter"),
        (dataclasses.replace(METER, idle_watts=-2.0), "--idle-watts"),
    ],
)
def test_a_reading_that_cannot_be_is_refused_and_nothing_is_written(own: Path, reading: Reading, named: str) -> None:
    with pytest.raises(RunError, match=named):
        record_reading(own, reading)
    assert not (own / "carbon-reading.json").exists()


def test_a_run_that_spent_nothing_itself_takes_no_reading(own: Path) -> None:
    rows = json.loads((own / "emissions.json").read_text())
    (own / "emissions.json").write_text(json.dumps([{**row, "reused_from": "earlier"} for row in rows]))
    with pytest.raises(RunError, match="taken over from other runs"):
        record_reading(own, METER)


def test_the_idle_share_is_a_guess_from_the_load_or_metered_or_not_known(own: Path) -> None:
    assert spending.idle(read_evidence(own)).share is None
    rows = json.loads((own / "emissions.json").read_text())
    known = {"watts": {"cpu": 5.0, "ram": 10.0}, "full_load_watts": 20.0, "memory_watts": 10.0}
    (own / "emissions.json").write_text(json.dumps([{**row, "method": {**row["method"], **known}} for row in rows]))
    guessed = spending.idle(read_evidence(own))
    assert guessed.class_ == "D"
    assert guessed.share is not None
    assert guessed.share.central == pytest.approx(0.3 / (0.3 + 0.5 * 0.7))
    record_reading(own, dataclasses.replace(METER, idle_watts=10.0))
    metered = spending.idle(read_evidence(own))
    seconds = sum(row["seconds"] for row in rows if row["reused_from"] is None)
    assert metered.share is not None
    assert (metered.class_, metered.share.central) == ("A", pytest.approx(10.0 * seconds / 3.6e6 / 0.02))


def test_the_estimate_from_before_stands_beside_what_became_of_it(own: Path) -> None:
    assert spending.expected(read_evidence(own)) is None
    wh = {"low": 0.5, "central": 1.0, "high": 2.0}
    (own / "estimate.json").write_text(json.dumps({"seconds": 100.0, "energy_wh": wh, "class": "D"}))
    found = spending.expected(read_evidence(own))
    assert found is not None
    assert found.energy_kwh.central == pytest.approx(0.001)
    told = payback.page(read_evidence(own))
    assert told is not None
    assert any(
        one.startswith("Before the run 1 min 40 s and 1.0 (0.50 to 2.0) Wh were expected") for one in told.sentences
    )


def test_the_page_says_when_it_pays_back_in_energy_time_volume_and_against_a_price(evidence: Evidence) -> None:
    terms = Terms(1_000_000, "Big API", 0.4, "EUR", 0.25, 0.05)
    told = payback.page(evidence, terms)
    assert told is not None
    assert "takes less energy than the teacher after about" in told.verdict
    assert "class D" in told.verdict
    said = " ".join(told.sentences)
    for part in ("the factor cancels", "In time, which is measured", "predictions a month", "0.4 EUR per 1,000"):
        assert part in said
    assert "electricity and machine hours" in said
    assert told.figures[0].svg.startswith("<svg")
    assert all(len(row) == len(table.columns) for table in told.tables for row in table.rows)


def test_energy_paid_back_is_what_a_reader_works_out_from_the_files(evidence: Evidence) -> None:
    case = payback.find(cases(evidence, "student-linear", Terms()), "energy")
    assert case is not None
    rows = {(r["candidate"], r["quantity"]): r["value"] for r in evidence.measurements}
    saved = (rows["teacher", "energy_wh_per_1000"] - rows["student-linear", "energy_wh_per_1000"]) / 1000
    stages = [e for e in evidence.emissions if e.candidate == "student-linear" or e.stage in ("embed", "soft targets")]
    fixed = 1000 * sum(e.energy_kwh.central for e in stages)
    assert case.payback is not None
    assert case.payback.central == pytest.approx(fixed / saved)


def test_a_price_without_what_the_machine_costs_says_what_is_missing(evidence: Evidence) -> None:
    told = payback.page(evidence, Terms(hosted_price=0.4, currency="EUR"))
    assert told is not None
    assert any("carbon.kwh_price, carbon.hour_price" in one for one in told.sentences)


def test_a_meter_scales_what_a_prediction_costs_and_keeps_its_doubt(own: Path) -> None:
    before = cost(read_evidence(own), "teacher")
    written = record_reading(own, METER)
    now = cost(read_evidence(own), "teacher")
    assert before.kwh is not None
    assert now.kwh is not None
    assert now.kwh.central / before.kwh.central == pytest.approx(0.02 / written["modelled_kwh"])
    assert now.kwh.high / now.kwh.low == pytest.approx(before.kwh.high / before.kwh.low)


def test_a_run_without_emissions_has_no_page(own: Path) -> None:
    (own / "emissions.json").write_text("[]")
    assert payback.page(read_evidence(own)) is None


@pytest.mark.slow
def test_the_command_stores_a_reading_renews_the_manifest_and_logs_no_name(own: Path) -> None:
    from typer import Typer
    from typer.testing import CliRunner

    from workbench.cli.carbon import carbon
    from workbench.runs import write_manifest

    app = Typer()
    app.command()(carbon)
    write_manifest(own)
    flags = ["--measured-kwh", "0.02", "--by", "A. Reader", "--meter", "plug meter", "--volume", "500000", "--json"]
    result = CliRunner().invoke(app, [str(own), *flags])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["total"]["class_"] == "D"
    assert told["reading"]["by"] == "A. Reader"
    assert {one["what"] for one in told["payback"]} == {"energy", "time"}
    assert told["payback"][0]["months"]["central"] == pytest.approx(
        told["payback"][0]["predictions"]["central"] / 500_000
    )
    assert check_manifest(own) == []
    assert "Reader" not in (own / "log.jsonl").read_text()
    shown = CliRunner().invoke(app, [str(own), "--price", "0.4", "--currency", "EUR", "--kwh-price", "0.2"])
    assert shown.exit_code == 0, shown.output
    assert "A wattmeter counted 20.0 Wh" in shown.stdout
    assert isinstance(CliRunner().invoke(app, [str(own), "--price", "0.4"]).exception, RunError)
    assert isinstance(CliRunner().invoke(app, [str(own), "--by", "me"]).exception, RunError)


def test_a_few_predictions_are_whole_ones_and_many_have_two_digits() -> None:
    assert in_words(Payback(8.2, 9.87, 12.4)) == "after about 10 predictions (8 to 12)"
    assert in_words(Payback(88.4, 99.6, 1234.0)) == "after about 100 predictions (88 to 1,200)"


def page(evidence: Evidence) -> Any:
    """The page, which there is."""
    found = payback.page(evidence)
    assert found is not None
    return found


def test_the_budget_and_the_warnings_of_the_log_stand_in_the_report(evidence: Evidence) -> None:
    assert not any("budget" in one for one in page(evidence).sentences)
    carbon = evidence.recipe.carbon.model_copy(update={"budget_grams": 0.5})
    recipe = evidence.recipe.model_copy(update={"carbon": carbon})
    events = (*evidence.events, {"type": "carbon budget", "sentence": "0.4 g of the budget are spent."})
    said = page(dataclasses.replace(evidence, recipe=recipe, events=events)).sentences
    assert any(one.startswith("The recipe's budget is 0.500 g of CO₂-equivalents; ") for one in said)
    assert "While it ran it warned: 0.4 g of the budget are spent." in said


def test_what_predictions_take_is_scaled_to_the_meter_wherever_it_is_shown(own: Path) -> None:
    before = read_evidence(own)
    record_reading(own, METER)
    after_ = read_evidence(own)
    factor = METER.measured_kwh / spent_here(before.emissions).energy_kwh.central
    for name in ("energy_wh_per_1000", "emissions_g_per_1000"):
        one, other = before.measured("teacher", name), after_.measured("teacher", name)
        assert one is not None
        assert other is not None
        for end in ("low", "value", "high"):
            assert other[end] == pytest.approx(one[end] * factor)
    assert after_.modelled == before.emissions
    assert after_.measured("teacher", "size_mb") == before.measured("teacher", "size_mb")
