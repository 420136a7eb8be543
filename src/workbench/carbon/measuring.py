"""Energy of a block of work: while it runs, for a thousand predictions, and before anything starts.

Every figure carries how it was come by. Blocks under two seconds are noise for codecarbon: there the
energy is the measured time times the mean watts of the session, and the record says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from workbench.carbon.countries import Grid, country_names, grid
from workbench.carbon.meter import METER, Hardware, Reading
from workbench.carbon.quantities import RULES, Emission, Range, spread

SHORTEST_SECONDS = 2.0
JOULES_PER_KWH = 3.6e6
READ_EVERY_SECONDS = 5.0
ANY_COUNTRY = "FRA"
"""For the tracker alone, whose own grams are never read, where a grid is stated that codecarbon does not know."""
Place = str | Grid
"""A country's code, or a grid as ``places.place`` finds it."""


def _grid(country: Place) -> Grid:
    return grid(country) if isinstance(country, str) else country


def _tracked(place: Grid) -> str:
    return place.country if place.country in country_names() else ANY_COUNTRY


def _method(hardware: Hardware, place: Grid, source: str) -> dict[str, Any]:
    return {
        "hardware": list(hardware.descriptions),
        "cpu_model": hardware.cpu_model,
        "gpu_model": hardware.gpu_model,
        "mode": hardware.mode,
        "tracking": "this process and its children",
        "source": source,
        "spread": RULES[hardware.class_],
        "full_load_watts": hardware.full_load_watts,
        "memory_watts": hardware.memory_watts,
        "country": place.country,
        "region": place.region,
        "pue": place.pue,
        "intensity_g_per_kwh": place.intensity_g_per_kwh,
        "intensity_source": place.source,
    }


def _watts(start: Reading, end: Reading) -> dict[str, float]:
    """Mean watts of each part between two readings."""
    joules = {
        name: (getattr(end, f"{name}_kwh") - getattr(start, f"{name}_kwh")) * JOULES_PER_KWH
        for name in ("cpu", "gpu", "ram")
    }
    seconds = end.seconds - start.seconds
    return {name: value / seconds for name, value in joules.items()} if seconds > 0 else {}


