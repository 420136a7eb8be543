"""When a candidate answers by itself: its threshold, its conformal quantile, its off-domain flag, from validation.

The threshold promises an error among the answered texts, the quantile a coverage of sets, the flag a share of false
alarms; each with what validation's size allows, and refused with the size needed where it is too small. Promises are
tested on rows that took no part (`reserve`) by ``metrics.decisions``, never here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench import storage
from workbench.data import Labelled
from workbench.evaluation.check import Subject
from workbench.metrics import conformal
from workbench.metrics.selective import Threshold, find_threshold, rows_needed
from workbench.models.hashing import as_column
from workbench.models.novelty import FORMAT, Novelty
from workbench.training.distillation import fit_temperature
from workbench.training.private_students import FILE as PRIVACY

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
NAME = "decision.json"
FEWEST_ROWS = 30
"""Below this many validation rows nothing is fitted, whatever arithmetic allows."""


@dataclass(frozen=True)
class DecisionSettings:
    """What decisions promise.

    Attributes:
        target_error: Largest share of wrong answers among the texts that are answered without a person.
        level: How sure that promise is.
        coverage: Share of conformal sets that hold the label.
        false_flags: Share of texts of the domain that may be flagged as not of the domain.
    """

    target_error: float = 0.10
    level: float = 0.95
    coverage: float = 0.90
    false_flags: float = 0.05


@dataclass(frozen=True)
class Validation:
    """What a candidate said of validation.

    Attributes:
        probabilities: Shape ``(n, classes)``.
        labels: Index of the class, shape ``(n,)``.
        groups: The group of each row, or ``None``.
    """

    probabilities: Floats
    labels: Labels
    groups: npt.NDArray[Any] | None


def fit_decisions(
    subject: Subject, models: Path | None = None, settings: DecisionSettings = DecisionSettings()
) -> dict[str, dict[str, Any]]:
    """Fit the decision of every candidate on its own predictions, and write it beside the model.

    Args:
        subject: The finished comparison.
        models: The run's folder of models: ``decision.json`` and ``novelty.json`` are written into ``<candidate>``;
            ``None`` writes nothing.
        settings: What is promised.

    Returns:
        Candidate to the content of its ``decision.json``. A candidate with differential privacy has none, and no
        ``novelty.json``: both are made from labelled rows, whose labels and spelling no noise would cover.
    """
    novelty = learn_novelty(subject)
    flag = fit_flag(subject, settings)
    decisions = {}
    for name in subject.candidates:
        if models is not None and (models / name / PRIVACY).is_file():
            continue
        decisions[name] = fit_decision(validation_of(subject, name), flag, settings)
        if models is not None and (models / name).is_dir():
            if flag["threshold"] is not None:
                novelty.save(models / name)
            storage.write_json(models / name / NAME, decisions[name])
    return decisions


def fit_decision(
    validation: Validation, flag: Mapping[str, Any], settings: DecisionSettings = DecisionSettings()
) -> dict[str, Any]:
    """The decision of one candidate.

    Args:
        validation: What it says of validation.
        flag: The off-domain flag, the same for all candidates: from :func:`fit_flag`.
        settings: What is promised.

    Returns:
        The content of ``decision.json``.
    """
    threshold = _threshold(validation, settings)
    return {
        "format": FORMAT,
        "fitted_on": {"split": "validation", "rows": len(validation.labels)},
        "threshold": threshold.value,
        "target_error": settings.target_error,
        "threshold_level": settings.level,
        "threshold_bound": threshold.bound,
        "threshold_kept": threshold.kept,
        "threshold_reason": threshold.reason,
        "conformal": _conformal(validation, settings.coverage),
        "novelty": dict(flag),
        "calibration": _calibration(validation),
    }


def validation_of(subject: Subject, name: str) -> Validation:
    """What a candidate said of the validation rows of the subject's seed.

    Args:
        subject: The finished comparison.
        name: The candidate.
    """
    table, part, classes = subject.predictions[name], subject.splits.validation, subject.splits.classes
    mine = pc.and_(pc.equal(table["split"], "validation"), pc.equal(table["seed"], subject.seed))
    table = table.filter(mine).sort_by("row")
    columns = [table[f"p_{one}"].to_numpy() for one in classes]
    labels = pc.index_in(table["label"].cast(pa.large_string()), value_set=pa.array(classes, pa.large_string()))
    order = np.argsort(part.rows, kind="stable")
    groups = None if part.groups is None else group_codes(part.groups, part.rows)[order]
    return Validation(np.stack(columns, axis=1), labels.to_numpy().astype(np.int64), groups)


def group_codes(groups: pa.Array, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A number for each group; a row without one is its own."""
    codes = groups.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.asarray(np.where(codes < 0, -1 - rows, codes))


