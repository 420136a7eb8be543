"""From the predictions of all candidates to the rows of metrics.json; `workbench verify` runs the same function.

A pure function of tables and a plan: the same in, the same out. All candidates of a split are resampled together,
with groups drawn whole, so every interval and every difference stands on the same resamples. No point figure is given
below 30 rows. A row that lacks a number says why under `reason`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from workbench.metrics.consistency import prediction_consistency
from workbench.metrics.evidence import Evidence, read_evidence
from workbench.metrics.intervals import SMALL, Interval, clopper_pearson
from workbench.metrics.multiple import holm
from workbench.metrics.paired import difference_of, mcnemar
from workbench.metrics.resampled import Resampled, resample
from workbench.metrics.scores import PROPORTIONS

Row = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What is scored, and how.

    Attributes:
        classes: Names of the classes, in the order of their numbers.
        primary: The metric of the claims; one of COUNT_METRICS.
        margin: Largest loss in the primary metric that counts as “as good as”, above 0.
        headline: The split on which the best candidate is named.
        group: Name of the group column.
        slices: Names of the slice columns.
        resamples: Resamples of a whole split.
        slice_resamples: Resamples of a slice.
        fewest: Below this many rows no point figure is given.
        seed: Seed of all draws.
        confidence: Coverage of the intervals.
    """

    classes: tuple[str, ...]
    primary: str = "macro_f1"
    margin: float = 0.01
    headline: str = "test"
    group: str = "group"
    slices: tuple[str, ...] = ()
    resamples: int = 10_000
    slice_resamples: int = 2_000
    fewest: int = 30
    seed: int = 0
    confidence: float = 0.95

    @property
    def top_k(self) -> int | None:
        """The k of top-k accuracy; None where every class would be among them."""
        return 3 if len(self.classes) > 3 else None


def score_run(predictions: Mapping[str, pa.Table], plan: Plan) -> list[Row]:
    """Score every candidate on every split and slice, with intervals, and compare them.

    Args:
        predictions: For each candidate the table that read_evidence takes. Names as in a run: baseline, teacher,
            student-<name>, control-<name>, selftrain-<name>, <candidate>-int8.
        plan: What is scored.

    Returns:
        Rows {candidate, split, slice, metric, value, low, high, n, method, seed, against}, seed null for the aggregate.
        Where they apply also: reason; confidence (where it is not 0.95); sd and points (of several seeds); p, p_holm,
        p_noninferior, detectable, discordant (of differences). Metrics of a class are named f1:<class>. Several seeds
        add consistency_all_seeds and consistency_two_seeds, the shares of rows on which all, and two, seeds agree.

    Raises:
        RunError: If the tables do not fit each other.
        ValueError: If the plan names no metric.
    """
    rows: list[Row] = []
    for split, evidence in read_evidence(predictions, plan.classes, group=plan.group, slices=plan.slices).items():
        whole = resample(
            evidence,
            plan.classes,
            resamples=plan.resamples,
            seed=plan.seed,
            top_k=plan.top_k,
            confidence=plan.confidence,
        )
        rows += _part_rows(whole, split, "all", whole.metrics, plan)
        rows += _consistency_rows(whole, split, plan)
        rows += _difference_rows(whole, split, plan)
        metrics = tuple(dict.fromkeys((plan.primary, "accuracy")))
        for name, part in _slices(evidence):
            small = resample(
                part,
                plan.classes,
                resamples=plan.slice_resamples,
                seed=plan.seed,
                only=metrics,
                fewest=plan.fewest,
                confidence=plan.confidence,
            )
            rows += _part_rows(small, split, name, metrics, plan)
    return rows


def _slices(evidence: Evidence) -> Iterator[tuple[str, Evidence]]:
    """Every slice by its name, in order."""
    for attribute, values in sorted(evidence.slices.items()):
        for value in np.unique(values):
            yield f"{attribute}={value}", evidence.where(values == value)


def _part_rows(part: Resampled, split: str, slice_name: str, metrics: Sequence[str], plan: Plan) -> list[Row]:
    """The rows of one split or slice without comparisons."""
    rows = []
    for candidate in part.candidates:
        for metric in metrics:
            if not part.has(candidate, metric):
                continue
            for seed in (*part.seeds, None):
                row = _row(
                    candidate,
                    split,
                    slice_name,
                    metric,
                    _interval(part, candidate, metric, seed, plan, slice_name),
                    seed,
                )
                rows.append(row | _spread(part, candidate, metric, seed, hidden=row["value"] is None))
    return rows


