"""Numbers with as many digits as their interval carries, and not one more."""

from __future__ import annotations

import math


def rounded(value: float | None, low: float | None, high: float | None) -> tuple[str, str, str]:
    """A value and its bounds as text, cut where the interval makes further digits meaningless.

    Half the interval's width is kept to one or two digits by the rule of the Particle Data Group (Review of Particle
    Physics, Introduction, “Rounding”): two where its first three digits are up to 354, one up to 949, two above.
    Value and bounds get the same place. An exact value has three significant digits, one without bounds two.

    Args:
        value: ``None`` where there is none.
        low: Lower bound, or ``None``.
        high: Upper bound, or ``None``.

    Returns:
        Value, lower and upper bound; empty texts for what is not there, and for the bounds of an exact value.
    """
    if value is None or not math.isfinite(value):
        return "", "", ""
    if low is None or high is None:
        return fixed(value, _places_of(value, 2)), "", ""
    if low == high == value:
        return fixed(value, _places_of(value, 3)), "", ""
    places = _carried_places(max(high - low, abs(value - low), abs(high - value)) / 2)
    return fixed(value, places), fixed(low, places), fixed(high, places)


def fixed(value: float, places: int) -> str:
    """A number rounded at a decimal place, without an exponent; a negative place rounds tens, hundreds and so on."""
    text = f"{round(value, places):.{max(places, 0)}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _carried_places(half: float) -> int:
    """The decimal place down to which half an interval's width carries digits."""
    power = math.floor(math.log10(half))
    first_three = math.floor(half / 10.0 ** (power - 2) + 1e-9)
    if first_three < 355:
        return 1 - power
    return -power


def _places_of(value: float, keep: int) -> int:
    """The decimal place that keeps so many significant digits."""
    if value == 0:
        return 0
    places = keep - 1 - math.floor(math.log10(abs(value)))
    return keep - 1 - math.floor(math.log10(abs(round(value, places)) or 1.0))
