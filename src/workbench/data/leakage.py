"""Leakage: what may be learned from must not hold what ``test`` asks.

Judged three ways: the same group, the same text, nearly the same words. Splits that are computed here are
cleaned of the last two; splits that a table gives, and groups that a random split tears apart, are
refused unless the recipe gives a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from workbench.data.duplicates import band_keys, near_rows
from workbench.data.problems import Problem, count
from workbench.data.roles import Mask, Roles
from workbench.data.splits import Plan
from workbench.data.table import Rows
from workbench.data.words import Hashes, WordSets, text_keys, word_sets
from workbench.recipe import Data


@dataclass(frozen=True)
class Fingerprints:
    """What texts are compared by, of every row of a source table.

    Attributes:
        keys: Equal for equal normalised texts, shape ``(n,)``.
        words: Sets of words.
        bands: Band keys of the MinHash signatures, shape ``(bands, n)``.
    """

    keys: Rows
    words: WordSets
    bands: Hashes


@dataclass(frozen=True)
class Leaks:
    """Which rows to learn from leak a test row, by way; masks of shape ``(len(learn),)``.

    Attributes:
        group: They share a group with a row of test.
        text: They have the same normalised text.
        near_text: Their words are nearly the same, the text is not.
    """

    group: Mask
    text: Mask
    near_text: Mask

    def counts(self) -> dict[str, int]:
        """Number of leaking rows by way."""
        return {name: int(getattr(self, name).sum()) for name in ("group", "text", "near_text")}


def fingerprints(by_role: Roles, threshold: float) -> Fingerprints:
    """Keys, words and band keys of every row."""
    words = word_sets(by_role.texts)
    return Fingerprints(text_keys(by_role.texts), words, band_keys(words, threshold))


def leaks(by_role: Roles, learn: Rows, test: Rows, prints: Fingerprints, data: Data) -> Leaks:
    """Judge rows to learn from against a test.

    Args:
        by_role: The table's columns.
        learn: Rows to learn from, shape ``(l,)``.
        test: Rows to test on.
        prints: Fingerprints of all rows.
        data: Names the group column and the threshold.
    """
    text = np.isin(prints.keys[learn], prints.keys[test])
    near = near_rows(prints.words, prints.bands, learn, test, data.splits.near_duplicate)
    group = np.zeros(len(learn), dtype=bool)
    if data.group is not None:
        group = np.isin(by_role.group_codes[learn], by_role.group_codes[test])
    return Leaks(group, text, near & ~text)


def without_copies(planned: Plan, found: Leaks) -> Plan:
    """The plan without the rows to learn from whose text is, exactly or nearly, a test text."""
    return replace(planned, learn=planned.learn[~(found.text | found.near_text)])


def leak_problems(found: dict[str, int], data: Data) -> list[Problem]:
    """A problem for each way in which rows still leak.

    Args:
        found: Number of leaking rows by way, after copies were removed where that is done.
        data: Says how the splits are made.
    """
    allow = 'or, if you know why it does no harm, write allow_leakage: "<reason>" in data.'
    by_column = data.splits.by == "column"
    problems = []
    if found["group"]:
        do = f"Correct the column {data.splits.column!r}" if by_column else "Write splits: {by: group} in the recipe"
        problems.append(
            Problem(
                f"Groups ({data.group!r}) stand on both sides: {count(found['group'], 'row')} to learn from "
                "belong to groups of test rows.",
                "Groups that stand either in what is learned from or in test: what is alike in a group is otherwise "
                "learned by heart.",
                f"{do}, {allow}",
            )
        )
    for way, words in (("text", "have the same text as"), ("near_text", "have nearly the same words as")):
        if found[way]:
            problems.append(
                Problem(
                    f"Test texts are known: {count(found[way], 'row')} to learn from {words} a row of test.",
                    "Test texts that were never seen.",
                    f"Remove those rows from one side, use splits: {{by: random}}, {allow}",
                )
            )
    return problems
