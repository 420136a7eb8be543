"""A finished run with a table beside it, two candidates that can be asked, and one whose folder is damaged."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from run_folder import Choices, make_run
from workbench import recipe as recipes
from workbench.data import sources
from workbench.models.novelty import Novelty
from workbench.training.distillation import one_hot
from workbench.training.linear import LinearSettings, train_linear

CLASSES = ("brakes", "gears", "wheels")
NAMES = ("baseline", "teacher", "student-linear", "control-linear", "selftrain-linear")
SAID = {
    "brakes": "the brake lever squeals and the disc pad is worn",
    "gears": "the chain slips over the sprocket of the cassette",
    "wheels": "the tyre has a puncture and the rim wobbles",
}
ROWS = 20_300
_MADE: list[Path] = []


def inspected_run(folder: Path, rows: int = 200) -> Path:
    """A run of three classes in ``folder/runs``, its table in ``folder``.

    Args:
        folder: An empty folder.
        rows: Of each test split; the table has 100 rows of train and 100 of the pool behind those of test.

    Returns:
        The run's folder.
    """
    choices = Choices(rows=rows, resamples=20, classes=CLASSES, candidates=NAMES)
    run = make_run(folder / "runs", choices)
    labels = [CLASSES[row % 3] for row in range(ROWS)]
    tested = pq.read_table(run / "predictions" / "baseline.parquet", columns=["row", "label"])
    for row, label in zip(tested["row"].to_pylist(), tested["label"].to_pylist(), strict=True):
        labels[row] = label
    _write_table(folder / "phrases.csv", labels)
    _add_train(run, rows)
    located = recipes.read(run / "recipe.yaml").recipe
    digest = sources.read(located.data.source, data=located.data, base=folder).digest
    state = json.loads((run / "run.json").read_text()) | {"base": "../../..", "data_digest": digest}
    (run / "run.json").write_text(json.dumps(state))
    _write_models(run, labels[rows : rows + 100])
    shutil.copy(run / "recipe.yaml", folder / "recipe.yaml")
    return run


def shared_run(factory: pytest.TempPathFactory) -> Path:
    """The same run for every test that only reads it."""
    if not _MADE:
        _MADE.append(inspected_run(factory.mktemp("inspected")))
    return _MADE[0]


def text_of(row: int, label: str) -> str:
    """The text of a row of the table."""
    return f"{SAID[label]} <b>{row}</b>"


def _write_table(file: Path, labels: list[str]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["phrase", "subject", "work", "wording", "length"])
        for row, label in enumerate(labels):
            writer.writerow([text_of(row, label), label, f"w{row}", "expert", "4 to 8 words"])


def _add_train(run: Path, rows: int) -> None:
    about = pq.read_table(run / "data" / "rows.parquet")
    more = {
        "seed": np.zeros(200, dtype=np.int32),
        "row": np.arange(rows, rows + 200),
        "split": np.repeat(["train", "pool"], 100),
        "group": np.arange(200).astype(str),
        "wording": np.repeat("expert", 200),
        "length": np.repeat("4 to 8 words", 200),
    }
    added = pa.table({name: pa.array(more[name]).cast(about.schema.field(name).type) for name in about.column_names})
    pq.write_table(pa.concat_tables([about, added]), run / "data" / "rows.parquet")


def _write_models(run: Path, labels: list[str]) -> None:
    texts = [text_of(row, label) for row, label in enumerate(labels)]
    numbers = np.array([CLASSES.index(label) for label in labels])
    model = train_linear(texts, one_hot(numbers, 3), classes=CLASSES, settings=LinearSettings(buckets=4096))
    decision = {
        "format": 1,
        "threshold": 0.6543,
        "threshold_level": 0.95,
        "threshold_reason": "",
        "target_error": 0.1,
        "conformal": {"quantile": 0.9, "coverage": 0.9, "method": "LAC", "rows": 100},
        "novelty": {"threshold": 0.4, "false_flags": 0.05},
        "fitted_on": {"rows": 100, "split": "validation"},
    }
    for name in NAMES:
        folder = run / "models" / name
        if name.startswith(("control", "selftrain")):
            shutil.rmtree(folder)
        elif name != "teacher":
            model.save(folder)
            (folder / "decision.json").write_text(json.dumps(decision))
            Novelty.learn(texts).save(folder)