def _interval(part: Resampled, candidate: str, metric: str, seed: int | None, plan: Plan, slice_name: str) -> Interval:
    """One interval, or the reason why it is not shown."""
    n = part.support(metric, seed)
    if n < plan.fewest:
        what = "rows of the class" if metric.startswith("f1:") else "rows"
        reason = f"{n} {what}: below {plan.fewest} no figure is given"
        hidden = Interval(None, None, None, n, "none", reason, plan.confidence)
        return _only_bounds(part, candidate, seed, hidden) if metric in PROPORTIONS and slice_name == "all" else hidden
    if slice_name != "all" and metric not in PROPORTIONS and part.one_label(seed):
        return Interval(None, None, None, n, "none", "every row of this slice has the same label; see accuracy")
    shown = part.interval(candidate, metric, seed)
    return replace(shown, n=n) if metric.startswith("f1:") else shown


def _only_bounds(part: Resampled, candidate: str, seed: int | None, hidden: Interval) -> Interval:
    """Exact bounds of a proportion without its point, where rows are few but independent."""
    if part.clustered or hidden.n == 0 or (seed is None and len(part.seeds) > 1):
        return hidden
    hits = float(part.counts(candidate, part.seeds[0] if seed is None else seed).hits.sum())
    low, high = clopper_pearson(hits, hidden.n, part.drawn(seed).confidence)
    return replace(hidden, low=low, high=high, method=f"Clopper–Pearson, {hidden.n} rows")


def _row(candidate: str, split: str, slice_name: str, metric: str, interval: Interval, seed: int | None) -> Row:
    """A row of metrics.json in the order of the contract."""
    row: Row = {"candidate": candidate, "split": split, "slice": slice_name, "metric": metric}
    row |= {
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
        "method": interval.method,
    }
    row |= {"seed": seed, "against": None}
    row |= {} if interval.confidence == 0.95 else {"confidence": interval.confidence}
    return row | ({"reason": interval.reason} if interval.reason else {})


def _spread(part: Resampled, candidate: str, metric: str, seed: int | None, *, hidden: bool) -> Row:
    """Points and standard deviation over seeds, for the aggregate of several."""
    if seed is not None or len(part.seeds) < 2 or hidden:
        return {}
    points = [part.point(candidate, metric, one) for one in part.seeds]
    return {"sd": float(np.std(points, ddof=1)), "points": points}


def _consistency_rows(part: Resampled, split: str, plan: Plan) -> list[Row]:
    """How often the models of several seeds predict the same class; nothing where there is one seed."""
    rows: list[Row] = []
    if len(part.seeds) < 2:
        return rows
    for candidate in part.candidates:
        predictions, units = part.of_all_seeds(candidate)
        found = prediction_consistency(
            predictions, groups=units, resamples=plan.slice_resamples, seed=plan.seed, confidence=plan.confidence
        )
        for metric, shown in (
            ("consistency_all_seeds", found.all_seeds),
            ("consistency_two_seeds", found.two_seeds),
        ):
            if shown.n < plan.fewest:
                reason = f"{shown.n} rows that every seed was asked: below {plan.fewest} no figure is given"
                shown = Interval(None, None, None, shown.n, "none", reason, plan.confidence)
            rows.append(_row(candidate, split, "all", metric, shown, None) | {"seeds": found.seeds})
    return rows


def references(candidate: str, candidates: Sequence[str]) -> list[str]:
    """The candidates that a candidate is compared with in any case.

    Args:
        candidate: Its name.
        candidates: All names of the run.

    Returns:
        For a student baseline, teacher, its control and its selftrain; for the teacher the baseline and,
        where it was fine-tuned, its head alone; for a compressed candidate what it was made from; only those that there
        are.
    """
    wanted: list[str] = []
    original = made_from(candidate)
    if original is not None:
        wanted.append(original)
    elif candidate.startswith("student-"):
        name = candidate.removeprefix("student-")
        wanted += ["baseline", "teacher", f"control-{name}", f"selftrain-{name}"]
    elif candidate == "teacher":
        wanted += ["baseline", "teacher-head"]
    return [one for one in wanted if one in candidates]


MADE_FROM = ("-onnx", "-int8", "-fp16", "-short")
"""Ends of the names of candidates that were made from another one: written in ONNX, in fewer bits, without layers."""


def made_from(candidate: str) -> str | None:
    """What a compressed candidate was made from; ``None`` for one that was trained.

    Args:
        candidate: Its name.
    """
    end = next((end for end in MADE_FROM if candidate.startswith("student-") and candidate.endswith(end)), None)
    return None if end is None else candidate.removesuffix(end)


def may_be_recommended(candidate: str) -> bool:
    """Whether a candidate can be recommended: control and selftrain are comparisons, not products.

    Args:
        candidate: Its name.

    Returns:
        True for baseline, teacher and students.
    """
    return candidate.split("-")[0] not in {"control", "selftrain"}


