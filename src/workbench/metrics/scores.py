"""The scores of a classifier, from labels and predictions, or from probabilities.

Every score of labels and predictions is a function of three counts for each class (hits, labels, predictions), so
that ten thousand resamples are scored at once from summed counts. Refuses empty arrays: a score of nothing is not 0.

The rule for F1, which is scikit-learn's ``f1_score(..., zero_division=0)``: a class takes part if it stands in the
labels or in the predictions; a class that takes part and has no hit counts as 0; a class in neither is left out of
the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.floating[Any]]
Float64Array = npt.NDArray[np.float64]


class Counts(NamedTuple):
    """What every score of labels and predictions needs; each array (..., classes)."""

    hits: FloatArray
    labelled: FloatArray
    predicted: FloatArray


def count(labels: IntArray, predictions: IntArray, n_classes: int) -> Counts:
    """Count hits, labels and predictions of every class.

    Args:
        labels: True classes (rows,), each in [0, n_classes).
        predictions: Predicted classes (rows,), each in [0, n_classes).
        n_classes: Number of classes, at least 1.

    Returns:
        Counts with arrays (classes,); all zero where there are no rows.

    Raises:
        ValueError: If the arrays differ in length or hold a class outside the range.
    """
    check_classes(labels, predictions, n_classes)
    right = labels[labels == predictions]
    hits, labelled, predicted = (
        np.bincount(one, minlength=n_classes).astype(np.float64) for one in (right, labels, predictions)
    )
    return Counts(hits, labelled, predicted)


def check_classes(labels: IntArray, predictions: IntArray, n_classes: int) -> None:
    """Refuse arrays that are not two equally long columns of classes.

    Args:
        labels: True classes (rows,).
        predictions: Predicted classes (rows,).
        n_classes: Number of classes.

    Raises:
        ValueError: If the lengths differ or a class lies outside [0, n_classes).
    """
    if labels.shape != predictions.shape or labels.ndim != 1:
        raise ValueError(
            f"labels {labels.shape} and predictions {predictions.shape} must be one column each, equally long"
        )
    for name, values in (("labels", labels), ("predictions", predictions)):
        if len(values) and not (0 <= int(values.min()) and int(values.max()) < n_classes):
            raise ValueError(f"{name} must lie in 0..{n_classes - 1}; found {int(values.min())}..{int(values.max())}")


def class_f1_of(counts: Counts) -> Float64Array:
    """F1 of every class, 0 for a class without hits.

    Args:
        counts: Arrays (..., classes).

    Returns:
        F1 (..., classes).
    """
    weight: Float64Array = np.asarray(counts.labelled + counts.predicted, dtype=np.float64)
    found: Float64Array = np.divide(2.0 * counts.hits, weight, out=np.zeros_like(weight), where=weight > 0)
    return found


def accuracy_of(counts: Counts) -> Float64Array:
    """Share of rows that are right; NaN where there are no rows.

    Args:
        counts: Arrays (..., classes).

    Returns:
        Accuracy (...).
    """
    return _ratio(counts.hits.sum(axis=-1, dtype=np.float64), counts.labelled.sum(axis=-1, dtype=np.float64))


def macro_f1_of(counts: Counts) -> Float64Array:
    """Mean F1 over the classes in labels or predictions; NaN where there are no rows.

    Args:
        counts: Arrays (..., classes).

    Returns:
        Macro F1 (...).
    """
    present = ((counts.labelled + counts.predicted) > 0).sum(axis=-1)
    return _ratio(class_f1_of(counts).sum(axis=-1), present)


def weighted_f1_of(counts: Counts) -> Float64Array:
    """Mean F1 weighted by the number of labels; NaN where there are no rows.

    Args:
        counts: Arrays (..., classes).

    Returns:
        Weighted F1 (...).
    """
    total = (class_f1_of(counts) * counts.labelled).sum(axis=-1)
    return _ratio(total, counts.labelled.sum(axis=-1, dtype=np.float64))


def _ratio(above: npt.ArrayLike, below: npt.ArrayLike) -> Float64Array:
    """Divide, NaN (never a warning) where there is nothing to divide by."""
    top, bottom = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    return np.divide(top, bottom, out=np.full_like(bottom, np.nan), where=bottom > 0)


# With one label a row micro F1 is accuracy: every wrong row is one false positive and one false negative.
COUNT_METRICS: dict[str, Callable[[Counts], Float64Array]] = {
    "accuracy": accuracy_of,
    "macro_f1": macro_f1_of,
    "micro_f1": accuracy_of,
    "weighted_f1": weighted_f1_of,
}
PROPORTIONS = frozenset({"accuracy", "micro_f1"})


def count_metric(metric: str) -> Callable[[Counts], Float64Array]:
    """The function behind a metric's name.

    Args:
        metric: One of COUNT_METRICS.

    Returns:
        A function of Counts.

    Raises:
        ValueError: If there is no metric of that name.
    """
    if metric not in COUNT_METRICS:
        raise ValueError(f"there is no metric {metric!r}; choose one of {', '.join(sorted(COUNT_METRICS))}")
    return COUNT_METRICS[metric]


def _score(metric: str, labels: IntArray, predictions: IntArray, n_classes: int) -> float:
    """One score of one table."""
    if len(labels) == 0:
        raise ValueError(f"{metric} of no rows does not exist")
    return float(COUNT_METRICS[metric](count(labels, predictions, n_classes)))


def accuracy(labels: IntArray, predictions: IntArray, n_classes: int) -> float:
    """Share of rows whose prediction is the label.

    Args:
        labels: True classes (rows,).
        predictions: Predicted classes (rows,).
        n_classes: Number of classes.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: If there are no rows, or a class lies outside the range.
    """
    return _score("accuracy", labels, predictions, n_classes)


def macro_f1(labels: IntArray, predictions: IntArray, n_classes: int) -> float:
    """Mean of the classes' F1, each class counting alike; see the module for the rule.

    Args:
        labels: True classes (rows,).
        predictions: Predicted classes (rows,).
        n_classes: Number of classes.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: If there are no rows, or a class lies outside the range.
    """
    return _score("macro_f1", labels, predictions, n_classes)


def micro_f1(labels: IntArray, predictions: IntArray, n_classes: int) -> float:
    """F1 of all rows taken together, which for one label a row is the accuracy.

    Args:
        labels: True classes (rows,).
        predictions: Predicted classes (rows,).
        n_classes: Number of classes.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: If there are no rows, or a class lies outside the range.
    """
    return _score("micro_f1", labels, predictions, n_classes)


def weighted_f1(labels: IntArray, predictions: IntArray, n_classes: int) -> float:
    """Mean of the classes' F1, each weighted by its number of labels.

    Args:
        labels: True classes (rows,).
        predictions: Predicted classes (rows,).
        n_classes: Number of classes.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: If there are no rows, or a class lies outside the range.
    """
    return _score("weighted_f1", labels, predictions, n_classes)


def per_class_f1(labels: IntArray, predictions: IntArray, n_classes: int) -> Float64Array:
    """F1 of every class.

    Args:
        labels: True classes (rows,).
        predictions: Predicted classes (rows,).
        n_classes: Number of classes.

    Returns:
        F1 (classes,); 0 for a class in neither labels nor predictions, as scikit-learn with ``zero_division=0``.

    Raises:
        ValueError: If there are no rows, or a class lies outside the range.
    """
    if len(labels) == 0:
        raise ValueError("per_class_f1 of no rows does not exist")
    return class_f1_of(count(labels, predictions, n_classes))


METRICS: dict[str, Callable[[IntArray, IntArray, int], float]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "micro_f1": micro_f1,
    "weighted_f1": weighted_f1,
}
