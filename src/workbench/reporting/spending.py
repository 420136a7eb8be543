"""What a run took, sorted as a person asks for it: by kind of work, by candidate, idle, expected and become."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench import storage
from workbench.metrics.scoring import made_from
from workbench.reporting.comparison import is_training
from workbench.reporting.emissions import Emission, Range, add, spent_here
from workbench.reporting.evidence import Evidence, role

ESTIMATE = "estimate.json"
EVIDENCE = "evidence-"
JOULES_PER_KWH = 3.6e6
KINDS = {
    "data": "Reading, splitting and checking the data",
    "baseline": "The baseline",
    "teacher": "The teacher",
    "labelling": "Teacher labelling: reading every row with the encoder, soft targets",
    "students": "Students, in all their forms",
    "controls": "Controls (control, selftrain): what shows whether distillation helped",
    "evaluation": "Evaluation: predictions, scores, measurements, checks, report",
}
IDLE_SHARES = Range(0.1, 0.3, 0.5)
"""What a machine takes doing nothing, as a share of what it takes at full load. Barroso and Hölzle, “The Case for
Energy-Proportional Computing” (IEEE Computer 40 (12), 2007), found about half for servers; newer machines and laptops
take less."""


@dataclass(frozen=True)
class Idle:
    """The share of the energy that the machine would have taken in the same time doing nothing.

    Attributes:
        share: In [0, 1]; None where it cannot be had.
        class_: A where idle watts were metered, else D.
        reason: Why there is none, or how it was come by.
    """

    share: Range | None
    class_: str
    reason: str


@dataclass(frozen=True)
class Expected:
    """What was estimated before the run, and what became of it.

    Attributes:
        seconds: Expected.
        energy_kwh: Expected.
        class_: Of the estimate.
        became: All stages that the estimate is about, taken over or not; checks are not.
    """

    seconds: float
    energy_kwh: Range
    class_: str
    became: Emission


def kind(entry: Emission) -> str:
    """What an entry was for: a key of ``KINDS``."""
    stage, whose = entry.stage, role(entry.candidate) if entry.candidate else ""
    if stage.startswith(EVIDENCE) or not is_training(stage):
        return "evaluation"
    if stage.startswith("embed") or stage == "soft targets":
        return "labelling"
    if whose in ("control", "selftrain"):
        return "controls"
    if whose in ("baseline", "teacher"):
        return whose
    return "students" if whose in ("student", "compressed") or stage == "tokens" else "data"


def by_kind(entries: Sequence[Emission]) -> dict[str, Emission]:
    """The sum of each kind of work that there was; the sums add up to the sum of all."""
    found = {name: [one for one in entries if kind(one) == name] for name in KINDS}
    return {name: add(parts) for name, parts in found.items() if parts}


def by_candidate(entries: Sequence[Emission]) -> dict[str, Emission]:
    """The sum of each candidate's own stages, measuring included; ``""`` holds what belongs to no single one."""
    names = dict.fromkeys(one.candidate or "" for one in entries)
    return {name: add(one for one in entries if (one.candidate or "") == name) for name in names}


def training(evidence: Evidence, candidate: str) -> Emission:
    """What it takes to have a candidate beside its teacher, for one seed: labelling, and the candidate's own stages.

    Stages that were taken over count: they were spent, if in another run. Reading the tests with the encoder is in
    the labelling too, so the figure is rather too high.

    Args:
        evidence: The run.
        candidate: A baseline, a student, one of its compressed forms, a control.
    """
    seeds = max(evidence.recipe.evaluation.seeds, 1)
    names = {candidate, made_from(candidate) or candidate}
    learns = role(candidate) in ("student", "compressed")
    parts = [_share(one, seeds) for one in evidence.emissions if one.candidate in names and is_training(one.stage)]
    if learns:
        parts += [
            _share(one, 1 if one.candidate is None else seeds) for one in evidence.emissions if kind(one) == "labelling"
        ]
        parts += [one for one in evidence.emissions if one.stage == "tokens" and _is_static(evidence, names)]
    return add(parts)


def teaching(evidence: Evidence) -> Emission:
    """What the teacher's own stages took, for one seed: what one who uses no teacher at all does not spend."""
    seeds = max(evidence.recipe.evaluation.seeds, 1)
    return add(_share(one, seeds) for one in evidence.emissions if kind(one) == "teacher")


