"""From out-of-sample probabilities of labelled rows to what may be said of their labels; a pure function of evidence.

How many labels are confidently contradicted, beside how many faultless ones would be; how many errors that were planted
on purpose the ranking finds; which classes are taken for each other more often than wrong answers by chance; how many
near-duplicates are labelled otherwise. Rows of all this belong to the table and not to a model: candidate ``data``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.metrics.confident_learning import Doubles, Labels, doubted, if_faultless, ranking
from workbench.metrics.confused_pairs import confused_pairs
from workbench.metrics.intervals import Interval
from workbench.metrics.kappa import FEWEST, Groups, share_interval
from workbench.metrics.label_noise import Noise, estimate_noise, raised

Row = dict[str, Any]
Mask = npt.NDArray[np.bool_]
CANDIDATE = "data"
GIVEN, PLANTED = "given", "planted"
FIRST = 0.1
"""Share of the ranking that a person is thought to read."""


@dataclass(frozen=True)
class Judged:
    """Labelled rows of one split with what models that never saw them say, averaged and calibrated.

    Attributes:
        rows: Row numbers in the source table, shape ``(n,)``.
        splits: Split of each row, shape ``(n,)``.
        groups: Number of each row's group, or ``None``.
        labels: Given classes, shape ``(n,)``; of a planted part the changed ones.
        originals: Classes before anything was planted, shape ``(n,)``.
        probabilities: Shape ``(n, classes)``.
        models: Probabilities of each model by itself.
        noise: How the mean of the models was calibrated, and the share of labels that it contradicts beyond that.
    """

    rows: npt.NDArray[np.int64]
    splits: npt.NDArray[Any]
    groups: Groups | None
    labels: Labels
    originals: Labels
    probabilities: Doubles
    models: Mapping[str, Doubles]
    noise: Noise

    @property
    def planted(self) -> Mask:
        """Rows whose label was changed on purpose."""
        return np.asarray(self.labels != self.originals)


def judged(table: pa.Table, part: str = GIVEN) -> Judged | None:
    """Read a part of the evidence ``labels`` or ``labels-tests``.

    Args:
        table: Columns ``part``, ``model``, ``row``, ``split``, ``group``, ``label``, ``original``, ``p_<class>``.
        part: ``given`` for the labels as they are, ``planted`` for the control.

    Returns:
        The rows, or ``None`` where the part has none.
    """
    table = table.filter(pc.equal(table["part"], part))
    if not table.num_rows:
        return None
    names = [name for name in table.column_names if name.startswith("p_")]
    models = {}
    for model in sorted(table["model"].unique().to_pylist()):
        own = table.filter(pc.equal(table["model"], model))
        models[model] = np.stack([own[name].to_numpy() for name in names], axis=1).astype(np.float64)
    groups = None if own["group"].null_count else own["group"].to_numpy()
    labels, originals = (own[name].to_numpy().astype(np.int64) for name in ("label", "original"))
    return _judged(own["row"].to_numpy(), np.array(own["split"].to_pylist()), groups, (labels, originals), models)


def _judged(
    rows: npt.NDArray[np.int64],
    splits: npt.NDArray[Any],
    groups: Groups | None,
    labels: tuple[Labels, Labels],
    models: Mapping[str, Doubles],
) -> Judged:
    """Rows with the mean of their models, calibrated."""
    mean = np.mean(np.stack(list(models.values())), axis=0)
    noise = estimate_noise(mean, labels[0], groups=groups)
    return Judged(rows, splits, groups, *labels, raised(mean, noise.power), models, noise)


def score_labels(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Score one of the evidences ``labels``, ``labels-tests``, ``labels-conflicts``.

    Args:
        table: The evidence.
        settings: ``part`` (labelled, tests, conflicts), ``seed``, ``draws``, ``classes``; of conflicts ``rows``.

    Returns:
        Rows of metrics.json with candidate ``data``. Split ``labelled`` (train and validation) or a test: accuracy out
        of sample, labels_doubted, labels_doubted_faultless, labels_doubted_excess, labels_confused (slice ``pair=…``);
        of the control planted_found, planted_in_first_tenth, planted_precision; labels_conflicting.
    """
    if settings["part"] == "conflicts":
        return [_conflict_row(table, split, rows, settings) for split, rows in settings["rows"].items()]
    given = judged(table)
    if given is None:
        return []
    if settings["part"] == "tests":
        parts = {str(name): given.splits == name for name in dict.fromkeys(given.splits.tolist())}
        return [row for name, mask in parts.items() for row in _doubt_rows(_where(given, mask), name, settings)]
    planted = judged(table, PLANTED)
    rows = list(_doubt_rows(given, "labelled", settings))
    return rows if planted is None else [*rows, *_planted_rows(planted, settings)]


