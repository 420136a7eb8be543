"""Where the electricity comes from: a country's grid, a region's, or a figure that the person states.

Regions are those that codecarbon has tables for: states of the USA, provinces of Canada and China, bidding zones of
Sweden, Norway and Finland. A region that is not known is refused with the nearest ones; it never becomes the country's
average without a word.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import json
from pathlib import Path
from typing import Any

from workbench.carbon.countries import Grid, country_names, grid, package_folder, version
from workbench.errors import RecipeError
from workbench.recipe.parts import Carbon

KG_PER_POUND = 0.45359237
FOLDER = "data/private_infra"
TABLES = {
    "USA": "2023/usa_emissions.json",
    "CAN": "2023/canada_energy_mix.json",
    "CHN": "2023/china_provincial_emissions.json",
    "SWE": "nordic_emissions.json",
    "NOR": "nordic_emissions.json",
    "FIN": "nordic_emissions.json",
}
NORDIC_PREFIX = {"SWE": "SE", "NOR": "NO", "FIN": "FI"}
PER_SOURCE = "carbon_intensity_per_source.json"
SOURCES = {"naturalGas": "natural_gas", "hydro": "hydroelectricity"}


def place(settings: Carbon) -> Grid:
    """The grid that a recipe names: by a figure of its own, by region, or by country.

    Args:
        settings: The recipe's part ``carbon``.

    Returns:
        The grid, with the PUE of the building on it.

    Raises:
        RecipeError: The country or the region is unknown; the nearest known ones are offered.
        MissingExtraError: codecarbon is not installed.
    """
    if settings.intensity_g_per_kwh is not None:
        name = country_names().get(settings.country, settings.country)
        stated = "stated in the recipe (carbon.intensity_g_per_kwh)"
        found = Grid(settings.country, name, settings.intensity_g_per_kwh, stated, settings.region)
    elif settings.region is not None:
        found = _regional(settings.country, settings.region)
    else:
        found = grid(settings.country)
    return dataclasses.replace(found, pue=settings.pue)


def regions(country: str) -> dict[str, float]:
    """Regions of a country that have a figure of their own, by name or code in lower case, in g/kWh.

    Args:
        country: ISO 3166 alpha-3, upper case.

    Returns:
        Empty where codecarbon has no table of the country's regions.

    Raises:
        MissingExtraError: codecarbon is not installed.
    """
    return {} if country not in TABLES else _table(country)


@functools.cache
def _table(country: str) -> dict[str, float]:
    values = _read(TABLES[country])
    if country == "USA":
        states = {name: value for name, value in values.items() if not name.startswith("_")}
        # pounds a MWh: times 0.4536 kg a pound is kg a MWh, which is g a kWh
        by_name = {name: value["emissions"] * KG_PER_POUND for name, value in states.items()}
        return by_name | {value["regionCode"].lower(): by_name[name] for name, value in states.items()}
    if country == "CAN":
        return {name: _of_mix(mix) for name, mix in values.items()}
    if country == "CHN":
        named = [([code, *value["names"]], value["emission_factor"]) for code, value in values["data"].items()]
        return {name.lower(): float(factor) for names, factor in named for name in names}
    own = NORDIC_PREFIX[country]
    zones = values["data"].items()
    return {code.lower(): float(value["emission_factor"]) for code, value in zones if code.startswith(own)}


def _of_mix(mix: dict[str, float]) -> float:
    """Grams a kWh of a mix of sources in per cent, life cycle included, as for whole countries.

    codecarbon itself counts fuels alone for Canada's provinces (Quebec 3.9 g where this gives 31). What has no figure
    of its own counts as the world's average.
    """
    each = _read(PER_SOURCE)
    shares = {name: share for name, share in mix.items() if name != "total"}
    grams = sum(
        share * float(each.get(SOURCES.get(name, name), each["world_average"])) for name, share in shares.items()
    )
    return grams / sum(shares.values())


def _read(name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((package_folder() / FOLDER / name).read_text(encoding="utf-8"))
    return values


def _regional(country: str, region: str) -> Grid:
    whole, known = grid(country), regions(country)
    found = known.get(" ".join(region.lower().split()))
    if found is None:
        raise _unknown(whole, region, known)
    source = f"codecarbon {version()}, {Path(TABLES[country]).name}, {region}"
    return Grid(country, f"{whole.name}, {region}", found, source, region)


def _unknown(whole: Grid, region: str, known: dict[str, float]) -> RecipeError:
    problem = f"carbon.region is {region!r}, and no figure is known for that part of {whole.name}."
    if not known:
        have = ", ".join(sorted(TABLES))
        right = f"Leave it out: regions are known for {have} alone."
        return RecipeError(problem, right, "Leave carbon.region out, or state carbon.intensity_g_per_kwh.")
    text = region.lower()
    near = difflib.get_close_matches(text, known, n=3, cutoff=0.5) or [name for name in known if text in name][:3]
    offered = ", ".join(near or sorted(known)[:3])
    right = f"One of {len(known)} names and codes, for example {offered}."
    return RecipeError(
        problem, right, "Write one of these, or state the grid's own figure: carbon.intensity_g_per_kwh."
    )
