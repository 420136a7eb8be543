"""Linear candidates: their hash, their saved form, and the reader that needs NumPy alone."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from workbench import models
from workbench.errors import ModelError
from workbench.models import linear_reader
from workbench.models.hashing import hashed
from workbench.models.linear import CHUNK, LinearCandidate

CLASSES = ("heart", "infection", "injury")
BUCKETS = 1 << 12
STRANGE = [
    "",
    " ",
    "   \t\n ",
    "a",
    "Fever  of\tthe\nLEFT arm.",
    " fever ",
    "\ufb01ssure and \ufb03x",
    "\u0130stanbul \u0131\u0131",
    "Stra\u00dfe STRASSE \u1e9e",
    "\u039f\u0394\u039f\u03a3 \u03c3\u03c2",
    "e\u0301 caf\u00e9 \u212b \u2460",
    "\u6f22\u5b57 fever \U0001f9ec",
    "fever\u00a0burn\u2028heart\u3000lung\u0085x",
    "fever\x00burn\x0bheart\x1flung\x7f\r\n",
    "x" * 20_000,
    "\u00e9" * 5_000 + " end",
    "fever " * 600,
]


def slow_runs(text: str, low: int, high: int, buckets: int) -> list[int]:
    """The hash as its description says it, one byte at a time."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text).lower()
    spaced = bytes(32 if byte < 32 else byte + 32 if 65 <= byte <= 90 else byte for byte in plain.encode())
    places = []
    for word in spaced.split(b" "):
        padded = b" " + word + b" "
        for length in range(low, high + 1):
            runs = [padded[start : start + length] for start in range(len(padded) - length + 1)] if word else []
            places += [slow_hash(run, buckets) for run in runs if run != b" "]
    return sorted(places)


def slow_hash(run: bytes, buckets: int) -> int:
    value = 0
    for byte in run:
        value = ((value ^ byte) * 0x01000193) % 2**32
        value ^= value >> 15
    value = (value * 0x9E3779B1 + len(run)) % 2**32
    value ^= value >> 16
    return ((value * 0x85EBCA6B) % 2**32) * buckets >> 32


def runs_by_text(texts, low: int, high: int, buckets: int) -> list[list[int]]:
    runs, offsets = hashed(texts, low, high, buckets)
    return [sorted(runs[start:end].tolist()) for start, end in pairwise(offsets)]


@pytest.fixture(scope="module")
def candidate() -> LinearCandidate:
    random = np.random.default_rng(0)
    table = random.normal(size=(BUCKETS, len(CLASSES) + 1))
    table[:, -1] = random.uniform(1, 60, BUCKETS)
    return LinearCandidate(CLASSES, (2, 5), table.astype(np.float16), random.normal(size=3).astype(np.float32))


