"""The candidates of one seed, each a stage: baseline, teacher, every student with its control and selftrain.

``control-<name>`` is the same student on the same labelled rows, hard labels, early-stopped, no pool.
``selftrain-<name>`` is the same student on the pool's pseudo-labels from the baseline, no teacher. Whether
distillation helped is asked against both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench import models, storage
from workbench.errors import RecipeError
from workbench.pipeline.compressing import compress
from workbench.pipeline.drawing import Drawn
from workbench.pipeline.embedding import members_of, weights_name
from workbench.pipeline.scoring import prediction_table
from workbench.pipeline.session import Session, StageResult
from workbench.pipeline.softening import Targets, soften
from workbench.pipeline.teaching import AllVectors, Answers, head_alone, teach, watching
from workbench.recipe import Recipe, Student
from workbench.runs import StageKey

if TYPE_CHECKING:
    from workbench.models import Weights
    from workbench.training import Answers as Said
    from workbench.training import Material

ROOMS = ("models", "training")
BASELINE = Student(name="baseline", kind="linear")


@dataclass(frozen=True)
class Trained:
    """What one seed made.

    Attributes:
        stages: Candidate to the stage that made it; its folder holds ``model``.
        answers: What teachers say of every row, by candidate; empty without a teacher.
    """

    stages: Mapping[str, StageResult]
    answers: Mapping[str, Answers]


def learn(session: Session, recipe: Recipe, drawn: Drawn, vectors: AllVectors) -> Trained:
    """Make every candidate of one seed.

    Args:
        session: The doing of the run.
        recipe: The recipe.
        drawn: The splits of the seed.
        vectors: Embeddings by encoder.

    Raises:
        ModelError: The teacher is refused, or weights are missing.
        Stopped: Somebody asked to stop.
    """
    baseline = on_labels(session, "baseline", BASELINE, drawn)
    stages = {"baseline": baseline}
    if recipe.teacher is None:
        return Trained(stages, {})
    said = {"teacher": teach(session, recipe, drawn, vectors, baseline)}
    plain = head_alone(recipe)
    if plain is not None:
        said["teacher-head"] = teach(session, plain, drawn, vectors, baseline, "teacher-head")
    stages |= {name: StageResult(one.folder, one.digest, reused=True) for name, one in said.items()}
    targets = soften(session, recipe, drawn, vectors, said["teacher"])
    for student in recipe.students:
        name, start = student.name, find_start(session, recipe, student, said["teacher"])
        made = from_teacher(session, recipe, student, drawn, targets, start)
        stages[f"student-{name}"] = made
        if student.cut is not None and student.cut.drop_layers:
            stages[f"student-{name}-short"] = shortened(session, recipe, student, drawn, targets, made)
        stages |= compress(session, student, drawn, made)
        stages[f"control-{name}"] = on_labels(session, f"control-{name}", student, drawn, start)
        stages[f"selftrain-{name}"] = from_baseline(session, recipe, student, drawn, baseline, start)
    return Trained(stages, said)


def on_labels(
    session: Session, name: str, student: Student, drawn: Drawn, start: Beginning | None = None
) -> StageResult:
    """The baseline or a control: labelled rows alone, hard labels, stopped early."""
    key = stage_key(name.partition("-")[0], student, drawn, [start])

    def work(folder: Path) -> None:
        from workbench.training import train_control

        candidate = train_control(
            student,
            material(drawn, start),
            seed=drawn.splits.seed,
            watch=watching(session, key, name),
        )
        candidate.save(folder / "model")

    return session.stage(key, work, name)


def from_teacher(
    session: Session, recipe: Recipe, student: Student, drawn: Drawn, targets: Targets, start: Beginning | None
) -> StageResult:
    """A student of the teacher's soft targets on labelled rows and pool."""
    name = f"student-{student.name}"
    key = stage_key("student", student, drawn, [targets, start], recipe)

    def work(folder: Path) -> None:
        from workbench.training import train_student

        rows, said = allowed(material(drawn, start), targets, recipe)
        candidate = train_student(
            student,
            rows,
            said,
            recipe.distillation,
            seed=drawn.splits.seed,
            watch=watching(session, key, name),
        )
        candidate.save(folder / "model")
        keep_privacy(folder / "model", targets)

    return session.stage(key, work, name)


