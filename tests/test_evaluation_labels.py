"""Labels judged out of fold: planted errors are ranked high, groups stay whole, what cannot be done is said."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from small_table import tickets
from workbench.data import sources
from workbench.data.table import Labelled, Splits, Unlabelled
from workbench.evaluation.labels import Doubting, doubts_of_table, find_conflicts, judge_labels
from workbench.evaluation.out_of_fold import fold_numbers, head_fit, judged_rows, linear_fit, out_of_fold, units_of
from workbench.evaluation.teacher_audit import audit_teacher
from workbench.metrics.doubts import doubts
from workbench.metrics.labels import judged, score_labels
from workbench.recipe import Data

SAMPLE = Path(__file__).resolve().parents[1] / "recipes" / "data" / "licence-obligations-sample.csv"


def labelled(texts, names, groups=None):
    """Rows with classes by name."""
    classes, labels = np.unique(np.asarray(names), return_inverse=True)
    strings = pa.array(list(texts), pa.large_string())
    grouped = None if groups is None else pa.array(list(groups), pa.large_string())
    return tuple(classes.tolist()), Labelled(np.arange(len(labels)), strings, labels.astype(np.int32), grouped)


def bicycle_tickets(rows=400):
    frame = tickets(rows)
    return labelled(frame["note"], frame["topic"], frame["shop"])


def licences():
    from workbench.data.sources import peek

    table = peek(SAMPLE)
    return labelled(*(table[name].to_pylist() for name in ("text", "category", "licence")))


def scores(check):
    rows = score_labels(check.table, check.settings)
    return {(row["split"], row["slice"], row["metric"]): row for row in rows}


@pytest.fixture(scope="module")
def ticket_check():
    classes, part = bicycle_tickets()
    return judge_labels(part, np.repeat(["train"], len(part)), classes, Doubting(folds=5, draws=200))


def test_folds_keep_groups_whole_and_classes_even():
    _, part = bicycle_tickets()
    units = units_of(part)
    folds = fold_numbers(part.labels, units, 5)
    assert all(len(np.unique(folds[units == unit])) == 1 for unit in np.unique(units))
    counts = np.stack([np.bincount(part.labels[folds == fold], minlength=3) for fold in range(5)])
    assert counts.min() >= 0.5 * counts.mean()
    assert judged_rows(part.labels, folds).all()


def test_equal_texts_stay_together_without_groups():
    _, part = labelled(["one text", "One  text", "another", "a third"], list("aabb"))
    units = units_of(part)
    assert units[0] == units[1]
    assert len(np.unique(units)) == 3


def test_rows_of_a_class_that_no_fold_had_learned_are_not_judged():
    # the second row: the only other one of its class calibrates, so nobody had learned the class
    labels = np.array([0, 0, 1, 1, 2], dtype=np.int32)
    known = judged_rows(labels, np.array([0, 3, 1, 3, 2]))
    assert known.tolist() == [True, False, True, True, False]


def test_no_row_is_judged_by_a_model_that_saw_it():
    seen = []

    def fit(held, calibrates, learned):
        assert not (held & learned).any()
        assert not (held & calibrates).any()
        assert not (calibrates & learned).any()
        seen.append(held)
        return np.full((int(held.sum()), 2), 0.5, dtype=np.float32)

    folds = np.arange(40) % 5
    out_of_fold(fit, folds, 2)
    assert np.sum(seen, axis=0).tolist() == [1] * 40


def test_planted_errors_among_tickets_are_ranked_high(ticket_check):
    found = scores(ticket_check)
    assert found["labelled", "all", "planted_found"]["n"] == 20
    assert found["labelled", "all", "planted_in_first_tenth"]["value"] is None  # 20 rows: bounds only
    assert found["labelled", "all", "planted_in_first_tenth"]["count"] >= 17
    assert found["labelled", "all", "planted_precision"]["count"] >= 14
    assert found["labelled", "all", "accuracy_out_of_sample"]["value"] > 0.85


def test_scoring_is_the_same_every_time_and_needs_no_texts(ticket_check):
    assert score_labels(ticket_check.table, ticket_check.settings) == score_labels(
        ticket_check.table, ticket_check.settings
    )
    assert not {"text", "texts"} & set(ticket_check.table.column_names)
    assert all(
        "chain" not in str(value) for row in ticket_check.table.slice(0, 50).to_pylist() for value in row.values()
    )


@pytest.mark.slow
def test_real_errors_stand_above_what_faultless_labels_give():
    classes, part = bicycle_tickets(600)
    wrong = np.random.default_rng(1).choice(600, 30, replace=False)
    labels = part.labels.copy()
    labels[wrong] = (labels[wrong] + 1) % 3
    spoiled = Labelled(part.rows, part.texts, labels, part.groups)
    settings = Doubting(folds=5, draws=200, planted=0.02)
    rows = {}
    for name, given in (("clean", part), ("spoiled", spoiled)):
        check = judge_labels(given, np.repeat(["train"], 600), classes, settings)
        rows[name] = scores(check)["labelled", "all", "labels_doubted_excess"]
        if name == "spoiled":
            listed = doubts({"labels": check.table}, classes)
            assert len({one.row for one in listed[:45]} & set(wrong.tolist())) >= 24
    assert rows["spoiled"]["low"] > 0
    assert rows["clean"]["value"] < rows["spoiled"]["value"]


@pytest.mark.slow
def test_planted_errors_among_licences_are_ranked_high():
    classes, part = licences()
    check = judge_labels(part, np.repeat(["train"], len(part)), classes, Doubting(draws=300, planted=0.08))
    found = scores(check)
    planted = found["labelled", "all", "planted_in_first_tenth"]["n"]
    assert planted == pytest.approx(0.08 * len(part), rel=0.1)
    by_chance = 0.1
    assert found["labelled", "all", "planted_in_first_tenth"]["low"] > 2 * by_chance
    given = judged(check.table)
    assert given is not None
    assert len(given.labels) == len(part)


def test_a_head_s_vectors_join_the_linear_model(phrases):
    texts, labels = phrases
    vectors = np.eye(3, dtype=np.float32)[labels] + np.random.default_rng(0).normal(0, 0.4, (240, 3)).astype(np.float32)
    folds = fold_numbers(labels, np.arange(240), 4)
    by_head = out_of_fold(head_fit(vectors, labels, 3), folds, 3)
    by_words = out_of_fold(linear_fit(pa.array(texts, pa.large_string()), labels, ("a", "b", "c")), folds, 3)
    for said in (by_head, by_words):
        assert np.allclose(said.sum(axis=1), 1, atol=1e-4)
        assert (said.argmax(axis=1) == labels).mean() > 0.8


def test_too_few_rows_are_told_and_not_judged():
    classes, part = bicycle_tickets(60)
    check = judge_labels(part, np.repeat(["train"], 60), classes, Doubting())
    assert check.table is None
    assert "60 labelled rows" in check.reasons[0]
    assert "at least 100 rows in 3 groups are needed" in check.reasons[0]


def test_a_sample_of_many_rows_is_told():
    classes, part = bicycle_tickets(400)
    check = judge_labels(part, np.repeat(["train"], 400), classes, Doubting(folds=3, most_rows=150, draws=20))
    assert check.settings["rows"] == 150
    assert "150 of 400 labelled rows were judged" in check.reasons[0]


def test_conflicts_are_counted_by_split():
    _, train = labelled(["the chain slips on the sprocket", "tyre flat again"], ["gears", "wheels"])
    test = Labelled(np.array([7]), pa.array(["The chain slips on the sprocket"], pa.large_string()), np.array([1]))
    check = find_conflicts({"train": train, "test": test}, ("gears", "wheels"), 0.8)
    rows = {row["split"]: row for row in score_labels(check.table, check.settings)}
    assert (rows["train"]["count"], rows["train"]["value"], rows["test"]["count"]) == (1, 0.5, 1)
    first = doubts({"labels-conflicts": check.table}, ("gears", "wheels"))
    assert [(one.row, one.given, one.suggested) for one in first] == [(0, "gears", "wheels"), (7, "wheels", "gears")]
    assert first[0].reason == "row 7 has the same text and is labelled wheels"


def audited(said, vectors=None, rows=240):
    """The audit of a teacher on three even classes, a third of them validation."""
    labels = np.arange(rows, dtype=np.int32) % 3
    texts = pa.array([f"text {number}" for number in range(rows)], pa.large_string())
    train, validation = (
        Labelled(np.arange(rows)[part], texts[part], labels[part]) for part in (slice(0, 160), slice(160, rows))
    )
    pool = Unlabelled(np.zeros(0, dtype=np.int64), pa.array([], pa.large_string()))
    splits = Splits(("a", "b", "c"), train, validation, pool, validation, {"test": validation}, 0)
    answers = said(validation.labels).astype(np.float32)
    return audit_teacher(splits, answers, vectors=None if vectors is None else vectors(train.labels), folds=4)


def test_a_teacher_at_chance_is_stopped():
    random = np.random.default_rng(0)
    check, verdict = audited(
        lambda labels: random.dirichlet([1, 1, 1], len(labels)),
        lambda labels: random.normal(size=(len(labels), 8)),
    )
    assert not verdict.go
    assert check.table is not None
    assert set(check.table["split"].to_pylist()) == {"train", "validation"}
    assert verdict.n == 240


def test_a_useful_teacher_goes_and_the_rows_it_learned_from_are_left_out():
    check, verdict = audited(lambda labels: np.eye(3)[labels] * 0.7 + 0.1)
    assert verdict.go
    assert verdict.n == 80
    assert "training rows were left out" in check.reasons[0]
    assert "80 of 80 rows" in verdict.sentence


def test_a_table_is_judged_without_a_run_and_says_nothing_of_a_head_it_could_not_have(tmp_path):
    frame = tickets(300)
    frame.loc[[3, 8], "note"] = "the same words twice"
    frame.loc[[3, 8], "topic"] = ["brakes", "wheels"]
    frame.to_csv(tmp_path / "tickets.csv", index=False)
    data = Data.model_validate({"source": {"path": "tickets.csv"}, "text": "note", "label": "topic", "group": "shop"})
    found = doubts_of_table(sources.read(data.source, data=data, base=tmp_path), data, Doubting(folds=3, draws=50))
    assert {one.row for one in found.doubts[:2]} == {3, 8}
    assert {"labels_doubted", "labels_conflicting"} <= {row["metric"] for row in found.scores}
    assert not any("head" in reason for reason in found.reasons)
