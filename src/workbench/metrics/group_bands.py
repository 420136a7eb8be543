"""Intervals of groups' rates, and of their gap, ratio and worst rate.

The largest gap among many small groups lies above 0 even where there is no difference at all, and its percentiles lie
higher still. So gap, ratio and worst rate get simultaneous bands: bounds that hold for all groups, or all pairs of
groups, at once hold for the largest of them too, whichever it is. They are wide rather than narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import ndtri

from workbench.metrics.bootstrap import draw_cells, draw_units, resample_sums
from workbench.metrics.group_tests import Grouped
from workbench.metrics.intervals import FEWEST_GROUPS, Drawn, Interval, clopper_pearson, interval_of
from workbench.metrics.scores import Counts, Float64Array, IntArray

BANDS = "simultaneous bootstrap bands"


@dataclass(frozen=True)
class Rates:
    """Rates of some groups, and the same on every resample.

    Attributes:
        values: Rates (groups,).
        rows: Rows behind them (groups,).
        resampled: (resamples, groups); NaN where a resample held no row of a group.
        drawn: What was resampled.
    """

    values: Float64Array
    rows: Float64Array
    resampled: Float64Array
    drawn: Drawn

    def only(self, kept: IntArray) -> Rates:
        """The rates of some of the groups.

        Args:
            kept: Their numbers.

        Returns:
            Rates of those.
        """
        return Rates(self.values[kept], self.rows[kept], self.resampled[:, kept], self.drawn)


def resampled_rates(grouped: Grouped, *, resamples: int, seed: int, confidence: float = 0.95) -> Rates:
    """Resample units, or rows where they are independent, and take every group's rate.

    Args:
        grouped: Rows with outcome, group and unit.
        resamples: Number of resamples.
        seed: Seed of the draws.
        confidence: Coverage of the intervals.

    Returns:
        Rates of all groups.
    """
    sums, units = _resampled(grouped, grouped.codes, grouped.groups, (resamples, seed))
    drawn = Drawn(len(grouped.codes), units, grouped.clustered, resamples, confidence=confidence)
    hits, rows = sums[:, 0], sums[:, 1]
    rates = np.divide(hits, rows, out=np.full(rows.shape, np.nan), where=rows > 0)
    return Rates(grouped.rates, grouped.rows, rates, drawn)


def _resampled(grouped: Grouped, columns: IntArray, width: int, draws: tuple[int, int]) -> tuple[Float64Array, int]:
    """Sums of the outcome, and numbers of rows, in each column on every resample.

    Args:
        grouped: Outcome and units.
        columns: Column of each row (rows,), in [0, width).
        width: Number of columns.
        draws: Resamples and seed.

    Returns:
        (resamples, 2, width), and the number of units that were drawn; independent rows are merged into cells first.
    """
    resamples, seed = draws
    if not grouped.clustered and np.isin(grouped.outcome, (0.0, 1.0)).all():
        cells = np.bincount(columns * 2 + grouped.outcome.astype(np.int64), minlength=2 * width)
        pieces = [weights for _, weights in draw_cells(cells, resamples, seed)]
        found = np.concatenate(pieces).reshape(resamples, width, 2).astype(np.float64)
        return np.stack([found[:, :, 1], found.sum(axis=2)], axis=1), len(columns)
    units = int(grouped.units.max()) + 1
    values = np.concatenate([grouped.outcome, np.ones(len(columns))])
    where = (np.tile(grouped.units, 2), np.concatenate([columns, columns + width]))
    table = sparse.coo_matrix((values, where), shape=(units, 2 * width)).tocsr()
    sums = resample_sums(draw_units(units, resamples, seed), table, resamples)
    return np.asarray(sums, dtype=np.float64).reshape(resamples, 2, width), units


def standardised_rates(
    grouped: Grouped, classes: IntArray, *, resamples: int, seed: int, confidence: float = 0.95
) -> tuple[Rates, float]:
    """Every group's rate if all groups had the same mix of classes (direct standardisation).

    Each class counts in every group with its share of all rows; only classes that stand in every group take part.

    Args:
        grouped: Rows of the groups that are compared.
        classes: Class of each row (rows,), from 0.
        resamples: Number of resamples.
        seed: Seed of the draws.
        confidence: Coverage of the intervals.

    Returns:
        The rates, and the share of rows whose class takes part; with share 0 the rates are NaN.
    """
    groups, size = grouped.groups, int(classes.max()) + 1
    cells = np.bincount(grouped.codes * size + classes, minlength=groups * size).reshape(groups, size)
    common = np.flatnonzero((cells > 0).all(axis=0))
    share = float(cells[:, common].sum() / cells.sum())
    weights = cells[:, common].sum(axis=0).astype(np.float64)
    if not len(common):
        nothing = np.full(groups, np.nan)
        return Rates(nothing, grouped.rows, nothing[None, :], Drawn(0, 0, False, 0)), 0.0
    kept = np.isin(classes, common)
    _, units = np.unique(grouped.units[kept], return_inverse=True)
    part = Grouped(grouped.outcome[kept], grouped.codes[kept], groups, units, grouped.clustered)
    column = part.codes * len(common) + np.searchsorted(common, classes[kept])
    width = groups * len(common)
    sums, drawn_units = _resampled(part, column, width, (resamples, seed))
    point = np.stack(
        [np.bincount(column, weights=one, minlength=width) for one in (part.outcome, np.ones(len(column)))]
    )
    together = np.concatenate([point[None], sums])
    found = _weighted(together.reshape(-1, 2, groups, len(common)), weights)
    drawn = Drawn(len(column), drawn_units, grouped.clustered, resamples, confidence=confidence)
    rows = cells[:, common].sum(axis=1).astype(np.float64)
    return Rates(found[0], rows, found[1:], drawn), share


def _weighted(cells: Float64Array, weights: Float64Array) -> Float64Array:
    """Weighted means of the class rates (resamples, groups); a class without rows in a resample is left out there."""
    hits, rows = cells[:, 0], cells[:, 1]
    rates = np.divide(hits, rows, out=np.zeros_like(hits), where=rows > 0)
    shares = (rows > 0) * weights
    below = shares.sum(axis=-1)
    return np.asarray(
        np.divide((rates * shares).sum(axis=-1), below, out=np.full(below.shape, np.nan), where=below > 0)
    )


def rate_interval(grouped: Grouped, rates: Rates, group: int, effective: float) -> Interval:
    """The interval of one group's rate by the rules of workbench.metrics.intervals.

    Args:
        grouped: Rows with outcome, group and unit.
        rates: Their resamples.
        group: Number of the group.
        effective: Units behind it; see Grouped.effective_units.

    Returns:
        The interval; few rows or units change its method, or leave it out with the reason.
    """
    n = int(grouped.rows[group])
    hits = np.array([grouped.outcome[grouped.codes == group].sum()])
    trials = np.array([float(n)])
    whole = len(np.unique(grouped.units[grouped.codes == group]))
    units = min(whole, int(effective)) if effective < FEWEST_GROUPS else whole
    drawn = Drawn(n, units, grouped.clustered, rates.drawn.resamples, confidence=rates.drawn.confidence)
    return interval_of(
        "accuracy", Counts(hits, trials, trials), float(rates.values[group]), rates.resampled[:, group], drawn
    )


def only_bounds(grouped: Grouped, group: int, fewest: int, confidence: float) -> Interval:
    """What may be said of a group of too few rows: exact bounds where rows are independent, never a point.

    Args:
        grouped: Rows with outcome, group and unit.
        group: Number of the group.
        fewest: Rows that a figure needs.
        confidence: Coverage.

    Returns:
        An interval without a value, and the reason.
    """
    n = int(grouped.rows[group])
    reason = f"{n} {'row' if n == 1 else 'rows'}: below {fewest} no figure is given"
    if grouped.clustered or n == 0:
        return Interval(None, None, None, n, "none", reason, confidence)
    low, high = clopper_pearson(float(grouped.outcome[grouped.codes == group].sum()), n, confidence)
    return Interval(None, low, high, n, f"Clopper–Pearson, {n} rows", reason, confidence)


def worst_interval(rates: Rates) -> Interval:
    """The highest rate of the groups, with bounds that hold whichever group is truly the highest.

    Args:
        rates: Two or more groups.

    Returns:
        The interval.
    """
    error = np.sqrt(np.maximum(_variance(rates.resampled), _floor(rates)))
    band = _critical(np.abs(rates.resampled - rates.values) / error, rates.drawn.confidence) * error
    low, high = (rates.values - band).max(), (rates.values + band).max()
    return _interval(rates, rates.values.max(), low, high)


def gap_interval(rates: Rates) -> Interval:
    """The difference between the highest and the lowest rate, with bounds for the largest of all pairs.

    Args:
        rates: Two or more groups.

    Returns:
        The interval, in [0, 1].
    """
    low, high = _largest_apart(rates.values, rates.resampled, _floor(rates), rates.drawn.confidence)
    return _interval(rates, float(np.ptp(rates.values)), low, high)


def ratio_interval(rates: Rates) -> Interval:
    """The lowest rate divided by the highest, as fairlearn counts it: 1 where all are alike.

    Bounds come from the logarithms of rates with half a hit added (Haldane, 1956; Anscombe, 1956).

    Args:
        rates: Two or more groups.

    Returns:
        The interval, in [0, 1]; the reason where no group has a rate above 0.
    """
    if rates.values.max() <= 0:
        reason = "no group has any: a ratio of nothing to nothing does not exist"
        return Interval(None, None, None, int(rates.rows.sum()), "none", reason, rates.drawn.confidence)
    n = rates.rows
    logs, resampled = (np.log((np.asarray(one) * n + 0.5) / (n + 1)) for one in (rates.values, rates.resampled))
    low, high = _largest_apart(logs, resampled, 1 / (rates.values * n + 0.5), rates.drawn.confidence)
    return _interval(rates, rates.values.min() / rates.values.max(), np.exp(-high), np.exp(-low))


def _interval(rates: Rates, value: float, low: float, high: float) -> Interval:
    """Bounds within [0, 1] that hold the value."""
    low, high = max(0.0, min(float(low), value)), min(1.0, max(float(high), value))
    method = f"{BANDS}, {rates.drawn.method.replace(', percentiles', '')}"
    return Interval(float(value), low, high, int(rates.rows.sum()), method, "", rates.drawn.confidence)


def _floor(rates: Rates) -> Float64Array:
    """A variance for rates that never vary in the resamples, after Agresti and Coull (1998)."""
    rows = rates.rows + 4
    middle = (rates.values * rates.rows + 2) / rows
    return np.asarray(middle * (1 - middle) / rows)


def _variance(resampled: Float64Array) -> Float64Array:
    """Variance of each column; resamples without a row of the group are left out."""
    return np.asarray(np.nanvar(resampled, axis=0))


def _critical(apart: Float64Array, confidence: float) -> float:
    """How many standard errors hold all columns at once; never fewer than a single one needs."""
    return max(float(np.quantile(np.nanmax(apart, axis=1), confidence)), float(ndtri((1 + confidence) / 2)))


def _largest_apart(
    values: Float64Array, resampled: Float64Array, floor: Float64Array, confidence: float
) -> tuple[float, float]:
    """Bounds of the largest difference of all pairs.

    Args:
        values: (groups,).
        resampled: (resamples, groups).
        floor: Variance (groups,) for groups that never vary.
        confidence: Coverage.

    Returns:
        Lower bound, at least 0, and upper bound.
    """
    first, second = np.triu_indices(len(values), 1)
    still = floor * (_variance(resampled) < 1e-12)
    difference = values[first] - values[second]
    drawn = resampled[:, first] - resampled[:, second]
    error = np.sqrt(_variance(drawn) + still[first] + still[second])
    band = _critical(np.abs(drawn - difference) / error, confidence) * error
    return max(0.0, float((np.abs(difference) - band).max())), float((np.abs(difference) + band).max())
