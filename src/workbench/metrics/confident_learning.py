"""Which labels are probably wrong: confident learning on probabilities that never saw the label they judge.

A label is doubted where some other class is at least as likely as it is for that class's own rows (Northcutt, Jiang
and Chuang 2021, “Confident Learning: Estimating Uncertainty in Dataset Labels”). A model that is unsure doubts right
labels as well, so the number doubted always stands beside the number that faultless labels would have drawn from
the same probabilities. Nothing here says that a label *is* wrong: a person has to look.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Faultless:
    """How many labels would be doubted if none were wrong.

    Attributes:
        mean: Number on average over the draws.
        low: 2.5th percentile.
        high: 97.5th percentile.
        draws: How often labels were drawn.
    """

    mean: float
    low: float
    high: float
    draws: int


def self_confidence(probabilities: Floats, labels: Labels) -> Doubles:
    """Probability of the given label, shape ``(rows,)``."""
    found: Doubles = np.asarray(probabilities, dtype=np.float64)[np.arange(len(labels)), labels]
    return found


def thresholds(probabilities: Floats, labels: Labels) -> Doubles:
    """What a class's own rows give to it on average: from there on a row counts as confidently of that class.

    Args:
        probabilities: Out of sample, shape ``(rows, classes)``.
        labels: Given classes, shape ``(rows,)``.

    Returns:
        Shape ``(classes,)``; infinite for a class without rows, which nothing is then taken for.
    """
    classes = probabilities.shape[1]
    rows = np.bincount(labels, minlength=classes)
    total = np.bincount(labels, weights=self_confidence(probabilities, labels), minlength=classes)
    found: Doubles = np.divide(total, rows, out=np.full(classes, np.inf), where=rows > 0)
    return found


def suggested(probabilities: Floats, labels: Labels) -> Places:
    """The class that each row is confidently taken for, or -1 where it is for none.

    Args:
        probabilities: Out of sample, shape ``(rows, classes)``.
        labels: Given classes, shape ``(rows,)``.

    Returns:
        Of the classes whose threshold the row reaches the likeliest one, shape ``(rows,)``.
    """
    wide = np.asarray(probabilities, dtype=np.float64)
    reached = wide >= thresholds(wide, labels) - 1e-12
    likeliest = np.where(reached, wide, -1.0).argmax(axis=1) if len(wide) else np.zeros(0, dtype=np.int64)
    found: Places = np.where(reached.any(axis=1), likeliest, -1).astype(np.int64)
    return found


def confident_joint(probabilities: Floats, labels: Labels) -> Places:
    """Rows counted by given label (first axis) and confidently suggested class (second), shape ``(classes, classes)``.

    Args:
        probabilities: Out of sample, shape ``(rows, classes)``.
        labels: Given classes, shape ``(rows,)``.
    """
    classes, found = probabilities.shape[1], suggested(probabilities, labels)
    known = found >= 0
    flat = np.bincount(np.asarray(labels)[known] * classes + found[known], minlength=classes * classes)
    return flat.reshape(classes, classes).astype(np.int64)


def doubted(probabilities: Floats, labels: Labels) -> Mask:
    """Rows off the diagonal of the confident joint: confidently of another class than the given one.

    A row whose given class is also its likeliest one is not doubted.

    Args:
        probabilities: Out of sample, shape ``(rows, classes)``.
        labels: Given classes, shape ``(rows,)``.
    """
    found = suggested(probabilities, labels)
    likeliest = np.asarray(probabilities).argmax(axis=1) if len(labels) else found
    mask: Mask = (found >= 0) & (found != labels) & (likeliest != labels)
    return mask


def margin(probabilities: Floats, labels: Labels) -> Doubles:
    """Probability of the given label less that of the likeliest other class, -1 to 1: the lower, the more doubtful.

    Args:
        probabilities: Out of sample, shape ``(rows, classes)``.
        labels: Given classes, shape ``(rows,)``.
    """
    others = np.array(probabilities, dtype=np.float64)
    own = self_confidence(others, labels)
    others[np.arange(len(labels)), labels] = -np.inf
    found: Doubles = own - others.max(axis=1)
    return found


def ranking(probabilities: Floats, labels: Labels) -> Places:
    """Rows in the order in which a person should look at them: the doubted ones first, each part by its margin.

    Args:
        probabilities: Out of sample, shape ``(rows, classes)``.
        labels: Given classes, shape ``(rows,)``.

    Returns:
        Places, shape ``(rows,)``; ties stay in the order of the rows.
    """
    return np.lexsort((margin(probabilities, labels), ~doubted(probabilities, labels))).astype(np.int64)


def if_faultless(probabilities: Floats, *, draws: int = 1000, seed: int = 0) -> Faultless:
    """How many labels would be doubted if every label were drawn from the model's own probabilities.

    The parametric null of the check: labels that are right and as hard to tell as the model says. It is as good as
    the probabilities' calibration (see metrics.label_noise, which keeps wrong labels out of it).

    Args:
        probabilities: Calibrated, out of sample, shape ``(rows, classes)``.
        draws: How often all labels are drawn.
        seed: Seed of the draws.

    Raises:
        ValueError: There is no row, or no draw.
    """
    if not len(probabilities) or draws < 1:
        raise ValueError(f"{len(probabilities)} rows and {draws} draws; both must be 1 or more")
    random = np.random.Generator(np.random.PCG64(seed))
    sums = np.cumsum(np.asarray(probabilities, dtype=np.float64), axis=1)
    numbers = np.empty(draws)
    for draw in range(draws):
        labels = (random.random((len(sums), 1)) * sums[:, -1:] > sums).sum(axis=1)
        numbers[draw] = doubted(probabilities, np.minimum(labels, sums.shape[1] - 1)).sum()
    low, high = np.quantile(numbers, [0.025, 0.975])
    return Faultless(float(numbers.mean()), float(low), float(high), draws)
