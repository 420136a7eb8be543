"""A whole run with a private teacher: what it states, what never reaches its folders, and what refuses to begin."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from small_table import recipe_values, tickets
from workbench import recipe as recipes
from workbench import storage
from workbench.errors import ModelError, RecipeError
from workbench.pipeline import Run, resume, run, verify
from workbench.runs import Event, StageFinished, StageStarted

pytest.importorskip("opacus")
pytest.importorskip("dp_accounting")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")]

PRIVACY = {"epsilon": 30.0, "sample_rate": 1.0, "steps": 20}
STUDENTS = [
    {"name": "linear", "kind": "linear", "buckets": 4096, "rounds": 2},
    {"name": "static", "kind": "static", "dimensions": 16, "epochs": 2},
]
CUT = {
    "name": "cut",
    "kind": "transformer",
    "cut": {"keep_layers": [1, 2], "drop_layers": [1]},
    "tuning": {"epochs": 1, "batch_size": 32, "patience": 2, "checkpoint_seconds": 0},
    "compress": ["int8", "fp16"],
}
PRIVATE = ("teacher", "student-linear", "student-static")
OTHERS = ("baseline", "control-linear", "selftrain-linear", "control-static", "selftrain-static")


def written(folder: Path, encoder: Path, **changes: Any) -> Path:
    """A recipe with a private teacher and its table, in a folder."""
    data = recipe_values(encoder)["data"] | {"labelled": {"per_class": 60}}
    teacher = {"model": str(encoder), "privacy": PRIVACY}
    values = recipe_values(encoder, **{"data": data, "teacher": teacher, "students": STUDENTS, **changes})
    tickets(900).to_csv(folder / "tickets.csv", index=False)
    file = folder / "tickets.yaml"
    file.write_text(recipes.to_yaml(recipes.from_values(values)), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def recipe(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("private"), tiny_encoder)


@pytest.fixture(scope="module")
def private(recipe: Path) -> Run:
    return run(recipe, runs=recipe.parent / "runs")


def privacy_of(done: Run, name: str) -> dict[str, Any] | None:
    file = done.path / "models" / name / "privacy.json"
    return dict(storage.read_json(file)) if file.is_file() else None


class Stages:
    """Hears which stages were done and which reused."""

    def __init__(self) -> None:
        self.reused: dict[str, bool] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageFinished):
            self.reused.setdefault(event.candidate or event.stage, event.reused)  # its training comes first


def test_teacher_and_students_have_an_epsilon_and_nobody_else_has(private: Run) -> None:
    spent = [privacy_of(private, name) for name in PRIVATE]
    assert all(one is not None and one["spent"] == spent[0]["spent"] for one in spent)
    assert 0 < spent[0]["spent"]["epsilon"] <= 30
    assert spent[0]["spent"]["secret"] is True
    assert [one["learned"] is None for one in spent] == [True, False, False]
    assert not any(value for one in spent[1:] for value in one["learned"].values())
    assert all((private.path / "models" / name).is_dir() and privacy_of(private, name) is None for name in OTHERS)


def test_nothing_that_is_made_from_labelled_rows_lies_in_a_private_folder(private: Run) -> None:
    for name in PRIVATE:
        files = {file.name for file in (private.path / "models" / name).rglob("*")}
        assert not files & {"decision.json", "novelty.json"}, name
    for name in OTHERS:
        assert (private.path / "models" / name / "decision.json").is_file()
    assert verify(private.path).ok


def test_a_private_student_predicts_without_any_decision(private: Run) -> None:
    from workbench.pipeline import opened

    said = opened.Chosen("student-linear", private.path / "models" / "student-linear").predict(["my tyre has a hole"])
    assert {"label", "probability"} <= set(said.columns)
    assert "set" not in said.columns


def test_report_and_card_state_the_epsilon_whole_and_who_has_none(private: Run) -> None:
    report = (private.path / "report.html").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    card = (private.path / "README.md").read_text(encoding="utf-8").replace("\\", "")
    for text in (report, card):
        for part in ("Unit", "one labelled row added or taken away", "Accountant", "Poisson", "Clip", "Noise", "Steps"):
            assert part in text
        assert "Validation rows, without noise, said whether the teacher" in text
    assert 'id="privacy"' in report
    assert "learned from the labels alone; no differential privacy" in report
    assert "reads with a pretrained encoder; with differential privacy" in report
    for name in OTHERS:
        assert f"No ε is stated for {name}: it was not trained with differential privacy" in card


def test_a_fresh_run_takes_up_the_same_private_teacher_and_spends_nothing(private: Run, recipe: Path) -> None:
    heard = Stages()
    again = run(recipe, runs=recipe.parent / "runs", fresh=True, listener=heard)
    assert again.path != private.path
    assert all(heard.reused[name] for name in PRIVATE)
    assert privacy_of(again, "teacher") == privacy_of(private, "teacher")


def test_without_privacy_neither_teacher_nor_student_is_the_private_one(private: Run, recipe: Path) -> None:
    heard = Stages()
    plain = run(recipe, runs=recipe.parent / "runs", overrides=["teacher.privacy=null"], listener=heard)
    assert not any(heard.reused[name] for name in PRIVATE)
    assert heard.reused["baseline"]
    assert all(privacy_of(plain, name) is None for name in PRIVATE)
    assert (plain.path / "models" / "student-linear" / "decision.json").is_file()
    assert "ifferential privacy</h2>" not in (plain.path / "report.html").read_text(encoding="utf-8")
    assert "## Differential privacy" not in (plain.path / "README.md").read_text(encoding="utf-8")


def test_a_run_that_was_interrupted_goes_on_with_the_teacher_that_it_has(
    private: Run, recipe: Path, tmp_path: Path
) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, StageStarted) and event.candidate == "student-linear":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(recipe, runs=tmp_path, listener=interrupt)
    kept = [file.read_bytes() for file in tmp_path.glob(".stages/*/model/privacy.json")]
    assert len(kept) == 1
    heard = Stages()
    done = resume("latest", runs=tmp_path, listener=heard)
    assert heard.reused["teacher"]
    assert (done.path / "models" / "teacher" / "privacy.json").read_bytes() == kept[0]
    assert privacy_of(done, "teacher") != privacy_of(private, "teacher")


def test_a_run_whose_noise_is_off_ends_without_a_teacher(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opacus.optimizers import DPOptimizer

    def without_noise(self: Any) -> None:
        for one in self.params:
            one.grad = one.summed_grad.clone().view_as(one)

    monkeypatch.setattr(DPOptimizer, "add_noise", without_noise)
    with pytest.raises(ModelError, match="added noise of 0 clipping bounds"):
        run(recipe, runs=tmp_path)
    assert not list(tmp_path.glob("tickets/*/models/teacher"))
    assert not list(tmp_path.glob(".stages/*/model/privacy.json"))


def test_an_epsilon_is_not_stated_where_the_kept_noise_is_not_the_stated_one(private: Run, tmp_path: Path) -> None:
    from workbench.reporting.evidence import read_evidence
    from workbench.reporting.privacy import page

    copied = tmp_path / "run"
    shutil.copytree(private.path, copied)
    for name in PRIVATE:
        file = copied / "models" / name / "privacy.json"
        about = storage.read_json(file)
        storage.write_json(file, about | {"spent": about["spent"] | {"noise_seen": 0.0}})
    made = page(read_evidence(copied))
    assert made is not None
    assert [row[1] for row in made.tables[0].rows] == ["none"] * len(made.tables[0].rows)
    assert made.not_shown == ()
    assert not verify(copied).ok


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"teacher": {"file": "answers.csv", "privacy": {}}}, "single teacher with a model and method head"),
        ({"teacher": {"model": "tiny", "method": "finetune", "privacy": {}}}, "single teacher with a model"),
        (
            {"teacher": {"ensemble": [{"model": "tiny"}, {"baseline": True}], "privacy": {}}},
            "single teacher with a model",
        ),
        ({"distillation": {"smoothing": {}}}, "leave it out with teacher.privacy"),
        ({"teacher": {"model": "tiny", "privacy": {"epsilon": 0}}}, "epsilon"),
    ],
)
def test_recipes_that_go_around_the_noise_are_refused(changes: dict[str, Any], said: str) -> None:
    values = recipe_values(Path("tiny"), teacher={"model": "tiny", "privacy": {}})
    recipes.from_values(values)
    with pytest.raises(RecipeError, match=said):
        recipes.from_values(values | changes)


@pytest.mark.slow
def test_transformer_students_of_a_private_teacher_keep_its_epsilon_until_they_are_calibrated_on_labels(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    done = run(written(tmp_path, tiny_encoder, students=[CUT]), runs=tmp_path / "runs")
    learned = {name: (privacy_of(done, f"student-cut{name}") or {})["learned"] for name in ("", "-short", "-fp16")}
    assert not any(value for one in learned.values() for value in one.values())
    assert (privacy_of(done, "student-cut-int8") or {})["learned"]["temperature"] is True
    card = (done.path / "README.md").read_text(encoding="utf-8").replace("\\", "")
    assert "No ε is stated for student-cut-int8: its calibration temperature was fitted on labelled rows." in card
    assert "student-cut-fp16 is (" in card


def test_several_seeds_are_said_to_spend_more(private: Run, tmp_path: Path) -> None:
    from dataclasses import replace

    from workbench.reporting.evidence import read_evidence
    from workbench.reporting.privacy import sentences

    one = read_evidence(private.path)
    evaluation = one.recipe.evaluation.model_copy(update={"seeds": 3})
    three = replace(one, recipe=one.recipe.model_copy(update={"evaluation": evaluation}))
    assert any("up to 3 times as large" in said for said in sentences(three))
    assert not any("times as large" in said for said in sentences(one))
