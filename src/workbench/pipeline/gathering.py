"""Evidence beyond the scores: every further check is a stage of its own, and its rows join ``metrics.json``.

A check asks models and leaves a line an example; a scorer of ``metrics.checks`` turns these lines into rows. So a check
that has not changed is reused, one that cannot be made says what it would need, and the others are made all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench import models, storage
from workbench.data import Splits
from workbench.errors import Stopped, WorkbenchError
from workbench.evaluation.check import Check, Subject
from workbench.models import Candidate
from workbench.pipeline.scoring import INDEX, read_index
from workbench.pipeline.session import Session, StageResult
from workbench.recipe import Recipe
from workbench.runs import StageKey

STAGE = "evidence"
ROOMS = ("evaluation", "metrics", "models", "training", "data")
Make = Callable[[Subject, Session], Sequence[Check]]


@dataclass(frozen=True)
class Planned:
    """A check that can be made.

    Attributes:
        topic: What it is about; the names of its evidence begin so.
        make: Asks the models.
        soon: Whether ``workbench run`` makes it; ``workbench evaluate`` makes all.
        more: What it depends on besides models, rows and recipe, as plain values.
        part: Name of a part of the topic that is made by itself, for example a suite of one's own; its evidence stands
            beside that of the others.
    """

    topic: str
    make: Make
    soon: bool = True
    more: Mapping[str, Any] | None = None
    part: str = ""


class SavedModels(Mapping[str, Candidate]):
    """The candidates of a run's folder, each loaded when it is first asked."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: ``models`` of the run."""
        self.folder = folder
        self._names = tuple(sorted(one.name for one in folder.glob("*") if (one / "candidate.json").is_file()))
        self._loaded: dict[str, Candidate] = {}

    def __getitem__(self, name: str) -> Candidate:
        """Load a candidate, or take the one that is loaded."""
        if name not in self._names:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = models.load(self.folder / name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Names in order."""
        return iter(self._names)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        """Whether there is one of that name; nothing is loaded."""
        return name in self._names

    def digests(self) -> dict[str, str]:
        """Name to a digest of its files, decision and reader left out."""
        return {name: _digest_of(self.folder / name) for name in self._names}


def _digest_of(folder: Path) -> str:
    """SHA-256 over the files that predictions follow from."""
    import hashlib

    total = hashlib.sha256()
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        name = file.relative_to(folder).as_posix()
        if name not in ("decision.json", "novelty.json", "README.md"):
            total.update(f"{name}\0{storage.sha256_file(file)}\n".encode())
    return total.hexdigest()


def open_subject(
    folder: Path, recipe: Recipe, splits: Splits, predictions: Mapping[str, pa.Table], recommended: str | None
) -> Subject:
    """The run as checks see it.

    Args:
        folder: The run's folder.
        recipe: The recipe.
        splits: Rows of the first seed, whose models the run keeps.
        predictions: Candidate to its predictions.
        recommended: Name of the recommended candidate.
    """
    kept = SavedModels(folder / "models")
    return Subject(recipe, splits, kept, predictions, recommended, splits.seed)


def gather(session: Session, subject: Subject, plans: Sequence[Planned], splits_digest: str) -> None:
    """Make checks and put their evidence into the run's folder; what was gathered before and is not made again stays.

    Args:
        session: The doing of the run.
        subject: What is looked at.
        plans: The checks.
        splits_digest: Digest of the rows.

    Raises:
        Stopped: Somebody asked; what was gathered is kept in its stages.
    """
    inputs = _inputs(subject, splits_digest)
    index: dict[str, Any] = read_index(session.folder.path)
    made: set[str] = set()
    for plan in plans:
        stage = _make(session, subject, plan, inputs)
        seconds = round(float(session.emissions[-1]["seconds"]), 3)  # the session has just accounted for the stage
        found = storage.read_json(stage.folder / "checks.json")
        for name in [name for name, entry in index.items() if name not in {*found, *made} and _replaces(plan, entry)]:
            del index[name]
            storage.remove_file(session.folder.path / f"evidence/{name}.parquet")
        made |= set(found)
        for name, entry in found.items():
            index[name] = {**entry, "topic": plan.topic, "seconds": seconds}
            index[name] |= {"part": plan.part} if plan.part else {}
            file = stage.folder / f"{name}.parquet"
            if file.is_file():
                storage.write_bytes(session.folder.path / "evidence" / file.name, file.read_bytes())
    storage.write_json(session.folder.path / INDEX, index)


def _replaces(plan: Planned, entry: Mapping[str, Any]) -> bool:
    """Whether an earlier entry gives way to what a plan found: one of its own part, or one that was not made."""
    return bool(entry["topic"] == plan.topic and (entry.get("part", "") == plan.part or not entry["made"]))


def _inputs(subject: Subject, splits_digest: str) -> dict[str, Any]:
    plain = subject.recipe.plain()
    kept = subject.candidates
    return {
        "models": kept.digests() if isinstance(kept, SavedModels) else sorted(kept),
        "splits": splits_digest,
        "recipe": {name: value for name, value in plain.items() if name not in ("carbon", "purpose")},
        "recommended": subject.recommended,
    }


def _make(session: Session, subject: Subject, plan: Planned, inputs: Mapping[str, Any]) -> StageResult:
    """Make the checks of a plan, or take up what was made."""

    def work(folder: Path) -> None:
        try:
            checks = plan.make(subject, session)
        except Stopped:
            raise
        except WorkbenchError as error:
            told = " ".join(part for part in (error.problem, error.what_to_do) if part)
            checks = [Check(plan.topic, None, {}, (told,))]
        index = {}
        for check in checks:
            index[check.name] = {"settings": check.settings, "reasons": list(check.reasons), "made": False}
            if check.table is not None:
                storage.write_parquet(folder / f"{check.name}.parquet", check.table)
                index[check.name]["made"] = True
        storage.write_json(folder / "checks.json", index)

    depends = {**inputs, "more": dict(plan.more or {})}
    return session.stage(StageKey(f"{STAGE}-{plan.topic}", depends, ROOMS), work)
