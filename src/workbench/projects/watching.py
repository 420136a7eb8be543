"""A run watched through its files alone: any process may look, also long after the one that works is gone.

``log.jsonl`` and ``progress.jsonl`` are read on from where the last look ended, whole lines only. A look at which
nothing is new costs two glances at the files' sizes.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import recipe as recipes
from workbench import storage
from workbench.errors import WorkbenchError
from workbench.projects.desk import RunAt, run_at
from workbench.projects.points import Curve, Line
from workbench.projects.stages import Parts, Stage, expected_seconds, planned, stage_of, timed
from workbench.runs.folder import STOP_FILE

LAST_LINES = 8
ENERGY = "energy_kwh"


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment.

    Attributes:
        run: Its folder and how it stands.
        stages: What is done, at work and to come.
        curves: ``candidate/stage/metric`` to its values.
        seconds: Time of all stages so far.
        remaining: Seconds to the end; ``None`` where nobody knows.
        energy_wh: Electricity so far, the stage at work and its earlier attempts included.
        grams: CO₂-equivalents of it; ``None`` where nobody knows.
        budget_grams: What it may emit; ``None`` without a limit.
        log: Last events of the log, as they stand there.
        reason: Why it failed, as it was logged.
        stopping: Whether somebody asked it to stop.
    """

    run: RunAt
    stages: tuple[Stage, ...]
    curves: Mapping[str, Curve]
    seconds: float
    remaining: float | None
    energy_wh: float
    grams: float | None
    budget_grams: float | None
    log: tuple[Mapping[str, Any], ...]
    reason: str
    stopping: bool


class _Tail:
    """A file of JSON lines, read on."""

    def __init__(self, path: Path) -> None:
        self.path, self.at, self.file = path, 0, 0

    def read(self) -> tuple[bool, list[dict[str, Any]]]:
        """Whether the file began anew, and its new objects; a torn last line waits for its end."""
        try:
            found = self.path.stat()
            anew = self.at > 0 and (found.st_size < self.at or found.st_ino != self.file)
            self.at, self.file = 0 if anew else self.at, found.st_ino
            if found.st_size == self.at:
                return anew, []
            with self.path.open("rb") as content:
                content.seek(self.at)
                data = content.read()
        except FileNotFoundError:
            anew, self.at = self.at > 0, 0
            return anew, []
        end = data.rfind(b"\n") + 1
        self.at += end
        lines = data[:end].decode("utf-8", "replace").split("\n")
        return anew, [one for line in lines if line and (one := _parsed(line)) is not None]


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:  # bytes that a loss of power left
        return None
    return value if isinstance(value, dict) else None


