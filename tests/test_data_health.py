"""Leakage is judged, removed or refused before anything is trained, and health is told in words."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from workbench.data import Health, SourceTable, prepare, rows_table
from workbench.data.sentences import duplicate_sentences
from workbench.errors import DataError
from workbench.recipe import Data

WORDS = [f"word{n}" for n in range(3000)]
REASON = "the groups are days of one week, and that does no harm"


def phrase(number: int) -> str:
    places = np.random.default_rng(number).integers(0, len(WORDS), 9)
    return " ".join(WORDS[place] for place in places)


def columns(rows: int = 600) -> dict[str, list]:
    return {
        "text": [phrase(n) for n in range(rows)],
        "label": [f"c{n % 3}" for n in range(rows)],
        "group": [f"g{n % 60}" for n in range(rows)],
        "part": ["test" if n % 5 == 0 else "train" for n in range(rows)],
    }


def source(content: dict[str, list]) -> SourceTable:
    table = pa.table({name: pa.array(values, pa.large_string()) for name, values in content.items()})
    described = {"name": "t", "version": "1", "licence": "own", "url": "", "rows": len(table), "notes": []}
    return SourceTable(table, "0" * 64, {**described, "redistributable": False})


def data(**more) -> Data:
    return Data.model_validate({"source": {"table": "given"}, **more})


BY_COLUMN = {"by": "column", "column": "part"}


def test_a_clean_table_is_told_to_be_clean():
    health = prepare(data(group="group", splits={"by": "group"}), source(columns()), 0).health
    assert health.refusals == ()
    assert all(found == {"before": 0, "after": 0} for found in health.leaks.values())
    assert "No row to learn from shares its group, text or near-text with test." in health.sentences


def test_copies_of_test_texts_are_taken_out_of_what_is_learned_from():
    content = columns()
    test = prepare(data(), source(content), 0).splits.tests["test"].rows
    learn = np.setdiff1d(np.arange(600), test)
    content["text"][learn[0]] = content["text"][test[0]].upper() + " "
    content["text"][learn[1]] = " ".join(reversed(content["text"][test[1]].split()))
    prepared = prepare(data(labelled={"per_class": 20}), source(content), 0)
    health, splits = prepared.health, prepared.splits
    assert health.leaks["text"] == {"before": 1, "after": 0}
    assert health.leaks["near_text"] == {"before": 1, "after": 0}
    used = np.concatenate([splits.train.rows, splits.validation.rows, splits.pool.rows, splits.reserve.rows])
    assert not np.isin(learn[:2], used).any()
    assert health.removed["leaking"] == 2
    assert any("1 row with the same text as a row of test, 1 with nearly the same words" in s for s in health.sentences)


def test_groups_torn_apart_by_a_random_split_are_refused_unless_allowed():
    with pytest.raises(DataError) as caught:
        prepare(data(group="group"), source(columns()), 0)
    assert "stand on both sides" in caught.value.problem
    assert "by: group" in caught.value.what_to_do
    assert "allow_leakage" in caught.value.what_to_do
    health = prepare(data(group="group", allow_leakage=REASON), source(columns()), 0).health
    assert health.allow_leakage == REASON
    assert len(health.refusals) == 1
    assert health.leaks["group"]["after"] > 0
    assert any(REASON in sentence for sentence in health.sentences)


def test_a_given_split_that_leaks_is_refused_with_every_way_in_which_it_does():
    content = columns()
    content["text"][1] = content["text"][0]
    content["text"][2] = " ".join(reversed(content["text"][5].split()))
    with pytest.raises(DataError) as caught:
        prepare(data(group="group", splits=BY_COLUMN), source({**content, "group": ["one"] * 600}), 0)
    assert len(caught.value.problems) == 3
    allowed = prepare(data(splits=BY_COLUMN, allow_leakage=REASON), source(content), 0)
    assert allowed.health.leaks["text"] == {"before": 1, "after": 1}
    assert {1, 2} <= set(allowed.splits.train.rows.tolist() + allowed.splits.validation.rows.tolist())


def test_a_reason_for_leakage_does_not_excuse_a_class_that_is_too_small():
    content = columns()
    content["label"][7] = content["label"][8] = "rare"
    with pytest.raises(DataError, match="too few labelled rows") as caught:
        prepare(data(allow_leakage=REASON), source(content), 0)
    assert "'rare' (1)" in caught.value.problem
    assert "At least 3" in caught.value.would_be_right


def test_a_test_without_rows_is_refused():
    rules = {"further_tests": {"none": {"where": {"part": ["test"]}, "groups": "unseen"}}, "test_where": {}}
    content = {**columns(), "part": ["train"] * 599 + ["test"]}
    with pytest.raises(DataError, match="test_none has no rows"):
        prepare(data(splits=rules), source({**content, "label": [*columns()["label"][:599], None]}), 0)


def test_predicates_that_leave_nothing_to_test_on_are_refused():
    content = {**columns(), "kind": ["a"] * 500 + ["b"] * 100}
    content["label"][500:] = [None] * 100
    rules = {"by": "group", "test_where": {"kind": ["b"]}, "train_where": {"kind": ["a"]}}
    with pytest.raises(DataError, match="The split test has no rows"):
        prepare(data(group="group", splits=rules), source(content), 0)


def test_texts_of_validation_and_reserve_stand_in_no_other_learning_split():
    content = columns()
    content["text"] = [phrase(n % 300) for n in range(600)]
    splits = prepare(data(labelled={"per_class": 20}), source(content), 0).splits
    others = set(splits.train.texts.to_pylist()) | set(splits.pool.texts.to_pylist())
    assert others.isdisjoint(splits.validation.texts.to_pylist())
    assert others.isdisjoint(splits.reserve.texts.to_pylist())


def test_a_transductive_test_is_called_so():
    content = {**columns(), "kind": ["b" if n % 2 else "a" for n in range(600)]}
    content["group"] = [f"g{n // 10}" for n in range(600)]
    rules = {"by": "group", "train_where": {"kind": ["a"]}, "test_where": {"kind": ["b"]}}
    rules["further_tests"] = {"pool": {"where": {"kind": ["b"]}, "groups": "seen"}}
    health = prepare(data(group="group", splits=rules), source(content), 0).health
    assert any(sentence.startswith("test_pool is transductive: 100%") for sentence in health.sentences)


def test_empty_texts_conflicts_and_repetition_are_counted():
    content = columns()
    content["text"][0] = " "
    content["text"][1] = None
    content["text"][2:8] = ["the same short text"] * 6
    health = prepare(data(labelled={"per_class": 20}), source(content), 0).health
    assert health.removed["empty"] == 2
    assert "2 rows without text are not used." in health.sentences
    assert sum(found["exact"] for name, found in health.duplicates.items() if name != "conflicting") >= 1


def test_rows_without_a_label_go_to_the_pool_and_are_told():
    content = columns()
    content["label"][:100] = [None] * 50 + ["  "] * 50
    prepared = prepare(data(), source(content), 0)
    assert prepared.health.unlabelled == len(prepared.splits.pool) == 100
    assert any(sentence.startswith("100 rows came without a label") for sentence in prepared.health.sentences)


def test_texts_with_two_labels_are_counted():
    content = {**columns(), "part": ["train"] * 500 + ["test"] * 100}
    content["text"][0] = content["text"][1] = "seen twice with two labels"
    health = prepare(data(splits=BY_COLUMN), source(content), 0).health
    assert health.duplicates["conflicting"] == 1
    assert any(sentence.startswith("1 text with more than one label") for sentence in health.sentences)


def test_a_table_of_sixty_rows_works_and_says_what_cannot_be_said():
    health = prepare(data(), source(columns(60)), 0).health
    told = " ".join(health.sentences)
    assert "test has 12 rows. Under 200 rows figures are rough" in told
    assert "Under 30 rows in test, so no figure for them alone holds: c0, c1, c2." in told
    assert "The pool is empty" in told
    assert "The reserve has no row" in told


def test_health_is_plain_json_and_says_nothing_of_the_pools_labels():
    prepared = prepare(data(group="group", splits={"by": "group"}, labelled={"per_class": 20}), source(columns()), 3)
    found = json.loads(json.dumps(prepared.health.to_json(), allow_nan=False))
    assert set(found) >= {
        "sentences",
        "refusals",
        "allow_leakage",
        "leaks",
        "removed",
        "counts",
        "duplicates",
        "lengths",
    }
    assert found["seed"] == 3
    assert Health.from_json(found) == prepared.health
    assert "classes" in found["counts"]["train"]
    assert "classes" not in found["counts"]["pool"]


def test_rows_of_every_split_are_listed_without_texts():
    prepared = prepare(
        data(group="group", slices=["part", "label"], splits={"by": "group"}, labelled={"per_class": 20}),
        source(columns()),
        0,
    )
    rows = rows_table(prepared)
    assert rows.column_names == ["row", "split", "group", "part", "label"]
    assert len(rows) == 600
    pool = rows.filter(pc.equal(rows["split"], "pool"))
    assert pool["label"].null_count == len(pool) > 0
    assert rows["row"].to_pylist() != sorted(rows["row"].to_pylist())


def test_long_texts_are_said_to_be_cut():
    content = columns()
    content["text"][0] = phrase(0) * 20
    told = " ".join(prepare(data(), source(content), 0).health.sentences)
    assert "encoder reading 128 tokens cuts them" in told


@pytest.mark.parametrize(
    ("exact", "near", "said"),
    [
        (1, 1, "Inside train 1 row repeats an earlier text and 1 comes near one."),
        (2, 0, "Inside train 2 rows repeat an earlier text and 0 come near one."),
        (0, 3, "Inside train 0 rows repeat an earlier text and 3 come near one."),
    ],
)
def test_one_row_repeats_and_two_rows_repeat(exact, near, said):
    assert list(duplicate_sentences({"train": {"exact": exact, "near": near}, "conflicting": 0})) == [said]