def allowed(rows: Material, targets: Targets, recipe: Recipe) -> tuple[Material, Said]:
    """What a student may learn from: everything, or for one of a private teacher soft targets of pool rows alone.

    Raises:
        ModelError: The teacher is private and there is no pool.
    """
    if targets.spent is None:
        return rows, targets.said()
    from workbench.training.private_students import pool_alone

    return pool_alone(rows, targets.said(), recipe.distillation)


def keep_privacy(folder: Path, targets: Targets) -> None:
    """Keep beside a student of a private teacher what its privacy rests on."""
    if targets.spent is not None:
        from workbench.metrics.differential_privacy import Learned
        from workbench.training.private_students import write_privacy

        write_privacy(folder, targets.spent, Learned())


def from_baseline(
    session: Session, recipe: Recipe, student: Student, drawn: Drawn, baseline: StageResult, start: Beginning | None
) -> StageResult:
    """The same student on the baseline's pseudo-labels of the pool: what comes without any teacher."""
    name = f"selftrain-{student.name}"
    key = stage_key("selftrain", student, drawn, [baseline, start], recipe)

    def work(folder: Path) -> None:
        from workbench.training import Answers as Said
        from workbench.training import train_selftrain

        model = models.load(baseline.folder / "model")
        splits = drawn.splits
        said = Said(model.predict_proba(splits.train.texts), model.predict_proba(splits.pool.texts))
        candidate = train_selftrain(
            student,
            material(drawn, start),
            said,
            recipe.distillation,
            seed=splits.seed,
            watch=watching(session, key, name),
        )
        candidate.save(folder / "model")

    return session.stage(key, work, name)


@dataclass(frozen=True)
class Beginning:
    """What a student starts from: the tokens of an encoder (static) or the encoder itself (transformer).

    Attributes:
        digest: What it depends on.
        tokens: The stage that holds the tokens.
        weights: The encoder.
    """

    digest: str
    tokens: StageResult | None = None
    weights: Weights | None = None


def find_start(session: Session, recipe: Recipe, student: Student, answers: Answers) -> Beginning | None:
    """Where a static or transformer student starts; ``None`` for a linear one, which starts from nothing.

    Raises:
        RecipeError: Nothing names the encoder.
        ModelError: Weights are missing or refused.
    """
    if student.kind == "linear":
        return None
    if student.cut is not None and student.cut.start == "teacher":
        from workbench.models.weights import check_folder

        tuned = check_folder(answers.folder / "model" / "encoder", name="the run's teacher", uploader="this run")
        return Beginning(tuned.digest, weights=tuned)
    member = next((one for one in members_of(recipe) if one.model), None)
    name = student.model or (member.model if member is not None else None)
    if name is None:
        raise RecipeError(
            f"The {student.kind} student '{student.name}' has no encoder to start from.",
            "A teacher with a model, or model: in the student itself.",
            f"Try: --set students.{student.name}.model=sentence-transformers/all-MiniLM-L6-v2",
        )
    from workbench.models.weights import find_weights

    revision = member.revision if member is not None and member.model == name else None
    weights = find_weights(weights_name(name, session.base), revision=revision, download=session.download)
    if student.kind == "transformer":
        return Beginning(weights.digest, weights=weights)
    tokens = token_stage(session, student, weights)
    return Beginning(tokens.digest, tokens=tokens)


def token_stage(session: Session, student: Student, weights: Weights) -> StageResult:
    """Where a static student starts: the tokens of its encoder, the same for every seed."""
    inputs = {"weights": weights.digest, "dimensions": student.dimensions}

    def work(folder: Path) -> None:
        from workbench.models.encoder import Encoder
        from workbench.models.static_tokens import distil_tokens

        encoder = Encoder.open(weights)
        distil_tokens(encoder, student.dimensions, listener=session.listener, stop=session.stop).save(folder)

    return session.stage(StageKey("tokens", inputs, ("models/static_tokens", "models/encoder", "models/tokens")), work)


