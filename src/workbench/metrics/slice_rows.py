"""The rows of metrics.json of one attribute or intersection: every group, then gap, ratio and worst over all of them.

Point figures of groups, gap and ratio are those of fairlearn's MetricFrame, which is loaded here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.metrics.group_bands import (
    Rates,
    gap_interval,
    only_bounds,
    rate_interval,
    ratio_interval,
    resampled_rates,
    standardised_rates,
    worst_interval,
)
from workbench.metrics.group_tests import Grouped, GroupTest, design_effect, smallest_gap
from workbench.metrics.intervals import FEWEST_GROUPS, Interval, interval_of
from workbench.metrics.scores import Float64Array
from workbench.metrics.slice_families import Family, Rules
from workbench.metrics.slice_table import Part

Row = dict[str, Any]
ERROR, ABSTAINED, STANDARDISED = "error_rate", "abstained", "standardised:error_rate"
ALPHA, POWER = 0.05, 0.95
LEAST_SHARE = 0.5
"""Below this share of rows in classes that stand in every group, rates are not standardised."""


@dataclass(frozen=True)
class Tested:
    """Groups, and whether they differ.

    Attributes:
        family: Their names.
        grouped: Their rows.
        test: Whether any differs.
        p_holm: Its p, adjusted for all tests; None where there is none.
        asked: Number of tests that were made.
    """

    family: Family
    grouped: Grouped
    test: GroupTest
    p_holm: float | None
    asked: int


def frame_of(grouped: Grouped) -> tuple[Float64Array, float, float]:
    """Rate of every group, gap and ratio, by fairlearn's MetricFrame.

    Args:
        grouped: Rows of groups that all have rows.

    Returns:
        Rates (groups,), highest less lowest, lowest over highest (NaN where all are 0).
    """
    from fairlearn.metrics import MetricFrame, mean_prediction

    frame = MetricFrame(
        metrics=mean_prediction,
        y_true=np.zeros(len(grouped.codes)),
        y_pred=grouped.outcome,
        sensitive_features=grouped.codes,
    )
    with np.errstate(invalid="ignore"):
        return frame.by_group.to_numpy(dtype=np.float64), float(frame.difference()), float(frame.ratio())


def row_of(part: Part, where: str, metric: str, interval: Interval, **extra: Any) -> Row:
    """A row of metrics.json.

    Args:
        part: Candidate and split.
        where: The slice.
        metric: The metric.
        interval: Its figures.
        extra: Further fields; None leaves one out.

    Returns:
        The row, in the order of the contract.
    """
    row: Row = {"candidate": part.candidate, "split": part.split, "slice": where, "metric": metric}
    row |= {name: getattr(interval, name) for name in ("value", "low", "high", "n", "method")}
    row |= {"seed": None, "against": None}
    row |= {} if interval.confidence == 0.95 else {"confidence": interval.confidence}
    row |= {"reason": interval.reason} if interval.reason else {}
    return row | {name: value for name, value in extra.items() if value is not None}


def family_rows(part: Part, tested: Tested, rules: Rules) -> Iterator[Row]:
    """All rows of one attribute or intersection.

    Args:
        part: Candidate and split.
        tested: Its groups.
        rules: How it is scored.

    Yields:
        Rows of metrics.json.
    """
    grouped, family = tested.grouped, tested.family
    order = np.argsort(-grouped.rows, kind="stable")
    enough = [int(group) for group in order if grouped.rows[group] >= rules.fewest]
    few = [int(group) for group in order if grouped.rows[group] < rules.fewest]
    shown = sorted(enough[: rules.most_values])
    single = len(family.names) == 1
    bounded = sorted(few[: max(0, rules.most_values - len(shown))]) if single else []
    able = grouped.tested(rules.fewest)
    compared = [group for group in shown if able[group]]
    counted = {"groups": len(compared), "too_few": len(few), "left_out": len(enough) - len(shown)}
    counted |= {"few_units": len(shown) - len(compared)}
    rates = _rates(grouped, rules)
    yield from _group_rows(part, tested, rates, (shown, bounded), rules)
    yield from _over_rows(part, tested, rates, compared, rules, counted)
    if single and len(compared) > 1:
        yield from _standardised_rows(part, family, compared, rules)
    if single:
        yield from _abstained_rows(part, family, compared, rules)


def _rates(grouped: Grouped, rules: Rules) -> Rates:
    return resampled_rates(grouped, resamples=rules.resamples, seed=rules.seed, confidence=rules.confidence)


def _group_rows(
    part: Part, tested: Tested, rates: Rates, groups: tuple[list[int], list[int]], rules: Rules
) -> Iterator[Row]:
    """Error rate of every group: a figure where rows are enough, bounds where they are few."""
    units = tested.grouped.effective_units()
    for group in groups[0]:
        interval = rate_interval(tested.grouped, rates, group, units[group])
        p = tested.test.of_group[group]
        adjusted = group_p(tested, group)
        extra: Row = {"p": float(p), "above": bool(tested.test.above[group])} if np.isfinite(p) else {}
        extra |= {"over": tested.family.whole}
        yield row_of(part, tested.family.values[group], ERROR, interval, p_holm=adjusted, **extra)
    for group in groups[1]:
        interval = only_bounds(tested.grouped, group, rules.fewest, rules.confidence)
        yield row_of(part, tested.family.values[group], ERROR, interval, over=tested.family.whole)


def group_p(tested: Tested, group: int) -> float | None:
    """P of one group against all other rows, adjusted for the groups and for all tests.

    Args:
        tested: The groups.
        group: Its number.

    Returns:
        Never below the adjusted p of its family; None where it was not tested.
    """
    p, whole, adjusted = float(tested.test.of_group[group]), tested.test.p, tested.p_holm
    if not np.isfinite(p) or whole is None or adjusted is None:
        return None
    return min(1.0, p * adjusted / whole) if adjusted < 1 else 1.0


def worst_group(tested: Tested, shown: list[int]) -> int | None:
    """The group that errs most, where the test says that it errs more than all other rows; else None.

    Args:
        tested: The groups.
        shown: Those with figures.

    Returns:
        Its number.
    """

    def differs(group: int) -> bool:
        p = group_p(tested, group)
        return p is not None and p < ALPHA and bool(tested.test.above[group])

    rates = tested.grouped.rates
    return max((group for group in shown if differs(group)), key=lambda group: float(rates[group]), default=None)


def _over_rows(part: Part, tested: Tested, rates: Rates, shown: list[int], rules: Rules, counted: Row) -> Iterator[Row]:
    """Gap, ratio and worst rate over all groups with figures."""
    where, test = tested.family.whole, tested.test
    if len(shown) < 2:
        n = int(tested.grouped.rows[shown].sum()) if shown else 0
        units = f" in {FEWEST_GROUPS} or more units" if tested.grouped.clustered else ""
        reason = (
            f"{len(shown)} of {tested.grouped.groups} groups have {rules.fewest} or more rows{units}; two are needed"
        )
        nothing = Interval(None, None, None, n, "none", reason, rules.confidence)
        for metric in ("gap", "ratio", "worst"):
            yield row_of(part, where, f"{metric}:{ERROR}", nothing, **counted)
        return
    chosen = rates.only(np.asarray(shown))
    values, gap, ratio = frame_of(_kept(tested.grouped, shown))
    chosen = replace(chosen, values=values)
    extra = counted | {"p": test.p, "p_holm": tested.p_holm, "null": test.null_gap, "null_high": test.null_gap_high}
    extra |= {"test": test.reason or test.method, "detectable": _detectable(tested, rules)}
    yield row_of(part, where, f"gap:{ERROR}", replace(gap_interval(chosen), value=gap), **extra)
    of_ratio = ratio_interval(chosen)
    yield row_of(part, where, f"ratio:{ERROR}", of_ratio if of_ratio.value is None else replace(of_ratio, value=ratio))
    worst = worst_group(tested, shown)
    named = None if worst is None else tested.family.values[worst]
    yield row_of(part, where, f"worst:{ERROR}", worst_interval(chosen), worst=named)


def _kept(grouped: Grouped, shown: list[int]) -> Grouped:
    """The rows of some groups, numbered anew in their order."""
    places = np.full(grouped.groups, -1)
    places[shown] = np.arange(len(shown))
    codes = places[grouped.codes]
    kept = codes >= 0
    return Grouped(grouped.outcome[kept], codes[kept], len(shown), grouped.units[kept], grouped.clustered)


def _detectable(tested: Tested, rules: Rules) -> float | None:
    """The excess of the smallest tested group over the others that would be found with a power of .95."""
    grouped = tested.grouped
    groups = np.flatnonzero(np.isfinite(tested.test.of_group))
    if not len(groups):
        return None
    smallest = int(groups[np.argmin(grouped.rows[groups])])
    n, rest = float(grouped.rows[smallest]), float(len(grouped.codes) - grouped.rows[smallest])
    two = len(groups) == 2 and grouped.groups == 2
    rate = float(grouped.outcome[grouped.codes != smallest].mean())
    if rate >= 1:
        return None
    comparisons = (1 if two else len(groups)) * tested.asked * rules.searches
    design = design_effect(grouped, smallest)
    return smallest_gap(n, rest, rate, comparisons=comparisons, alpha=ALPHA, power=POWER, design=design)


def _standardised_rows(part: Part, family: Family, shown: list[int], rules: Rules) -> Iterator[Row]:
    """Error rates as they would be if every group had the same mix of classes, and their gap."""
    places = np.full(len(family.values), -1)
    places[shown] = np.arange(len(shown))
    codes = places[family.codes]
    grouped, classes = part.grouped(codes, len(shown)), part.labels[codes >= 0]
    rates, share = standardised_rates(
        grouped, classes, resamples=rules.resamples, seed=rules.seed, confidence=rules.confidence
    )
    if family.names[0] == rules.label or share < LEAST_SHARE:
        reason = "the slice is the class itself: there is no mix of classes to even out"
        if family.names[0] != rules.label:
            reason = f"classes that stand in every group hold {share:.0%} of the rows; {LEAST_SHARE:.0%} are needed"
        nothing = Interval(None, None, None, len(grouped.codes), "none", reason, rules.confidence)
        yield row_of(part, family.whole, f"gap:{STANDARDISED}", nothing, covered=share)
        return
    units = grouped.effective_units()
    for place, group in enumerate(shown):
        interval = _percentiles(rates, place, units[place] if grouped.clustered else np.inf)
        yield row_of(part, family.values[group], STANDARDISED, interval, covered=share)
    yield row_of(part, family.whole, f"gap:{STANDARDISED}", gap_interval(rates), covered=share)


def _percentiles(rates: Rates, place: int, units: float) -> Interval:
    """A standardised rate with its interval, which is that of a mean, not of a proportion."""
    count = min(rates.drawn.units, int(min(units, 1e9)))
    drawn = replace(rates.drawn, rows=int(rates.rows[place]), units=count)
    return interval_of(STANDARDISED, None, float(rates.values[place]), rates.resampled[:, place], drawn)


def _abstained_rows(part: Part, family: Family, shown: list[int], rules: Rules) -> Iterator[Row]:
    """Share of every group that is sent to a person, and its gap; not tested."""
    if part.abstained is None or len(shown) < 2:
        reason = "the candidate has no threshold for sending a row to a person"
        reason = reason if part.abstained is None else "fewer than two groups can be compared"
        nothing = Interval(None, None, None, len(part.wrong), "none", reason, rules.confidence)
        yield row_of(part, family.whole, f"gap:{ABSTAINED}", nothing)
        return
    grouped = part.grouped(family.codes, len(family.values), part.abstained)
    rates, units = _rates(grouped, rules), grouped.effective_units()
    for group in shown:
        yield row_of(part, family.values[group], ABSTAINED, rate_interval(grouped, rates, group, units[group]))
    yield row_of(part, family.whole, f"gap:{ABSTAINED}", gap_interval(rates.only(np.asarray(shown))))
