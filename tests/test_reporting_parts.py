"""The pieces of a report: numbers in words, labels that do not overlap, order of candidates."""

from __future__ import annotations

import itertools

import pytest

from workbench.reporting import figures, words
from workbench.reporting.card import markdown
from workbench.reporting.emissions import Range, add, digits, read_entry
from workbench.reporting.evidence import in_order, role
from workbench.reporting.figures import Bar, Point, spread_out
from workbench.reporting.findings import references
from workbench.reporting.sections import meaning


def test_candidates_stand_beside_what_they_are_compared_with():
    names = ["selftrain-b", "teacher", "student-b", "control-a", "student-a", "baseline", "selftrain-a", "control-b"]
    assert in_order(names) == (
        "baseline", "teacher", "student-a", "control-a", "selftrain-a", "student-b", "control-b", "selftrain-b",
    )  # fmt: skip


def test_compressed_candidates_stand_beside_their_original_and_a_head_beside_its_teacher():
    names = ["control-a", "student-a-short", "teacher-head", "student-a-int8", "student-b", "teacher", "student-a"]
    assert in_order(["student-a-onnx", "student-a-fp16", *names]) == (
        "teacher", "teacher-head", "student-a", "student-a-onnx", "student-a-int8", "student-a-fp16",
        "student-a-short", "control-a", "student-b",
    )  # fmt: skip
    assert [role(name) for name in ("teacher-head", "student-a-int8", "control-a")] == [
        "teacher",
        "compressed",
        "control",
    ]
    assert references("student-a-int8") == ("student-a",)
    assert references("student-a")[0] == "control-a"
    assert meaning("student-a-int8") == "student-a in 8 bits (ONNX)"
    assert meaning("student-a-short") == "student-a without some of its layers"
    assert meaning("teacher-head") != meaning("teacher")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.42, "0.4 s"), (38.2, "38 s"), (59.7, "1 min 00 s"), (245, "4 min 05 s"), (7800, "2 h 10 min")],
)
def test_durations_read_as_people_say_them(seconds, shown):
    assert words.duration(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (0.000123, "0.00012"), (54321, "54,000"), (0.0996, "0.10"), (9.96, "10")]
)
def test_two_significant_digits(value, shown):
    assert words.significant(value) == shown


def test_lists_shares_and_scores():
    assert words.listing([]) == ""
    assert words.listing(["a"]) == "a"
    assert words.listing(["a", "b", "c"]) == "a, b and c"
    assert words.share(1, 1000) == "under 1 %"
    assert words.share(1, 3) == "33 %"
    assert words.percent(1.0) == "100 %"
    assert words.percent(0.99999) == "99.99 %"
    assert words.percent(0.9973) == "99.73 %"
    assert words.score(-0.01) == "\N{MINUS SIGN}0.010"


def test_labels_keep_their_distance_and_their_order():
    wanted = [0.5, 0.51, 0.52, 0.9]
    placed = spread_out(wanted, 0.1, 0.0, 1.0)
    assert sorted(placed) == placed
    assert min(after - before for before, after in itertools.pairwise(placed)) >= 0.1 - 1e-9
    assert placed[3] == pytest.approx(0.9)


def test_labels_stay_inside_and_squeeze_where_there_is_no_room():
    placed = spread_out([1.0] * 5, 0.5, 0.0, 1.0)
    assert min(placed) >= -1e-9
    assert max(placed) <= 1 + 1e-9
    assert spread_out([], 0.1, 0.0, 1.0) == []


def _points(*latencies: float) -> list[Point]:
    names = ("baseline", "teacher", "student-a", "control-a")
    return [
        Point(name, name.partition("-")[0], ms, ms * 0.9, ms * 1.1, 0.5 + 0.01 * at, 0.45, 0.6, at == 2)
        for at, (name, ms) in enumerate(zip(names, latencies, strict=False))
    ]


@pytest.mark.parametrize("latencies", [(0.2,), (0.2, 0.2, 0.2, 0.2), (0.1, 9.0, 0.2, 0.21), (1e-3, 1e3, 1.0, 1.0)])
def test_the_figure_of_quality_is_drawn_for_any_latencies(latencies):
    svg = figures.quality_against_latency(_points(*latencies), "macro-F1", "test")
    assert svg.startswith("<svg")
    assert "<title" in svg
    assert "baseline" in svg
    assert "var(--ink)" in svg
    assert "#0101" not in svg
    assert "<metadata" not in svg
    assert "<?xml" not in svg


def test_long_names_on_the_left_get_room_of_their_own():
    short, long = (
        figures._left_room([Point(name, "student", 0.1, 0.09, 0.11, 0.5, 0.4, 0.6, False), *_points(0.3, 9.0)], 3.0)
        for name in ("student-a", "student-with-a-long-name-onnx")
    )
    assert short == 3.0
    assert long > 6.0


def test_figures_are_the_same_bytes_each_time_and_escape_names():
    bars = [Bar("read & <check>", 0.1, 0.2, 0.5, reused=True), Bar("train", 0.0, 0.0, 0.0, reused=False)]
    svg = figures.energy_by_stage(bars, "Wh")
    assert svg == figures.energy_by_stage(bars, "Wh")
    assert "<check>" not in svg
    assert "(reused)" in svg


def test_a_dollar_sign_in_a_name_is_no_formula():
    assert "$a_1$" in figures.energy_by_stage([Bar("$a_1$", 0.1, 0.2, 0.5, reused=False)], "Wh")


def test_markdown_is_taken_literally():
    assert markdown("a | b\n*c* `d` <e>") == r"a \| b \*c\* \`d\` <e>"


def test_sums_of_emissions_add_the_ends_and_take_the_weakest_class():
    entry = {"stage": "a", "candidate": None, "seconds": 1.0, "class": "B", "method": None, "reused_from": None}
    entry |= {key: {"low": 1.0, "central": 2.0, "high": 4.0} for key in ("energy_kwh", "emissions_kg")}
    total = add([read_entry(entry), read_entry(entry | {"class": "D"})])
    assert total.energy_kwh == Range(2.0, 4.0, 8.0)
    assert total.class_ == "D"
    assert digits(0.12345, "D") == "0.12"
    assert digits(0.12345, "B") == "0.123"
