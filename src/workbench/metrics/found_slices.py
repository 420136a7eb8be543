"""Slices that a tree found on one half of the test, judged on the other half.

Leaves of at most half of the rows that err more than average on the half on which the tree was fitted are the
hypotheses; each is tested on the held-out half against all its other rows, one-sided, with Holm's adjustment. Only
what stands the test is reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.metrics.group_bands import rate_interval, resampled_rates
from workbench.metrics.group_tests import Grouped, above_rest
from workbench.metrics.intervals import Interval
from workbench.metrics.scores import IntArray
from workbench.metrics.slice_families import Rules
from workbench.metrics.slice_rows import ALPHA, Row, row_of
from workbench.metrics.slice_table import Part
from workbench.metrics.slices import adjust, rules_of

FOUND = "found"
MOST_SHARE = 0.5
"""A leaf with more of the rows is the rule, not a slice in which errors are concentrated."""


def score_found_slices(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Judge the leaves of every candidate's tree.

    Args:
        table: candidate, split, row, unit, half (fit, held-out), leaf, wrong.
        settings: Fields of Rules, and leaves: candidate to leaf to its words.

    Returns:
        Rows of metrics.json: found under found=* (number of slices that stood the test, with tested), and for each of
        them found:error_rate under found=<words>, with p, p_holm and rest, the error rate of all other rows.
    """
    rules = rules_of(settings)
    rows: list[Row] = []
    for split in sorted(pc.unique(table["split"]).to_pylist()):
        for candidate in pc.unique(table["candidate"]).to_pylist():
            chosen = pc.and_(pc.equal(table["split"], split), pc.equal(table["candidate"], candidate))
            lines = table.filter(chosen)
            if lines.num_rows:
                rows += _tree_rows(lines, (candidate, split), settings["leaves"][candidate], rules)
    return rows


def _tree_rows(table: pa.Table, named: tuple[str, str], words: Mapping[str, str], rules: Rules) -> Iterator[Row]:
    """What one tree found."""
    fit = pc.equal(table["half"], "fit").to_numpy(zero_copy_only=False)
    leaf, unit = table["leaf"].to_numpy(), table["unit"].to_numpy()
    wrong = table["wrong"].cast(pa.float64()).to_numpy(zero_copy_only=False)
    of_fit = [one for one in np.unique(leaf[fit]) if _is_hypothesis(leaf[fit] == one, wrong[fit])]
    _, units = np.unique(unit[~fit], return_inverse=True)
    clustered = len(np.unique(units)) < len(units)
    judged = {int(one): _against_rest(wrong[~fit], leaf[~fit] == one, units, clustered) for one in of_fit}
    asked = {one: grouped for one, grouped in judged.items() if grouped.tested(rules.fewest)[1] and grouped.rows[0]}
    p_values = [above_rest(grouped, draws=rules.draws, seed=rules.seed) for grouped in asked.values()]
    part = Part(*named, wrong[~fit], None, leaf[~fit], units, clustered, {})
    adjusted = adjust(p_values, rules.searches)
    hits = [place for place, p in enumerate(adjusted) if p is not None and p < ALPHA]
    n, method = (
        int((~fit).sum()),
        f"a tree on {int(fit.sum()):,} rows; its leaves tested on {int((~fit).sum()):,} others",
    )
    yield row_of(part, f"{FOUND}=*", FOUND, Interval(len(hits), None, None, n, method), tested=len(asked))
    for place in hits:
        one, grouped = list(asked.items())[place]
        rates = resampled_rates(grouped, resamples=rules.resamples, seed=rules.seed, confidence=rules.confidence)
        interval = rate_interval(grouped, rates, 1, grouped.effective_units()[1])
        extra = {"p": p_values[place], "p_holm": adjusted[place], "rest": float(grouped.rates[0])}
        yield row_of(part, f"{FOUND}={words[str(one)]}", f"{FOUND}:error_rate", interval, **extra)


def _is_hypothesis(inside: np.ndarray, wrong: np.ndarray) -> bool:
    """Whether a leaf is a part, at most half of the rows, that errs more than average where the tree was fitted."""
    return bool(inside.mean() <= MOST_SHARE and wrong[inside].mean() > wrong.mean())


def _against_rest(wrong: np.ndarray, inside: np.ndarray, units: IntArray, clustered: bool) -> Grouped:
    """A leaf as group 1, all other rows as group 0."""
    return Grouped(wrong, inside.astype(np.int64), 2, units, clustered)
