"""``workbench check``: is the recipe right, is the table fit, and what will it take? Before anything starts.

The estimate comes from rates measured once on a reference machine and scaled by how fast this one multiplies
matrices: good to a factor of two as a rule, and said so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench import carbon, storage
from workbench import data as tables
from workbench.data import Health, SourceTable, Splits, sources
from workbench.models import Weights
from workbench.pipeline.drawing import parts
from workbench.pipeline.embedding import find_all_weights, members_of, need_extras
from workbench.pipeline.opening import locate
from workbench.recipe import Cut, Recipe, Student, Tuning
from workbench.recipe.suites import read_suite, suite_of

REFERENCE_GFLOPS = 150.0
"""Matrix products of float32 on the reference machine (two Xeon cores, AVX-512), in GFLOP/s."""
ENCODER_ROWS_PER_SECOND = 470.0
SCORED_ROWS_PER_SECOND = 9_000.0
FIXED_SECONDS = 20.0
MEASURED_SECONDS = 22.0
TEACHER_MEASURED_SECONDS = 35.0
STUDENT_ROWS_PER_SECOND = {"linear": 2_500.0, "static": 4_000.0}
TRAINED_ROWS_PER_SECOND = 125.0
"""Of MiniLM, all six layers with gradients, on the reference machine."""
MINILM = 6 * 384**2
TITLE = 45.0
"""Characters of the texts that the rates were measured on."""
CONTROL_EPOCHS = 6
BASE_MB = 450.0
ENCODER_MB = 900.0
TRAINING_MB = 800.0
BYTES_PER_ROW = {"linear": 1_800.0, "static": 400.0}


@dataclass(frozen=True)
class Estimate:
    """What a run is likely to take on this machine; within a factor of two as a rule.

    Attributes:
        stages: Stage to seconds.
        memory_mb: Largest memory in use.
        disk_mb: Files of the run and its stages.
        emission: Energy and emissions, with the class of the figure.
    """

    stages: dict[str, float]
    memory_mb: float
    disk_mb: float
    emission: carbon.Emission

    @property
    def seconds(self) -> float:
        """Wall time in all."""
        return sum(self.stages.values())

    def to_json(self) -> dict[str, Any]:
        """As plain values: seconds in all and by stage, MB, Wh and grams as ranges, class."""
        return {
            "seconds": self.seconds,
            "stages": self.stages,
            "memory_mb": self.memory_mb,
            "disk_mb": self.disk_mb,
            "energy_wh": self.energy_wh.to_json(),
            "emissions_g": self.grams.to_json(),
            "class": self.emission.class_,
        }

    @property
    def energy_wh(self) -> carbon.Range:
        """Energy in Wh."""
        return self.emission.energy_kwh.times(1000)

    @property
    def grams(self) -> carbon.Range:
        """CO₂-equivalents in grams."""
        return self.emission.emissions_kg.times(1000)


@dataclass(frozen=True)
class Checked:
    """A recipe and a table that can go together.

    Attributes:
        recipe: The recipe, defaults filled in.
        source: What is known of the table.
        health: What was found in it.
        estimate: What the run is likely to take.
        weights: Model name to where its weights lie.
    """

    recipe: Recipe
    source: Mapping[str, object]
    health: Health
    estimate: Estimate
    weights: dict[str, str]

    @property
    def sentences(self) -> list[str]:
        """Everything worth knowing before the start, in words."""
        estimate = self.estimate
        return [
            *self.health.sentences,
            f"It is likely to take {minutes(estimate.seconds)} on this machine, {estimate.memory_mb:,.0f} MB of memory"
            f" and {estimate.disk_mb:,.0f} MB of disk.",
            f"Energy: about {carbon.watt_hours(estimate.emission)}, {carbon.grams(estimate.emission)} of CO₂e "
            f"(class {estimate.emission.class_}: {carbon.CLASSES[estimate.emission.class_]}).",
        ]


def minutes(seconds: float) -> str:
    """A time in words, no finer than an estimate is."""
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def check(
    recipe: str | Path | Recipe,
    *,
    table: object | None = None,
    overrides: Sequence[str] = (),
    download: bool = False,
) -> Checked:
    """Check recipe, table and weights, and estimate what the run will take. Nothing is trained or written.

    Args:
        recipe: A shipped name, a path to a YAML file, or a ``Recipe``.
        table: The table itself, for a recipe with ``source: {table: given}``.
        overrides: ``part.field=value`` texts that change the recipe.
        download: Whether a hub data set may be fetched.

    Raises:
        RecipeError: The recipe or the suite that it names has problems; all are listed.
        DataError: The table is not fit, or leaks.
        ModelError: Weights are missing; says where they were looked for.
    """
    located = locate(recipe, overrides)
    checked = located.recipe
    need_extras(checked)
    carbon.place(checked.carbon)
    source = sources.read(checked.data.source, data=checked.data, base=located.base, table=table, download=download)
    prepared = tables.prepare(checked.data, source, 0)
    need_suite(checked, located.base, prepared.splits.classes)
    weights = find_all_weights(checked, located.base, download=False, skip_pinned=download)
    estimated = estimate(checked, prepared.splits, source, weights)
    places = {name: found.where for name, found in weights.items()}
    return Checked(checked, source.described, prepared.health, estimated, places)


def need_suite(recipe: Recipe, base: Path, classes: Sequence[str]) -> None:
    """Read the suite that a recipe names, so that its problems are told before anything is trained.

    Args:
        recipe: The recipe.
        base: Folder that its relative paths start from.
        classes: Classes of the run.

    Raises:
        RecipeError: There is no such suite, or it has problems.
    """
    wanted = None if recipe.evaluation.suite is None else suite_of(recipe.name, recipe.evaluation.suite, base)
    if wanted is not None:
        read_suite(wanted, classes)


def estimate(recipe: Recipe, splits: Splits, source: SourceTable, weights: Mapping[str, Weights]) -> Estimate:
    """Estimate time, memory, disk and energy of a run.

    Args:
        recipe: The recipe.
        splits: The splits of the first seed.
        source: The table.
        weights: Model name to its weights, those that are there.
    """
    pace = _Pace.of(recipe, splits, weights)
    stages = {"data": 3.0 + pace.every / 12_000, **_encoder_stages(recipe, pace)}
    stages |= {f"student-{one.name}": pace.seeds * _student_seconds(recipe, one, pace) for one in recipe.students}
    compressed = sum(len(student.compress) for student in recipe.students)
    candidates = 1 + bool(recipe.teacher) + 3 * len(recipe.students) + compressed
    stages["metrics"] = pace.seeds * candidates * pace.tested / SCORED_ROWS_PER_SECOND / pace.speed
    encoders = len({member.model for member in members_of(recipe) if member.model})
    measured = MEASURED_SECONDS * (1 + len(recipe.students) + compressed)
    stages["measurement"] = measured + TEACHER_MEASURED_SECONDS * bool(encoders)
    stages["the rest"] = FIXED_SECONDS
    seconds = sum(stages.values())
    emission = carbon.estimate(seconds, carbon.place(recipe.carbon))
    return Estimate(
        stages=stages,
        memory_mb=_memory(recipe, pace, source),
        disk_mb=5 + pace.every * encoders * 384 * 4 / 1e6 + 95 * encoders * 2 + 12 * candidates,
        emission=emission,
    )


@dataclass(frozen=True)
class _Pace:
    """What every estimate of a stage starts from: rows, their length against a title's, how fast this machine is."""

    every: int
    tested: int
    labelled: int
    learned: int
    longer: float
    speed: float
    seeds: int
    weights: Mapping[str, Weights]

    @classmethod
    def of(cls, recipe: Recipe, splits: Splits, weights: Mapping[str, Weights]) -> _Pace:
        """From the splits of the first seed."""
        rows = {name: len(part) for name, part in parts(splits).items()}
        tested = sum(count for name, count in rows.items() if name.startswith("test"))
        length = float(np.mean([float(min(len(text.as_py()), 600)) for text in splits.train.texts[:500]] or [40.0]))
        speed = matrix_gflops() / REFERENCE_GFLOPS
        learned = rows["train"] + rows["pool"]
        every, seeds = sum(rows.values()), recipe.evaluation.seeds
        return cls(every, tested, rows["train"], learned, length / TITLE, speed, seeds, weights)

    def reading(self, rows: float, name: str | None) -> float:
        """Seconds in which an encoder reads so many rows."""
        return rows / (ENCODER_ROWS_PER_SECOND * self.speed) * self.longer * self.times_minilm(name)

    def training(self, rows: float, name: str | None) -> float:
        """Seconds in which an encoder is trained on so many rows."""
        return rows / (TRAINED_ROWS_PER_SECOND * self.speed) * self.longer * self.times_minilm(name)

    def config(self, name: str | None) -> dict[str, float]:
        """Layers and width of an encoder; MiniLM's where it is not there."""
        found = self.weights.get(name or "")
        given = {} if found is None else storage.read_json(found.folder / "config.json")
        return {"layers": float(given.get("num_hidden_layers", 6)), "width": float(given.get("hidden_size", 384))}

    def times_minilm(self, name: str | None) -> float:
        """How much work an encoder is, in MiniLMs: layers times the square of their width."""
        config = self.config(name)
        return config["layers"] * config["width"] ** 2 / MINILM


