"""A table's columns by the part they play: text, class, group, slices and predicates.

Made once from a ``SourceTable`` and a recipe's ``Data``. Labels become class numbers, groups become
group numbers; a row that is not used (no text, a class left out) keeps its number and is marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.data.table import Labelled, Labels, Rows, Unlabelled
from workbench.recipe import Data

Mask = npt.NDArray[np.bool_]
UNLABELLED = -1


@dataclass(frozen=True)
class Roles:
    """The columns of a table by their part, row by row of the source table.

    Attributes:
        texts: ``large_string`` array, length ``n``; null where a text is missing.
        classes: Class names, sorted.
        labels: Class numbers, shape ``(n,)``; -1 where a row has no label.
        usable: Rows that may be used at all, shape ``(n,)``.
        groups: Group of each row, or ``None``.
        group_codes: Number of each row's group, shape ``(n,)``; a row without a group is one of its own.
        slices: Attribute name to values.
        columns: Every column, for predicates.
        label: Name of the label column.
        empty: Number of rows without text.
        excluded: Number of rows of classes left out.
    """

    texts: pa.Array
    classes: tuple[str, ...]
    labels: Labels
    usable: Mask
    groups: pa.Array | None
    group_codes: npt.NDArray[np.int64]
    slices: Mapping[str, pa.Array]
    columns: Mapping[str, pa.Array]
    label: str
    empty: int
    excluded: int

    def __len__(self) -> int:
        """Number of rows of the source table."""
        return len(self.texts)

    def where(self, predicate: Mapping[str, list[str]]) -> Mask:
        """Rows that have, in each named column, one of its values; shape ``(n,)``."""
        mask = np.ones(len(self), dtype=bool)
        for column, values in predicate.items():
            mask &= as_mask(pc.is_in(self.columns[column], pa.array(values, pa.large_string())))
        return mask

    def labelled(self, rows: Rows) -> Labelled:
        """These rows with their labels."""
        taken = pa.array(rows)
        return Labelled(
            rows=rows,
            texts=self.texts.take(taken),
            labels=self.labels[rows],
            groups=None if self.groups is None else self.groups.take(taken),
            slices={name: values.take(taken) for name, values in self.slices.items()},
        )

    def unlabelled(self, rows: Rows) -> Unlabelled:
        """These rows without their labels, the label column left out of the slices as well."""
        taken = pa.array(rows)
        return Unlabelled(
            rows=rows,
            texts=self.texts.take(taken),
            groups=None if self.groups is None else self.groups.take(taken),
            slices={name: values.take(taken) for name, values in self.slices.items() if name != self.label},
        )


def roles(table: pa.Table, data: Data) -> Roles:
    """Give the columns of a table their parts.

    Args:
        table: Columns of ``large_string``, as a source gives them.
        data: The recipe's part that names the columns.
    """
    columns = {name: flat(table[name]) for name in table.column_names}
    texts = columns[data.text]
    empty = blank(texts)
    stated = pc.if_else(pa.array(blank(columns[data.label])), pa.scalar(None, pa.large_string()), columns[data.label])
    excluded = as_mask(pc.is_in(stated, pa.array(data.exclude_classes, pa.large_string()))) & ~empty
    usable = ~empty & ~excluded
    classes = tuple(sorted(pc.unique(stated.filter(pa.array(usable))).drop_null().to_pylist()))
    numbers = pc.index_in(stated, pa.array(classes, pa.large_string())).fill_null(UNLABELLED)
    groups = None if data.group is None else columns[data.group]
    return Roles(
        texts=texts,
        classes=classes,
        labels=numbers.to_numpy(zero_copy_only=False).astype(np.int32),
        usable=usable,
        groups=groups,
        group_codes=np.arange(len(texts)) if groups is None else codes(groups),
        slices={name: columns[name] for name in data.slices},
        columns=columns,
        label=data.label,
        empty=int(empty.sum()),
        excluded=int(excluded.sum()),
    )


def flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """One array from a column in chunks."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def as_mask(values: pa.Array) -> Mask:
    """A NumPy mask from a boolean array; null counts as false."""
    mask: Mask = values.fill_null(False).to_numpy(zero_copy_only=False)
    return mask


def blank(values: pa.Array) -> Mask:
    """Rows whose value is missing or only white space."""
    return ~as_mask(pc.match_substring_regex(values, r"[^\s\p{Z}]"))


def codes(values: pa.Array) -> npt.NDArray[np.int64]:
    """A number for each distinct value; a missing value gets a number of its own."""
    numbers = values.dictionary_encode().indices.fill_null(-1)
    found = np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.int64).copy()
    missing = found < 0
    found[missing] = found.max(initial=-1) + 1 + np.arange(int(missing.sum()))
    return found
