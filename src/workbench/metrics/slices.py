"""For whom a candidate fails: error rates by group with gap, ratio and worst group, and whether they differ at all.

Rows of one group stand under the slice `attribute=value`, figures over all values under `attribute=*`. A group is
called worse only where the test of any difference, adjusted for all attributes and intersections (Holm), says so. No
point figure is given below 30 rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from workbench.metrics.group_bands import only_bounds, rate_interval, resampled_rates
from workbench.metrics.group_tests import difference_test
from workbench.metrics.paired import holm
from workbench.metrics.slice_families import Rules, families_of
from workbench.metrics.slice_rows import ERROR, Row, Tested, family_rows, row_of
from workbench.metrics.slice_table import Part, parts


def rules_of(settings: Mapping[str, Any]) -> Rules:
    """The rules in the settings of the evidence.

    Args:
        settings: Fields of Rules; others are not looked at.
    """
    return Rules(**{name: settings[name] for name in Rules.__dataclass_fields__ if name in settings})


def score_slices(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Score every candidate on every split by its groups.

    Args:
        table: From slice_table.
        settings: Fields of Rules; others are not looked at.

    Returns:
        Rows of metrics.json: error_rate, standardised:error_rate and abstained of each group, error_rate of all rows;
        gap: of them, ratio: and worst:error_rate over each attribute and pair. gap:error_rate holds p and p_holm of
        “no difference at all”, null and null_high (the gap by chance: mean, 95 %), detectable (the excess that is found
        with a power of .95), test, groups, too_few, left_out; worst:error_rate holds worst where a group may be named;
        a group's error_rate its p, p_holm and above.
    """
    rules = rules_of(settings)
    return [row for part in parts(table) for row in _part_rows(part, rules)]


def _part_rows(part: Part, rules: Rules) -> Iterator[Row]:
    """The rows of one candidate on one split."""
    everyone = part.grouped(np.zeros(len(part.wrong), dtype=np.int64), 1)
    if len(part.wrong) < rules.fewest:
        yield row_of(part, "all", ERROR, only_bounds(everyone, 0, rules.fewest, rules.confidence))
    else:
        rates = resampled_rates(everyone, resamples=rules.resamples, seed=rules.seed, confidence=rules.confidence)
        yield row_of(part, "all", ERROR, rate_interval(everyone, rates, 0, everyone.effective_units()[0]))
    for tested in tested_families(part, rules):
        yield from family_rows(part, tested, rules)


def tested_families(part: Part, rules: Rules) -> list[Tested]:
    """Test every attribute and intersection for differences, and adjust p for all of them together.

    Args:
        part: One candidate on one split.
        rules: How it is tested.

    Returns:
        Groups with their tests, attributes first.
    """
    families = list(families_of(part, rules))
    grouped = [part.grouped(family.codes, len(family.values)) for family in families]
    tests = [difference_test(one, fewest=rules.fewest, draws=rules.draws, seed=rules.seed) for one in grouped]
    asked = sum(test.p is not None for test in tests)
    adjusted = adjust([test.p for test in tests], rules.searches)
    together = zip(families, grouped, tests, adjusted, strict=True)
    return [Tested(family, one, test, p_holm, asked) for family, one, test, p_holm in together]


def adjust(p_values: Sequence[float | None], searches: int) -> list[float | None]:
    """Adjust the p of several tests (Holm, 1979), and for sharing the level with other searches (Bonferroni).

    Args:
        p_values: None for a test that was not made.
        searches: Number of searches, this one included.

    Returns:
        Adjusted ones, at most 1.
    """
    known = iter(holm([p for p in p_values if p is not None]))
    return [None if p is None else min(1.0, searches * next(known)) for p in p_values]
