"""Decisions: fitted on validation, kept beside the model, the same after loading, and used by predict."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from compression_candidates import make_static, make_transformer
from workbench import models, storage
from workbench.data import Labelled, Splits, Unlabelled
from workbench.errors import ModelError
from workbench.evaluation.check import Subject
from workbench.evaluation.decision import DecisionSettings, Validation, fit_decision, fit_decisions
from workbench.evaluation.novelty import check_novelty
from workbench.metrics.decisions import score_decisions
from workbench.metrics.novelty import score_novelty
from workbench.metrics.scoring import Plan
from workbench.models.novelty import Judge, Novelty
from workbench.pipeline.opened import Chosen
from workbench.pipeline.scoring import prediction_table

CLASSES = ("heart and lung", "infection", "injury")
TOPICS = (
    ("heart", "valve", "failure", "lung", "asthma", "cough"),
    ("fever", "infection", "virus", "bacterial", "rash", "ulcer"),
    ("fracture", "arm", "leg", "wrist", "burn", "wound"),
)
FILLERS = ("acute", "chronic", "left", "right", "unspecified", "other", "with pain", "without fever")
NO_FLAG: dict[str, Any] = {"threshold": None, "reason": "not asked", "false_flags": 0.05, "rows": 0}


def rows(n: int, start: int, doubt: float = 0.1) -> Labelled:
    """Phrases of three topics; some carry another topic's label."""
    random = np.random.default_rng(start)
    topics = random.integers(0, 3, n)
    texts = [" ".join([*random.choice(FILLERS, 2), *random.choice(TOPICS[topic], 2)]) for topic in topics]
    labels = np.where(random.random(n) < doubt, random.integers(0, 3, n), topics).astype(np.int32)
    numbers = np.arange(start, start + n, dtype=np.int64)
    groups = pa.array([f"g{number // 2}" for number in numbers], pa.large_string())
    return Labelled(numbers, pa.array(texts, pa.large_string()), labels, groups)


def splits(validation: int = 240) -> Splits:
    pool = rows(400, 50_000)
    return Splits(
        classes=CLASSES,
        train=rows(300, 0),
        validation=rows(validation, 10_000),
        pool=Unlabelled(pool.rows, pool.texts, pool.groups),
        reserve=rows(600, 20_000),
        tests={"test": rows(500, 30_000)},
        seed=0,
    )


def linear(parts: Splits) -> Any:
    from workbench.training.distillation import one_hot
    from workbench.training.linear import LinearSettings, train_linear

    return train_linear(
        parts.train.texts,
        one_hot(parts.train.labels, 3),
        classes=CLASSES,
        settings=LinearSettings(buckets=4096),
        validation=(parts.validation.texts, parts.validation.labels),
    )


def answers(candidate: Any, parts: Splits) -> pa.Table:
    asked = {"validation": parts.validation, "reserve": parts.reserve, **parts.tests}
    pieces = [
        prediction_table(CLASSES, 0, name, part, candidate.predict_proba(part.texts))
        for name, part in asked.items()
        if len(part)
    ]
    return pa.concat_tables(pieces)


def subject_of(candidates: dict[str, Any], parts: Splits) -> Subject:
    source = SimpleNamespace(package="simple-icd-10-cm", path=None)
    recipe: Any = SimpleNamespace(data=SimpleNamespace(source=source))
    return Subject(
        recipe, parts, candidates, {name: answers(one, parts) for name, one in candidates.items()}, "baseline"
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Subject, Path, dict[str, Any]]:
    parts = splits()
    candidate = linear(parts)
    folder = tmp_path_factory.mktemp("models")
    candidate.save(folder / "baseline")
    subject = subject_of({"baseline": candidate}, parts)
    return subject, folder, fit_decisions(subject, folder, DecisionSettings(target_error=0.2))


def test_a_decision_stands_beside_the_model_as_json(made):
    _, folder, decisions = made
    assert storage.read_json(folder / "baseline" / "decision.json") == decisions["baseline"]
    assert decisions["baseline"]["threshold"] is not None
    assert decisions["baseline"]["threshold_bound"] <= 0.2
    assert (
        decisions["baseline"]["conformal"]["coverage_low"] < 0.9 < decisions["baseline"]["conformal"]["coverage_high"]
    )


def test_a_calibrated_candidate_has_no_temperature_left(made):
    _, _, decisions = made
    assert decisions["baseline"]["calibration"]["temperature_left"] == pytest.approx(1, abs=0.01)


