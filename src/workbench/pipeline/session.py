"""Wraps every stage of a run: reuse, energy, log, events, stopping. Stages themselves know nothing of these.

A stage's work is a function of a folder: it writes its result there. The session commits the folder whole,
keeps what it cost beside it, and reuses it where nothing that it depends on has changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import carbon
from workbench.errors import Stopped
from workbench.runs import (
    Listener,
    Measured,
    RunFolder,
    StageFinished,
    StageKey,
    StageStarted,
    StageStore,
)

Work = Callable[[Path], None]


@dataclass(frozen=True)
class StageResult:
    """A finished stage.

    Attributes:
        folder: Where its files lie; not to be changed.
        digest: Digest of its key, an input of the stages that build on it.
        reused: Whether it was there already.
    """

    folder: Path
    digest: str
    reused: bool


@dataclass(frozen=True)
class RowIds:
    """What a file of a teacher's answers calls the rows of the table.

    Attributes:
        name: Name of the id column; ``row`` where the recipe names none.
        values: Id of each row, ``None`` where rows are numbered from 0.
    """

    name: str
    values: pa.Array | None

    def of(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """Ids of some rows, in their order."""
        return pa.array(rows) if self.values is None else self.values.take(pa.array(rows))


@dataclass
class Session:
    """What stays the same through one doing of a run.

    Attributes:
        folder: The run's folder.
        store: Results that runs share.
        listener: Gets every event.
        country: ISO 3166 alpha-3 code, for emissions.
        base: Folder that relative paths of the recipe start from.
        ids: What a file of answers calls the rows.
        download: Whether weights and data may be fetched from the hub.
        emissions: A record for each stage, in the order of work.
    """

    folder: RunFolder
    store: StageStore
    listener: Listener
    country: str
    base: Path
    ids: RowIds
    download: bool = False
    emissions: list[dict[str, Any]] = field(default_factory=list)

    def stop(self) -> bool:
        """Whether somebody asked this run to stop."""
        return self.folder.should_stop()

    def stage(self, key: StageKey, work: Work, candidate: str = "") -> StageResult:
        """Do a stage, or reuse its result.

        Args:
            key: What the result depends on.
            work: Fills a folder with the result.
            candidate: For which candidate, where it is for one.

        Raises:
            Stopped: Somebody asked to stop; pieces that the work keeps in its partial folder stay.
        """
        self.folder.check_stop()
        self.listener(StageStarted(key.stage, candidate))
        began = time.perf_counter()
        digest = key.digest
        with self.store.claim(digest, self.stop):
            record = self.store.find(digest)
            reused = record is not None
            if record is None:
                record = self._do(key, digest, work, candidate)
        self._account(record)
        seconds = time.perf_counter() - began
        if not reused:
            self.listener(Measured(key.stage, "energy_kwh", record["emission"]["energy_kwh"]["central"], 0, candidate))
        self.folder.log(
            "stage reused" if reused else "stage finished",
            stage=key.stage,
            candidate=candidate or None,
            digest=digest,
            seconds=round(seconds, 3),
        )
        self.listener(StageFinished(key.stage, candidate, seconds, reused))
        return StageResult(self.store.path(digest), digest, reused)

    def _do(self, key: StageKey, digest: str, work: Work, candidate: str) -> dict[str, Any]:
        self.folder.log("stage started", stage=key.stage, candidate=candidate or None, digest=digest)
        record: dict[str, Any] = {
            "stage": key.stage,
            "candidate": candidate or None,
            "inputs": dict(key.inputs),
            "run": self.folder.path.name,
        }
        with self.store.commit(digest, record) as folder:
            with carbon.measure(key.stage, candidate=candidate or None, country=self.country) as block:
                work(folder)
            if self.stop() and not any(folder.iterdir()):
                raise Stopped("The run was asked to stop.")
            record["emission"] = block.emission.to_json()
        self.store.drop_partial(digest)
        return record

    def _account(self, record: Mapping[str, Any]) -> None:
        emission = dict(record["emission"])
        if record["run"] != self.folder.path.name:
            emission["reused_from"] = record["run"]
        self.emissions.append(emission)