def learn_novelty(subject: Subject, *, without_groups_of: Labelled | None = None) -> Novelty:
    """The spelling of training and pool.

    Args:
        subject: The finished comparison.
        without_groups_of: Rows whose groups are left out, so that these rows are met as those of a new group are;
            ``None`` leaves out nothing.
    """
    parts = (subject.splits.train, subject.splits.pool)
    column = pa.concat_arrays([as_column(part.texts) for part in parts])
    known = [part.groups for part in parts if part.groups is not None]
    if len(known) < len(parts):
        return Novelty.learn(column)
    groups = pa.concat_arrays([as_column(one) for one in known])
    named = pc.if_else(pc.equal(groups, ""), pa.scalar(None, pa.large_string()), groups)
    codes = group_codes(named, np.concatenate([one.rows for one in parts]))
    if without_groups_of is None or without_groups_of.groups is None:
        return Novelty.learn(column, groups=codes)
    other = pc.invert(pc.is_in(groups, value_set=as_column(pc.drop_null(without_groups_of.groups))))
    return Novelty.learn(column.filter(other), groups=codes[other.to_numpy(zero_copy_only=False)])


def fit_flag(subject: Subject, settings: DecisionSettings) -> dict[str, Any]:
    """The novelty above which a text is flagged: at most the stated share of texts like validation's is.

    A conformal p-value against validation (Bates, Candès, Lei, Romano, Sesia, 2023), so the same quantile as for sets.
    Where rows have groups, validation's texts are scored without the spelling of their own groups: else texts of new
    groups, which is what the tests ask, would be flagged far more often than stated.

    Args:
        subject: The finished comparison.
        settings: Its ``false_flags``.

    Returns:
        ``threshold`` (``None`` with a ``reason`` where validation is too small), ``false_flags``, ``rows``,
        ``known_from`` (texts) and ``as_new_groups``.
    """
    splits = subject.splits
    scores = learn_novelty(subject, without_groups_of=splits.validation).score(splits.validation.texts)
    about: dict[str, Any] = {"false_flags": settings.false_flags, "rows": len(scores)}
    about["known_from"] = {"train": len(splits.train), "pool": len(splits.pool)}
    about["as_new_groups"] = splits.validation.groups is not None
    needed = max(FEWEST_ROWS, conformal.least_rows(1 - settings.false_flags))
    if len(scores) < needed:
        promise = f"{settings.false_flags:.0%} false flags"
        reason = f"{len(scores)} validation rows are too few for {promise}: at least {needed} are needed"
        return about | {"threshold": None, "reason": reason}
    threshold = conformal.conformal_quantile(scores, 1 - settings.false_flags)
    if threshold >= 1:
        reason = "even texts of the domain are spelled anew throughout: their spelling tells nothing"
        return about | {"threshold": None, "reason": reason}
    return about | {"threshold": threshold}


def _threshold(validation: Validation, settings: DecisionSettings) -> Threshold:
    rows = len(validation.labels)
    needed = max(FEWEST_ROWS, rows_needed(settings.target_error, settings.level))
    if rows < needed:
        reason = (
            f"{rows} validation rows are too few to promise an error of at most {settings.target_error:.0%}: "
            f"at least {needed} are needed"
        )
        return Threshold(None, settings.target_error, settings.level, None, None, 0.0, rows, reason)
    wrong = validation.probabilities.argmax(axis=1) != validation.labels
    confidence = validation.probabilities.max(axis=1)
    return find_threshold(confidence, wrong, settings.target_error, groups=validation.groups, level=settings.level)


def _conformal(validation: Validation, coverage: float) -> dict[str, Any]:
    """The quantile of the sets, and between what bounds their true coverage lies at this many rows."""
    rows = len(validation.labels)
    about: dict[str, Any] = {"method": "LAC", "coverage": coverage, "rows": rows}
    needed = max(FEWEST_ROWS, conformal.least_rows(coverage))
    if rows < needed:
        reason = f"{rows} validation rows are too few for sets with {coverage:.0%} coverage: at least {needed} needed"
        return about | {"quantile": None, "reason": reason}
    scores = conformal.of_labels(conformal.lac_scores(validation.probabilities), validation.labels)
    low, high = conformal.coverage_spread(rows, coverage)
    quantile = conformal.conformal_quantile(scores, coverage)
    return about | {"quantile": quantile, "coverage_low": low, "coverage_high": high}


def _calibration(validation: Validation) -> dict[str, Any]:
    """Whether the probabilities are calibrated on validation: the temperature that would still be fitted is then 1."""
    if len(validation.labels) < FEWEST_ROWS:
        reason = f"{len(validation.labels)} validation rows are too few to calibrate: {FEWEST_ROWS} needed"
        return {"temperature_left": None, "reason": reason}
    logits = np.log(np.maximum(validation.probabilities.astype(np.float64), 1e-12))
    left = fit_temperature(logits, validation.labels)
    about: dict[str, Any] = {"temperature_left": left}
    if abs(math.log(left)) > 0.1:
        about["reason"] = "its probabilities were not calibrated on validation (a mean of members, or given answers)"
    return about


def settings_of(decision: Mapping[str, Any]) -> DecisionSettings:
    """The settings that a decision was fitted with."""
    return DecisionSettings(
        target_error=float(decision["target_error"]),
        level=float(decision["threshold_level"]),
        coverage=float(decision["conformal"]["coverage"]),
        false_flags=float(decision["novelty"]["false_flags"]),
    )
