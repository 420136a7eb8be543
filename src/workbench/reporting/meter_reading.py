"""What a wattmeter showed for a run, typed in by a person: stored beside the modelled figures, never over them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import storage
from workbench.errors import RunError
from workbench.reporting.emissions import READING, read_entries, spent_here


@dataclass(frozen=True)
class Reading:
    """A wattmeter's reading of a whole run.

    Attributes:
        measured_kwh: What the meter counted from the run's start to its end, in kWh, above 0.
        by: Who read it.
        meter: Which meter, and how it was read.
        idle_watts: What the meter showed while the machine did nothing; None where that was not looked at.
    """

    measured_kwh: float
    by: str
    meter: str
    idle_watts: float | None = None

    def check(self) -> None:
        """Refuse what no meter shows.

        Raises:
            RunError: A number is not above 0, or it is not said who read what.
        """
        if not (math.isfinite(self.measured_kwh) and self.measured_kwh > 0):
            raise RunError(
                f"--measured-kwh is {self.measured_kwh}, which no meter counts for a run.",
                "The difference of two readings in kWh, above 0, for example 0.012 (12 Wh).",
                "Give it in kWh: a meter that shows Wh, divided by 1,000.",
            )
        if self.idle_watts is not None and not (math.isfinite(self.idle_watts) and self.idle_watts >= 0):
            raise RunError(
                f"--idle-watts is {self.idle_watts}, which no meter shows.",
                "Watts while the machine does nothing, zero or more, for example 6.5.",
                "Give what the meter shows when no run is at work, or leave it out.",
            )
        missing = [flag for flag, text in (("--by", self.by), ("--meter", self.meter)) if not text.strip()]
        if missing:
            raise RunError(
                f"A typed-in reading without {' and '.join(missing)} cannot be judged by anybody later.",
                'Who read it and on which meter: --by "A. Reader" --meter "plug meter, ± 2 %, read before and after"',
                f"Add {' and '.join(missing)}.",
            )


def record_reading(folder: Path, reading: Reading) -> dict[str, Any]:
    """Store a reading in a run's folder; one that stood there before is kept in the file.

    Args:
        folder: The run's folder.
        reading: What was read.

    Returns:
        What was written.

    Raises:
        RunError: The reading cannot be, the run measured nothing, or all of it was taken over from other runs.
    """
    reading.check()
    file = folder / "emissions.json"
    entries = read_entries(storage.read_json(file) if file.is_file() else [])
    modelled = spent_here(entries).energy_kwh.central
    if modelled <= 0:
        raise RunError(
            f"The run {folder.name} spent no energy itself: "
            + ("its stages were all taken over from other runs." if entries else "it has no emissions.json yet."),
            "A run that did its stages while the meter counted.",
            "Type the reading into the run whose stages they are, or begin anew: workbench run RECIPE --fresh",
        )
    before = storage.read_json(folder / READING) if (folder / READING).is_file() else None
    earlier = [] if before is None else [*before.get("earlier", ()), {**before, "earlier": None}]
    written = {
        "format": 1,
        **dataclasses.asdict(reading),
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "covers": len(entries),
        "modelled_kwh": modelled,
        "earlier": [{name: value for name, value in one.items() if name != "earlier"} for one in earlier],
    }
    storage.write_json(folder / READING, written)
    return written
