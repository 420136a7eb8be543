"""What a person does before a model leaves the house, on a run's folder of the contract."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from run_folder import CLASSES, Choices, make_run
from workbench import recipe as recipes
from workbench.errors import ModelError, RunError
from workbench.models.linear import LinearCandidate
from workbench.releasing import (
    CARD_FIELDS,
    card_problems,
    export,
    gate,
    missing_fields,
    read_card_fields,
    sign_off,
    sign_offs,
    write_card_fields,
)
from workbench.reporting import report
from workbench.runs import check_manifest, write_manifest
from workbench.widgets.words import Words

FILLED = {
    "intended_use": "Librarians let it suggest a subject, and decide themselves.",
    "out_of_scope": "Not for sorting without a person.",
    "owner": "Cataloguing team",
    "contact": "catalogue@library.example",
    "licence_checked_by": "A. Reader, 2026-11-02",
}
ROW_TEXT = "a sentence that stands in a row only"
FRENCH = Words("fr")
SMALL = Choices(rows=160, candidates=("baseline", "student-linear"), classes=CLASSES[:4])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = make_run(tmp_path_factory.mktemp("runs"), SMALL)
    linear(folder / "models" / "student-linear")
    state = json.loads((folder / "run.json").read_text())
    state["recipe_digest"] = recipes.digest(recipes.read(folder / "recipe.yaml").recipe)
    (folder / "run.json").write_text(json.dumps(state))
    pq.write_table(pa.table({"row": [1], "text": [ROW_TEXT]}), folder / "data" / "examples.parquet")
    report(folder)
    write_manifest(folder)
    return folder


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "runs" / made.parent.name / made.name)


def linear(folder):
    """A real linear model in the place of an invented one."""
    import numpy as np

    shutil.rmtree(folder)
    table = np.random.default_rng(0).normal(size=(4096, 4)).astype(np.float16)
    LinearCandidate(("a", "b", "c"), (2, 5), table, np.zeros(3, dtype=np.float32)).save(folder)


def status(run, word):
    state = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(state | {"status": word}))


def line(run, key, verified=None):
    return next(one for one in gate(run, verified) if one.key == key)


def test_every_field_of_the_card_has_a_rule_and_a_reason():
    assert all(one.title and one.rule.endswith(".") and one.reason.endswith(".") for one in CARD_FIELDS.values())
    assert missing_fields({}) == ("intended_use", "out_of_scope", "owner", "contact", "licence_checked_by")
    assert missing_fields(FILLED) == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("intended_use", "sorting"),
        ("contact", "ask the library"),
        ("review_by", "next year"),
        ("review_by", "20270630"),
        ("owner", "\x07\x07\x07"),
        ("known_limits", "x" * 2_001),
        ("colour", "blue"),
    ],
)
def test_a_field_that_does_not_fit_is_told_in_a_sentence(name, text):
    problems = card_problems(FILLED | {name: text})
    assert list(problems) == [name]
    assert FRENCH.knows(problems[name])


@pytest.mark.parametrize("text", ["a@b.example", "https://library.example/desk", "+33 1 23 45 67 89"])
def test_whoever_can_be_reached_is_a_contact(text):
    assert card_problems({"contact": text}) == {}


def test_what_a_person_states_stands_in_the_card_and_in_the_manifest(run):
    assert "- Intended use: not stated" in (run / "README.md").read_text()
    write_card_fields(run, FILLED | {"known_limits": "  ", "review_by": "2027-06-30"})
    card = (run / "README.md").read_text()
    assert "- Intended use: Librarians let it suggest" in card
    assert "- Known limits, added by hand: not stated" in card
    assert "- To be looked at again by: 2027-06-30" in card
    assert read_card_fields(run) == FILLED | {"review_by": "2027-06-30"}
    assert check_manifest(run) == []
    assert "card_fields.json" in json.loads((run / "manifest.json").read_text())


def test_text_of_a_person_does_not_become_markup(run):
    write_card_fields(run, FILLED | {"owner": "<script>alert(1)</script> | **team**"})
    card = (run / "README.md").read_text().split("---", 2)[2]
    assert "<script" not in card
    assert "**team" not in card


def test_a_folder_that_was_changed_keeps_its_manifest_when_the_card_is_written(run):
    (run / "metrics.json").write_text((run / "metrics.json").read_text() + " ")
    write_card_fields(run, FILLED)
    assert "metrics.json was changed after the run." in check_manifest(run)


def test_fields_that_do_not_fit_are_all_told_and_nothing_is_written(run):
    with pytest.raises(RunError) as told:
        write_card_fields(run, {"owner": "x", "contact": "y"})
    assert len(told.value.problems) == 2
    assert not (run / "card_fields.json").exists()


def test_a_card_file_that_holds_no_texts_is_refused(run):
    (run / "card_fields.json").write_text('{"owner": ["a list"]}')
    with pytest.raises(RunError, match=r"card_fields\.json"):
        report(run)


def test_the_gate_says_of_each_thing_whether_it_holds_and_why(run):
    verified = SimpleNamespace(ok=True, findings=())
    answers = {one.key: one.ok for one in gate(run, verified)}
    assert answers == {
        "done": True,
        "verified": True,
        "recommended": True,
        "card": False,
        "leakage": True,
        "licence": False,
        "weights": True,
        "personal": False,
        "checks": False,
        "examples": True,
    }
    write_card_fields(run, FILLED)
    assert line(run, "card").ok
    assert line(run, "licence").ok
    assert "A. Reader" in line(run, "licence").why[0]


def test_what_was_not_verified_does_not_hold(run):
    bad = SimpleNamespace(ok=False, details=tuple(f"{name}.json is missing." for name in "abcde"))
    found = line(run, "verified", SimpleNamespace(ok=False, findings=(bad,)))
    assert (found.ok, len(found.why), found.why[-1]) == (False, 4, "And 2 more.")
    assert line(run, "verified").why == ("This was not verified yet.",)


def test_of_a_run_that_is_not_done_the_gate_says_only_that(run):
    status(run, "stopped")
    assert [(one.key, one.ok) for one in gate(run)] == [("done", False)]


def test_what_was_found_by_checks_stands_in_the_gate(run):
    (run / "evidence").mkdir(exist_ok=True)
    settings = {"text": "phrase", "rows": {"phrase": {"test": 160}}, "kinds": [{"name": "email", "called": "e-mail"}]}
    index = {name: {"topic": name, "made": True, "settings": {}, "reasons": []} for name in ("slices", "personal")}
    index["personal"]["settings"] = settings
    index["behaviour"] = {"topic": "behaviour", "made": False, "settings": {}, "reasons": ["no suite"]}
    (run / "evidence" / "checks.json").write_text(json.dumps(index))
    assert line(run, "personal").ok
    assert line(run, "checks").ok, "behaviour was not asked for"
    row = {"candidate": "data", "split": "test", "slice": "all", "metric": "personal:any", "value": 7, "seed": None}
    metrics = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").write_text(json.dumps([*metrics, row | {"against": None, "n": 160, "check": "personal"}]))
    assert line(run, "personal").why[0] == "7 of 160 texts hold what looks like it."
    index["slices"]["made"] = False
    (run / "evidence" / "checks.json").write_text(json.dumps(index))
    assert line(run, "checks").why[0] == "Not made: slices."


def test_every_sentence_of_the_gate_is_known_in_french(run):
    changed = run / "recipe.yaml"
    changed.write_text(changed.read_text().replace("examples: false", "examples: true"))
    shutil.rmtree(run / "models" / "student-linear")
    bad = SimpleNamespace(ok=False, details=("metrics.json was changed after the run.",))
    states = [gate(run), gate(run, SimpleNamespace(ok=False, findings=(bad,)))]
    write_card_fields(run, FILLED)
    states.append(gate(run, SimpleNamespace(ok=True, findings=())))
    said = {text for lines in states for one in lines for text in (one.what, *one.why)}
    said |= {text for one in CARD_FIELDS.values() for text in (one.title, one.rule, one.reason)}
    assert sorted(text for text in said if not FRENCH.knows(text)) == []


def test_a_sign_off_names_the_state_and_is_of_an_earlier_one_after_a_change(run):
    first = sign_off(run, "Ada Clerk", "head of cataloguing", "Looked at the errors; fit for suggestions.")
    assert first.current
    assert len(first.manifest) == 64
    assert check_manifest(run) == []
    write_card_fields(run, FILLED)
    sign_off(run, "B. Jurist", "legal", "The licence was read.")
    assert [(one.name, one.current) for one in sign_offs(run)] == [("Ada Clerk", False), ("B. Jurist", True)]


def test_a_sign_off_without_words_or_of_a_changed_folder_is_refused(run):
    with pytest.raises(RunError) as told:
        sign_off(run, " ", "x" * 201, "fine")
    assert told.value.problems == ("The name is empty.", "The role has 201 characters; 200 are kept at most.")
    (run / "metrics.json").write_text("[]")
    with pytest.raises(RunError, match="not as its manifest says"):
        sign_off(run, "Ada", "clerk", "fine")
    assert sign_offs(run) == ()


@pytest.mark.parametrize("act", [lambda run: write_card_fields(run, FILLED), lambda run: sign_off(run, "A", "b", "c")])
def test_a_run_that_is_not_done_takes_neither_card_nor_sign_off(run, act):
    status(run, "failed")
    with pytest.raises(RunError, match="is not done"):
        act(run)


def test_an_export_loads_by_its_own_three_lines_and_without_this_package(run, tmp_path):
    done = export(run, "student-linear", tmp_path / "out")
    lines = (tmp_path / "out" / "LOAD.md").read_text().split("```python\n")[1].split("```")[0]
    assert len(lines.splitlines()) <= 3
    code = f"{lines.rstrip()}\nimport sys; assert not any(one.startswith('workbench') for one in sys.modules)"
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    told = subprocess.run([sys.executable, "-c", code], cwd=done.path, env=bare, capture_output=True, check=False)
    assert told.returncode == 0, told.stderr.decode()
    names = {
        "LOAD.md",
        "NOTICE.txt",
        "README.md",
        "manifest.json",
        "metrics.json",
        "recommendation.json",
        "report.html",
    }
    assert names | {"run-manifest.json", "model/reader.py", "model/candidate.json"} <= set(done.files)
    assert done.left_out == ()


def test_the_same_run_gives_the_same_zip_and_no_row_is_in_it(run, tmp_path):
    one, other = (export(run, "student-linear", tmp_path / name).path for name in ("one.zip", "other.zip"))
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as packed:
        assert {name.partition("/")[0] for name in packed.namelist()} == {"library-subjects-student-linear"}
        assert not [name for name in packed.namelist() if name.endswith(".parquet")]
        assert ROW_TEXT.encode() not in b"".join(packed.read(name) for name in packed.namelist())


def test_a_report_that_shows_texts_is_left_out(run, tmp_path):
    recipe = run / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("examples: false", "examples: true"))
    done = export(run, "student-linear", tmp_path / "out.zip")
    assert done.left_out == ("report.html",)


def test_an_export_that_cannot_be_is_refused_with_a_sentence(run, tmp_path):
    with pytest.raises(ModelError, match="keeps no candidate 'teacher'"):
        export(run, "teacher", tmp_path / "a.zip")
    with pytest.raises(RunError, match="lies inside the run"):
        export(run, "baseline", run / "a.zip")
    (tmp_path / "there").mkdir()
    with pytest.raises(RunError):
        export(run, "baseline", tmp_path / "there")
    (run / "models" / "baseline" / "candidate.json").write_text('{"kind": "file", "classes": [], "format": 1}')
    with pytest.raises(ModelError, match="file of answers"):
        export(run, "baseline", tmp_path / "a.zip")
    (run / "metrics.json").write_text("[]")
    with pytest.raises(RunError, match=r"Not as the run left it: metrics\.json"):
        export(run, "student-linear", tmp_path / "a.zip")
    status(run, "stopped")
    with pytest.raises(RunError, match="is not done"):
        export(run, "student-linear", tmp_path / "a.zip")
    assert not list(tmp_path.glob("*.zip"))
