"""The types that carry rows through a run, all of them over Arrow arrays and NumPy: no object for a row.

What may be learned from is a type of its own: ``Unlabelled`` has no labels, so that training code
that is given the pool cannot reach them, whatever it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Rows = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class SourceTable:
    """A table as it was read, before anything is left out.

    Attributes:
        table: The columns that the recipe uses, under their own names, each ``large_string``; an empty
            cell is null. A row's number is its place in here, counted from 0.
        digest: SHA-256 of the used columns' names and content, the same on every platform.
        described: ``name``, ``version``, ``licence``, ``url``, ``rows``, ``redistributable``, ``notes``.
    """

    table: pa.Table
    digest: str
    described: Mapping[str, Any]

    def __len__(self) -> int:
        """Number of rows."""
        return int(self.table.num_rows)


@dataclass(frozen=True)
class Unlabelled:
    """Rows whose labels nobody may see: the pool.

    Attributes:
        rows: Row numbers in the source table, shape ``(n,)``.
        texts: ``large_string`` array of length ``n``.
        groups: Group of each row, or ``None`` where the recipe names no group.
        slices: Attribute name to its ``large_string`` values, each of length ``n``.
    """

    rows: Rows
    texts: pa.Array
    groups: pa.Array | None = None
    slices: Mapping[str, pa.Array] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)


@dataclass(frozen=True)
class Labelled:
    """Rows with their labels.

    Attributes:
        rows: Row numbers in the source table, shape ``(n,)``.
        texts: ``large_string`` array of length ``n``.
        labels: Index into the run's classes, shape ``(n,)``.
        groups: Group of each row, or ``None`` where the recipe names no group.
        slices: Attribute name to its ``large_string`` values, each of length ``n``.
    """

    rows: Rows
    texts: pa.Array
    labels: Labels
    groups: pa.Array | None = None
    slices: Mapping[str, pa.Array] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)


@dataclass(frozen=True)
class Splits:
    """The parts of a table, as one seed draws them.

    Attributes:
        classes: Names of the classes, sorted; a label is an index into it.
        train: Labelled rows to learn from.
        validation: Labelled rows to choose and calibrate with; part of the label budget.
        pool: Unlabelled rows.
        reserve: Rows like ``train`` that stand in neither labels nor pool.
        tests: ``test`` (the headline) and the further declared ones, ``test_<name>``.
        seed: The seed that drew them.
    """

    classes: tuple[str, ...]
    train: Labelled
    validation: Labelled
    pool: Unlabelled
    reserve: Labelled
    tests: Mapping[str, Labelled]
    seed: int
