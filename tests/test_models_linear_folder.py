"""A linear candidate's formula worked by hand, its size, and folders that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from workbench import models
from workbench.errors import ModelError
from workbench.models.hashing import hashed
from workbench.models.linear import LinearCandidate

CLASSES = ("heart", "infection", "injury")


def test_probabilities_are_the_formula_worked_by_hand():
    table = np.zeros((4096, 4), dtype=np.float16)
    runs, _ = hashed(["ab"], 2, 2, 4096)  # " a", "ab", "b "
    assert len(set(runs.tolist())) == 3
    table[runs, -1] = [4, 4, 1]  # squares of idf: the text is divided by 3
    table[runs[0], :3] = [6, 3, 0]
    made = LinearCandidate(CLASSES, (2, 2), table, np.array([0, 0, 1], dtype=np.float32))
    np.testing.assert_allclose(made.logits(["ab"]), [[2, 1, 1]])
    powers = np.exp([2.0, 1.0, 1.0])
    np.testing.assert_allclose(made.predict_proba(["ab"])[0], powers / powers.sum(), rtol=1e-6)


def test_with_the_default_buckets_and_21_classes_it_stays_under_8_mb():
    names = tuple(f"class {number}" for number in range(21))
    whole = LinearCandidate(names, (2, 5), np.zeros((1 << 17, 22), np.float16), np.zeros(21, np.float32))
    assert whole.size_mb < 8


@pytest.mark.parametrize("harm", ["missing", "torn", "another's", "no n-grams"])
def test_a_folder_whose_weights_cannot_be_read_is_refused(tmp_path: Path, harm: str):
    LinearCandidate(CLASSES, (2, 5), np.zeros((64, 4), np.float16), np.zeros(3, np.float32)).save(tmp_path)
    weights, card = tmp_path / "model.safetensors", tmp_path / "candidate.json"
    if harm == "missing":
        weights.unlink()
    elif harm == "torn":
        weights.write_bytes(weights.read_bytes()[:-10])
    elif harm == "another's":
        weights.write_bytes(save({"embeddings": np.zeros((2, 2), np.float32)}))
    else:
        card.write_text(json.dumps({"kind": "linear", "classes": CLASSES, "format": 1}))
    with pytest.raises(ModelError) as refused:
        models.load(tmp_path)
    assert len(str(refused.value).splitlines()) == 3
