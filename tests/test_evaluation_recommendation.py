"""The recommendation follows its rule, and says what has to be said beside it."""

import json

import numpy as np
import pyarrow as pa
import pytest

from workbench.evaluation import recommend
from workbench.metrics import Plan, score_run

CLASSES = ("a", "b", "c")
PLAN = Plan(CLASSES, margin=0.02, resamples=400)


def run(rights, rows=3_000, shared=0.95):
    """Tables of candidates that are right on a share of rows, mostly the same rows."""
    generator = np.random.default_rng(0)
    labels, ease = generator.integers(0, 3, rows), generator.random(rows)
    tables = {}
    for name, right in rights.items():
        own = np.where(generator.random(rows) < shared, ease, generator.random(rows))
        predicted = np.where(own < right, labels, (labels + 1) % 3)
        columns = {"seed": np.zeros(rows, int), "row": np.arange(rows), "split": ["test"] * rows, "label": labels}
        tables[name] = pa.table(columns | {"prediction": predicted})
    return score_run(tables, PLAN)


def measured(**rates):
    rows = []
    for name, (rate, size) in rates.items():
        shared = {"candidate": name.replace("_", "-"), "hardware": "here", "n": 7}
        rows.append(
            shared
            | {"quantity": "rows_per_second", "value": rate, "low": 0.95 * rate, "high": 1.05 * rate, "unit": "rows/s"}
        )
        rows.append(shared | {"quantity": "size_mb", "value": size, "low": size, "high": size, "unit": "MB"})
    return rows


DISTILLED = {
    "baseline": 0.55,
    "teacher": 0.70,
    "student-linear": 0.70,
    "student-static": 0.70,
    "control-linear": 0.56,
    "selftrain-linear": 0.60,
    "control-static": 0.70,
    "selftrain-static": 0.60,
}
SPEEDS = measured(
    baseline=(16_000, 20),
    teacher=(450, 91),
    student_linear=(90_000, 8),
    student_static=(57_000, 6),
    control_linear=(900_000, 1),
)


@pytest.fixture(scope="module")
def rows():
    return run(DISTILLED)


def said(metrics, measurements=SPEEDS):
    found = recommend(metrics, measurements, margin=PLAN.margin)
    json.dumps(found, allow_nan=False)
    return found


def reason(found, name):
    return next(one["reason"] for one in found["others"] if one["candidate"] == name)


def test_the_fastest_of_those_as_good_as_the_best_is_recommended(rows):
    found = said(rows)
    assert found["candidate"] == "student-linear"
    assert "chosen on test itself among 4 candidates" in found["sentence"]
    assert found["chosen_among"] == 4
    assert found["split"] == "test"
    if found["best"] != "student-linear":
        assert found["p_holm"] is not None
        assert "Holm" in found["sentence"]


def test_every_other_candidate_gets_its_reason(rows):
    found = said(rows)
    assert {one["candidate"] for one in found["others"]} == set(DISTILLED) - {"student-linear"}
    assert "more than 2.0 points below" in reason(found, "baseline")
    assert "ms a row against 0.011 (200.0 times as many)" in reason(found, "teacher")
    assert "A comparison" in reason(found, "control-linear")


def test_control_and_selftrain_are_never_recommended_however_fast(rows):
    assert said(rows)["candidate"] not in {"control-linear", "control-static"}


def test_a_tie_in_speed_goes_to_the_smaller_one(rows):
    tied = measured(teacher=(450, 91), student_linear=(90_000, 8), student_static=(88_000, 6))
    found = said(rows, tied)
    assert found["candidate"] == "student-static"
    assert "larger at about the same speed: 8.0 MB against 6.0 MB" in reason(found, "student-linear")


def test_whether_distillation_helped_is_answered_for_each_student(rows):
    helped = said(rows)["distillation_helped"]
    assert helped["student-linear"]["helped"] is True
    assert helped["student-linear"]["sentence"].startswith("Distillation helped student-linear: +")
    static = helped["student-static"]
    assert static["helped"] is False
    assert static["sentence"] == (
        "Distillation was not shown to help student-static: control-static is as good within 2.0 points."
    )
    assert static["against"]["selftrain-static"]["verdict"] == "better"


def test_a_recommended_student_that_its_teacher_did_not_help_is_recommended_with_that_said(rows):
    found = said(rows, measured(student_static=(900_000, 6), student_linear=(90_000, 8), teacher=(450, 91)))
    assert found["candidate"] == "student-static"
    assert "was not shown to help" in found["sentence"]


