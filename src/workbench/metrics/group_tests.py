"""Do groups differ in their error rate at all, and how large a difference would be found?

The test asks every group against all other rows and takes the largest difference in standard errors, so that the
number of groups is accounted for. Independent rows: the group labels are permuted, which is exact. Rows that share a
unit (a patient, a category): the units' scores change sign at random, with the hypothesis of no difference imposed
(the wild bootstrap for clusters, Cameron, Gelbach and Miller, 2008). Single-step adjustment after Westfall and Young
(1993). It refuses groups that too few rows or units stand behind; it says nothing about why groups differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import hypergeom

from workbench.metrics.intervals import FEWEST_GROUPS
from workbench.metrics.scores import Float64Array, IntArray

Mask = npt.NDArray[np.bool_]
_SIGNS = 8_000_000
"""Random signs held at a time (32 MB in single precision)."""
MARGIN = 1.05
"""By how much the power calculation widens standard errors, for the draws' own noise and the normal approximation."""


@dataclass(frozen=True)
class Grouped:
    """Rows with an outcome and a group.

    Attributes:
        outcome: 0 or 1, or a share over seeds (rows,): wrong, abstained.
        codes: Number of each row's group, 0 to groups - 1 (rows,).
        groups: Number of groups.
        units: Number of each row's independent unit, from 0 (rows,).
        clustered: Whether units hold several rows.
    """

    outcome: Float64Array
    codes: IntArray
    groups: int
    units: IntArray
    clustered: bool

    @property
    def rows(self) -> Float64Array:
        """Rows of each group (groups,)."""
        return np.bincount(self.codes, minlength=self.groups).astype(np.float64)

    @property
    def rates(self) -> Float64Array:
        """Mean outcome of each group (groups,); NaN where it has no row."""
        hits, rows = np.bincount(self.codes, weights=self.outcome, minlength=self.groups), self.rows
        return np.asarray(np.divide(hits, rows, out=np.full(self.groups, np.nan), where=rows > 0))

    def effective_units(self) -> Float64Array:
        """Units behind each group (groups,), a large one counting for fewer (Kish, 1965): (sum n)² / sum n²."""
        pairs, sizes = np.unique(self.codes.astype(np.int64) * (self.units.max() + 1) + self.units, return_counts=True)
        of = pairs // (self.units.max() + 1)
        above = np.bincount(of, weights=sizes, minlength=self.groups) ** 2
        below = np.bincount(of, weights=sizes.astype(np.float64) ** 2, minlength=self.groups)
        return np.divide(above, below, out=np.zeros(self.groups), where=below > 0)

    def tested(self, fewest: int) -> Mask:
        """Groups with enough rows and, where clustered, enough units to be compared (groups,)."""
        enough = self.rows >= fewest
        return enough & (self.effective_units() >= FEWEST_GROUPS) if self.clustered else enough


@dataclass(frozen=True)
class GroupTest:
    """Whether groups differ.

    Attributes:
        p: Of “no group differs from the others”; None where it cannot be asked.
        of_group: p of each group against all other rows, adjusted for the number of groups (groups,); NaN untested.
        above: Whether each group lies above all other rows (groups,).
        null_gap: The gap that chance alone gives on average, between the tested groups.
        null_gap_high: The gap that chance alone exceeds in one of twenty cases.
        method: The test in words.
        reason: Why p is None, else empty.
    """

    p: float | None
    of_group: Float64Array
    above: Mask
    null_gap: float | None
    null_gap_high: float | None
    method: str
    reason: str = ""


