"""What the panel Train says: stages, remaining time, energy, log lines and endings, as HTML and sentences."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

from workbench.projects.stages import Stage, stage_of
from workbench.projects.watching import Snapshot
from workbench.widgets import markup
from workbench.widgets.words import Words

OVER = ("done", "reused")


def time_in_words(seconds: float, *, by: int = 1) -> str:
    """A time: ``35 s``, ``12 min``, ``2 h 05 min``; seconds in steps of ``by``."""
    if seconds < 90:
        return f"{by * math.ceil(seconds / by)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def amount(value: float) -> str:
    """A quantity with two digits that mean something."""
    if value < 0.001:
        return "< 0.001" if value > 0 else "0"
    places = max(1 - math.floor(math.log10(value)), 0)
    return f"{value:.{places}f}"


def plan(words: Words, checked: Any) -> list[str]:
    """What will run, and what it is likely to take: one sentence each.

    Args:
        words: The language.
        checked: What ``pipeline.check`` found.
    """
    recipe, estimate = checked.recipe, checked.estimate
    what = [words("train.will.baseline")]
    if recipe.teacher is not None:
        what.append(words("train.will.teacher"))
    if recipe.students:
        what.append(words("train.will.students", names=", ".join(one.name for one in recipe.students)))
    if recipe.evaluation.seeds > 1:
        what.append(words("train.will.seeds", number=recipe.evaluation.seeds))
    expected = words(
        "train.estimate",
        time=time_in_words(estimate.seconds, by=5),
        energy=amount(estimate.energy_wh.central),
        grams=amount(estimate.grams.central),
        memory=f"{estimate.memory_mb:.0f}",
    )
    return [words("train.will", name=recipe.name, what="; ".join(what)) + " " + expected]


class Told:
    """A snapshot in words."""

    def __init__(self, words: Words, snapshot: Snapshot | None) -> None:
        """Take what was seen; nothing is said where there is no run."""
        self.words, self.seen = words, snapshot

    def name(self, stage: str) -> str:
        """A stage's name in the reader's language."""
        if stage.startswith("student-"):
            return self.words("train.stage.student", name=stage.removeprefix("student-"))
        return self.words.texts.get(f"train.stage.{stage}", stage)

    def sentence(self) -> str:
        """How the run stands, in one sentence that changes slowly."""
        seen = self.seen
        if seen is None or seen.run.status not in ("running", "done"):
            return ""
        if seen.run.status == "done":
            return self.words("train.is_done", time=time_in_words(seen.seconds))
        if seen.stopping:
            return self.words("train.stopping")
        doing = next((one for one in seen.stages if one.status == "running"), None)
        stage = self.words("train.between") if doing is None else self.name(doing.name)
        if seen.remaining is None:
            return self.words("train.working_unknown", stage=stage)
        percent, left = 5 * int(20 * self.share), time_in_words(seen.remaining, by=15)
        return self.words("train.working", stage=stage, percent=percent, left=left)

    @property
    def share(self) -> float:
        """How much of the run is done, by time."""
        seen = self.seen
        if seen is None or seen.run.status == "done":
            return 1.0
        return seen.seconds / max(seen.seconds + (seen.remaining or 0.0), 1e-9)

    def overall(self) -> str:
        """The bar of all, energy so far and the bar of the budget."""
        seen = self.seen
        if seen is None:
            return ""
        known = seen.remaining is not None or seen.run.status == "done"
        percent = f"{100 * self.share:.0f} %" if known else "…"
        bars = markup.bar(self.words("train.all"), self.share if known else None, percent, speaks=False)
        values = {"energy": amount(seen.energy_wh), "grams": amount(seen.grams or 0.0)}
        spent = self.words("train.spent" if seen.grams is not None else "train.spent_no_grams", **values)
        if seen.budget_grams is not None:
            part = (seen.grams or 0.0) / seen.budget_grams
            told = self.words("train.of_budget", percent=f"{100 * part:.0f}", budget=amount(seen.budget_grams))
            bars += markup.bar(self.words("train.budget"), part, told, speaks=False)
        return bars + markup.paragraphs([spent])

    def stages(self) -> str:
        """A bar for each stage."""
        found = [] if self.seen is None else self.seen.stages
        waiting = {"waiting": 0.0}
        bars = "".join(
            markup.bar(self.name(one.name), one.share or waiting.get(one.status), self._status(one), speaks=False)
            for one in found
        )
        return f"<h3>{markup.text(self.words('train.stages'))}</h3>{bars}"

    def _status(self, stage: Stage) -> str:
        unknown = "_unknown" if stage.status == "running" and not stage.total else ""
        part = self.name(stage.part) if stage.part else self.name(stage.name)
        time, number = time_in_words(stage.seconds), {"done": stage.done, "total": stage.total}
        return self.words(f"train.status.{stage.status}{unknown}", part=part, time=time, **number)

    def kept(self, status: str) -> list[str]:
        """What a run that is not at work keeps, and what to do."""
        if self.seen is None:
            return []
        over = [one for one in self.seen.stages if one.status in OVER]
        values = {"done": len(over), "all": len(self.seen.stages), "time": time_in_words(self.seen.seconds)}
        if status not in ("stopped", "cut off"):
            return [self.words("train.try_again", **values)]
        kept = self.words("train.kept", **values) if over else self.words("train.kept_nothing")
        return [self.words(f"train.was_{status.replace(' ', '_')}", kept=kept)]

    def reasons(self) -> list[str]:
        """Why the run failed, a part of its message each."""
        reason = "" if self.seen is None else self.seen.reason
        kind, _, rest = reason.partition(": ")
        lines = (rest if kind.isidentifier() else reason).splitlines()
        return [self.words("train.was_failed"), *(self.words.sentence(line.strip(" -")) for line in lines if line)]

    def log(self) -> str:
        """The last lines of the log."""
        found = [] if self.seen is None else self.seen.log
        lines = "".join(f"<li>{self._clock(one)} {self._event(one)}</li>" for one in found)
        return f'<h3>{markup.text(self.words("train.log"))}</h3><ul class="wb-log">{lines}</ul>'

    def _clock(self, event: Mapping[str, Any]) -> str:
        return f"{dt.datetime.fromisoformat(str(event['time'])).astimezone():%H:%M:%S}"

    def _event(self, event: Mapping[str, Any]) -> str:
        key = f"train.log.{event['type']}"
        if key not in self.words.texts:
            return markup.original(str(event["type"]))
        stage, candidate = str(event.get("stage", "")), str(event.get("candidate", ""))
        what = self.words.texts.get(f"train.stage.{stage_of(stage, '')}", stage).replace("{name}", "").strip()
        values = {
            "what": what,
            "candidate": candidate,
            "time": time_in_words(float(event.get("seconds", 0.0))),
            "sentence": self.words.sentence(str(event.get("sentence", ""))),
        }
        if candidate and stage:
            values["what"] += f" ({candidate})"
        return markup.text(self.words(key, **values))
