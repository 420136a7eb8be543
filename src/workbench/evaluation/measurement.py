"""How fast, how large and how hungry a candidate is, measured on real texts and on this machine.

Every figure is a median of repeats with a distribution-free interval and names the hardware. Peak memory is that of a
new process that loads the saved candidate and predicts, so nothing else of the run is counted. What cannot be
measured here is absent with a reason. Figures of two machines, or of a busy one, are not comparable.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.evaluation.peak_memory import peak_memory_mb
from workbench.runs.events import never

Row = dict[str, Any]


class Predicts(Protocol):
    """What is asked of a candidate here."""

    @property
    def size_mb(self) -> float:
        """Megabytes of its weights."""
        ...

    def predict_proba(self, texts: Sequence[str] | pa.Array) -> npt.NDArray[np.float32]:
        """Probabilities (rows, classes)."""
        ...

    def save(self, folder: Path) -> None:
        """Write it to a folder."""
        ...


@dataclass(frozen=True)
class Effort:
    """How long is measured.

    Attributes:
        calls: One-text calls wanted.
        seconds: One-text calls end after this many seconds, wanted number or not, but not before 20 calls.
        batches: Batch sizes tried, in rows.
        repeats: Repeats at the best batch, at least 3.
        repeat_seconds: Aimed at for each repeat.
        memory_rows: Rows that the fresh process predicts.
    """

    calls: int = 200
    seconds: float = 2.0
    batches: tuple[int, ...] = (32, 128, 512, 2_048, 8_192)
    repeats: int = 7
    repeat_seconds: float = 0.4
    memory_rows: int = 512


@dataclass(frozen=True)
class _Measured:
    """Makes rows of measurements.json for one candidate."""

    candidate: str
    hardware: str
    rows: list[Row] = field(default_factory=list)

    def add(self, quantity: str, unit: str, values: Sequence[float], *, quantile: float = 0.5) -> None:
        """Add a quantile of repeats with its interval, or one exact value.

        Args:
            quantity: Its name.
            unit: Its unit.
            values: Repeats, at least one.
            quantile: Which one.
        """
        value, low, high = quantile_with_bounds(values, quantile)
        self.rows.append(self._row(quantity, unit) | {"value": value, "low": low, "high": high, "n": len(values)})

    def absent(self, quantity: str, unit: str, reason: str) -> None:
        """Add a quantity that could not be measured.

        Args:
            quantity: Its name.
            unit: Its unit.
            reason: Why.
        """
        self.rows.append(
            self._row(quantity, unit) | {"value": None, "low": None, "high": None, "n": 0, "reason": reason}
        )

    def _row(self, quantity: str, unit: str) -> Row:
        """What all rows share."""
        return {"candidate": self.candidate, "quantity": quantity, "unit": unit, "hardware": self.hardware}


def measure_candidate(
    name: str,
    candidate: Predicts,
    texts: pa.Array,
    *,
    folder: Path | None = None,
    effort: Effort | None = None,
    stop: Callable[[], bool] = never,
) -> list[Row]:
    """Measure latency, rows a second, size and peak memory of one candidate.

    Args:
        name: The candidate's name in the run.
        candidate: The candidate.
        texts: Real texts in the order of the table, at least one; used again from the start where they are too few.
        folder: Where the candidate is saved; None saves it to a temporary folder for the measurement of memory.
        effort: How long is measured; None for the defaults, about eight seconds.
        stop: Looked at between measurements; True ends early with what was measured.

    Returns:
        Rows of measurements.json {candidate, quantity, value, unit, low, high, n, hardware}: latency_p50_ms,
        latency_p95_ms, rows_per_second, best_batch, size_mb, peak_memory_mb; with reason where value is None.

    Raises:
        ValueError: If there are no texts.
    """
    if len(texts) == 0:
        raise ValueError("a candidate is measured on real texts; none were given")
    effort, measured = effort or Effort(), _Measured(name, hardware())
    calls = time_calls(candidate, texts, effort)
    measured.add("latency_p50_ms", "ms", calls)
    measured.add("latency_p95_ms", "ms", calls, quantile=0.95)
    if not stop():
        measured.rows.extend(measure_speed(name, candidate, texts, effort=effort))
    measured.add("size_mb", "MB", [float(candidate.size_mb)])
    if not stop():
        _measure_memory(measured, candidate, texts.slice(0, effort.memory_rows), folder)
    return measured.rows


def measure_speed(name: str, candidate: Predicts, texts: pa.Array, *, effort: Effort | None = None) -> list[Row]:
    """Measure rows a second at the best batch, and nothing else.

    Args:
        name: The candidate's name in the run.
        candidate: The candidate.
        texts: Real texts, at least one.
        effort: How long is measured; None for the defaults.

    Returns:
        Rows of measurements.json: rows_per_second, best_batch.
    """
    measured = _Measured(name, hardware())
    batch, rates = time_batches(candidate, texts, effort or Effort())
    measured.add("rows_per_second", "rows/s", rates)
    measured.add("best_batch", "rows", [float(batch)])
    return measured.rows


def time_calls(candidate: Predicts, texts: pa.Array, effort: Effort) -> list[float]:
    """Milliseconds of calls with one text each, after five that are not counted.

    Args:
        candidate: The candidate.
        texts: Real texts.
        effort: Number of calls and seconds.

    Returns:
        Milliseconds, one for each call.
    """
    single = [texts.slice(place % len(texts), 1).to_pylist() for place in range(effort.calls)]
    for text in single[:5]:
        candidate.predict_proba(text)
    calls: list[float] = []
    end = time.perf_counter() + effort.seconds
    for text in single:
        start = time.perf_counter()
        candidate.predict_proba(text)
        now = time.perf_counter()
        calls.append(1e3 * (now - start))
        if now > end and len(calls) >= min(20, effort.calls):
            break
    return calls


def time_batches(candidate: Predicts, texts: pa.Array, effort: Effort) -> tuple[int, list[float]]:
    """The best batch size, and rows a second of repeats with it.

    Sizes whose single batch would take more than four repeats' time are passed over.

    Args:
        candidate: The candidate.
        texts: Real texts.
        effort: Sizes, repeats and seconds.

    Returns:
        The batch size and rows a second, one for each repeat.
    """
    rates: dict[int, float] = {}
    for batch in effort.batches:
        known = max(rates.values(), default=0.0)
        if rates and batch / known > 4 * effort.repeat_seconds:
            break
        rates[batch] = max(_rate(candidate, texts, batch, rows=batch, skip=place * batch) for place in range(2))
    best = max(rates, key=lambda batch: rates[batch])
    rows = best * max(1, round(rates[best] * effort.repeat_seconds / best))
    return best, [_rate(candidate, texts, best, rows=rows, skip=repeat * rows) for repeat in range(effort.repeats)]


def _rate(candidate: Predicts, texts: pa.Array, batch: int, *, rows: int, skip: int) -> float:
    """Rows a second over some rows, taken round and round from the texts."""
    places = pa.array((np.arange(skip, skip + rows) % len(texts)).astype(np.int64))
    taken = texts.take(places)
    start = time.perf_counter()
    for first in range(0, rows, batch):
        candidate.predict_proba(taken.slice(first, batch))
    return rows / (time.perf_counter() - start)


def _measure_memory(measured: _Measured, candidate: Predicts, texts: pa.Array, folder: Path | None) -> None:
    """Add the peak memory of a fresh process that loads the candidate and predicts."""
    with tempfile.TemporaryDirectory() as temporary:
        if folder is None:
            folder = Path(temporary) / "candidate"
            candidate.save(folder)
        value, reason = peak_memory_mb(folder, texts.to_pylist())
    if value is None:
        measured.absent("peak_memory_mb", "MB", reason)
    else:
        measured.add("peak_memory_mb", "MB", [value])


def quantile_with_bounds(
    values: Sequence[float], quantile: float = 0.5, confidence: float = 0.95
) -> tuple[float, float, float]:
    """A quantile with the order statistics that bound it whatever the distribution; the extremes where values are few.

    Args:
        values: Repeats, at least one.
        quantile: In (0, 1).
        confidence: Coverage, if there are enough values.

    Returns:
        The quantile, its lower and upper bound.
    """
    from scipy.stats import binom

    ordered = np.sort(np.asarray(values, dtype=np.float64))
    tail = (1 - confidence) / 2
    low = int(binom.ppf(tail, len(ordered), quantile)) - 1
    high = int(binom.ppf(1 - tail, len(ordered), quantile))
    last = len(ordered) - 1
    return (
        float(np.quantile(ordered, quantile)),
        float(ordered[min(max(low, 0), last)]),
        float(ordered[min(max(high, 0), last)]),
    )


def hardware() -> str:
    """This machine in words: processor, cores that may be used, system.

    Returns:
        For example “Intel(R) Xeon(R) Processor @ 2.50GHz, 2 cores, Linux”.
    """
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8", errors="replace").splitlines() if listed.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine() or "unknown processor"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{processor}, {cores} core{'s' if cores != 1 else ''}, {platform.system()}"