def difference_test(grouped: Grouped, *, fewest: int = 30, draws: int = 4_999, seed: int = 0) -> GroupTest:
    """Test whether any group's error rate differs from that of all other rows.

    Args:
        grouped: Rows with outcome, group and unit.
        fewest: Rows that a group needs to be tested; rows of smaller groups stay among “all other rows”.
        draws: Permutations, or draws of signs; the smallest p is 1 / (draws + 1).
        seed: Seed of the draws.

    Returns:
        The test, or the reason why there is none.
    """
    tested = grouped.tested(fewest) if len(grouped.codes) else np.zeros(grouped.groups, dtype=bool)
    nothing = np.full(grouped.groups, np.nan)
    reason = _why_not(grouped, tested, fewest)
    if reason:
        return GroupTest(None, nothing, np.zeros(grouped.groups, dtype=bool), None, None, "none", reason)
    binary = bool(np.isin(grouped.outcome, (0.0, 1.0)).all())
    by_rows = not grouped.clustered and binary
    drawn = _permuted(grouped, tested, draws, seed) if by_rows else _flipped(grouped, tested, draws, seed)
    observed, above, largest, gaps = drawn
    p_of = (1 + (largest[:, None] >= observed[None, :] - 1e-9).sum(axis=0)) / (draws + 1)
    nothing[tested] = p_of
    what = f"{len(grouped.codes):,} rows" if by_rows else f"{int(grouped.units.max()) + 1:,} units"
    kind = "permutation of the group labels" if by_rows else "signs of the units drawn at random"
    return GroupTest(
        float(p_of.min()),
        nothing,
        above,
        float(gaps.mean()),
        float(np.quantile(gaps, 0.95)),
        f"largest difference of a group from all other rows, {kind}, {draws:,} draws, {what}",
    )


def _why_not(grouped: Grouped, tested: Mask, fewest: int) -> str:
    """Why groups cannot be compared, or nothing."""
    if tested.sum() < 1 or len(np.unique(grouped.codes)) < 2 or (tested.sum() == 1 and grouped.groups == 1):
        units = f" in {FEWEST_GROUPS} or more units" if grouped.clustered else ""
        return f"{int(tested.sum())} groups have {fewest} or more rows{units}; two are needed"
    if tested.sum() == 1:
        return f"only one group has {fewest} or more rows; two are needed"
    if np.ptp(grouped.outcome) == 0:
        return "every row has the same outcome: there is nothing in which groups could differ"
    return ""


Drawn = tuple[Float64Array, Mask, Float64Array, Float64Array]


def _permuted(grouped: Grouped, tested: Mask, draws: int, seed: int) -> Drawn:
    """Observed statistics, sides, and of each permutation the largest statistic and the gap.

    Permuting labels over rows draws the errors of the groups from a multivariate hypergeometric distribution.
    """
    n, total = grouped.rows, len(grouped.codes)
    wrong = int(grouped.outcome.sum())
    hits: Float64Array = np.bincount(grouped.codes, weights=grouped.outcome, minlength=grouped.groups).astype(
        np.float64
    )
    generator = np.random.default_rng(seed)
    colours = n.astype(np.int64)
    found = generator.multivariate_hypergeometric(colours, wrong, size=draws, method="marginals").astype(np.float64)
    n, hits, found = n[tested], hits[tested], found[:, tested]
    p = wrong / total
    error = np.sqrt(p * (1 - p) * (1 / n + 1 / (total - n)))

    def apart(x: Float64Array) -> Float64Array:
        return np.asarray((x / n - (wrong - x) / (total - n)) / error)

    observed = apart(hits)
    above = np.zeros(grouped.groups, dtype=bool)
    above[tested] = observed > 0
    return np.abs(observed), above, np.abs(apart(found)).max(axis=1), np.ptp(found / n, axis=1)


def _flipped(grouped: Grouped, tested: Mask, draws: int, seed: int) -> Drawn:
    """As _permuted, for units of several rows: their sums of residuals change sign together."""
    units = int(grouped.units.max()) + 1
    rows, total = grouped.rows, len(grouped.codes)
    residual = grouped.outcome - grouped.outcome.mean()
    at = grouped.units.astype(np.int64) * grouped.groups + grouped.codes
    sums = np.bincount(at, weights=residual, minlength=units * grouped.groups).reshape(units, grouped.groups)
    of_unit = sums.sum(axis=1, keepdims=True)
    inside = sums[:, tested] / rows[tested]
    scores = inside - (of_unit - sums[:, tested]) / (total - rows[tested])
    error = np.sqrt((scores**2).sum(axis=0))
    error[error == 0] = np.inf
    observed = scores.sum(axis=0) / error
    above = np.zeros(grouped.groups, dtype=bool)
    above[tested] = observed > 0
    largest, gaps = [], []
    for signs in _signs(units, draws, seed):
        largest.append(np.abs(signs @ scores.astype(np.float32) / error).max(axis=1))
        gaps.append(np.ptp(signs @ inside.astype(np.float32), axis=1))
    return np.abs(observed), above, np.concatenate(largest), np.concatenate(gaps)


