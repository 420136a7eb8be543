"""Are the labels right? Evidence on labelled rows, on the tests' labels, and on alike texts with different labels.

Labelled rows (train and validation) are judged out of fold, by a linear model and by a head on the teacher's frozen
encoder; the same is done again with some labels changed on purpose, so that every run shows what such a check finds in
its own table. Tests are judged by the run's own candidates, which never saw their labels. Nothing is corrected here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.data.conflicts import conflicts
from workbench.data.table import Labelled, Labels
from workbench.evaluation.check import Check, Subject
from workbench.evaluation.out_of_fold import (
    FEWEST_FOLDS,
    FOLDS,
    Floats,
    fold_numbers,
    head_fit,
    joined,
    judged_rows,
    linear_fit,
    out_of_fold,
    taken,
    units_of,
)
from workbench.metrics.doubts import Doubt, doubts
from workbench.metrics.labels import GIVEN, PLANTED, score_labels
from workbench.runs import Listener, Stop, ignore, never

if TYPE_CHECKING:
    from workbench.data import SourceTable
    from workbench.recipe import Data

MOST_ROWS = 5_000
DRAWS = 1_000
NO_HEAD = "No head was asked"
FEWEST_ROWS = 100
"""Below this many labelled rows the folds' models know too little to doubt anybody."""


@dataclass(frozen=True)
class Doubting:
    """How labels are checked.

    Attributes:
        folds: Number of folds; fewer where there are fewer groups.
        planted: Share of labels that the control changes.
        most_rows: Labelled rows that are judged; a sample of them where there are more. ``None`` judges all.
        draws: Draws of faultless labels.
        seed: Seed of folds, control and draws.
    """

    folds: int = FOLDS
    planted: float = 0.05
    most_rows: int | None = MOST_ROWS
    draws: int = DRAWS
    seed: int = 0


def check_labels(
    subject: Subject, settings: Doubting | None = None, *, listener: Listener = ignore, stop: Stop = never
) -> Check:
    """Judge the labels of train and validation out of fold, as they are and with some changed on purpose.

    Args:
        subject: A finished comparison; a teacher with a frozen encoder lends its vectors.
        settings: How; the defaults when ``None``.
        listener: Gets progress in folds.
        stop: Asked between folds.

    Returns:
        Evidence ``labels``, a line a part, model and row.

    Raises:
        Stopped: ``stop`` said yes.
    """
    splits = subject.splits
    names = np.repeat(["train", "validation"], [len(splits.train), len(splits.validation)])
    part, encoder = joined(splits.train, splits.validation), _frozen_encoder(subject)
    return judge_labels(part, names, splits.classes, settings or Doubting(), encoder, listener=listener, stop=stop)


def judge_labels(
    part: Labelled,
    splits: npt.NDArray[Any],
    classes: Sequence[str],
    settings: Doubting,
    encoder: Any = None,
    *,
    listener: Listener = ignore,
    stop: Stop = never,
) -> Check:
    """The same for any labelled rows.

    Args:
        part: Labelled rows.
        splits: Name of the split of each, shape ``(rows,)``.
        classes: Names of the classes.
        settings: How.
        encoder: Has ``encode(texts)`` and never saw these labels; ``None`` leaves the head out.
        listener: Gets progress in folds.
        stop: Asked between folds.

    Raises:
        Stopped: ``stop`` said yes.
    """
    about = {"part": "labelled", "seed": settings.seed, "draws": settings.draws, "classes": list(classes)}
    kept, reasons = _sampled(part, settings)
    part, splits = taken(part, kept), splits[kept]
    units = units_of(part)
    folds = min(settings.folds, len(np.unique(units)))
    if len(part) < FEWEST_ROWS or folds < FEWEST_FOLDS:
        reasons.append(
            f"The labels were not judged: {len(part):,} labelled rows in {len(np.unique(units)):,} groups; at least "
            f"{FEWEST_ROWS} rows in {FEWEST_FOLDS} groups are needed."
        )
        return Check("labels", None, about, tuple(reasons))
    numbers = fold_numbers(part.labels, units, folds, settings.seed)
    judged = judged_rows(part.labels, numbers)
    if not judged.all():
        reasons.append(
            f"{int((~judged).sum()):,} rows were not judged: all rows of their class stand in one or two groups, so no "
            "model had seen the class. More groups of these classes would be needed."
        )
    vectors = None if encoder is None else np.asarray(encoder.encode(part.texts), dtype=np.float32)
    if vectors is None:
        reasons.append(f"{NO_HEAD}: a teacher with a frozen encoder (method head) is needed for it.")
    tables = []
    for name, labels in ((GIVEN, part.labels), (PLANTED, planted_labels(part.labels, len(classes), judged, settings))):
        fits = {"linear": linear_fit(part.texts, labels, classes, seed=settings.seed, stop=stop)}
        fits |= {} if vectors is None else {"head": head_fit(vectors, labels, len(classes), stop=stop)}
        said = {one: out_of_fold(fit, numbers, len(classes), listener=listener, stop=stop) for one, fit in fits.items()}
        tables += [
            _lines((name, one), part, splits, labels, classes, p).filter(pa.array(judged)) for one, p in said.items()
        ]
    about |= {"folds": folds, "planted": settings.planted, "rows": len(part), "judged": int(judged.sum())}
    return Check("labels", pa.concat_tables(tables), about, tuple(reasons))


