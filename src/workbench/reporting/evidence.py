"""Everything a report is made from: the files of one run's folder, read once and asked by name.

Nothing is computed anew here and nothing outside the folder is looked at. A file or value that is not there
stays absent, with the reason where the run gives one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import storage
from workbench.errors import RunError
from workbench.metrics.scoring import MADE_FROM, made_from
from workbench.recipe import Recipe, read
from workbench.reporting.emissions import READING, Emission, calibration, read_entries
from workbench.runs import RunFolder, read_lines

Row = Mapping[str, Any]
CHECKS = "evidence/checks.json"
NOT_MEASURED = "not measured in this run"


@dataclass(frozen=True)
class Evidence:
    """What a run's folder says.

    Attributes:
        folder: The run's folder.
        run: ``run.json``.
        recipe: ``recipe.yaml``, checked.
        environment: ``environment.json``.
        health: ``data/health.json``.
        metrics: Rows of ``metrics.json``.
        measurements: Rows of ``measurements.json``; what predictions take as a wattmeter's reading has it.
        emissions: Entries of ``emissions.json``, those that a wattmeter's reading covers with its figure.
        recommendation: ``recommendation.json``.
        events: Lines of ``log.jsonl``.
        candidates: Names of all candidates, in the order in which a person compares them.
        missing: Files that the contract names and the folder does not have.
        checks: ``evidence/checks.json``: name of each further check to its ``settings``, ``reasons``, ``seconds``.
        reading: ``carbon-reading.json``; empty where nothing was typed in.
        modelled: Entries of ``emissions.json`` without the reading.
    """

    folder: Path
    run: Row
    recipe: Recipe
    environment: Row
    health: Row
    metrics: tuple[Row, ...]
    measurements: tuple[Row, ...]
    emissions: tuple[Emission, ...]
    recommendation: Row
    events: tuple[Row, ...]
    candidates: tuple[str, ...]
    missing: tuple[str, ...] = field(default=())
    checks: Row = field(default_factory=dict)
    reading: Row = field(default_factory=dict)
    modelled: tuple[Emission, ...] = ()

    @property
    def recommended(self) -> str | None:
        """Name of the recommended candidate, or ``None``."""
        name = self.recommendation.get("candidate")
        return str(name) if name else None

    @property
    def primary(self) -> str:
        """Name of the metric that decides."""
        return self.recipe.evaluation.primary

    @property
    def compressed(self) -> dict[str, str]:
        """Each candidate that was made from another one, and that one's name."""
        found = ((name, made_from(name)) for name in self.candidates)
        return {name: original for name, original in found if original is not None}

    @property
    def splits(self) -> tuple[str, ...]:
        """Test splits that were scored, the headline first."""
        found = dict.fromkeys(str(row["split"]) for row in self.metrics if "check" not in row)
        return tuple(sorted(found, key=lambda split: (split != "test", split)))

    @property
    def headline(self) -> str:
        """The split that decides."""
        return str(self.recommendation.get("split") or (self.splits[0] if self.splits else "test"))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds with a value of their own."""
        own = (row for row in self.metrics if row.get("seed") is not None and "check" not in row)
        return tuple(sorted({int(row["seed"]) for row in own}))

    def score(
        self,
        candidate: str,
        split: str,
        metric: str | None = None,
        *,
        slice_: str = "all",
        against: str | None = None,
        seed: int | None = None,
    ) -> Row | None:
        """One row of ``metrics.json``.

        Args:
            candidate: Whose.
            split: Where.
            metric: ``None`` means the primary one.
            slice_: ``all`` or ``attribute=value``.
            against: The other candidate, for a difference.
            seed: ``None`` means the aggregate.

        Returns:
            The row, or ``None`` where there is none.
        """
        wanted = (candidate, split, metric or self.primary, slice_, against, seed)
        for row in self.metrics:
            key = (row["candidate"], row["split"], row["metric"], row.get("slice", "all"))
            if (*key, row.get("against"), row.get("seed")) == wanted:
                return row
        return None

    def slices(self, candidate: str, split: str) -> list[Row]:
        """Rows of the primary metric for each slice, in the order of the file."""
        return [
            row
            for row in self.metrics
            if row["candidate"] == candidate
            and row["split"] == split
            and row["metric"] == self.primary
            and "check" not in row
            and row.get("slice", "all") != "all"
            and row.get("against") is None
            and row.get("seed") is None
        ]

    def measured(self, candidate: str, *quantities: str) -> Row | None:
        """The first of several quantities that was measured for a candidate, or ``None``."""
        for quantity in quantities:
            for row in self.measurements:
                if row["candidate"] == candidate and row["quantity"] == quantity:
                    return row
        return None

    def models(self) -> dict[str, Row]:
        """``candidate.json`` of every saved candidate, by name."""
        files = sorted((self.folder / "models").glob("*/candidate.json"))
        return {file.parent.name: storage.read_json(file) for file in files}

    def encoders(self) -> list[Row]:
        """What is known of each encoder that a candidate of the run rests on: name, digest, uploader, licence."""
        found: dict[str, Row] = {}
        for file in sorted((self.folder / "models").rglob("candidate.json")):
            encoder = storage.read_json(file).get("encoder")
            if isinstance(encoder, dict):
                found.setdefault(str(encoder.get("digest")), encoder)
        return list(found.values())


def read_evidence(folder: Path) -> Evidence:
    """Read the files of a run's folder.

    Args:
        folder: A run's folder; only ``run.json`` and ``recipe.yaml`` have to be there.

    Raises:
        RunError: It is no run's folder, or one of its files cannot be understood.
        RecipeError: Its recipe cannot be read.
    """
    RunFolder(folder)
    if not (folder / "recipe.yaml").is_file():
        raise RunError(
            f"'{folder}' has no recipe.yaml.",
            "A run's folder holds the recipe exactly as it ran.",
            "Make the run anew, or give the folder of another run.",
        )
    missing: list[str] = []
    metrics = _rows(folder, "metrics.json", missing)
    measurements = _rows(folder, "measurements.json", missing)
    recommendation = _mapping(folder, "recommendation.json", missing)
    names = [str(row["candidate"]) for row in (*metrics, *measurements) if "check" not in row]
    entries, reading = _rows(folder, "emissions.json", missing), _mapping(folder, READING, [])
    modelled = read_entries(entries)
    return Evidence(
        folder=folder,
        run=_mapping(folder, "run.json", missing),
        recipe=read(folder / "recipe.yaml").recipe,
        environment=_mapping(folder, "environment.json", missing),
        health=_mapping(folder, "data/health.json", missing),
        metrics=tuple(metrics),
        measurements=tuple(_metered(measurements, calibration(modelled, reading))),
        emissions=read_entries(entries, reading),
        recommendation=recommendation,
        events=tuple(read_lines(folder / "log.jsonl")),
        candidates=in_order(names),
        missing=tuple(missing),
        checks=_mapping(folder, CHECKS, []),
        reading=reading,
        modelled=modelled,
    )


def _metered(rows: Iterable[Row], factor: float | None) -> list[Row]:
    """What predictions take, scaled to the meter; the spread stays, as it does not see how the sum divides."""
    if factor is None:
        return list(rows)
    ends = ("low", "value", "high")
    return [
        {**row, **{end: row[end] * factor for end in ends if row.get(end) is not None}}
        if row["quantity"] in ("energy_wh_per_1000", "emissions_g_per_1000")
        else row
        for row in rows
    ]


def role(candidate: str) -> str:
    """What a candidate is in the comparison: baseline, teacher, student, compressed, control or selftrain."""
    return "compressed" if made_from(candidate) else candidate.partition("-")[0]


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Candidates as a person compares them: baseline, teacher, each student with its forms and its controls."""
    place = {"baseline": 0, "teacher": 1}
    inner = {"student": 0, "control": 1, "selftrain": 2}

    def key(name: str) -> tuple[int, str, int, int, str]:
        original = made_from(name) or name
        kind, _, student = original.partition("-")
        form = MADE_FROM.index(name.removeprefix(original)) if name != original else -1
        return (place.get(kind, 2), student if kind in inner else "", inner.get(kind, 3), form, name)

    return tuple(sorted(set(names), key=key))


def _read(folder: Path, name: str, missing: list[str]) -> Any:
    if not (folder / name).is_file():
        missing.append(name)
        return None
    return storage.read_json(folder / name)


def _mapping(folder: Path, name: str, missing: list[str]) -> Row:
    value = _read(folder, name, missing)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _not_understood(name, "an object")
    return value


def _rows(folder: Path, name: str, missing: list[str]) -> list[dict[str, Any]]:
    value = _read(folder, name, missing)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise _not_understood(name, "a list of objects")
    return value


def _not_understood(name: str, expected: str) -> RunError:
    return RunError(
        f"{name} of the run does not hold {expected}.",
        "The layout that docs/architecture.md describes under “The run's folder”.",
        "Look whether it was edited: workbench verify RUN",
    )