def _encoder_stages(recipe: Recipe, pace: _Pace) -> dict[str, float]:
    """Seconds of reading every row with each encoder, and of fine-tuning teachers."""
    stages: dict[str, float] = {}
    for member in members_of(recipe):
        if member.model is None:
            continue
        reading = pace.reading(pace.every, member.model)
        stages[f"embeddings of {member.model}"] = 5 + reading
        if member.method != "head":
            tuned = pace.training(pace.labelled * (member.tuning or Tuning()).epochs, member.model)
            stages["teacher"] = stages.get("teacher", 0.0) + pace.seeds * (10 + tuned + reading)
    return stages


def _student_seconds(recipe: Recipe, student: Student, pace: _Pace) -> float:
    """Seconds of a student with its control and selftrain, for one seed."""
    if student.kind != "transformer":
        rate = STUDENT_ROWS_PER_SECOND[student.kind] * pace.speed
        return 4 + 2 * pace.learned / rate * pace.longer
    name = student.model or next((member.model for member in members_of(recipe) if member.model), None)
    cut, config = student.cut or Cut(), pace.config(name)
    share = (len(cut.keep_layers) or config["layers"]) / config["layers"]
    share *= ((cut.width or config["width"]) / config["width"]) ** 2
    passes = (student.tuning or Tuning()).epochs * 2 * pace.learned + CONTROL_EPOCHS * pace.labelled
    return 20 + share * (pace.training(passes, name) + pace.reading(3 * pace.tested, name))


def _memory(recipe: Recipe, pace: _Pace, source: SourceTable) -> float:
    members = members_of(recipe)
    trains = any(student.kind == "transformer" for student in recipe.students)
    trains = trains or any(member.method != "head" for member in members)
    per_row = max((BYTES_PER_ROW.get(student.kind, 0.0) for student in recipe.students), default=0.0)
    encoders = ENCODER_MB * any(member.model for member in members) + TRAINING_MB * trains
    return BASE_MB + encoders + pace.learned * per_row * pace.longer / 1e6 + float(source.table.nbytes) / 1e6


def matrix_gflops(size: int = 768, repeats: int = 5) -> float:
    """How fast this machine multiplies float32 matrices now, in GFLOP/s (best of a few)."""
    matrix = np.random.default_rng(0).random((size, size), dtype=np.float32)
    best = 0.0
    for _ in range(repeats):
        began = time.perf_counter()
        _ = matrix @ matrix
        best = max(best, 2 * size**3 / (time.perf_counter() - began) / 1e9)
    return best
