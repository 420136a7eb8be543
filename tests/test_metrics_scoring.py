"""Rows of metrics.json from tables of predictions: complete, honest about few rows, and recomputable."""

import copy
import json

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import f1_score

from workbench.errors import RunError
from workbench.metrics import Plan, differing_rows, join_rows, references, score_run
from workbench.metrics.scoring import made_from

CLASSES = ("a", "b", "c", "d")
KEYS = ["candidate", "split", "slice", "metric", "value", "low", "high", "n", "method", "seed", "against"]
QUICK = Plan(CLASSES, slices=("kind",), resamples=300, slice_resamples=200)


def predictions(right, *, seeds=(0,), splits=None, names=False, salt=0, groups=60):
    generator = np.random.default_rng(salt)
    splits = splits or {"test": 400, "test_pool": 200}
    tables, start = [], 0
    for split, rows in splits.items():
        fixed = np.random.default_rng(start)
        labels = fixed.integers(0, 4, rows)
        group, kind = fixed.integers(0, groups, rows), fixed.integers(0, 3, rows)
        for seed in seeds:
            probabilities = generator.dirichlet(np.ones(4), rows).astype(np.float32)
            best = np.where(generator.random(rows) < right, labels, (labels + 1) % 4)
            probabilities[np.arange(rows), best] += 1
            probabilities /= probabilities.sum(axis=1, keepdims=True)
            columns = {
                "seed": np.full(rows, seed),
                "row": np.arange(start, start + rows),
                "split": [split] * rows,
                "label": [CLASSES[one] for one in labels] if names else labels,
                "prediction": [CLASSES[one] for one in best] if names else best,
                "group": [f"g{one}" for one in group],
                "kind": [("short", "long", None)[one] for one in kind],
            }
            tables.append(pa.table(columns | {f"p_{name}": probabilities[:, at] for at, name in enumerate(CLASSES)}))
        start += rows
    return pa.concat_tables(tables)


def run_tables(**changes):
    names = {"baseline": 0.5, "teacher": 0.6, "student-linear": 0.7, "control-linear": 0.55, "selftrain-linear": 0.58}
    return {name: predictions(right, salt=salt, **changes) for salt, (name, right) in enumerate(names.items())}


def find(rows, **wanted):
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


@pytest.fixture(scope="module")
def scored():
    return score_run(run_tables(), QUICK)


def test_every_row_has_the_keys_of_the_contract_in_order_and_is_strict_json(scored):
    assert all(list(row)[:11] == KEYS for row in scored)
    assert json.loads(json.dumps(scored, allow_nan=False)) == scored


def test_every_candidate_split_metric_and_slice_is_there(scored):
    whole = find(scored, candidate="teacher", split="test", slice="all", seed=None, against=None)
    names = {
        "accuracy",
        "macro_f1",
        "micro_f1",
        "weighted_f1",
        "top_3_accuracy",
        "log_loss",
        *(f"f1:{one}" for one in CLASSES),
    }
    assert {row["metric"] for row in whole} == names
    assert {row["slice"] for row in scored} == {"all", "kind=short", "kind=long", "kind=(missing)"}
    assert {row["split"] for row in scored} == {"test", "test_pool"}
    assert {row["metric"] for row in scored if row["slice"] != "all"} == {"macro_f1", "accuracy"}


def test_values_are_scikit_learns_and_intervals_hold_them(scored):
    tables = run_tables()
    for name, table in tables.items():
        part = table.filter(pa.compute.equal(table["split"], "test"))
        expected = f1_score(part["label"].to_numpy(), part["prediction"].to_numpy(), average="macro")
        (row,) = find(scored, candidate=name, split="test", slice="all", metric="macro_f1", seed=0, against=None)
        assert row["value"] == pytest.approx(expected)
        assert row["low"] < row["value"] < row["high"]
        assert "60 groups (400 rows)" in row["method"]


def test_a_student_is_compared_with_baseline_teacher_control_and_selftrain(scored):
    rows = find(scored, candidate="student-linear", split="test_pool", slice="all", seed=None)
    against = {row["against"] for row in rows if row["against"]}
    assert against == {"baseline", "teacher", "control-linear", "selftrain-linear"}
    assert references("student-x-int8", ["student-x", "student-x-int8"]) == ["student-x"]
    for row in rows:
        if row["against"]:
            assert row["p"] <= row["p_holm"] <= 1
            assert row["metric"] == "macro_f1"


