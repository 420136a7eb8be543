"""How well a score tells two groups apart: area under the ROC curve, hits at few false alarms, and what n can show.

For membership inference the groups are rows that a model learned from and rows that it did not. An average (the area)
hides an attack that is sure of a few, so hits at 1 % false alarms stand beside it (Carlini et al. 2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from workbench.metrics.intervals import clopper_pearson

Array = npt.NDArray[Any]
FALSE_ALARMS = 0.01
POWER = 0.80


@dataclass(frozen=True)
class Area:
    """The area under the ROC curve with its interval; low and high are None where there are too few rows."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Hits:
    """Share of members above the threshold that at most a given share of the others exceeds.

    Attributes:
        value: The share of members found.
        low: Lower bound, Clopper–Pearson at this threshold.
        high: Upper bound.
        alarms: Others above the threshold.
        alarms_high: Upper bound of the true share of false alarms, Clopper–Pearson.
    """

    value: float
    low: float
    high: float
    alarms: int
    alarms_high: float


def midranks(values: Array) -> Array:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    shared: Array = (np.cumsum(count) - (count - 1) / 2)[place]
    return shared


def area(members: Array, others: Array, confidence: float = 0.95) -> Area:
    """Chance that a member scores above one of the others (a tie counts half), with its interval.

    The variance is DeLong's (DeLong et al. 1988; ranks as Sun and Xu 2014), the interval is made on the logit scale so
    that it stays in [0, 1]. Where the two groups do not overlap at all the variance is 0: then an exact bound of the
    smaller group takes its place.

    Args:
        members: Their scores, at least 2.
        others: Their scores, at least 2.
        confidence: Coverage.

    Raises:
        ValueError: A group has fewer than 2 scores, or a score is not finite.
    """
    m, n = len(members), len(others)
    both = np.concatenate([members, others]).astype(np.float64)
    if m < 2 or n < 2 or not np.isfinite(both).all():
        raise ValueError(f"{m} and {n} scores; at least 2 finite ones on each side are needed")
    ranks = midranks(both)
    inside = (ranks[:m] - midranks(both[:m])) / n
    outside = 1 - (ranks[m:] - midranks(both[m:])) / m
    value = float(inside.mean())
    spread = math.sqrt(float(inside.var(ddof=1)) / m + float(outside.var(ddof=1)) / n)
    if spread < 1e-12 or not 0 < value < 1:
        fewest = min(m, n)
        low, high = clopper_pearson(value * fewest, fewest, confidence)
        return Area(value, min(low, value), max(high, value))
    centre, reach = math.log(value / (1 - value)), float(ndtri(0.5 + confidence / 2)) * spread / (value * (1 - value))
    return Area(value, *(1 / (1 + math.exp(-min(max(centre + side * reach, -700), 700))) for side in (-1, 1)))


def hits_at(members: Array, others: Array, share: float = FALSE_ALARMS, confidence: float = 0.95) -> Hits:
    """Members found when at most a given share of the others is taken for members.

    Args:
        members: Their scores.
        others: Their scores; at least ``1 / share``.
        share: Share of false alarms, above 0.
        confidence: Coverage.

    Raises:
        ValueError: Too few others for one false alarm.
    """
    allowed = math.floor(share * len(others) + 1e-9)
    if allowed < 1:
        raise ValueError(f"{len(others)} others; {math.ceil(1 / share)} are needed for a false alarm in {1 / share:g}")
    threshold = np.sort(others)[::-1][allowed]
    found, alarms = int((members > threshold).sum()), int((others > threshold).sum())
    low, high = clopper_pearson(found, len(members), confidence)
    return Hits(found / len(members), low, high, alarms, clopper_pearson(alarms, len(others), confidence)[1])


def curve(members: Array, others: Array) -> tuple[Array, Array]:
    """The ROC curve: false alarms and hits at every threshold, both ascending from 0 to 1."""
    thresholds = np.unique(np.concatenate([members, others]))[::-1]
    alarms = np.searchsorted(np.sort(-others.astype(np.float64)), -thresholds, side="right") / len(others)
    hits = np.searchsorted(np.sort(-members.astype(np.float64)), -thresholds, side="right") / len(members)
    return np.append(0.0, alarms), np.append(0.0, hits)


def shuffled_areas(scores: Array, inside: Array, strata: Array, shuffles: int, seed: int = 0) -> Array:
    """Areas when membership is shuffled among the rows of each stratum: what no leak at all looks like.

    Args:
        scores: Of all rows, shape ``(rows,)``.
        inside: Whether each row is a member, shape ``(rows,)``.
        strata: Rows are shuffled within these, shape ``(rows,)``.
        shuffles: Their number.
        seed: Draws them.

    Returns:
        Shape ``(shuffles,)``.
    """
    random = np.random.default_rng(seed)
    ranks, m = midranks(scores), int(inside.sum())
    sums = np.zeros(shuffles)
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        taken = int(inside[rows].sum())
        order = random.random((shuffles, len(rows))).argsort(axis=1)[:, :taken]
        sums += ranks[rows][order].sum(axis=1)
    areas: Array = (sums - m * (m + 1) / 2) / (m * (len(scores) - m))
    return areas


def shuffle_p(value: float, shuffled: Array) -> float:
    """One-sided p of an area: share of shuffles that reach it, the real one counted among them."""
    return float((1 + (shuffled >= value - 1e-12).sum()) / (1 + len(shuffled)))


def detectable_area(members: int, others: int) -> float:
    """Smallest true area that is told from .5 (two-sided 5 %) four times in five, by the ranks' variance under none."""
    spread = math.sqrt((members + others + 1) / (12 * members * others))
    return min(1.0, 0.5 + float(ndtri(0.975) + ndtri(POWER)) * spread)


def rows_to_detect(wanted: float) -> int:
    """Members, and as many others, for which :func:`detectable_area` is a wanted area above .5."""
    seen = float(ndtri(0.975) + ndtri(POWER)) / (wanted - 0.5)
    return math.ceil(seen**2 / 6)
