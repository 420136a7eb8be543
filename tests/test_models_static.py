"""Static students as they are kept and used."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from model2vec import StaticModel
from model2vec.inference import StaticModelPipeline

from workbench import models
from workbench.models.encoder import Encoder
from workbench.models.head import Head
from workbench.models.static import StaticCandidate, quantise, unit_means
from workbench.models.static_text import StaticTokenizer
from workbench.models.static_tokens import StaticTokens, distil_tokens
from workbench.models.weights import check_folder

CLASSES = ("heart", "infection", "injury")
STRANGE = [
    "",
    "   ",
    "Fever  of\tthe\nLEFT arm.",
    "漢字 fever, 漢fever",
    "naïve café Éclair",
    "fever\x00burn \x0b heart\u2028valve\u00a0lung",
    "[UNK] [CLS] fever[SEP]",
    "x" * 200,
    "fever-burn (acute)",
    "e\u0301 combining \u0301 alone",
    "fever " * 600,
    "heart" * 300 + " fever",
]


@pytest.fixture(scope="module")
def tokens(tiny_encoder: Path) -> StaticTokens:
    return distil_tokens(Encoder.open(check_folder(tiny_encoder), dtype="fp32"), 16)


@pytest.fixture(scope="module")
def candidate(tokens: StaticTokens) -> StaticCandidate:
    random = np.random.default_rng(0)
    head = Head(random.normal(size=(3, 16)).astype(np.float32), random.normal(size=3).astype(np.float32))
    return StaticCandidate(StaticTokenizer(tokens.tokenizer_json), quantise(tokens.vectors), head, CLASSES)


def test_tokens_are_those_that_model2vec_distils(tiny_encoder: Path):
    from model2vec.distill import distill_from_model
    from model2vec.distill.inference import compute_weights
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(tiny_encoder), AutoTokenizer.from_pretrained(tiny_encoder)
    theirs = distill_from_model(model, tokenizer, pca_dims=32, device="cpu", quantize_to="float32")
    ours = distil_tokens(Encoder.open(check_folder(tiny_encoder), dtype="fp32"), 32)
    names = [name for name, _ in sorted(vocabulary(ours).items(), key=lambda one: one[1])]
    assert list(theirs.tokens) == ["[PAD]", *names]  # transformers adds [PAD], which no text ever holds
    mine = ours.vectors / compute_weights(len(names), 1e-4)[:, None]
    other = (theirs.embedding / compute_weights(len(names) + 1, 1e-4)[:, None])[1:]
    np.testing.assert_allclose(distances(mine), distances(other), atol=1e-3)


def vocabulary(tokens: StaticTokens) -> dict[str, int]:
    return dict(json.loads(tokens.tokenizer_json)["model"]["vocab"])


def distances(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors[:, None] - vectors[None, :], axis=2)


def test_tokens_survive_save_and_load(tokens: StaticTokens, tmp_path: Path):
    tokens.save(tmp_path)
    loaded = StaticTokens.load(tmp_path)
    np.testing.assert_array_equal(loaded.vectors, tokens.vectors)
    assert (loaded.tokenizer_json, loaded.source) == (tokens.tokenizer_json, tokens.source)


def test_reading_by_distinct_words_gives_the_tokens_of_reading_whole_texts(candidate: StaticCandidate, phrases):
    tokenizer = StaticTokenizer(candidate.tokenizer.json)
    assert tokenizer.by_word
    fast = tokenizer.read([*STRANGE, *phrases[0]])
    tokenizer.by_word = False
    slow = tokenizer.read([*STRANGE, *phrases[0]])
    np.testing.assert_array_equal(fast[1], slow[1])
    np.testing.assert_array_equal(fast[0], slow[0])


def test_a_tokenizer_whose_words_touch_each_other_is_read_text_by_text(candidate: StaticCandidate):
    about = json.loads(candidate.tokenizer.json)
    about["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    assert not StaticTokenizer(json.dumps(about)).by_word


def test_probabilities_are_the_same_after_save_and_load(candidate: StaticCandidate, tmp_path: Path, phrases):
    candidate.save(tmp_path)
    loaded = models.load(tmp_path)
    texts = [*STRANGE, *phrases[0]]
    np.testing.assert_array_equal(loaded.predict_proba(texts), candidate.predict_proba(texts))
    np.testing.assert_array_equal(loaded.predict_proba(pa.array(texts)), candidate.predict_proba(texts))
    np.testing.assert_allclose(candidate.predict_proba(texts).sum(axis=1), 1, atol=1e-6)
    assert candidate.predict_proba([]).shape == (0, 3)
    on_disk = sum(file.stat().st_size for file in tmp_path.iterdir()) / 1e6
    assert loaded.size_mb == pytest.approx(on_disk, rel=0.2)


def test_model2vec_loads_it_with_nothing_of_ours_and_gives_the_same_probabilities(
    candidate: StaticCandidate, tmp_path: Path, phrases
):
    candidate.save(tmp_path)
    texts = [*STRANGE, *phrases[0]]
    pipeline = StaticModelPipeline.from_pretrained(tmp_path)
    np.testing.assert_allclose(pipeline.predict_proba(texts), candidate.predict_proba(texts), atol=1e-5)
    assert list(pipeline.classes_) == list(CLASSES)
    assert StaticModel.from_pretrained(tmp_path).encode("fever").shape == (16,)


def test_a_text_without_a_known_token_gets_the_bias(candidate: StaticCandidate):
    bias = np.exp(candidate.head.bias) / np.exp(candidate.head.bias).sum()
    np.testing.assert_allclose(candidate.predict_proba([""]), [bias], atol=1e-6)


def test_a_temperature_divides_the_logits(candidate: StaticCandidate, phrases):
    np.testing.assert_allclose(candidate.scaled(2).logits(phrases[0]), candidate.logits(phrases[0]) / 2, atol=1e-6)


def test_means_of_a_case_worked_by_hand_have_length_one():
    table = np.array([[1, 0], [0, 1], [3, 3]], dtype=np.float32)
    found = unit_means(table, np.array([0, 1, 2], dtype=np.int32), np.array([1, 0, 2]))
    np.testing.assert_allclose(found, [[1, 0], [0, 0], [0.6, 0.8]], atol=1e-6)


def test_eight_bits_keep_directions():
    vectors = np.random.default_rng(0).normal(size=(500, 32)).astype(np.float32)
    table = quantise(vectors).astype(np.float32)
    cosine = (table * vectors).sum(1) / np.linalg.norm(table, axis=1) / np.linalg.norm(vectors, axis=1)
    assert cosine.min() > 0.999
    assert quantise(np.zeros((3, 2), dtype=np.float32)).tolist() == [[0, 0]] * 3


def test_many_texts_are_read_at_a_speed_that_only_tables_have(candidate: StaticCandidate, phrases):
    texts = pa.array(phrases[0] * 200, pa.large_string())
    best = 0.0
    for _ in range(3):
        start = time.perf_counter()
        candidate.predict_proba(texts)
        best = max(best, len(texts) / (time.perf_counter() - start))
    assert best > 10_000  # 30,000 and far more on an idle machine