def _where(given: Judged, mask: Mask) -> Judged:
    """Some of the rows, calibrated by themselves."""
    groups = None if given.groups is None else given.groups[mask]
    labels = (given.labels[mask], given.originals[mask])
    models = {name: said[mask] for name, said in given.models.items()}
    return _judged(given.rows[mask], given.splits[mask], groups, labels, models)


def _doubt_rows(given: Judged, split: str, settings: Mapping[str, Any]) -> Iterator[Row]:
    """How many labels of a split are doubted, against how many faultless ones would be."""
    for model, said in given.models.items():
        right = share_interval(said.argmax(axis=1) == given.labels, groups=given.groups)
        yield _row(split, f"model={model}", "accuracy_out_of_sample", right, settings)
    mask, rows = doubted(given.probabilities, given.labels), len(given.labels)
    right = share_interval(given.probabilities.argmax(axis=1) == given.labels, groups=given.groups)
    yield _row(split, "all", "accuracy_out_of_sample", right, settings)
    yield _row(
        split, "all", "labels_doubted", share_interval(mask, groups=given.groups), settings, count=int(mask.sum())
    )
    if rows >= FEWEST:
        yield from _faultless_rows(given, split, settings)
    for place, name in enumerate(settings["classes"]):
        own = given.labels == place
        inner = None if given.groups is None else given.groups[own]
        found = share_interval(mask[own], groups=inner)
        yield _row(split, f"label={name}", "labels_doubted", found, settings, count=int(mask[own].sum()))
    for pair in confused_pairs(
        given.labels, given.probabilities.argmax(axis=1), len(settings["classes"]), given.groups
    ):
        names = " / ".join(settings["classes"][place] for place in pair.classes)
        more = {"count": pair.count, "expected": pair.expected, "p": pair.p, "p_holm": pair.p_holm}
        yield _row(split, f"pair={names}", "labels_confused", pair.share, settings, **more)


def _faultless_rows(given: Judged, split: str, settings: Mapping[str, Any]) -> Iterator[Row]:
    """What faultless labels would give, and the share of labels contradicted beyond the models' uncertainty."""
    rows = len(given.labels)
    null = if_faultless(given.probabilities, draws=settings["draws"], seed=settings["seed"])
    method = f"{null.draws:,} draws of all labels from the probabilities, percentiles"
    expected = Interval(null.mean / rows, null.low / rows, null.high / rows, rows, method)
    yield _row(split, "all", "labels_doubted_faultless", expected, settings, count=null.mean)
    share = given.noise.share
    yield _row(split, "all", "labels_doubted_excess", share, settings, power=given.noise.power)


def _planted_rows(planted: Judged, settings: Mapping[str, Any]) -> Iterator[Row]:
    """What the check finds of errors that were planted on purpose."""
    changed, order = planted.planted, ranking(planted.probabilities, planted.labels)
    number, first = int(changed.sum()), max(1, round(FIRST * len(order)))
    early = np.zeros(len(order), dtype=bool)
    early[order[:first]] = True
    mask = doubted(planted.probabilities, planted.labels)
    for metric, hits in (
        ("planted_found", mask[changed]),
        ("planted_in_first_tenth", early[changed]),
        ("planted_precision", changed[order[:number]]),
    ):
        yield _row("labelled", "all", metric, share_interval(hits), settings, count=int(hits.sum()))


def _conflict_row(table: pa.Table, split: str, rows: int, settings: Mapping[str, Any]) -> Row:
    """Rows of a split that have a near-duplicate with another label, in any split."""
    there: set[int] = set()
    for side in ("first", "second"):
        own = table.filter(pc.equal(table[f"{side}_split"], split))
        there |= set(own[f"{side}_row"].to_pylist())
    found = Interval(
        len(there) / rows if rows else None, None, None, rows, "count of all pairs", "" if rows else "no rows"
    )
    return _row(split, "all", "labels_conflicting", found, settings, count=len(there))


def _row(split: str, slice_name: str, metric: str, interval: Interval, settings: Mapping[str, Any], **more: Any) -> Row:
    """A row of metrics.json."""
    row: Row = {"candidate": CANDIDATE, "split": split, "slice": slice_name, "metric": metric}
    row |= {"value": interval.value, "low": interval.low, "high": interval.high, "n": interval.n}
    row |= {"method": interval.method, "seed": settings["seed"], "against": None, **more}
    return row | ({"reason": interval.reason} if interval.reason else {})
