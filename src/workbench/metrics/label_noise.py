"""How many labels are contradicted beyond what the models' own uncertainty explains.

Out-of-sample probabilities are calibrated and a share of labels is taken to be drawn from the other classes, both at
once: a plain temperature would explain wrong labels away by making the model unsure of everything. What is estimated
are labels that a sure model contradicts; where the model is surely wrong itself, that counts as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.metrics.confident_learning import Doubles, Floats, Labels
from workbench.metrics.intervals import FEWEST_GROUPS, Interval
from workbench.metrics.kappa import Groups

LEAST, MOST = np.log(0.2), np.log(5.0)
LARGEST = 0.9
"""Largest share of wrong labels that is tried."""


@dataclass(frozen=True)
class Noise:
    """Calibration and wrong labels, estimated together.

    Attributes:
        power: What probabilities are raised to; 1 leaves them as they are, below 1 makes them less sure.
        share: Share of labels that are contradicted beyond that, with its interval.
    """

    power: float
    share: Interval


def raised(probabilities: Floats, power: float) -> Doubles:
    """Probabilities raised to a power, rows scaled to sum to 1.

    Args:
        probabilities: Shape ``(rows, classes)``.
        power: Above 0.
    """
    logs = power * np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), 1e-12))
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    scaled: Doubles = powers / powers.sum(axis=1, keepdims=True)
    return scaled


def estimate_noise(probabilities: Floats, labels: Labels, *, groups: Groups | None = None) -> Noise:
    """Fit ``(1 - share) p^power + share (1 - p^power) / (classes - 1)`` to the given labels by maximum likelihood.

    The interval is that of the profile likelihood. Where rows share groups, the likelihood is divided by the design
    effect of the share's score, at least 1 (Chandler and Bate 2007).

    Args:
        probabilities: Out of sample, shape ``(rows, classes)``.
        labels: Given classes, shape ``(rows,)``.
        groups: The group of each row; ``None`` where every row is one of its own.

    Raises:
        ValueError: There is no row, or fewer than two classes.
    """
    from scipy.optimize import brentq, minimize_scalar

    rows, classes = np.asarray(probabilities).shape
    if not rows or classes < 2:
        raise ValueError(f"{rows} rows of {classes} classes; at least one row and two classes are needed")
    logs = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), 1e-12))
    logs -= logs.max(axis=1, keepdims=True)
    given = logs[np.arange(rows), labels]

    def loss(log_power: float, share: float) -> float:
        power = float(np.exp(log_power))
        own = np.exp(power * given) / np.exp(power * logs).sum(axis=1)
        return -float(np.log(np.maximum((1 - share) * own + share * (1 - own) / (classes - 1), 1e-300)).sum())

    def profile(share: float) -> tuple[float, float]:
        found = minimize_scalar(loss, bounds=(LEAST, MOST), args=(share,), method="bounded", options={"xatol": 1e-3})
        return float(found.fun), float(found.x)

    best = minimize_scalar(
        lambda share: profile(share)[0], bounds=(0.0, LARGEST), method="bounded", options={"xatol": 1e-4}
    )
    least, share = float(best.fun), float(best.x)
    if profile(0.0)[0] <= least:
        least, share = profile(0.0)[0], 0.0
    own = raised(probabilities, float(np.exp(profile(share)[1])))[np.arange(rows), labels]
    limit = least + 1.920729 * _design_effect(own, share, classes, groups)

    def over(tried: float) -> float:
        return profile(tried)[0] - limit

    low = 0.0 if share == 0 or over(0.0) <= 0 else float(brentq(over, 0.0, share, xtol=1e-4))
    high = LARGEST if over(LARGEST) <= 0 else float(brentq(over, share, LARGEST, xtol=1e-4))
    where = f"{rows:,} rows" if groups is None else f"{len(np.unique(groups)):,} groups ({rows:,} rows)"
    interval = Interval(share, low, high, rows, f"profile likelihood of a share of wrong labels, {where}")
    return Noise(float(np.exp(profile(share)[1])), interval)


def _design_effect(own: Doubles, share: float, classes: int, groups: Groups | None) -> float:
    """How much more the share's score varies over groups than over rows; 1 without groups, rows a group of few."""
    if groups is None:
        return 1.0
    other = (1 - own) / (classes - 1)
    score = (other - own) / np.maximum((1 - share) * own + share * other, 1e-12)
    score -= score.mean()
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], weights=score)
    if len(sums) < FEWEST_GROUPS:
        return len(own) / len(sums)
    total = float((score**2).sum())
    return max(1.0, float((sums**2).sum()) * len(sums) / (len(sums) - 1) / total) if total > 0 else 1.0
