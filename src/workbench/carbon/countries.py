"""The country whose grid feeds the machine: checked against codecarbon's own table, never guessed.

An unknown code would silently become the world's average (475 g/kWh against France's 56), and the online
tracker offline becomes Quebec (3.9): so a wrong code is refused here, with the nearest right ones.
"""

from __future__ import annotations

import difflib
import functools
import importlib.metadata
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import MissingExtraError, RecipeError

TABLE = "data/private_infra/global_energy_mix.json"
COMMON_NAMES = {
    **{"UK": "GBR", "US": "USA", "AMERICA": "USA", "ENGLAND": "GBR", "HOLLAND": "NLD", "UAE": "ARE"},
    **{"GER": "DEU", "SUI": "CHE", "NED": "NLD", "DEN": "DNK", "POR": "PRT", "GRE": "GRC", "CRO": "HRV", "SLO": "SVN"},
}


@dataclass(frozen=True)
class Grid:
    """Where electricity comes from.

    Attributes:
        country: ISO 3166 alpha-3 code.
        name: Of the country, or of country and region.
        intensity_g_per_kwh: Grams of CO₂-equivalents a kWh, a yearly average.
        source: Where that figure comes from.
        region: The part of the country, or ``None``.
        pue: Power usage effectiveness: what the building takes for each kWh of the machine; 1 adds nothing.
    """

    country: str
    name: str
    intensity_g_per_kwh: float
    source: str
    region: str | None = None
    pue: float = 1.0

    @property
    def kg_per_kwh(self) -> float:
        """Kilograms of CO₂-equivalents for a kWh that the machine takes, the building's share with it."""
        return self.intensity_g_per_kwh * self.pue / 1000


def package_folder() -> Path:
    """Folder of the installed codecarbon, found without importing it.

    Raises:
        MissingExtraError: codecarbon is not installed.
    """
    found = importlib.util.find_spec("codecarbon")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError("carbon", "energy and emissions")
    return Path(next(iter(found.submodule_search_locations)))


def version() -> str:
    """Version of the installed codecarbon."""
    return importlib.metadata.version("codecarbon")


@functools.cache
def country_names() -> dict[str, str]:
    """Every code that codecarbon has a grid for, with the country's name; read without importing codecarbon.

    Raises:
        MissingExtraError: codecarbon is not installed.
    """
    table = json.loads((package_folder() / TABLE).read_text(encoding="utf-8"))
    return {code: str(entry["country_name"]) for code, entry in table.items()}


def _nearest(given: str) -> list[str]:
    known = country_names()
    text = given.strip().upper()
    if text in known:
        return [text]
    by_name = {name.upper(): code for code, name in known.items()}
    found = [COMMON_NAMES[text]] if text in COMMON_NAMES else []
    found += [code for name, code in by_name.items() if len(text) > 3 and text in name]
    found += [by_name[name] for name in difflib.get_close_matches(text, by_name, n=3, cutoff=0.75)]
    if len(text) <= 4:
        found += [code for code in known if text and code.startswith(text)][:3]
        found += difflib.get_close_matches(text, known, n=3, cutoff=0.6)
    return list(dict.fromkeys(found))[:4]


def validate_country(country: str) -> str:
    """Return the code if codecarbon knows its grid.

    Args:
        country: ISO 3166 alpha-3, upper case, for example ``FRA``.

    Raises:
        RecipeError: The code is unknown; the nearest known ones are offered.
        MissingExtraError: codecarbon is not installed.
    """
    known = country_names()
    if country in known:
        return country
    offered = [f"{code} ({known[code]})" for code in _nearest(str(country))]
    nearest = f"nearest {', '.join(offered)}" if offered else "for example FRA (France)"
    raise RecipeError(
        f"carbon.country is {country!r}, and no grid is known under that code.",
        f"An ISO 3166 alpha-3 code in upper case, one of the {len(known)} in codecarbon's table: {nearest}.",
        "Write the code of the country whose electricity this machine uses: --set carbon.country="
        + (offered[0][:3] if offered else "FRA")
        + " (or state the grid's own figure: carbon.intensity_g_per_kwh).",
    )


@functools.cache
def grid(country: str) -> Grid:
    """The grid of a country as codecarbon itself counts it.

    Args:
        country: ISO 3166 alpha-3, upper case.

    Raises:
        RecipeError: The code is unknown.
        MissingExtraError: codecarbon is not installed.
    """
    validate_country(country)
    entry = json.loads((package_folder() / TABLE).read_text(encoding="utf-8"))[country]
    source = f"codecarbon {version()}, {Path(TABLE).name}, {entry['country_name']}, {entry['year']}"
    return Grid(country, str(entry["country_name"]), float(entry["carbon_intensity"]), source)