def test_a_candidate_whose_probabilities_were_not_calibrated_is_named(made):
    subject, _, _ = made
    part = subject.splits.validation
    sharp = subject.candidates["baseline"].scaled(0.25).predict_proba(part.texts)
    found = fit_decision(Validation(sharp, part.labels.astype(np.int64), None), NO_FLAG)
    assert found["calibration"]["temperature_left"] > 2
    assert "not calibrated" in found["calibration"]["reason"]


def test_a_loaded_candidate_decides_as_the_one_in_memory(made):
    subject, folder, decisions = made
    texts = [*subject.splits.tests["test"].texts.to_pylist()[:100], "", "Zug nach Köln", "qzx wvk 123"]
    frame = Chosen("baseline", folder / "baseline").predict(texts)
    probabilities = subject.candidates["baseline"].predict_proba(texts)
    judge = Judge.load(folder / "baseline")
    assert judge is not None
    assert frame["why"].tolist() == judge.reasons(texts, probabilities.max(axis=1))
    below = probabilities.max(axis=1) < decisions["baseline"]["threshold"]
    assert [("below" in why) for why in frame["why"]] == below.tolist()
    assert all(label in within for label, within in zip(frame["label"], frame["set"], strict=True))
    quantile = decisions["baseline"]["conformal"]["quantile"]
    expected = np.maximum((1 - probabilities.astype(np.float64) <= quantile).sum(axis=1), 1)
    assert [len(one) for one in frame["set"]] == expected.tolist()
    assert frame["to_person"].tolist()[-3:] == [True, True, True]
    assert "not the domain" in frame["why"].iloc[-1]


def test_no_texts_give_an_empty_frame(made):
    _, folder, _ = made
    assert len(Chosen("baseline", folder / "baseline").predict([])) == 0


def test_a_run_without_decisions_predicts_as_before(made, tmp_path):
    subject, _, _ = made
    subject.candidates["baseline"].save(tmp_path)
    frame = Chosen("baseline", tmp_path).predict("acute fracture of arm")
    assert list(frame.columns) == ["text", "label", "probability", *(f"p_{name}" for name in CLASSES)]


def test_a_damaged_decision_is_refused(made, tmp_path):
    subject, _, decisions = made
    subject.candidates["baseline"].save(tmp_path)
    storage.write_json(tmp_path / "decision.json", {"format": 9})
    with pytest.raises(ModelError, match="does not hold a decision"):
        Chosen("baseline", tmp_path).predict("a")
    storage.write_json(tmp_path / "decision.json", decisions["baseline"])
    storage.write_json(tmp_path / "novelty.json", {"ngrams": [4, 6], "buckets": 64, "known": "AAAA"})
    with pytest.raises(ModelError, match="cannot be read"):
        Chosen("baseline", tmp_path).predict("a")


def test_the_readers_that_stand_alone_are_not_disturbed(made):
    import runpy

    subject, folder, _ = made
    reader = runpy.run_path(str(folder / "baseline" / "reader.py"))
    texts = subject.splits.tests["test"].texts.to_pylist()[:5]
    alone = reader["load"](folder / "baseline").predict_proba(texts)
    assert np.abs(alone - models.load(folder / "baseline").predict_proba(texts)).max() < 1e-5


def test_a_validation_split_too_small_is_said_and_nothing_is_fitted():
    parts = splits(validation=12)
    decisions = fit_decisions(subject_of({"baseline": linear(parts)}, parts))
    found = decisions["baseline"]
    assert found["threshold"] is None
    assert "12 validation rows are too few" in found["threshold_reason"]
    assert "at least 44 are needed" in found["threshold_reason"]
    assert found["conformal"]["quantile"] is None
    assert found["novelty"]["threshold"] is None
    assert "30 needed" in found["calibration"]["reason"]


def test_without_a_threshold_every_text_goes_to_a_person(made, tmp_path):
    subject, _, decisions = made
    subject.candidates["baseline"].save(tmp_path)
    decision = decisions["baseline"] | {
        "threshold": None,
        "novelty": {"threshold": None, "reason": "", "false_flags": 0.05},
    }
    storage.write_json(tmp_path / "decision.json", decision)
    frame = Chosen("baseline", tmp_path).predict(["acute fracture of arm", "virus"])
    assert frame["why"].tolist() == ["no threshold keeps the target error"] * 2


