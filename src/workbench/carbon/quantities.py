"""Energy and emissions as quantities: a range instead of a number, with the class of its method.

Kept free of codecarbon and of every heavy library, so that a report can read and word them years later.
It refuses to show more digits than a method has: two at most for classes C and D.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

FORMULA_SPREAD = math.sqrt(5.0)
METER_ERROR = 0.40
CLASSES = {
    "A": "read from a meter",
    "B": "counted by the hardware (RAPL, NVML), memory estimated",
    "C": "estimated from the processor's rated power and its load",
    "D": "a guess: the processor's rated power is not known",
}
RULES = {
    "A": "± 2 %, the accuracy of a household plug meter",
    "B": "low: what the hardware counted; high: 40 % more, for what counters do not see (published errors)",
    "C": "divided and multiplied by √5: codecarbon's three formulas without RAPL differ 2.0 to 5.0 times",
    "D": "divided and multiplied by 1.4 √5: codecarbon's three formulas without RAPL differ 2.0 to 5.0 times, "
    "and published errors reach 40 %",
}


@dataclass(frozen=True)
class Range:
    """A quantity that is known from ``low`` to ``high``, with ``central`` as the best single figure."""

    low: float
    central: float
    high: float

    def times(self, factor: float) -> Range:
        """The range in another unit, or of ``factor`` such things; ``factor`` is not negative."""
        return Range(self.low * factor, self.central * factor, self.high * factor)

    def plus(self, other: Range) -> Range:
        """The sum, ends added to ends: errors of one method on one machine all point the same way."""
        return Range(self.low + other.low, self.central + other.central, self.high + other.high)

    def to_json(self) -> dict[str, float]:
        """The three figures by name."""
        return {"low": self.low, "central": self.central, "high": self.high}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Range:
        """Read what ``to_json`` wrote."""
        return cls(float(value["low"]), float(value["central"]), float(value["high"]))


ZERO = Range(0.0, 0.0, 0.0)


def spread(central: float, class_: str, counted: float | None = None) -> Range:
    """Put the uncertainty of a method around its figure.

    Classes C and D: codecarbon 3.3.2 has three formulas for a machine without RAPL (load times rated power;
    a cubic of the load; half the rated power), and they differ 2.0 to 5.0 times on the same work. Nothing
    says which one is right, so the range is ``central`` divided and multiplied by √5: its ends are the
    full 5.0 apart. For class D the rated power itself is a guess, and the 40 % that published comparisons
    with a wattmeter reach is multiplied on top (ends 9.8 apart). Class B: from what the hardware counted
    (``counted``, without the estimate for memory) to 40 % above the figure. Class A: ± 2 %.

    Args:
        central: The best single figure, in any unit, not negative.
        class_: ``A``, ``B``, ``C`` or ``D``.
        counted: For class B, the part that hardware counters gave, same unit; ``None`` means all of it.

    Returns:
        Low, central and high in the unit of ``central``.

    Raises:
        ValueError: The class is none of the four.
    """
    if class_ == "A":
        return Range(central * 0.98, central, central * 1.02)
    if class_ == "B":
        return Range(central if counted is None else min(counted, central), central, central * (1 + METER_ERROR))
    if class_ not in CLASSES:
        raise ValueError(f"The class of a method is A, B, C or D, not {class_!r}.")
    factor = FORMULA_SPREAD * (1 + METER_ERROR if class_ == "D" else 1.0)
    return Range(central / factor, central, central * factor)


@dataclass(frozen=True)
class Emission:
    """Energy and emissions of one block of work.

    Attributes:
        stage: What was done.
        candidate: For which candidate, or ``None``.
        seconds: Wall time.
        energy_kwh: Electricity of this process and its children, in kWh.
        emissions_kg: CO₂-equivalents, in kg: energy times PUE times the grid's intensity. Only the uncertainty of
            energy is in the range; the grid's intensity is a yearly average and varies by the hour.
        class_: ``A`` meter, ``B`` RAPL or NVML, ``C`` rated power times load, ``D`` guess.
        method: Hardware descriptions, watts, mode, source, grid intensity in g/kWh and its source.
        reused_from: Digest or run in which this was spent, where the stage was reused; else ``None``.
    """

    stage: str
    candidate: str | None
    seconds: float
    energy_kwh: Range
    emissions_kg: Range
    class_: str
    method: Mapping[str, Any] = field(default_factory=dict)
    reused_from: str | None = None

    def to_json(self) -> dict[str, Any]:
        """One entry of ``emissions.json``."""
        return {
            "stage": self.stage,
            "candidate": self.candidate,
            "seconds": self.seconds,
            "energy_kwh": self.energy_kwh.to_json(),
            "emissions_kg": self.emissions_kg.to_json(),
            "class": self.class_,
            "method": dict(self.method),
            "reused_from": self.reused_from,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Emission:
        """Read one entry of ``emissions.json``."""
        return cls(
            stage=value["stage"],
            candidate=value.get("candidate"),
            seconds=float(value["seconds"]),
            energy_kwh=Range.from_json(value["energy_kwh"]),
            emissions_kg=Range.from_json(value["emissions_kg"]),
            class_=value["class"],
            method=value.get("method") or {},
            reused_from=value.get("reused_from"),
        )

    def reused(self, source: str) -> Emission:
        """The same emission carried into another run, which did not spend it again.

        Args:
            source: The digest or run in which it was spent; an earlier ``reused_from`` is kept.
        """
        return dataclasses.replace(self, reused_from=self.reused_from or source)

    @property
    def _kg_per_kwh(self) -> float:
        return float(self.method["intensity_g_per_kwh"]) * float(self.method.get("pue", 1.0)) / 1000

    def with_earlier(self, seconds: float, energy_kwh: float) -> Emission:
        """Add what was spent on the same block before it was killed and taken up again.

        Args:
            seconds: Wall time of the earlier attempts.
            energy_kwh: Their electricity, in kWh.
        """
        energy = self.energy_kwh.plus(spread(energy_kwh, self.class_))
        method = {**self.method, "earlier": {"seconds": seconds, "energy_kwh": energy_kwh}}
        return dataclasses.replace(
            self,
            seconds=self.seconds + seconds,
            energy_kwh=energy,
            emissions_kg=energy.times(self._kg_per_kwh),
            method=method,
        )

    def metered(self, energy_kwh: float) -> Emission:
        """Put a wattmeter's reading in the place of the estimate.

        Args:
            energy_kwh: What the meter counted for this block, in kWh, not negative.

        Raises:
            ValueError: The reading is negative or not a number.
        """
        if not (math.isfinite(energy_kwh) and energy_kwh >= 0):
            raise ValueError(f"A meter's reading is zero or more kWh, not {energy_kwh}.")
        energy = spread(energy_kwh, "A")
        method = {**self.method, "source": "wattmeter reading, typed in", "estimate_kwh": self.energy_kwh.central}
        return dataclasses.replace(
            self, energy_kwh=energy, emissions_kg=energy.times(self._kg_per_kwh), class_="A", method=method
        )


def add(emissions: Iterable[Emission], stage: str = "total") -> Emission:
    """Add emissions up; the weakest method among them is the sum's class.

    Blocks that overlapped in time each counted the whole process: do not add those.

    Args:
        emissions: Any number of them; of none, the sum is zero with class ``A``.
        stage: Name of the sum.

    Returns:
        The sum; ``method`` says of how many parts, and how many were reused.
    """
    parts = list(emissions)
    energy, grams = ZERO, ZERO
    for part in parts:
        energy, grams = energy.plus(part.energy_kwh), grams.plus(part.emissions_kg)
    return Emission(
        stage=stage,
        candidate=None,
        seconds=sum(part.seconds for part in parts),
        energy_kwh=energy,
        emissions_kg=grams,
        class_=max((part.class_ for part in parts), default="A"),
        method={"parts": len(parts), "reused": sum(part.reused_from is not None for part in parts)},
    )


def digits(value: float, class_: str) -> str:
    """A figure with as many digits as its method has: two significant ones for C and D, three for A and B."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    keep = 2 if class_ in ("C", "D") else 3
    places = keep - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    places = keep - 1 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:,.{max(places, 0)}f}"


def in_words(value: Range, unit: str, class_: str) -> str:
    """A range as a person reads it, for example ``0.52 Wh (0.17 to 1.6)``.

    Args:
        value: Already in ``unit``.
        unit: ``Wh`` or ``g``.
        class_: Class of the method, which sets the digits.
    """
    low, central, high = (digits(one, class_) for one in (value.low, value.central, value.high))
    return f"{central} {unit} ({low} to {high})"


def watt_hours(emission: Emission) -> str:
    """The energy of an emission in Wh, in words."""
    return in_words(emission.energy_kwh.times(1000), "Wh", emission.class_)


def grams(emission: Emission) -> str:
    """The emissions in grams of CO₂-equivalents, in words."""
    return in_words(emission.emissions_kg.times(1000), "g", emission.class_)
