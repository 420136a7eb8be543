"""What log, carbon and events take of a stage's time: the same training bare, and as a stage of a run's session.

Bare and wrapped take turns; the medians are compared. The wrapped one is what a run does: locked stage store, energy
measurement, fsynced log, progress file; both write the candidate.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.recording import record
from workbench import storage
from workbench.pipeline.session import RowIds, Session
from workbench.runs import Listener, ProgressFile, RunFolder, RunState, StageKey, StageStore, ignore, now

ROWS, CLASSES, TURNS = 32_000, 21, 4
WORDS = "burn fever cough rash wound pain heart lung arm leg wrist skin left right acute chronic open other".split()


def prepared() -> tuple[pa.Array, np.ndarray]:
    """Texts of our own and soft targets."""
    random = np.random.default_rng(0)
    texts = [" ".join(chosen) for chosen in random.choice(WORDS, (ROWS, 6))]
    return pa.array(texts, pa.large_string()), random.dirichlet(np.ones(CLASSES), ROWS).astype(np.float32)


def training(listener: Listener) -> Callable[[Path], None]:
    """A stage's work: a linear student on soft targets, saved to a folder."""
    from workbench.training.linear import train_linear

    texts, targets = prepared()
    classes = [str(place) for place in range(CLASSES)]
    return lambda folder: train_linear(texts, targets, classes=classes, listener=listener).save(folder)


def opened(folder: Path) -> tuple[Session, ProgressFile]:
    """A new run's session, and the file that its events go to."""
    run = RunFolder.create(folder, "overhead", RunState("0" * 64, "0" * 64, "running", 1, now()))
    progress = ProgressFile(run)
    return Session(run, StageStore(folder / ".stages"), progress, "FRA", folder, RowIds("row", None)), progress


def main() -> None:
    """Measure both in turns."""
    taken: dict[str, list[float]] = {"bare": [], "wrapped": []}
    with tempfile.TemporaryDirectory() as temporary:
        session, progress = opened(Path(temporary))
        bare, wrapped = training(ignore), training(session.listener)
        session.stage(StageKey("student", {"turn": "first"}, ("training",)), wrapped)  # finds the hardware, once
        for turn in range(2 * TURNS):
            how = ("bare", "wrapped", "wrapped", "bare")[turn % 4]
            began = time.perf_counter()
            if how == "bare":
                with storage.commit_folder(Path(temporary) / f"bare-{turn}") as folder:
                    bare(folder)
            else:
                session.stage(StageKey("student", {"turn": turn}, ("training",)), wrapped)
                progress.flush()
            taken[how].append(time.perf_counter() - began)
    alone, full = statistics.median(taken["bare"]), statistics.median(taken["wrapped"])
    record("a stage with log, carbon and events beside the bare work", full, "s", alone)
    record("seconds that log, carbon and events add to a stage", full - alone, "s")
    record("log, carbon and events as a share of a stage's time", (full - alone) / full, "share")


if __name__ == "__main__":
    main()
