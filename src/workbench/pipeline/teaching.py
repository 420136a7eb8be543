"""The teacher of one seed: trained on the labels, asked once for every row, checked before a student learns from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench import storage
from workbench.data import Splits
from workbench.pipeline.drawing import Drawn, parts
from workbench.pipeline.embedding import EncoderKey, Vectors, encoder_key, members_of, weights_name
from workbench.pipeline.session import Session, StageResult
from workbench.recipe import Member, Recipe, Teacher
from workbench.runs import Event, Listener, StageKey, ignore

if TYPE_CHECKING:
    from workbench.models import Candidate, Weights
    from workbench.training import TrainedHead, Watch

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
AllVectors = Mapping[EncoderKey, Vectors]
ROOMS = ("models", "training")
POOL_SEEN = 20_000
"""Pool rows, at most about twice as many, whose main directions a private head sees."""


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


def head_alone(recipe: Recipe) -> Recipe | None:
    """The recipe with its fine-tuned teachers as heads on the frozen encoder; ``None`` where none is fine-tuned."""
    members = members_of(recipe)
    if recipe.teacher is None or all(member.method == "head" for member in members):
        return None
    plain = {"method": "head", "tuning": None}
    ensemble = tuple(member.model_copy(update=plain) for member in recipe.teacher.ensemble)
    teacher = recipe.teacher.model_copy(update={**plain, "ensemble": ensemble})
    return recipe.model_copy(update={"teacher": teacher})


def teach(
    session: Session,
    recipe: Recipe,
    drawn: Drawn,
    vectors: AllVectors,
    baseline: StageResult,
    name: str = "teacher",
) -> Answers:
    """Train the teacher and let it answer for every row.

    Args:
        session: The doing of the run.
        recipe: The recipe; it names a teacher.
        drawn: The splits of the seed.
        vectors: Embeddings by encoder.
        baseline: The baseline of the same seed, a possible member of an ensemble.
        name: What the candidate is called.

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

    key = StageKey(name, inputs, ROOMS)

    def work(folder: Path) -> None:
        watch = watching(session, key, name)
        taught = []
        for number, member in enumerate(members):
            adapter = folder / "model" / ("adapter" if len(members) == 1 else f"adapter-{number}")
            place = Place(folder / f"encoder-{number}", adapter, watch.of_round(number))
            taught.append(_member(session, member, drawn.splits, vectors, baseline, place))
        _combine(taught, [member.weight for member in members], drawn.splits, folder)
        for number in range(len(members)):
            storage.remove_tree(folder / f"encoder-{number}")

    result = session.stage(key, work, name)
    probabilities = np.load(result.folder / "probabilities.npy", mmap_mode="r")
    return Answers(np.load(result.folder / "rows.npy"), probabilities, result.digest, result.folder)


