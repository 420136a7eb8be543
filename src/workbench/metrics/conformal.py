"""Sets of classes that hold the right one with a promised frequency: split conformal prediction.

The promise is marginal and for rows exchangeable with those it was fitted on: over many drawings of both, at least
the stated share of sets holds the label. It says nothing of single classes or groups, and nothing of shifted rows:
there the observed coverage stands beside it. Vovk, Gammerman, Shafer (2005); Papadopoulos et al. (2002).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from workbench.metrics.scores import Float64Array, FloatArray, IntArray

Method = Literal["LAC", "APS", "RAPS"]
Sets = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Penalty:
    """What RAPS adds to classes beyond the first few, so that sets stay small.

    Attributes:
        weight: Added for every class beyond, 0 or more.
        free: Classes without penalty, 0 or more.
    """

    weight: float = 0.0
    free: int = 0


def least_rows(coverage: float) -> int:
    """How many rows a finite quantile needs: below it every set would hold all classes.

    Args:
        coverage: Promised share, in (0, 1).

    Returns:
        Number of rows: 9 for 90 %, 19 for 95 %.
    """
    return math.ceil(coverage / (1 - coverage) - 1e-9)


def conformal_quantile(scores: FloatArray, coverage: float) -> float:
    """The ⌈(n + 1) · coverage⌉-th smallest score.

    Args:
        scores: Nonconformity of the fitted rows' labels (n,).
        coverage: Promised share, in (0, 1).

    Returns:
        The quantile; infinity where n is below least_rows.

    Raises:
        ValueError: If the coverage lies outside (0, 1).
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must lie between 0 and 1; got {coverage}")
    rank = math.ceil((len(scores) + 1) * coverage - 1e-9)
    return math.inf if rank > len(scores) else float(np.partition(np.asarray(scores), rank - 1)[rank - 1])


def coverage_spread(rows: int, coverage: float, level: float = 0.95) -> tuple[float, float]:
    """Between what bounds the true coverage of one fitted quantile lies: a beta distribution (Vovk, 2012).

    Args:
        rows: Rows it was fitted on, at least least_rows(coverage).
        coverage: Promised share.
        level: Probability of lying between the bounds.

    Returns:
        Lower and upper bound, for scores without ties.
    """
    rank = math.ceil((rows + 1) * coverage - 1e-9)
    tail = (1 - level) / 2
    a, b = rank, rows + 1 - rank
    return float(betaincinv(a, b, tail)), float(betaincinv(a, b, 1 - tail))


def lac_scores(probabilities: FloatArray) -> Float64Array:
    """One less the probability, for every class: the smallest sets on average (Sadinle, Lei, Wasserman, 2019).

    Args:
        probabilities: (rows, classes).

    Returns:
        (rows, classes).
    """
    return np.asarray(1.0 - np.asarray(probabilities, dtype=np.float64))


def aps_scores(
    probabilities: FloatArray, uniform: Float64Array | None = None, penalty: Penalty | None = None
) -> Float64Array:
    """Probability of all likelier classes and a random part of the own, for every class: adaptive sets.

    APS is Romano, Sesia, Candès (2020); with a penalty on classes beyond the first few it is RAPS (Angelopoulos et
    al., 2021).

    Args:
        probabilities: (rows, classes); rows sum to 1.
        uniform: A number in [0, 1] for each row (rows,); None takes the whole own part, which covers too often.
        penalty: What RAPS adds; None for APS.

    Returns:
        (rows, classes).
    """
    penalty = penalty or Penalty()
    wide = np.asarray(probabilities, dtype=np.float64)
    order = np.argsort(-wide, axis=1, kind="stable")
    ordered = np.take_along_axis(wide, order, axis=1)
    part = np.ones(len(wide)) if uniform is None else np.asarray(uniform, dtype=np.float64)
    found = np.cumsum(ordered, axis=1) - (1 - part[:, None]) * ordered
    found += penalty.weight * np.maximum(0, np.arange(1, wide.shape[1] + 1) - penalty.free)
    scores = np.empty_like(found)
    np.put_along_axis(scores, order, found, axis=1)
    return scores


def of_labels(scores: FloatArray, labels: IntArray) -> Float64Array:
    """The score of each row's label.

    Args:
        scores: (rows, classes).
        labels: (rows,).

    Returns:
        (rows,).
    """
    picked = np.take_along_axis(scores, np.asarray(labels, dtype=np.intp)[:, None], axis=1)[:, 0]
    return np.asarray(picked, dtype=np.float64)


def sets_within(scores: FloatArray, quantile: float) -> Sets:
    """The classes whose score is within the quantile.

    Args:
        scores: (rows, classes).
        quantile: From conformal_quantile; infinity takes all classes.

    Returns:
        True where a class is in the set (rows, classes); a set may be empty.
    """
    return np.asarray(scores <= quantile)


def with_the_likeliest(sets: Sets, probabilities: FloatArray) -> Sets:
    """The same sets, each with the likeliest class in it: none is empty, and coverage can only rise.

    Args:
        sets: (rows, classes).
        probabilities: (rows, classes).

    Returns:
        (rows, classes).
    """
    whole = sets.copy()
    whole[np.arange(len(whole)), np.asarray(probabilities).argmax(axis=1)] = True
    return whole


def class_quantiles(scores: FloatArray, labels: IntArray, classes: int, coverage: float) -> Float64Array:
    """A quantile for each class, so that the promise holds class by class (Vovk, 2012): needs rows of each.

    Args:
        scores: (rows, classes).
        labels: (rows,).
        classes: Number of classes.
        coverage: Promised share.

    Returns:
        (classes,); infinity for a class with fewer rows than least_rows.
    """
    own = of_labels(scores, labels)
    return np.array([conformal_quantile(own[labels == number], coverage) for number in range(classes)])
