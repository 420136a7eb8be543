"""A finished run looked at row by row: errors, thresholds, groups of one candidate on one split.

Nothing is measured anew: it is all in the files of the run's folder. Texts are not among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.metrics.calibration import reliability_curve
from workbench.metrics.evidence import join_rows
from workbench.metrics.thresholds import FEWEST, Sweep, sweep
from workbench.reporting.calibration import read_part
from workbench.reporting.calibration_figures import Curve, reliability_figure
from workbench.reporting.confusion import Confusion
from workbench.reporting.evidence import Evidence, in_order

FEWEST_IN_BIN = 10
SPLITS_LAST = ("reserve", "validation")
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Look:
    """A candidate's answers on one split, of the first seed.

    Attributes:
        candidate: Its name.
        split: Which split.
        classes: Names of the classes.
        rows: Row numbers of the table, shape ``(n,)``.
        labels: True classes as numbers, shape ``(n,)``.
        predictions: Predicted classes as numbers, shape ``(n,)``.
        confidence: Probability of the predicted class, shape ``(n,)``.
        slices: Attribute to the value of each row.
    """

    candidate: str
    split: str
    classes: tuple[str, ...]
    rows: Indices
    labels: Indices
    predictions: Indices
    confidence: npt.NDArray[np.float64]
    slices: Mapping[str, Sequence[str]]

    @cached_property
    def confusion(self) -> Confusion:
        """How often each class is called which."""
        size = len(self.classes)
        counts = np.bincount(self.labels * size + self.predictions, minlength=size * size)
        return Confusion(self.classes, counts.reshape(size, size).astype(np.int64), 0)

    def chosen(
        self,
        by: str = "sure",
        search: str = "",
        pair: tuple[int, int] | None = None,
        texts: Sequence[str] | None = None,
    ) -> Indices:
        """Places of the wrong rows, or of those of one cell of the confusion matrix, in an order.

        Args:
            by: ``sure`` (the surest first), ``unsure``, ``true``, ``predicted`` or ``row``.
            search: Only rows whose number, classes, groups or text hold this.
            pair: True and predicted class.
            texts: Of every row, where they were read.
        """
        inside = self.labels != self.predictions
        if pair is not None:
            inside = (self.labels == pair[0]) & (self.predictions == pair[1])
        places = np.flatnonzero(inside)
        if wanted := search.strip().casefold():
            places = np.array([one for one in places if wanted in self._said(int(one), texts)], dtype=np.int64)
        keys: dict[str, tuple[Any, ...]] = {
            "sure": (-self.confidence,),
            "unsure": (self.confidence,),
            "true": (-self.confidence, self.predictions, self.labels),
            "predicted": (-self.confidence, self.labels, self.predictions),
            "row": (self.rows,),
        }
        return places[np.lexsort(tuple(key[places] for key in keys[by]))]

    def _said(self, place: int, texts: Sequence[str] | None) -> str:
        classes = (self.classes[self.labels[place]], self.classes[self.predictions[place]])
        groups = (values[place] for values in self.slices.values())
        text = "" if texts is None else texts[place]
        return "\n".join((str(self.rows[place]), *classes, *groups, text)).casefold()


def candidates_of(evidence: Evidence) -> tuple[str, ...]:
    """Candidates that were measured or have predictions, as a person compares them."""
    predicted = (file.stem for file in (evidence.folder / "predictions").glob("*.parquet"))
    return in_order([*evidence.candidates, *predicted])


def splits_of(evidence: Evidence, candidate: str) -> tuple[str, ...]:
    """Splits that a candidate was asked on, the headline first; none without predictions."""
    file = evidence.folder / "predictions" / f"{candidate}.parquet"
    if not file.is_file():
        return ()
    found = pc.unique(pq.read_table(file, columns=["split"])["split"].cast(pa.string())).to_pylist()
    return tuple(sorted(found, key=lambda one: (one in SPLITS_LAST, one != evidence.headline, one)))


def look(evidence: Evidence, candidate: str, split: str) -> Look:
    """Read a candidate's answers on a split.

    Raises:
        RunError: The rows of the predictions are not those of the run.
    """
    table = pq.read_table(evidence.folder / "predictions" / f"{candidate}.parquet")
    table = table.filter(pc.equal(table["split"].cast(pa.string()), split))
    table = table.filter(pc.equal(table["seed"], pc.min(table["seed"])))
    names = tuple(name.removeprefix("p_") for name in table.column_names if name.startswith("p_"))
    texts = [table[name].cast(pa.string()) for name in ("label", "prediction")]
    known = dict.fromkeys((*names, *(one for text in texts for one in pc.unique(text).to_pylist())))
    labels, predictions = (pc.index_in(text, pa.array(list(known))).to_numpy().astype(np.int64) for text in texts)
    sure = [table[f"p_{name}"].to_numpy() for name in names]
    confidence = np.max(sure, axis=0) if sure else np.full(len(table), np.nan)
    about = evidence.folder / "data" / "rows.parquet"
    joined = join_rows(table, pq.read_table(about)) if about.is_file() else table
    used = [name for name in evidence.recipe.data.slices if name in joined.column_names]
    slices = {name: joined[name].cast(pa.string()).fill_null("").to_pylist() for name in used}
    rows = table["row"].to_numpy().astype(np.int64)
    return Look(candidate, split, tuple(known), rows, labels, predictions, confidence.astype(np.float64), slices)


def sweeps(evidence: Evidence, candidate: str, thresholds: npt.NDArray[np.float64]) -> dict[str, Sweep]:
    """What thresholds would do on every split but validation, where probabilities were fitted."""
    found = {}
    for split in splits_of(evidence, candidate):
        part = read_part(evidence, candidate, split) if split != "validation" else None
        if part is not None:
            found[split] = sweep(part.confidence, part.wrong, thresholds, groups=part.groups)
    return found


def groups(evidence: Evidence, candidate: str, split: str) -> list[dict[str, Any]]:
    """Error rate of every group, the worst first, those with too few rows for a figure last."""
    whose = (candidate, split, None)
    mine = [row for row in evidence.metrics if (row["candidate"], row["split"], row.get("seed")) == whose]
    found: list[Mapping[str, Any]] = [row for row in mine if row["metric"] == "error_rate" and row.get("over")]
    found = found or [_turned(row) for row in mine if row["metric"] == "accuracy" and row.get("slice", "all") != "all"]
    shown = [_unless_few(row) for row in found]
    return sorted(shown, key=lambda row: (row["value"] is None, -(row["value"] or 0.0), str(row["slice"])))


def _unless_few(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row; of fewer than 30 rows no figure is shown, whatever the run says."""
    if row["n"] >= FEWEST:
        return dict(row)
    return {**row, "value": None, "reason": row.get("reason") or f"{row['n']} rows: below {FEWEST} no figure is given"}


def _turned(row: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracy as error rate, for runs without the check of groups."""
    told = {name: None if row.get(name) is None else 1 - row[name] for name in ("value", "low", "high")}
    return {**row, "value": told["value"], "low": told["high"], "high": told["low"]}


def reliability(evidence: Evidence, candidate: str, splits: Iterable[str]) -> str:
    """How sure a candidate is and how often it is right, as a figure of the report; empty without rows."""
    curves = []
    for split in splits:
        part = read_part(evidence, candidate, split)
        found = [] if part is None else reliability_curve(part.confidence, ~part.wrong, groups=part.groups)
        shown = [one for one in found if one.n >= FEWEST_IN_BIN]
        if shown:
            names = ("confidence", "accuracy", "low", "high")
            curves.append(Curve(split, *(np.array([getattr(one, name) for one in shown]) for name in names)))
    return reliability_figure(curves, candidate) if curves else ""


def found_groups(evidence: Evidence, candidate: str, split: str) -> Iterator[Mapping[str, Any]]:
    """Slices that nobody named and that stood the test; first the row that says how many."""
    for metric in ("found", "found:error_rate"):
        for row in evidence.metrics:
            if (row["candidate"], row["split"], row["metric"]) == (candidate, split, metric):
                yield row