def _signs(units: int, draws: int, seed: int) -> Iterator[npt.NDArray[np.float32]]:
    """Random signs in pieces (piece, units)."""
    generator = np.random.default_rng(seed)
    step = max(1, _SIGNS // units)
    for start in range(0, draws, step):
        size = (min(step, draws - start), units)
        yield generator.integers(0, 2, size=size, dtype=np.int8).astype(np.float32) * 2 - 1


def above_rest(grouped: Grouped, *, draws: int = 4_999, seed: int = 0) -> float:
    """One-sided p of “group 1 errs no more than group 0”.

    Independent rows: the hypergeometric tail (Fisher's exact test). Units of several rows: random signs.

    Args:
        grouped: Rows of two groups, both with rows.
        draws: Draws of signs.
        seed: Seed of the draws.

    Returns:
        p in (0, 1]; 1 where all outcomes are the same.
    """
    if np.ptp(grouped.outcome) == 0:
        return 1.0
    inside = grouped.codes == 1
    if not grouped.clustered:
        wrong, hits = int(grouped.outcome.sum()), int(grouped.outcome[inside].sum())
        return float(hypergeom.sf(hits - 1, len(inside), wrong, int(inside.sum())))
    tested = np.array([False, True])
    observed, above, largest, _ = _flipped(grouped, tested, draws, seed)
    two_sided = (1 + (largest >= observed[0] - 1e-9).sum()) / (draws + 1)
    return float(two_sided / 2 if above[1] else 1 - two_sided / 2)


def design_effect(grouped: Grouped, group: int) -> float:
    """How much the units widen the variance of a group's difference from all other rows (Kish, 1965); at least 1.

    Args:
        grouped: Rows with outcome, group and unit.
        group: Number of the group; neither it nor the rest is empty.

    Returns:
        The variance over units divided by that of independent rows.
    """
    inside = grouped.codes == group
    part = (grouped.outcome - grouped.outcome.mean()) * np.where(inside, 1 / inside.sum(), -1 / (~inside).sum())
    by_row = float((part**2).sum())
    by_unit = float((np.bincount(grouped.units, weights=part) ** 2).sum())
    return max(1.0, by_unit / by_row) if by_row > 0 else 1.0


def smallest_gap(
    n_group: float,
    n_rest: float,
    rate: float,
    *,
    comparisons: int = 1,
    alpha: float = 0.05,
    power: float = 0.95,
    design: float = 1.0,
) -> float | None:
    """The smallest excess of one group's error rate over the others' that the test finds with the given power.

    Normal approximation with the continuity correction that fits exact tests (Casagrande, Pike and Smith, 1978); the
    level is shared out over the comparisons (Bonferroni). Standard errors are widened by MARGIN: without it simulated
    tests find the gap in 94 to 95 of 100 runs. A little pessimistic, that is, on purpose.

    Args:
        n_group: Rows of the group, above 0.
        n_rest: All other rows, above 0.
        rate: Error rate of the others, in [0, 1).
        comparisons: Groups compared times tests made.
        alpha: Two-sided level of all comparisons together.
        power: Chance of finding it.
        design: Design effect; rows count for this many times fewer.

    Returns:
        The difference as a share; None where even a group that is always wrong would not be found.

    Raises:
        ValueError: If a number lies outside its range.
    """
    if n_group <= 0 or n_rest <= 0 or not 0 <= rate < 1 or comparisons < 1 or design < 1:
        raise ValueError(f"rows must be above 0 and the rate in [0, 1); got {n_group}, {n_rest}, {rate}")
    n, m = n_group / design, n_rest / design
    level, chance = float(ndtri(1 - alpha / (2 * comparisons))), float(ndtri(power))

    def spare(gap: float) -> float:
        group = rate + gap
        pooled = (n * group + m * rate) / (n + m)
        null = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        real = np.sqrt(group * (1 - group) / n + rate * (1 - rate) / m)
        return float(gap - MARGIN * (level * null + chance * real) - (1 / n + 1 / m) / 2)

    if spare(1 - rate) < 0:
        return None
    below, above = 0.0, 1 - rate
    while above - below > 1e-7:
        middle = (below + above) / 2
        below, above = (below, middle) if spare(middle) >= 0 else (middle, above)
    return above
