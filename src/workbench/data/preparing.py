"""From a table to splits that may be trained on: plan, judge leakage, clean, draw, judge health.

``prepare`` raises before anything is trained, with everything that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from workbench.data import sentences
from workbench.data.health import Health, counted, duplicated, size_problems, small_classes, text_lengths
from workbench.data.leakage import Fingerprints, Leaks, fingerprints, leak_problems, leaks, without_copies
from workbench.data.problems import Problem, refuse
from workbench.data.roles import Roles, roles
from workbench.data.splits import Drawn, Plan, assembled, draw, plan
from workbench.data.table import Labelled, Rows, SourceTable, Splits, Unlabelled
from workbench.recipe import Data


@dataclass(frozen=True)
class Prepared:
    """Splits that may be trained on, and what was found about them."""

    splits: Splits
    health: Health


@dataclass(frozen=True)
class Examined:
    """Splits as they would be, and everything that stands against training on them.

    Attributes:
        splits: The splits.
        health: What was found about them.
        sizes: Tests without rows, classes too small.
        leaking: Ways in which test leaks; no obstacle where the recipe gives a reason to go on.
        small: Classes too small to learn from, with their labelled rows.
    """

    splits: Splits
    health: Health
    sizes: tuple[Problem, ...]
    leaking: tuple[Problem, ...]
    small: Mapping[str, int]

    @property
    def problems(self) -> list[Problem]:
        """What ``prepare`` refuses."""
        return [*self.sizes, *(() if self.health.allow_leakage else self.leaking)]


@dataclass(frozen=True)
class Course:
    """What became of a table on the way to its splits.

    Attributes:
        by_role: The table's columns.
        prints: What texts are compared by.
        learn: Rows to learn from before any was taken out.
        before: Which of them leak test.
        planned: Tests and rows to learn from, after that.
        drawn: Row numbers of the learning splits.
    """

    by_role: Roles
    prints: Fingerprints
    learn: Rows
    before: Leaks
    planned: Plan
    drawn: Drawn


def prepare(data: Data, source: SourceTable, seed: int) -> Prepared:
    """Split a table and judge it.

    Args:
        data: The recipe's part.
        source: The table.
        seed: Draws labels, reserve and pool; the tests are the same for every seed.

    Raises:
        DataError: If a class is too small, a test is empty, or test leaks and the recipe gives no reason to go on.
    """
    examined = examine(data, source, seed)
    refuse(examined.problems, "The table")
    return Prepared(examined.splits, examined.health)


def examine(data: Data, source: SourceTable, seed: int) -> Examined:
    """Split a table and judge it, without refusing it: for who wants to see what ``prepare`` would refuse.

    Args:
        data: The recipe's part.
        source: The table.
        seed: Draws labels, reserve and pool.
    """
    by_role = roles(source.table, data)
    prints = fingerprints(by_role, data.splits.near_duplicate)
    planned = plan(by_role, data.splits)
    learn = planned.learn
    before = leaks(by_role, learn, planned.tests["test"], prints, data)
    if data.splits.by != "column":
        planned = without_copies(planned, before)
    drawn = draw(by_role, planned, data, prints.keys, seed)
    splits = assembled(by_role, planned, drawn, seed)
    course = Course(by_role, prints, learn, before, planned, drawn)
    leaking = leak_problems({way: found["after"] for way, found in leak_counts(course).items()}, data)
    return Examined(
        splits=splits,
        health=judged(splits, course, data, [problem.what for problem in leaking]),
        sizes=tuple(size_problems(splits, data)),
        leaking=tuple(leaking),
        small=small_classes(splits, data),
    )


def leak_counts(course: Course) -> dict[str, dict[str, int]]:
    """Rows to learn from that leak test, by way, before and after copies were taken out."""
    kept = np.isin(course.learn, course.planned.learn)
    return {
        way: {"before": number, "after": int(getattr(course.before, way)[kept].sum())}
        for way, number in course.before.counts().items()
    }


def removed_counts(course: Course) -> dict[str, int]:
    """Rows that are not used, by reason."""
    planned, drawn = course.planned, course.drawn
    return {
        "empty": course.by_role.empty,
        "excluded": course.by_role.excluded,
        "unmatched": planned.unmatched,
        "held_out_groups": planned.held_back,
        "leaking": len(course.learn) - len(planned.learn),
        "apart": drawn.set_aside,
        "over_cap": planned.over_cap + drawn.over_cap,
    }


def known_counts(course: Course, data: Data) -> dict[str, dict[str, int]]:
    """Of each further test: its rows, those of groups to learn from, those that copy a text to learn from."""
    found = {}
    for name, rows in course.planned.tests.items():
        if name != "test":
            shared = leaks(course.by_role, rows, course.planned.learn, course.prints, data)
            copies = int((shared.text | shared.near_text).sum())
            found[name] = {"rows": len(rows), "group": int(shared.group.sum()), "copies": copies}
    return found


def judged(splits: Splits, course: Course, data: Data, refusals: list[str]) -> Health:
    """Numbers and sentences about the splits."""
    counts = counted(splits, course.by_role)
    removed = removed_counts(course)
    unlabelled = int((course.by_role.usable & (course.by_role.labels < 0)).sum())
    leaking = leak_counts(course)
    duplicates = duplicated(splits, course.prints, data.splits.near_duplicate)
    lengths = text_lengths(course.prints.words.lengths[course.by_role.usable])
    told = [
        *sentences.size_sentences(counts, data),
        *sentences.leak_sentences(leaking, data),
        *sentences.known_sentences(known_counts(course, data)),
        *sentences.class_sentences(counts),
        *sentences.removal_sentences(removed, unlabelled),
        *sentences.duplicate_sentences(duplicates),
        *sentences.length_sentences(lengths),
    ]
    return Health(
        sentences=tuple(told),
        refusals=tuple(refusals),
        allow_leakage=data.allow_leakage,
        leaks=leaking,
        unlabelled=unlabelled,
        removed=removed,
        counts=counts,
        duplicates=duplicates,
        lengths=lengths,
        seed=splits.seed,
    )


def rows_table(prepared: Prepared) -> pa.Table:
    """Which row stands in which split, for ``data/rows.parquet``: row, split, group and slices, no text.

    A row may stand in two tests of held-out groups; it then has two lines.
    """
    splits = prepared.splits
    parts: list[tuple[str, Labelled | Unlabelled]] = [
        ("train", splits.train),
        ("validation", splits.validation),
        ("pool", splits.pool),
        ("reserve", splits.reserve),
        *splits.tests.items(),
    ]
    return pa.concat_tables([part_table(name, part) for name, part in parts], promote_options="default")


def part_table(name: str, part: Labelled | Unlabelled) -> pa.Table:
    """The lines of one split; a slice called like one of the three fixed columns gives way to it."""
    names = pa.array([name], pa.large_string()).take(pa.array(np.zeros(len(part), dtype=np.int64)))
    fixed = {"row": pa.array(part.rows), "split": names}
    if part.groups is not None:
        fixed["group"] = part.groups
    return pa.table({**fixed, **{one: values for one, values in part.slices.items() if one not in fixed}})
