"""One codecarbon tracker for the process, read at the edges of each block of work.

codecarbon needs about two seconds to find out what hardware it is on, so that happens once; after that a
block costs two readings. Only the offline tracker is used: the online one asks a geolocation service. All
that could open a connection or write a file is switched off by name, so that a ``.codecarbon.config`` in
the home folder or the environment cannot switch it on. While nothing is measured, nothing runs.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from dataclasses import dataclass
from typing import Any

from workbench.errors import MissingExtraError, RunError

LINGER_SECONDS = 5.0
COUNTED_MODES = {"intel_rapl", "windows_emi", "intel_power_gadget"}
GUESSED_WATTS_PER_THREAD = 4
OFFLINE: dict[str, Any] = {
    "output_methods": [],
    "log_level": "error",
    "tracking_mode": "process",
    "measure_power_secs": 1,
    "api_call_interval": -1,
    "allow_multiple_runs": True,
    "electricitymaps_api_token": "",
    "emissions_endpoint": None,
    "cloud_provider": None,
    "cloud_region": None,
    "region": None,
    "gpu_ids": None,
    "pue": 1.0,
    "wue": 0.0,
    "force_cpu_power": None,
    "force_ram_power": None,
    "force_carbon_intensity_g_co2e_kwh": None,
    "force_mode_cpu_load": False,
}


@dataclass(frozen=True)
class Reading:
    """What the meter has counted since the process began: seconds metered and kWh by part."""

    seconds: float
    cpu_kwh: float
    gpu_kwh: float
    ram_kwh: float

    @property
    def kwh(self) -> float:
        """All parts together."""
        return self.cpu_kwh + self.gpu_kwh + self.ram_kwh

    def plus(self, other: Reading) -> Reading:
        """This and then that."""
        return Reading(
            self.seconds + other.seconds,
            self.cpu_kwh + other.cpu_kwh,
            self.gpu_kwh + other.gpu_kwh,
            self.ram_kwh + other.ram_kwh,
        )


NOTHING = Reading(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Hardware:
    """What codecarbon found: how it gets watts, of which class that is, and watts at full load.

    Attributes:
        descriptions: codecarbon's own words for each part, for example ``CPU(Cpu Load)``.
        cpu_model: Name of the processor.
        gpu_model: Name of the graphics processors, or empty.
        mode: How the processor's power is known: ``intel_rapl``, ``cpu_load``, ``constant``, …
        class_: ``B``, ``C`` or ``D``: the weakest of its parts (memory is always an estimate).
        full_load_watts: Rated power of the processor plus memory; an upper figure for planning.
        memory_watts: Of that, memory, which takes it whether it is used or not.
        version: Version of codecarbon.
    """

    descriptions: tuple[str, ...]
    cpu_model: str
    gpu_model: str
    mode: str
    class_: str
    full_load_watts: float
    memory_watts: float
    version: str


def _describe(tracker: Any) -> Hardware:
    """Read the hardware that a started tracker found.

    Nothing in codecarbon's rows says measured or estimated, so this looks at its hardware objects.
    """
    parts = list(tracker._hardware)
    cpu = next((part for part in parts if type(part).__name__ in ("CPU", "AppleSiliconChip", "Raspberry")), None)
    memory = next((part for part in parts if type(part).__name__ == "RAM"), None)
    mode = str(getattr(cpu, "_mode", type(cpu).__name__.lower()))
    rated = float(getattr(cpu, "_tdp", 0) or 0)
    found = tracker.get_detected_hardware()
    threads = int(found.get("cpu_count") or 1)
    guessed = threads * GUESSED_WATTS_PER_THREAD * int(found.get("cpu_physical_count") or 1)
    memory_watts = float(memory.total_power().W) if memory else 0.0
    if mode in COUNTED_MODES or type(cpu).__name__ in ("AppleSiliconChip", "Raspberry"):
        class_ = "B"
    elif rated and rated != guessed and not getattr(cpu, "_is_generic_tdp", False):
        class_ = "C"
    else:
        class_ = "D"
    return Hardware(
        descriptions=tuple(str(part.description()) for part in parts),
        cpu_model=str(found.get("cpu_model") or "unknown"),
        gpu_model=str(found.get("gpu_model") or ""),
        mode=mode,
        class_=class_,
        full_load_watts=(rated or float(guessed)) + memory_watts,
        memory_watts=memory_watts,
        version=str(tracker._conf.get("codecarbon_version", "")),
    )


def _start_tracker(country: str) -> tuple[Any, Any]:
    """A running offline tracker, and the object it tells its totals to.

    Its two timers and our readings would count the same second twice when they meet, so that the one
    method that counts is guarded by a lock.
    """
    try:
        from codecarbon import OfflineEmissionsTracker
        from codecarbon.output_methods.base_output import BaseOutput
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "codecarbon":
            raise
        raise MissingExtraError("carbon", "energy and emissions") from error

    class Totals(BaseOutput):
        total: Any = None

        def out(self, total: Any, delta: Any) -> None:
            self.total = total

    class Guarded(OfflineEmissionsTracker):
        _counting = threading.RLock()

        def _measure_power_and_energy(self) -> None:
            with self._counting:
                super()._measure_power_and_energy()

    logging.getLogger("codecarbon").setLevel(logging.ERROR)
    totals = Totals()
    tracker = Guarded(country_iso_code=country, output_handlers=[totals], **OFFLINE)
    tracker.start()
    if getattr(tracker, "_start_time", None) is None:
        raise RunError(
            "codecarbon's tracker did not start, and says no more than that.",
            "A tracker that starts on this machine without network.",
            "Look at its messages with CODECARBON_LOG_LEVEL=debug, and report them with `workbench doctor`.",
        )
    return tracker, totals


class Meter:
    """Counts the energy of this process while somebody measures, safe to use from several threads."""

    def __init__(self) -> None:
        """A meter at rest; nothing is imported or detected before the first ``acquire``."""
        self._lock = threading.RLock()
        self._users = 0
        self._blocks = 0
        self._tracker: Any = None
        self._totals: Any = None
        self._before = NOTHING
        self._last = NOTHING
        self._read_at = -math.inf
        self._rest: threading.Timer | None = None
        self._hardware: Hardware | None = None

    @property
    def users(self) -> int:
        """How many blocks are being measured now."""
        return self._users

    @property
    def blocks(self) -> int:
        """How many blocks were begun since the process began."""
        return self._blocks

    def acquire(self, country: str) -> None:
        """Make sure that the tracker runs, for one more block.

        Args:
            country: A code that codecarbon knows.

        Raises:
            MissingExtraError: codecarbon is not installed.
            RunError: codecarbon's tracker did not start.
        """
        with self._lock:
            if self._rest is not None:
                self._rest.cancel()
                self._rest = None
            if self._tracker is None:
                self._tracker, self._totals = _start_tracker(country)
                self._read_at = -math.inf
                self._hardware = self._hardware or _describe(self._tracker)
            self._users += 1
            self._blocks += 1

    def release(self) -> None:
        """One block less; the tracker stops a few seconds after the last one."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._rest = threading.Timer(LINGER_SECONDS, self.stop)
                self._rest.daemon = True
                self._rest.start()

    def stop(self) -> None:
        """Stop the tracker if nobody measures; its totals are kept."""
        with self._lock:
            if self._users == 0 and self._tracker is not None:
                self._before = self.read(max_age=0.0)
                self._tracker.stop()
                self._tracker = self._totals = None

    def read(self, max_age: float = 0.05) -> Reading:
        """What was counted until now.

        Args:
            max_age: Seconds that a reading may be old; a new one takes about 4 ms, more on a full machine.
        """
        with self._lock:
            now = time.monotonic()
            if self._tracker is not None and now - self._read_at > max_age:
                self._tracker.flush()
                self._read_at = now
                total = self._totals.total
                if total is not None:
                    own = Reading(total.duration, total.cpu_energy, total.gpu_energy, total.ram_energy)
                    self._last = self._before.plus(own)
            return self._last

    def hardware(self, country: str) -> Hardware:
        """What the machine is, found once a process (about two seconds the first time)."""
        with self._lock:
            if self._hardware is None:
                self.acquire(country)
                self.release()
            if self._hardware is None:
                raise AssertionError("acquire describes the hardware")
            return self._hardware

    def watts(self) -> float | None:
        """Mean watts since the process began to measure; ``None`` before two seconds were metered."""
        seen = self._last
        return seen.kwh * 3.6e6 / seen.seconds if seen.seconds >= 2.0 else None


METER = Meter()