def _difference_rows(part: Resampled, split: str, plan: Plan) -> list[Row]:
    """Differences in the primary metric against the references, and against the best candidate of the headline."""
    rows: list[Row] = []
    best = _best(part, split, plan) if split == plan.headline else None
    for seed in (*part.seeds, None):
        claims, others = [], []
        for candidate in part.candidates:
            known = references(candidate, part.candidates)
            claims += [_difference_row(part, split, (candidate, other), seed, plan) for other in known]
            if best is not None and candidate != best and best not in known and may_be_recommended(candidate):
                others.append(_difference_row(part, split, (candidate, best), seed, plan))
        tested = [row for row in claims if row.get("p") is not None]
        for row, adjusted in zip(tested, holm([row["p"] for row in tested]), strict=True):
            row["p_holm"] = adjusted
        rows += claims + others
    return rows


def _best(part: Resampled, split: str, plan: Plan) -> str | None:
    """The candidate with the highest primary metric over all seeds, of those that may be recommended."""
    if not part.seeds:
        return None
    allowed = [name for name in part.candidates if may_be_recommended(name) and _kept(part, split, name, plan)]
    return max(allowed, key=lambda name: part.mean_point(name, plan.primary), default=None)


def _kept(part: Resampled, split: str, candidate: str, plan: Plan) -> bool:
    """Whether a compressed candidate is shown to be as good as its original within the margin; others always are."""
    original = made_from(candidate)
    if original is None:
        return True
    if original not in part.candidates:
        return False
    low = _difference_row(part, split, (candidate, original), None, plan)["low"]
    return low is not None and bool(low > -plan.margin)


def _difference_row(part: Resampled, split: str, pair: tuple[str, str], seed: int | None, plan: Plan) -> Row:
    """One comparison on the same resamples."""
    n = part.support(plan.primary, seed)
    if n < plan.fewest:
        short = Interval(None, None, None, n, "none", f"{n} rows: below {plan.fewest} nothing is compared")
        return _row(pair[0], split, "all", plan.primary, short, seed) | {"against": pair[1]}
    value, resampled = part.gap(pair, plan.primary, seed)
    only_first, only_second = part.only_right(pair, seed)
    found = difference_of(
        value,
        resampled,
        part.drawn(seed),
        discordant=only_first + only_second,
        apart=part.units_ahead(pair, seed),
        margin=plan.margin,
    )
    if plan.primary in PROPORTIONS and not part.clustered and (seed is not None or len(part.seeds) == 1) and n < SMALL:
        found = replace(
            found, p=mcnemar(round(only_first), round(only_second)), method=f"{found.method}; p: exact McNemar"
        )
    shown = Interval(found.value, found.low, found.high, found.n, found.method, found.reason, found.confidence)
    row = _row(pair[0], split, "all", plan.primary, shown, seed) | {"against": pair[1]}
    if seed is None and len(part.seeds) > 1:
        points = [part.gap(pair, plan.primary, one)[0] for one in part.seeds]
        row |= {"sd": float(np.std(points, ddof=1)), "points": points}
    extras = {name: getattr(found, name) for name in ("p", "p_noninferior", "detectable", "discordant")}
    return row | {name: value for name, value in extras.items() if value is not None}


def differing_rows(recorded: Sequence[Row], computed: Sequence[Row], *, tolerance: float = 1e-6) -> list[str]:
    """What a run says and what its predictions give, where the two differ.

    Args:
        recorded: The rows of metrics.json.
        computed: The rows of score_run on the stored predictions.
        tolerance: Largest difference between two numbers that counts as rounding.

    Returns:
        A sentence for every difference; empty where all agree.
    """
    kept, made = ({_key(row): row for row in rows} for rows in (recorded, computed))
    sentences = [f"{_said(key)}: recorded, but the predictions do not give it" for key in kept if key not in made]
    sentences += [f"{_said(key)}: given by the predictions, but not recorded" for key in made if key not in kept]
    for key in kept:
        if key in made:
            names = sorted({*kept[key], *made[key]} - set(_KEYS))
            wrong = [name for name in names if not _same(kept[key].get(name), made[key].get(name), tolerance)]
            sentences += [
                f"{_said(key)}: {name} is {kept[key].get(name)}, recomputed {made[key].get(name)}" for name in wrong
            ]
    if len(kept) != len(recorded):
        sentences.append(f"{len(recorded) - len(kept)} rows are recorded twice")
    return sentences


_KEYS = ("candidate", "split", "slice", "metric", "seed", "against")


def _key(row: Row) -> tuple[Any, ...]:
    """What names a row."""
    return tuple(row.get(name) for name in _KEYS)


def _said(key: tuple[Any, ...]) -> str:
    """A row's name in words."""
    candidate, split, slice_name, metric, seed, against = key
    tail = "" if against is None else f" against {against}"
    return f"{metric} of {candidate}{tail} on {split} ({slice_name}, {'all seeds' if seed is None else f'seed {seed}'})"


def _same(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two values of JSON agree."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(a, b, tolerance) for a, b in zip(one, other, strict=True))
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return bool(abs(one - other) <= tolerance if numbers else one == other)
