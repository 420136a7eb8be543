"""The candidate kind ``onnx``: a transformer or static student as one ONNX file, in fp32 or int8.

Scoring needs onnxruntime and tokenizers, neither torch nor transformers; the folder carries a script that needs
nothing of ours either. Many texts are worked on by length, each core with a batch of its own on one thread, which
is faster than one batch on all cores. In int8 a batch's numbers share one scale: a text's logits depend a little on
the texts beside it, so a comparison is made over the very batches that are scored.
"""

from __future__ import annotations

import importlib
import os
import platform
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from workbench import storage
from workbench.errors import MissingExtraError, ModelError
from workbench.models import onnx_predict
from workbench.models.candidate import softmax
from workbench.models.card import read_card, write_card
from workbench.models.static_text import StaticTokenizer
from workbench.models.tokens import Texts, Tokens, batches, padded, tokenise

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

MODEL_FILE = "model.onnx"
SCRIPT_FILE = "predict.py"
CHUNK = 8192
TOKENS_A_BATCH = 512
MB = 1_000_000


@dataclass(frozen=True)
class Reading:
    """How an ONNX candidate was made and how it reads a text; the script beside it reads the same from the card.

    Attributes:
        source: Kind that it was made of: ``transformer`` or ``static``.
        precision: ``fp32`` or ``int8``.
        max_tokens: Tokens read of a text, special ones included.
        characters: Characters read of a text, before it is tokenised.
        special: Whether special tokens are added.
        unknown: Id that is left out, or ``None``.
        pad: Id that fills.
    """

    source: str
    precision: str
    max_tokens: int
    characters: int
    special: bool
    unknown: int | None
    pad: int


class OnnxCandidate:
    """A text classifier in an ONNX graph."""

    kind = "onnx"

    def __init__(self, model: bytes, tokenizer_json: str, classes: tuple[str, ...], reading: Reading) -> None:
        """Open a session over the graph.

        Args:
            model: Content of ``model.onnx``: ``input_ids`` and ``attention_mask`` in, ``logits`` out.
            tokenizer_json: Content of ``tokenizer.json``.
            classes: Names of the classes, in the order of the logits.
            reading: How a text is read.

        Raises:
            ModelError: The graph cannot be opened.
            MissingExtraError: onnxruntime or tokenizers is not installed.
        """
        self.model = model
        self.tokenizer_json = tokenizer_json
        self.classes = tuple(classes)
        self.reading = reading
        self._session = _open_session(model)
        self._static = StaticTokenizer(tokenizer_json) if reading.source == "static" else None
        self._tokenizer = _need("tokenizers").Tokenizer.from_str(tokenizer_json)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(reading.max_tokens)

    @property
    def precision(self) -> str:
        """``fp32`` or ``int8``."""
        return self.reading.precision

    @property
    def size_mb(self) -> float:
        """Size of all that a prediction needs, in MB of 1,000,000 bytes: graph and tokenizer."""
        return (len(self.model) + len(self.tokenizer_json.encode())) / MB

    def logits(self, texts: Texts) -> Floats:
        """Logits of texts, shape ``(rows, classes)``; long texts are cut at ``max_tokens``."""
        total = len(texts)
        found: Floats = np.zeros((total, len(self.classes)), dtype=np.float32)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for start in range(0, total, CHUNK):
                tokens = self._read(texts[start : start + CHUNK])
                chunk = found[start : start + CHUNK]
                parts = batches(tokens.lengths, TOKENS_A_BATCH)
                scored = (
                    pool.map(lambda rows, tokens=tokens: self._score(tokens, rows), parts)
                    if len(parts) > 1
                    else (self._score(tokens, rows) for rows in parts)
                )
                for rows, logits in zip(parts, scored, strict=True):
                    chunk[rows] = logits
        return found

    def predict_proba(self, texts: Texts) -> Floats:
        """Calibrated probabilities of texts, shape ``(rows, classes)``."""
        logits = self.logits(texts)
        return softmax(logits)

    def save(self, folder: Path) -> None:
        """Save graph, tokenizer, card, and the script that needs none of this package."""
        storage.make_folder(folder)
        storage.write_bytes(folder / MODEL_FILE, self.model)
        storage.write_text(folder / "tokenizer.json", self.tokenizer_json)
        storage.write_text(folder / SCRIPT_FILE, Path(onnx_predict.__file__).read_text(encoding="utf-8"))
        write_card(folder, self.kind, self.classes, **asdict(self.reading))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load from a folder.

        Args:
            folder: What :meth:`save` wrote.

        Raises:
            ModelError: The folder holds no candidate, or a damaged one.
            MissingExtraError: onnxruntime or tokenizers is not installed.
        """
        card = read_card(folder)
        missing = [name for name in (MODEL_FILE, "tokenizer.json") if not (folder / name).is_file()]
        missing += [name for name in Reading.__annotations__ if name not in card]
        if missing:
            raise ModelError(
                f"{folder} holds no whole ONNX candidate: {', '.join(missing)} is missing.",
                f"A folder with {MODEL_FILE}, tokenizer.json, and a candidate.json that says how texts are read.",
                "Restore the folder from a copy, or run again.",
            )
        reading = Reading(**{name: card[name] for name in Reading.__annotations__})
        text = (folder / "tokenizer.json").read_text(encoding="utf-8")
        return cls((folder / MODEL_FILE).read_bytes(), text, tuple(card["classes"]), reading)

    def _read(self, texts: Texts) -> Tokens:
        if self._static is None:
            return tokenise(self._tokenizer, texts, special=self.reading.special)
        ids, counts = self._static.read(texts)
        return Tokens(ids.astype(np.int64), counts, np.zeros(len(counts), dtype=np.bool_))

    def _score(self, tokens: Tokens, rows: Rows) -> Floats:
        ids, mask = padded(tokens, rows, self.reading.pad)
        logits: Floats = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return logits


def _open_session(model: bytes) -> Any:
    """A session that works on one thread and may be run from several at once."""
    runtime = _need("onnxruntime")
    state = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if not _sums_8_bit():  # such processors add pairs in 16 bits, which can overflow: the slower way is exact
        options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except (
        state.Fail,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.InvalidArgument,
        state.NotImplemented,
    ) as error:
        raise ModelError(
            f"The ONNX graph cannot be opened: {str(error).strip().splitlines()[0]}",
            f"A {MODEL_FILE} that `workbench run` wrote, and onnxruntime 1.22 or newer.",
            "Run again, or update: pip install --upgrade onnxruntime",
        ) from error


@cache
def _sums_8_bit() -> bool:
    """Whether this processor sums products of 8-bit numbers in 32 bits (VNNI, or not of the x86 kind)."""
    info = Path("/proc/cpuinfo")
    if platform.machine().lower() not in ("x86_64", "amd64") or not info.is_file():
        return True
    text = info.read_text(encoding="utf-8", errors="replace")
    return "avx512_vnni" in text or "avx_vnni" in text


def _need(module: str) -> Any:
    """Import a module of the extra ``onnx``.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError("onnx", "running ONNX candidates") from error
