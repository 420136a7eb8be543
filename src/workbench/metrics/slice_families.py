"""Which groups of rows are looked at: the values of every attribute, and the cells of pairs of attributes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from workbench.metrics.scores import IntArray
from workbench.metrics.slice_table import Part


@dataclass(frozen=True)
class Rules:
    """What is scored, and how; the settings of the evidence.

    Attributes:
        label: Name of the label column; as a slice it is not standardised by itself.
        fewest: Rows that a figure needs.
        resamples: Resamples of a bootstrap.
        draws: Draws of a test.
        searches: Searches that share the level: named slices, and found ones where they are looked for.
        most_values: Values of an attribute, or cells of a pair, with rows of their own.
        most_pairs: Pairs of attributes that are looked at.
        seed: Seed of all draws.
        confidence: Coverage of the intervals.
    """

    label: str = "label"
    fewest: int = 30
    resamples: int = 2_000
    draws: int = 4_999
    searches: int = 2
    most_values: int = 40
    most_pairs: int = 10
    seed: int = 0
    confidence: float = 0.95


@dataclass(frozen=True)
class Family:
    """The groups of one attribute, or of an intersection of two.

    Attributes:
        names: Attributes.
        values: Slice of each group: attribute=value, several joined by “ & ”.
        codes: Number of each row's group (rows,).
    """

    names: tuple[str, ...]
    values: tuple[str, ...]
    codes: IntArray

    @property
    def whole(self) -> str:
        """The slice under which figures over all groups stand."""
        return " & ".join(f"{name}=*" for name in self.names)


def families_of(part: Part, rules: Rules) -> Iterator[Family]:
    """Every attribute, then pairs of attributes, as groups of rows.

    Args:
        part: One candidate on one split.
        rules: How many pairs.

    Yields:
        Families; pairs only where at least two of their cells have enough rows.
    """
    for name, values in part.slices.items():
        known, codes = np.unique(values, return_inverse=True)
        yield Family((name,), tuple(f"{name}={value}" for value in known), codes)
    for first, second in list(combinations(part.slices, 2))[: rules.most_pairs]:
        pair = np.stack([part.slices[first], part.slices[second]], axis=1)
        cells, codes = np.unique(pair, axis=0, return_inverse=True)
        codes = codes.ravel()
        if (np.bincount(codes) >= rules.fewest).sum() > 1:
            yield Family((first, second), tuple(f"{first}={a} & {second}={b}" for a, b in cells), codes)
