"""For whom a candidate fails: the evidence on named slices, and on slices that nobody named.

The first is the join of predictions and slices. The second comes from a small tree that looks for where errors are
concentrated on one half of the test; its leaves are judged on the other half, by workbench.metrics.found_slices,
so that noise is not reported. Halves are drawn by group. No text goes into the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.data.preparing import part_table
from workbench.data.problems import listed, nearest
from workbench.errors import DataError
from workbench.evaluation.check import Check, Subject
from workbench.evaluation.error_features import Bounds, Feature, in_words, row_features, text_features
from workbench.metrics.slice_families import Rules
from workbench.metrics.slice_table import MISSING, slice_table, unit_codes

FEWEST_ROWS, FEWEST_ERRORS = 200, 20
"""Rows and errors of a split below which no slices are looked for."""
DEPTH, LEAVES, LEAST_LEAF = 3, 6, 30
Ints = npt.NDArray[np.integer[Any]]


def check_slices(
    subject: Subject, attributes: Sequence[str] | None = None, *, thresholds: Mapping[str, float] | None = None
) -> Check:
    """Who got which rows wrong, and which slices the rows belong to.

    Args:
        subject: What is looked at.
        attributes: Slice columns; None means those of the recipe.
        thresholds: Candidate to the probability below which it sends a row to a person.

    Returns:
        Evidence for score_slices; no table where the recipe names no slices.

    Raises:
        DataError: If there is no slice column of a name.
    """
    data = subject.recipe.data
    names = tuple(data.slices if attributes is None else attributes)
    tests = subject.splits.tests
    _refuse_unknown(names, sorted({name for part in tests.values() for name in part.slices}))
    settings: dict[str, Any] = {"slices": list(names), "label": data.label, "searches": 2, "seed": subject.seed}
    settings |= {"thresholds": dict(thresholds or {}), "fewest": Rules().fewest}
    if not names:
        reason = "The recipe names no slices, so it cannot be said for whom a candidate fails. Name columns in"
        return Check("slices", None, settings, (f"{reason} data.slices: age group, sex, clinic, form of the text.",))
    rows = pa.concat_tables([part_table(name, part) for name, part in tests.items()], promote_options="default")
    asked = {name: subject.predictions[name] for name in subject.asked() if name in subject.predictions}
    return Check("slices", slice_table(asked, rows, names, thresholds=thresholds), settings, _missing(rows, names))


def _refuse_unknown(names: Sequence[str], known: Sequence[str]) -> None:
    """Raise one error for all slice columns that are not there."""
    problems = []
    for name in names:
        if name not in known:
            near = nearest(name, known)
            problems.append(f"There is no slice column {name!r}." + (f" Did you mean {near!r}?" if near else ""))
    if problems:
        raise DataError(
            problems[0] if len(problems) == 1 else f"{len(problems)} slice columns are not there:",
            f"One of: {listed(repr(name) for name in known) or 'none; the run was made without slices'}.",
            "Correct data.slices in the recipe; a column that it did not name needs a new run.",
            problems=problems,
        )


def _missing(rows: pa.Table, names: Sequence[str]) -> tuple[str, ...]:
    """A sentence for every slice column with missing values."""
    return tuple(
        f"{rows[name].null_count:,} test rows have no value of {name}; they are a group of their own, {MISSING}."
        for name in names
        if rows[name].null_count
    )


def check_found_slices(subject: Subject) -> Check:
    """Look for slices in which errors are concentrated, on the headline split.

    Args:
        subject: What is looked at.

    Returns:
        Evidence for score_found_slices: candidate, split, row, unit, half (fit, held-out), leaf, wrong; the settings
        hold every leaf in words under leaves.
    """
    split, part = "test", subject.splits.tests.get("test")
    searches = 2 if subject.recipe.data.slices else 1
    settings: dict[str, Any] = {"searches": searches, "seed": subject.seed, "leaves": {}, "fewest": LEAST_LEAF}
    settings |= {"tree": {"depth": DEPTH, "leaves": LEAVES, "least_leaf": LEAST_LEAF}}
    if part is None or len(part) < FEWEST_ROWS:
        n = 0 if part is None else len(part)
        reason = f"Slices are not looked for: the test has {n:,} rows, and halves of it need {FEWEST_ROWS} together."
        return Check("slices-found", None, settings, (reason,))
    features, values = text_features(part.texts, subject.splits)
    groups = pa.nulls(len(part), pa.string()) if part.groups is None else part.groups
    units, _ = unit_codes(pa.chunked_array([groups]))
    fit = halves(units, subject.seed)
    pieces, reasons = [], []
    for name in subject.asked():
        predicted, wrong = _answers(subject, name, split)
        if min(int(wrong[fit].sum()), int((~wrong[fit]).sum())) < FEWEST_ERRORS // 2:
            needed = f"{FEWEST_ERRORS} of them, and as many rows that are right, are needed to look for slices"
            reasons.append(f"{name} makes {int(wrong.sum())} errors in {len(wrong):,} rows; about {needed}.")
            continue
        more, of_rows = row_features(part, predicted)
        leaf, told = error_tree([*features, *more], np.concatenate([values, of_rows], axis=1), wrong, fit, subject.seed)
        settings["leaves"][name] = told
        pieces.append(_piece((name, split), part.rows, units, fit, leaf, wrong))
    return Check("slices-found", pa.concat_tables(pieces) if pieces else None, settings, tuple(reasons))


def halves(units: Ints, seed: int) -> npt.NDArray[np.bool_]:
    """Draw whole units until half of the rows are drawn.

    Args:
        units: Unit of each row (rows,), from 0.
        seed: Seed of the draw.

    Returns:
        Whether a row stands in the half on which the tree is fitted (rows,).
    """
    sizes = np.bincount(units)
    order = np.random.default_rng((seed, 4)).permutation(len(sizes))
    drawn = np.zeros(len(sizes), dtype=bool)
    drawn[order[np.cumsum(sizes[order]) <= len(units) / 2]] = True
    return np.asarray(drawn[units])


def _answers(subject: Subject, name: str, split: str) -> tuple[list[str], npt.NDArray[np.bool_]]:
    """Predicted classes and whether they are wrong, in the order of the split's rows."""
    part, table = subject.splits.tests[split], subject.predictions[name]
    chosen = table.filter(pc.and_(pc.equal(table["split"], split), pc.equal(table["seed"], subject.seed)))
    places = pc.index_in(pa.array(part.rows), value_set=chosen["row"].combine_chunks())
    predicted = chosen["prediction"].cast(pa.string()).take(places)
    classes = np.asarray(subject.splits.classes, dtype=object)
    names = predicted.to_pylist()
    return names, np.asarray(names, dtype=object) != classes[part.labels]


