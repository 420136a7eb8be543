"""Energy and emissions of a block of work, as a range with the class of its method.

It never goes online, writes no file, and refuses a country that codecarbon has no grid for. codecarbon is
imported when something is measured, not before.
"""

from __future__ import annotations

from workbench.carbon.budget import Budget
from workbench.carbon.countries import Grid, country_names, grid, validate_country
from workbench.carbon.measuring import Block, PerThousand, Place, estimate, measure, per_thousand
from workbench.carbon.places import place, regions
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
    "Budget",
    "Emission",
    "Grid",
    "PerThousand",
    "Place",
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
    "place",
    "regions",
    "spread",
    "validate_country",
    "watt_hours",
]
