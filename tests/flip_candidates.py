"""Candidates whose bias is known, because it was planted here: they look at a name before a colon and at the text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from workbench import recipe
from workbench.data import Labelled, Splits, Unlabelled
from workbench.evaluation.check import Subject
from workbench.evaluation.flips import Size
from workbench.evaluation.swaps import swap_lists

CLASSES = ("one", "two", "three")
NAMES = next(one for one in swap_lists() if one.id == "names")
WOMEN = [member.id for member in NAMES.members if member.values["sex"] == "female"]
SMALL = Size(60, 12)


def number(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


@dataclass
class Planted:
    """Sorts a text by a number of its own; the word before the colon moves it.

    Attributes:
        moves: Word to how far it moves the number; a word that is not named moves nothing.
        noise: How far any word moves it, differently for each word and text.
        tilts: Word to the share of all probability that it moves to the second class.
        kind: As the check sees it.
    """

    moves: dict[str, float] = field(default_factory=dict)
    noise: float = 0.0
    tilts: dict[str, float] = field(default_factory=dict)
    kind: str = "linear"
    classes: tuple[str, ...] = CLASSES
    asked: int = 0

    def predict_proba(self, texts):
        """Shape ``(texts, 3)``."""
        self.asked += len(texts)
        found = np.zeros((len(texts), 3), dtype=np.float32)
        for at, text in enumerate(texts):
            before, _, own = text.rpartition(": ")
            word = before.rpartition(" ")[2]
            place = number(own) + self.moves.get(word, 0.0) + self.noise * (number(f"{word}|{own}") - 0.5)
            distance = -np.abs(np.array([1 / 6, 1 / 2, 5 / 6]) - place % 1.0) * 12
            tilt = self.tilts.get(word, 0.0)
            found[at] = (1 - tilt) * np.exp(distance) / np.exp(distance).sum() + tilt * np.array([0, 1, 0])
        return found


def subject_of(candidates, texts, seed=0, *, examples=False, recommended="student-toy"):
    """A comparison of these candidates with these texts as test."""
    values = {
        "name": "toy",
        "purpose": "Sort toys in a test.",
        "data": {"source": {"table": "given"}},
        "carbon": {"country": "FRA"},
        "report": {"examples": examples},
    }
    none = Labelled(np.empty(0, np.int64), pa.array([], pa.large_string()), np.empty(0, np.int32))
    rows = np.arange(len(texts), dtype=np.int64)
    test = Labelled(rows, pa.array(texts, pa.large_string()), np.zeros(len(texts), np.int32))
    pool = Unlabelled(none.rows, none.texts)
    splits = Splits(CLASSES, none, none, pool, none, {"test": test}, seed)
    return Subject(recipe.from_values(values), splits, candidates, {}, recommended, seed)


def texts_of(count, seed=0):
    """Texts that no two seeds share."""
    return [f"toy number {seed}-{at}" for at in range(count)]
