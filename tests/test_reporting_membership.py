"""The page on membership: what it claims follows from figures and controls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from workbench.metrics.differential_privacy import Learned, Spent
from workbench.reporting.membership import page
from workbench.training.private_students import write_privacy

pytest.importorskip("matplotlib")


@dataclass
class Folder:
    """The parts of a run's evidence that the page reads."""

    metrics: list
    checks: dict
    candidates: tuple = ("baseline", "teacher", "student-linear")
    recommended: str = "student-linear"
    folder: Path = Path("nowhere")

    def score(self, candidate, split, metric, *, slice_="all", against=None, seed=None):
        wanted = (candidate, split, metric)
        return next((row for row in self.metrics if (row["candidate"], row["split"], row["metric"]) == wanted), None)


def row(candidate, metric, value, low, high, **more):
    base = {"candidate": candidate, "split": "train", "slice": "all", "metric": metric, "value": value}
    return base | {"low": low, "high": high, "n": 1840, "method": "", "seed": None, "against": None} | more


def folder(teacher=(0.70, 0.67, 0.73), p=0.001, blind=(0.5, 0.47, 0.53), memorised=0.99):
    rows = [
        row("teacher", "membership_auc:rmia", *teacher, p=p, p_holm=p, members=840, others=1000),
        row("teacher", "membership_tpr:rmia", 0.05, 0.03, 0.07, alarms=10),
        row("student-linear", "membership_auc:loss", 0.51, 0.48, 0.54, p=0.4, p_holm=0.8, members=840, others=1000),
        row("student-linear", "membership_tpr:loss", None, None, None, reason="too few others"),
        row("teacher", "membership_blind_auc", *blind),
        row("teacher", "membership_memorised_auc", memorised, memorised - 0.01, min(1.0, memorised + 0.01)),
        row("teacher", "membership_null_auc", 0.5, 0.47, 0.53, false_alarms=0.05),
        row("teacher", "membership_detectable_auc", 0.54, None, None),
    ]
    references = {"teacher": {"shadows": 64, "family": "heads", "distance": 0.01, "alike": True, "approximated": []}}
    settings = {"members": 840, "others": 1000, "left_out": 0, "references": references}
    return Folder(rows, {"membership": {"settings": settings, "reasons": [], "seconds": 1}})


def test_a_leak_is_said_with_its_numbers():
    made = page(folder())
    assert made.verdict.startswith("Yes, better than by chance")
    assert "0.700 (95 % interval 0.670 to 0.730, n = 1,840)" in made.verdict
    assert any("student-linear (recommended): not detectable" in said for said in made.sentences)
    assert made.figures[0].svg.startswith("<svg")
    assert any("lower bound" in said for said in made.not_shown)


def test_where_nothing_is_found_the_page_says_what_could_not_be_seen():
    made = page(folder(teacher=(0.52, 0.49, 0.55), p=0.2))
    assert "not detectable at n = 1,840" in made.verdict
    assert "under 0.54" in made.verdict


@pytest.mark.parametrize(
    ("change", "word"), [({"blind": (0.6, 0.57, 0.63)}, "words alone"), ({"memorised": 0.6}, "by heart")]
)
def test_an_audit_whose_controls_fail_is_not_relied_on(change, word):
    made = page(folder(**change))
    assert made.verdict.startswith("This audit cannot be relied on")
    assert word in made.verdict


def test_without_figures_the_page_gives_the_reason():
    made = page(Folder([], {"membership": {"settings": {}, "reasons": ["12 members are too few."], "seconds": 1}}))
    assert made.verdict == "12 members are too few."
    assert page(Folder([], {})) is None


def test_the_epsilon_of_a_private_teacher_is_stated_and_none_for_a_student_that_saw_labels(tmp_path):
    spent = Spent(2.9, 2.91, 1e-4, 1.2, 1.0, 0.25, 200, 840, 1.2, 100_000, secret=True)
    write_privacy(tmp_path / "models" / "teacher", spent)
    write_privacy(tmp_path / "models" / "student-linear", spent, Learned(labelled=True))
    run = folder()
    run.folder = tmp_path
    text = " ".join(page(run).sentences)
    assert "An ε is stated for teacher, whole, under “Differential privacy”" in text
    assert "none for baseline and student-linear" in text
    assert "2.91" not in text
