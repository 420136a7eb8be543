"""What every threshold on the confidence would do: how many rows it answers, and how many of the answers are wrong.

For looking and trying, not for promising: a threshold that was chosen by looking here keeps its error about half of the
time; ``selective.find_threshold`` finds one that keeps a promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.metrics.proportions import clopper_pearson
from workbench.metrics.scores import Float64Array, FloatArray, IntArray

FEWEST = 30


@dataclass(frozen=True, eq=False)
class Sweep:
    """Some thresholds on some rows; every array has a place for each threshold.

    Attributes:
        n: Rows.
        answered: Rows at or above the threshold.
        errors: Share of wrong answers among them; not a number below 30 of them.
        low: Lower bounds of that share, 95 %.
        high: Upper bounds.
    """

    n: int
    answered: IntArray
    errors: Float64Array
    low: Float64Array
    high: Float64Array


def sweep(
    confidence: FloatArray,
    wrong: npt.NDArray[np.bool_],
    thresholds: Float64Array,
    *,
    groups: npt.NDArray[Any] | None = None,
) -> Sweep:
    """Try thresholds one by one, each with exact bounds (Clopper and Pearson, 1934).

    Args:
        confidence: Probability of the predicted class (rows,).
        wrong: Whether it is wrong (rows,).
        thresholds: Which (thresholds,).
        groups: The group of each row, or None; rows that share a group count once in the bounds.
    """
    ordered = np.argsort(-np.asarray(confidence), kind="stable")
    falling = -np.asarray(confidence, dtype=np.float64)[ordered]
    answered = np.searchsorted(falling, -np.asarray(thresholds), side="right")
    errors_before = np.concatenate([[0], np.cumsum(np.asarray(wrong)[ordered])])[answered]
    new = np.zeros(len(ordered), dtype=np.int64)
    new[np.unique(ordered if groups is None else np.asarray(groups)[ordered], return_index=True)[1]] = 1
    units = np.concatenate([[0], np.cumsum(new)])[answered]
    enough = answered >= FEWEST
    errors = np.divide(errors_before, answered, out=np.full(len(answered), np.nan), where=enough)
    bounds = np.full((len(answered), 2), np.nan)
    for place in np.flatnonzero(enough):
        bounds[place] = clopper_pearson(errors[place] * units[place], units[place])
    return Sweep(len(ordered), answered, errors, bounds[:, 0], bounds[:, 1])