def test_a_compressed_candidate_is_compared_with_what_it_was_made_from_alone():
    names = ["baseline", "teacher", "student-x", "control-x", "student-x-onnx", "student-x-fp16", "student-x-short"]
    for form in names[4:]:
        assert made_from(form) == "student-x"
        assert references(form, names) == ["student-x"]
        assert references(form, names[:2]) == []


def test_only_students_have_compressed_forms():
    for name in ("baseline", "teacher", "teacher-head", "student-x", "control-x-int8", "student-int8x"):
        assert made_from(name) is None


def test_a_tuned_teacher_is_compared_with_its_head_where_there_is_one():
    assert references("teacher", ["baseline", "teacher", "teacher-head"]) == ["baseline", "teacher-head"]
    assert references("teacher", ["baseline", "teacher"]) == ["baseline"]
    rows = score_run({**run_tables(), "teacher-head": predictions(0.5, salt=9)}, QUICK)
    (row,) = find(rows, candidate="teacher", split="test_pool", against="teacher-head", seed=None)
    assert row["p"] <= row["p_holm"]


def test_every_candidate_that_may_be_recommended_is_compared_with_the_best_one_on_the_headline(scored):
    rows = find(scored, split="test", slice="all", seed=None, against="student-linear")
    assert {row["candidate"] for row in rows} == {"baseline", "teacher"}
    assert all("p_noninferior" in row and "p_holm" not in row for row in rows)
    assert not find(scored, split="test_pool", against="student-linear")


def test_the_same_tables_give_the_same_rows_in_whatever_order_their_lines_are(scored):
    shuffled = {
        name: table.take(pa.array(np.random.default_rng(9).permutation(len(table))))
        for name, table in run_tables(names=True).items()
    }
    assert differing_rows(scored, score_run(shuffled, QUICK)) == []


def test_another_candidate_does_not_change_the_others(scored):
    more = score_run({**run_tables(), "control-static": predictions(0.4, salt=7)}, QUICK)
    kept = [row for row in more if row["candidate"] != "control-static"]
    assert differing_rows(scored, kept) == []


@pytest.mark.parametrize("change", [("value", 0.9), ("low", 0.1), ("n", 7), ("method", "guess"), ("reason", "so")])
def test_a_changed_number_is_found(scored, change):
    edited = copy.deepcopy(scored)
    edited[40][change[0]] = change[1]
    (sentence,) = differing_rows(edited, scored)
    assert edited[40]["candidate"] in sentence
    assert change[0] in sentence


def test_a_row_left_out_added_or_doubled_is_found(scored):
    assert "not recorded" in differing_rows(scored[1:], scored)[0]
    assert "do not give it" in differing_rows([*scored, scored[0] | {"metric": "bleu"}], scored)[0]
    assert "twice" in differing_rows([*scored, scored[0]], scored)[0]


def test_no_figure_is_given_below_thirty_rows_and_bounds_only_where_they_are_exact():
    tables = {name: table.drop_columns("group") for name, table in run_tables(splits={"test": 12}).items()}
    rows = score_run(tables, QUICK)
    assert all(row["value"] is None and row["reason"] for row in rows)
    (accuracy,) = find(rows, candidate="teacher", slice="all", metric="accuracy", seed=None)
    assert 0 <= accuracy["low"] < accuracy["high"] <= 1
    assert all(row["low"] is None for row in rows if row["metric"] not in ("accuracy", "micro_f1"))
    json.dumps(rows, allow_nan=False)


def test_a_slice_with_one_label_has_an_accuracy_and_no_macro_f1():
    tables = run_tables()
    for name, table in tables.items():
        tables[name] = table.set_column(
            table.column_names.index("kind"), "kind", pa.array([CLASSES[one] for one in table["label"].to_pylist()])
        )
    rows = score_run(tables, QUICK)
    (f1,) = find(rows, candidate="teacher", split="test", slice="kind=a", metric="macro_f1", seed=None)
    (accuracy,) = find(rows, candidate="teacher", split="test", slice="kind=a", metric="accuracy", seed=None)
    assert f1["value"] is None
    assert "same label" in f1["reason"]
    assert accuracy["value"] is not None


