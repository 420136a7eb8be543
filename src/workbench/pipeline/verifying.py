"""``workbench verify``: is the run's folder unchanged, and do its numbers follow from its predictions?

It trusts nothing that it can recompute. It shows that a folder fits together; who made it, it cannot show.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from workbench import recipe as recipes
from workbench import storage
from workbench.errors import RecipeError
from workbench.metrics.scoring import differing_rows
from workbench.pipeline.scoring import classes_of, evidence_rows, read_predictions, score
from workbench.runs import RunFolder, check_manifest, find_run


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes:
        ok: Whether it holds.
        what: What was checked, in a few words.
        details: What was found, a sentence each.
    """

    ok: bool
    what: str
    details: tuple[str, ...]


@dataclass(frozen=True)
class Verified:
    """Everything that was checked of a run."""

    path: Path
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether all of it holds."""
        return all(finding.ok for finding in self.findings)


def verify(path: str | Path, *, full: bool = False, runs: str | Path = "runs") -> Verified:
    """Check a run's manifest, its recipe's digest, and every metric against the predictions.

    Args:
        path: The run's folder, or ``latest``.
        full: Also load every saved model and predict again; needs the data and the models' packages.
        runs: Where ``latest`` is looked for.

    Raises:
        RunError: It is no run's folder, or a file that is needed cannot be read.
    """
    folder = find_run(path, runs)
    findings = [_manifest(folder), _recipe(folder)]
    findings.append(_metrics(folder) if findings[-1].ok else _unreadable())
    if full:
        from workbench.pipeline.repredicting import repredict

        differing = repredict(folder)
        told = tuple(differing) or ("Every saved model gives its stored predictions again.",)
        findings.append(Finding(not differing, "saved models", told))
    return Verified(folder, tuple(findings))


def _manifest(folder: Path) -> Finding:
    differing = check_manifest(folder)
    count = len(storage.read_json(folder / "manifest.json")) if (folder / "manifest.json").exists() else 0
    return Finding(not differing, "files", tuple(differing) or (f"All {count} files are as the run left them.",))


def _recipe(folder: Path) -> Finding:
    state = RunFolder(folder).state
    try:
        now = recipes.digest(recipes.read(folder / "recipe.yaml").recipe)
        same = state.recipe_digest in (now, recipes.digest_as_written(folder / "recipe.yaml"))
    except RecipeError as error:
        return Finding(False, "recipe", (f"recipe.yaml cannot be read: {error.problem}",))
    told = "recipe.yaml has the digest that run.json states." if same else "recipe.yaml is not the recipe of run.json."
    return Finding(same, "recipe", (told,))


def _unreadable() -> Finding:
    """What is said of the metrics when the recipe that decides on them is not the run's."""
    return Finding(False, "metrics", ("Not recomputed: how they are computed stands in recipe.yaml.",))


def _metrics(folder: Path) -> Finding:
    missing = [name for name in ("metrics.json", "data/rows.parquet") if not (folder / name).is_file()]
    predictions = read_predictions(folder)
    if missing or not predictions:
        told = tuple(f"{name} is missing." for name in missing) or ("There are no predictions to recompute from.",)
        return Finding(False, "metrics", told)
    recorded = storage.read_json(folder / "metrics.json")
    recipe = recipes.read(folder / "recipe.yaml").recipe
    classes = classes_of(next(iter(predictions.values())))
    computed = score(predictions, pq.read_table(folder / "data" / "rows.parquet"), recipe, classes)
    computed += evidence_rows(folder, recipe)
    differing = [*differing_rows(recorded, computed), *_impossible(folder)]
    told = tuple(differing) or (f"All {len(recorded):,} rows of metrics.json follow from predictions and evidence.",)
    return Finding(not differing, "metrics", told)


def _impossible(folder: Path) -> list[str]:
    """Predictions whose probabilities are none, or that name another class than the likeliest."""
    told = []
    for name, table in read_predictions(folder).items():
        classes = classes_of(table)
        values = np.stack([table[f"p_{one}"].to_numpy() for one in classes], axis=1)
        likeliest = np.asarray(classes, dtype=object)[values.argmax(axis=1)]
        if not np.isfinite(values).all() or np.abs(values.sum(axis=1) - 1).max(initial=0.0) > 1e-3:
            told.append(f"predictions of {name}: probabilities do not add up to 1.")
        elif (likeliest != np.asarray(table["prediction"].to_pylist(), dtype=object)).any():
            told.append(f"predictions of {name}: a prediction is not the likeliest class.")
    return told
