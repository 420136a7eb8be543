"""Students in fewer bits or in ONNX: candidates of their own, each with the proof of what it lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from workbench import models, storage
from workbench.pipeline.drawing import Drawn
from workbench.pipeline.session import Session, StageResult
from workbench.recipe import Student
from workbench.runs import StageKey

ROOMS = ("models", "compression", "training/distillation", "training/private_students")
PARITY = "parity.parquet"


def compress(session: Session, student: Student, drawn: Drawn, made: StageResult) -> dict[str, StageResult]:
    """Every compressed form of a student that the recipe asks for, by candidate.

    Args:
        session: The doing of the run.
        student: The student's part of the recipe.
        drawn: The splits of the seed.
        made: The stage that trained it.

    Raises:
        MissingExtraError: onnx or onnxruntime is not installed.
        ModelError: The student cannot be written in that form.
    """
    return {
        f"student-{student.name}-{how}": _one(session, f"student-{student.name}-{how}", how, drawn, made)
        for how in dict.fromkeys(student.compress)
    }


def _one(session: Session, name: str, how: str, drawn: Drawn, made: StageResult) -> StageResult:
    inputs = {"model": made.digest, "how": how, "splits": drawn.digest}

    def work(folder: Path) -> None:
        from workbench import compression
        from workbench.training.distillation import fit_temperature
        from workbench.training.private_students import carry_privacy

        forms: dict[str, Callable[[Path, Path], Any]] = {
            "onnx": compression.to_onnx,
            "int8": compression.to_int8,
            "fp16": compression.to_fp16,
        }
        source, validation = made.folder / "model", drawn.splits.validation
        candidate = forms[how](source, folder / "model")
        if how == "int8":  # other logits than before, so calibrated anew; the others have the same to the last digits
            temperature = fit_temperature(candidate.logits(validation.texts), validation.labels)
            compression.rescaled(folder / "model", temperature)
        carry_privacy(source, folder / "model", temperature=how == "int8")
        storage.write_parquet(folder / PARITY, parity_table(source, folder / "model", drawn))

    return session.stage(StageKey(how, inputs, ROOMS), work, name)


def parity_table(original: Path, compressed: Path, drawn: Drawn) -> pa.Table:
    """Row by row on the tests: does the compressed one say the same, and how far apart are the logits?

    Returns:
        Columns ``split``, ``row``, ``agrees``, ``logit_difference`` (the largest of the row's classes).
    """
    first: Any = models.load(original)
    second: Any = models.load(compressed)
    pieces = []
    for split, part in drawn.splits.tests.items():
        before, after = first.logits(part.texts), second.logits(part.texts)
        columns = {
            "split": pa.array([split] * len(part)),
            "row": pa.array(part.rows),
            "agrees": pa.array(before.argmax(axis=1) == after.argmax(axis=1)),
            "logit_difference": pa.array(np.abs(before - after).max(axis=1, initial=0.0)),
        }
        pieces.append(pa.table(columns))
    return pa.concat_tables(pieces)
