"""From the evidence of a membership audit to rows of metrics.json: areas, hits at 1 % false alarms, controls, limits.

A pure function of the table and its settings. An attack counts as a finding when its area lies above .5 with its whole
interval and shuffling membership reaches it too rarely, adjusted for all candidates and attacks (Holm 1979).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.metrics.intervals import clopper_pearson
from workbench.metrics.paired import holm
from workbench.metrics.roc import (
    area,
    detectable_area,
    hits_at,
    shuffle_p,
    shuffled_areas,
)

Row = dict[str, Any]
Array = npt.NDArray[Any]

SPLIT = "train"
SHUFFLES, NULL_SHUFFLES = 2000, 200
FEWEST, FEWEST_OTHERS, ENOUGH_OTHERS = 30, 500, 1000
CONTROLS = ("blind", "memorised")


def score_membership(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Score the evidence of a membership audit.

    Args:
        table: ``subject, attack, row, label, member, score``.
        settings: Of the check: ``seed``, ``controls_of``; ``canaries`` where there were some.

    Returns:
        Rows ``membership_auc:<attack>`` and ``membership_tpr:<attack>`` of each candidate, on the split train against
        reserve; with the candidate that the settings name ``membership_blind_auc``, ``membership_memorised_auc``,
        ``membership_null_auc``, ``membership_detectable_auc`` and, with canaries, ``membership_exposure``.
    """
    seed, first = int(settings.get("seed", 0)), str(settings.get("controls_of", ""))
    rows, tested = [], []
    for subject, attack, scored in _attacks(table):
        if subject in CONTROLS:
            rows.append(_area_row(first, f"membership_{subject}_auc", scored, seed))
            continue
        found = _area_row(subject, f"membership_auc:{attack}", scored, seed)
        rows += [found, _hits_row(subject, f"membership_tpr:{attack}", scored)]
        tested += [found] if found.get("p") is not None else []
    for row, adjusted in zip(tested, holm([row["p"] for row in tested]), strict=True):
        row["p_holm"] = adjusted
    lead = next((one for subject, _, one in _attacks(table) if subject == first), None)
    rows += _null_rows(first, lead, seed) if lead is not None else []
    return rows + _exposure_rows(first, settings.get("canaries"))


class _Scored:
    """Scores of one attack on one candidate."""

    def __init__(self, table: pa.Table) -> None:
        self.scores = table["score"].to_numpy().astype(np.float64)
        self.inside = table["member"].to_numpy(zero_copy_only=False)
        self.labels = table["label"].to_numpy()

    @property
    def members(self) -> Array:
        """Scores of members."""
        return np.asarray(self.scores[self.inside])

    @property
    def others(self) -> Array:
        """Scores of the others."""
        return np.asarray(self.scores[~self.inside])

    @property
    def enough(self) -> bool:
        """Whether there are enough rows for an area."""
        return min(len(self.members), len(self.others)) >= FEWEST


def _attacks(table: pa.Table) -> Iterator[tuple[str, str, _Scored]]:
    """Every subject and attack in the order of the table."""
    pairs = zip(table["subject"].to_pylist(), table["attack"].to_pylist(), strict=True)
    for subject, attack in dict.fromkeys(pairs):
        chosen = pc.and_(pc.equal(table["subject"], subject), pc.equal(table["attack"], attack))
        yield subject, attack, _Scored(table.filter(chosen))


def _row(candidate: str, metric: str, values: tuple[float | None, ...], n: int, method: str) -> Row:
    value, low, high = values
    row: Row = {"candidate": candidate, "split": SPLIT, "slice": "all", "metric": metric, "value": value}
    return row | {"low": low, "high": high, "n": n, "method": method, "seed": None, "against": None}


def _absent(candidate: str, metric: str, n: int, reason: str) -> Row:
    return _row(candidate, metric, (None, None, None), n, "none") | {"reason": reason}


