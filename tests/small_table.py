"""A table that no reader knows: tickets of a bicycle workshop, made here from phrases of our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TOPICS = {
    "brakes": "brake lever cable disc pad squeal rotor caliper stopping rim".split(),
    "wheels": "tyre puncture spoke rim hub valve tube wobble axle".split(),
    "gears": "chain derailleur shifter cassette sprocket slipping cable jockey".split(),
}
FILLERS = "the front rear my old new city bike after rain again since yesterday very please check makes noise".split()


def tickets(rows: int, seed: int = 0) -> pd.DataFrame:
    """``rows`` tickets with text, topic, shop (the group) and language of the customer's form (a slice)."""
    random = np.random.default_rng(seed)
    topics = sorted(TOPICS)
    labels = random.integers(0, len(topics), rows)
    texts = [
        " ".join(random.permutation([*random.choice(TOPICS[topics[label]], 2), *random.choice(FILLERS, 4)]))
        for label in labels
    ]
    return pd.DataFrame(
        {
            "note": texts,
            "topic": [topics[label] for label in labels],
            "shop": [f"shop {number}" for number in random.integers(0, max(12, rows // 25), rows)],
            "form": random.choice(["paper", "web"], rows),
        }
    )


def recipe_values(encoder: Path | None, **changes: Any) -> dict[str, Any]:
    """A recipe for ``tickets.csv`` with everything short; top-level parts can be replaced."""
    values: dict[str, Any] = {
        "name": "tickets",
        "purpose": "Sort tickets of a bicycle workshop in a test.",
        "data": {
            "source": {"path": "tickets.csv"},
            "text": "note",
            "label": "topic",
            "group": "shop",
            "slices": ["form"],
            "splits": {"by": "group", "test_share": 0.3, "reserve": 40},
            "labelled": {"per_class": 20},
        },
        "evaluation": {"resamples": 1000},
        "carbon": {"country": "FRA", "metered_seconds": 1},
    }
    if encoder is not None:
        values["teacher"] = {"model": str(encoder)}
        values["students"] = [{"name": "linear", "kind": "linear", "buckets": 4096}]
    return {**values, **changes}
