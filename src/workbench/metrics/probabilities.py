"""Scores that need the probabilities and not only the predicted class: top-k accuracy and log loss.

Both are means of one number for each row, which is what the bootstrap resamples. Equal to scikit-learn's
``top_k_accuracy_score`` and ``log_loss``, rules for ties and clipping included.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.metrics.scores import Float64Array, FloatArray, IntArray


def row_top_k(labels: IntArray, probabilities: FloatArray, k: int) -> npt.NDArray[np.bool_]:
    """Whether the label is among the k most probable classes; of equal ones the later class comes first.

    Args:
        labels: True classes (rows,).
        probabilities: (rows, classes).
        k: At least 1.

    Returns:
        True or False (rows,).

    Raises:
        ValueError: If k is below 1 or the shapes do not fit.
    """
    if k < 1:
        raise ValueError(f"k must be 1 or more; got {k}")
    own = _of_label(labels, probabilities)[:, None]
    later = np.arange(probabilities.shape[1])[None, :] > labels[:, None]
    ahead = (probabilities > own) | ((probabilities == own) & later)
    inside: npt.NDArray[np.bool_] = ahead.sum(axis=1) < k
    return inside


def row_log_loss(labels: IntArray, probabilities: FloatArray) -> Float64Array:
    """Minus the logarithm of the label's probability, clipped by the floating type's epsilon.

    Args:
        labels: True classes (rows,).
        probabilities: (rows, classes); rows sum to 1.

    Returns:
        Nats (rows,).

    Raises:
        ValueError: If the shapes do not fit.
    """
    epsilon = float(np.finfo(probabilities.dtype).eps)
    clipped = np.clip(_of_label(labels, probabilities), epsilon, 1 - epsilon)
    return np.asarray(-np.log(clipped), dtype=np.float64)


def top_k_accuracy(labels: IntArray, probabilities: FloatArray, k: int = 3) -> float:
    """Share of rows whose label is among the k most probable classes.

    Args:
        labels: True classes (rows,).
        probabilities: (rows, classes).
        k: At least 1; with k ≥ classes the answer is 1.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: If there are no rows or the shapes do not fit.
    """
    return float(_some(row_top_k(labels, probabilities, k)).mean())


def log_loss(labels: IntArray, probabilities: FloatArray) -> float:
    """Mean surprise at the labels, in nats: 0 is certain and right, log(classes) is knowing nothing.

    Args:
        labels: True classes (rows,).
        probabilities: (rows, classes); rows sum to 1.

    Returns:
        A number of 0 or more.

    Raises:
        ValueError: If there are no rows or the shapes do not fit.
    """
    return float(_some(row_log_loss(labels, probabilities)).mean())


def _of_label(labels: IntArray, probabilities: FloatArray) -> FloatArray:
    """The probability of each row's label."""
    if probabilities.ndim != 2 or len(labels) != len(probabilities):
        raise ValueError(
            f"labels {labels.shape} and probabilities {probabilities.shape} do not fit: (rows,), (rows, classes)"
        )
    if len(labels) and not (0 <= int(labels.min()) and int(labels.max()) < probabilities.shape[1]):
        raise ValueError(f"labels must lie in 0..{probabilities.shape[1] - 1}")
    picked: FloatArray = np.take_along_axis(probabilities, labels[:, None].astype(np.intp), axis=1)[:, 0]
    return picked


def _some(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Refuse an empty column."""
    if len(values) == 0:
        raise ValueError("a score of no rows does not exist")
    return values
