"""How often the models of several seeds predict the same class for the same rows.

Consistency is not accuracy: seeds can agree on a mistake. Where they do not, the class that a text gets depends on the
label draw and on chance in training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.metrics.bootstrap import draw_units, resample_sums
from workbench.metrics.intervals import Drawn, Interval, interval_of
from workbench.metrics.scores import Counts, IntArray


@dataclass(frozen=True)
class Consistency:
    """How often the models of several seeds predict the same class.

    Attributes:
        all_seeds: Share of rows on which all of them agree.
        two_seeds: Share of rows on which two seeds, drawn at random, agree (mean over rows and pairs).
        seeds: Number of seeds.
    """

    all_seeds: Interval
    two_seeds: Interval
    seeds: int


def prediction_consistency(
    predictions: IntArray,
    *,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Consistency:
    """How often the models of several seeds predict the same class for the same rows.

    Args:
        predictions: Predicted classes (seeds, rows).
        groups: The group of each row (rows,), or None.
        resamples: Number of resamples of the rows.
        seed: Seed of the draws.
        confidence: Coverage of the intervals, for other rows; the seeds are taken as they are.

    Returns:
        Both shares, each with its interval or a reason.

    Raises:
        ValueError: If predictions is not (seeds, rows) or the groups do not fit.
    """
    if predictions.ndim != 2 or (groups is not None and len(groups) != predictions.shape[1]):
        raise ValueError(f"predictions {predictions.shape} must be (seeds, rows), with one group a row")
    seeds, rows = predictions.shape
    if seeds < 2 or rows == 0:
        reason = "no rows" if rows == 0 else "one seed: there is nothing to agree with"
        nothing = Interval(None, None, None, rows, "none", reason, confidence)
        return Consistency(nothing, nothing, seeds)
    same = np.stack([predictions[one] == predictions[two] for one in range(seeds) for two in range(one)])
    shares = np.stack([same.all(axis=0), same.mean(axis=0)], axis=1).astype(np.float64)
    names, unit_of = np.unique(np.arange(rows) if groups is None else groups, return_inverse=True)
    summed = [np.bincount(unit_of, weights=one) for one in (*shares.T, np.ones(rows))]
    columns = np.stack(summed, axis=1).astype(np.float64)
    drawn = Drawn(rows, len(names), len(names) < rows, resamples, confidence=confidence)
    sums = resample_sums(draw_units(len(names), resamples, seed), columns, resamples)
    found = []
    for place in range(2):
        hits, below = np.array([columns[:, place].sum()]), np.array([float(rows)])
        counts = Counts(hits, below, below)
        found.append(interval_of("accuracy", counts, float(hits[0]) / rows, sums[:, place] / sums[:, 2], drawn))
    return Consistency(found[0], found[1], seeds)