@pytest.fixture(scope="module")
def folder(candidate: LinearCandidate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    saved = tmp_path_factory.mktemp("linear")
    candidate.save(saved)
    return saved


@pytest.mark.parametrize("ngrams", [(1, 1), (1, 3), (2, 5), (3, 3), (1, 8)])
@pytest.mark.parametrize("buckets", [2, 1 << 10, 1 << 17, 1 << 22])
def test_the_hash_equals_a_slow_one_in_plain_python(ngrams: tuple[int, int], buckets: int):
    texts = [text[:300] for text in STRANGE]
    assert runs_by_text(texts, *ngrams, buckets) == [slow_runs(text, *ngrams, buckets) for text in texts]


def test_the_hash_does_not_depend_on_the_neighbours_of_a_text():
    together = runs_by_text(STRANGE, 2, 5, BUCKETS)
    assert together == [runs_by_text([text], 2, 5, BUCKETS)[0] for text in STRANGE]
    assert together[::-1] == runs_by_text(STRANGE[::-1], 2, 5, BUCKETS)


def test_the_hash_is_the_same_for_slices_chunks_and_missing_texts():
    whole = pa.array(["before", *STRANGE, None, "after"], pa.large_string())
    expected = runs_by_text([*STRANGE, ""], 2, 5, BUCKETS)
    assert runs_by_text(whole.slice(1, len(STRANGE) + 1), 2, 5, BUCKETS) == expected
    chunked = pa.chunked_array([whole.slice(1, 7), whole.slice(8, len(STRANGE) - 6)])
    assert runs_by_text(chunked, 2, 5, BUCKETS) == expected
    assert runs_by_text(whole.cast(pa.string()).slice(1, len(STRANGE) + 1), 2, 5, BUCKETS) == expected


def test_no_texts_have_no_runs():
    runs, offsets = hashed([], 2, 5, BUCKETS)
    assert len(runs) == 0
    assert offsets.tolist() == [0]


def test_white_space_and_control_characters_part_words_and_do_nothing_else():
    assert len({tuple(one) for one in runs_by_text(["a b", " a  b ", "a\tb\n", "\x00a\x01b"], 1, 4, BUCKETS)}) == 1
    assert runs_by_text(["", "  ", "\x00\n"], 1, 4, BUCKETS) == [[], [], []]


def test_writing_that_means_the_same_is_the_same():
    pairs = ["\ufb01ssure fissure", "\uff46ever fever", "CAF\u00c9 cafe\u0301", "FEVER fever", "\u00e9 \u00a0\u00e9"]
    for one, other in (pair.split(" ", 1) for pair in pairs):
        first, second = runs_by_text([one, other], 2, 5, BUCKETS)
        assert first == second, (one, other)


def test_the_reader_gives_what_the_package_gives(candidate: LinearCandidate, folder: Path):
    reader = linear_reader.load(folder)
    np.testing.assert_allclose(reader.predict_proba(STRANGE), candidate.predict_proba(STRANGE), atol=2e-5)
    assert reader.classes == candidate.classes


@pytest.mark.parametrize("text", STRANGE)
def test_the_reader_gives_the_same_for_one_row(candidate: LinearCandidate, folder: Path, text: str):
    ours = candidate.predict_proba([text])
    theirs = linear_reader.load(folder).predict_proba([text])
    assert ours.shape == theirs.shape == (1, 3)
    assert ours.dtype == theirs.dtype == np.float32
    np.testing.assert_allclose(theirs, ours, atol=2e-5)


@pytest.mark.slow
def test_the_reader_gives_the_same_for_ten_thousand_rows(candidate: LinearCandidate, folder: Path, phrases):
    texts = [f"{phrases[0][row % 240]} {row} \u00e9" if row % 50 == 0 else f"burn {row}" for row in range(10_000)]
    together = candidate.predict_proba(texts)
    assert together.shape == (10_000, 3)
    np.testing.assert_allclose(linear_reader.load(folder).predict_proba(texts), together, atol=2e-5)


def test_the_reader_gives_the_same_for_no_rows(candidate: LinearCandidate, folder: Path):
    assert candidate.predict_proba([]).shape == linear_reader.load(folder).predict_proba([]).shape == (0, 3)


def test_batches_do_not_change_an_answer(candidate: LinearCandidate):
    texts = [f"burn of arm {row}" for row in range(2 * CHUNK + 1)]
    together = candidate.predict_proba(pa.array(texts, pa.large_string()))
    for row in (0, CHUNK - 1, CHUNK, 2 * CHUNK):
        np.testing.assert_array_equal(together[row], candidate.predict_proba([texts[row]])[0])


def test_the_saved_reader_needs_numpy_alone(candidate: LinearCandidate, folder: Path):
    code = (
        "import sys, importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('reader', {str(folder / 'reader.py')!r})\n"
        "reader = importlib.util.module_from_spec(spec); spec.loader.exec_module(reader)\n"
        f"found = reader.load({str(folder)!r}).predict_proba(['fever of the arm'])[0]\n"
        "heavy = {'workbench', 'scipy', 'pyarrow', 'safetensors', 'torch', 'sklearn'} & set(sys.modules)\n"
        "print(*found.tolist(), *heavy)\n"
    )
    told = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert len(told) == 3, f"the reader imported {told[3:]}"
    np.testing.assert_allclose(
        [float(one) for one in told], candidate.predict_proba(["fever of the arm"])[0], atol=1e-5
    )


def test_the_saved_reader_answers_from_a_shell(candidate: LinearCandidate, folder: Path):
    command = [sys.executable, "-I", str(folder / "reader.py"), "fever", "burn of arm"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    likeliest = [CLASSES[place] for place in candidate.predict_proba(["fever", "burn of arm"]).argmax(axis=1)]
    assert [line.split("\t")[0] for line in lines] == likeliest
    assert [line.split("\t")[2] for line in lines] == ["fever", "burn of arm"]


def test_the_saved_reader_is_the_one_of_the_package(folder: Path):
    assert (folder / "reader.py").read_bytes() == Path(linear_reader.__file__).read_bytes()
    assert importlib.util.spec_from_file_location("reader", folder / "reader.py") is not None


def test_a_loaded_candidate_gives_identical_probabilities(candidate: LinearCandidate, folder: Path):
    loaded = models.load(folder)
    np.testing.assert_array_equal(loaded.predict_proba(STRANGE), candidate.predict_proba(STRANGE))
    assert (loaded.kind, loaded.classes) == ("linear", CLASSES)
    assert isinstance(loaded, LinearCandidate)
    assert loaded.ngrams == candidate.ngrams


def test_saving_what_was_loaded_writes_the_same_bytes(folder: Path, tmp_path: Path):
    models.load(folder).save(tmp_path)
    for name in ("model.safetensors", "candidate.json", "reader.py"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_its_size_is_that_of_its_weights_on_disk(candidate: LinearCandidate, folder: Path):
    assert candidate.size_mb == pytest.approx((BUCKETS * 4 * 2 + 3 * 4) / 1e6)
    assert (folder / "model.safetensors").stat().st_size / 1e6 == pytest.approx(candidate.size_mb, rel=0.02)
    assert candidate.buckets == BUCKETS


def test_probabilities_are_probabilities(candidate: LinearCandidate):
    found = candidate.predict_proba(STRANGE)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_a_text_without_words_gets_the_answer_of_the_bias(candidate: LinearCandidate):
    powers = np.exp(candidate.bias - candidate.bias.max())
    np.testing.assert_allclose(candidate.predict_proba(["", " \n"]), [powers / powers.sum()] * 2, atol=1e-6)


def test_scaling_divides_every_logit_by_the_temperature(candidate: LinearCandidate):
    scaled = candidate.scaled(2.0)
    np.testing.assert_allclose(scaled.logits(STRANGE), candidate.logits(STRANGE) / 2, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(scaled.table[:, -1], candidate.table[:, -1])
    assert (scaled.predict_proba(STRANGE).max(axis=1) <= candidate.predict_proba(STRANGE).max(axis=1) + 1e-3).all()
    np.testing.assert_array_equal(candidate.scaled(1.0).table, candidate.table)


@pytest.mark.parametrize("rows", [0, 1, 3, 1000, BUCKETS - 1])
def test_a_table_whose_length_is_no_power_of_two_is_refused(rows: int):
    with pytest.raises(ModelError) as refused:
        LinearCandidate(CLASSES, (2, 5), np.zeros((rows, 4), np.float16), np.zeros(3, np.float32))
    assert f"({rows}, 4)" in str(refused.value)
    assert "(a power of two, 4) and (3,) for 3 classes" in str(refused.value)


@pytest.mark.parametrize(("width", "bias"), [(3, 3), (5, 3), (4, 2)])
def test_weights_for_other_classes_are_refused(width: int, bias: int):
    with pytest.raises(ModelError, match="for 3 classes"):
        LinearCandidate(CLASSES, (2, 5), np.zeros((8, width), np.float16), np.zeros(bias, np.float32))
