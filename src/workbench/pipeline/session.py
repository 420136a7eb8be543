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

from workbench import carbon, storage
from workbench.errors import Stopped
from workbench.runs import (
    Event,
    Listener,
    Measured,
    RunFolder,
    StageFinished,
    StageKey,
    StageStarted,
    StageStore,
    Warned,
)

Work = Callable[[Path], None]

SPENT = "spent.json"
SPENT_EVERY_S = 5.0


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


class _Spending:
    """What a stage has spent so far, earlier attempts that were killed included; kept on disk while it works."""

    def __init__(self, block: carbon.Block, store: StageStore, digest: str) -> None:
        self._block, self._store, self._digest = block, store, digest
        self._began = self._kept = time.perf_counter()
        file = store.partial_path(digest) / SPENT
        kept = storage.read_json(file) if file.is_file() else {}
        self.earlier = (float(kept.get("seconds", 0.0)), float(kept.get("energy_kwh", 0.0)))

    def so_far_grams(self) -> float:
        """What it has emitted until now, in grams."""
        return 1000 * (self.earlier[1] + self._block.so_far_kwh()) * self._block.kg_per_kwh

    def keep(self, *, at_once: bool = False) -> None:
        """Write it down, now and then."""
        now = time.perf_counter()
        if not at_once and now - self._kept < SPENT_EVERY_S:
            return
        self._kept = now
        seconds, energy = self.earlier
        spent = {"seconds": seconds + now - self._began, "energy_kwh": energy + self._block.so_far_kwh(0.0)}
        storage.write_json(self._store.partial(self._digest) / SPENT, spent)


@dataclass
class Session:
    """What stays the same through one doing of a run.

    Attributes:
        folder: The run's folder.
        store: Results that runs share.
        listener: Gets every event.
        country: The grid that feeds the machine (or its country's code), for emissions.
        base: Folder that relative paths of the recipe start from.
        ids: What a file of answers calls the rows.
        download: Whether weights and data may be fetched from the hub.
        emissions: A record for each stage, in the order of work.
        budget: What the run may still emit.
    """

    folder: RunFolder
    store: StageStore
    listener: Listener
    country: carbon.Place
    base: Path
    ids: RowIds
    download: bool = False
    emissions: list[dict[str, Any]] = field(default_factory=list)
    budget: carbon.Budget = field(default_factory=lambda: carbon.Budget(None))
    _spending: _Spending | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Hear every event too, to keep a long stage's energy where a kill does not lose it."""
        self._told, self.listener = self.listener, self._listen

    def _listen(self, event: Event) -> None:
        self._told(event)
        if self._spending is not None:
            self._spending.keep()

    def checkpoints(self, key: StageKey) -> Path:
        """Where a stage's training keeps its positions, in the run's folder; removed when the stage is done."""
        return self.folder.path / "checkpoints" / f"{key.stage}-{key.digest[:16]}"

    def warn(self, sentence: str) -> None:
        """Say that the budget is nearly spent: into the log, and to whoever watches."""
        self.folder.log("carbon budget", sentence=sentence)
        self._told(Warned(sentence))

    def tell(self, sentence: str) -> None:
        """Put a sentence about the work into the log."""
        self.folder.log("training", sentence=sentence)

    def stop(self) -> bool:
        """Whether somebody asked this run to stop."""
        return self.folder.should_stop() or self.budget.is_spent()

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
        self.budget.check()
        self.listener(StageStarted(key.stage, candidate))
        began = time.perf_counter()
        digest = key.digest
        with self.store.claim(digest, self.stop):
            record = self.store.find(digest)
            reused = record is not None
            if record is None:
                record = self._within_budget(key, digest, work, candidate)
        emission = self._account(record)
        seconds = time.perf_counter() - began
        if not reused:
            self.listener(Measured(key.stage, "energy_kwh", record["emission"]["energy_kwh"]["central"], 0, candidate))
        self.folder.log(
            "stage reused" if reused else "stage finished",
            stage=key.stage,
            candidate=candidate or None,
            digest=digest,
            seconds=round(seconds, 3),
            energy_kwh=emission["energy_kwh"]["central"],
            emissions_g=1000 * emission["emissions_kg"]["central"],
            reused_from=emission.get("reused_from"),
        )
        self.listener(StageFinished(key.stage, candidate, seconds, reused))
        return StageResult(self.store.path(digest), digest, reused)

    def _within_budget(self, key: StageKey, digest: str, work: Work, candidate: str) -> dict[str, Any]:
        try:
            return self._do(key, digest, work, candidate)
        except Stopped as stopped:
            if self.budget.reached:
                raise self.budget.stopped() from stopped
            raise

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
                self._spending = _Spending(block, self.store, digest)
                self.budget.begin(self._spending.so_far_grams)
                try:
                    work(folder)
                except BaseException:
                    self._spending.keep(at_once=True)
                    raise
                finally:
                    self.budget.end()
                    earlier, self._spending = self._spending.earlier, None
            if self.stop() and not any(folder.iterdir()):
                raise Stopped("The run was asked to stop.")
            record["emission"] = (
                block.emission.with_earlier(*earlier).to_json() if any(earlier) else block.emission.to_json()
            )
        self.store.drop_partial(digest)
        storage.remove_tree(self.checkpoints(key))
        return record

    def _account(self, record: Mapping[str, Any]) -> dict[str, Any]:
        emission = dict(record["emission"])
        if record["run"] != self.folder.path.name:
            emission["reused_from"] = record["run"]
        self.emissions.append(emission)
        self.budget.add(emission)
        return emission
