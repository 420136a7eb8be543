"""Energy and emissions of a block of work, as a range with the class of its method.

It never goes online, writes no file, and refuses a country that codecarbon has no grid for. codecarbon is
imported when something is measured, not before.
"""

from __future__ import annotations

from workbench.carbon.countries import Grid, country_names, grid, validate_country
from workbench.carbon.measuring import Block, PerThousand, estimate, measure, per_thousand
from workbench.carbon.quantities import (
    CLASSES,
    Emission,
    Range,
    add,
    digits,
    grams,
    in_words,
    spread,
    watt_hours,
)

__all__ = [
    "CLASSES",
    "Block",
    "Emission",
    "Grid",
    "PerThousand",
    "Range",
    "add",
    "country_names",
    "digits",
    "estimate",
    "grams",
    "grid",
    "in_words",
    "measure",
    "per_thousand",
    "spread",
    "validate_country",
    "watt_hours",
]
