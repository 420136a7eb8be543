"""The stages of a run as a person follows them: what a recipe will do, how far each is, how long the rest takes.

A run's log names some sixty small stages; here they stand together as about ten: data, embeddings, baseline, teacher,
each student with its control and selftrain, predictions, metrics, measurement, evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workbench.recipe import Recipe

OF_STUDENTS = ("student", "short student", "control", "selftrain", "onnx", "int8", "fp16")
OF_TEACHER = ("teacher-head", "soft targets")
ENDINGS = ("-short", "-onnx", "-int8", "-fp16")
REST = {"baseline": 0.2, "predictions": 0.2, "evidence": 0.6}
PRIOR_S = 15.0
"""So many seconds of work must have been done before the true pace counts as much as the estimate."""


@dataclass(frozen=True)
class Stage:
    """A stage as it stands.

    Attributes:
        name: ``data``, ``embeddings``, ``teacher``, ``student-<name>`` …
        status: ``waiting``, ``running``, ``done`` or ``reused`` (was there already, from another run).
        seconds: Time that it took so far, in this run.
        done: Parts that are done: a student has three, itself, its control and its selftrain, for each seed.
        total: Parts in all; 0 where nobody knows yet.
        part: The candidate, or the small stage, that is at work.
        share: How much of it is done, 0 to 1; ``None`` where nobody knows.
        remaining: Seconds that it will still take; ``None`` where nobody knows.
    """

    name: str
    status: str = "waiting"
    seconds: float = 0.0
    done: int = 0
    total: int = 0
    part: str = ""
    share: float | None = None
    remaining: float | None = None


@dataclass
class Parts:
    """What a run's log told of one stage: seconds of its parts by digest, which were reused, what was begun last."""

    seconds: dict[str, float] = field(default_factory=dict)
    reused: set[str] = field(default_factory=set)
    doing: str = ""
    part: str = ""
    began: float = 0.0

    def stage(self, name: str, total: int, now: float, share: float, *, working: bool, over: bool) -> Stage:
        """The stage as it stands.

        Args:
            name: Its name.
            total: Parts in all, 0 where nobody knows.
            now: Seconds since the epoch.
            share: How much of the part at work is done, 0 to 1.
            working: Whether one of its parts is at work.
            over: Whether the run is past it.
        """
        done, total = len(self.seconds), max(total, len(self.seconds) + working) if total else 0
        status = "running" if working else "done" if over or done >= total > 0 else "waiting"
        if status == "done" and done and self.reused >= self.seconds.keys():
            status = "reused"
        whole = 1.0 if status in ("done", "reused") else (done + share * working) / total if total else None
        seconds = sum(self.seconds.values()) + (max(now - self.began, 0.0) if working else 0.0)
        return Stage(name, status, seconds, done, total, self.part if working else "", whole)


def stage_of(stage: str, candidate: str) -> str:
    """The stage that a small one of the log belongs to."""
    if stage in OF_STUDENTS and "-" in candidate:
        name = candidate.partition("-")[2]
        return "student-" + next((name.removesuffix(end) for end in ENDINGS if name.endswith(end)), name)
    return "teacher" if stage in OF_TEACHER else "evidence" if stage.startswith("evidence-") else stage


def planned(recipe: Recipe) -> dict[str, int]:
    """Stage to the number of its parts, in the order of work; 0 where nobody knows before.

    Args:
        recipe: The recipe.
    """
    seeds, teacher = recipe.evaluation.seeds, recipe.teacher
    members = () if teacher is None else teacher.ensemble or (teacher,)
    encoders = {(one.model, one.revision, one.max_tokens, one.layers) for one in members if one.model}
    tuned = any(one.method != "head" for one in members)
    statics = {(one.model, one.dimensions) for one in recipe.students if one.kind == "static"}
    more = {one.name: _short(one) + len(set(one.compress)) for one in recipe.students}
    teachers = 0 if teacher is None else 1 + tuned
    found = {"data": seeds, "embeddings": len(encoders), "baseline": seeds}
    found["teacher"] = seeds * (teachers + bool(teachers and recipe.distillation.smoothing))
    found["tokens"] = len(statics)
    found = {name: parts for name, parts in found.items() if parts}
    found |= {f"student-{name}": seeds * (3 + further) for name, further in more.items()}
    candidates = 1 + teachers + sum(3 + further for further in more.values())
    measured = 1 + bool(members and not members[0].file) + sum(1 + further for further in more.values())
    return found | {"predictions": seeds * candidates, "metrics": 1, "measurement": measured, "evidence": 0}


def _short(student: object) -> int:
    cut = getattr(student, "cut", None)
    return int(cut is not None and bool(cut.drop_layers))


def expected_seconds(estimate: Mapping[str, float]) -> dict[str, float]:
    """Stage to the seconds that it was expected to take.

    Args:
        estimate: ``stages`` of a run's ``estimate.json``.
    """
    found = {name: rest * float(estimate["the rest"]) for name, rest in REST.items() if "the rest" in estimate}
    for name, seconds in estimate.items():
        if name != "the rest":
            key = "embeddings" if name.startswith("embeddings of ") else name
            found[key] = found.get(key, 0.0) + float(seconds)
    return found


def timed(stages: list[Stage], expected: Mapping[str, float]) -> list[Stage]:
    """The same with remaining seconds: the estimate, corrected by what finished stages really took.

    Args:
        stages: As the log tells them.
        expected: Stage to estimated seconds; empty where there is no estimate: then nobody knows.
    """
    if not expected:
        return stages
    over = [one for one in stages if one.status == "done" and one.name in expected]
    took, thought = sum(one.seconds for one in over), sum(expected[one.name] for one in over)
    pace = min(max((took + PRIOR_S) / (thought + PRIOR_S), 0.1), 10.0)
    return [_timed(one, expected.get(one.name, 0.0) * pace) for one in stages]


def _timed(stage: Stage, expected: float) -> Stage:
    """Estimate and present rate, mixed by how much is done."""
    if stage.status in ("done", "reused"):
        return replace(stage, remaining=0.0)
    left, share = max(expected - stage.seconds, 0.05 * stage.seconds), stage.share or 0.0
    return replace(stage, remaining=(1 - share) * (share > 0) * stage.seconds + (1 - share) * left)
