"""A frozen encoder: texts in, one unit vector each out (mean over the text's tokens, of one layer or several).

Batches hold texts of like length, bounded by tokens. On a processor each core works on a batch of its own with one
thread, which is half as fast again here as one batch on all cores; the result does not depend on the number of cores.
bfloat16 is used only where the processor has instructions for it, or on CUDA. Nothing is trained here, and
no code from a model's folder is run.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from workbench.errors import ModelError, Stopped
from workbench.models.tokens import Texts, Tokens, batches, need, open_tokenizer, padded, tokenise
from workbench.models.weights import Weights
from workbench.runs.events import Listener, Progress, Stop, ignore, never

Dtype = Literal["auto", "fp32", "bf16"]
Floats = npt.NDArray[np.float32]

CHUNK = 4096
TOKENS_A_BATCH = {"fp32": 1024, "bf16": 2048, "cuda": 16_384}
POOLING = "mean"


@cache
def native_bf16() -> bool:
    """Whether this processor multiplies bfloat16 itself (AVX512-BF16 or AMX)."""
    info = Path("/proc/cpuinfo")
    if platform.system() != "Linux" or not info.is_file():
        return False
    flags: set[str] = set()
    for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("flags"):
            flags = set(line.split())
            break
    return bool(flags & {"avx512_bf16", "amx_bf16"})


class Encoder:
    """A frozen encoder, its tokenizer and how they are used."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        weights: Weights,
        *,
        max_tokens: int,
        dtype: str,
        layers: tuple[int, ...] = (),
    ) -> None:
        """Keep the parts; use :meth:`open`.

        Args:
            model: A transformers encoder in evaluation mode.
            tokenizer: From :func:`~workbench.models.tokens.open_tokenizer`.
            weights: Where both come from.
            max_tokens: Tokens read of each text, special ones included.
            dtype: ``fp32`` or ``bf16``.
            layers: Layers whose mean vectors are joined, each of the same length; the last one alone when empty.
        """
        self.layers = layers
        self.model = model
        self.tokenizer = tokenizer
        self.weights = weights
        self.max_tokens = max_tokens
        self.dtype = dtype
        self.truncated_share = 0.0

    @classmethod
    def open(
        cls, weights: Weights, *, max_tokens: int = 128, dtype: Dtype = "auto", layers: tuple[int, ...] = ()
    ) -> Self:
        """Open an encoder.

        Args:
            weights: Checked weights.
            max_tokens: Tokens read of each text, 8 or more; bounded by what the model can read.
            dtype: ``auto`` takes bf16 where the processor has it or on CUDA; ``fp32`` and ``bf16`` force.
            layers: Layers whose mean vectors are joined (0: the word embeddings); the last one alone when empty.

        Raises:
            ModelError: The folder holds no encoder that transformers knows, or it has no such layer.
            MissingExtraError: torch or transformers is not installed.
        """
        torch = need("torch", "running an encoder")
        transformers = need("transformers", "running an encoder")
        cuda = torch.cuda.is_available()
        chosen = ("bf16" if cuda or native_bf16() else "fp32") if dtype == "auto" else dtype
        with quiet(transformers):
            model = _open_model(transformers, weights, torch.bfloat16 if chosen == "bf16" else torch.float32)
        _check_layers(layers, model.config, weights.name)
        model = model.eval().requires_grad_(False)
        if cuda:
            model = model.to("cuda")
        longest = min(max_tokens, longest_text(model.config))
        tokenizer = open_tokenizer(weights.folder / "tokenizer.json", longest)
        return cls(model, tokenizer, weights, max_tokens=longest, dtype=chosen, layers=tuple(layers))

    @property
    def dimensions(self) -> int:
        """Length of its vectors."""
        return int(self.model.config.hidden_size) * max(1, len(self.layers))

    @property
    def digest(self) -> str:
        """SHA-256 over all that decides its vectors: weights, longest text, number format, pooling."""
        parts = (self.weights.digest, str(self.max_tokens), self.dtype, POOLING, *map(str, self.layers))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def encode(self, texts: Texts, *, listener: Listener = ignore, stop: Stop = never) -> Floats:
        """Encode texts.

        Afterwards ``truncated_share`` is the share of these texts that was cut at ``max_tokens``.

        Args:
            texts: The texts; a missing one counts as empty.
            listener: Gets ``Progress("encode", done, total)``.
            stop: Asked between batches.

        Returns:
            Unit vectors, shape ``(rows, dimensions)``.

        Raises:
            Stopped: ``stop`` said yes.
        """
        total = len(texts)
        vectors = np.zeros((total, self.dimensions), dtype=np.float32)
        cut = 0
        with self.workers() as pool:
            for start in range(0, total, CHUNK):
                tokens = tokenise(self.tokenizer, texts[start : start + CHUNK])
                vectors[start : start + CHUNK] = self.encode_tokens(tokens, pool=pool, stop=stop)
                cut += int(tokens.truncated.sum())
                listener(Progress("encode", min(start + CHUNK, total), total))
        self.truncated_share = cut / total if total else 0.0
        return vectors

    def encode_tokens(
        self, tokens: Tokens, *, pool: ThreadPoolExecutor, unit: bool = True, stop: Stop = never
    ) -> Floats:
        """Encode token sequences.

        Args:
            tokens: The sequences, special tokens included.
            pool: From :meth:`workers`.
            unit: Whether vectors are scaled to length 1.
            stop: Asked between batches.

        Returns:
            Mean of the layers over each sequence, shape ``(rows, dimensions)``.

        Raises:
            Stopped: ``stop`` said yes.
        """
        multiple = 1 if self._place == "fp32" else 8
        vectors = np.zeros((len(tokens.lengths), self.dimensions), dtype=np.float32)
        parts = batches(tokens.lengths, TOKENS_A_BATCH[self._place], multiple)
        pad_id = int(getattr(self.model.config, "pad_token_id", None) or 0)

        def work(rows: npt.NDArray[np.int64]) -> None:
            vectors[rows] = self._forward(*padded(tokens, rows, pad_id, multiple), unit=unit)

        work_on(pool, work, parts, stop)
        return vectors

    @contextmanager
    def workers(self) -> Iterator[ThreadPoolExecutor]:
        """Threads to work on batches: see :func:`on_all_cores`."""
        with on_all_cores(cuda=self._place == "cuda") as pool:
            yield pool

    @property
    def _place(self) -> str:
        return "cuda" if self.model.device.type == "cuda" else self.dtype

    def _forward(self, ids: npt.NDArray[np.int64], mask: npt.NDArray[np.int64], *, unit: bool) -> Floats:
        """Mean-pooled layers of one batch, shape ``(batch, dimensions)``; joined ones are of equal length each."""
        import torch

        with torch.inference_mode():
            device = self.model.device
            attention = torch.from_numpy(mask).to(device)
            said = self.model(
                input_ids=torch.from_numpy(ids).to(device),
                attention_mask=attention,
                output_hidden_states=bool(self.layers),
            )
            states = [said.hidden_states[layer] for layer in self.layers] or [said.last_hidden_state]
            share = attention.float() / attention.float().sum(1, keepdim=True).clamp_min(1)
            pooled = [torch.bmm(share[:, None, :], one.float()).squeeze(1) for one in states]
            if unit:
                pooled = [torch.nn.functional.normalize(one, dim=1) / len(states) ** 0.5 for one in pooled]
            result: Floats = torch.cat(pooled, dim=1).cpu().numpy()
            return result


