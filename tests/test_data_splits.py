"""How rows become train, validation, pool, reserve and tests."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from workbench.data import Unlabelled, make_splits
from workbench.data.drawing import rank_in_class, shares, shuffled
from workbench.data.health import split_rows
from workbench.recipe import Data

SOURCE = {"table": "given"}


def table(rows: int = 1200, groups: int = 60, classes: int = 3, unlabelled: int = 0) -> pa.Table:
    """Rows with texts of their own; a group has one class, every third row is of kind b."""
    numbers = np.arange(rows)
    group = numbers % groups
    labels = [f"c{g % classes}" if n >= unlabelled else None for n, g in zip(numbers, group, strict=True)]
    columns = {
        "text": [f"text {n}" for n in numbers],
        "label": labels,
        "group": [f"g{g}" for g in group],
        "kind": ["b" if n % 3 == 0 else "a" for n in numbers // groups],
    }
    return pa.table({name: pa.array(values, pa.large_string()) for name, values in columns.items()})


def data(**more) -> Data:
    return Data.model_validate({"source": SOURCE, "group": "group", **more})


def taken(splits) -> np.ndarray:
    return np.concatenate(
        [*(part for name, part in split_rows(splits).items() if name in LEARNING), *rows_tested(splits)]
    )


def rows_tested(splits) -> list[np.ndarray]:
    return [part.rows for part in splits.tests.values()]


LEARNING = ("train", "validation", "pool", "reserve")


def test_held_out_groups_stand_in_test_alone():
    made = make_splits(table(), data(splits={"by": "group"}, labelled={"per_class": 50}), 0)
    held = set(made.tests["test"].groups.to_pylist())
    assert len(held) == 12, "a fifth of 60 groups"
    for name in LEARNING:
        assert held.isdisjoint(getattr(made, name).groups.to_pylist()), name
    assert len(np.unique(taken(made))) == len(taken(made)) == 1200


def test_held_out_groups_come_from_every_class():
    made = make_splits(table(), data(splits={"by": "group"}, labelled={"per_class": 50}), 0)
    assert np.bincount(made.tests["test"].labels).tolist() == [80, 80, 80]


def rows_tested_of_held_out_groups_that_are_no_rows_tested_are_used_nowhere():
    rules = {"by": "group", "train_where": {"kind": ["a"]}, "test_where": {"kind": ["b"]}}
    rules["further_tests"] = {"seen": {"where": {"kind": ["b"]}, "groups": "seen"}}
    source = table()
    made = make_splits(source, data(splits=rules, labelled={"per_class": 50}), 0)
    kinds = np.array(source["kind"].to_pylist())
    groups = np.array(source["group"].to_pylist())
    held = np.isin(groups, made.tests["test"].groups.to_pylist())
    assert set(kinds[made.tests["test"].rows]) == {"b"}
    assert set(kinds[taken(make_splits(source, data(splits=rules), 0))]) == {"a", "b"}
    assert not np.isin(np.flatnonzero(held & (kinds == "a")), taken(made)).any()
    assert np.array_equal(made.tests["test_seen"].rows, np.flatnonzero(~held & (kinds == "b")))
    assert set(kinds[made.pool.rows]) == {"a"}


def test_the_label_budget_counts_validation_in():
    made = make_splits(table(), data(splits={"by": "group"}, labelled={"per_class": 50}), 0)
    assert np.bincount(made.train.labels).tolist() == [40, 40, 40]
    assert np.bincount(made.validation.labels).tolist() == [10, 10, 10]


def test_the_pool_has_no_labels_to_reach():
    made = make_splits(table(), data(slices=["kind", "label"], labelled={"per_class": 50}), 0)
    assert isinstance(made.pool, Unlabelled)
    assert "labels" not in {field.name for field in dataclasses.fields(made.pool)}
    assert set(made.pool.slices) == {"kind"}
    assert set(made.train.slices) == {"kind", "label"}


def test_the_seed_draws_the_labels_and_leaves_the_test_as_it_is():
    first, again, other = (make_splits(table(), data(labelled={"per_class": 50}), seed) for seed in (0, 0, 1))
    for name, rows in split_rows(first).items():
        assert np.array_equal(rows, split_rows(again)[name])
    assert not np.array_equal(first.train.rows, other.train.rows)
    assert np.array_equal(first.tests["test"].rows, other.tests["test"].rows)


def test_a_drawing_is_the_same_on_every_platform():
    assert shuffled(np.arange(10), 0, 0).tolist() == [3, 2, 1, 8, 6, 0, 7, 4, 5, 9]


def test_a_random_split_is_stratified_by_class():
    rows = pa.table({"text": [f"t {n}" for n in range(1000)], "label": ["x"] * 900 + ["y"] * 100})
    made = make_splits(rows, data(group=None), 0)
    assert np.bincount(made.tests["test"].labels).tolist() == [180, 20]


def test_without_a_budget_every_label_is_used_and_the_pool_is_what_has_none():
    made = make_splits(table(unlabelled=300), data(group=None), 0)
    counts = {name: len(rows) for name, rows in split_rows(made).items()}
    assert counts == {"train": 519, "validation": 144, "pool": 300, "reserve": 57, "test": 180}
    assert sum(counts.values()) == 1200
    assert set(made.pool.rows) == set(range(300))


def test_the_reserve_has_the_proportions_of_train():
    made = make_splits(table(6000), data(labelled={"per_class": 50}, splits={"reserve": 1000}), 0)
    assert np.bincount(made.reserve.labels).tolist() == [334, 333, 333]
    small = make_splits(table(600), data(labelled={"per_class": 50}, splits={"reserve": 1000}), 0)
    left = 480 - 150
    assert 0 < len(small.reserve) <= left / 4


def test_a_table_of_sixty_rows_works():
    made = make_splits(table(60), data(group=None), 0)
    counts = {name: len(rows) for name, rows in split_rows(made).items()}
    assert counts == {"train": 39, "validation": 9, "pool": 0, "reserve": 0, "test": 12}


def test_caps_hold():
    rules = {"max_pool": 50, "max_test": 30, "reserve": 0}
    made = make_splits(table(), data(splits=rules, labelled={"per_class": 50}), 0)
    assert (len(made.pool), len(made.tests["test"]), len(made.reserve)) == (50, 30, 0)


def test_a_split_column_is_taken_as_it_is():
    given = ["train"] * 700 + ["test"] * 200 + ["test_hard"] * 100 + ["pool"] * 100 + [None] * 100
    source = table().append_column("part", pa.array(given, pa.large_string()))
    made = make_splits(source, data(splits={"by": "column", "column": "part"}), 0)
    assert np.array_equal(made.tests["test"].rows, np.arange(700, 900))
    assert np.array_equal(made.tests["test_hard"].rows, np.arange(900, 1000))
    assert np.array_equal(np.union1d(made.train.rows, made.validation.rows), np.arange(700))
    assert np.array_equal(made.pool.rows, np.arange(1000, 1100))
    few = make_splits(source, data(splits={"by": "column", "column": "part"}, labelled={"per_class": 50}), 0)
    assert (len(few.train), len(few.validation), len(few.pool)) == (120, 30, 650)


def test_classes_left_out_and_empty_texts_are_used_nowhere():
    source = table().set_column(0, "text", pa.array([" "] * 10 + [f"t {n}" for n in range(1190)], pa.large_string()))
    made = make_splits(source, data(exclude_classes=["c1"], labelled={"per_class": 20}), 0)
    assert made.classes == ("c0", "c2")
    assert min(taken(made)) >= 10
    assert "c1" not in np.array(source["label"].to_pylist())[taken(made)]


def rows_tested_without_a_group_are_groups_of_their_own():
    source = table()
    lost = pa.array([None if n % 2 else f"g{n % 60}" for n in range(1200)], pa.large_string())
    made = make_splits(source.set_column(2, "group", lost), data(splits={"by": "group"}), 0)
    assert 0 < made.tests["test"].groups.null_count < 200


@pytest.mark.parametrize("labels", [[], [0], [2, 0, 2, 2, 0, 1]])
def test_ranks_count_earlier_rows_of_the_same_class(labels):
    expected = [labels[:place].count(label) for place, label in enumerate(labels)]
    assert rank_in_class(np.array(labels, dtype=np.int32)).tolist() == expected


def test_shares_add_up_and_follow_the_weights():
    assert shares(1000, np.array([40, 40, 40])).tolist() == [334, 333, 333]
    assert shares(7, np.array([0, 1, 3])).tolist() == [0, 2, 5]
    assert shares(5, np.array([0, 0])).tolist() == [0, 0]
