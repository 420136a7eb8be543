"""How far two ways to label agree beyond chance: Cohen's kappa with an interval that knows of groups.

Rows of one group are not independent, so variances are summed over groups and proportions get the exact interval of
an effective number of rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.metrics.intervals import FEWEST_GROUPS, Interval, clopper_pearson

Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.integer]
Groups = npt.NDArray[Any]
FEWEST = 30
"""Below this many rows no point figure is given."""


def cohen_kappa(labels: Labels, said: Labels, n_classes: int) -> float:
    """Agreement beyond chance (Cohen, 1960): 1 is full agreement, 0 what unrelated answers would reach.

    Args:
        labels: Given classes, shape ``(rows,)``.
        said: The other's classes, shape ``(rows,)``.
        n_classes: Number of classes.

    Returns:
        Kappa, at most 1; NaN where there are no rows or both name one class alone, so that chance agrees fully.
    """
    if not len(labels):
        return float("nan")
    given, other = _shares(labels, n_classes), _shares(said, n_classes)
    chance = float((given * other).sum())
    return float("nan") if chance >= 1 - 1e-12 else (float((labels == said).mean()) - chance) / (1 - chance)


def kappa_interval(
    labels: Labels, said: Labels, n_classes: int, *, groups: Groups | None = None, confidence: float = 0.95
) -> Interval:
    """Kappa with its interval, by linearisation summed over groups; with rows alone it is Fleiss, Cohen and Everitt's.

    Each row's influence on kappa is summed within its group; the variance of these sums and Student's t with one less
    than the number of groups give the bounds (Fleiss, Cohen and Everitt 1969; cluster form: Liang and Zeger 1986). Full
    agreement has no variance: it gets the exact bound of the agreement, mapped through chance.

    Args:
        labels: Given classes, shape ``(rows,)``.
        said: The other's classes, shape ``(rows,)``.
        n_classes: Number of classes.
        groups: The group of each row, or ``None``.
        confidence: Coverage.

    Returns:
        The interval; below 30 rows bounds without a point, below 10 groups a point without bounds, each with its
        reason.
    """
    from scipy.stats import t

    rows, value = len(labels), cohen_kappa(labels, said, n_classes)
    if not np.isfinite(value):
        return Interval(None, None, None, rows, "none", "no rows" if not rows else "both name one class alone")
    sums = _sums(_influence(labels, said, n_classes), groups)
    units, where = len(sums), f"{rows:,} rows" if groups is None else f"{len(sums):,} groups ({rows:,} rows)"
    if units < FEWEST_GROUPS:
        reason = f"only {units} {'rows' if groups is None else 'groups'}: fewer than {FEWEST_GROUPS} say too little"
        return Interval(value if rows >= FEWEST else None, None, None, rows, "none", reason, confidence)
    spread = float(np.sqrt((sums**2).sum() * units / (units - 1))) / rows
    reach = float(t.ppf((1 + confidence) / 2, units - 1)) * spread
    low, high = max(-1.0, value - reach), min(1.0, value + reach)
    if spread < 1e-12 and not (labels == said).all():
        reason = "one of the two always names the same class: kappa is 0 whatever the other says"
        return Interval(value if rows >= FEWEST else None, None, None, rows, "none", reason, confidence)
    if spread < 1e-12:
        chance = _chance(labels, said, n_classes)
        hits = float((labels == said).mean()) * units
        low, high = (float((one - chance) / (1 - chance)) for one in clopper_pearson(hits, units, confidence))
    method = f"linearised kappa, {where}"
    if rows < FEWEST:
        return Interval(None, low, high, rows, method, f"{rows} rows: below {FEWEST} no figure is given", confidence)
    return Interval(value, low, high, rows, method, "", confidence)


def share_interval(hits: npt.NDArray[np.bool_], *, groups: Groups | None = None, confidence: float = 0.95) -> Interval:
    """A share of rows with the exact interval of as many independent rows as the groups leave.

    Clopper and Pearson's bounds on the effective number of rows (Korn and Graubard 1998): rows divided by the design
    effect, which is never taken to be below 1.

    Args:
        hits: Which rows count, shape ``(rows,)``.
        groups: The group of each row, or ``None``.
        confidence: Coverage.

    Returns:
        The interval; below 30 rows bounds without a point, below 10 groups a point without bounds, each with its
        reason.
    """
    rows = len(hits)
    if not rows:
        return Interval(None, None, None, 0, "none", "no rows", confidence)
    share, effective = float(hits.mean()), float(rows)
    if groups is not None:
        sums = _sums(np.asarray(hits - share, dtype=np.float64), groups)
        units = len(sums)
        if units < FEWEST_GROUPS:
            reason = f"only {units} groups: fewer than {FEWEST_GROUPS} say too little about other groups"
            return Interval(share if rows >= FEWEST else None, None, None, rows, "none", reason, confidence)
        plain = share * (1 - share) * rows
        effect = float((sums**2).sum()) * units / (units - 1) / plain if plain > 0 else rows / units
        effective = rows / max(1.0, effect)
    low, high = clopper_pearson(min(share * effective, effective), effective, confidence)
    method = f"Clopper–Pearson, {rows:,} rows"
    method += f" ({effective:,.0f} effective)" if groups is not None else ""
    if rows < FEWEST:
        return Interval(None, low, high, rows, method, f"{rows} rows: below {FEWEST} no figure is given", confidence)
    return Interval(share, min(low, share), max(high, share), rows, method, "", confidence)


def _shares(labels: Labels, n_classes: int) -> Doubles:
    found: Doubles = np.bincount(labels, minlength=n_classes) / len(labels)
    return found


def _chance(labels: Labels, said: Labels, n_classes: int) -> float:
    """Agreement that answers with these shares would reach by chance."""
    return float((_shares(labels, n_classes) * _shares(said, n_classes)).sum())


def _influence(labels: Labels, said: Labels, n_classes: int) -> Doubles:
    """How much each row moves kappa, shape ``(rows,)``; they sum to 0."""
    given, other = _shares(labels, n_classes), _shares(said, n_classes)
    chance, agreed = float((given * other).sum()), labels == said
    observed = float(agreed.mean())
    found: Doubles = (agreed - observed) / (1 - chance)
    found -= (1 - observed) / (1 - chance) ** 2 * (other[labels] + given[said] - 2 * chance)
    return found


def _sums(values: Doubles, groups: Groups | None) -> Doubles:
    """Values summed within groups; as they are without groups."""
    if groups is None:
        return values
    _, places = np.unique(groups, return_inverse=True)
    return np.asarray(np.bincount(places, weights=values), dtype=np.float64)
