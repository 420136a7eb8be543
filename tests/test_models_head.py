"""The teacher candidate, ensembles, and a teacher that is a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench import models, storage
from workbench.errors import ModelError
from workbench.models.encoder import Encoder
from workbench.models.ensemble import EnsembleCandidate
from workbench.models.head import Head, HeadCandidate
from workbench.models.targets_file import TargetsFile
from workbench.models.weights import check_folder

CLASSES = ("heart", "infection", "injury")


def candidate(tiny_encoder: Path, seed: int = 0) -> HeadCandidate:
    random = np.random.default_rng(seed)
    encoder = Encoder.open(check_folder(tiny_encoder), max_tokens=32)
    head = Head(random.normal(size=(3, 32)).astype(np.float32) * 5, random.normal(size=3).astype(np.float32))
    return HeadCandidate(encoder, head, CLASSES)


def test_probabilities_sum_to_one_and_are_the_same_after_save_and_load(tiny_encoder: Path, tmp_path: Path, phrases):
    made = candidate(tiny_encoder)
    made.save(tmp_path / "teacher")
    loaded = models.load(tmp_path / "teacher")
    probabilities = made.predict_proba(phrases[0])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(loaded.predict_proba(phrases[0]), probabilities)
    assert (loaded.kind, loaded.classes) == ("head", CLASSES)
    assert made.predict_proba([]).shape == (0, 3)


def test_a_saved_folder_stands_alone_and_its_size_is_what_lies_there(tiny_encoder: Path, tmp_path: Path):
    made = candidate(tiny_encoder)
    made.save(tmp_path / "teacher")
    on_disk = sum(file.stat().st_size for file in (tmp_path / "teacher").rglob("*") if file.is_file()) / 1e6
    assert models.load(tmp_path / "teacher").size_mb == pytest.approx(on_disk, rel=0.05)
    assert (tmp_path / "teacher" / "encoder" / "model.safetensors").is_file()


def test_without_the_copy_the_encoder_is_looked_for_and_another_one_is_refused(tiny_encoder: Path, tmp_path: Path):
    copied = storage.copy_tree(tiny_encoder, tmp_path / "encoder")
    assert copied is None
    made = candidate(tmp_path / "encoder")
    made.save(tmp_path / "slim", copy_encoder=False)
    card = storage.read_json(tmp_path / "slim" / "candidate.json")
    assert card["encoder"]["digest"] == made.encoder.weights.digest
    card["encoder"]["name"] = str(tmp_path / "encoder")
    storage.write_json(tmp_path / "slim" / "candidate.json", card)
    models.load(tmp_path / "slim")
    card["encoder"]["digest"] = "0" * 64
    storage.write_json(tmp_path / "slim" / "candidate.json", card)
    with pytest.raises(ModelError, match="0000"):
        models.load(tmp_path / "slim")


def test_a_changed_encoder_in_a_saved_folder_is_refused(tiny_encoder: Path, tmp_path: Path):
    candidate(tiny_encoder).save(tmp_path)
    file = tmp_path / "encoder" / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match="SHA-256"):
        models.load(tmp_path)


def test_it_can_be_measured_in_fp32(tiny_encoder: Path, phrases):
    made = candidate(tiny_encoder)
    exact = made.as_fp32()
    assert exact.encoder.dtype == "fp32"
    np.testing.assert_allclose(exact.predict_proba(phrases[0]), made.predict_proba(phrases[0]), atol=0.1)


def test_a_temperature_divides_the_logits():
    head = Head(np.eye(3, dtype=np.float32), np.ones(3, dtype=np.float32))
    vectors = np.array([[2.0, 0.0, -1.0]], dtype=np.float32)
    np.testing.assert_allclose(head.scaled(4).logits(vectors), head.logits(vectors) / 4)
    assert head.predict_proba(vectors[:0]).shape == (0, 3)


def test_an_ensemble_is_the_weighted_mean_and_survives_save_and_load(tiny_encoder: Path, tmp_path: Path, phrases):
    one, other = candidate(tiny_encoder, 0), candidate(tiny_encoder, 1)
    both = EnsembleCandidate([one, other], [3, 1])
    expected = 0.75 * one.predict_proba(phrases[0]) + 0.25 * other.predict_proba(phrases[0])
    np.testing.assert_allclose(both.predict_proba(phrases[0]), expected, atol=1e-6)
    both.save(tmp_path)
    loaded = models.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict_proba(phrases[0]), both.predict_proba(phrases[0]))
    assert loaded.size_mb == pytest.approx(one.size_mb + other.size_mb, rel=0.01)


def test_members_with_other_classes_are_refused(tiny_encoder: Path):
    one = candidate(tiny_encoder)
    other = HeadCandidate(one.encoder, one.head, ("a", "b", "c"))
    with pytest.raises(ModelError, match="label maps"):
        EnsembleCandidate([one, other], [1, 1])


@pytest.mark.parametrize(
    "content",
    [None, "[]", '{"kind": "unknown", "classes": [], "format": 1}', '{"kind": "head", "classes": [], "format": 99}'],
)
def test_a_folder_that_holds_no_known_candidate_is_told(tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / "candidate.json").write_text(content)
    with pytest.raises(ModelError):
        models.load(tmp_path)


def test_a_file_of_probabilities_is_found_by_row_in_the_runs_order_of_classes(tmp_path: Path):
    table = pa.table({"row": [7, 3], "p_injury": [0.5, 0.0], "p_heart": [0.25, 1.0], "p_infection": [0.25, 0.0]})
    pq.write_table(table, tmp_path / "teacher.parquet")
    file = TargetsFile.read(tmp_path / "teacher.parquet", CLASSES)
    np.testing.assert_allclose(file.of_rows(np.array([3, 7, 3])), [[1, 0, 0], [0.25, 0.25, 0.5], [1, 0, 0]])
    assert not file.hard
    file.save(tmp_path / "saved")
    np.testing.assert_array_equal(models.load(tmp_path / "saved").of_rows(np.array([7])), file.of_rows(np.array([7])))
    with pytest.raises(ModelError, match="cannot read a text"):
        file.predict_proba(["fever"])


def test_a_file_of_labels_becomes_one_hot_and_may_use_any_id(tmp_path: Path):
    (tmp_path / "teacher.csv").write_text("code,label\nA1,injury\nB2,heart\n")
    file = TargetsFile.read(tmp_path / "teacher.csv", CLASSES, id_column="code")
    np.testing.assert_array_equal(file.find(pa.array(["B2", "A1"])), [[1, 0, 0], [0, 0, 1]])
    assert file.hard


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("row,label\n1,injry\n", "nearest: 'injury'"),
        ("row,p_heart,p_infection,p_injry\n1,0,0,1\n", "the class 'injury' has no column"),
        ("row,p_heart,p_infection,p_injury\n1,0,0,.5\n", "no probabilities"),
        ("row,p_heart,p_infection,p_injury\n1,-1,1,1\n", "no probabilities"),
        ("row,p_heart,p_infection,p_injury\n1,,0,1\n", "no probabilities"),
        ("row,p_heart,p_infection,p_injury\n1,x,0,1\n", "no number"),
        ("row,label\n1,heart\n1,injury\n", "stand twice"),
        ("id,label\n1,heart\n", "no column 'row'"),
        ("row,answer\n1,heart\n", "no column 'label'"),
        ("", "cannot be read"),
    ],
)
def test_a_file_that_does_not_fit_is_told(tmp_path: Path, content: str, told: str):
    (tmp_path / "teacher.csv").write_text(content)
    with pytest.raises(ModelError) as refused:
        TargetsFile.read(tmp_path / "teacher.csv", CLASSES)
    assert told in str(refused.value)


def test_rows_that_the_file_does_not_know_are_counted(tmp_path: Path):
    (tmp_path / "teacher.csv").write_text("row,label\n1,heart\n2,injury\n")
    file = TargetsFile.read(tmp_path / "teacher.csv", CLASSES)
    with pytest.raises(ModelError, match="2 of 3 rows"):
        file.of_rows(np.array([1, 8, 9]))
    with pytest.raises(ModelError, match="is missing"):
        TargetsFile.read(tmp_path / "none.csv", CLASSES)
