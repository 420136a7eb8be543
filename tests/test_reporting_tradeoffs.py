"""Which candidates may be compared, the page on trade-offs, and tables and figures for a paper."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from run_folder import Choices, make_run
from workbench.errors import RunError
from workbench.reporting import tradeoffs
from workbench.reporting.comparable import Measure, groups_of, points_of, why_apart
from workbench.reporting.evidence import read_evidence
from workbench.reporting.paper import paper_table, write_comparison
from workbench.reporting.paper_figures import paper_figures
from workbench.reporting.paper_formats import PaperTable, escaped_latex, harmless, latex_table, markdown_table
from workbench.reporting.rounding import rounded

FEW = Choices(rows=300, candidates=("baseline", "teacher", "student-linear", "control-linear"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run with simulated predictions."""
    return make_run(tmp_path_factory.mktemp("made") / "runs", FEW)


@pytest.fixture
def copied(made, tmp_path):
    """Gives copies of it, with values of its files changed."""

    def copy(name, **changed):
        folder = tmp_path / "runs" / made.parent.name / name
        shutil.copytree(made, folder)
        for file, change in changed.items():
            path = folder / f"{file}.json"
            value = json.loads(path.read_text(encoding="utf-8"))
            path.write_text(json.dumps(change(value)), encoding="utf-8")
        return folder

    return copy


@pytest.fixture(scope="module")
def figures(made):
    """Its figures for print."""
    return paper_figures(groups_of(points_of([made]))[0])


def each(change):
    """A change of every row of a file."""
    return lambda rows: [change(dict(row)) for row in rows]


def slower(row):
    """A run measured on another machine."""
    return row | {"hardware": "another processor"}


def metered(row):
    """Energy as a meter read it."""
    return row | {"class": "A"} if row["quantity"] == "energy_wh_per_1000" else row


def with_calibration(rows):
    """Calibration errors of all candidates."""
    names = {row["candidate"] for row in rows}
    more = {"split": "test", "slice": "all", "metric": "ece", "seed": None, "against": None, "n": 300, "method": "bins"}
    return [*rows, *({"candidate": one, "value": 0.05, "low": 0.02, "high": 0.08} | more for one in sorted(names))]


def test_two_runs_on_the_same_test_stand_on_one_front(made, copied):
    points = points_of([made, copied("second")])
    groups = groups_of(points)
    assert why_apart(points) == []
    assert len(groups) == 1
    assert len(groups[0].points) == 2 * len(FEW.candidates)
    assert len(groups[0].runs) == 2


def test_a_run_that_is_given_twice_counts_once(made):
    assert len(points_of([made, made])) == len(FEW.candidates)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("run", lambda run: run | {"data_digest": "0" * 64}, "different tables"),
        ("measurements", each(slower), "different machines"),
        ("recommendation", lambda one: one | {"split": "test_pool"}, "headline splits differ"),
    ],
)
def test_what_cannot_be_compared_is_kept_apart_with_the_reason(made, copied, file, change, said):
    points = points_of([made, copied("other", **{file: change})])
    assert len(groups_of(points)) == 2
    assert said in why_apart(points)[0]


def test_the_same_table_with_other_test_rows_is_another_test(made, copied, tmp_path):
    import pyarrow.parquet as pq

    other = copied("other")
    rows = pq.read_table(other / "data" / "rows.parquet")
    pq.write_table(rows.slice(1), other / "data" / "rows.parquet")
    assert "test rows are not the same" in why_apart(points_of([made, other]))[0]


def test_estimated_energy_is_no_axis_and_metered_energy_is_one(made, copied):
    estimated = groups_of(points_of([made]))[0]
    assert "energy" not in [axis.key for axis in estimated.axes]
    assert any("class D" in sentence for sentence in estimated.left_out)
    read = groups_of(points_of([copied("read", measurements=each(metered))]))[0]
    assert "energy" in [axis.key for axis in read.axes]


def test_calibration_is_an_axis_where_all_candidates_have_it(copied):
    group = groups_of(points_of([copied("calibrated", metrics=with_calibration)]))[0]
    assert "calibration" in [axis.key for axis in group.axes]
    some = copied("some", metrics=lambda rows: with_calibration(rows)[:-1])
    group = groups_of(points_of([some]))[0]
    assert "calibration" not in [axis.key for axis in group.axes]
    assert any("1 of 4 candidates" in sentence for sentence in group.left_out)


def test_a_candidate_without_a_time_is_left_out_and_said_so(copied):
    def lost(row):
        gone = row["candidate"] == "teacher" and row["quantity"] == "latency_p50_ms"
        return row | ({"value": None, "low": None, "high": None, "reason": "it was stopped"} if gone else {})

    group = groups_of(points_of([copied("lost", measurements=each(lost))]))[0]
    assert "teacher" not in [point.candidate for point in group.points]
    assert any("teacher" in sentence and "it was stopped" in sentence for sentence in group.left_out)


