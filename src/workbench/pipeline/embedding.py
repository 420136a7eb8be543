"""The texts of a run as vectors of each encoder that its teachers use, computed once for all seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.pipeline.drawing import Drawn, parts
from workbench.pipeline.session import Session
from workbench.recipe import Member, Recipe
from workbench.runs import StageKey

if TYPE_CHECKING:
    from workbench.models import Weights

CODE = ("models/encoder", "models/embeddings", "models/tokens")
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
EncoderKey = tuple[str, str, int, tuple[int, ...]]


@dataclass(frozen=True)
class Vectors:
    """Embeddings of one encoder.

    Attributes:
        rows: Row numbers that have a vector, ascending, shape ``(n,)``.
        array: Their vectors, memory-mapped, shape ``(n, dimensions)``.
        digest: Digest of the stage that made them.
    """

    rows: Rows
    array: Floats
    digest: str

    def of(self, rows: Rows) -> Floats:
        """Vectors of some rows, in their order, shape ``(len(rows), dimensions)``."""
        return np.asarray(self.array[np.searchsorted(self.rows, rows)])


def members_of(recipe: Recipe) -> tuple[Member, ...]:
    """The single teachers behind the recipe's teacher; empty without one."""
    if recipe.teacher is None:
        return ()
    return recipe.teacher.ensemble or (recipe.teacher,)


def weights_name(name: str, base: Path) -> str | Path:
    """A model's name, or its folder where the recipe's folder has one of that name."""
    local = base / name
    return local if local.is_dir() else name


def encoder_key(member: Member) -> EncoderKey:
    """What decides on an encoder's vectors: model, revision, longest text, layers."""
    return (member.model or "", member.revision or "", member.max_tokens, member.layers)


def need_extras(recipe: Recipe) -> None:
    """Look before anything is done whether a teacher with differential privacy can be trained here.

    Raises:
        MissingExtraError: The extra ``privacy`` is not installed; names the line that installs it.
    """
    if recipe.teacher is not None and recipe.teacher.privacy is not None:
        from workbench.training.private_head import need_privacy

        need_privacy()


def find_all_weights(recipe: Recipe, base: Path, *, download: bool, skip_pinned: bool = False) -> dict[str, Weights]:
    """Weights of every encoder in the recipe, by name.

    Args:
        recipe: The recipe.
        base: Folder that its relative paths start from.
        download: Whether those that are missing may be fetched from the hub.
        skip_pinned: Leave out those that a later download would fetch.

    Raises:
        ModelError: Some are missing (says where they were looked for), or refused.
    """
    wanted: dict[str, str | None] = {student.model: None for student in recipe.students if student.model}
    wanted |= {member.model: member.revision for member in members_of(recipe) if member.model}
    if not wanted:
        return {}
    from workbench.models.weights import find_weights

    return {
        name: find_weights(weights_name(name, base), revision=revision, download=download)
        for name, revision in wanted.items()
        if not (skip_pinned and revision)
    }


def embed(session: Session, recipe: Recipe, drawn: list[Drawn]) -> Mapping[EncoderKey, Vectors]:
    """Vectors of every row that any seed uses, for every encoder among the teachers.

    Raises:
        ModelError: Weights are missing or refused.
        Stopped: Somebody asked to stop; finished chunks are kept.
    """
    wanted = {encoder_key(member): member for member in members_of(recipe) if member.model is not None}
    if not wanted:
        return {}
    rows, texts = used_texts(drawn)
    return {key: _embed_one(session, member, rows, texts) for key, member in wanted.items()}


def used_texts(drawn: list[Drawn]) -> tuple[Rows, pa.Array]:
    """Numbers of all rows that any seed uses, ascending, and their texts."""
    used = [part for one in drawn for part in parts(one.splits).values()]
    numbers = np.concatenate([part.rows for part in used])
    texts = pa.concat_arrays([part.texts for part in used])
    rows, first = np.unique(numbers, return_index=True)
    return rows, texts.take(pa.array(first))


def _embed_one(session: Session, member: Member, rows: Rows, texts: pa.Array) -> Vectors:
    from workbench.models.embeddings import embed_to, texts_digest
    from workbench.models.encoder import native_bf16
    from workbench.models.weights import find_weights

    name = weights_name(member.model or "", session.base)
    weights = find_weights(name, revision=member.revision, download=session.download)
    inputs = {
        "weights": weights.digest,
        "max_tokens": member.max_tokens,
        "layers": list(member.layers),
        "bf16": native_bf16(),
        "texts": texts_digest(texts),
    }
    key = StageKey("embeddings", inputs, CODE)

    def work(folder: Path) -> None:
        from workbench.models.encoder import Encoder

        encoder = Encoder.open(weights, max_tokens=member.max_tokens, layers=member.layers)
        pieces = session.store.partial(key.digest)
        embed_to(encoder, folder, texts, pieces=pieces, listener=session.listener, stop=session.stop)

    result = session.stage(key, work)
    return Vectors(rows, np.load(result.folder / "embeddings.npy", mmap_mode="r"), result.digest)