def _is_static(evidence: Evidence, names: set[str]) -> bool:
    return any(one.kind == "static" and f"student-{one.name}" in names for one in evidence.recipe.students)


def _share(entry: Emission, parts: int) -> Emission:
    if parts == 1:
        return entry
    one = 1 / parts
    energy, emitted = entry.energy_kwh.times(one), entry.emissions_kg.times(one)
    return Emission(entry.stage, entry.candidate, entry.seconds * one, energy, emitted, entry.class_, entry.method)


def idle(evidence: Evidence) -> Idle:
    """The share of the run's energy that the machine would have taken doing nothing.

    With idle watts from a meter: these watts for the run's seconds, against the reading. Else a guess: a machine that
    takes a share f of its full power when idle, and the rest in proportion to its load l, spends f / (f + l (1 − f))
    of its energy on being switched on (Barroso and Hölzle, 2007); with f from 0.1 to 0.5.

    Args:
        evidence: The run.
    """
    read = evidence.reading
    if read and read.get("idle_watts") is not None:
        seconds = spent_here(evidence.modelled[: int(read["covers"])]).seconds
        share = float(read["idle_watts"]) * seconds / JOULES_PER_KWH / float(read["measured_kwh"])
        if share > 1:
            return Idle(None, "A", f"idle watts for {seconds:.0f} s are more than the reading: one of them is wrong")
        return Idle(Range(share, share, share), "A", "idle watts that a meter showed, for the seconds of the stages")
    load = _load(evidence.emissions)
    if load is None:
        return Idle(None, "D", "the run does not say what the machine takes at full load (made by an earlier version)")
    ends = [f / (f + load * (1 - f)) for f in (IDLE_SHARES.low, IDLE_SHARES.central, IDLE_SHARES.high)]
    return Idle(Range(*ends), "D", f"a guess from a load of {100 * load:.0f} % and idle power of 10 to 50 % of full")


def _load(entries: Sequence[Emission]) -> float | None:
    """The processor's mean power as a share of its rated power, weighted by time; None where that is not known."""
    weighed, seconds = 0.0, 0.0
    for one in entries:
        cpu, full = one.method.get("watts", {}).get("cpu"), one.method.get("full_load_watts")
        rated = (full or 0.0) - (one.method.get("memory_watts") or 0.0)
        if cpu is not None and rated > 0:
            weighed += one.seconds * min(cpu / rated, 1.0)
            seconds += one.seconds
    return weighed / seconds if seconds > 0 and weighed > 0 else None


def expected(evidence: Evidence) -> Expected | None:
    """The estimate that was stored when the run began, with what became of it; None where none was stored."""
    file = evidence.folder / ESTIMATE
    if not file.is_file():
        return None
    value: dict[str, Any] = storage.read_json(file)
    energy = Range(*(float(value["energy_wh"][end]) / 1000 for end in ("low", "central", "high")))
    became = add(one for one in evidence.emissions if not one.stage.startswith(EVIDENCE))
    return Expected(float(value["seconds"]), energy, str(value["class"]), became)


def outside(evidence: Evidence) -> tuple[float, float] | None:
    """Seconds at work by the log, and of these the ones that lie in no stage; None where the log does not say.

    A log's times are whole seconds, so a short run's figure is rough.
    """
    spans, began, last = 0.0, None, None
    for event in evidence.events:
        if event.get("type") in ("run started", "run resumed"):
            spans += _between(began, last)
            began = event.get("time")
        last = event.get("time") if event.get("type") != "meter reading" else last
        if event.get("type") in ("run finished", "run stopped", "run failed"):
            spans, began = spans + _between(began, last), None
    spans += _between(began, last)
    if spans <= 0:
        return None
    inside = sum(one.seconds for one in evidence.emissions if one.reused_from is None and _in_run(one))
    return spans, max(spans - inside, 0.0)


def _in_run(entry: Emission) -> bool:
    return not entry.stage.startswith(EVIDENCE)


def _between(began: Any, ended: Any) -> float:
    if began is None or ended is None:
        return 0.0
    return (dt.datetime.fromisoformat(ended) - dt.datetime.fromisoformat(began)).total_seconds()
