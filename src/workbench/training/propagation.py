"""Label propagation: a teacher's answers averaged among texts that lie near each other in its space.

A pool's texts come in families; what the teacher says of one is corrected by what it says of its neighbours.
After Zhou et al. 2004 (local and global consistency) with the cosine neighbourhoods of Iscen et al. 2019. Arrays
in, arrays out; neighbours are sought among at most ``anchors`` rows, so time grows linearly with the pool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.errors import Stopped
from workbench.recipe import Smoothing
from workbench.runs.events import Listener, Progress, Stop, ignore, never

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

STAGE = "soft targets"
BLOCK = 1024
WIDTH = 0.05
"""Similarity that makes a neighbour count 1/e of a perfect match."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest anchors of every row.

    Attributes:
        anchors: Row number of each anchor, shape ``(anchors,)``.
        nearest: Place in ``anchors`` of each row's neighbours, shape ``(rows, neighbours)``.
        weights: How much each counts, rows sum to 1, the same shape.
    """

    anchors: Indices
    nearest: npt.NDArray[np.int32]
    weights: Floats


def find_neighbours(
    vectors: Floats,
    labelled: int,
    settings: Smoothing,
    *,
    seed: int = 0,
    listener: Listener = ignore,
    stop: Stop = never,
) -> Neighbours:
    """Find every row's nearest anchors by cosine, itself left out.

    Args:
        vectors: Of length 1, shape ``(rows, dimensions)``; the labelled rows come last.
        labelled: How many are labelled; all of them are anchors.
        settings: Number of neighbours and of anchors.
        seed: Draws the anchors where there are more rows.
        listener: Gets progress.
        stop: Asked between blocks.

    Raises:
        Stopped: ``stop`` said yes.
    """
    rows = len(vectors)
    anchors = np.arange(rows)
    if rows > settings.anchors:
        generator = np.random.Generator(np.random.PCG64(seed))
        wanted = max(settings.anchors - labelled, 0)
        drawn = generator.choice(rows - labelled, size=min(wanted, rows - labelled), replace=False)
        anchors = np.concatenate([np.sort(drawn), np.arange(rows - labelled, rows)])
    place = np.full(rows, -1)
    place[anchors] = np.arange(len(anchors))
    count = min(settings.neighbours, len(anchors) - 1)
    among = np.ascontiguousarray(vectors[anchors].T)
    nearest = np.empty((rows, count), dtype=np.int32)
    weights = np.empty((rows, count), dtype=np.float32)
    for start in range(0, rows, BLOCK):
        if stop():
            raise Stopped("Smoothing was asked to stop.", "What was finished is kept.", "Go on: workbench resume RUN")
        similar = np.asarray(vectors[start : start + BLOCK]) @ among
        own = place[start : start + BLOCK]
        inside = np.flatnonzero(own >= 0)
        similar[inside, own[inside]] = -np.inf
        found = np.argpartition(similar, -count, axis=1)[:, -count:]
        nearest[start : start + BLOCK] = found
        weights[start : start + BLOCK] = np.take_along_axis(similar, found, axis=1)
        listener(Progress(STAGE, min(start + BLOCK, rows), rows))
    np.exp((weights - weights.max(axis=1, keepdims=True)) / np.float32(WIDTH), out=weights)
    weights /= weights.sum(axis=1, keepdims=True)
    return Neighbours(anchors, nearest, weights)


def propagate(answers: Floats, hard: Floats, neighbours: Neighbours, settings: Smoothing) -> Floats:
    """Pass answers on among neighbours; the labelled rows always answer with their labels.

    Args:
        answers: The teacher's probabilities of the unlabelled rows, shape ``(rows - labelled, classes)``.
        hard: One-hot labels of the labelled rows, which come last, shape ``(labelled, classes)``.
        neighbours: Of all rows.
        settings: Share of the neighbours and number of steps.

    Returns:
        Smoothed probabilities of the unlabelled rows, in the shape of ``answers``; rows sum to 1.

    Raises:
        ValueError: Answers and labels are not as many as the rows that have neighbours.
    """
    start = np.concatenate([answers, hard])
    if len(start) != len(neighbours.nearest):
        raise ValueError(f"{len(start)} answers for {len(neighbours.nearest)} rows with neighbours")
    share = np.float32(settings.share)
    now = start
    for _ in range(settings.steps):
        known = now[neighbours.anchors]
        asked = np.empty_like(start)
        for first in range(0, len(start), BLOCK):
            block = slice(first, first + BLOCK)
            asked[block] = np.einsum("nk,nkc->nc", neighbours.weights[block], known[neighbours.nearest[block]])
        now = (1 - share) * start + share * asked
        now[len(answers) :] = hard
    smoothed: Floats = now[: len(answers)]
    return smoothed
