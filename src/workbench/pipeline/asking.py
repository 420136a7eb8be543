"""A text asked of every candidate that a run keeps: answers, the words that mattered, near examples, time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.data import SourceTable
from workbench.data.roles import flat
from workbench.errors import ModelError
from workbench.models.card import read_card
from workbench.models.linear import LinearCandidate
from workbench.models.neighbours import Neighbours
from workbench.pipeline.opened import Chosen, Run
from workbench.pipeline.rereading import read_again
from workbench.reporting.evidence import in_order

TOP = 3
CALLS = 5
PATIENCE_S = 0.5
MOST_EXAMPLES = 50_000
SHOWN = 300
"""Characters of an example."""


@dataclass(frozen=True)
class Answer:
    """What one candidate says of one text.

    Attributes:
        name: The candidate.
        top: The likeliest classes with their probabilities.
        inside: Classes that cannot be ruled out; ``None`` where no promise could be fitted.
        why: Why a person should look; empty where none has to; ``None`` in runs without decisions.
        flagged: Whether the text is judged not to be of the domain.
        milliseconds: Median time of a call.
    """

    name: str
    top: tuple[tuple[str, float], ...]
    inside: tuple[str, ...] | None
    why: str | None
    flagged: bool
    milliseconds: float


@dataclass(frozen=True)
class Near:
    """A training example: its row, its label (empty in the pool), cosine similarity, the beginning of its text."""

    row: int
    label: str
    similarity: float
    text: str


class Asked:
    """The candidates that a finished run keeps; each is loaded once, when it is first asked.

    Attributes:
        path: The run's folder.
        names: Candidates, the recommended one first.
        examples: Whether the recipe allows texts in its report.
        source: Reads the table that the run was made from.
    """

    def __init__(self, path: Path) -> None:
        """Look which candidates there are; no model is loaded."""
        run = Run(path)
        self.path = path
        first = run.recommendation.get("candidate")
        self.names = sorted(in_order(run.candidates), key=lambda name: name != first)
        self.examples = run.recipe.report.examples
        self.source: Callable[[], SourceTable] = lambda: read_again(path)
        self._data = run.recipe.data
        self._chosen: dict[str, Chosen] = {name: run.candidate(name) for name in self.names}

    def ask(self, name: str, text: str) -> Answer:
        """What a candidate says of a text.

        Raises:
            ModelError: Its folder is damaged.
            MissingExtraError: A package that it needs is not installed.
        """
        chosen = self._loaded(name)
        row = chosen.predict(text).iloc[0]
        classes = chosen.model.classes
        shares = np.array([row[f"p_{one}"] for one in classes])
        top = tuple((classes[at], float(shares[at])) for at in np.argsort(-shares, kind="stable")[:TOP])
        judged = chosen.judge is not None
        inside = row["set"] if judged and row["set"] is not None else None
        why = str(row["why"]) if judged else None
        took = _median_ms(lambda: chosen.model.predict_proba([text]))
        return Answer(name, top, None if inside is None else tuple(inside), why, "not the domain" in (why or ""), took)

    def _loaded(self, name: str) -> Chosen:
        """A candidate whose weights are there."""
        chosen = self._chosen[name]
        try:
            chosen.model  # noqa: B018  (loads it)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{name} cannot be loaded: {type(error).__name__}: {error}",
                "Its folder in models/ as the run wrote it.",
                "Restore the folder from a copy, or run again.",
            ) from error
        return chosen

    def explain(self, name: str, text: str) -> list[tuple[str, float]]:
        """Each word with what the answer loses without it."""
        found = self._loaded(name).explain(text)
        return list(zip(found["word"], found["weight"], strict=True))

    def nearest(self, text: str, most: int = 5) -> list[Near]:
        """The labelled and pooled texts whose spelling is nearest.

        Raises:
            DataError: The table cannot be read again.
            RunError: It is not kept, or has changed.
            ModelError: The run keeps no linear candidate, by whose features texts are compared.
        """
        texts, labels, rows = self._examples
        return [
            Near(int(rows[at]), str(labels[at].as_py() or ""), similarity, str(texts[at].as_py() or "")[:SHOWN])
            for at, similarity in self._neighbours.nearest(text, most)
        ]

    @cached_property
    def _neighbours(self) -> Neighbours:
        linear = [name for name in self.names if read_card(self.path / "models" / name)["kind"] == "linear"]
        if not linear:
            raise ModelError(
                "The run keeps no linear candidate, whose features compare texts.",
                "A run with its baseline.",
                "Run a recipe with a baseline or a linear student.",
            )
        model: Any = self._loaded(linear[0]).model
        assert isinstance(model, LinearCandidate)  # noqa: S101  (its card says so)
        return Neighbours(model, self._examples[0])

    @cached_property
    def _examples(self) -> tuple[pa.Array, pa.Array, Any]:
        """Texts, labels (null in the pool, whose labels nobody may use) and row numbers, the labelled rows first."""
        about = pq.read_table(self.path / "data" / "rows.parquet", columns=["seed", "row", "split"])
        about = about.filter(pc.equal(about["seed"], pc.min(about["seed"])))
        parts = [about.filter(pc.equal(about["split"].cast(pa.string()), one))["row"] for one in ("train", "pool")]
        rows = np.concatenate([part.to_numpy() for part in parts])[:MOST_EXAMPLES]
        table = self.source().table
        texts, labels = (flat(table[name]).take(pa.array(rows)) for name in (self._data.text, self._data.label))
        pooled = pa.array(np.arange(len(rows)) >= len(parts[0]))
        return texts, pc.if_else(pooled, pa.scalar(None, labels.type), labels), rows


def _median_ms(call: Callable[[], object]) -> float:
    """Median time of a few calls in ms; of one where it takes long."""
    took: list[float] = []
    while len(took) < CALLS and sum(took) < PATIENCE_S:
        start = time.perf_counter()
        call()
        took.append(time.perf_counter() - start)
    return 1000 * statistics.median(took)
