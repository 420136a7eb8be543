"""Scores by which an attacker tells rows that a model learned from: arrays in, arrays out, higher means member.

Every attack sees what somebody sees who may ask the model and knows a row's label: its probability of that label.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
TINY = 1e-7


def loss_score(confidence: Array) -> Array:
    """The loss threshold: a row is called a member when the model is sure of its label (Yeom et al. 2018).

    Args:
        confidence: The model's probability of each row's label, shape ``(rows,)``.

    Returns:
        Log of it, shape ``(rows,)``.
    """
    score: Array = np.log(np.clip(confidence, TINY, 1.0).astype(np.float64))
    return score


def rmia_score(confidence: Array, references: Array, inside: Array, population: Array) -> Array:
    """RMIA: how often a row's gain in probability is at least that of a row of the population (Zarifzadeh et al. 2024).

    A row's gain is its probability under the model over its mean probability under the reference models, those that
    learned from it and those that did not counting alike. A row is compared with the population without itself, at the
    paper's γ of 1.

    Args:
        confidence: The model's, shape ``(rows,)``.
        references: The reference models', shape ``(references, rows)``.
        inside: Whether a reference learned from a row, the same shape.
        population: Whether a row is one of the population (rows that the model did not learn from), shape ``(rows,)``.

    Returns:
        Shape ``(rows,)``, 0 to 1; NaN for rows that no reference saw, or that all of them saw.
    """
    seen, unseen = mean_where(references, inside), mean_where(references, ~inside)
    gain = np.clip(confidence, TINY, 1.0) / np.clip((seen + unseen) / 2, TINY, 1.0)
    usual = population & np.isfinite(gain)
    ordered = np.sort(gain[usual])
    reached = np.searchsorted(ordered, gain, side="right") - usual
    score: Array = np.where(np.isfinite(gain), reached / np.maximum(len(ordered) - usual, 1), np.nan)
    return score


def lira_score(confidence: Array, references: Array, inside: Array) -> Array:
    """LiRA: likelihood of a row's log odds among references that learned from it, over that among the others.

    Two normal distributions a row, each with its own mean and one spread for all rows (Carlini et al. 2022, online,
    fixed variance).

    Args:
        confidence: The model's, shape ``(rows,)``.
        references: The reference models', shape ``(references, rows)``.
        inside: Whether a reference learned from a row, the same shape.

    Returns:
        Log of the ratio, shape ``(rows,)``; NaN for rows that no reference saw, or that all of them saw.
    """
    own, others = log_odds(confidence), log_odds(references)
    logs = np.zeros((2, len(own)))
    for side, chosen in enumerate((~inside, inside)):
        mean = mean_where(others, chosen)
        spread = max(float(np.nanmean(np.where(chosen, (others - mean) ** 2, np.nan)) ** 0.5), 1e-3)
        logs[side] = -(((own - mean) / spread) ** 2) / 2 - np.log(spread)
    score: Array = logs[1] - logs[0]
    return score


def log_odds(confidence: Array) -> Array:
    """Log of p / (1 - p)."""
    kept = np.clip(confidence, TINY, 1 - TINY).astype(np.float64)
    odds: Array = np.log(kept) - np.log1p(-kept)
    return odds


def mean_where(values: Array, chosen: Array) -> Array:
    """Mean of each column's chosen values, NaN where none is chosen; shape ``(columns,)``."""
    count = chosen.sum(axis=0)
    total = np.where(chosen, values, 0.0).sum(axis=0, dtype=np.float64)
    mean: Array = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return mean
