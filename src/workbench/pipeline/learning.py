"""The candidates of one seed, each a stage: baseline, teacher, every student with its control and selftrain.

``control-<name>`` is the same student on the same labelled rows, hard labels, early-stopped, no pool.
``selftrain-<name>`` is the same student on the pool's pseudo-labels from the baseline, no teacher. Whether
distillation helped is asked against both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from workbench import models, storage
from workbench.errors import RecipeError
from workbench.pipeline.drawing import Drawn
from workbench.pipeline.embedding import members_of, weights_name
from workbench.pipeline.scoring import prediction_table
from workbench.pipeline.session import Session, StageResult
from workbench.pipeline.softening import Targets, soften
from workbench.pipeline.teaching import AllVectors, Answers, teach
from workbench.recipe import Recipe, Student
from workbench.runs import Event, Listener, StageKey

if TYPE_CHECKING:
    from workbench.training import Material

ROOMS = ("models", "training")
BASELINE = Student(name="baseline", kind="linear")


@dataclass(frozen=True)
class Trained:
    """What one seed made.

    Attributes:
        stages: Candidate to the stage that made it; its folder holds ``model``.
        answers: What the teacher says of every row; ``None`` without a teacher.
    """

    stages: Mapping[str, StageResult]
    answers: Answers | None


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
        return Trained(stages, None)
    answers = teach(session, recipe, drawn, vectors, baseline)
    stages["teacher"] = StageResult(answers.folder, answers.digest, reused=True)
    targets = soften(session, recipe, drawn, vectors, answers)
    for student in recipe.students:
        name, tokens = student.name, token_stage(session, recipe, student)
        stages[f"student-{name}"] = from_teacher(session, recipe, student, drawn, targets, tokens)
        stages[f"control-{name}"] = on_labels(session, f"control-{name}", student, drawn, tokens)
        stages[f"selftrain-{name}"] = from_baseline(session, recipe, student, drawn, baseline, tokens)
    return Trained(stages, answers)


def on_labels(
    session: Session, name: str, student: Student, drawn: Drawn, tokens: StageResult | None = None
) -> StageResult:
    """The baseline or a control: labelled rows alone, hard labels, stopped early."""
    key = stage_key(name.partition("-")[0], student, drawn, [tokens])

    def work(folder: Path) -> None:
        from workbench.training import train_control

        candidate = train_control(
            student,
            material(drawn, tokens),
            seed=drawn.splits.seed,
            listener=named(session.listener, name),
            stop=session.stop,
        )
        candidate.save(folder / "model")

    return session.stage(key, work, name)


def from_teacher(
    session: Session, recipe: Recipe, student: Student, drawn: Drawn, targets: Targets, tokens: StageResult | None
) -> StageResult:
    """A student of the teacher's soft targets on labelled rows and pool."""
    name = f"student-{student.name}"
    key = stage_key("student", student, drawn, [targets, tokens], recipe)

    def work(folder: Path) -> None:
        from workbench.training import train_student

        candidate = train_student(
            student,
            material(drawn, tokens),
            targets.said(),
            recipe.distillation,
            seed=drawn.splits.seed,
            listener=named(session.listener, name),
            stop=session.stop,
        )
        candidate.save(folder / "model")

    return session.stage(key, work, name)


def from_baseline(
    session: Session, recipe: Recipe, student: Student, drawn: Drawn, baseline: StageResult, tokens: StageResult | None
) -> StageResult:
    """The same student on the baseline's pseudo-labels of the pool: what comes without any teacher."""
    name = f"selftrain-{student.name}"
    key = stage_key("selftrain", student, drawn, [baseline, tokens], recipe)

    def work(folder: Path) -> None:
        from workbench.training import Answers as Said
        from workbench.training import train_selftrain

        model = models.load(baseline.folder / "model")
        splits = drawn.splits
        said = Said(model.predict_proba(splits.train.texts), model.predict_proba(splits.pool.texts))
        candidate = train_selftrain(
            student,
            material(drawn, tokens),
            said,
            recipe.distillation,
            seed=splits.seed,
            listener=named(session.listener, name),
            stop=session.stop,
        )
        candidate.save(folder / "model")

    return session.stage(key, work, name)


def token_stage(session: Session, recipe: Recipe, student: Student) -> StageResult | None:
    """Where a static student starts: the tokens of its encoder, the same for every seed; ``None`` for other kinds."""
    if student.kind != "static":
        return None
    from workbench.models.weights import find_weights

    member = next((one for one in members_of(recipe) if one.model), None)
    name = student.model or (member.model if member is not None else None)
    if name is None:
        raise RecipeError(
            f"The static student '{student.name}' has no encoder to take its tokens from.",
            "A teacher with a model, or model: in the student itself.",
            f"Try: --set students.{student.name}.model=sentence-transformers/all-MiniLM-L6-v2",
        )
    revision = member.revision if member is not None and member.model == name else None
    weights = find_weights(weights_name(name, session.base), revision=revision, download=session.download)
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
    built_on: Sequence[StageResult | Targets | None],
    recipe: Recipe | None = None,
) -> StageKey:
    """What a candidate's training depends on."""
    inputs = {
        "student": student.model_dump(mode="json"),
        "splits": drawn.digest,
        "built_on": [one.digest for one in built_on if one is not None],
        "distillation": None if recipe is None else recipe.distillation.model_dump(mode="json"),
        "seed": drawn.splits.seed,
    }
    return StageKey(stage, inputs, ROOMS)


def material(drawn: Drawn, tokens: StageResult | None) -> Material:
    """The rows that students may learn from, and where a static one starts."""
    from workbench.training import Material

    start = None
    if tokens is not None:
        from workbench.models.static_tokens import StaticTokens

        start = StaticTokens.load(tokens.folder)
    splits = drawn.splits
    return Material(splits.classes, splits.train, splits.validation, splits.pool, start)


def named(listener: Listener, candidate: str) -> Listener:
    """A listener that tells for which candidate training reports."""

    def listen(event: Event) -> None:
        stage = candidate.partition("-")[0]
        listener(replace(event, candidate=candidate, stage=stage))

    return listen


def predict(session: Session, drawn: Sequence[Drawn], trained: Sequence[Trained]) -> dict[str, pa.Table]:
    """Every candidate's predictions on validation, reserve and all tests, for all seeds."""
    tables: dict[str, list[pa.Table]] = {}
    for one, made in zip(drawn, trained, strict=True):
        for name, stage in made.stages.items():
            known = made.answers if name == "teacher" else None
            tables.setdefault(name, []).append(_predict_one(session, name, stage, one, known))
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
