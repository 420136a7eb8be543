"""What a membership audit is checked with: can texts alone tell members, and is a model that memorised found out?

The blind baseline never asks a model: if it tells members from the others, the two groups differ in what they are, and
an attack's success shows that and no leak (Das, Zhang and Tramèr 2024). The over-fitted head has every member by heart:
an audit that does not find it finds nothing. (The third control, shuffled membership, is made from the scores.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.evaluation.references import Audited
from workbench.training.distillation import one_hot, softmax

Array = npt.NDArray[Any]

FOLDS = 5
SHARPNESS = 50.0
LEAST = 1e-3


def blind_score(audited: Audited, seed: int) -> Array:
    """Out-of-fold guesses, from words alone, that a row is a member: no model is asked.

    Args:
        audited: The rows; at least 5 members and 5 others.
        seed: Draws the folds.

    Returns:
        Shape ``(rows,)``.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = make_pipeline(words, LogisticRegression(C=1.0, max_iter=500))
    texts = [text if text and text.strip() else "empty" for text in audited.texts.to_pylist()]
    said = cross_val_predict(model, texts, audited.inside, cv=folds, method="predict_proba")
    return np.asarray(said[:, 1], dtype=np.float64)


def memorised(features: Array, audited: Audited) -> Array:
    """Probabilities of a head that has its members by heart: kernel regression through every one of them.

    Args:
        features: Of the audited rows, shape ``(rows, dimensions)``.
        audited: The rows.

    Returns:
        Shape ``(rows, classes)``.
    """
    import scipy.linalg

    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    own = unit[audited.inside].astype(np.float64)
    near = np.exp(SHARPNESS * (own @ own.T - 1))
    near[np.diag_indices_from(near)] += LEAST
    wanted = one_hot(audited.labels[audited.inside], audited.classes) - 1 / audited.classes
    weights = scipy.linalg.solve(near, wanted, assume_a="pos")
    logits = np.exp(SHARPNESS * (unit.astype(np.float64) @ own.T - 1)) @ weights
    return softmax(10 * logits)
