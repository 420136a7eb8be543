"""Ranges, classes and digits: worked by hand, without codecarbon."""

from __future__ import annotations

import math

import pytest

from workbench.carbon.quantities import Emission, Range, add, digits, grams, in_words, spread, watt_hours


def _emission(class_: str = "C", reused_from: str | None = None) -> Emission:
    energy = spread(0.001, class_)
    method = {"intensity_g_per_kwh": 56.0}
    return Emission("train", "baseline", 10.0, energy, energy.times(0.056), class_, method, reused_from)


def test_the_ends_of_class_c_are_the_documented_five_times_apart() -> None:
    found = spread(2.0, "C")
    assert found.high / found.low == pytest.approx(5.0)
    assert math.sqrt(found.low * found.high) == pytest.approx(2.0)


def test_class_d_is_wider_than_c_and_class_a_is_narrow() -> None:
    assert spread(1.0, "D").high / spread(1.0, "D").low == pytest.approx(5.0 * 1.4**2)
    assert spread(1.0, "A").high / spread(1.0, "A").low < 1.05


def test_class_b_begins_at_what_the_hardware_counted() -> None:
    assert spread(10.0, "B", counted=8.0) == Range(8.0, 10.0, pytest.approx(14.0))
    assert spread(10.0, "B").low == 10.0


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(ValueError, match="A, B, C or D"):
        spread(1.0, "E")


@pytest.mark.parametrize(
    ("value", "class_", "shown"),
    [
        (0.0012345, "C", "0.0012"),
        (0.0995, "D", "0.10"),
        (0.996, "D", "1.0"),
        (1.2345, "D", "1.2"),
        (1234.5, "C", "1,200"),
        (1234.5, "B", "1,230"),
        (9.99, "C", "10"),
        (0.0, "C", "0"),
    ],
)
def test_two_significant_digits_for_c_and_d_three_for_a_and_b(value: float, class_: str, shown: str) -> None:
    assert digits(value, class_) == shown


def test_words_carry_the_unit_and_both_ends() -> None:
    assert in_words(Range(0.1712, 0.5234, 1.6), "Wh", "D") == "0.52 Wh (0.17 to 1.6)"
    assert watt_hours(_emission()) == "1.0 Wh (0.45 to 2.2)"
    assert grams(_emission()) == "0.056 g (0.025 to 0.13)"


def test_a_sum_adds_the_ends_and_takes_the_weakest_class() -> None:
    total = add([_emission("B"), _emission("C", reused_from="abc")])
    assert total.class_ == "C"
    assert total.seconds == 20.0
    assert total.energy_kwh.high == pytest.approx(0.001 * 1.4 + 0.001 * math.sqrt(5))
    assert total.method == {"parts": 2, "reused": 1}


def test_the_sum_of_nothing_is_zero() -> None:
    assert add([]).energy_kwh == Range(0.0, 0.0, 0.0)


def test_a_reused_stage_keeps_where_it_was_first_spent() -> None:
    carried = _emission().reused("run-1")
    assert carried.reused_from == "run-1"
    assert carried.reused("run-2").reused_from == "run-1"


def test_a_meter_reading_takes_the_place_of_the_estimate() -> None:
    metered = _emission("D").metered(0.002)
    assert metered.class_ == "A"
    assert metered.emissions_kg.central == pytest.approx(0.002 * 0.056)
    assert metered.method["estimate_kwh"] == pytest.approx(0.001)
    with pytest.raises(ValueError, match="zero or more"):
        _emission().metered(-1)


def test_json_and_back() -> None:
    emission = _emission(reused_from="abc")
    assert Emission.from_json(emission.to_json()) == emission
