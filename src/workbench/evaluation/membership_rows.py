"""The rows of a membership audit: members and others that the draw of the labels alone told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.errors import WorkbenchError
from workbench.evaluation.check import Subject
from workbench.evaluation.references import Audited

if TYPE_CHECKING:
    from workbench.data import Splits
    from workbench.models.encoder import Encoder

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Audit:
    """How much is done.

    Attributes:
        shadows: Reference models of each family, even.
        text_shadows: Those of linear models and students, which cost more, even and no more than ``shadows``.
        pool_rows: Rows of the pool that shadow students learn from.
        most: Members, and others, at most.
        canaries: Rows with a random text and label that are put into a head of the teacher's family; 0 for none.
        tuned: Fine-tuned reference models of a fine-tuned teacher, minutes each; 0 for none.
        seed: Seed of halves, samples and controls.
    """

    shadows: int = 64
    text_shadows: int = 32
    pool_rows: int = 800
    most: int = 2000
    canaries: int = 0
    tuned: int = 0
    seed: int = 0


def audited_rows(splits: Splits, audit: Audit) -> tuple[Audited, int]:
    """Members and others with the same share of both in every class, and how many rows that leaves out.

    Rows of classes that one side lacks cannot be told apart fairly: their class alone would give them away.

    Args:
        splits: The splits of the seed.
        audit: Most rows a side, and the seed.
    """
    random = np.random.default_rng(audit.seed)
    sides = [splits.train, splits.reserve]
    counts = np.array([np.bincount(side.labels, minlength=len(splits.classes)) for side in sides])
    both = (counts > 0).all(axis=0)
    ratios = counts[1, both] / counts[0, both]
    ratio = float(np.median(np.repeat(ratios, counts[0, both]))) if both.any() else 1.0
    wanted = np.zeros_like(counts)
    wanted[0, both] = np.minimum(counts[0, both], np.rint(counts[1, both] / ratio))
    wanted[1, both] = np.minimum(counts[1, both], np.rint(counts[0, both] * ratio))
    wanted = (wanted * min(1.0, audit.most / max(wanted.sum(axis=1).max(), 1))).astype(np.int64)
    chosen = [_drawn(side.labels, counts, random) for side, counts in zip(sides, wanted, strict=True)]
    taken = [side.rows[rows] for side, rows in zip(sides, chosen, strict=True)]
    audited = Audited(
        np.concatenate(taken),
        pa.concat_arrays([plain(side.texts).take(pa.array(rows)) for side, rows in zip(sides, chosen, strict=True)]),
        np.concatenate([side.labels[rows] for side, rows in zip(sides, chosen, strict=True)]).astype(np.int64),
        np.repeat([True, False], [len(rows) for rows in chosen]),
        len(splits.classes),
    )
    return audited, int(counts.sum()) - len(audited)


def plain(texts: pa.Array) -> pa.Array:
    """Texts as ``large_string`` without missing ones."""
    return texts.cast(pa.large_string()).fill_null("")


def _drawn(labels: Array, wanted: Array, random: np.random.Generator) -> Array:
    chosen = [random.permutation(np.flatnonzero(labels == label))[:count] for label, count in enumerate(wanted)]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def base_encoder(subject: Subject) -> tuple[Encoder | None, str]:
    """The encoder that the run's teacher started from, and why there is none.

    Args:
        subject: The finished comparison.
    """
    from workbench.models.encoder import Encoder
    from workbench.models.weights import find_weights

    teacher = subject.recipe.teacher
    members = () if teacher is None else teacher.ensemble or (teacher,)
    member = next((one for one in members if one.model), None)
    if member is None or member.model is None:
        return None, "no teacher of the run reads texts with an encoder, so no shadow teacher can be trained."
    candidate = subject.candidates.get("teacher")
    if candidate is not None and candidate.kind == "head" and member.method == "head":
        return candidate.encoder, ""  # type: ignore[attr-defined]
    try:
        weights = find_weights(member.model, revision=member.revision)
        return Encoder.open(weights, max_tokens=member.max_tokens, layers=member.layers), ""
    except WorkbenchError as error:
        return None, f"{error.problem} {error.would_be_right}"