def stage_key(
    stage: str,
    student: Student,
    drawn: Drawn,
    built_on: Sequence[StageResult | Targets | Beginning | None],
    recipe: Recipe | None = None,
) -> StageKey:
    """What a candidate's training depends on."""
    inputs = {
        "student": student.model_dump(mode="json"),
        "splits": drawn.digest,
        "built_on": [one.digest for one in built_on if one is not None],
        "distillation": None if recipe is None else recipe.distillation.model_dump(mode="json"),
        "seed": drawn.splits.seed,
        "privacy": [one.spent.to_json() for one in built_on if isinstance(one, Targets) and one.spent is not None],
    }
    return StageKey(stage, inputs, ROOMS)


def material(drawn: Drawn, start: Beginning | None) -> Material:
    """The rows that students may learn from, and where a static or transformer one starts."""
    from workbench.training import Material

    splits = drawn.splits
    made = Material(splits.classes, splits.train, splits.validation, splits.pool)
    if start is not None and start.tokens is not None:
        from workbench.models.static_tokens import StaticTokens

        made = replace(made, tokens=StaticTokens.load(start.tokens.folder))
    if start is not None and start.weights is not None:
        from workbench.training.encoders import Start

        made = replace(made, start=Start(start.weights))
    return made


def shortened(
    session: Session, recipe: Recipe, student: Student, drawn: Drawn, targets: Targets, made: StageResult
) -> StageResult:
    """A trained transformer student without some of its layers, repaired by a short training."""
    name = f"student-{student.name}-short"
    key = stage_key("short student", student, drawn, [targets, made], recipe)

    def work(folder: Path) -> None:
        from workbench.training.encoders import repair
        from workbench.training.lessons import distillation_lesson

        rows, said = allowed(material(drawn, None), targets, recipe)
        lesson = distillation_lesson(rows.train, rows.pool, said, recipe.distillation)
        model: Any = models.load(made.folder / "model")
        shorter = repair(
            model.as_fp32(),
            lesson,
            rows.validation,
            student,
            seed=drawn.splits.seed,
            watch=watching(session, key, name),
        )
        shorter.save(folder / "model")
        keep_privacy(folder / "model", targets)

    return session.stage(key, work, name)


def predict(session: Session, drawn: Sequence[Drawn], trained: Sequence[Trained]) -> dict[str, pa.Table]:
    """Every candidate's predictions on validation, reserve and all tests, for all seeds."""
    tables: dict[str, list[pa.Table]] = {}
    for one, made in zip(drawn, trained, strict=True):
        for name, stage in made.stages.items():
            tables.setdefault(name, []).append(_predict_one(session, name, stage, one, made.answers.get(name)))
    return {name: pa.concat_tables(pieces) for name, pieces in tables.items()}


def _predict_one(session: Session, name: str, stage: StageResult, drawn: Drawn, known: Answers | None) -> pa.Table:
    splits = drawn.splits
    asked = {"validation": splits.validation, "reserve": splits.reserve, **splits.tests}

    def work(folder: Path) -> None:
        if known is not None:
            answers = {split: known.of(part.rows) for split, part in asked.items()}
        else:
            model = models.load(stage.folder / "model")
            answers = {split: model.predict_proba(part.texts) for split, part in asked.items()}
        pieces = [
            prediction_table(splits.classes, splits.seed, split, part, answers[split]) for split, part in asked.items()
        ]
        storage.write_parquet(folder / "predictions.parquet", pa.concat_tables(pieces))

    key = StageKey("predictions", {"model": stage.digest, "splits": drawn.digest}, ("models", "pipeline"))
    return pq.read_table(session.stage(key, work, name).folder / "predictions.parquet")
