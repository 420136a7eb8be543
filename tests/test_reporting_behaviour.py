"""The report's pages on behaviour, robustness and attacks: words that the numbers carry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from behaviour_candidate import CLASSES, Keywords, subject
from workbench import storage
from workbench.evaluation.attacks import check_attacks
from workbench.evaluation.behaviour import check_suite
from workbench.evaluation.robustness import check_robustness
from workbench.metrics.attacks import score_attacks
from workbench.metrics.behaviour import score_behaviour
from workbench.metrics.robustness import score_robustness
from workbench.recipe.suites import parse_suite
from workbench.reporting import attacks, behaviour, robustness
from workbench.reporting.evidence import Evidence

SUITE = """\
name: tickets
about: Written for a test.
tests:
  - name: plain
    kind: minimum
    about: The word says it.
    cases:
      - {text: the brake squeals, expect: "01"}
      - {text: the lever is <loose>, expect: "01"}
  - name: capitals
    kind: invariance
    about: Case must not matter.
    perturb: {name: case, level: upper}
    cases:
      - {text: the chain jumps}
  - name: other-part
    kind: direction
    about: The part decides.
    cases:
      - {text: check it, changed: check this, rises: "01", by: 0.1}
      - {text: the tyre, changed: the spoke, changes: true}
"""


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory):
    """A run of one hand-made candidate with all three checks."""
    tmp_path = tmp_path_factory.mktemp("run")
    whom = subject(Keywords(obeys=True))
    made = (
        (check_suite(whom, parse_suite(SUITE, "mine.yaml", CLASSES)), score_behaviour),
        (check_robustness(whom), score_robustness),
        (check_attacks(whom), score_attacks),
    )
    rows, checks = [], {}
    for check, score in made:
        rows += score(check.table, check.settings)
        checks[check.name] = {"settings": check.settings, "reasons": list(check.reasons), "seconds": 1.0}
        storage.write_parquet(tmp_path / "evidence" / f"{check.name}.parquet", check.table)
    return Evidence(
        folder=tmp_path,
        run={},
        recipe=whom.recipe,
        environment={},
        health={},
        metrics=tuple(rows),
        measurements=(),
        emissions=(),
        recommendation={"candidate": "student-words"},
        events=(),
        candidates=("student-words",),
        checks=checks,
    )


def cells(table):
    return [" | ".join(row) for row in table.rows]


def test_the_page_on_behaviour_names_failures_of_cases_and_shows_them(evidence):
    page = behaviour.page(evidence)
    assert page.verdict.startswith("student-words fails 4 of 5 cases (80 %; 95 % interval ")
    assert page.files == ["evidence/behaviour-tickets.parquet"]
    shown = cells(page.tables[1])
    assert any("the lever is <loose> | 01 Brakes | 03 Wheels" in line for line in shown)
    assert any("the chain jumps → THE CHAIN JUMPS | stay 02 Gears | 03 Wheels" in line for line in shown)
    assert any("01 Brakes rises by more than 0.1" in line for line in shown)
    assert any("no longer be 03 Wheels" in line for line in shown)
    assert "4 of 5" in cells(page.tables[0])[-1]
    assert page.figures[0].svg.startswith("<svg")


def test_the_page_on_robustness_names_the_largest_loss_with_n_and_interval(evidence):
    page = robustness.page(evidence)
    assert page.verdict.startswith("The macro-F1 of student-words falls most")
    assert "n = 240" in page.verdict
    assert "interval −" in page.verdict
    (silent,) = [one for one in page.sentences if one.startswith("No loss of student-words is detectable at n = 240:")]
    assert "in lower case" in silent
    assert len(page.tables[0].rows) == 1 + 16
    assert page.figures[0].svg.count("<text") > 20


def test_the_page_on_attacks_compares_with_the_neutral_change(evidence):
    page = attacks.page(evidence)
    assert "wins student-words over in 100 % (98 % to 100 %) of n = 240 rows" in page.verdict
    assert "; a neutral change of the same length in 0 % (0 % to " in page.verdict
    lines = cells(page.tables[0])
    assert any(line.startswith("padding with irrelevant words | right becomes wrong | 0 %") for line in lines)
    assert any("is shown at n = 240" in one for one in page.sentences)


def test_there_is_no_page_where_nothing_was_measured(evidence):
    bare = replace(evidence, checks={}, metrics=())
    assert behaviour.page(bare) is robustness.page(bare) is attacks.page(bare) is None
