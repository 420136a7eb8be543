"""Fine-tuning a teacher: the head first, on the frozen encoder, then all of it, or low-rank updates (LoRA).

Training begins exactly where the head ended: the network pools and joins layers as the frozen teacher does, and its
last layer starts as the head that L-BFGS found. (A last layer that starts at random pulls a pretrained encoder apart
before it has learned anything: Kumar et al. 2022.) The result is a ``head`` candidate whose encoder is its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import storage
from workbench.data.table import Labelled
from workbench.models.encoder import Encoder, longest_text, quiet
from workbench.models.head import Head, HeadCandidate
from workbench.models.tokens import Texts, Tokens, need, open_tokenizer, tokenise
from workbench.models.transformer import WEIGHTS_FILE, config_values, tokenizer_files
from workbench.models.weights import Weights, check_folder
from workbench.recipe import Member, Tuning
from workbench.training.batching import Examples
from workbench.training.distillation import fit_temperature, one_hot
from workbench.training.engine import Trained, predict_logits, train
from workbench.training.head import row_weights
from workbench.training.watching import Watch

if TYPE_CHECKING:
    from workbench.training.networks import PooledNetwork


@dataclass(frozen=True)
class Tuned:
    """A fine-tuned teacher.

    Attributes:
        candidate: It, calibrated on validation.
        trained: What the training came to.
        parameters: Parameters that were trained.
        temperature: The calibration temperature, divided into the head already.
    """

    candidate: HeadCandidate
    trained: Trained
    parameters: int
    temperature: float


@dataclass(frozen=True)
class Labels:
    """The labelled rows of a seed.

    Attributes:
        classes: Names of the classes.
        train: Rows to learn from.
        validation: Rows that choose the epoch and calibrate.
    """

    classes: tuple[str, ...]
    train: Labelled
    validation: Labelled


def finetune(
    weights: Weights,
    member: Member,
    labels: Labels,
    head: Head,
    folder: Path,
    *,
    seed: int = 0,
    watch: Watch | None = None,
    keep: Callable[[Any], None] | None = None,
) -> Tuned:
    """Fine-tune an encoder from where its head stands.

    Args:
        weights: The encoder as published.
        member: The recipe's teacher: method, layers, longest text, tuning.
        labels: The labelled rows.
        head: The head that was trained on the frozen encoder, shape ``(classes, dimensions)``.
        folder: Where the trained encoder is written; it must stay while the candidate is used.
        seed: Seed of order and dropout.
        watch: Who looks on, and where checkpoints are kept.
        keep: Given the encoder with its adapters, before they are merged (method ``lora``).

    Raises:
        ModelError: LoRA targets match nothing, or the loss is no number.
        Stopped: Somebody asked.
    """
    settings = member.tuning or Tuning()
    network = open_network(weights, member, head, settings, seed)
    tokenizer = open_tokenizer(weights.folder / "tokenizer.json", _longest(network, member))
    examples = labelled_examples(tokenizer, labels.train, len(labels.classes), settings)
    held_out = labelled_examples(tokenizer, labels.validation, len(labels.classes))
    parameters = sum(one.numel() for one in network.parameters() if one.requires_grad)
    done = train(network, examples, settings, validation=held_out, seed=seed, watch=watch)
    temperature = fit_temperature(predict_logits(network, held_out), labels.validation.labels)
    if keep is not None and member.method == "lora":
        keep(network.encoder)
    candidate = to_candidate(network, weights, member, labels.classes, temperature, folder)
    return Tuned(candidate, done, parameters, temperature)


def open_network(weights: Weights, member: Member, head: Head, settings: Tuning, seed: int) -> PooledNetwork:
    """The encoder with its head, ready to be trained: all of it, or with low-rank updates."""
    from workbench.training.networks import PooledNetwork

    torch = need("torch", "training an encoder")
    transformers = need("transformers", "training an encoder")
    with quiet(transformers):
        encoder = transformers.AutoModel.from_pretrained(
            str(weights.folder), dtype=torch.float32, local_files_only=True
        )
    if member.method == "lora":
        from workbench.training.lora import attach

        encoder = attach(encoder, settings, seed=seed)
    elif settings.freeze_embeddings:
        encoder.get_input_embeddings().weight.requires_grad_(False)
    return PooledNetwork(encoder, member.layers, head)


def _longest(network: PooledNetwork, member: Member) -> int:
    config: Any = network.encoder.config
    return min(member.max_tokens, longest_text(config))


def labelled_examples(tokenizer: Any, rows: Labelled, classes: int, settings: Tuning | None = None) -> Examples:
    """Labelled rows as examples with hard targets; smoothed and weighed as the settings say.

    Args:
        tokenizer: Cutting at the longest text.
        rows: The rows.
        classes: Number of classes.
        settings: Label smoothing and class weights; neither when ``None`` (validation).
    """
    targets = one_hot(rows.labels, classes)
    balanced = settings is not None and settings.class_weights
    weights = row_weights(targets, balanced=balanced).astype(np.float32)
    if settings is not None and settings.label_smoothing:
        targets = targets * np.float32(1 - settings.label_smoothing) + np.float32(settings.label_smoothing / classes)
    labels = rows.labels.astype(np.int64)
    return Examples(read_tokens(tokenizer, rows.texts), targets, weights, rows.rows, labels)


def read_tokens(tokenizer: Any, texts: Texts, chunk: int = 8192) -> Tokens:
    """Tokens of any number of texts, some thousand at a time."""
    parts = [tokenise(tokenizer, texts[start : start + chunk]) for start in range(0, max(1, len(texts)), chunk)]
    joined = [np.concatenate([getattr(part, name) for part in parts]) for name in ("ids", "lengths", "truncated")]
    return Tokens(*joined)


def to_candidate(
    network: PooledNetwork, weights: Weights, member: Member, classes: tuple[str, ...], temperature: float, folder: Path
) -> HeadCandidate:
    """The trained network as a candidate; low-rank updates are merged into the weights."""
    encoder = network.encoder
    if member.method == "lora":
        from workbench.training.lora import merge

        encoder = merge(encoder)
    write_encoder(encoder, weights, folder)
    own = check_folder(folder, name=f"{weights.name} ({member.method})", uploader="trained in this run")
    own = replace(own, licence=weights.licence)
    opened = Encoder.open(own, max_tokens=member.max_tokens, layers=member.layers)
    return HeadCandidate(opened, network.to_head().scaled(temperature), classes)


def write_encoder(encoder: Any, weights: Weights, folder: Path) -> None:
    """Write an encoder as a Hugging Face folder: safetensors, configuration, and the tokenizer it came with."""
    from safetensors.torch import save as to_bytes

    tensors = {name: value.detach().cpu().contiguous() for name, value in encoder.state_dict().items()}
    storage.make_folder(folder)
    storage.write_bytes(folder / WEIGHTS_FILE, to_bytes(tensors, metadata={"format": "pt"}))
    storage.write_json(folder / "config.json", config_values(encoder.config))
    for name, content in tokenizer_files(weights.folder).items():
        storage.write_text(folder / name, content)
