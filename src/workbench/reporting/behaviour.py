"""The report's page on behaviour tests: what fails, how often, and the failing texts themselves.

Texts of a suite were written for it and may be shown; no row of the table is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.parquet as pq

from workbench.metrics.behaviour import Judged, judge
from workbench.reporting.behaviour_figures import Value, shares
from workbench.reporting.evidence import Evidence
from workbench.reporting.pages import Figure, Page, Table

Row = Mapping[str, Any]
KIND_NAMES = {
    "minimum": "minimum functionality: the right class",
    "invariance": "invariance: the same class after a change",
    "direction": "direction: a change that must matter",
}
MOST_SHOWN = 45
MOST_OF_A_TEST = 3


def page(evidence: Evidence) -> Page | None:
    """The page on behaviour tests.

    Args:
        evidence: The run.

    Returns:
        The page; ``None`` where no suite was put to the candidates.
    """
    checks = {name: check for name, check in evidence.checks.items() if name.startswith("behaviour-")}
    found = {name: check for name, check in checks.items() if _rates(evidence, check["settings"])}
    if not found:
        return None
    sentences: list[str] = []
    figures: list[Figure] = []
    tables: list[Table] = []
    for name, check in found.items():
        settings = check["settings"]
        sentences += [*_sentences(evidence, settings), f"About the suite: {settings['about']}", *check["reasons"]]
        figures.append(_figure(evidence, settings))
        tables += [_rate_table(evidence, settings), *_example_tables(evidence, name, settings)]
    return Page(
        anchor="behaviour",
        title="How does it behave where we know what should happen?",
        verdict=" ".join(_verdict(evidence, check["settings"]) for check in found.values()),
        sentences=sentences,
        figures=figures,
        tables=tables,
        how=(
            "A suite is a file of texts with what must happen, after CheckList (Ribeiro et al., 2020): the right "
            "class, the same class after a harmless change, or a probability that moves as told after one that "
            "matters.",
            "A case fails where any of its texts fails. Intervals are exact (Clopper–Pearson), over cases.",
        ),
        not_shown=(
            "The cases were written, partly after looking at errors; they were not drawn from real use. A failure rate "
            "here is not an error rate in use, and passing does not show that a behaviour is right everywhere.",
        ),
        files=[f"evidence/{name}.parquet" for name in found],
    )


def _split(settings: Row) -> str:
    return f"suite-{settings['suite']}"


def _rates(evidence: Evidence, settings: Row) -> dict[str, Row]:
    """Failure rate of the whole suite of each candidate, the shown one first."""
    rows = {name: evidence.score(name, _split(settings), "failure_rate") for name in evidence.candidates}
    found = {name: row for name, row in rows.items() if row is not None}
    first = evidence.recommended
    return {name: found[name] for name in sorted(found, key=lambda name: name != first)}


def _shown(evidence: Evidence, settings: Row) -> tuple[str, ...]:
    """The recommended candidate and the teacher, those that there are."""
    rates = _rates(evidence, settings)
    wanted = [name for name in (evidence.recommended, "teacher") if name in rates]
    return tuple(dict.fromkeys([*wanted, *rates]))[: max(1, len(wanted))]


def percent(value: float) -> str:
    """A share in whole percents; with a decimal where it is below ten."""
    hundred = 100 * value
    return f"{hundred:.0f} %" if hundred >= 9.95 or hundred == 0 else f"{hundred:.1f} %"


def rate_words(row: Row) -> str:
    """A failure rate with its counts and interval.

    Args:
        row: A row of failure_rate.
    """
    if row["value"] is None:
        return str(row.get("reason", "not given"))
    bounds = f"{100 * row.get('confidence', 0.95):g} % interval {percent(row['low'])} to {percent(row['high'])}"
    return f"{row['failures']} of {row['n']} cases ({percent(row['value'])}; {bounds})"


def _verdict(evidence: Evidence, settings: Row) -> str:
    """What the shown candidate fails of one suite, in one sentence."""
    name = _shown(evidence, settings)[0]
    return f"{name} fails {rate_words(_rates(evidence, settings)[name])} of the suite {settings['suite']}."


def _sentences(evidence: Evidence, settings: Row) -> list[str]:
    """Findings of one suite: by kind, and the weakest tests."""
    name = _shown(evidence, settings)[0]
    found = []
    for kind, words in KIND_NAMES.items():
        row = evidence.score(name, _split(settings), "failure_rate", slice_=f"kind={kind}")
        if row is not None:
            found.append(f"{name}, {words}: fails {rate_words(row)}.")
    rows = [(test, _of_test(evidence, name, settings, test)) for test in settings["tests"]]
    known = [(test, row) for test, row in rows if row is not None and row["value"]]
    if known:
        test, row = max(known, key=lambda pair: float(pair[1]["value"]))
        found.append(f"It fails most in “{test['name']}”: {rate_words(row)}. {test['about']}")
    return found


def _of_test(evidence: Evidence, name: str, settings: Row, test: Row) -> Row | None:
    return evidence.score(name, _split(settings), "failure_rate", slice_=f"test={test['name']}")


def _figure(evidence: Evidence, settings: Row) -> Figure:
    """Failure rate of each test."""
    tests = settings["tests"]
    series: dict[str, list[Value | None]] = {}
    for name in _shown(evidence, settings):
        rows = [_of_test(evidence, name, settings, test) for test in tests]
        series[name] = [
            None if row is None or row["value"] is None else Value(row["value"], row["low"], row["high"])
            for row in rows
        ]
    labels = [f"{test['name']} ({test['cases']})" for test in tests]
    axis = "Share of cases that fail, with interval (further left is better)"
    svg = shares(f"behaviour-{settings['suite']}", labels, series, f"Failures in the suite {settings['suite']}", axis)
    return Figure(svg, f"Failures by test of the suite {settings['suite']}; in brackets the number of cases.")


def _rate_table(evidence: Evidence, settings: Row) -> Table:
    """Failures of every candidate by test."""
    names = tuple(_rates(evidence, settings))
    rows = []
    for test in settings["tests"]:
        cells = [_of_test(evidence, name, settings, test) for name in names]
        rows.append((test["name"], test["kind"], *(_cell(row) for row in cells)))
    rows.append(("all", "", *(_cell(_rates(evidence, settings)[name]) for name in names)))
    caption = f"Failing cases of the suite {settings['suite']}: failures of cases, and the interval of the share."
    return Table(caption, ("Test", "Kind", *names), tuple(rows), right=names)


def _cell(row: Row | None) -> str:
    if row is None or row["value"] is None:
        return "not given"
    return f"{row['failures']} of {row['n']} ({percent(row['low'])} to {percent(row['high'])})"


def _example_tables(evidence: Evidence, name: str, settings: Row) -> list[Table]:
    """Failing cases of the shown candidate, some of each test."""
    path = evidence.folder / "evidence" / f"{name}.parquet"
    if not path.is_file():
        return []
    who = _shown(evidence, settings)[0]
    failing = [case for case in judge(pq.read_table(path)) if case.candidate == who and case.failed]
    taken: dict[str, int] = {}
    shown: list[Judged] = []
    for case in failing:
        taken[case.test] = taken.get(case.test, 0) + 1
        if taken[case.test] <= MOST_OF_A_TEST and len(shown) < MOST_SHOWN:
            shown.append(case)
    if not shown:
        return []
    caption = f"Failing cases of {who}, {len(shown)} of {len(failing)}; all of them are in the evidence file."
    return [Table(caption, ("Test", "Text", "Should", "Did"), tuple(_example(case) for case in shown))]


def _example(case: Judged) -> tuple[str, str, str, str]:
    """One failing case in words."""
    first, other = case.answers[0], case.answers[case.failed[0]]
    if case.kind == "minimum":
        return case.test, first["text"], " or ".join(first["expected"]), _said(first)
    text = f"{first['text']} → {other['text']}"
    if case.kind == "invariance":
        return case.test, text, f"stay {first['prediction']}", _said(other)
    if first["move"] == "changes":
        return case.test, text, f"no longer be {first['prediction']}", f"stayed {_said(other)}"
    by = f" by more than {first['by']:g}" if first["by"] else ""
    should = f"{first['watched']} {first['move']}{by}"
    return case.test, text, should, f"{first['p_watched']:.2f} → {other['p_watched']:.2f}"


def _said(answer: Row) -> str:
    return f"{answer['prediction']} ({answer['probability']:.2f})"


def example_sentences(table: Any, candidate: str, most: int = 3) -> Sequence[str]:
    """A few failing cases as sentences, for a terminal or a notebook.

    Args:
        table: Evidence of a suite.
        candidate: Whose failures.
        most: How many.
    """
    failing = [case for case in judge(table) if case.candidate == candidate and case.failed][:most]
    return [f"{test}: “{text}” should: {should}; did: {did}" for test, text, should, did in map(_example, failing)]
