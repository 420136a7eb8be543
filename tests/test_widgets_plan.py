"""The panel Plan: dial, form and text show one file; nothing is started, and nothing wrong is written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from workbench.projects import dial
from workbench.projects.desk import Desk
from workbench.recipe import digest, parse, shipped_recipes
from workbench.widgets.plan import Plan
from workbench.widgets.words import Words
from workbench.widgets.work import AtOnce

TEXT = """\
# Sorts short orders by where they go.
name: orders
purpose: Show the panel.  # for tests
data:
  source: {path: orders.csv}  # beside it
  splits: {reserve: 0}
teacher: null
# no students yet
carbon: {country: FRA}
"""


class Later(Executor):
    """Keeps work until it is asked to do it."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.waiting.append(lambda: fn(*args, **kwargs))
        return Future()

    def do(self) -> None:
        """Do what waits, and nothing that is asked for meanwhile."""
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plan, "PAUSE_S", 0.0)
    monkeypatch.setattr("workbench.models.packages.KNOWN", ())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A recipe with its table, two classes of fifty texts."""
    rows = [f"send parcel {n} to the north by ship,north\nbring crate {n} south on the road,south" for n in range(50)]
    (tmp_path / "orders.csv").write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    target = tmp_path / "orders.yaml"
    target.write_text(TEXT, encoding="utf-8")
    return target


def plan(file: Path, executor: Executor | None = None, language: str = "en") -> Plan:
    """The panel alone."""
    return Plan(file, words=Words(language), executor=executor or AtOnce())


def test_a_recipe_that_nothing_blocks_is_estimated_and_done(file: Path) -> None:
    panel = plan(file)
    assert (panel.state, panel.blockers) == ("done", ())
    assert "In all" in panel.estimate.value
    assert "Baseline" in panel.estimate.value
    assert "It is likely to take" in panel.estimate.value
    assert panel.dial.value == "baseline"
    assert not panel.dial.disabled
    assert digest(parse(TEXT))[:12] in panel.yaml_told.value
    assert panel.yaml.value == TEXT
    assert "FRA" in dict(panel.form.fields["carbon.country"].control.options).values()
    assert file.read_text(encoding="utf-8") == TEXT


def test_a_change_in_the_form_is_saved_with_every_comment_and_estimated_anew(file: Path) -> None:
    later = Later()
    panel = plan(file, later)
    later.do()
    panel.form.fields["evaluation.seeds"].control.value = 3
    assert panel.state == "running"
    assert file.read_text(encoding="utf-8") == panel.yaml.value
    assert panel.yaml.value == TEXT.replace("carbon:", "evaluation:\n  seeds: 3\ncarbon:").replace(
        "evaluation:\n  seeds: 3", "evaluation: {seeds: 3}"
    ).replace("# no students yet\nevaluation: {seeds: 3}\n", "evaluation: {seeds: 3}\n# no students yet\n")
    before = panel.estimate.value
    panel.form.fields["evaluation.seeds"].control.value = 4
    assert len(later.waiting) == 2, "the older one gives way"
    later.do()
    assert panel.state == "done"
    assert panel.estimate.value != before
    assert panel.desk.recipe.evaluation.seeds == 4


def test_a_value_out_of_range_is_said_at_its_field_and_nothing_is_written(file: Path) -> None:
    panel = plan(file)
    field = panel.form.fields["evaluation.seeds"]
    field.control.value = 21
    assert "21 is out of range" in field.problem.value
    assert file.read_text(encoding="utf-8") == TEXT
    assert panel.state == "done"


def test_a_valid_edit_of_the_text_changes_the_form(file: Path) -> None:
    panel = plan(file)
    panel.yaml.value = TEXT.replace("carbon: {", "evaluation: {primary: accuracy}\ncarbon: {budget_grams: 5, ")
    assert panel.form.fields["evaluation.primary"].control.value == "accuracy"
    assert panel.form.fields["carbon.budget_grams"].control.value == "5.0"
    assert file.read_text(encoding="utf-8") == panel.yaml.value


def test_every_problem_of_a_wrong_text_is_listed_with_its_line_and_the_form_stays(file: Path) -> None:
    panel = plan(file)
    wrong = TEXT.replace("carbon: {country: FRA}", "carbon: {country: France}\nevaluation: {sedes: 3}")
    panel.yaml.value = wrong
    assert "line 9" in panel.yaml_told.value
    assert "line 10" in panel.yaml_told.value
    assert "did you mean" in panel.yaml_told.value
    assert panel.form.fields["carbon.country"].control.value == "FRA"
    assert file.read_text(encoding="utf-8") == TEXT
    field = panel.form.fields["evaluation.seeds"]
    field.control.value = 2
    assert "has problems" in field.problem.value
    assert panel.yaml.value == wrong
    panel.dial.value = None
    panel.back.click()
    assert panel.yaml.value == TEXT
    assert "line 9" not in panel.yaml_told.value
    field.control.value = 3
    assert panel.desk.recipe.evaluation.seeds == 3


def test_what_somebody_else_wrote_meanwhile_is_told_and_shown_and_not_overwritten(file: Path) -> None:
    panel = plan(file)
    theirs = TEXT.replace("Show the panel.", "Changed by somebody else.")
    file.write_text(theirs, encoding="utf-8")
    panel.form.fields["evaluation.seeds"].control.value = 3
    assert file.read_text(encoding="utf-8") == panel.yaml.value == theirs
    assert "changed elsewhere meanwhile" in panel.yaml_told.value
    assert panel.form.fields["purpose"].control.value == "Changed by somebody else."
    assert panel.form.fields["evaluation.seeds"].control.value == 1


def test_refresh_shows_what_is_on_disk_and_checks_only_what_changed(file: Path) -> None:
    later = Later()
    panel = plan(file, later)
    later.do()
    panel.refresh()
    assert later.waiting == []
    file.write_text(TEXT.replace("FRA", "DEU"), encoding="utf-8")
    panel.refresh()
    assert panel.form.fields["carbon.country"].control.value == "DEU"
    later.do()
    assert panel.state == "done"


def test_a_file_with_problems_blocks_until_it_is_mended_in_the_text(file: Path) -> None:
    file.write_text(TEXT.replace("name: orders", "nmae: orders"), encoding="utf-8")
    panel = plan(file)
    assert panel.state == "blocked"
    assert panel.blockers == ("The recipe's text has problems. They are listed below it.".replace("'", "’"),)
    assert "did you mean" in panel.yaml_told.value
    panel.yaml.value = TEXT
    assert panel.state == "done"
    assert panel.form.fields["purpose"].control.value == "Show the panel."


def test_a_table_that_is_gone_and_weights_that_are_missing_block_with_a_sentence(file: Path) -> None:
    panel = plan(file)
    panel.yaml.value = TEXT.replace("teacher: null", "teacher: {model: nobody/nothing}")
    assert panel.state == "blocked"
    assert "'nobody/nothing' are not on this machine" in panel.blockers[0]
    assert panel.estimate.value == ""
    assert "only the baseline" in panel.dial_told.value
    panel.dial.value = "baseline"
    assert panel.state == "done"
    assert panel.desk.recipe.teacher is None
    (file.parent / "orders.csv").unlink()
    panel.check()
    assert panel.state == "blocked"


def test_a_budget_below_the_estimate_blocks(file: Path) -> None:
    panel = plan(file)
    panel.form.fields["carbon.budget_grams"].control.value = "0.0001"
    assert panel.state == "blocked"
    assert "more than its budget" in panel.blockers[0]
    assert "The budget is" in panel.estimate.value
    panel.form.fields["carbon.budget_grams"].control.value = "5000"
    assert panel.state == "done"


def test_too_little_memory_or_disk_blocks(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.projects import estimating

    monkeypatch.setattr(estimating, "short", lambda *_: estimating.Short(100.0, 2.0))
    panel = plan(file)
    assert panel.state == "blocked"
    assert "100 MB are free" in panel.blockers[0]
    assert "2 MB are free" in panel.blockers[1]


def test_the_dial_changes_teacher_and_students(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = dial.Possible(tuple(dial.POSITIONS), "some/encoder")
    monkeypatch.setattr(dial, "possible", lambda *_: here)
    panel = plan(file)
    panel.dial.value = "static"
    assert [student.name for student in panel.desk.recipe.students] == ["linear", "static"]
    assert "# no students yet" in panel.yaml.value
    assert "Two small students" in panel.dial_told.value
    panel.dial.value = "baseline"
    assert panel.desk.recipe.teacher is None


def test_a_shipped_recipe_is_never_changed_but_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "licence-obligations-class"
    shipped = shipped_recipes()[name].read_text(encoding="utf-8")
    later = Later()
    panel = Plan(name, words=Words("en"), executor=later)
    assert panel.read_only
    panel.form.fields["evaluation.seeds"].control.value = 2
    assert "Make a copy first" in panel.form.fields["evaluation.seeds"].problem.value
    panel.yaml.value = shipped + "# more\n"
    assert "Make a copy first" in panel.yaml_told.value
    panel.copy.click()
    later.do()
    assert panel.desk.file == Path("runs/guide") / name / f"{name}.yaml"
    assert not panel.read_only
    panel.form.fields["evaluation.seeds"].control.value = 2
    assert panel.desk.recipe.evaluation.seeds == 2
    assert shipped_recipes()[name].read_text(encoding="utf-8") == shipped


def test_without_a_recipe_one_is_sent_to_the_first_step(tmp_path: Path) -> None:
    panel = Plan(desk=Desk(tmp_path), words=Words("en"), executor=AtOnce())
    panel.refresh()
    assert panel.state == "blocked"
    assert "No recipe was chosen yet." in panel.blockers


@pytest.mark.slow
def test_the_code_runs_and_says_the_same(file: Path) -> None:
    panel = plan(file)
    done = subprocess.run([sys.executable, "-c", panel.code], capture_output=True, text=True, check=True)
    assert "It is likely to take" in done.stdout


def test_the_snapshot_shows_text_and_estimate_without_a_row(file: Path) -> None:
    told = plan(file).snapshot()
    assert "In all" in told
    assert "country: FRA" in told
    assert "parcel" not in told


def test_french_says_nothing_in_english(file: Path) -> None:
    panel = plan(file, language="fr")
    assert panel.state == "done"
    assert "En tout" in panel.estimate.value
    assert "Cela prendra sans doute" in panel.estimate.value
    assert "likely" not in panel.estimate.value
    assert " to " not in panel.estimate.value
    panel.yaml.value = TEXT.replace(
        "carbon: {country: FRA}", "carbon: {country: France}\nevaluation: {sedes: 3, seeds: 99}"
    )
    assert "vouliez-vous dire" in panel.yaml_told.value
    assert "ligne 10" in panel.yaml_told.value
    assert "au plus 20" in panel.yaml_told.value
    assert "should" not in panel.yaml_told.value
