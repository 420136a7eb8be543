"""Where the electricity comes from: a stated figure, a region, a country, and the building's PUE."""

from __future__ import annotations

import pytest

pytest.importorskip("codecarbon")

from workbench.carbon import estimate, grid, place, regions
from workbench.errors import RecipeError
from workbench.recipe.parts import Carbon


def test_a_country_alone_is_its_yearly_average() -> None:
    assert place(Carbon(country="FRA")) == grid("FRA")


def test_a_stated_intensity_goes_before_every_table_even_for_a_place_without_one() -> None:
    found = place(Carbon(country="XKX", intensity_g_per_kwh=12.5, pue=1.4))
    assert found.kg_per_kwh == pytest.approx(0.0175)
    assert "stated" in found.source


@pytest.mark.parametrize(
    ("country", "region", "grams"),
    [
        ("USA", "Alabama", 713.976 * 0.45359237),
        ("USA", "al", 713.976 * 0.45359237),
        ("SWE", "SE3", 27.0),
        ("CHN", "Beijing", 555.4),
    ],
)
def test_a_region_has_its_own_figure(country: str, region: str, grams: float) -> None:
    found = place(Carbon(country=country, region=region))
    assert found.intensity_g_per_kwh == pytest.approx(grams)
    assert region in found.name


def test_a_canadian_province_is_the_mean_of_its_sources() -> None:
    by_hand = (8.6 * 743 + 50.1 * 29 + 0.1 * 816 + 1.0 * 230 + 5.2 * 48 + 11.7 * 26 + 23.4 * 26) / 100.1
    assert regions("CAN")["ontario"] == pytest.approx(by_hand, rel=1e-6)


def test_states_and_zones_are_those_that_codecarbon_counts_with() -> None:
    from codecarbon.core.emissions import Emissions
    from codecarbon.core.units import Energy
    from codecarbon.external.geography import GeoMetadata
    from codecarbon.input import DataSource

    theirs = Emissions(DataSource())
    for country, region in (("USA", "texas"), ("NOR", "NO2")):
        geo = GeoMetadata(country_iso_code=country, country_name=country, region=region)
        counted = theirs.get_private_infra_emissions(Energy.from_energy(kWh=1.0), geo)
        assert regions(country)[region.lower()] == pytest.approx(1000 * counted, rel=1e-3)


@pytest.mark.parametrize(("country", "region", "offered"), [("USA", "Texs", "texas"), ("FRA", "Bretagne", "FRA alone")])
def test_an_unknown_region_is_refused_and_never_becomes_the_country(country: str, region: str, offered: str) -> None:
    with pytest.raises(RecipeError) as refused:
        place(Carbon(country=country, region=region))
    assert region in refused.value.problem
    if country == "USA":
        assert offered in refused.value.would_be_right
    else:
        assert "Leave it out" in refused.value.would_be_right
    assert "intensity_g_per_kwh" in refused.value.what_to_do


def test_an_unknown_country_is_refused_with_the_nearest_and_with_another_way() -> None:
    with pytest.raises(RecipeError) as refused:
        place(Carbon(country="GER"))
    assert "DEU (Germany)" in refused.value.would_be_right
    assert "intensity_g_per_kwh" in refused.value.what_to_do


def test_the_building_takes_its_share_of_the_grams_and_none_of_the_machines_energy() -> None:
    plain, cooled = (estimate(60.0, place(Carbon(country="FRA", pue=pue))) for pue in (1.0, 1.5))
    assert cooled.energy_kwh == plain.energy_kwh
    assert cooled.emissions_kg.central == pytest.approx(1.5 * plain.emissions_kg.central)
    assert cooled.method["pue"] == 1.5
    earlier = cooled.with_earlier(60.0, 0.001)
    assert earlier.emissions_kg.central / earlier.energy_kwh.central == pytest.approx(1.5 * 56.039 / 1000, rel=0.05)


def test_prices_need_a_currency() -> None:
    with pytest.raises(ValueError, match="currency: EUR"):
        Carbon(country="FRA", kwh_price=0.25)
