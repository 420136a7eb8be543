"""Probabilities for labelled rows by models that never saw them: grouped folds, a linear model, and the teacher's head.

Each fold is judged by a model trained on the others, of which one stops training early and calibrates: the judged
rows take no part in it (the head's weight decay alone is chosen once, in the first fold). Groups, and rows with the
same text, stay in one fold. Method: cross-validated predictions as confident learning asks for them (Northcutt, Jiang
and Chuang 2021).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.data.table import Labelled, Labels
from workbench.data.words import text_keys
from workbench.errors import Stopped
from workbench.runs import Listener, Progress, Stop, ignore, never

Floats = npt.NDArray[np.float32]
Folds = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Fit = Callable[[Mask, Mask, Mask], Floats]

STAGE = "labels"
FOLDS = 8
FEWEST_FOLDS = 3
"""One fold is judged, one calibrates, the rest is learned from."""


def units_of(part: Labelled) -> Folds:
    """A number for what must not be torn apart: the group where there is one, else the normalised text.

    Args:
        part: Labelled rows.

    Returns:
        Shape ``(rows,)``.
    """
    texts = np.unique(text_keys(part.texts), return_inverse=True)[1].astype(np.int64)
    if part.groups is None:
        return texts
    groups = part.groups.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    missing = groups < 0
    found: Folds = np.where(missing, groups.max(initial=0) + 1 + texts, groups)
    return found


def joined(*parts: Labelled) -> Labelled:
    """Several parts one after another, without slices.

    Args:
        parts: One or more.
    """
    groups = None if any(part.groups is None for part in parts) else pa.concat_arrays([part.groups for part in parts])
    return Labelled(
        np.concatenate([part.rows for part in parts]),
        pa.concat_arrays([part.texts for part in parts]),
        np.concatenate([part.labels for part in parts]),
        groups,
    )


def taken(part: Labelled, places: Folds) -> Labelled:
    """Some rows of a part, without slices.

    Args:
        part: The rows.
        places: Which of them, shape ``(kept,)``.
    """
    taken = pa.array(places)
    groups = None if part.groups is None else part.groups.take(taken)
    return Labelled(part.rows[places], part.texts.take(taken), part.labels[places], groups)


def fold_numbers(labels: Labels, units: Folds, folds: int = FOLDS, seed: int = 0) -> Folds:
    """Give every unit a fold, so that each fold holds about the same share of each class.

    Units are taken in a random order, large ones first, and each goes to the fold that has the fewest rows of its
    classes (as scikit-learn's StratifiedGroupKFold does).

    Args:
        labels: Classes, shape ``(rows,)``.
        units: What stays together, shape ``(rows,)``.
        folds: Number of folds, at least 3.
        seed: Seed of the order.

    Returns:
        Fold of each row, from 0, shape ``(rows,)``.

    Raises:
        ValueError: There are fewer than 3 folds, or fewer units than folds.
    """
    _, places = np.unique(units, return_inverse=True)
    number = int(places.max(initial=-1)) + 1
    if folds < FEWEST_FOLDS or number < folds:
        raise ValueError(f"{folds} folds of {number} units; at least {FEWEST_FOLDS} folds and as many units are needed")
    classes = int(labels.max()) + 1
    flat = np.bincount(places * classes + labels, minlength=number * classes)
    rows = flat.reshape(number, classes).astype(np.float64)
    weight = rows / np.maximum(rows.sum(axis=0), 1)
    order = np.random.Generator(np.random.PCG64(seed)).permutation(number)
    order = order[np.argsort(-rows[order].sum(axis=1), kind="stable")]
    held, fold_of = np.zeros((folds, classes)), np.zeros(number, dtype=np.int64)
    for unit in order:
        fold_of[unit] = int((held @ weight[unit] + 1e-9 * held.sum(axis=1)).argmin())
        held[fold_of[unit]] += weight[unit]
    return np.asarray(fold_of[places], dtype=np.int64)


def judged_rows(labels: Labels, folds: Folds) -> Mask:
    """Rows whose class was seen by the model that judges them; about the others it can say nothing.

    Args:
        labels: Classes, shape ``(rows,)``.
        folds: Fold of each row, shape ``(rows,)``.
    """
    known = np.zeros(len(labels), dtype=bool)
    for fold in range(int(folds.max()) + 1):
        held, _, learned = _sides(folds, fold)
        known[held] = np.isin(labels[held], labels[learned])
    return known


def linear_fit(texts: pa.Array, labels: Labels, classes: Sequence[str], *, seed: int = 0, stop: Stop = never) -> Fit:
    """How the linear model judges a fold: hashed character n-grams, trained on the labels alone.

    Args:
        texts: ``large_string`` array of ``n`` texts.
        labels: Their classes, shape ``(n,)``.
        classes: Names of the classes.
        seed: Order of rows where there are many.
        stop: Asked between steps.
    """
    from workbench.training.distillation import one_hot
    from workbench.training.linear import train_linear

    targets = one_hot(labels, len(classes))

    def fit(held: Mask, calibrates: Mask, learned: Mask) -> Floats:
        candidate = train_linear(
            texts.filter(pa.array(learned)),
            targets[learned],
            classes=classes,
            validation=(texts.filter(pa.array(calibrates)), labels[calibrates]),
            seed=seed,
            stop=stop,
        )
        return candidate.predict_proba(texts.filter(pa.array(held)))

    return fit


def head_fit(vectors: Floats, labels: Labels, n_classes: int, *, stop: Stop = never) -> Fit:
    """How a head on a frozen encoder's vectors judges a fold; the first fold chooses the weight decay of all.

    Args:
        vectors: Of an encoder that never saw these labels, shape ``(n, dimensions)``.
        labels: Classes, shape ``(n,)``.
        n_classes: Number of classes.
        stop: Asked between strengths.
    """
    from workbench.training.distillation import one_hot
    from workbench.training.head import HeadSettings, train_head

    targets = one_hot(labels, n_classes)
    chosen: list[float] = []

    def fit(held: Mask, calibrates: Mask, learned: Mask) -> Floats:
        settings = HeadSettings(l2=chosen[0] if chosen else None)
        known = (vectors[calibrates], labels[calibrates])
        trained = train_head(vectors[learned], targets[learned], *known, settings, stop=stop)
        chosen.append(trained.l2)
        return trained.head.predict_proba(vectors[held])

    return fit


def out_of_fold(fit: Fit, folds: Folds, n_classes: int, *, listener: Listener = ignore, stop: Stop = never) -> Floats:
    """Judge every fold by a model that was trained on the others.

    Args:
        fit: Trains on some rows, calibrates on others, and gives probabilities of the held ones.
        folds: Fold of each row, shape ``(rows,)``.
        n_classes: Number of classes.
        listener: Gets progress in folds.
        stop: Asked between folds.

    Returns:
        Shape ``(rows, classes)``.

    Raises:
        Stopped: ``stop`` said yes.
    """
    found, number = np.zeros((len(folds), n_classes), dtype=np.float32), int(folds.max()) + 1
    for fold in range(number):
        if stop():
            raise Stopped("The check of the labels was asked to stop.", "", "Nothing of it is kept; run it again.")
        held, calibrates, learned = _sides(folds, fold)
        found[held] = fit(held, calibrates, learned)
        listener(Progress(STAGE, fold + 1, number))
    return found


def _sides(folds: Folds, fold: int) -> tuple[Mask, Mask, Mask]:
    """Rows that are judged, that calibrate, and that are learned from."""
    held, calibrates = folds == fold, folds == (fold + 1) % (int(folds.max()) + 1)
    return held, calibrates, ~held & ~calibrates
