"""The candidate kind onnx: its face, its folder, and the script beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from compression_candidates import CLASSES, make_static, make_transformer
from workbench import models
from workbench.compression import to_int8, to_onnx
from workbench.errors import MissingExtraError, ModelError
from workbench.models.onnx import OnnxCandidate

TEXTS = [
    "open wound of the left arm",
    "fever",
    "",
    "chronic heart failure with cough and pain",
    "zzz ξ",
    "acute rash " * 90,
]


@pytest.fixture(scope="module")
def folder(tiny_encoder, tmp_path_factory):
    source = make_transformer(tiny_encoder, tmp_path_factory.mktemp("source"))
    target = tmp_path_factory.mktemp("onnx") / "student"
    to_onnx(source, target)
    return target


def test_its_folder_is_loaded_by_its_kind_and_saved_again_alike(folder, tmp_path):
    candidate = models.load(folder)
    assert candidate.kind == "onnx"
    assert candidate.classes == CLASSES
    assert sorted(one.name for one in folder.iterdir()) == [
        "candidate.json",
        "model.onnx",
        "predict.py",
        "tokenizer.json",
    ]
    candidate.save(tmp_path / "copy")
    for file in folder.iterdir():
        assert (tmp_path / "copy" / file.name).read_bytes() == file.read_bytes()
    assert candidate.size_mb == pytest.approx(
        sum((folder / name).stat().st_size for name in ("model.onnx", "tokenizer.json")) / 1e6
    )


def test_probabilities_are_one_row_a_text_whatever_stands_beside_it(folder):
    candidate = OnnxCandidate.load(folder)
    many = [TEXTS[row % len(TEXTS)] for row in range(500)]
    together = candidate.predict_proba(pa.array(many, pa.large_string()))
    assert together.dtype == np.float32
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    alone = np.concatenate([candidate.predict_proba([text]) for text in TEXTS])
    np.testing.assert_allclose(together[: len(TEXTS)], alone, atol=1e-5)
    assert candidate.predict_proba([]).shape == (0, len(CLASSES))


@pytest.mark.parametrize("kind", ["transformer", "static"])
def test_the_script_beside_it_gives_the_same_in_a_process_of_its_own(kind, tiny_encoder, tmp_path):
    make = make_transformer if kind == "transformer" else make_static
    candidate = to_onnx(make(tiny_encoder, tmp_path / "source"), tmp_path / "onnx")
    texts = [text for text in TEXTS if "\x00" not in text]
    command = [sys.executable, "-I", str(tmp_path / "onnx" / "predict.py"), *texts]
    said = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, cwd=tmp_path / "onnx").stdout
    ours = candidate.predict_proba(texts)
    lines = [line.split("\t") for line in said.splitlines()]
    assert [label for label, _ in lines] == [CLASSES[best] for best in ours.argmax(axis=1)]
    np.testing.assert_allclose([float(share) for _, share in lines], ours.max(axis=1), atol=1.1e-4)


def test_the_script_is_thirty_lines():
    from workbench.models import onnx_predict

    assert len(Path(onnx_predict.__file__).read_text(encoding="utf-8").splitlines()) <= 30


@pytest.mark.parametrize("kind", ["transformer", "static"])
def test_loading_and_scoring_need_neither_torch_nor_transformers(kind, tiny_encoder, tmp_path):
    make = make_transformer if kind == "transformer" else make_static
    to_int8(make(tiny_encoder, tmp_path / "source"), tmp_path / "onnx")
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['transformers'] = None; from pathlib import Path\n"
        f"from workbench import models; found = models.load(Path({str(tmp_path / 'onnx')!r}))\n"
        "print(found.predict_proba(['fever']).shape)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout
    assert said.strip() == f"(1, {len(CLASSES)})"


def test_a_folder_without_its_graph_says_what_is_missing(folder, tmp_path):
    models.load(folder).save(tmp_path)
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(ModelError, match=r"model\.onnx is missing"):
        models.load(tmp_path)


def test_a_card_without_how_to_read_is_refused(folder, tmp_path):
    models.load(folder).save(tmp_path)
    card = json.loads((tmp_path / "candidate.json").read_text())
    del card["special"]
    (tmp_path / "candidate.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="special is missing"):
        models.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x09\x12\x00"])
def test_a_damaged_graph_is_refused(folder, tmp_path, content):
    models.load(folder).save(tmp_path)
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="cannot be opened"):
        models.load(tmp_path)


def test_without_onnxruntime_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match="onnx"):
        models.load(folder)
