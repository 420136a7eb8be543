"""Measurements are of real calls, carry their spread, and say why one is missing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import workbench
from workbench import models
from workbench.evaluation import Effort, hardware, measure_candidate
from workbench.evaluation.measurement import quantile_with_bounds
from workbench.evaluation.peak_memory import peak_memory_mb

TEXTS = pa.array([f"cold number {one} in the left foot" for one in range(300)], pa.large_string())
QUICK = Effort(calls=30, seconds=0.3, batches=(4, 16, 64, 256), repeats=3, repeat_seconds=0.02, memory_rows=8)
SOURCES = str(Path(next(iter(workbench.__path__))).parent)


class Waiting:
    """Takes a fixed time for each call and a little for each row; saves nothing that could be loaded."""

    size_mb = 1.5

    def __init__(self, call=0.002, row=0.0):
        self.call, self.row, self.sizes = call, row, []

    def predict_proba(self, texts):
        self.sizes.append(len(texts))
        time.sleep(self.call + self.row * len(texts))
        return np.full((len(texts), 2), 0.5, dtype=np.float32)

    def save(self, folder):
        folder.mkdir(parents=True)


def by_quantity(rows):
    return {row["quantity"]: row for row in rows}


def test_every_quantity_is_measured_with_unit_bounds_n_and_hardware():
    found = by_quantity(measure_candidate("student-x", Waiting(), TEXTS, effort=QUICK))
    units = {name: row["unit"] for name, row in found.items()}
    assert units == {
        "latency_p50_ms": "ms",
        "latency_p95_ms": "ms",
        "rows_per_second": "rows/s",
        "best_batch": "rows",
        "size_mb": "MB",
        "peak_memory_mb": "MB",
    }
    assert all(row["candidate"] == "student-x" and row["hardware"] == hardware() for row in found.values())
    p50, p95 = found["latency_p50_ms"], found["latency_p95_ms"]
    assert 2 <= p50["low"] <= p50["value"] <= p50["high"] < 50
    assert p50["value"] <= p95["value"]
    assert p50["n"] == 30
    assert found["size_mb"]["value"] == 1.5


def test_the_best_batch_is_the_one_with_the_most_rows_a_second():
    found = by_quantity(measure_candidate("x", Waiting(), TEXTS, effort=QUICK))
    assert found["best_batch"]["value"] == 256
    assert found["rows_per_second"]["value"] > 64 / 0.003


def test_a_slow_candidate_is_not_tried_with_batches_that_take_too_long():
    slow = Waiting(call=0.0, row=0.004)
    start = time.perf_counter()
    found = by_quantity(measure_candidate("x", slow, TEXTS, effort=QUICK))
    assert max(slow.sizes) <= 64
    assert found["rows_per_second"]["value"] == pytest.approx(250, rel=0.3)
    assert time.perf_counter() - start < 20


def test_peak_memory_that_cannot_be_had_is_absent_with_a_reason():
    row = by_quantity(measure_candidate("x", Waiting(), TEXTS, effort=QUICK))["peak_memory_mb"]
    assert (row["value"], row["low"], row["n"]) == (None, None, 0)
    assert "failed" in row["reason"]


def test_one_text_is_enough_and_none_is_refused():
    assert measure_candidate("x", Waiting(), TEXTS.slice(0, 1), effort=QUICK)
    with pytest.raises(ValueError, match="none were given"):
        measure_candidate("x", Waiting(), TEXTS.slice(0, 0), effort=QUICK)


def test_stopping_ends_early_with_what_was_measured():
    found = by_quantity(measure_candidate("x", Waiting(), TEXTS, effort=QUICK, stop=lambda: True))
    assert set(found) == {"latency_p50_ms", "latency_p95_ms", "size_mb"}


def test_the_bounds_of_a_median_are_the_order_statistics():
    values = list(range(1, 101))
    assert quantile_with_bounds(values) == (50.5, 40.0, 61.0)  # the tabulated ranks for n = 100
    assert quantile_with_bounds([3.0]) == (3.0, 3.0, 3.0)
    assert quantile_with_bounds([1, 2, 3], 0.95)[2] == 3.0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel's own mark is read on Linux")
def test_the_peak_of_a_small_process_is_not_that_of_the_large_one_that_started_it():
    ballast = np.ones(60_000_000)  # 480 MB in this process
    code = "from workbench.evaluation.peak_memory import own_peak_mb; print(own_peak_mb())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": SOURCES}
    )
    assert ballast.nbytes / 1e6 > 400
    assert 10 < float(done.stdout) < 350, done.stderr


@pytest.mark.skipif(not hasattr(models, "load"), reason="no candidate can be loaded yet")
def test_a_folder_that_is_no_candidate_gives_a_reason(tmp_path):
    value, reason = peak_memory_mb(tmp_path, ["a cold foot"])
    assert value is None
    assert reason
