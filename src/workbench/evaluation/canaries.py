"""Canaries: made-up rows put into the training of a head, and how far they then stand out (Carlini et al. 2019).

The run's own candidates are not trained again. A head of the teacher's family learns the members and the canaries; a
canary's exposure is how far up its loss ranks among made-up rows that were not put in, in bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.evaluation.references import Audited, Shadows
from workbench.evaluation.shadows import fit_many, logits_of
from workbench.training.distillation import one_hot, softmax

if TYPE_CHECKING:
    from workbench.evaluation.membership_rows import Audit
    from workbench.models.encoder import Encoder

Array = npt.NDArray[Any]

REFERENCES = 511
SYLLABLES = [first + vowel for first in "bdfgklmnprstvz" for vowel in "aeiou"]


def canary_texts(count: int, random: np.random.Generator) -> list[str]:
    """Texts of made-up words that no language has in this order; every one is drawn alike.

    Args:
        count: Their number.
        random: Draws the syllables.
    """
    words = random.choice(SYLLABLES, (count, 4, 3))
    return [" ".join("".join(word) for word in text) for text in words]


def expose(encoder: Encoder, vectors: Array, audited: Audited, shadows: Shadows, audit: Audit) -> dict[str, Any]:
    """Train a head of the teacher's family on members and canaries, and rank the canaries.

    Args:
        encoder: The frozen encoder.
        vectors: Of the audited rows.
        audited: The rows.
        shadows: The teacher's family: strength and temperature.
        audit: Number of canaries, and the seed.

    Returns:
        ``exposures`` in bits, ``references``, ``most`` (all that so many references can show) and ``unexposed`` (the
        mean of a canary that was not put in).
    """
    random = np.random.default_rng([audit.seed, 2])
    texts = canary_texts(audit.canaries + REFERENCES, random)
    labels = random.integers(0, audited.classes, len(texts))
    made = encoder.encode(pa.array(texts, pa.large_string()))
    inside = audited.inside
    features = np.concatenate([vectors[inside], made[: audit.canaries]])
    targets = one_hot(np.concatenate([audited.labels[inside], labels[: audit.canaries]]), audited.classes)
    head = fit_many(features, targets, np.ones((1, len(features))), shadows.l2)
    said = softmax(logits_of(made, head)[0] / shadows.temperature)
    sure = said[np.arange(len(texts)), labels]
    return exposure(sure[: audit.canaries], sure[audit.canaries :])


def exposure(canaries: Array, references: Array) -> dict[str, Any]:
    """Exposure of canaries by how sure a model is of them: ``log2(references + 1) - log2(rank)``, rank 1 the surest.

    Args:
        canaries: Probability of each canary's label, shape ``(canaries,)``.
        references: The same of rows that were made alike and not put in, shape ``(references,)``.
    """
    ranks = 1 + (references[None, :] >= canaries[:, None]).sum(axis=1)
    most = float(np.log2(len(references) + 1))
    every = np.log2(np.arange(1, len(references) + 2))
    return {
        "exposures": (most - np.log2(ranks)).tolist(),
        "references": len(references),
        "most": most,
        "unexposed": float(most - every.mean()),
    }
