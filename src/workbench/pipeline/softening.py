"""What students learn from: the teacher's answers for labelled rows and pool, smoothed among neighbours if asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench import storage
from workbench.pipeline.drawing import Drawn
from workbench.pipeline.embedding import encoder_key, members_of
from workbench.pipeline.session import Session
from workbench.pipeline.teaching import AllVectors, Answers
from workbench.recipe import Recipe, Smoothing
from workbench.runs import StageKey

if TYPE_CHECKING:
    from workbench.metrics.differential_privacy import Spent
    from workbench.training import Answers as Said

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Targets:
    """The teacher's answers that students learn from, at temperature 1.

    Attributes:
        train: For the labelled training rows, shape ``(rows, classes)``.
        pool: For the pool, shape ``(pool rows, classes)``.
        digest: Digest of the stage that made them.
        spent: What the teacher's training with differential privacy spent; ``None`` for any other teacher.
    """

    train: Floats
    pool: Floats
    digest: str
    spent: Spent | None = None

    def said(self) -> Said:
        """The same, as training takes it."""
        from workbench.training import Answers as Said

        return Said(np.asarray(self.train), np.asarray(self.pool))


def soften(session: Session, recipe: Recipe, drawn: Drawn, vectors: AllVectors, answers: Answers) -> Targets:
    """The teacher's answers for the rows that students learn from; smoothed where the recipe says so.

    Args:
        session: The doing of the run.
        recipe: The recipe.
        drawn: The splits of the seed.
        vectors: Embeddings by encoder; neighbours are sought in the first teacher's.
        answers: What the teacher says of every row.

    Raises:
        Stopped: Somebody asked to stop.
    """
    splits, smoothing = drawn.splits, recipe.distillation.smoothing
    train, pool = answers.of(splits.train.rows), answers.of(splits.pool.rows)
    if smoothing is None or not len(pool):
        from workbench.training.private_students import read_spent

        return Targets(train, pool, answers.digest, read_spent(answers.folder / "model"))
    space = vectors[next(encoder_key(member) for member in members_of(recipe) if member.model)]
    inputs = {"answers": answers.digest, "vectors": space.digest, "smoothing": smoothing.model_dump(mode="json")}

    def work(folder: Path) -> None:
        rows = np.concatenate([splits.pool.rows, splits.train.rows])
        smoothed = _smoothed(session, smoothing, drawn, space.of(rows), pool)
        storage.write_array(folder / "pool.npy", smoothed)

    result = session.stage(StageKey("soft targets", inputs, ("training/propagation",)), work, "teacher")
    return Targets(train, np.load(result.folder / "pool.npy", mmap_mode="r"), result.digest)


def _smoothed(session: Session, smoothing: Smoothing, drawn: Drawn, vectors: Floats, pool: Floats) -> Floats:
    from workbench.training.distillation import one_hot
    from workbench.training.propagation import find_neighbours, propagate

    splits = drawn.splits
    neighbours = find_neighbours(
        vectors, len(splits.train), smoothing, seed=splits.seed, listener=session.listener, stop=session.stop
    )
    return propagate(pool, one_hot(splits.train.labels, len(splits.classes)), neighbours, smoothing)