def test_the_promises_are_tested_on_reserve_and_tests(made):
    subject, _, decisions = made
    parts = {"validation": subject.splits.validation, "reserve": subject.splits.reserve, **subject.splits.tests}
    groups = pa.concat_arrays([part.groups for part in parts.values()])
    table = subject.predictions["baseline"].append_column("group", groups)
    found = score_decisions({"baseline": table}, decisions, Plan(CLASSES, resamples=1000))
    by = {(row["split"], row["metric"]): row for row in found}
    assert {split for split, _ in by} == {"reserve", "test"}
    assert by["reserve", "error_kept"]["value"] <= 0.2
    assert 0.85 < by["reserve", "coverage"]["value"] < 0.96
    assert by["reserve", "coverage"]["low"] < by["reserve", "coverage"]["value"] < by["reserve", "coverage"]["high"]
    assert "groups" in by["test", "brier"]["method"]
    assert ("test", "log_loss") not in by
    assert ("reserve", "log_loss") in by
    assert by["test", "kept"]["value"] == pytest.approx(
        np.mean(
            subject.candidates["baseline"].predict_proba(subject.splits.tests["test"].texts).max(axis=1)
            >= decisions["baseline"]["threshold"]
        )
    )


def test_texts_off_the_domain_are_flagged_and_counted_without_their_words(made):
    subject, _, decisions = made
    check = check_novelty(subject, decisions, each=60)
    assert check.table is not None
    assert not {"text", "texts"} & set(check.table.column_names)
    rows_ = score_novelty(check.table, check.settings)
    flagged = {row["slice"]: row for row in rows_ if row["metric"] == "flagged"}
    assert flagged["kind=other languages"]["value"] > 0.9
    assert flagged["kind=licence texts"]["value"] > 0.9
    assert flagged["kind=random letters"]["value"] > 0.9
    false = next(row for row in rows_ if row["metric"] == "false_flags" and row["split"] == "reserve")
    assert false["value"] <= 0.1
    sent = {row["slice"]: row["value"] for row in rows_ if row["metric"] == "sent"}
    assert all(sent[name] >= row["value"] for name, row in flagged.items())


def test_known_spelling_survives_saving_and_empty_texts_are_new(tmp_path):
    known = Novelty.learn(["acute fracture", "chronic cough"], least=1)
    known.save(tmp_path)
    again = Novelty.load(tmp_path)
    texts = ["acute cough", "Bahnhof", "", None, "acute fracture"]
    assert again.score(texts).tolist() == known.score(texts).tolist()
    assert again.score(texts)[-1] == 0
    assert again.score(texts)[2] == 1


def test_spelling_of_one_group_alone_is_not_kept():
    texts = ["acute fracture", "acute fracture", "chronic cough", "chronic cough"]
    known = Novelty.learn(texts, groups=np.array([0, 0, 1, 2]))
    assert known.score(["acute fracture", "chronic cough"]).tolist() == [1, 0]


@pytest.mark.parametrize("kind", ["static", "transformer"])
def test_onnx_candidates_decide_on_their_own_predictions_and_the_same_after_loading(kind, tiny_encoder, tmp_path):
    pytest.importorskip("onnxruntime")
    from workbench import compression

    make = make_static if kind == "static" else make_transformer
    make(tiny_encoder, tmp_path / "whole")
    (compression.to_onnx if kind == "static" else compression.to_int8)(tmp_path / "whole", tmp_path / "student-a-int8")
    parts = splits(60)
    parts = Splits(("injury", "infection", "heart and lung"), *(getattr(parts, one) for one in REST), seed=0)
    candidate = models.load(tmp_path / "student-a-int8")
    table = pa.concat_tables(
        [
            prediction_table(candidate.classes, 0, name, part, candidate.predict_proba(part.texts))
            for name, part in {"validation": parts.validation, "reserve": parts.reserve}.items()
        ]
    )
    recipe: Any = None
    subject = Subject(recipe, parts, {"student-a-int8": candidate}, {"student-a-int8": table})
    decision = fit_decisions(subject, tmp_path)["student-a-int8"]
    own = candidate.predict_proba(parts.validation.texts)
    scores = 1 - own[np.arange(60), parts.validation.labels].astype(np.float64)
    assert decision["conformal"]["quantile"] in scores
    first = Chosen("student-a-int8", tmp_path / "student-a-int8").predict(parts.validation.texts.to_pylist())
    again = Chosen("student-a-int8", tmp_path / "student-a-int8").predict(parts.validation.texts.to_pylist())
    pd.testing.assert_frame_equal(first, again)
    assert storage.read_json(tmp_path / "student-a-int8" / "decision.json") == decision


REST = ("train", "validation", "pool", "reserve", "tests")