def _check_layers(layers: tuple[int, ...], config: Any, name: str) -> None:
    """Refuse layers that the encoder does not have."""
    count = int(getattr(config, "num_hidden_layers", 0))
    wrong = [layer for layer in layers if not 0 <= layer <= count]
    if wrong:
        raise ModelError(
            f"{name} has no layer {', '.join(map(str, wrong))}.",
            f"Layers from 0 (the word embeddings) to {count} (the last).",
            "Change teacher.layers in the recipe, or leave it out for the last layer alone.",
        )


@contextmanager
def on_all_cores(*, cuda: bool = False) -> Iterator[ThreadPoolExecutor]:
    """Threads to work on batches: one a core with one torch thread each, one alone on CUDA."""
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        count = 1 if cuda else before
        with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)


def work_on(
    pool: ThreadPoolExecutor,
    work: Callable[[npt.NDArray[np.int64]], None],
    parts: list[npt.NDArray[np.int64]],
    stop: Stop = never,
) -> None:
    """Work on all parts, asking between them whether to stop."""
    waiting: list[Future[None]] = [pool.submit(work, part) for part in parts]
    try:
        for one in waiting:
            one.result()
            if stop():
                raise Stopped("Encoding was asked to stop.", "", "What was finished is kept; run again to go on.")
    finally:
        for one in waiting:
            one.cancel()


def _open_model(transformers: Any, weights: Weights, dtype: Any) -> Any:
    try:
        return transformers.AutoModel.from_pretrained(
            str(weights.folder),
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"The encoder '{weights.name}' in {weights.folder} cannot be opened: {str(error).strip().splitlines()[0]}",
            "An encoder whose code is part of transformers, with safetensors that fit its config.json.",
            "Choose another model, or save this one again with save_pretrained.",
        ) from error


def longest_text(config: Any) -> int:
    """Tokens that fit in the model's positions; those of RoBERTa's kin begin behind the padding id."""
    positions = int(getattr(config, "max_position_embeddings", 0) or 512)
    kin = any(name in str(config.model_type) for name in ("roberta", "mpnet", "camembert"))
    return positions - 2 if kin else positions


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """Keep transformers' progress bar and advice off the screen while a model is opened."""
    log = transformers.utils.logging
    level, shown = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if shown:
            log.enable_progress_bar()
