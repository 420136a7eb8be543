"""Energy of real blocks of work on this machine, with the real tracker and no network."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("codecarbon")

from workbench.carbon import Emission, add, estimate, grid, measure, per_thousand, validate_country
from workbench.carbon.meter import METER, OFFLINE
from workbench.errors import MissingExtraError, RecipeError


def _busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(2000))


@pytest.fixture(scope="module")
def long_block() -> Emission:
    with measure("work", candidate="baseline", country="FRA") as block:
        _busy(2.2)
    return block.emission


def test_a_block_gives_a_range_of_energy_and_the_grams_of_its_country(long_block: Emission) -> None:
    energy = long_block.energy_kwh
    assert 0 < energy.low < energy.central < energy.high
    assert 2.2 <= long_block.seconds < 4
    watts = energy.central * 3.6e6 / long_block.seconds
    assert 1 < watts < 2000
    assert long_block.emissions_kg.central == pytest.approx(energy.central * grid("FRA").intensity_g_per_kwh / 1000)


def test_the_method_says_how_the_figure_was_come_by(long_block: Emission) -> None:
    method = long_block.method
    assert long_block.class_ in "BCD"
    assert method["hardware"]
    assert method["source"].startswith("codecarbon 3.")
    assert method["intensity_g_per_kwh"] == pytest.approx(56, abs=10)
    assert "global_energy_mix.json" in method["intensity_source"]
    assert sum(method["watts"].values()) == pytest.approx(long_block.energy_kwh.central * 3.6e6 / long_block.seconds)


def test_an_emission_survives_json(long_block: Emission) -> None:
    written = json.loads(json.dumps(long_block.to_json(), allow_nan=False))
    assert set(written) == {
        "stage", "candidate", "seconds", "energy_kwh", "emissions_kg", "class", "method", "reused_from",
    }  # fmt: skip
    assert Emission.from_json(written) == long_block


def test_a_short_block_is_seconds_times_watts_of_the_session_and_says_so(long_block: Emission) -> None:
    with measure("blink", country="FRA") as block:
        time.sleep(0.01)
    short = block.emission
    assert "measured seconds times mean watts of the session" in short.method["source"]
    assert short.energy_kwh.central == pytest.approx(short.seconds * short.method["watts"]["mean"] / 3.6e6)


def test_energy_is_counted_when_the_work_fails(long_block: Emission) -> None:
    block = measure("fails", country="FRA")
    with pytest.raises(ZeroDivisionError), block:
        _ = 1 / 0
    assert block.emission.seconds >= 0
    assert METER.users == 0


def test_a_block_that_has_not_ended_has_no_emission(long_block: Emission) -> None:
    with measure("open", country="FRA") as block:
        assert block.so_far_kwh() >= 0
        with pytest.raises(RuntimeError, match="has not ended"):
            _ = block.emission


def test_blocks_that_overlap_say_so_and_blocks_in_a_row_do_not(long_block: Emission) -> None:
    with measure("outer", country="FRA") as outer, measure("inner", country="FRA") as inner:
        pass
    with measure("alone", country="FRA") as alone:
        pass
    assert "overlap" in outer.emission.method
    assert "overlap" in inner.emission.method
    assert "overlap" not in alone.emission.method


def test_threads_may_measure_at_once(long_block: Emission) -> None:
    found: list[Emission] = []

    def work(number: int) -> None:
        with measure(f"thread {number}", country="FRA") as block:
            _busy(0.1)
        found.append(block.emission)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert METER.users == 0
    assert all(math.isfinite(one.energy_kwh.central) and one.energy_kwh.central > 0 for one in found)


def test_many_short_blocks_in_a_row_take_few_readings(long_block: Emission, monkeypatch: pytest.MonkeyPatch) -> None:
    readings: list[float] = []
    METER.acquire("FRA")
    flush = METER._tracker.flush
    monkeypatch.setattr(METER._tracker, "flush", lambda: (readings.append(time.monotonic()), flush()))
    began = time.monotonic()
    for _ in range(40):
        with measure("short", country="FRA"):
            time.sleep(0.02)
    took = time.monotonic() - began
    monkeypatch.undo()
    METER.release()
    assert len(readings) <= took / 0.25 + 1


def test_the_meter_rests_when_nobody_measures_and_keeps_its_totals(long_block: Emission) -> None:
    before = METER.read()
    METER.stop()
    assert METER._tracker is None
    with measure("again", country="FRA"):
        pass
    assert METER.read().kwh >= before.kwh > 0


@pytest.mark.slow
def test_no_connection_is_opened_and_no_file_is_written(tmp_path: Path) -> None:
    (tmp_path / ".codecarbon.config").write_text(
        "[codecarbon]\nsave_to_api=true\nemissions_endpoint=http://localhost:9/\nelectricitymaps_api_token=x\npue=9\n"
    )
    program = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('a connection was opened')\n"
        "socket.socket.connect = refuse; socket.create_connection = refuse; socket.getaddrinfo = refuse\n"
        "from workbench.carbon import measure\n"
        "import time\n"
        "with measure('x', country='FRA') as b: time.sleep(2.1)\n"
        "assert b.emission.method['source'].startswith('codecarbon'), b.emission\n"
    )
    root = Path(__file__).parents[1] / "src"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == [".codecarbon.config"]


def test_importing_the_room_imports_no_codecarbon() -> None:
    program = "import sys, workbench.carbon; assert not {'codecarbon', 'torch', 'pandas'} & set(sys.modules)"
    root = Path(__file__).parents[1] / "src"
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(root)}, check=True)


def test_the_options_are_ones_that_codecarbon_takes() -> None:
    import inspect

    from codecarbon.emissions_tracker import BaseEmissionsTracker, OfflineEmissionsTracker

    known = set(inspect.signature(BaseEmissionsTracker.__init__).parameters)
    known |= set(inspect.signature(OfflineEmissionsTracker.__init__).parameters)
    assert set(OFFLINE) <= known
    assert hasattr(BaseEmissionsTracker, "_measure_power_and_energy")


@pytest.mark.slow
def test_a_thousand_predictions_are_measured_by_repeating_batches(long_block: Emission) -> None:
    seen: list[int] = []

    def predict(texts: list[str]) -> None:
        seen.append(len(texts))
        time.sleep(0.05)

    texts = ["one", "two", "three"]
    found = per_thousand(predict, texts, "FRA", min_seconds=2.1, batch=2)
    assert found.predictions == sum(seen) - 2
    assert set(seen) == {1, 2}
    assert found.seconds >= 2.1
    rows = found.measurements("student-linear", "two cores")
    assert [row["quantity"] for row in rows] == ["energy_wh_per_1000", "emissions_g_per_1000"]
    grams = rows[0]["value"] * grid("FRA").intensity_g_per_kwh / 1000
    assert rows[1]["value"] == pytest.approx(grams)
    assert rows[0]["low"] < rows[0]["value"] < rows[0]["high"]
    with pytest.raises(ValueError, match="at least one text"):
        per_thousand(predict, [], "FRA")


def test_an_estimate_runs_nothing_and_grows_with_time() -> None:
    one, ten = estimate(60, "FRA"), estimate(600, "FRA")
    assert one.class_ in "CD"
    assert ten.energy_kwh.central == pytest.approx(10 * one.energy_kwh.central)
    assert estimate(60, "POL").emissions_kg.central > 5 * one.emissions_kg.central


@pytest.mark.parametrize(
    ("given", "offered"),
    [("FR", "FRA (France)"), ("fra", "FRA (France)"), ("DE", "DEU"), ("Germany", "DEU (Germany)"), ("UK", "GBR")],
)
def test_an_unknown_country_is_refused_with_the_nearest_ones(given: str, offered: str) -> None:
    with pytest.raises(RecipeError) as raised:
        validate_country(given)
    assert repr(given) in raised.value.problem
    assert offered in raised.value.would_be_right
    assert "--set carbon.country=" in raised.value.what_to_do


def test_our_grid_intensity_is_the_one_codecarbon_applies() -> None:
    from codecarbon.core.emissions import Emissions
    from codecarbon.core.units import Energy
    from codecarbon.external.geography import GeoMetadata
    from codecarbon.input import DataSource

    for code in ("FRA", "USA", "POL", "CAF"):
        place = GeoMetadata(country_iso_code=code, country_name=code)
        theirs = Emissions(DataSource()).get_country_emissions(Energy.from_energy(kWh=1), place) * 1000
        assert grid(code).intensity_g_per_kwh == pytest.approx(theirs)


def test_without_codecarbon_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    from workbench.carbon import countries

    countries.country_names.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="carbon"):
        validate_country("FRA")
    countries.country_names.cache_clear()


def test_the_sum_of_blocks_has_the_weakest_class(long_block: Emission) -> None:
    metered = long_block.metered(0.001)
    total = add([metered, long_block])
    assert total.class_ == long_block.class_
    assert total.energy_kwh.central == pytest.approx(0.001 + long_block.energy_kwh.central)