def test_times_within_a_factor_of_two_do_not_make_a_candidate_dominated(copied):
    def times(factor):
        def change(row):
            own = row["candidate"] == "baseline" and row["quantity"] == "latency_p50_ms"
            value = {"value": 0.21 * factor, "low": 0.208 * factor, "high": 0.212 * factor}
            exact = {"value": 0.21, "low": 0.208, "high": 0.212} if row["quantity"] == "latency_p50_ms" else {}
            same = {"value": 5.6, "low": 5.6, "high": 5.6} if row["quantity"] == "size_mb" else {}
            return row | (value if own else exact | same)

        return each(change)

    def place(name, factor):
        group = groups_of(points_of([copied(name, measurements=times(factor))]))[0]
        return dict(zip((point.candidate for point in group.points), group.places, strict=True))["baseline"]

    assert place("near", 1.5) == "possible"
    assert place("far", 3.0) == "dominated"


def test_the_page_says_who_is_on_the_front_with_n_and_interval(made):
    page = tradeoffs.page(read_evidence(made))
    assert page is not None
    assert "n = 300" in page.verdict
    assert "95 % interval" in page.verdict
    assert "student-linear" in page.verdict
    assert len(page.tables[0].rows) == len(FEW.candidates)
    assert {len(row) for row in page.tables[0].rows} == {len(page.tables[0].columns)}
    assert "var(--ink)" in page.figures[0].svg
    assert page.figures[0].svg.startswith("<svg")
    assert not re.search(r"\b(better|equal|no difference)\b", page.verdict + " ".join(page.sentences))


def test_no_page_where_there_is_nothing_to_set_against_each_other(copied):
    empty = copied("empty", metrics=lambda _: [], measurements=lambda _: [])
    assert tradeoffs.page(read_evidence(empty)) is None


def test_the_json_of_a_group_names_whom_a_candidate_is_behind(made):
    (group,) = tradeoffs.as_rows(groups_of(points_of([made])))
    places = {row["candidate"]: row["place"] for row in group["points"]}
    assert set(places.values()) <= {"front", "possible", "dominated"}
    assert all((row["behind"] is None) == (row["place"] == "front") for row in group["points"])
    json.dumps(group, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "low", "high", "told"),
    [
        (0.49516, 0.42703, 0.53362, ("0.50", "0.43", "0.53")),
        (0.6731, 0.6552, 0.6899, ("0.673", "0.655", "0.690")),
        (22.3390, 21.6728, 23.5070, ("22.3", "21.7", "23.5")),
        (116_749.0, 110_914.0, 156_695.0, ("117000", "111000", "157000")),
        (5.767252, 5.767252, 5.767252, ("5.77", "", "")),
        (0.4567, None, None, ("0.46", "", "")),
        (None, None, None, ("", "", "")),
        (0.0, 0.0, 0.0, ("0", "", "")),
        (0.9999, 0.998, 1.0, ("0.9999", "0.9980", "1.0000")),
    ],
)
def test_figures_have_the_digits_that_their_interval_carries(value, low, high, told):
    assert rounded(value, low, high) == told


@settings(max_examples=100, deadline=None)
@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.floats(0.01, 0.99))
def test_rounding_moves_nothing_by_more_than_a_fraction_of_the_interval(low, width, share):
    value, high = low + share * width, low + width
    told = [float(one) for one in rounded(value, low, high)]
    assert max(abs(a - b) for a, b in zip(told, (value, low, high), strict=True)) <= 0.15 * width + 1e-9 * high
    assert told[1] <= told[0] <= told[2]


@pytest.mark.parametrize("format", ["latex", "csv", "markdown"])
def test_a_table_is_the_same_text_each_time_and_has_every_candidate(made, format):
    text = paper_table([made], format)
    assert text == paper_table([made], format)
    assert all(name in text for name in FEW.candidates)


def test_a_table_says_what_it_rests_on(made, copied):
    text = paper_table([made, copied("other", run=lambda run: run | {"data_digest": "0" * 64})], "markdown")
    for said in ("bootstrap", "One seed", "order statistics", "Group 2 is not compared with group 1", "class D"):
        assert said in text


def test_latex_is_balanced_and_its_rows_have_as_many_cells_as_there_are_columns(made):
    text = paper_table([made], "latex")
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    assert sorted(re.findall(r"\\begin\{(\w+)\}", text)) == sorted(re.findall(r"\\end\{(\w+)\}", text))
    columns = len(re.search(r"\\begin\{tabular\}\{(\w+)\}", text).group(1))
    body = text.split(r"\toprule")[1].split(r"\bottomrule")[0]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 1 + len(FEW.candidates)
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {columns - 1}


