"""Rows become train, validation, pool, reserve and tests.

The tests come first and are the same for every seed; the seed draws labels, reserve and pool from the rows
that are left, so that seeds can be compared row by row. Nothing here looks at a pool row's label except
the draw of the label budget, which stands for the person who labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.data.drawing import BUDGET, CAPPED, HELD_OUT, POOL, RESERVE, capped, rank_in_class, shares, shuffled
from workbench.data.roles import Mask, Roles, roles
from workbench.data.table import Rows, Splits
from workbench.recipe import Data, LabelBudget, SplitRules

HELD_OUT_SEED = 0
LEAST_RESERVE = 20
LEARNING = ("train", "validation", "pool", "reserve")


@dataclass(frozen=True)
class Plan:
    """Which rows test, and which may be learned from.

    Attributes:
        tests: ``test`` and ``test_<name>`` to row numbers, ascending.
        learn: Rows that may be labelled, pooled or reserved, ascending.
        given: With a split column, what it says for the learning splits; else empty.
        unmatched: Number of usable rows that no rule takes.
        held_back: Number of usable rows of held-out groups that are no test rows.
        over_cap: Number of test rows beyond ``max_test``.
    """

    tests: Mapping[str, Rows]
    learn: Rows
    given: Mapping[str, Rows] = field(default_factory=dict)
    unmatched: int = 0
    held_back: int = 0
    over_cap: int = 0


@dataclass(frozen=True)
class Drawn:
    """The learning splits.

    Attributes:
        rows: Split to row numbers, ascending.
        set_aside: Number of rows whose text also stands in validation or reserve.
        over_cap: Number of pool rows beyond ``max_pool``.
    """

    rows: Mapping[str, Rows]
    set_aside: int = 0
    over_cap: int = 0


def make_splits(table: pa.Table, data: Data, seed: int) -> Splits:
    """Split a table by the recipe's rules, without looking for leakage (``prepare`` does both).

    Args:
        table: Columns of ``large_string``, as a source gives them.
        data: The recipe's part.
        seed: Draws labels, reserve and pool; the tests do not depend on it.
    """
    by_role = roles(table, data)
    planned = plan(by_role, data.splits)
    keys = np.arange(len(by_role))
    return assembled(by_role, planned, draw(by_role, planned, data, keys, seed), seed)


def plan(by_role: Roles, rules: SplitRules) -> Plan:
    """Decide on the tests and on the rows to learn from."""
    if rules.by == "column":
        return plan_by_column(by_role, rules)
    testable = by_role.usable & (by_role.labels >= 0) & by_role.where(rules.test_where)
    held = held_out(by_role, testable, rules)
    tests = {"test": np.flatnonzero(testable & held)}
    taken = held.copy()
    for name, rule in rules.further_tests.items():
        side = held if rule.groups == "unseen" else ~held
        chosen = by_role.usable & (by_role.labels >= 0) & by_role.where(rule.where) & side
        tests[f"test_{name}"] = np.flatnonzero(chosen)
        taken |= chosen
    learn = by_role.usable & by_role.where(rules.train_where) & ~taken
    unused = by_role.usable & ~learn
    unused[np.concatenate(list(tests.values()))] = False
    kept = capped_tests(tests, rules)
    return Plan(
        kept,
        np.flatnonzero(learn),
        unmatched=int((unused & ~held).sum()),
        held_back=int((unused & held).sum()),
        over_cap=sum(len(tests[name]) - len(kept[name]) for name in tests),
    )


def plan_by_column(by_role: Roles, rules: SplitRules) -> Plan:
    """Take the splits as the table gives them, as far as the predicates let rows through."""
    assert rules.column is not None  # noqa: S101  (the recipe's own check)
    names = sorted(name for name in by_role.columns[rules.column].unique().drop_null().to_pylist() if name.strip())
    allowed = {True: by_role.where(rules.train_where), False: by_role.where(rules.test_where)}
    found = {}
    for name in names:
        mask = by_role.usable & by_role.where({rules.column: [name]})
        if name in LEARNING or name == "test":
            mask &= allowed[name in LEARNING]
        found[name] = np.flatnonzero(mask if name in LEARNING else mask & (by_role.labels >= 0))
    given = {name: rows for name, rows in found.items() if name in LEARNING}
    tests = {name: rows for name, rows in found.items() if name not in LEARNING}
    kept = capped_tests(tests, rules)
    return Plan(
        kept,
        np.sort(np.concatenate(list(given.values()))),
        given,
        unmatched=int(by_role.usable.sum()) - sum(len(rows) for rows in found.values()),
        over_cap=sum(len(tests[name]) - len(kept[name]) for name in tests),
    )


def capped_tests(tests: Mapping[str, Rows], rules: SplitRules) -> dict[str, Rows]:
    """Each test with at most ``max_test`` rows, the headline first."""
    ordered = sorted(tests, key=lambda name: (name != "test", name))
    return {name: capped(tests[name], rules.max_test, HELD_OUT_SEED, CAPPED) for name in ordered}


def held_out(by_role: Roles, testable: Mask, rules: SplitRules) -> Mask:
    """Rows of the groups (or the single rows) that are held out for testing; shape ``(n,)``.

    Of the groups that have rows to test on, ``test_share`` is drawn within each class (a group belongs to
    the class that most of its test rows have), at least one and never all of them. Every row of
    a drawn group is held out, whether it is a test row or not.
    """
    rows = np.flatnonzero(testable)
    units = by_role.group_codes if rules.by == "group" else np.arange(len(by_role))
    names, classes = main_class(units[rows], by_role.labels[rows])
    order = shuffled(np.arange(len(names)), HELD_OUT_SEED, HELD_OUT)
    names, classes = names[order], classes[order]
    sizes = np.bincount(classes, minlength=len(by_role.classes))
    wanted = np.clip(np.rint(sizes * rules.test_share).astype(np.int64), 1, np.maximum(sizes - 1, 0))
    chosen = names[rank_in_class(classes) < wanted[classes]]
    return np.isin(units, chosen)


def main_class(
    units: npt.NDArray[np.int64], labels: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Each distinct unit, ascending, and the label that most of its rows have (the lowest one in a tie)."""
    names, inverse = np.unique(units, return_inverse=True)
    width = int(labels.max(initial=0)) + 1
    cells, counts = np.unique(inverse * width + labels, return_counts=True)
    order = np.lexsort((cells % width, -counts, cells // width))
    first = order[np.unique(cells[order] // width, return_index=True)[1]] if len(order) else order
    return names, (cells[first] % width).astype(np.int32)


def draw(by_role: Roles, planned: Plan, data: Data, keys: npt.NDArray[np.int64], seed: int) -> Drawn:
    """Draw labels, reserve and pool from the rows to learn from.

    Args:
        by_role: The table's columns.
        planned: Tests and rows to learn from, those that leak already taken out.
        data: The recipe's part.
        keys: Number of each row's normalised text, shape ``(n,)``: equal texts have equal numbers. Texts of
            validation and reserve stand in no other learning split.
        seed: Seed of the draw.
    """
    if planned.given:
        return draw_given(by_role, planned, data, seed)
    order = shuffled(planned.learn, seed, BUDGET)
    candidates = order[by_role.labels[order] >= 0]
    candidates = candidates[np.sort(np.unique(keys[candidates], return_index=True)[1])]
    train, validation, left = budgeted(candidates, by_role.labels, data.labelled)
    reserve = reserved(train, left, by_role.labels, data, seed)
    apart = np.isin(keys[planned.learn], keys[np.concatenate([validation, reserve])])
    rest = planned.learn[~apart]
    if data.labelled.per_class is None:
        train = rest[by_role.labels[rest] >= 0]
    pool = np.setdiff1d(rest, train)
    set_aside = len(planned.learn) - len(rest) - len(validation) - len(reserve)
    rows = {
        "train": np.sort(train),
        "validation": np.sort(validation),
        "pool": capped(pool, data.splits.max_pool, seed, POOL),
        "reserve": np.sort(reserve),
    }
    return Drawn(rows, set_aside, over_cap=len(pool) - len(rows["pool"]))


def budgeted(candidates: Rows, labels: npt.NDArray[np.int32], budget: LabelBudget) -> tuple[Rows, Rows, Rows]:
    """Train, validation, and the labelled rows that are left over, from rows in random order.

    Without a budget every row is paid for: the leftover is then what training may still take, after the
    reserve has had its part.
    """
    rank = rank_in_class(labels[candidates])
    sizes = np.bincount(labels[candidates], minlength=int(labels.max(initial=0)) + 1)
    paid = sizes if budget.per_class is None else np.minimum(sizes, budget.per_class)
    for_validation = np.clip(np.rint(paid * budget.validation).astype(np.int64), 1, np.maximum(paid - 1, 0))
    own = labels[candidates]
    validation = candidates[rank < for_validation[own]]
    if budget.per_class is None:
        return np.empty(0, dtype=np.int64), validation, candidates[rank >= for_validation[own]]
    train = candidates[(rank >= for_validation[own]) & (rank < paid[own])]
    return train, validation, candidates[rank >= paid[own]]


def reserved(train: Rows, left: Rows, labels: npt.NDArray[np.int32], data: Data, seed: int) -> Rows:
    """The reserve, with classes in the proportions of train.

    With a label budget at most a quarter of what it leaves over is taken, without one a tenth of
    the labelled rows. Fewer than 20 rows would show nothing, so then none are kept.
    """
    like, part = (left, 10) if data.labelled.per_class is None else (train, 4)
    width = int(labels.max(initial=0)) + 1
    wanted = shares(min(data.splits.reserve, len(left) // part), np.bincount(labels[like], minlength=width))
    wanted = np.minimum(wanted, np.bincount(labels[left], minlength=width) // part)
    if wanted.sum() < LEAST_RESERVE:
        return np.empty(0, dtype=np.int64)
    order = shuffled(left, seed, RESERVE)
    return order[rank_in_class(labels[order]) < wanted[labels[order]]]


def draw_given(by_role: Roles, planned: Plan, data: Data, seed: int) -> Drawn:
    """Learning splits as a column gives them; a missing validation split comes out of train."""
    empty = np.empty(0, dtype=np.int64)
    rows = {name: planned.given.get(name, empty) for name in LEARNING}
    stated = rows["train"][by_role.labels[rows["train"]] >= 0]
    order = shuffled(stated, seed, BUDGET)
    if len(rows["validation"]):
        per_class = data.labelled.per_class
        rank = rank_in_class(by_role.labels[order])
        train = order if per_class is None else order[rank < per_class]
        validation = rows["validation"][by_role.labels[rows["validation"]] >= 0]
    else:
        train, validation, left = budgeted(order, by_role.labels, data.labelled)
        train = left if data.labelled.per_class is None else train
    labelled = np.union1d(train, validation)
    pool = np.union1d(rows["pool"], np.setdiff1d(rows["train"], labelled))
    drawn = {
        "train": np.sort(train),
        "validation": np.sort(validation),
        "pool": capped(pool, data.splits.max_pool, seed, POOL),
        "reserve": rows["reserve"][by_role.labels[rows["reserve"]] >= 0],
    }
    return Drawn(drawn, over_cap=len(pool) - len(drawn["pool"]))


def assembled(by_role: Roles, planned: Plan, drawn: Drawn, seed: int) -> Splits:
    """Row numbers turned into rows of their types."""
    return Splits(
        classes=by_role.classes,
        train=by_role.labelled(drawn.rows["train"]),
        validation=by_role.labelled(drawn.rows["validation"]),
        pool=by_role.unlabelled(drawn.rows["pool"]),
        reserve=by_role.labelled(drawn.rows["reserve"]),
        tests={name: by_role.labelled(rows) for name, rows in planned.tests.items()},
        seed=seed,
    )
