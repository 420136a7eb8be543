"""Reference models of a membership audit: shadows of heads, of linear models, and of students behind a teacher.

A family says what its shadows share with the audited candidate. Strength of weight decay and temperature are not
asked of the run: those are taken with which a model of the family, trained on the very members, comes nearest to
the candidate, and how near that is stands in the evidence. A family that comes nowhere near makes a weak attack.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.evaluation.shadows import fit_many, logits_of
from workbench.models.hashing import hashed
from workbench.recipe import Distillation
from workbench.runs.events import Stop, never
from workbench.training.distillation import cross_entropy, mix, one_hot, soft_targets, softmax

Array = npt.NDArray[Any]

HEAD_STRENGTHS = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5)
TEXT_STRENGTHS = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5)
CHAIN_STRENGTHS = (3e-5, 1e-5, 3e-6)
LIKE = 0.05
"""A rebuilt model whose probabilities are no further off than this (mean total variation) counts as the candidate's."""


@dataclass(frozen=True)
class Shadows:
    """Reference models, each trained on its own half of the audited rows.

    Attributes:
        inside: Whether a shadow learned from a row, shape ``(shadows, rows)``.
        heads: Their weights over the features of the family.
        logits: Of the audited rows, and after them those of the pool sample, shape ``(shadows, rows, classes)``.
        family: What they are, in words.
        l2: Strength of weight decay that comes nearest to the candidate.
        temperature: By which its logits are then divided.
        distance: Mean total variation between the candidate and one of the family trained on the members, 0 to 1;
            ``None`` where none was trained.
        approximated: In what they are not trained as the candidate was, in sentences.
    """

    inside: Array
    heads: Array
    logits: Array
    family: str
    l2: float
    temperature: float
    distance: float | None
    approximated: tuple[str, ...] = ()

    def confidence(self, labels: Array) -> Array:
        """Probability of each audited row's label under each shadow, shape ``(shadows, rows)``."""
        rows = np.arange(len(labels))
        chosen = softmax(self.logits[:, : len(labels)] / self.temperature)[:, rows, labels]
        return np.asarray(chosen)

    def answers(self) -> Array:
        """Probabilities of all rows, those of the pool sample too, shape ``(shadows, rows, classes)``."""
        return softmax(self.logits / self.temperature)

    def about(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "family": self.family,
            "shadows": len(self.inside),
            "l2": self.l2,
            "temperature": self.temperature,
            "distance": self.distance,
            "alike": None if self.distance is None else self.distance <= LIKE,
            "approximated": list(self.approximated),
        }


@dataclass(frozen=True)
class Audited:
    """The rows of an audit.

    Attributes:
        rows: Row numbers, shape ``(rows,)``.
        texts: Their texts.
        labels: Their classes.
        inside: Whether the candidates learned from them (members).
        classes: Number of classes.
    """

    rows: Array
    texts: pa.Array
    labels: Array
    inside: Array
    classes: int

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)


def label_shadows(
    features: Array,
    audited: Audited,
    masks: Array,
    candidate: Array,
    strengths: tuple[float, ...] = HEAD_STRENGTHS,
    *,
    stop: Stop = never,
) -> Shadows:
    """Shadows that learn from labels alone, as heads and the baseline do.

    Args:
        features: Of the audited rows, then of others that shall be answered, shape ``(rows, dimensions)``.
        audited: The audited rows.
        masks: Which rows each shadow learns from.
        candidate: The candidate's probabilities of the audited rows, shape ``(rows, classes)``.
        strengths: Of weight decay, tried for the one that comes nearest.
        stop: Asked between steps.
    """
    count = len(audited)
    targets, own = one_hot(audited.labels, audited.classes), features[:count]
    tried = fit_many(own, targets, np.tile(audited.inside, (len(strengths), 1)), np.array(strengths), stop=stop)
    best, temperature, distance = nearest(logits_of(own, tried), candidate)
    heads = fit_many(own, targets, masks, strengths[best], stop=stop)
    about = ("Strength of weight decay and temperature are the candidate's, not chosen anew for each half.",)
    said = logits_of(features, heads)
    return Shadows(masks, heads, said, "linear layer on labels", strengths[best], temperature, distance, about)


@dataclass(frozen=True)
class Pool:
    """A sample of the pool that shadow students learn from.

    Attributes:
        weight: Rows of the whole pool that a sampled one stands for.
        teacher: The real teacher's answers for audited rows and sample, shape ``(rows, classes)``.
        shadows: Those of the shadow teachers, shape ``(shadows, rows, classes)``.
        settings: How the recipe distils.
        fitted: Students that were fitted on it already, by strength; several candidates share them.
    """

    weight: float
    teacher: Array
    shadows: Array
    settings: Distillation
    fitted: dict[float | str, Array] = field(default_factory=dict)


