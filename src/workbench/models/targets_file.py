"""A teacher that is a file: probabilities or labels by row id, made elsewhere, by people or by any model.

It knows rows, not texts: it can label the pool of a table, and refuses to predict anything else. Saved, it is a
candidate of the kind ``file``, so that a run keeps what its students learned from.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench import storage
from workbench.errors import ModelError
from workbench.models.card import read_card, write_card
from workbench.models.tokens import Texts

Floats = npt.NDArray[np.float32]

PREFIX = "p_"
LABEL = "label"
TABLE = "answers.parquet"


@dataclass(eq=False)
class TargetsFile:
    """Distributions by row id.

    Attributes:
        classes: Names of the classes, in the order of the columns.
        ids: Row ids as text, all different, ``large_string`` of length ``n``.
        probabilities: Shape ``(n, classes)``; one-hot where the file holds labels.
        hard: Whether the file holds labels.
        digest: SHA-256 of the file.
    """

    classes: tuple[str, ...]
    ids: pa.Array
    probabilities: Floats
    hard: bool
    digest: str
    kind: str = "file"

    @classmethod
    def read(cls, file: Path, classes: tuple[str, ...], *, id_column: str = "row") -> Self:
        """Read a CSV or Parquet file.

        Args:
            file: The file: an id column, and either ``label`` or one ``p_<class>`` column for each class.
            classes: The run's classes.
            id_column: Name of the id column: the recipe's ``data.id``, or ``row`` (numbers from 0) without one.

        Raises:
            ModelError: The file cannot be read, its classes are not the run's (every difference is named), ids
                are missing or stand twice, or a row is no distribution.
        """
        table = _read_table(file)
        if id_column not in table.column_names:
            raise _no_column(file, id_column, table.column_names)
        ids = _as_text(table[id_column])
        _refuse_double(ids, file, id_column)
        columns = [name for name in table.column_names if name.startswith(PREFIX)]
        hard = not columns
        if hard and LABEL not in table.column_names:
            raise _no_column(file, LABEL, table.column_names)
        probabilities = _from_labels(table, classes, file) if hard else _from_columns(table, columns, classes, file)
        return cls(tuple(classes), ids, probabilities, hard, storage.sha256_file(file))

    def find(self, ids: pa.Array) -> Floats:
        """Distributions of rows.

        Args:
            ids: Row ids, any type; compared as text.

        Returns:
            Shape ``(len(ids), classes)``.

        Raises:
            ModelError: The file says nothing of some of them.
        """
        wanted = _as_text(ids)
        places = pc.index_in(wanted, value_set=self.ids)
        if places.null_count:
            example = wanted.filter(pc.is_null(places))[0].as_py()
            raise ModelError(
                f"The teacher's file says nothing of {places.null_count} of {len(wanted)} rows,"
                f" for example '{example}'.",
                "A row for every row of train, validation and pool.",
                "Complete the file, or lower data.splits.max_pool so that no other rows are asked for.",
            )
        found: Floats = self.probabilities[places.to_numpy(zero_copy_only=False)]
        return found

    def of_rows(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Distributions of rows by their number in the source table, shape ``(len(rows), classes)``.

        Raises:
            ModelError: The file says nothing of some of them.
        """
        return self.find(pa.array(rows))

    @property
    def size_mb(self) -> float:
        """Size of ids and probabilities, in MB of 1,000,000 bytes."""
        return float(self.ids.nbytes + self.probabilities.nbytes) / 1_000_000

    def predict_proba(self, texts: Texts) -> Floats:
        """Refuse: a file knows rows, not texts.

        Raises:
            ModelError: Always, but for no texts.
        """
        if not len(texts):
            return np.zeros((0, len(self.classes)), dtype=np.float32)
        raise ModelError(
            "The teacher of this run is a file of answers by row: it cannot read a text.",
            "A student or the baseline.",
            "Choose another candidate, for example the recommended one.",
        )

    def save(self, folder: Path) -> None:
        """Save ids and distributions into a folder."""
        columns = {PREFIX + name: self.probabilities[:, index] for index, name in enumerate(self.classes)}
        storage.write_parquet(folder / TABLE, pa.table({"row": self.ids, **columns}))
        write_card(folder, self.kind, self.classes, digest=self.digest, hard=self.hard)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load from a folder what :meth:`save` wrote.

        Raises:
            ModelError: The folder holds no such candidate.
        """
        card = read_card(folder)
        classes = tuple(card["classes"])
        table = _read_table(folder / TABLE)
        probabilities = np.stack([table[PREFIX + name].to_numpy() for name in classes], axis=1)
        return cls(classes, _as_text(table["row"]), probabilities, card["hard"], card["digest"])


def _read_table(file: Path) -> pa.Table:
    from pyarrow import csv, parquet

    if not file.is_file():
        raise ModelError(
            f"The teacher's file {file} is missing.",
            "A CSV or Parquet file, its path relative to the recipe's folder.",
            "Put the file there, or correct teacher.file in the recipe.",
        )
    try:
        if file.suffix.lower() in (".parquet", ".pq"):
            return parquet.read_table(file)
        return csv.read_csv(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise ModelError(
            f"The teacher's file {file} cannot be read: {str(error).splitlines()[0]}",
            "A Parquet file (.parquet), or CSV in UTF-8 with a header.",
            "Save the file again in one of these formats.",
        ) from error


def _as_text(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    return whole.cast(pa.large_string())


def _refuse_double(ids: pa.Array, file: Path, column: str) -> None:
    distinct = len(pc.unique(ids.drop_null()))
    if ids.null_count or distinct < len(ids):
        raise ModelError(
            f"{len(ids) - distinct} of {len(ids)} ids in the column '{column}' of {file} are missing or stand twice.",
            "One row an id.",
            "Remove the others from the file.",
        )


def _from_labels(table: pa.Table, classes: tuple[str, ...], file: Path) -> Floats:
    labels = _as_text(table[LABEL])
    places = pc.index_in(labels, value_set=pa.array(classes, pa.large_string()))
    if places.null_count:
        strange = pc.unique(labels.filter(pc.is_null(places))).to_pylist()
        raise _other_classes(
            file, [f"the label '{name}' is no class of the run{_near(name, classes)}" for name in strange]
        )
    probabilities = np.zeros((len(labels), len(classes)), dtype=np.float32)
    probabilities[np.arange(len(labels)), places.to_numpy(zero_copy_only=False)] = 1.0
    return probabilities


def _from_columns(table: pa.Table, columns: list[str], classes: tuple[str, ...], file: Path) -> Floats:
    names = [name.removeprefix(PREFIX) for name in columns]
    problems = [f"the class '{name}' has no column '{PREFIX}{name}'" for name in classes if name not in names]
    problems += [
        f"'{PREFIX}{name}' is no class of the run{_near(name, classes)}" for name in names if name not in classes
    ]
    if problems:
        raise _other_classes(file, problems)
    found = np.stack([_numbers(table, PREFIX + name, file) for name in classes], axis=1)
    sums = found.sum(axis=1)
    with np.errstate(invalid="ignore"):
        bad = ~((found >= 0).all(axis=1) & (np.abs(sums - 1) <= 1e-3))
    if bad.any():
        raise ModelError(
            f"{int(bad.sum())} of {len(bad)} rows of {file} are no probabilities"
            f" (the first is row {int(bad.argmax())}).",
            "Numbers from 0 to 1 that sum to 1 in each row.",
            "Export probabilities, not scores or logits.",
        )
    scaled: Floats = (found / sums[:, None]).astype(np.float32)
    return scaled


def _numbers(table: pa.Table, name: str, file: Path) -> Any:
    try:
        return table[name].cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise ModelError(
            f"The column '{name}' of {file} holds something that is no number.",
            "Numbers from 0 to 1.",
            "Correct the file.",
        ) from error


def _no_column(file: Path, name: str, columns: list[str]) -> ModelError:
    return ModelError(
        f"{file} has no column '{name}'{_near(name, columns)}. It has: {', '.join(columns)}.",
        f"An id column ('row', or the recipe's data.id) and either '{LABEL}' or '{PREFIX}<class>' for each class.",
        "Rename the column in the file.",
    )


def _other_classes(file: Path, problems: list[str]) -> ModelError:
    return ModelError(
        f"The label map of {file} is not the run's" + (f": {problems[0]}." if len(problems) == 1 else "."),
        "The same classes, spelled the same.",
        "Correct the file, or leave classes out of the recipe with data.exclude_classes.",
        problems=problems,
    )


def _near(name: Any, known: list[str] | tuple[str, ...]) -> str:
    match = difflib.get_close_matches(str(name), known, n=1)
    return f" (nearest: '{match[0]}')" if match else ""
