"""The country that the machine's settings name: a proposal for a recipe, for a person to confirm."""

from __future__ import annotations

import locale
import os

COUNTRIES = dict(
    pair.split("-")
    for pair in "AT-AUT AU-AUS BE-BEL BG-BGR BR-BRA CA-CAN CH-CHE CN-CHN CY-CYP CZ-CZE DE-DEU DK-DNK EE-EST ES-ESP "
    "FI-FIN FR-FRA GB-GBR GR-GRC HR-HRV HU-HUN IE-IRL IN-IND IT-ITA JP-JPN KR-KOR LT-LTU LU-LUX LV-LVA MT-MLT MX-MEX "
    "NL-NLD NO-NOR NZ-NZL PL-POL PT-PRT RO-ROU SE-SWE SI-SVN SK-SVK TR-TUR UA-UKR US-USA ZA-ZAF".split()
)
"""ISO alpha-2 to alpha-3."""


def local_country() -> str:
    """ISO alpha-3 code of the locale's country; empty where the locale does not say it."""
    named = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    place = (named or locale.getlocale()[0] or "").split(".")[0].rpartition("_")[2]
    return COUNTRIES.get(place.upper(), "")
