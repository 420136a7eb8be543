"""The frozen encoder and its embeddings on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from workbench import storage
from workbench.errors import ModelError, Stopped
from workbench.models import embeddings as embeddings_module
from workbench.models import encoder as encoder_module
from workbench.models.embeddings import embed_to, texts_digest
from workbench.models.encoder import Encoder, native_bf16
from workbench.models.tokens import batches, open_tokenizer, tokenise
from workbench.models.weights import check_folder
from workbench.runs.events import Progress


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> Encoder:
    return Encoder.open(check_folder(tiny_encoder), max_tokens=16, dtype="fp32")


def test_vectors_are_those_of_transformers_mean_pooled_and_of_length_one(encoder: Encoder, tiny_encoder: Path, phrases):
    texts = phrases[0][:20]
    tokenizer, model = AutoTokenizer.from_pretrained(tiny_encoder), AutoModel.from_pretrained(tiny_encoder).eval()
    given = tokenizer(texts, padding=True, truncation=True, max_length=16, return_tensors="pt")
    with torch.no_grad():
        states = model(**given).last_hidden_state
    mask = given["attention_mask"][:, :, None]
    expected = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1)).numpy()
    np.testing.assert_allclose(encoder.encode(texts), expected, atol=1e-5)


def test_a_vector_does_not_depend_on_what_else_is_encoded_nor_on_the_number_of_threads(encoder: Encoder, phrases):
    alone = np.concatenate([encoder.encode([text]) for text in phrases[0][:12]])
    np.testing.assert_allclose(encoder.encode(phrases[0])[:12], alone, atol=1e-6)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    one = encoder.encode(phrases[0])
    torch.set_num_threads(before)
    np.testing.assert_array_equal(encoder.encode(phrases[0]), one)
    assert torch.get_num_threads() == before


def test_texts_that_are_empty_missing_or_strange_get_a_vector_too(encoder: Encoder):
    vectors = encoder.encode(pa.array(["", None, "\x00 \t", "漢字 ‮", "fever"], pa.large_string()))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert encoder.encode([]).shape == (0, 32)


def test_what_is_cut_is_counted(encoder: Encoder):
    encoder.encode(["fever", "fever " * 14, "fever " * 15, "fever " * 5000])
    assert encoder.truncated_share == 0.5


def test_the_longest_text_is_bounded_by_what_the_model_can_read(tiny_encoder: Path):
    long = Encoder.open(check_folder(tiny_encoder), max_tokens=4096, dtype="fp32")
    assert long.max_tokens == 64
    assert np.isfinite(long.encode(["fever " * 500])).all()


def test_bf16_can_be_forced_and_gives_nearly_the_same_vectors(encoder: Encoder, tiny_encoder: Path, phrases):
    half = Encoder.open(check_folder(tiny_encoder), max_tokens=16, dtype="bf16")
    assert ((half.encode(phrases[0][:20]) * encoder.encode(phrases[0][:20])).sum(axis=1) > 0.999).all()
    assert half.digest != encoder.digest


def test_by_itself_bf16_is_taken_only_where_the_processor_has_it(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch):
    for has, dtype in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(encoder_module, "native_bf16", lambda has=has: has)
        assert Encoder.open(check_folder(tiny_encoder)).dtype == dtype
    assert native_bf16() in (True, False)


def test_weights_that_do_not_fit_their_configuration_are_told(tiny_encoder: Path, tmp_path: Path):
    storage.copy_tree(tiny_encoder, tmp_path / "broken")
    (tmp_path / "broken" / "config.json").write_text('{"model_type": "no-such-model"}')
    with pytest.raises(ModelError, match="cannot be opened"):
        Encoder.open(check_folder(tmp_path / "broken"))


def test_a_tokenizer_that_is_none_is_told(tmp_path: Path):
    (tmp_path / "tokenizer.json").write_text('{"model": 3}')
    with pytest.raises(ModelError, match="not readable as a tokenizer"):
        open_tokenizer(tmp_path / "tokenizer.json")


def test_batches_hold_every_row_once_within_the_budget_longest_first():
    lengths = np.random.default_rng(0).integers(1, 60, 500)
    found = batches(lengths, 256, 8)
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(500))
    assert all(len(rows) * (-(-lengths[rows].max() // 8) * 8) <= 256 for rows in found)
    assert lengths[found[0]].max() == lengths.max()
    assert [len(rows) for rows in batches(np.array([900, 3]), 256)] == [1, 1]
    assert batches(np.empty(0, dtype=np.int64), 256) == []


def test_tokens_are_those_of_the_tokenizer(tiny_encoder: Path, phrases):
    tokenizer = open_tokenizer(tiny_encoder / "tokenizer.json", 6)
    tokens = tokenise(tokenizer, phrases[0][:5])
    expected = [
        AutoTokenizer.from_pretrained(tiny_encoder)(t, truncation=True, max_length=6).input_ids for t in phrases[0][:5]
    ]
    assert [list(part) for part in np.split(tokens.ids, tokens.starts[1:])] == expected


def test_embeddings_on_disk_are_those_of_encode_each_distinct_text_encoded_once(
    encoder: Encoder, tmp_path: Path, phrases, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(embeddings_module, "CHUNK", 16)
    texts = [*phrases[0][:50], *phrases[0][:50], ""]
    done: list[Any] = []
    embedded = embed_to(encoder, tmp_path / "out", texts, listener=done.append)
    assert (embedded.rows, embedded.distinct) == (101, len(set(texts)))
    assert done[-1] == Progress("embed", embedded.distinct, embedded.distinct)
    assert isinstance(embedded.array(), np.memmap)
    np.testing.assert_allclose(embedded.array(), encoder.encode(texts), atol=1e-6)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["embeddings.json", "embeddings.npy"]


def test_what_lies_there_is_reused_for_the_same_texts_and_encoder_only(encoder: Encoder, tmp_path: Path, phrases):
    first = embed_to(encoder, tmp_path, phrases[0][:10])
    again = embed_to(encoder, tmp_path, pa.array(phrases[0][:10]))
    assert (again.reused, again.digest) == (True, first.digest)
    assert not embed_to(encoder, tmp_path, phrases[0][:11]).reused


def test_work_that_was_stopped_goes_on_where_it_was(
    encoder: Encoder, tmp_path: Path, phrases, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(embeddings_module, "CHUNK", 16)
    whole = embed_to(encoder, tmp_path / "whole", phrases[0]).array()
    seen: list[Any] = []
    with pytest.raises(Stopped):
        embed_to(
            encoder,
            tmp_path / "out",
            phrases[0],
            pieces=tmp_path / "p",
            listener=seen.append,
            stop=lambda: len(seen) >= 2,
        )
    assert len(list((tmp_path / "p").rglob("*.safetensors"))) == 2
    encoded: list[int] = []
    real = encoder.encode_tokens
    monkeypatch.setattr(encoder, "encode_tokens", lambda tokens, **more: (encoded.append(1), real(tokens, **more))[1])
    resumed = embed_to(encoder, tmp_path / "out", phrases[0], pieces=tmp_path / "p")
    assert len(encoded) == -(-resumed.distinct // 16) - 2
    np.testing.assert_array_equal(resumed.array(), whole)
    assert list((tmp_path / "p").iterdir()) == []


def test_no_texts_give_an_empty_array(encoder: Encoder, tmp_path: Path):
    assert embed_to(encoder, tmp_path, []).array().shape == (0, 32)


def test_the_digest_of_texts_sees_their_content_and_borders_but_not_how_they_are_kept():
    column = pa.array(["ab", "c", "", "d"])
    assert texts_digest(column) == texts_digest(pa.chunked_array([column[:1], column[1:]]))
    assert texts_digest(column[1:]) == texts_digest(["c", "", "d"])
    assert texts_digest(["ab", "c"]) != texts_digest(["a", "bc"])
    assert texts_digest([]) != texts_digest([""])