class Block:
    """A block of work under measurement; made by ``measure``, used as a context manager."""

    def __init__(self, stage: str, candidate: str | None, country: Place) -> None:
        """Check the country and find the hardware; the clock starts on entering."""
        self.stage = stage
        self.candidate = candidate
        self._grid = _grid(country)
        self._hardware = METER.hardware(_tracked(self._grid))
        self._emission: Emission | None = None
        self._shared = False
        self._alone_at: int | None = None
        self._began = 0.0
        self._start: Reading | None = None

    def __enter__(self) -> Self:
        """Take the first reading and start the clock."""
        METER.acquire(_tracked(self._grid))
        self._alone_at = METER.blocks if METER.users == 1 else None
        self._start = METER.read(max_age=0.25)
        self._began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the clock and take the last reading, also when the work failed: it was spent all the same."""
        seconds = time.perf_counter() - self._began
        end = METER.read() if seconds >= SHORTEST_SECONDS else None
        self._shared = METER.blocks != self._alone_at
        METER.release()
        self._emission = self._result(seconds, end)

    @property
    def emission(self) -> Emission:
        """What the block took.

        Raises:
            RuntimeError: The block has not ended yet.
        """
        if self._emission is None:
            raise RuntimeError(f"The block {self.stage!r} has not ended: read .emission after the with block.")
        return self._emission

    @property
    def kg_per_kwh(self) -> float:
        """Kilograms of CO₂-equivalents a kWh where this block runs."""
        return self._grid.kg_per_kwh

    def so_far_kwh(self, max_age: float = READ_EVERY_SECONDS) -> float:
        """What the block has taken until now, in kWh.

        Args:
            max_age: Seconds that the meter's reading may be old; those since it count with the mean watts until it.
        """
        if self._start is None:
            return 0.0
        elapsed, now = time.perf_counter() - self._began, METER.read(max_age=max_age)
        metered, kwh = now.seconds - self._start.seconds, now.kwh - self._start.kwh
        if metered < SHORTEST_SECONDS:
            return elapsed * (METER.watts() or self._hardware.full_load_watts) / JOULES_PER_KWH
        return kwh + max(elapsed - metered, 0.0) * kwh / metered

    def _result(self, seconds: float, end: Reading | None) -> Emission:
        if self._start is None:
            raise AssertionError("a block is entered before it is left")
        hardware = self._hardware
        watts = _watts(self._start, end) if end else {}
        if sum(watts.values()) > 0:
            source = f"codecarbon {hardware.version}, {hardware.mode}"
        else:
            mean = METER.watts()
            watts = {"mean": mean or hardware.full_load_watts}
            whose = "mean watts of the session" if mean else "watts at full load, as nothing longer was measured yet"
            source = f"measured seconds times {whose} (under {SHORTEST_SECONDS:g} s codecarbon's own figure is noise)"
        method = _method(hardware, self._grid, source) | {"watts": watts}
        if self._shared:
            method["overlap"] = "another block ran at the same time; each counts the whole process"
        total = sum(watts.values())
        kwh_per_watt = seconds / JOULES_PER_KWH
        energy = spread(total * kwh_per_watt, hardware.class_, (total - watts.get("ram", 0.0)) * kwh_per_watt)
        emissions = energy.times(self._grid.kg_per_kwh)
        return Emission(self.stage, self.candidate, seconds, energy, emissions, hardware.class_, method)


def measure(stage: str, *, candidate: str | None = None, country: Place) -> Block:
    """Measure the energy of the work inside the ``with`` block.

    The first use in a process takes about two seconds, before the clock starts, to find the hardware.
    Blocks may be nested or run in several threads; each then counts the whole process and says so in
    ``method["overlap"]``: do not add such blocks up.

    Args:
        stage: What is done.
        candidate: For which candidate; ``None`` where it belongs to no single one.
        country: ISO 3166 alpha-3 code of the country whose grid feeds the machine, or the grid itself.

    Returns:
        A context manager; its ``emission`` can be read when the block has ended, also after an exception.

    Raises:
        RecipeError: The country's code is unknown.
        MissingExtraError: codecarbon is not installed.
        RunError: codecarbon's tracker did not start.
    """
    return Block(stage, candidate, country)


@dataclass(frozen=True)
class PerThousand:
    """Energy and emissions of a thousand predictions.

    Attributes:
        energy_wh: In Wh.
        emissions_g: In grams of CO₂-equivalents.
        predictions: How many were made.
        seconds: In what time.
        class_: Class of the method.
        method: As in ``Emission``.
    """

    energy_wh: Range
    emissions_g: Range
    predictions: int
    seconds: float
    class_: str
    method: dict[str, Any]

    def measurements(self, candidate: str, hardware: str) -> list[dict[str, Any]]:
        """Two rows for ``measurements.json``: ``energy_wh_per_1000`` and ``emissions_g_per_1000``."""
        quantities = (
            ("energy_wh_per_1000", "Wh", self.energy_wh),
            ("emissions_g_per_1000", "g CO2e", self.emissions_g),
        )
        return [
            {
                "candidate": candidate,
                "quantity": quantity,
                "value": value.central,
                "unit": unit,
                "low": value.low,
                "high": value.high,
                "n": self.predictions,
                "hardware": hardware,
                "class": self.class_,
            }
            for quantity, unit, value in quantities
        ]


def per_thousand(
    predict: Callable[[Any], object],
    texts: Sequence[str] | Any,
    country: Place,
    min_seconds: float = 10.0,
    batch: int = 1024,
) -> PerThousand:
    """Measure a thousand predictions by making many, batch after batch, for at least ``min_seconds``.

    Args:
        predict: Called with a batch; its result is dropped.
        texts: At least one text; begun again from the front when they run out.
        country: ISO 3166 alpha-3 code, or the grid itself.
        min_seconds: How long to go on; under ten seconds the figure is worth little.
        batch: Texts in a batch, one or more.

    Returns:
        Energy and emissions of 1,000 predictions.

    Raises:
        ValueError: No texts.
        RecipeError: The country's code is unknown.
        MissingExtraError: codecarbon is not installed.
    """
    if len(texts) == 0:
        raise ValueError("Give at least one text to predict.")
    predict(texts[:batch])
    made, at = 0, 0
    with measure("predict", country=country) as block:
        began = time.perf_counter()
        while made == 0 or time.perf_counter() - began < min_seconds:
            part = texts[at : at + batch]
            predict(part)
            made += len(part)
            at = at + batch if at + batch < len(texts) else 0
    spent = block.emission
    share = 1000 / made
    return PerThousand(
        energy_wh=spent.energy_kwh.times(1000 * share),
        emissions_g=spent.emissions_kg.times(1000 * share),
        predictions=made,
        seconds=spent.seconds,
        class_=spent.class_,
        method=dict(spent.method) | {"batch": batch},
    )


def estimate(seconds: float, country: Place) -> Emission:
    """What a run of so many seconds would take on this machine at full load; nothing is run.

    Args:
        seconds: Expected wall time, not negative.
        country: ISO 3166 alpha-3 code, or the grid itself.

    Raises:
        RecipeError: The country's code is unknown.
        MissingExtraError: codecarbon is not installed.
    """
    place = _grid(country)
    hardware = METER.hardware(_tracked(place))
    class_ = max(hardware.class_, "C")
    watts = hardware.full_load_watts
    energy = spread(seconds * watts / JOULES_PER_KWH, class_)
    method = _method(hardware, place, "expected seconds times watts at full load") | {
        "watts": {"mean": watts},
        "spread": RULES[class_],
    }
    return Emission("estimate", None, seconds, energy, energy.times(place.kg_per_kwh), class_, method)