def error_tree(
    features: Sequence[Feature],
    values: npt.NDArray[np.float64],
    wrong: npt.NDArray[np.bool_],
    fit: npt.NDArray[np.bool_],
    seed: int,
) -> tuple[Ints, dict[str, str]]:
    """Divide the rows by a small tree that was fitted on one half of them.

    Args:
        features: What the columns are.
        values: (rows, features).
        wrong: Whether a row is wrong (rows,).
        fit: Rows to fit on (rows,).
        seed: Decides between splits that are equally good.

    Returns:
        Leaf of each row (rows,), and every leaf in words by its number as text.
    """
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(
        max_depth=DEPTH, max_leaf_nodes=LEAVES, min_samples_leaf=LEAST_LEAF, random_state=seed
    ).fit(values[fit], wrong[fit])
    return np.asarray(tree.apply(values), dtype=np.int64), {
        str(leaf): in_words(conditions) for leaf, conditions in _leaves(tree.tree_, features).items()
    }


def _leaves(tree: Any, features: Sequence[Feature]) -> dict[int, dict[Feature, Bounds]]:
    """The conditions of each leaf, every feature's thresholds on the way taken together."""
    found: dict[int, dict[Feature, Bounds]] = {}
    open_nodes: list[tuple[int, dict[Feature, Bounds]]] = [(0, {})]
    while open_nodes:
        node, conditions = open_nodes.pop()
        if tree.children_left[node] < 0:
            found[node] = conditions
            continue
        feature, threshold = features[tree.feature[node]], float(tree.threshold[node])
        low, high = conditions.get(feature, (-np.inf, np.inf))
        open_nodes.append((int(tree.children_left[node]), conditions | {feature: (low, min(high, threshold))}))
        open_nodes.append((int(tree.children_right[node]), conditions | {feature: (max(low, threshold), high)}))
    return found


def _piece(
    named: tuple[str, str],
    rows: Ints,
    units: Ints,
    fit: npt.NDArray[np.bool_],
    leaf: Ints,
    wrong: npt.NDArray[np.bool_],
) -> pa.Table:
    """The evidence of one candidate."""
    return pa.table(
        {
            "candidate": pa.array([named[0]] * len(rows), pa.string()),
            "split": pa.array([named[1]] * len(rows), pa.string()),
            "row": pa.array(rows, pa.int64()),
            "unit": pa.array(units, pa.int64()),
            "half": pa.array(np.where(fit, "fit", "held-out").tolist(), pa.string()),
            "leaf": pa.array(leaf, pa.int64()),
            "wrong": pa.array(wrong),
        }
    )
