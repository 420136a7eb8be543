"""Before distillation: does the teacher agree with the given labels on rows that it had not learned from?

Validation rows are answered by the teacher itself; with a frozen encoder the training rows are answered out of fold by
heads like the teacher's. The verdict is a value, not an error: who calls decides what a stop means.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from workbench.data.table import Labelled, Labels, Splits
from workbench.evaluation.check import Check
from workbench.evaluation.out_of_fold import (
    FEWEST_FOLDS,
    FOLDS,
    Floats,
    Folds,
    fold_numbers,
    head_fit,
    joined,
    judged_rows,
    out_of_fold,
    units_of,
)
from workbench.metrics.teacher_audit import SCHEMA, TeacherVerdict, teacher_verdict
from workbench.runs import Stop, never


def audit_teacher(
    splits: Splits, said: Floats, *, vectors: Floats | None = None, folds: int = FOLDS, stop: Stop = never
) -> tuple[Check, TeacherVerdict]:
    """Compare a teacher with the given labels.

    Args:
        splits: The rows of a seed.
        said: The teacher's probabilities of ``splits.validation``, shape ``(validation rows, classes)``.
        vectors: The frozen encoder's vectors of ``splits.train``, shape ``(train rows, dimensions)``; ``None`` for
            any other teacher: its training rows are then left out, with the reason.
        folds: Folds of the training rows.
        stop: Asked between folds.

    Returns:
        Evidence ``teacher-audit``, and stop or go by its rule.

    Raises:
        ValueError: The arrays do not fit the splits.
        Stopped: ``stop`` said yes.
    """
    classes = list(splits.classes)
    if said.shape != (len(splits.validation), len(classes)):
        raise ValueError(f"probabilities of shape {said.shape} for {len(splits.validation)} × {len(classes)}")
    about = {"classes": classes, "seed": splits.seed, "folds": folds}
    units, edge = units_of(joined(splits.train, splits.validation)), len(splits.train)
    tables, reasons = [_lines("validation", splits.validation, said, units[edge:])], []
    units = units[:edge]
    if vectors is None:
        reasons.append(
            "The training rows were left out: the teacher learned from them, and only a head on a frozen encoder is "
            "trained again out of fold."
        )
    elif len(np.unique(units)) < max(folds, FEWEST_FOLDS):
        reasons.append(f"The training rows were left out: they stand in fewer than {max(folds, FEWEST_FOLDS)} groups.")
    else:
        numbers = fold_numbers(splits.train.labels, units, folds, splits.seed)
        fit = head_fit(np.asarray(vectors, dtype=np.float32), splits.train.labels, len(classes), stop=stop)
        answers = out_of_fold(fit, numbers, len(classes), stop=stop)
        judged = judged_rows(splits.train.labels, numbers)
        tables.append(_lines("train", splits.train, answers, units).filter(pa.array(judged)))
    table = pa.concat_tables(tables)
    return Check("teacher-audit", table, about, tuple(reasons)), teacher_verdict(table, about)


def _lines(split: str, part: Labelled, said: Floats, units: Folds) -> pa.Table:
    """Evidence of one split."""
    labels: Labels = part.labels
    groups = [None] * len(part) if part.groups is None else units
    columns = {
        "candidate": ["teacher"] * len(part),
        "split": [split] * len(part),
        "row": part.rows,
        "group": groups,
        "label": labels.astype(np.int32),
        "said": said.argmax(axis=1).astype(np.int32),
        "confidence": said.max(axis=1).astype(np.float64) if len(part) else np.zeros(0),
    }
    return pa.table({name: pa.array(values, SCHEMA.field(name).type) for name, values in columns.items()})