class Watch:
    """Looks at a run's folder again and again."""

    def __init__(self, run: Path) -> None:
        """Name the run; nothing is read yet."""
        self.path = run
        self._log, self._progress = _Tail(run / "log.jsonl"), _Tail(run / "progress.jsonl")
        self._plan: dict[str, int] = {}
        self._budget: float | None = None
        self._known: dict[Path, tuple[int, Any]] = {}
        self._lines: dict[str, Line] = {}
        self._forget()

    def poll(self) -> Snapshot:
        """Look.

        Raises:
            RunError: The folder is gone, or was written by a newer version.
        """
        run = run_at(self.path)
        self._read_recipe()
        self._read_on()
        estimate = self._json(self.path / "estimate.json") or {}
        stages = timed(self._stages(run), expected_seconds(estimate.get("stages", {})))
        left = [one.remaining for one in stages if one.remaining is not None]
        kwh, grams = self._emissions(run, estimate)
        return Snapshot(
            run=run,
            stages=tuple(stages),
            curves={name: line.curve() for name, line in self._lines.items()},
            seconds=sum(one.seconds for one in stages),
            remaining=sum(left) if left else None,
            energy_wh=1000 * kwh,
            grams=grams,
            budget_grams=self._budget,
            log=tuple(self._events),
            reason=self._reason,
            stopping=run.status == "running" and (self.path / STOP_FILE).exists(),
        )

    def _json(self, file: Path) -> Any:
        """A small file, read again when it changed; ``None`` where it is missing."""
        try:
            changed = file.stat().st_mtime_ns
            if self._known.get(file, (0, None))[0] != changed:
                self._known[file] = (changed, storage.read_json(file))
        except FileNotFoundError:
            return None
        return self._known[file][1]

    def _read_recipe(self) -> None:
        if not self._plan and (self.path / "recipe.yaml").is_file():
            try:
                recipe = recipes.read(self.path / "recipe.yaml").recipe
                self._plan, self._budget = planned(recipe), recipe.carbon.budget_grams
            except WorkbenchError:  # of another version: its stages are shown as they come
                self._plan = {"data": 0}

    def _read_on(self) -> None:
        anew, events = self._log.read()
        if anew:
            self._forget()
        for event in events:
            self._take(event)
        anew, points = self._progress.read()
        if anew:
            self._lines.clear()
        for point in points:
            self._draw(point)

    def _forget(self) -> None:
        self._groups: dict[str, Parts] = {}
        self._emitted: dict[str, tuple[float, float]] = {}
        self._begun, self._doing, self._reason = "", "", ""
        self._share, self._began, self._last = 0.0, 0.0, 0.0
        self._events: deque[Mapping[str, Any]] = deque(maxlen=LAST_LINES)

    def _take(self, event: Mapping[str, Any]) -> None:
        """Take an event of the log."""
        kind, digest = str(event.get("type")), str(event.get("digest", ""))
        self._events.append(event)
        self._last = dt.datetime.fromisoformat(str(event["time"])).timestamp()
        if kind.startswith("run "):
            self._doing, self._reason = "", str(event.get("reason", "")) if kind == "run failed" else ""
        if not kind.startswith("stage "):
            return
        parts = self._groups.setdefault(stage_of(str(event["stage"]), str(event.get("candidate", ""))), Parts())
        if kind == "stage started":
            parts.part, parts.began = str(event.get("candidate") or event["stage"]), self._last
            parts.doing = self._begun = self._doing = digest
            self._share, self._began = 0.0, self._last
            return
        if digest == self._begun:
            self._begun = self._doing = ""
        if event.get("reused_from") is None and ENERGY in event:
            self._emitted[digest] = (float(event[ENERGY]), float(event["emissions_g"]))
        if kind == "stage finished":
            parts.seconds[digest] = float(event["seconds"])
        elif digest not in parts.seconds:
            parts.seconds[digest] = 0.0
            parts.reused.add(digest)

    def _draw(self, point: Mapping[str, Any]) -> None:
        """Take a line of ``progress.jsonl``."""
        at = float(point.get("at", 0.0))
        self._last = max(self._last, at)
        if point["event"] == "Progress":
            if at >= self._began:
                self._share = min(point["done"] / max(point["total"], 1), 1.0)
        elif point["event"] == "Measured" and point["name"] != ENERGY and math.isfinite(point["value"]):
            name = f"{point['candidate'] or point['stage']}/{point['stage']}/{point['name']}"
            self._lines.setdefault(name, Line()).add(int(point["step"]), float(point["value"]))

    def _stages(self, run: RunAt) -> list[Stage]:
        now = time.time() if run.status == "running" else self._last
        doing = self._doing if run.status == "running" else ""
        names = list(dict.fromkeys([*self._plan, *self._groups]))
        begun = max((names.index(name) for name in self._groups), default=0)
        found = []
        for place, name in enumerate(names):
            parts, total = self._groups.get(name, Parts()), self._plan.get(name, 0)
            reporting = name == "evidence" and name in self._groups and run.status == "running"
            over = run.status == "done" or (not total and place < begun and not doing == parts.doing)
            working = bool(doing and doing == parts.doing) or reporting
            found.append(parts.stage(name, total, now, self._share, working=working, over=over))
        return found

    def _emissions(self, run: RunAt, estimate: Mapping[str, Any]) -> tuple[float, float | None]:
        """Energy in kWh and grams so far: of finished stages, and of the one at work with its earlier attempts."""
        listed = self._json(self.path / "emissions.json") if run.status == "done" else None
        if listed:
            own = [one for one in listed if not one.get("reused_from")]
            totals = (sum(one[name]["central"] for one in own) for name in ("energy_kwh", "emissions_kg"))
            kwh, kilograms = totals
            return kwh, 1000 * kilograms
        kwh, grams = (sum(one[place] for one in self._emitted.values()) for place in (0, 1))
        store = self.path.parent.parent / ".stages"
        spent = self._json(store / f"{self._begun}.partial" / "spent.json") if self._begun else None
        more = float(spent[ENERGY]) if spent else 0.0
        share = grams / kwh if kwh else None
        if share is None and estimate:
            share = 1000 * estimate["emissions_g"]["central"] / max(estimate["energy_wh"]["central"], 1e-12)
        return kwh + more, grams + more * share if share is not None else None
