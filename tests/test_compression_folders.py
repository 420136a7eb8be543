"""Compressing saved candidates: the same logits, or close ones, and a calibrated last layer."""

from __future__ import annotations

import json

import numpy as np
import pytest

from compression_candidates import CLASSES, make_static, make_transformer
from workbench import models
from workbench.compression import rescaled, to_fp16, to_int8, to_onnx
from workbench.compression.graph import GraphWriter, quantise_rows
from workbench.errors import MissingExtraError, ModelError
from workbench.models.onnx import OnnxCandidate
from workbench.models.static import StaticCandidate
from workbench.models.transformer import TransformerCandidate, tokenizer_files
from workbench.models.weights import find_weights

ODD = ["", "zzz ξ 漢字", "fever [PAD] rash", "acute rash " * 90, "a  b\tc\nd", "É́coute", None]
KINDS = ["bert", "roberta", "mpnet", "distilbert"]


@pytest.fixture(scope="module")
def texts(phrases):
    return [*phrases[0][:120], *(text or "" for text in ODD)]


def plain(folder, texts):
    return TransformerCandidate.load(folder, dtype="fp32").logits(texts)


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_in_fp32_gives_the_models_own_logits(kind, tiny_encoder, tmp_path, texts):
    source = make_transformer(tiny_encoder, tmp_path / "source", kind=kind)
    to_onnx(source, tmp_path / "onnx")
    found = models.load(tmp_path / "onnx")
    before = plain(source, texts)
    assert float(before.std(axis=0).min()) > 0.01
    np.testing.assert_allclose(found.logits(texts), before, atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_in_int8_is_near_and_smaller(kind, tiny_encoder, tmp_path, texts):
    source = make_transformer(tiny_encoder, tmp_path / "source", kind=kind)
    whole, small = to_onnx(source, tmp_path / "fp32"), to_int8(source, tmp_path / "int8")
    before = plain(source, texts)
    assert np.abs(small.logits(texts) - before).max() < 0.15 * before.std() + 0.05
    assert len(small.model) < 0.8 * len(whole.model)
    assert small.precision == "int8"


def test_a_model_of_one_layer_is_written_too(tiny_encoder, tmp_path, texts):
    source = make_transformer(tiny_encoder, tmp_path / "source", num_hidden_layers=1)
    np.testing.assert_allclose(to_onnx(source, tmp_path / "onnx").logits(texts), plain(source, texts), atol=2e-5)


def test_another_activation_is_traced_instead(tiny_encoder, tmp_path, texts):
    source = make_transformer(tiny_encoder, tmp_path / "source", hidden_act="relu")
    np.testing.assert_allclose(to_onnx(source, tmp_path / "onnx").logits(texts), plain(source, texts), atol=2e-5)


@pytest.mark.parametrize("compress", [to_onnx, to_int8])
def test_a_static_candidate_gives_its_own_logits(compress, tiny_encoder, tmp_path, texts):
    source = make_static(tiny_encoder, tmp_path / "source")
    compress(source, tmp_path / "onnx")
    found, before = models.load(tmp_path / "onnx"), StaticCandidate.load(source)
    np.testing.assert_allclose(found.logits(texts), before.logits(texts), atol=1e-5)
    np.testing.assert_allclose(found.logits([""]), before.head.bias[None], atol=1e-6)


def test_fp16_halves_the_weights_and_computes_in_fp32(tiny_encoder, tmp_path, texts):
    source = make_transformer(tiny_encoder, tmp_path / "source")
    small = to_fp16(source, tmp_path / "fp16")
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (source, tmp_path / "fp16")]
    assert sizes[1] < 0.6 * sizes[0]
    assert small.dtype == "fp32"
    np.testing.assert_allclose(small.logits(texts), plain(source, texts), atol=0.02)
    np.testing.assert_array_equal(plain(tmp_path / "fp16", texts), small.logits(texts))


def test_fp16_refuses_weights_that_do_not_fit(tiny_encoder, tmp_path):
    candidate = TransformerCandidate.load(make_transformer(tiny_encoder, tmp_path / "source"), dtype="fp32")
    candidate.scaled(1e-7).save(tmp_path / "large")
    with pytest.raises(ModelError, match=r"too large for 16 bits: classifier\.weight"):
        to_fp16(tmp_path / "large", tmp_path / "fp16")
    assert not (tmp_path / "fp16").exists()


