"""The candidate kind ``transformer``: a whole encoder, or one cut to some of its layers, as a sequence classifier.

Its folder is a Hugging Face one: ``AutoModelForSequenceClassification.from_pretrained`` and ``AutoTokenizer`` read it,
and nothing of ours is needed. Texts of like length are scored together, in the last layer only what the first token
needs is computed, and on a processor each core works on a batch of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from workbench import storage
from workbench.errors import ModelError
from workbench.models.candidate import softmax
from workbench.models.card import read_card, write_card
from workbench.models.encoder import Dtype, longest_text, native_bf16, on_all_cores, quiet, work_on
from workbench.models.first_token import first_token_forward
from workbench.models.tokens import Texts, batches, need, padded, tokenise
from workbench.models.weights import Weights, check_folder

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
TOKENS_A_BATCH = {"fp32": 1024, "bf16": 2048, "cuda": 16_384}
CHUNK = 8192
MB = 1_000_000


class TransformerCandidate:
    """A sequence classifier of transformers."""

    kind = "transformer"

    def __init__(
        self, model: Any, tokenizer_files: Mapping[str, str], classes: tuple[str, ...], *, max_tokens: int
    ) -> None:
        """Put the parts together.

        Args:
            model: From ``AutoModelForSequenceClassification``; its last layer has a row for each class.
            tokenizer_files: Name to content of the tokenizer's files, ``tokenizer.json`` among them.
            classes: Names of the classes, in the order of the logits.
            max_tokens: Tokens read of each text, special ones included.
        """
        self.model = model.eval()
        self.tokenizer_files = dict(tokenizer_files)
        self.classes = tuple(classes)
        self.max_tokens = min(max_tokens, longest_text(model.config))
        self.tokenizer = open_tokenizer_text(self.tokenizer_files["tokenizer.json"], self.max_tokens)
        self.stored = "float32"

    @property
    def dtype(self) -> str:
        """Number format that it computes in: ``fp32`` or ``bf16``."""
        return "bf16" if "bfloat16" in str(next(self.model.parameters()).dtype) else "fp32"

    @property
    def size_mb(self) -> float:
        """Size of all that a prediction needs, in MB of 1,000,000 bytes: weights as they are stored, and tokenizer."""
        width = 2 if self.stored == "float16" else 4
        weights = sum(parameter.numel() for parameter in self.model.parameters()) * width
        return float(weights + len(self.tokenizer_files["tokenizer.json"].encode())) / MB

    def logits(self, texts: Texts) -> Floats:
        """Logits of texts, shape ``(rows, classes)``; long texts are cut at ``max_tokens``."""
        import torch

        total = len(texts)
        found = np.zeros((total, len(self.classes)), dtype=np.float32)
        pad_id = int(self.model.config.pad_token_id or 0)
        place = "cuda" if self.model.device.type == "cuda" else self.dtype
        multiple = 1 if place == "fp32" else 8
        with torch.inference_mode(), on_all_cores(cuda=place == "cuda") as pool:
            for start in range(0, total, CHUNK):
                tokens = tokenise(self.tokenizer, texts[start : start + CHUNK])
                chunk = found[start : start + CHUNK]

                def work(rows: Rows, tokens: Any = tokens, chunk: Floats = chunk) -> None:
                    chunk[rows] = self._forward(*padded(tokens, rows, pad_id, multiple))

                work_on(pool, work, batches(tokens.lengths, TOKENS_A_BATCH[place], multiple))
        return found

    def _forward(self, ids: Rows, mask: Rows) -> Floats:
        import torch

        device = self.model.device
        with torch.inference_mode():
            said = first_token_forward(self.model, torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
            logits: Floats = said.float().cpu().numpy()
        return logits

    def predict_proba(self, texts: Texts) -> Floats:
        """Calibrated probabilities of texts, shape ``(rows, classes)``."""
        logits = self.logits(texts)
        return softmax(logits)

    def scaled(self, temperature: float) -> Self:
        """This candidate with its last layer divided by a temperature above 0, in place."""
        import torch

        head = last_layer(self.model)
        with torch.no_grad():
            head.weight.div_(temperature)
            head.bias.div_(temperature)
        return self

    def as_fp32(self) -> TransformerCandidate:
        """The same candidate computing in float32."""
        return TransformerCandidate(self.model.float(), self.tokenizer_files, self.classes, max_tokens=self.max_tokens)

    def save(self, folder: Path) -> None:
        """Save as a Hugging Face folder: configuration, safetensors, tokenizer."""
        import torch
        from safetensors.torch import save as to_bytes

        storage.make_folder(folder)
        wanted = torch.float16 if self.stored == "float16" else torch.float32
        tensors = {
            name: value.to("cpu", wanted).contiguous()
            for name, value in self.model.state_dict().items()
            if value.is_floating_point()
        }
        storage.write_bytes(folder / WEIGHTS_FILE, to_bytes(tensors, metadata={"format": "pt"}))
        storage.write_json(folder / "config.json", config_values(self.model.config, self.classes, self.stored))
        for name, content in self.tokenizer_files.items():
            storage.write_text(folder / name, content)
        write_card(folder, self.kind, self.classes, max_tokens=self.max_tokens, stored=self.stored)

    @classmethod
    def load(cls, folder: Path, *, dtype: Dtype = "auto") -> Self:
        """Load from a folder.

        Args:
            folder: What :meth:`save` wrote.
            dtype: Number format to compute in; ``auto`` takes bf16 where the processor has it or on CUDA.

        Raises:
            ModelError: The folder is damaged or asks for code of its own.
            MissingExtraError: torch or transformers is not installed.
        """
        card = read_card(folder)
        weights = check_folder(folder)
        torch = need("torch", "running a transformer")
        cuda = torch.cuda.is_available()
        chosen = ("bf16" if cuda or native_bf16() else "fp32") if dtype == "auto" else dtype
        model = open_classifier(weights, card["classes"], dtype=torch.bfloat16 if chosen == "bf16" else torch.float32)
        made = cls(
            model.to("cuda") if cuda else model,
            tokenizer_files(folder),
            tuple(card["classes"]),
            max_tokens=int(card["max_tokens"]),
        )
        made.stored = str(card.get("stored", "float32"))
        return made


def open_classifier(weights: Weights, classes: list[str] | tuple[str, ...], *, dtype: Any = None) -> Any:
    """Open a folder as a sequence classifier; where it has no last layer of that size, one is made at random.

    Args:
        weights: Checked weights of an encoder or a classifier.
        classes: Names of the classes.
        dtype: torch's number format; float32 when ``None``.

    Raises:
        ModelError: transformers knows no classifier of that kind, or the files do not fit.
    """
    torch = need("torch", "running a transformer")
    transformers = need("transformers", "running a transformer")
    try:
        with quiet(transformers):
            return transformers.AutoModelForSequenceClassification.from_pretrained(
                str(weights.folder),
                dtype=dtype or torch.float32,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                num_labels=len(classes),
                ignore_mismatched_sizes=True,
            ).requires_grad_(False)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"'{weights.name}' in {weights.folder} is no classifier's base: {str(error).strip().splitlines()[0]}",
            "An encoder that transformers has a sequence classifier for, with safetensors that fit its config.json.",
            "Choose another encoder, or save this one again with save_pretrained.",
        ) from error


def last_layer(model: Any) -> Any:
    """The layer of a sequence classifier that makes logits."""
    head = model.classifier
    return head if hasattr(head, "weight") else head.out_proj


def tokenizer_files(folder: Path) -> dict[str, str]:
    """Name to content of a folder's tokenizer files."""
    return {name: (folder / name).read_text(encoding="utf-8") for name in TOKENIZER_FILES if (folder / name).is_file()}


def config_values(config: Any, classes: tuple[str, ...] = (), stored: str = "float32") -> dict[str, Any]:
    """``config.json`` of an encoder or, with classes, of a classifier; no path of any machine is in it."""
    values: dict[str, Any] = json.loads(config.to_json_string(use_diff=False))
    values = {name: value for name, value in values.items() if not name.startswith("_")} | {"dtype": stored}
    if not classes:
        return values
    values |= {"id2label": {str(index): name for index, name in enumerate(classes)}}
    values |= {"label2id": {name: index for index, name in enumerate(classes)}}
    return values | {"problem_type": "single_label_classification"}


def open_tokenizer_text(content: str, max_tokens: int) -> Any:
    """A tokenizer from the content of its ``tokenizer.json``, cutting at ``max_tokens``."""
    tokenizer = need("tokenizers", "reading a tokenizer").Tokenizer.from_str(content)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer
