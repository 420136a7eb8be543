"""From predictions and decisions to rows of metrics.json: calibration, abstention and conformal sets on every split.

A pure function of the stored predictions and of each candidate's decision.json, so that `workbench verify` finds the
same numbers. Validation is left out: probabilities, thresholds and quantiles were fitted there. The aggregate row (seed
null) is about the saved model, the first seed's; the figures of further seeds stand under `points`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.metrics.bootstrap import draw_units, resample_sums
from workbench.metrics.calibration import calibration_error, row_brier
from workbench.metrics.conformal import aps_scores, lac_scores, sets_within, with_the_likeliest
from workbench.metrics.evidence import Evidence, read_evidence
from workbench.metrics.intervals import Drawn, Interval, interval_of
from workbench.metrics.probabilities import row_log_loss
from workbench.metrics.resampling import bootstrap_sums
from workbench.metrics.scores import Counts, Float64Array, FloatArray, IntArray
from workbench.metrics.scoring import Plan, Row
from workbench.metrics.selective import aurc, aurc_interval, best_aurc

Decision = Mapping[str, Any]
MOST_RESAMPLES = 2_000
AREA_RESAMPLES = 1_000


@dataclass(frozen=True)
class Part:
    """One candidate on one split or slice.

    Attributes:
        labels: True classes (rows,).
        probabilities: (rows, classes).
        groups: The group of each row, or None.
    """

    labels: IntArray
    probabilities: FloatArray
    groups: IntArray | None

    @property
    def confidence(self) -> FloatArray:
        """Probability of the likeliest class (rows,)."""
        return np.asarray(self.probabilities.max(axis=1)) if len(self.labels) else np.zeros(0)

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        """Whether the likeliest class is not the label (rows,)."""
        return np.asarray(self.probabilities.argmax(axis=1) != self.labels)

    def where(self, keep: npt.NDArray[np.bool_]) -> Part:
        """The part of the rows that is kept."""
        groups = None if self.groups is None else self.groups[keep]
        return Part(self.labels[keep], self.probabilities[keep], groups)


def score_decisions(predictions: Mapping[str, pa.Table], decisions: Mapping[str, Decision], plan: Plan) -> list[Row]:
    """Score calibration for every candidate, and the decisions of those that have one.

    Args:
        predictions: Candidate to its predictions, with the columns of join_rows; splits other than validation count.
        decisions: Candidate to the content of its decision.json.
        plan: What is scored.

    Returns:
        Rows with the metrics ece (also floor, p, bins), brier, log_loss (where score_run does not give it), aurc,
        e_aurc, kept (share answered without a person), error_kept, coverage (also promised), set_size, set_one (share
        of sets with one class); kept and coverage also by slice.

    Raises:
        RunError: If the tables do not fit each other.
    """
    rows: list[Row] = []
    found = read_evidence(predictions, plan.classes, group=plan.group, slices=plan.slices)
    for split, evidence in found.items():
        if split != "validation":
            for name in evidence.probabilities:
                rows += _candidate_rows(name, split, evidence, decisions.get(name), plan)
    return rows


def _candidate_rows(name: str, split: str, evidence: Evidence, decision: Decision | None, plan: Plan) -> list[Row]:
    seeds = np.unique(evidence.seeds)
    parts = [_part(evidence.where(evidence.seeds == seed), name) for seed in seeds]
    if not parts:
        return []
    makers = _calibration_makers(split, plan)
    rows = []
    for metric, make in makers.items():
        rows.append(_row((name, split, "all", metric), *make(parts[0])))
        if len(parts) > 1:
            rows[-1]["points"] = [make(part)[0].value for part in parts]
    if decision is not None:
        rows += _decision_rows((name, split, "all"), parts[0], decision, plan)
        rows += _slice_rows((name, split), parts[0], evidence.where(evidence.seeds == seeds[0]), decision, plan)
    return [row | {"of_seed": int(seeds[0])} if len(parts) > 1 else row for row in rows]


def _slice_rows(where: tuple[str, str], whole: Part, evidence: Evidence, decision: Decision, plan: Plan) -> list[Row]:
    """Share answered and coverage in every slice."""
    rows = []
    for attribute, values in sorted(evidence.slices.items()):
        for value in np.unique(values):
            part, here = whole.where(values == value), (*where, f"{attribute}={value}")
            rows += _decision_rows(here, part, decision, plan, only=("kept", "coverage"))
    return rows


def _part(evidence: Evidence, name: str) -> Part:
    return Part(evidence.labels, evidence.probabilities[name], evidence.groups)


Found = tuple[Interval, dict[str, Any]]


def _calibration_makers(split: str, plan: Plan) -> dict[str, Callable[[Part], Found]]:
    """Each metric of the probabilities, as a function of a part."""
    area = min(AREA_RESAMPLES, plan.resamples)
    some = min(MOST_RESAMPLES, plan.resamples)

    def ece(part: Part) -> Found:
        error = calibration_error(
            part.confidence, ~part.wrong, groups=part.groups, resamples=some, seed=plan.seed, level=plan.confidence
        )
        return error.interval, {"floor": error.floor, "p": error.p, "bins": error.bins}

    def brier(part: Part) -> Found:
        return mean_of(row_brier(part.labels, part.probabilities), part.groups, plan), {}

    def surprise(part: Part) -> Found:
        return mean_of(row_log_loss(part.labels, part.probabilities), part.groups, plan), {}

    def curve(part: Part) -> Found:
        return aurc_interval(
            part.confidence, part.wrong, groups=part.groups, resamples=area, seed=plan.seed, level=plan.confidence
        ), {}

    def excess(part: Part) -> Found:
        rows = len(part.labels)
        if rows < plan.fewest:
            return _hidden(rows, f"{rows} rows: below {plan.fewest} no figure is given"), {}
        value = aurc(part.confidence, part.wrong) - best_aurc(part.wrong)
        reason = "its interval is that of aurc, moved: the best possible area changes with the error"
        return Interval(value, None, None, rows, "none", reason, plan.confidence), {}

    makers: dict[str, Callable[[Part], Found]] = {"ece": ece, "brier": brier, "aurc": curve, "e_aurc": excess}
    return makers if split.startswith("test") else makers | {"log_loss": surprise}


def _decision_rows(
    where: tuple[str, str, str], part: Part, decision: Decision, plan: Plan, only: tuple[str, ...] = ()
) -> list[Row]:
    """What the threshold and the sets of a decision do on a part."""
    rows = []
    threshold = decision.get("threshold")
    kept = part.confidence >= (np.inf if threshold is None else threshold)
    reason = str(decision.get("threshold_reason") or "")
    promised = {"target": decision.get("target_error")}
    if threshold is None:
        rows.append(_row((*where, "kept"), _hidden(len(kept), reason), {}))
        rows.append(_row((*where, "error_kept"), _hidden(0, reason), promised))
    else:
        answered = part.where(kept)
        rows.append(_row((*where, "kept"), share_of(kept, part.groups, plan), {}))
        rows.append(_row((*where, "error_kept"), share_of(answered.wrong, answered.groups, plan), promised))
    rows += _set_rows(where, part, decision.get("conformal") or {}, plan)
    return [row for row in rows if not only or row["metric"] in only]


def _set_rows(where: tuple[str, str, str], part: Part, conformal: Decision, plan: Plan) -> list[Row]:
    """Coverage and size of the conformal sets."""
    if conformal.get("quantile") is None:
        reason = str(conformal.get("reason") or "no quantile was fitted")
        return [_row((*where, one), _hidden(0, reason), {}) for one in ("coverage", "set_size", "set_one")]
    sets = decision_sets(part.probabilities, conformal)
    held = np.take_along_axis(sets, part.labels[:, None], axis=1)[:, 0]
    sizes = sets.sum(axis=1)
    return [
        _row((*where, "coverage"), share_of(held, part.groups, plan), {"promised": conformal["coverage"]}),
        _row((*where, "set_size"), mean_of(sizes.astype(np.float64), part.groups, plan), {}),
        _row((*where, "set_one"), share_of(sizes == 1, part.groups, plan), {}),
    ]


def decision_sets(probabilities: FloatArray, conformal: Decision) -> npt.NDArray[np.bool_]:
    """The conformal sets that a decision gives; each holds the likeliest class.

    Args:
        probabilities: (rows, classes).
        conformal: Of decision.json: method and quantile.

    Returns:
        True where a class is in the set (rows, classes).
    """
    scores = lac_scores(probabilities) if conformal["method"] == "LAC" else aps_scores(probabilities)
    return with_the_likeliest(sets_within(scores, float(conformal["quantile"])), probabilities)


def share_of(hits: npt.NDArray[np.bool_], groups: npt.NDArray[Any] | None, plan: Plan) -> Interval:
    """A share of rows with its interval: exact for few independent rows, else bootstrap with groups drawn whole.

    Args:
        hits: (rows,).
        groups: The group of each row, or None.
        plan: Says resamples, seed, confidence and from how many rows on a figure is given.

    Returns:
        The interval, or the reason why there is none.
    """
    rows = len(hits)
    if rows < plan.fewest:
        return _hidden(rows, f"{rows} rows: below {plan.fewest} no figure is given")
    unit_of = np.unique(np.arange(rows) if groups is None else groups, return_inverse=True)[1]
    units, resamples = int(unit_of.max()) + 1, min(MOST_RESAMPLES, plan.resamples)
    sums_of = [np.bincount(unit_of, weights=one).astype(np.float64) for one in (hits, np.ones(rows))]
    columns: Float64Array = np.stack(sums_of, axis=1)
    sums = resample_sums(draw_units(units, resamples, plan.seed), columns, resamples)
    counts = Counts(np.array([float(hits.sum())]), np.array([float(rows)]), np.array([float(rows)]))
    drawn = Drawn(rows, units, units < rows, resamples, confidence=plan.confidence)
    return interval_of("accuracy", counts, float(hits.mean()), np.asarray(sums[:, 0] / sums[:, 1]), drawn)


def mean_of(values: Float64Array, groups: npt.NDArray[Any] | None, plan: Plan) -> Interval:
    """A mean of rows with its bootstrap interval, groups drawn whole.

    Args:
        values: (rows,).
        groups: The group of each row, or None.
        plan: Says resamples, seed, confidence and from how many rows on a figure is given.

    Returns:
        The interval, or the reason why there is none.
    """
    rows = len(values)
    if rows < plan.fewest:
        return _hidden(rows, f"{rows} rows: below {plan.fewest} no figure is given")
    return bootstrap_sums(
        lambda sums: sums[..., 0] / sums[..., 1],
        np.stack([np.asarray(values, dtype=np.float64), np.ones(rows)], axis=1),
        groups=groups,
        resamples=min(MOST_RESAMPLES, plan.resamples),
        seed=plan.seed,
        confidence=plan.confidence,
    )


def _hidden(n: int, reason: str) -> Interval:
    return Interval(None, None, None, n, "none", reason)


def _row(key: tuple[str, str, str, str], interval: Interval, more: Mapping[str, Any]) -> Row:
    """A row of metrics.json; the seed null, as it is about the saved model."""
    row: Row = dict(zip(("candidate", "split", "slice", "metric"), key, strict=True))
    row |= {"value": interval.value, "low": interval.low, "high": interval.high, "n": interval.n}
    row |= {"method": interval.method, "seed": None, "against": None}
    row |= {} if interval.confidence == 0.95 else {"confidence": interval.confidence}
    row |= {"reason": interval.reason} if interval.reason else {}
    return row | {name: value for name, value in more.items() if value is not None}
