"""Which class is taken for which: counted from the stored predictions of one candidate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.reporting import words
from workbench.reporting.evidence import Evidence
from workbench.reporting.sections import interval

MOST_CLASSES = 30
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Mistake:
    """How often one class is called another."""

    label: str
    prediction: str
    times: int
    of: int


@dataclass(frozen=True)
class Confusion:
    """Labels against predictions of one candidate on one split, of one seed.

    Attributes:
        classes: Names of the classes.
        counts: Rows with a label (first axis) and a prediction (second), shape ``(classes, classes)``.
        seed: Of which seed.
    """

    classes: tuple[str, ...]
    counts: Counts
    seed: int

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Share of each label's rows, shape as ``counts``; a class without rows has zeros."""
        rows = self.counts.sum(axis=1, keepdims=True)
        found: npt.NDArray[np.float64] = np.divide(self.counts, rows, out=np.zeros(self.counts.shape), where=rows > 0)
        return found

    def mistakes(self, most: int = 5) -> list[Mistake]:
        """The most frequent mistakes, the commonest first."""
        wrong = self.counts.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(wrong, axis=None, kind="stable")[::-1][:most]
        places = [divmod(int(at), len(self.classes)) for at in order]
        return [
            Mistake(self.classes[i], self.classes[j], int(wrong[i, j]), int(self.counts[i].sum()))
            for i, j in places
            if wrong[i, j] > 0
        ]


def read_confusion(file: Path, split: str) -> Confusion | None:
    """Count a candidate's predictions on a split.

    Args:
        file: ``predictions/<candidate>.parquet``; labels and predictions are names of classes, or places
            in the order of its ``p_`` columns.
        split: Which split.

    Returns:
        The counts of the lowest seed, or ``None`` where the file is absent or has no row of the split.
    """
    if not file.is_file():
        return None
    names = tuple(name.removeprefix("p_") for name in pq.read_schema(file).names if name.startswith("p_"))
    table = pq.read_table(file, columns=["seed", "split", "label", "prediction"])
    table = table.filter(pc.equal(table["split"].cast(pa.string()), split))
    if not table.num_rows:
        return None
    seed = int(pc.min(table["seed"]).as_py())
    table = table.filter(pc.equal(table["seed"], seed))
    labels, names = _places(table["label"], names)
    predictions, names = _places(table["prediction"], names)
    size = len(names)
    counts = np.bincount(labels * size + predictions, minlength=size * size).reshape(size, size)
    return Confusion(names, counts.astype(np.int64), seed)


def _places(column: pa.ChunkedArray, names: tuple[str, ...]) -> tuple[Counts, tuple[str, ...]]:
    """Places of the values in the list of classes; classes that it lacks are put behind."""
    if pa.types.is_integer(column.type):
        places = column.to_numpy().astype(np.int64)
        return places, names + tuple(str(at) for at in range(len(names), int(places.max()) + 1))
    texts = column.cast(pa.string())
    known = dict.fromkeys((*names, *sorted(set(texts.unique().to_pylist()) - set(names))))
    found = pc.index_in(texts, value_set=pa.array(list(known), pa.string()))
    return found.to_numpy().astype(np.int64), tuple(known)


def mistakes(evidence: Evidence) -> dict[str, Any] | None:
    """Which class the recommended candidate takes for which."""
    name = evidence.recommended
    if name is None:
        return None
    found = read_confusion(evidence.folder / "predictions" / f"{name}.parquet", evidence.headline)
    if found is None:
        return None
    mistakes = [
        f"Of {words.count(one.of)} rows of {one.label}, {words.count(one.times)} "
        f"({words.share(one.times, one.of)}) are called {one.prediction}."
        for one in found.mistakes()
    ]
    return {
        "rows": _confusion_rows(evidence, found) if len(found.classes) <= MOST_CLASSES else [],
        "classes": found.classes,
        "mistakes": mistakes,
        "seed": found.seed if len(evidence.seeds) > 1 else None,
        "total": words.count(int(found.counts.sum())),
        "too_many": len(found.classes) > MOST_CLASSES,
    }


def _confusion_rows(evidence: Evidence, found: Confusion) -> list[dict[str, Any]]:
    rows = []
    for at, label in enumerate(found.classes):
        f1 = evidence.score(evidence.recommended or "", evidence.headline, f"f1:{label}")
        cells = [
            {"count": int(count), "share": round(float(part), 3), "right": at == other}
            for other, (count, part) in enumerate(zip(found.counts[at], found.shares[at], strict=True))
        ]
        score = "too few" if f1 is None or f1.get("value") is None else words.score(f1["value"])
        note = "" if f1 is None or f1.get("value") is None else interval(f1.get("low"), f1.get("high"))
        rows.append({"label": label, "n": words.count(int(found.counts[at].sum())), "cells": cells})
        rows[-1] |= {"f1": score, "f1_note": note}
    return rows
