"""The teacher of one seed: trained on the labels, asked once for every row, checked before a student learns from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench import storage
from workbench.data import Splits
from workbench.pipeline.drawing import Drawn, parts
from workbench.pipeline.embedding import EncoderKey, Vectors, encoder_key, members_of, weights_name
from workbench.pipeline.session import Session, StageResult
from workbench.recipe import Member, Recipe
from workbench.runs import StageKey

if TYPE_CHECKING:
    from workbench.models import Candidate

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
AllVectors = Mapping[EncoderKey, Vectors]
ROOMS = ("models", "training")


@dataclass(frozen=True)
class Answers:
    """What a teacher says of every row of the splits.

    Attributes:
        rows: Row numbers, ascending, shape ``(n,)``.
        probabilities: Calibrated, shape ``(n, classes)``.
        digest: Digest of the stage that made them.
        folder: Its folder; the teacher itself is saved in ``model``.
    """

    rows: Rows
    probabilities: Floats
    digest: str
    folder: Path

    def of(self, rows: Rows) -> Floats:
        """Probabilities of some rows, in their order, shape ``(len(rows), classes)``."""
        return np.asarray(self.probabilities[np.searchsorted(self.rows, rows)])


def rows_of(splits: Splits) -> Rows:
    """Numbers of all rows of the splits, ascending."""
    return np.unique(np.concatenate([part.rows for part in parts(splits).values()]))


def teach(session: Session, recipe: Recipe, drawn: Drawn, vectors: AllVectors, baseline: StageResult) -> Answers:
    """Train the teacher and let it answer for every row.

    Args:
        session: The doing of the run.
        recipe: The recipe; it names a teacher.
        drawn: The splits of the seed.
        vectors: Embeddings by encoder.
        baseline: The baseline of the same seed, a possible member of an ensemble.

    Raises:
        ModelError: Its label map is not the run's, it is no better than the largest class, or a file does not fit.
    """
    members = members_of(recipe)
    uses_baseline = any(member.baseline for member in members)
    inputs = {
        "teacher": [member.model_dump(mode="json") for member in members],
        "splits": drawn.digest,
        "vectors": [vectors[encoder_key(member)].digest for member in members if member.model],
        "files": [storage.sha256_file(session.base / member.file) for member in members if member.file],
        "baseline": baseline.digest if uses_baseline else None,
    }

    def work(folder: Path) -> None:
        taught = [_member(session, member, drawn.splits, vectors, baseline) for member in members]
        _combine(taught, [member.weight for member in members], drawn.splits, folder)

    result = session.stage(StageKey("teacher", inputs, ROOMS), work, "teacher")
    probabilities = np.load(result.folder / "probabilities.npy", mmap_mode="r")
    return Answers(np.load(result.folder / "rows.npy"), probabilities, result.digest, result.folder)


@dataclass(frozen=True)
class Taught:
    """One trained member: the candidate, its answers for all rows, and for validation without having seen it."""

    candidate: Candidate
    probabilities: Floats
    about: dict[str, Any]


def _member(session: Session, member: Member, splits: Splits, vectors: AllVectors, baseline: StageResult) -> Taught:
    if member.baseline:
        return _baseline_member(splits, baseline)
    if member.file is not None:
        return _file_member(session, session.base / member.file, splits)
    return _head_member(session, member, splits, vectors[encoder_key(member)])


def _head_member(session: Session, member: Member, splits: Splits, vectors: Vectors) -> Taught:
    from workbench.models.encoder import Encoder
    from workbench.models.head import HeadCandidate
    from workbench.models.weights import find_weights
    from workbench.training.distillation import one_hot
    from workbench.training.head import train_head

    trained = train_head(
        vectors.of(splits.train.rows),
        one_hot(splits.train.labels, len(splits.classes)),
        vectors.of(splits.validation.rows),
        splits.validation.labels,
        stop=session.stop,
    )
    name = weights_name(member.model or "", session.base)
    weights = find_weights(name, revision=member.revision, download=session.download)
    encoder = Encoder.open(weights, max_tokens=member.max_tokens, layers=member.layers)
    probabilities = trained.head.predict_proba(vectors.of(rows_of(splits)))
    about = {"l2": trained.l2, "temperature": trained.temperature, "encoder": weights.name, "digest": weights.digest}
    return Taught(HeadCandidate(encoder, trained.head, splits.classes), probabilities, about)


def _baseline_member(splits: Splits, baseline: StageResult) -> Taught:
    from workbench import models

    candidate = models.load(baseline.folder / "model")
    return Taught(candidate, predict_rows(candidate, splits), {"member": "baseline"})


def _file_member(session: Session, file: Path, splits: Splits) -> Taught:
    from workbench.models.targets_file import TargetsFile

    answers = TargetsFile.read(file, splits.classes, id_column=session.ids.name)
    return Taught(answers, answers.find(session.ids.of(rows_of(splits))), {"file": file.name})


def predict_rows(candidate: Candidate, splits: Splits) -> Floats:
    """A candidate's probabilities of every row of the splits, in ascending order of row number."""
    import pyarrow as pa

    used = list(parts(splits).values())
    numbers = np.concatenate([part.rows for part in used])
    _, first = np.unique(numbers, return_index=True)
    return candidate.predict_proba(pa.concat_arrays([part.texts for part in used]).take(pa.array(first)))


def _combine(taught: list[Taught], weights: list[float], splits: Splits, folder: Path) -> None:
    from workbench.models.ensemble import EnsembleCandidate
    from workbench.training.distillation import check_classes, check_teacher

    for one in taught:
        check_classes(one.candidate.classes, splits.classes)
    shares = np.asarray(weights, dtype=np.float64) / sum(weights)
    mean = sum(share * one.probabilities.astype(np.float64) for share, one in zip(shares, taught, strict=True))
    probabilities = np.asarray(mean, dtype=np.float32)
    rows = rows_of(splits)
    validation = probabilities[np.searchsorted(rows, splits.validation.rows)]
    checked = check_teacher(validation, splits.validation.labels, splits.classes)
    candidate = taught[0].candidate
    if len(taught) > 1:
        candidate = EnsembleCandidate([one.candidate for one in taught], list(shares))
    candidate.save(folder / "model")
    storage.write_array(folder / "rows.npy", rows)
    storage.write_array(folder / "probabilities.npy", probabilities)
    about = {"members": [one.about for one in taught], "check": vars(checked)}
    storage.write_json(folder / "teacher.json", about)