def student_shadows(
    features: Array, audited: Audited, masks: Array, candidate: Array, pool: Pool, *, stop: Stop = never
) -> Shadows:
    """Shadow students, each of the soft targets of its own shadow teacher: the same chain as the run's.

    Args:
        features: Of the audited rows, then of the pool sample, shape ``(rows, dimensions)``.
        audited: The audited rows.
        masks: Which rows each shadow, teacher and student, learns from.
        candidate: The candidate's probabilities of the audited rows.
        pool: Sample and teachers.
        stop: Asked between steps.
    """
    count, sampled = len(audited), len(features) - len(audited)
    extra = np.full(sampled, pool.weight)
    if "tried" not in pool.fitted:
        targets = _targets(pool.teacher[None], audited, pool.settings)
        members = np.tile(np.append(audited.inside.astype(float), extra), (len(CHAIN_STRENGTHS), 1))
        pool.fitted["tried"] = fit_many(features, targets[0], members, np.array(CHAIN_STRENGTHS), stop=stop)
    best, temperature, distance = nearest(logits_of(features[:count], pool.fitted["tried"]), candidate)
    l2 = CHAIN_STRENGTHS[best]
    if l2 not in pool.fitted:
        weights = np.column_stack([masks.astype(float), np.tile(extra, (len(masks), 1))])
        said = _targets(pool.shadows[: len(masks)], audited, pool.settings)
        pool.fitted[l2] = fit_many(features, said, weights, l2, stop=stop)
    heads = pool.fitted[l2]
    about = [f"Shadow students learn from {sampled:,} rows of the pool that stand for all of it."]
    if pool.settings.smoothing is not None:
        about.append("Their teachers' answers are not smoothed among neighbours.")
    about.append("They are linear models of n-grams fitted to the optimum, without the run's early end or rounds.")
    logits = logits_of(features[:count], heads)
    family = "linear student of a shadow teacher"
    return Shadows(masks, heads, logits, family, l2, temperature, distance, tuple(about))


def _targets(answers: Array, audited: Audited, settings: Distillation) -> Array:
    """Soft targets; those of the audited rows are mixed with their labels, as the run mixes."""
    soft = soft_targets(answers, settings.temperature)
    hard = np.broadcast_to(one_hot(audited.labels, audited.classes), (len(answers), len(audited), audited.classes))
    soft[:, : len(audited)] = mix(soft[:, : len(audited)], hard, settings.soft_weight)
    return soft


def nearest(logits: Array, candidate: Array) -> tuple[int, float, float]:
    """Which of several models comes nearest to a candidate once its logits are divided by the best temperature.

    Args:
        logits: Shape ``(models, rows, classes)``.
        candidate: Probabilities, shape ``(rows, classes)``.

    Returns:
        Which, its temperature, and the mean total variation between the two.
    """
    from scipy.optimize import minimize_scalar

    found = []
    for place, one in enumerate(logits.astype(np.float64)):
        best = minimize_scalar(
            lambda power, one=one: cross_entropy(one / np.exp(power), candidate),
            bounds=(np.log(0.02), np.log(50.0)),
            method="bounded",
        )
        found.append((float(best.fun), place, float(np.exp(best.x))))
    _, place, temperature = min(found)
    distance = 0.5 * np.abs(softmax(logits[place] / temperature) - candidate).sum(axis=1).mean()
    return place, temperature, float(distance)


def text_kernel(texts: pa.Array, ngrams: tuple[int, int], buckets: int) -> Array:
    """Inner products of texts as a linear candidate sees them: runs of bytes, weighted by rarity, and scaled.

    Rarity is counted over these very texts; a candidate counts it over those that it learns from.

    Args:
        texts: The texts, ``n`` of them.
        ngrams: Shortest and longest run.
        buckets: Places that runs are hashed to.

    Returns:
        Shape ``(n, n)``.
    """
    import scipy.sparse

    runs, offsets = hashed(texts, *ngrams, buckets)
    ones = np.ones(len(runs), dtype=np.float32)
    counts = scipy.sparse.csr_matrix((ones, runs, offsets), shape=(len(texts), buckets), copy=True)
    counts.sum_duplicates()
    seen = np.bincount(counts.indices, minlength=buckets)
    idf = (np.log((1 + len(texts)) / (1 + seen)) + 1).astype(np.float32)
    occurrences = np.repeat(np.arange(len(texts)), np.diff(offsets))
    squares = np.bincount(occurrences, weights=idf[runs].astype(np.float64) ** 2, minlength=len(texts))
    scaled = scipy.sparse.diags((1 / np.sqrt(np.maximum(squares, 1e-12))).astype(np.float32)) @ counts
    weighted = (scaled @ scipy.sparse.diags(idf)).tocsr()
    kernel: Array = np.asarray((weighted @ weighted.T).todense(), dtype=np.float32)
    return kernel
