"""``workbench verify --full``: every saved model predicts again, from the table itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench import models
from workbench.data.roles import flat
from workbench.pipeline.opening import reopen_job
from workbench.pipeline.scoring import classes_of, read_predictions

TOLERANCE = 2e-3
"""Largest difference between two probabilities that counts as rounding: another processor or thread count adds
up in another order, and a teacher may compute in bfloat16."""


def repredict(folder: Path) -> list[str]:
    """Predict all stored rows of the first seed again with the saved models.

    Args:
        folder: The run's folder.

    Returns:
        What differs, a sentence for each candidate; empty where nothing does.

    Raises:
        WorkbenchError: The table or a package that a model needs is not there.
    """
    job = reopen_job(folder, runs=folder.parent.parent, download=False)
    texts = flat(job.source.table[job.recipe.data.text])
    differing = []
    for name, stored in read_predictions(folder).items():
        model = folder / "models" / name
        if not model.is_dir():
            differing.append(f"{name}: its model is not in the run's folder.")
            continue
        first = stored.filter(pc.equal(stored["seed"], pc.min(stored["seed"])))
        again = models.load(model).predict_proba(texts.take(pa.array(first["row"].to_numpy())))
        kept = np.stack([first[f"p_{one}"].to_numpy() for one in classes_of(stored)], axis=1)
        gap = float(np.abs(again - kept).max(initial=0.0))
        if gap > TOLERANCE:
            differing.append(f"{name}: the saved model's probabilities differ from the stored ones by up to {gap:.2g}.")
    return differing
