"""What tuning brought and took, and what compression cost: told from the files of a run, in no stronger words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from run_folder import FULL, PLAIN, Choices, make_run
from test_reporting_report import Page, page_of
from workbench.reporting import comparison_table, report
from workbench.reporting.compressed import compressed
from workbench.reporting.evidence import Evidence, read_evidence
from workbench.reporting.tuning import extra_cost, paragraphs


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a tuned teacher, a transformer student and compressed candidates."""
    folder = make_run(tmp_path_factory.mktemp("full"), Choices(rows=1000, resamples=2000, candidates=FULL))
    report(folder)
    return folder


@pytest.fixture(scope="module")
def evidence(full: Path) -> Evidence:
    return read_evidence(full)


def part(page: Page, heading: str, after: str) -> str:
    text = page.text[page.text.index("Why not the others") :]
    return text[text.index(heading) : text.index(after)]


def changed(folder: Path, tmp_path: Path, name: str, rows: list[dict[str, object]]) -> Evidence:
    """The evidence of a run with another file in the place of one of its own."""
    for file in ("run.json", "recipe.yaml", "metrics.json", "measurements.json", "emissions.json"):
        (tmp_path / file).write_bytes((folder / file).read_bytes())
    (tmp_path / name).write_text(json.dumps(rows), encoding="utf-8")
    return read_evidence(tmp_path)


def test_the_page_answers_whether_tuning_was_worth_it(full):
    told = part(page_of(full), "Was fine-tuning worth it?", "Did distillation help?")
    assert "by fine-tuning, which changes all its weights" in told
    assert "teacher is better than teacher-head in macro-F1 on test:" in told
    assert "macro-F1 on test pool" in told
    assert "It took 5 min 07 s, 1.5 Wh (0.49 to 4.8)" in told
    assert "g of CO₂-equivalents" in told
    assert "labelling all rows with the new weights is part of it" in told
    assert "class D (a guess" in told
    assert "a point; within the gain's interval" in told


def test_what_tuning_took_more_is_the_stages_difference(evidence):
    found = extra_cost(evidence)
    entries = {one.stage: one for one in evidence.emissions if one.stage.startswith("teacher")}
    assert found.seconds == pytest.approx(312.0 - 4.8)
    assert found.energy_kwh.central == pytest.approx(
        entries["teacher"].energy_kwh.central - entries["teacher-head"].energy_kwh.central
    )
    assert found.energy_kwh.low < found.energy_kwh.central < found.energy_kwh.high
    assert found.class_ == "D"


def test_a_gain_that_is_not_shown_has_no_price_and_no_stronger_word(full, tmp_path):
    rows = json.loads((full / "metrics.json").read_text())
    for row in rows:
        if (row["candidate"], row["against"]) == ("teacher", "teacher-head"):
            row |= {"value": 0.004, "low": -0.01, "high": 0.018, "p": 0.6, "p_holm": 0.9}
    told = " ".join(paragraphs(changed(full, tmp_path, "metrics.json", rows)))
    assert "A difference between teacher and teacher-head in macro-F1 on test is not detectable" in told
    assert "No gain is shown on test" in told
    assert "better" not in told
    assert "a point;" not in told


def test_without_the_stages_energy_it_says_so(full, tmp_path):
    entries = [one for one in json.loads((full / "emissions.json").read_text()) if one["stage"] != "teacher-head"]
    told = " ".join(paragraphs(changed(full, tmp_path, "emissions.json", entries)))
    assert "What it took was not measured in this run." in told


def test_several_seeds_give_the_mean_of_a_seed(tmp_path):
    some = ("baseline", "teacher", "teacher-head")
    folder = make_run(tmp_path, Choices(rows=300, seeds=2, candidates=some, class_="B"))
    told = " ".join(paragraphs(read_evidence(folder)))
    assert "It took 5 min 07 s" in told
    assert "the mean of the seeds" in told
    assert "class B (counted by the hardware" in told
    assert "Students" not in told


def test_every_compressed_candidate_has_its_line_before_and_after(full, evidence):
    table = compressed(evidence)
    rows = {row["name"]: row for row in table["rows"]}
    assert list(rows) == [
        "student-cut-onnx",
        "student-cut-int8",
        "student-cut-fp16",
        "student-cut-short",
        "student-static-onnx",
    ]
    int8 = rows["student-cut-int8"]
    assert (int8["size"].text, int8["size"].note) == ("70 → 18", "to 26 %")
    assert (int8["rate"].text, int8["rate"].note) == ("810 → 2,000", "2.5 times")
    assert int8["logits"].text == "0.21"
    assert rows["student-cut-onnx"]["logits"].text == "under 0.0001"
    assert rows["student-cut-onnx"]["agreement"].text == "100 %"
    told = part(page_of(full), "What compression cost", "Is it equally good everywhere?")
    for name, row in rows.items():
        assert name in told
        assert row["size"].text in told
        assert row["agreement"].text in told
        assert row["change"].text in told
    assert "student-cut-short is more than 1.0 points below student-cut" in told


def test_parity_that_was_not_measured_is_absent_and_says_why(full, tmp_path):
    rows = json.loads((full / "measurements.json").read_text())
    kept = [row for row in rows if row["quantity"] not in ("agreement", "largest_logit_difference")]
    why = {"candidate": "student-cut-int8", "quantity": "agreement", "value": None, "reason": "no onnxruntime here"}
    table = compressed(changed(full, tmp_path, "measurements.json", [*kept, why]))
    rows_by_name = {row["name"]: row for row in table["rows"]}
    assert rows_by_name["student-cut-int8"]["agreement"].text == "no onnxruntime here"
    assert rows_by_name["student-cut-fp16"]["logits"].absent


def test_a_compressed_candidate_without_its_comparison_is_not_called_as_good(full, tmp_path):
    rows = [row for row in json.loads((full / "metrics.json").read_text()) if row["against"] != "student-cut"]
    table = compressed(changed(full, tmp_path, "metrics.json", rows))
    assert "Whether student-cut-int8 is as good as student-cut cannot be said" in " ".join(table["sentences"])
    assert table["rows"][0]["change"].absent


def test_compressed_candidates_stand_in_the_comparison_but_not_among_the_distilled(full):
    names = [row["candidate"] for row in comparison_table(full)]
    assert names[:4] == ["baseline", "teacher", "teacher-head", "student-cut"]
    page = page_of(full)
    assert "student-cut in 8 bits (ONNX)" in page.text
    assert "their compressed forms (plus)" in page.text
    assert "teacher-head is the teacher's model likewise" in page.text
    assert "int8" not in part(page, "Did distillation help?", "What compression cost")


def test_the_card_says_both_too(full):
    card = (full / "README.md").read_text(encoding="utf-8")
    assert "teacher is better than teacher-head in macro-F1 on test" in card
    assert "student-cut-short is more than 1.0 points below student-cut" in card


def test_a_run_without_them_has_neither_part(tmp_path):
    folder = make_run(tmp_path, Choices(rows=200, candidates=PLAIN[:4]))
    report(folder)
    text = page_of(folder).text
    assert "Was fine-tuning worth it?" not in text
    assert "What compression cost" not in text
    assert "compressed" not in text