def test_several_seeds_give_points_spread_and_an_interval_for_the_mean():
    rows = score_run(run_tables(seeds=(0, 1, 2)), QUICK)
    (mean,) = find(rows, candidate="teacher", split="test", slice="all", metric="macro_f1", seed=None, against=None)
    single = [
        find(rows, candidate="teacher", split="test", slice="all", metric="macro_f1", seed=seed, against=None)[0][
            "value"
        ]
        for seed in range(3)
    ]
    assert mean["points"] == single
    assert mean["value"] == pytest.approx(np.mean(single))
    assert mean["sd"] == pytest.approx(np.std(single, ddof=1))
    assert mean["low"] < mean["value"] < mean["high"]
    assert "3 seeds" in mean["method"]
    assert mean["n"] == 400


def test_splits_that_differ_from_seed_to_seed_are_scored_too():
    tables = {
        name: table.set_column(1, "row", pa.array(table["row"].to_numpy() + 10_000 * table["seed"].to_numpy()))
        for name, table in run_tables(seeds=(0, 1)).items()
    }
    (mean,) = find(
        score_run(tables, QUICK),
        candidate="teacher",
        split="test",
        slice="all",
        metric="macro_f1",
        seed=None,
        against=None,
    )
    assert mean["n"] == 800
    assert mean["low"] < mean["value"] < mean["high"]


def test_accuracy_as_the_primary_metric_of_a_small_ungrouped_test_uses_exact_mcnemar():
    tables = {name: table.drop_columns("group") for name, table in run_tables(splits={"test": 200}).items()}
    rows = score_run(tables, Plan(CLASSES, primary="accuracy", resamples=300))
    (row,) = find(rows, candidate="student-linear", against="baseline", seed=None)
    assert row["method"].endswith("p: exact McNemar")


def test_candidates_without_probabilities_have_no_log_loss_and_nothing_else_changes(scored):
    tables = run_tables()
    tables["teacher"] = tables["teacher"].drop_columns([f"p_{name}" for name in CLASSES])
    rows = score_run(tables, QUICK)
    assert not find(rows, candidate="teacher", metric="log_loss")
    assert all("log_loss" in one or "top_3" in one for one in differing_rows(scored, rows))


def test_a_confidence_other_than_95_is_said_in_the_row():
    rows = score_run(run_tables(), Plan(CLASSES, resamples=300, confidence=0.8))
    assert {row["confidence"] for row in rows} == {0.8}


def test_unlabelled_rows_are_left_out_and_counted_out():
    tables = run_tables()
    label = pa.array([None, *tables["baseline"]["label"].to_pylist()[1:]])
    tables = {name: table.set_column(3, "label", label) for name, table in tables.items()}
    (row,) = find(score_run(tables, QUICK), candidate="teacher", split="test", slice="all", metric="accuracy", seed=0)
    assert row["n"] == 399


def test_tables_that_do_not_fit_each_other_are_refused():
    tables = run_tables()
    for name, broken in {
        "not for the same rows": tables["teacher"].slice(1),
        "twice": pa.concat_tables([tables["teacher"], tables["teacher"].slice(0, 1)]),
        "no column label": tables["teacher"].drop_columns("label"),
        "none of the run's 4 classes": tables["teacher"].set_column(4, "prediction", pa.array(["z"] * 600)),
        "without a prediction": tables["teacher"].set_column(4, "prediction", pa.array([None] * 600, pa.int64())),
    }.items():
        with pytest.raises(RunError, match=name):
            score_run({**tables, "teacher": broken}, QUICK)


def test_group_and_slices_are_joined_by_row_number():
    table = predictions(0.5).select(["seed", "row", "split", "label", "prediction"])
    rows = pa.table(
        {"row": [*range(599, -1, -1)], "split": ["x"] * 600, "group": [f"g{one}" for one in range(599, -1, -1)]}
    )
    joined = join_rows(table, rows)
    assert joined["group"].to_pylist() == [f"g{one}" for one in table["row"].to_pylist()]
    assert joined["split"].equals(table["split"])
    with pytest.raises(RunError, match="does not know: 0, 1, 2"):
        join_rows(table, rows.slice(0, 590))


def test_no_candidates_give_no_rows():
    assert score_run({}, QUICK) == []