def check_test_labels(subject: Subject, *, draws: int = DRAWS) -> Check:
    """Judge the labels of the tests by candidates that never saw them: the recommended one and the teacher.

    Args:
        subject: A finished comparison with its predictions.
        draws: Draws of faultless labels.

    Returns:
        Evidence ``labels-tests``, a line a candidate and row.
    """
    classes = subject.splits.classes
    about = {"part": "tests", "seed": subject.seed, "draws": draws, "classes": list(classes)}
    tables = []
    for name in subject.chosen():
        for split, part in subject.splits.tests.items():
            said = _predicted(subject.predictions[name], subject.seed, split, part, classes)
            names = np.repeat([split], len(part))
            tables.append(_lines((GIVEN, name), part, names, part.labels, classes, said))
    if not tables or not sum(len(table) for table in tables):
        return Check("labels-tests", None, about, ("The tests' labels were not judged: there are no predictions.",))
    about["candidates"] = list(subject.chosen())
    return Check("labels-tests", pa.concat_tables(tables), about)


def check_conflicts(subject: Subject) -> Check:
    """Find rows with alike texts and different labels, in labelled rows and tests together.

    Args:
        subject: A finished comparison; its recipe says from which similarity texts are near-duplicates.

    Returns:
        Evidence ``labels-conflicts``, a line a pair; texts are not in it.
    """
    splits = subject.splits
    parts = {"train": splits.train, "validation": splits.validation, **splits.tests}
    return find_conflicts(parts, splits.classes, subject.recipe.data.splits.near_duplicate, subject.seed)


def find_conflicts(parts: Mapping[str, Labelled], classes: Sequence[str], threshold: float, seed: int = 0) -> Check:
    """The same for any labelled rows, by split; a row that stands in two tests counts in the first.

    Args:
        parts: Name of a split to its rows.
        classes: Names of the classes.
        threshold: Jaccard similarity from which texts are near-duplicates, .5 to 1.
        seed: Of the splits.
    """
    whole = joined(*parts.values())
    splits = np.repeat(list(parts), [len(part) for part in parts.values()])
    _, first = np.unique(whole.rows, return_index=True)
    first = np.sort(first)
    whole, splits = taken(whole, first), splits[first]
    found = conflicts(whole.texts, whole.labels, threshold)
    columns: dict[str, Any] = {}
    for side, places in (("first", found.first), ("second", found.second)):
        columns[f"{side}_row"] = pa.array(whole.rows[places])
        columns[f"{side}_split"] = pa.array(splits[places].tolist(), pa.string())
        columns[f"{side}_label"] = pa.array(whole.labels[places].astype(np.int32))
    columns |= {"similarity": pa.array(found.similarity), "same_text": pa.array(found.same_text)}
    rows = {name: int((splits == name).sum()) for name in parts}
    about = {"part": "conflicts", "seed": seed, "classes": list(classes), "threshold": threshold, "rows": rows}
    return Check("labels-conflicts", pa.table(columns), about)


@dataclass(frozen=True)
class TableDoubts:
    """Labels in doubt of a table that no run has seen.

    Attributes:
        doubts: In the order in which a person should look at them.
        scores: What was found, as rows of metrics.json.
        reasons: What was left out, and why.
    """

    doubts: list[Doubt]
    scores: list[dict[str, Any]]
    reasons: tuple[str, ...]