@pytest.mark.parametrize("kind", [*KINDS, "static"])
def test_a_temperature_divides_every_logit_and_stays_in_the_folder(kind, tiny_encoder, tmp_path, texts):
    folder = tmp_path / "source"
    source = (
        make_static(tiny_encoder, folder) if kind == "static" else make_transformer(tiny_encoder, folder, kind=kind)
    )
    before = to_int8(source, tmp_path / "int8").logits(texts)
    after = rescaled(tmp_path / "int8", 1.7)
    np.testing.assert_allclose(after.logits(texts), before / 1.7, atol=1e-5)
    rescaled(tmp_path / "int8", 1 / 1.7)
    np.testing.assert_allclose(OnnxCandidate.load(tmp_path / "int8").logits(texts), before, atol=1e-5)
    with pytest.raises(ValueError, match="above 0"):
        rescaled(tmp_path / "int8", 0.0)


def test_what_cannot_be_compressed_is_refused_with_its_kind(tiny_encoder, tmp_path):
    static = make_static(tiny_encoder, tmp_path / "static")
    to_onnx(static, tmp_path / "onnx")
    for compress, folder in ((to_fp16, static), (to_onnx, tmp_path / "onnx"), (to_int8, tmp_path / "onnx")):
        with pytest.raises(ModelError, match="not compressed in this way"):
            compress(folder, tmp_path / "never")
    with pytest.raises(ModelError, match="not compressed in this way"):
        rescaled(static, 2.0)
    assert not (tmp_path / "never").exists()


def test_without_onnx_the_extra_is_named(tiny_encoder, tmp_path, monkeypatch):
    import sys

    source = make_static(tiny_encoder, tmp_path / "source")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match="onnx"):
        to_onnx(source, tmp_path / "onnx")


def test_the_card_says_how_texts_are_read(tiny_encoder, tmp_path):
    to_int8(make_transformer(tiny_encoder, tmp_path / "source"), tmp_path / "int8")
    card = json.loads((tmp_path / "int8" / "candidate.json").read_text())
    assert (card["kind"], card["source"], card["precision"]) == ("onnx", "transformer", "int8")
    assert (card["max_tokens"], card["special"], card["unknown"], card["pad"]) == (48, True, None, 0)
    assert tuple(card["classes"]) == CLASSES


def test_quantised_rows_come_within_half_a_scale():
    rows = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32) * np.logspace(-4, 4, 20)[:, None]
    rows = np.concatenate([rows, np.zeros((1, 30))]).astype(np.float32)
    whole, scale = quantise_rows(rows)
    assert whole.dtype == np.int8
    assert (np.abs(whole * scale[:, None] - rows) <= 0.5001 * scale[:, None]).all()
    assert (whole[-1] == 0).all()


def test_two_weights_may_not_share_a_name():
    writer = GraphWriter("fp32")
    writer.weight("a", np.array([1]))
    writer.weight("a", np.array([1]))
    with pytest.raises(ValueError, match="two weights are called a"):
        writer.weight("a", np.array([2]))


@pytest.mark.slow
def test_three_layers_of_minilm_in_int8_stay_near_and_are_a_quarter_of_the_size(tmp_path):
    torch = pytest.importorskip("torch")
    folder = find_weights("sentence-transformers/all-MiniLM-L6-v2").folder
    from transformers import BertForSequenceClassification

    torch.manual_seed(0)
    model = BertForSequenceClassification.from_pretrained(folder, num_labels=3, dtype=torch.float32)
    model.bert.encoder.layer = torch.nn.ModuleList([model.bert.encoder.layer[place] for place in (0, 2, 5)])
    model.config.num_hidden_layers = 3
    TransformerCandidate(model, tokenizer_files(folder), CLASSES, max_tokens=128).save(tmp_path / "source")
    texts = ["open wound of the left arm", "viral infection with fever", "chronic heart failure"] * 20
    whole = to_onnx(tmp_path / "source", tmp_path / "fp32")
    small = to_int8(tmp_path / "source", tmp_path / "int8")
    before = plain(tmp_path / "source", texts)
    np.testing.assert_allclose(whole.logits(texts), before, atol=1e-5)
    assert np.abs(small.logits(texts) - before).max() < 0.1
    assert small.size_mb < 0.3 * whole.size_mb
