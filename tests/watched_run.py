"""A run's folder as a run at work leaves it, written line by line by a test."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from small_table import recipe_values, tickets
from workbench import recipe as recipes
from workbench import storage
from workbench.runs import RunFolder, RunState, now
from workbench.runs.folder import LOCK_FILE

ESTIMATE = {
    "stages": {"data": 2.0, "student-linear": 20.0, "metrics": 1.0, "measurement": 40.0, "the rest": 20.0},
    "emissions_g": {"central": 0.056},
    "energy_wh": {"central": 1.0},
}


def written_recipe(folder: Path, rows: int = 300, **changes: Any) -> Path:
    """A recipe for the table of tickets beside it: a baseline alone, everything short."""
    folder.mkdir(parents=True, exist_ok=True)
    tickets(rows).to_csv(folder / "tickets.csv", index=False)
    values = recipe_values(None, evaluation={"resamples": 1000, "flips": []}, **changes)
    (folder / "tickets.yaml").write_text(recipes.to_yaml(recipes.from_values(values)), encoding="utf-8")
    return folder / "tickets.yaml"


class WatchedRun:
    """A run's folder, and what its process would write."""

    def __init__(self, runs: Path, recipe: recipes.Recipe | None = None, status: str = "running") -> None:
        teacher = {"model": "an-encoder"}
        students = [{"name": "linear", "kind": "linear"}]
        self.recipe = recipe or recipes.from_values(recipe_values(None, teacher=teacher, students=students))
        state = RunState(recipes.digest(self.recipe), "1" * 64, status, 1, now())
        self.folder = RunFolder.create(runs, self.recipe.name, state)
        self.path = self.folder.path
        self.lock = storage.Lock(self.path / LOCK_FILE)
        storage.write_text(self.path / "recipe.yaml", recipes.to_yaml(self.recipe))
        storage.write_json(self.path / "estimate.json", ESTIMATE)
        self.folder.log("run started")

    def at_work(self) -> WatchedRun:
        """Held by this process, as a living run is."""
        self.lock.acquire()
        return self

    def began(self, stage: str, candidate: str = "", digest: str = "") -> None:
        self.folder.log("stage started", stage=stage, candidate=candidate or None, digest=digest or stage + candidate)

    def ended(self, stage: str, candidate: str = "", seconds: float = 1.0, kwh: float = 1e-6, **more: Any) -> None:
        kind = more.pop("kind", "stage finished")
        emitted = {"energy_kwh": kwh, "emissions_g": kwh * 56}
        about = {"stage": stage, "candidate": candidate or None, "digest": stage + candidate, "seconds": seconds}
        self.folder.log(kind, **about, **emitted, **more)

    def done(self, stage: str, candidate: str = "", **more: Any) -> None:
        self.began(stage, candidate)
        self.ended(stage, candidate, **more)

    def tell(self, text: str) -> None:
        """Add bytes to the file of curves, a line's end or not."""
        with (self.path / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(text)

    def value(self, step: int, value: float, candidate: str = "student-linear", name: str = "loss") -> str:
        stage = candidate.partition("-")[0]
        fields = {"event": "Measured", "stage": stage, "candidate": candidate, "name": name, "step": step}
        return json.dumps({**fields, "value": value, "at": time.time()}) + "\n"

    def progress(self, done: int, total: int, candidate: str = "student-linear") -> str:
        fields = {"event": "Progress", "stage": "student", "candidate": candidate, "done": done, "total": total}
        return json.dumps({**fields, "at": time.time()}) + "\n"