def test_hostile_names_stay_text_in_every_format():
    name = "\\input{/etc/passwd} & 50 % $x$ #_~^ <b>|\n[x](y)"
    table = PaperTable(name, ("Candidate", "Value"), ((name, "[1, 2]"),), (False,), (1,), (name,))
    tex = latex_table(table, 1)
    assert r"\input" not in tex
    assert escaped_latex("50 % & _") == r"50 \% \& \_"
    line = next(one for one in tex.splitlines() if "passwd" in one and "1, 2" in one)
    assert len(re.findall(r"(?<!\\)&", line)) == 1
    optional = PaperTable("a", ("b",), (("[9pt]",),), (False,), (), ())
    assert "{}[9pt]" in latex_table(optional, 1), "a row that begins with a bracket is no argument of the line break"
    marked = markdown_table(table)
    assert "<b>" not in marked.replace(r"\<b\>", "")
    assert "](" not in marked
    assert (
        len(re.findall(r"(?<!\\)\|", next(one for one in marked.splitlines() if "passwd" in one and "1, 2" in one)))
        == 3
    )


@pytest.mark.parametrize(
    ("cell", "told"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("-1.5", "-1.5"), ("-cmd", "'-cmd"), ("0.5", "0.5"), ("a\nb", "a b")],
)
def test_no_cell_of_the_csv_is_a_formula(cell, told):
    assert harmless(cell) == told


def test_the_csv_has_a_column_for_each_bound(made):
    rows = list(csv.DictReader(io.StringIO(paper_table([made], "csv"))))
    assert [row["candidate"] for row in rows] == list(FEW.candidates)
    assert all(float(row["quality_low"]) <= float(row["quality"]) <= float(row["quality_high"]) for row in rows)
    assert all(row["energy_mwh"] == "" for row in rows)


def test_an_unknown_format_is_refused(made):
    with pytest.raises(ValueError, match="none of them"):
        paper_table([made], "word")


@pytest.mark.slow
def test_figures_are_the_same_bytes_each_time_with_text_as_text_and_300_dots_an_inch(made, figures):
    files = paper_figures(groups_of(points_of([made]))[0])
    assert sorted(files) == ["intervals.png", "intervals.svg", "tradeoffs.png", "tradeoffs.svg"]
    assert files == figures
    svg = files["tradeoffs.svg"].decode()
    ET.fromstring(svg)  # noqa: S314  (made a line above)
    assert "student-linear" in svg
    assert "var(--" not in svg
    png = files["tradeoffs.png"]
    at = png.index(b"pHYs") + 4
    assert round(int.from_bytes(png[at : at + 4], "big") * 0.0254) == 300


def test_marks_tell_apart_without_colour(made):
    """Role shows in the shape, place in the filling: no two candidates that differ in either look the same in grey."""
    from workbench.reporting.paper_figures import PRINT, _mark

    (group,) = groups_of(points_of([made]))
    looks = {}
    for at, point in enumerate(group.points):
        mark = _mark(group, at, PRINT)
        look = (mark["marker"], mark["fillstyle"], mark["markerfacecolor"] == PRINT.paper)
        looks.setdefault(look, set()).add((point.role, group.places[at]))
    assert all(len(meant) == 1 for meant in looks.values())


@pytest.mark.slow
def test_many_points_and_missing_intervals_can_be_drawn(made, copied, monkeypatch):
    monkeypatch.setattr("workbench.reporting.paper_figures.DPI", 40)
    folders = [made, *(copied(f"run{at}") for at in range(4))]
    (group,) = groups_of(points_of(folders))
    assert paper_figures(group)["tradeoffs.svg"]
    bare = {key: replace(one, low=None, high=None) for key, one in group.points[0].measures.items()}
    alone = replace(group.points[0], measures=bare | {"quality": Measure(0.5)})
    (single,) = groups_of([alone])
    assert single.places == ("front",)
    assert paper_figures(single)["intervals.svg"]


@pytest.mark.slow
def test_a_comparison_is_written_whole_into_a_folder(made, tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.reporting.paper_figures.DPI", 40)
    files = write_comparison([made], tmp_path / "paper")
    assert sorted(one.name for one in files) == sorted(one.name for one in (tmp_path / "paper").iterdir())
    assert {one.suffix for one in files} == {".tex", ".csv", ".md", ".svg", ".png"}


def test_a_run_s_folder_is_not_written_into(made, copied):
    run = copied("run")
    with pytest.raises(RunError, match="folder of a run"):
        write_comparison([made], run / "paper")
    assert not (run / "paper").exists()


def test_runs_without_scores_say_what_to_do(copied):
    empty = copied("empty", metrics=lambda _: [], measurements=lambda _: [])
    with pytest.raises(RunError, match="candidate with a score") as refused:
        paper_table([empty], "latex")
    assert "workbench resume" in refused.value.what_to_do