def test_a_baseline_that_is_as_good_is_recommended_even_where_a_student_is_faster():
    rows = run({"baseline": 0.70, "teacher": 0.70, "student-linear": 0.701})
    found = said(rows)
    assert found["candidate"] == "baseline"
    assert "No distillation was needed." in found["sentence"]
    assert "the baseline is as good" in reason(found, "student-linear")
    assert found["distillation_helped"]["student-linear"]["helped"] is None


def test_a_tiny_test_recommends_nothing_and_names_the_simplest():
    found = said(run(DISTILLED, rows=12))
    assert found["candidate"] is None
    assert found["fallback"] == "baseline"
    assert "12 rows: below 30" in found["sentence"]
    assert "not because it was shown to be as good" in found["sentence"]
    assert len(found["others"]) == len(DISTILLED)


def test_on_few_rows_what_is_not_shown_is_not_claimed():
    found = said(run(DISTILLED, rows=60, shared=0.3))
    assert found["candidate"] == found["best"]
    assert "no other candidate is shown to be as good" in found["sentence"]
    assert "nor is one shown to be worse" in found["sentence"]
    assert any("It is not shown that" in one["reason"] for one in found["others"])


def test_one_candidate_alone_and_none_at_all_are_said_plainly():
    alone = said(run({"baseline": 0.7}))
    assert alone["candidate"] == "baseline"
    assert "the only candidate" in alone["sentence"]
    assert "No distillation" not in alone["sentence"]
    none = said([])
    assert none["candidate"] is None
    assert none["fallback"] is None


def test_without_measurements_the_best_one_is_taken_and_that_is_said(rows):
    found = said(rows, [])
    assert found["candidate"] == found["best"]
    assert "not measured" in found["sentence"]


def test_a_choice_that_does_not_survive_holm_is_sent_to_new_rows():
    shared = {"split": "test", "slice": "all", "metric": "macro_f1", "seed": None, "n": 900, "method": "m"}
    scores, gaps = [], []
    for name, value in (("x", 0.70), ("y", 0.69), ("z", 0.69), ("w", 0.69)):
        row = shared | {"candidate": f"student-{name}"}
        scores.append(row | {"value": value, "low": value - 0.03, "high": value + 0.03, "against": None})
        if name != "x":
            row |= {"value": -0.01, "low": -0.019, "high": 0.0, "against": "student-x"}
            gaps.append(row | {"p": 0.3, "p_noninferior": 0.02})
    found = said(
        [*scores, *gaps], measured(student_x=(10, 1), student_y=(1_000, 1), student_z=(100, 1), student_w=(90, 1))
    )
    assert found["candidate"] == "student-y"
    assert found["p_holm"] == pytest.approx(0.06)
    assert "confirm it on new rows" in found["sentence"]


def compressed_rows(change, low, high):
    """Scores of a student, its 8-bit form and a teacher, with the form's difference to the student."""
    shared = {"split": "test", "slice": "all", "metric": "macro_f1", "seed": None, "n": 900, "method": "m"}
    made = "student-x-int8"
    values = {"teacher": 0.69, "student-x": 0.70, made: 0.70 + change}
    scores = [
        shared | {"candidate": name, "value": value, "low": value - 0.03, "high": value + 0.03, "against": None}
        for name, value in values.items()
    ]
    gaps = [("teacher", "student-x", -0.01, -0.03, 0.01), ("teacher", made, -0.01, -0.03, 0.01)]
    gaps += [(made, "student-x", change, low, high)]
    keys = ("candidate", "against", "value", "low", "high")
    control = [("control-x", "student-x"), ("selftrain-x", "student-x")]
    gaps += [(student, other, 0.1, 0.08, 0.12) for other, student in control]
    others = [shared | dict(zip(keys, gap, strict=True)) | {"p": 0.01, "p_noninferior": 0.01} for gap in gaps]
    return [*scores, *others]


FORMS = measured(student_x=(800, 70), student_x_int8=(2_000, 18), teacher=(450, 91))


def test_a_compressed_candidate_that_is_as_good_as_its_original_may_be_recommended():
    found = said(compressed_rows(-0.002, -0.008, 0.003), FORMS)
    assert found["candidate"] == "student-x-int8"
    assert found["chosen_among"] == 3
    assert "made from student-x" in found["sentence"]
    assert "student-x-int8" not in found["distillation_helped"]