@dataclass(frozen=True)
class Taught:
    """One trained member: the candidate, its answers for all rows, and for validation without having seen it."""

    candidate: Candidate
    probabilities: Floats
    about: dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a member is fine-tuned: folders for its encoder and for its low-rank updates, and who looks on."""

    folder: Path
    adapter: Path
    watch: Watch


def _member(
    session: Session, member: Member, splits: Splits, vectors: AllVectors, baseline: StageResult, place: Place
) -> Taught:
    if member.baseline:
        return _baseline_member(splits, baseline)
    if member.file is not None:
        return _file_member(session, session.base / member.file, splits)
    from workbench.models.weights import find_weights

    name = weights_name(member.model or "", session.base)
    weights = find_weights(name, revision=member.revision, download=session.download)
    if isinstance(member, Teacher) and member.privacy is not None:
        return _private_member(member, splits, vectors[encoder_key(member)], weights, place)
    listener = place.watch.listener if member.method == "head" else ignore
    trained = _head(session, splits, vectors[encoder_key(member)], listener)
    if member.method == "head":
        return _head_member(member, splits, vectors[encoder_key(member)], weights, trained)
    return _tuned_member(member, splits, weights, trained, place)


def _head(session: Session, splits: Splits, vectors: Vectors, listener: Listener) -> TrainedHead:
    from workbench.training.distillation import one_hot
    from workbench.training.head import train_head

    return train_head(
        vectors.of(splits.train.rows),
        one_hot(splits.train.labels, len(splits.classes)),
        vectors.of(splits.validation.rows),
        splits.validation.labels,
        listener=listener,
        stop=session.stop,
    )


def _head_member(member: Member, splits: Splits, vectors: Vectors, weights: Weights, trained: TrainedHead) -> Taught:
    from workbench.models.encoder import Encoder
    from workbench.models.head import HeadCandidate

    encoder = Encoder.open(weights, max_tokens=member.max_tokens, layers=member.layers)
    probabilities = trained.head.predict_proba(vectors.of(rows_of(splits)))
    about = {"l2": trained.l2, "temperature": trained.temperature, "encoder": weights.name, "digest": weights.digest}
    return Taught(HeadCandidate(encoder, trained.head, splits.classes), probabilities, about)


def _private_member(member: Teacher, splits: Splits, vectors: Vectors, weights: Weights, place: Place) -> Taught:
    """A head with differential privacy; nothing else is trained on the labelled rows, and nothing is calibrated."""
    from workbench.models.encoder import Encoder
    from workbench.models.head import HeadCandidate
    from workbench.training.private_head import PrivateSettings, train_private_head

    assert member.privacy is not None  # noqa: S101  (asked by the caller)
    pool = splits.pool.rows[:: max(1, len(splits.pool) // POOL_SEEN)]
    made = train_private_head(
        vectors.of(splits.train.rows),
        splits.train.labels,
        len(splits.classes),
        PrivateSettings(**member.privacy.model_dump()),
        pool=vectors.of(pool),
        listener=place.watch.listener,
        stop=place.watch.stop,
    )
    encoder = Encoder.open(weights, max_tokens=member.max_tokens, layers=member.layers)
    probabilities = made.head.predict_proba(vectors.of(rows_of(splits)))
    about = {"privacy": made.spent.to_json(), "encoder": weights.name, "digest": weights.digest}
    return Taught(HeadCandidate(encoder, made.head, splits.classes), probabilities, about)


def _tuned_member(member: Member, splits: Splits, weights: Weights, trained: TrainedHead, place: Place) -> Taught:
    from workbench.training.finetuning import Labels, finetune

    labels = Labels(splits.classes, splits.train, splits.validation)
    head = trained.head.scaled(1 / trained.temperature)

    def keep(encoder: Any) -> None:
        from workbench.training.lora import save_adapter

        save_adapter(encoder, place.adapter, base=weights.name, base_sha256=weights.digest)

    tuned = finetune(weights, member, labels, head, place.folder, seed=splits.seed, watch=place.watch, keep=keep)
    done = tuned.trained
    about = {
        "method": member.method,
        "encoder": weights.name,
        "digest": weights.digest,
        "temperature": tuned.temperature,
        "trained_parameters": tuned.parameters,
        "steps": done.steps,
        "epochs": done.epochs,
        "best_epoch": done.best_epoch,
        "validation_losses": done.losses,
        "seconds": done.seconds,
        "checkpoint_seconds": done.checkpoint_seconds,
    }
    return Taught(tuned.candidate, predict_rows(tuned.candidate, splits), about)


def watching(session: Session, key: StageKey, candidate: str) -> Watch:
    """What a training is told and asks for: events under the candidate's name, stopping, where positions are kept."""
    from workbench.training import Watch

    stage = candidate.partition("-")[0]

    def listen(event: Event) -> None:
        session.listener(replace(event, candidate=candidate, stage=stage))

    return Watch(listen, session.stop, session.checkpoints(key), session.tell)


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
    if "privacy" in taught[0].about:
        from workbench.metrics.differential_privacy import Spent
        from workbench.training.private_students import write_privacy

        write_privacy(folder / "model", Spent.from_json(taught[0].about["privacy"]))
    storage.write_array(folder / "rows.npy", rows)
    storage.write_array(folder / "probabilities.npy", probabilities)
    about = {"members": [one.about for one in taught], "check": vars(checked)}
    storage.write_json(folder / "teacher.json", about)
