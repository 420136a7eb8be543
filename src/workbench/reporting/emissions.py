"""Energy and emissions as ``emissions.json`` has them: ranges with the class of their method, and their sums.

Reads only; what is measured, and how, is the business of the room ``carbon``, which a report does not need.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.reporting.words import significant

CLASSES = {
    "A": "read from a meter",
    "B": "counted by the hardware (RAPL, NVML), memory estimated",
    "C": "estimated from the processor's rated power and its load",
    "D": "a guess: the processor's rated power is not known",
}


@dataclass(frozen=True)
class Range:
    """A quantity that is known from ``low`` to ``high``, with ``central`` as the best single figure."""

    low: float = 0.0
    central: float = 0.0
    high: float = 0.0

    def times(self, factor: float) -> Range:
        """The range in another unit; ``factor`` is not negative."""
        return Range(self.low * factor, self.central * factor, self.high * factor)

    def plus(self, other: Range) -> Range:
        """The sum, ends added to ends: errors of one method on one machine all point the same way."""
        return Range(self.low + other.low, self.central + other.central, self.high + other.high)


@dataclass(frozen=True)
class Emission:
    """One entry of ``emissions.json``, or a sum of several.

    Attributes:
        stage: What was done.
        candidate: For which candidate, or ``None``.
        seconds: Wall time.
        energy_kwh: Electricity.
        emissions_kg: CO₂-equivalents.
        class_: ``A`` to ``D``; of a sum the weakest of its parts.
        method: How it was come by.
        reused_from: Run in which it was spent, where the stage was taken over.
    """

    stage: str
    candidate: str | None
    seconds: float
    energy_kwh: Range
    emissions_kg: Range
    class_: str
    method: Mapping[str, Any] = field(default_factory=dict)
    reused_from: str | None = None


def read_entry(entry: Mapping[str, Any]) -> Emission:
    """One entry of ``emissions.json``."""
    energy, emitted = (
        Range(*(float(entry[key][end]) for end in ("low", "central", "high"))) for key in ("energy_kwh", "emissions_kg")
    )
    return Emission(
        str(entry["stage"]),
        entry.get("candidate"),
        float(entry["seconds"]),
        energy,
        emitted,
        str(entry["class"]),
        entry.get("method") or {},
        entry.get("reused_from"),
    )


def add(entries: Iterable[Emission]) -> Emission:
    """The sum of entries; the weakest class among them is the sum's."""
    parts = list(entries)
    energy, emitted = Range(), Range()
    for part in parts:
        energy, emitted = energy.plus(part.energy_kwh), emitted.plus(part.emissions_kg)
    seconds = sum(part.seconds for part in parts)
    return Emission("total", None, seconds, energy, emitted, max((part.class_ for part in parts), default="A"))


def digits(value: float, class_: str) -> str:
    """A figure with as many digits as its method has: two significant ones for C and D, three for A and B."""
    return significant(value, 2 if class_ in ("C", "D") else 3)