def test_the_answer_about_distillation_is_that_of_the_original():
    rows = [
        row | ({"value": 0.0, "low": -0.01, "high": 0.01, "p": 0.9} if row["against"] == "control-x" else {})
        for row in compressed_rows(-0.002, -0.008, 0.003)
    ]
    found = said(rows, FORMS)
    assert found["candidate"] == "student-x-int8"
    assert list(found["distillation_helped"]) == ["student-x"]
    assert "not shown to help student-x:" in found["sentence"]


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (
            (-0.03, -0.05, -0.021),
            "It loses more than the margin: student-x-int8 is more than 2.0 points below student-x",
        ),
        ((-0.01, -0.03, 0.01), "That it loses more than the margin cannot be excluded: it is not shown that"),
        ((0.01, -0.021, 0.04), "That it loses more than the margin cannot be excluded: it is not shown that"),
        ((0.0, None, None), "cannot be excluded: whether student-x-int8 is as good as student-x"),
    ],
)
def test_a_compressed_candidate_that_may_lose_more_than_the_margin_is_refused_however_fast_or_good(interval, words):
    found = said(compressed_rows(*interval), FORMS)
    assert found["candidate"] == "student-x"
    assert found["best"] == "student-x"
    assert found["chosen_among"] == 2
    assert reason(found, "student-x-int8").startswith(words) or words in reason(found, "student-x-int8")


def test_a_compressed_candidate_without_a_comparison_is_refused():
    rows = [row for row in compressed_rows(0.0, -0.001, 0.001) if row["against"] != "student-x"]
    found = said([*rows, *compressed_rows(0.0, -0.001, 0.001)[3:4]], FORMS)
    assert found["candidate"] == "student-x"
    assert "it was not compared with student-x" in reason(found, "student-x-int8")


def test_compressed_candidates_of_real_predictions_are_judged_by_the_same_rule():
    rights = {"baseline": 0.55, "teacher": 0.70, "student-x": 0.71, "student-x-int8": 0.71, "student-x-short": 0.60}
    found = said(run(rights, shared=1.0), measured(student_x=(800, 70), student_x_int8=(2_000, 18), teacher=(450, 91)))
    assert found["candidate"] == "student-x-int8"
    assert "It loses more than the margin" in reason(found, "student-x-short")


def test_a_baseline_as_good_as_the_best_goes_before_any_compressed_candidate():
    rights = {"baseline": 0.71, "student-x": 0.71, "student-x-int8": 0.71}
    speeds = measured(baseline=(100, 20), student_x=(800, 70), student_x_int8=(2_000, 18))
    assert said(run(rights, shared=1.0), speeds)["candidate"] == "baseline"


def test_a_head_that_is_as_good_as_the_tuned_teacher_goes_before_it():
    rights = {"baseline": 0.5, "teacher": 0.701, "teacher-head": 0.70}
    found = said(run(rights, shared=1.0), measured(teacher=(450, 91), teacher_head=(450, 91)))
    assert found["candidate"] == "teacher-head"
    assert "needs no fine-tuning" in reason(found, "teacher")


def test_a_refused_compressed_candidate_with_the_highest_score_is_not_what_the_others_are_compared_with():
    generator, count = np.random.default_rng(0), 600
    labels, ease, own = generator.integers(0, 3, count), generator.random(count), generator.random(count)
    rights = {"baseline": 0.5, "teacher": 0.6, "student-x": 0.7, "student-y": 0.7}
    predicted = {name: np.where(ease < right, labels, (labels + 1) % 3) for name, right in rights.items()}
    predicted["student-x-int8"] = np.where(own < 0.7, labels, (labels + 1) % 3)
    columns = {"seed": np.zeros(count, int), "row": np.arange(count), "split": ["test"] * count, "label": labels}
    rows = score_run({name: pa.table(columns | {"prediction": one}) for name, one in predicted.items()}, PLAN)
    values = {
        row["candidate"]: row["value"]
        for row in rows
        if (row["metric"], row["seed"], row["against"]) == ("macro_f1", None, None)
    }
    assert max(values, key=values.__getitem__) == "student-x-int8"
    speeds = measured(student_x=(800, 70), student_y=(9_000, 10), student_x_int8=(2_000, 18), teacher=(450, 91))
    found = said(rows, speeds)
    assert (found["best"], found["candidate"]) == ("student-x", "student-y")
    assert "not compared" not in str(found["others"])
