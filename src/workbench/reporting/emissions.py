"""Energy and emissions as ``emissions.json`` has them: ranges with the class of their method, and their sums.

Where a person typed in what a wattmeter showed, that stands in the place of the modelled figures, which are kept
beside it. Reads only; what is measured, and how, is the business of the room ``carbon``, which a report does not need.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.reporting.words import significant

CLASSES = {
    "A": "read from a meter",
    "B": "counted by the hardware (RAPL, NVML), memory estimated",
    "C": "estimated from the processor's rated power and its load",
    "D": "a guess: the processor's rated power is not known",
}
READING = "carbon-reading.json"
METER_ACCURACY = 0.02
"""Of a household plug meter."""


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


def read_entries(rows: Sequence[Mapping[str, Any]], reading: Mapping[str, Any] | None = None) -> tuple[Emission, ...]:
    """All entries of ``emissions.json``, those that a wattmeter's reading covers with its figure.

    The reading is the whole of the stages that were spent in the run when it was typed in; it is divided among them
    by their modelled shares. Stages that were taken over from other runs, and those made later, stay as modelled.

    Args:
        rows: As in the file.
        reading: ``carbon-reading.json``; empty or None where there is none.
    """
    entries = tuple(read_entry(row) for row in rows)
    factor = calibration(entries, reading)
    if reading is None or factor is None:
        return entries
    covered = int(reading["covers"])
    return tuple(
        _metered(one, factor, reading) if at < covered and one.reused_from is None else one
        for at, one in enumerate(entries)
    )


def calibration(entries: Sequence[Emission], reading: Mapping[str, Any] | None) -> float | None:
    """What the meter counted for each kWh that was modelled.

    Args:
        entries: As modelled.
        reading: ``carbon-reading.json``; empty or None where there is none.

    Returns:
        Above 0; None without a reading, or where its stages are no longer those of the file.
    """
    if not reading:
        return None
    modelled = spent_here(entries[: int(reading["covers"])]).energy_kwh.central
    if modelled <= 0 or abs(modelled - float(reading["modelled_kwh"])) > 1e-6 * modelled:
        return None
    return float(reading["measured_kwh"]) / modelled


def spent_here(entries: Iterable[Emission]) -> Emission:
    """The sum of what was not taken over from another run."""
    return add(one for one in entries if one.reused_from is None)


def _metered(entry: Emission, factor: float, reading: Mapping[str, Any]) -> Emission:
    kwh = entry.energy_kwh.central * factor
    energy = Range(kwh * (1 - METER_ACCURACY), kwh, kwh * (1 + METER_ACCURACY))
    modelled = entry.energy_kwh.central
    grams = 0.0 if modelled == 0 else entry.emissions_kg.central / modelled
    method = {
        **entry.method,
        "source": f"wattmeter reading, typed in ({reading['meter']}); divided among stages by their modelled shares",
        "spread": f"± {100 * METER_ACCURACY:g} %, the accuracy of a household plug meter",
        "modelled_kwh": modelled,
        "modelled_class": entry.class_,
    }
    return dataclasses.replace(entry, energy_kwh=energy, emissions_kg=energy.times(grams), class_="A", method=method)


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