def doubts_of_table(
    source: SourceTable,
    data: Data,
    settings: Doubting | None = None,
    *,
    listener: Listener = ignore,
    stop: Stop = never,
) -> TableDoubts:
    """Judge a table's labels without a run: by the linear model, asked out of fold, and by near-duplicates.

    Args:
        source: The table.
        data: Which columns are what.
        settings: How; ``None`` judges every row.
        listener: Gets progress in folds.
        stop: Asked between folds.

    Raises:
        DataError: The columns cannot be used.
        Stopped: ``stop`` said yes.
    """
    from workbench.data.roles import roles

    by_role = roles(source.table, data)
    part = by_role.labelled(np.flatnonzero(by_role.usable & (by_role.labels >= 0)))
    names = np.repeat(["table"], len(part))
    how = settings or Doubting(most_rows=None)
    checks = [judge_labels(part, names, by_role.classes, how, listener=listener, stop=stop)]
    checks.append(find_conflicts({"table": part}, by_role.classes, data.splits.near_duplicate))
    tables = {check.name: check.table for check in checks if check.table is not None}
    scores = [row for check in checks if check.table is not None for row in score_labels(check.table, check.settings)]
    reasons = tuple(reason for check in checks for reason in check.reasons if not reason.startswith(NO_HEAD))
    return TableDoubts(doubts(tables, by_role.classes), scores, reasons)


def planted_labels(labels: Labels, n_classes: int, judged: npt.NDArray[np.bool_], settings: Doubting) -> Labels:
    """Labels with a share of them changed to another class, each other class as likely.

    Args:
        labels: Given classes, shape ``(rows,)``.
        n_classes: Number of classes.
        judged: Rows that may be changed, shape ``(rows,)``.
        settings: Share and seed.
    """
    random = np.random.Generator(np.random.PCG64([settings.seed, 5]))
    there = np.flatnonzero(judged)
    chosen = random.choice(there, round(settings.planted * len(there)), replace=False)
    changed = labels.copy()
    changed[chosen] = (labels[chosen] + random.integers(1, n_classes, len(chosen))) % n_classes
    return changed


def _sampled(part: Labelled, settings: Doubting) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Places of the rows that are judged, in order, and why not all are."""
    most = settings.most_rows
    if most is None or len(part) <= most:
        return np.arange(len(part)), []
    random = np.random.Generator(np.random.PCG64([settings.seed, 7]))
    reason = f"{most:,} of {len(part):,} labelled rows were judged, drawn by chance: workbench data doubts judges all."
    return np.sort(random.choice(len(part), most, replace=False)), [reason]


def _lines(
    about: tuple[str, str],
    part: Labelled,
    splits: npt.NDArray[Any],
    labels: Labels,
    classes: Sequence[str],
    said: Floats,
) -> pa.Table:
    """Evidence of one model on some rows; no texts."""
    groups = pa.array([None] * len(part), pa.int64()) if part.groups is None else pa.array(units_of(part))
    columns = {
        "part": pa.array([about[0]] * len(part), pa.string()),
        "model": pa.array([about[1]] * len(part), pa.string()),
        "row": pa.array(part.rows),
        "split": pa.array(splits.tolist(), pa.string()),
        "group": groups,
        "label": pa.array(labels.astype(np.int32)),
        "original": pa.array(part.labels.astype(np.int32)),
    }
    return pa.table(columns | {f"p_{name}": pa.array(said[:, place]) for place, name in enumerate(classes)})


def _frozen_encoder(subject: Subject) -> Any:
    """The encoder of a teacher that is a head on a frozen one, by itself or in an ensemble; else ``None``."""
    teacher: Any = subject.candidates.get("teacher")
    members = [teacher, *getattr(teacher, "members", ())]
    return next((one.encoder for one in members if getattr(one, "kind", "") == "head"), None)


def _predicted(table: pa.Table, seed: int, split: str, part: Labelled, classes: Sequence[str]) -> Floats:
    """A candidate's stored probabilities of a split, in the order of its rows."""
    import pyarrow.compute as pc

    own = table.filter(pc.and_(pc.equal(table["seed"], seed), pc.equal(table["split"], split)))
    order = np.argsort(own["row"].to_numpy(), kind="stable")
    places = order[np.searchsorted(own["row"].to_numpy()[order], part.rows)]
    return np.stack([own[f"p_{name}"].to_numpy()[places] for name in classes], axis=1).astype(np.float32)
