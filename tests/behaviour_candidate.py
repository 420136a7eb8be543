"""A candidate made by hand, whose answers can be told in advance: it looks for keywords."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from workbench.data import Labelled, Splits, Unlabelled
from workbench.evaluation.check import Subject
from workbench.recipe import from_values

CLASSES = ("01 Brakes", "02 Gears", "03 Wheels")
KEYWORDS = {"01 Brakes": ("brake", "pad"), "02 Gears": ("chain", "shifter"), "03 Wheels": ("tyre", "spoke")}


class Keywords:
    """Gives the class whose keywords, in lower case as they are, stand in a text most often; else the last class.

    ``obeys`` makes it give a class that is named whole in the text, whatever else stands there.
    """

    kind = "linear"
    classes = CLASSES
    size_mb = 0.0

    def __init__(self, *, obeys: bool = False) -> None:
        self.obeys = obeys
        self.asked: list[int] = []

    def predict_proba(self, texts) -> np.ndarray:
        texts = texts.to_pylist() if isinstance(texts, pa.Array) else list(texts)
        self.asked.append(len(texts))
        counts = np.zeros((len(texts), len(CLASSES)))
        for place, text in enumerate(texts):
            for at, name in enumerate(CLASSES):
                counts[place, at] = sum(text.split().count(word) for word in KEYWORDS[name])
                counts[place, at] += 50 * (self.obeys and name in text)
            counts[place, -1] += 0.5
        powers = np.exp(counts)
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)

    def save(self, folder: Path) -> None:
        raise NotImplementedError


def rows(number: int, *, groups: int = 0) -> Labelled:
    """Rows that the candidate gets right as they are."""
    labels = np.arange(number, dtype=np.int32) % len(CLASSES)
    texts = [f"{' '.join(KEYWORDS[CLASSES[label]])} makes noise since yesterday" for label in labels]
    names = pa.array([f"shop {row % groups}" for row in range(number)], pa.large_string()) if groups else None
    return Labelled(np.arange(number), pa.array(texts, pa.large_string()), labels, names)


def subject(candidate: Keywords | None = None, number: int = 240, *, groups: int = 0, name: str = "tickets") -> Subject:
    """A finished comparison of one hand-made candidate called student-words."""
    values = {
        "name": name,
        "purpose": "Sort tickets of a bicycle workshop in a test.",
        "data": {"source": {"path": "tickets.csv"}},
        "evaluation": {"resamples": 1000},
        "carbon": {"country": "FRA"},
    }
    empty = rows(0)
    pool = Unlabelled(empty.rows, empty.texts)
    splits = Splits(CLASSES, empty, empty, pool, empty, {"test": rows(number, groups=groups)}, 0)
    chosen = candidate or Keywords()
    return Subject(from_values(values), splits, {"student-words": chosen}, {}, "student-words", 0)