def _area_row(candidate: str, metric: str, scored: _Scored, seed: int) -> Row:
    m, n = len(scored.members), len(scored.others)
    if not scored.enough:
        return _absent(candidate, metric, m + n, f"{m} members and {n} others: at least {FEWEST} of each are needed")
    found = area(scored.members, scored.others)
    shuffled = shuffled_areas(scored.scores, scored.inside, scored.labels, SHUFFLES, seed)
    method = f"DeLong on the logit scale; p: {SHUFFLES:,} shuffles of membership within classes, one-sided"
    row = _row(candidate, metric, (found.value, found.low, found.high), m + n, method)
    return row | {"p": shuffle_p(found.value, shuffled), "members": m, "others": n}


def _hits_row(candidate: str, metric: str, scored: _Scored) -> Row:
    m, n = len(scored.members), len(scored.others)
    if n < FEWEST_OTHERS or m < FEWEST:
        reason = (
            f"{m} members and {n} others: hits at 1 % false alarms need at least {FEWEST} members and {FEWEST_OTHERS}"
            f" others, better {ENOUGH_OTHERS:,} (data.splits.reserve)"
        )
        return _absent(candidate, metric, m, reason)
    found = hits_at(scored.members, scored.others)
    method = f"Clopper–Pearson at the threshold that {found.alarms} of {n:,} others exceed"
    row = _row(candidate, metric, (found.value, found.low, found.high), m, method)
    ceiling = clopper_pearson(m, m)[0]
    return row | {"alarms": found.alarms, "others": n, "alarms_high": found.alarms_high, "ceiling": ceiling}


def _null_rows(first: str, scored: _Scored, seed: int) -> list[Row]:
    """Shuffled membership must not be found, and what n can show at all."""
    n = len(scored.scores)
    if not scored.enough:
        return []
    shuffled = shuffled_areas(scored.scores, scored.inside, scored.labels, SHUFFLES, seed + 1)
    low, high = np.quantile(shuffled, [0.025, 0.975])
    method = f"mean and 95 % range of {SHUFFLES:,} shuffles of membership within classes"
    null = _row(first, "membership_null_auc", (float(shuffled.mean()), float(low), float(high)), n, method)
    null["false_alarms"] = _false_alarms(scored, seed)
    seen = detectable_area(len(scored.members), len(scored.others))
    how = "two-sided 5 %, power 80 %, by the variance of ranks"
    return [null, _row(first, "membership_detectable_auc", (seen, None, None), n, how)]


def _false_alarms(scored: _Scored, seed: int) -> float:
    """Share of shuffles whose DeLong interval leaves out .5; near .05 where the intervals are right."""
    random, wrong = np.random.default_rng(seed + 2), 0
    for _ in range(NULL_SHUFFLES):
        inside = scored.inside.copy()
        for label in np.unique(scored.labels):
            rows = np.flatnonzero(scored.labels == label)
            inside[rows] = random.permutation(inside[rows])
        found = area(scored.scores[inside], scored.scores[~inside])
        wrong += not found.low <= 0.5 <= found.high
    return wrong / NULL_SHUFFLES


def _exposure_rows(first: str, canaries: Mapping[str, Any] | None) -> list[Row]:
    """Mean exposure of inserted canaries, with the most that the number of references allows."""
    if not canaries:
        return []
    bits = np.asarray(canaries["exposures"], dtype=np.float64)
    method = (
        f"mean and range over {len(bits)} canaries, each ranked among {canaries['references']} that were not put in"
    )
    row = _row(first, "membership_exposure", (bits.mean(), bits.min(), bits.max()), len(bits), method)
    row |= {name: float(row[name]) for name in ("value", "low", "high")}
    return [row | {"ceiling": float(canaries["most"]), "expected": float(canaries["unexposed"])}]


def is_finding(row: Mapping[str, Any]) -> bool:
    """Whether an area says that members can be told: all of its interval above .5 and an adjusted p below 5 %.

    Args:
        row: Of the metric ``membership_auc:<attack>``.
    """
    low, p = row.get("low"), row.get("p_holm", row.get("p"))
    return low is not None and p is not None and bool(low > 0.5 and p < 0.05)
