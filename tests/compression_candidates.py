"""Tiny candidates to compress, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from workbench.models.head import Head
from workbench.models.static import StaticCandidate, quantise
from workbench.models.static_text import StaticTokenizer
from workbench.models.transformer import TransformerCandidate, tokenizer_files

CLASSES = ("injury", "infection", "heart and lung")


def make_transformer(encoder: Path, folder: Path, *, kind: str = "bert", **more: Any) -> Path:
    """Save a transformer candidate of a kind with large random weights, and the tokenizer of the tiny encoder."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    torch.manual_seed(0)
    words = len(StaticTokenizer((encoder / "tokenizer.json").read_text(encoding="utf-8"))._plain.get_vocab())
    sizes: dict[str, Any] = {
        "vocab_size": words,
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 66,
        "initializer_range": 0.2,
        "pad_token_id": 0,
        "num_labels": len(CLASSES),
    }
    if kind == "distilbert":
        sizes |= {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 64}
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(kind, **(sizes | more)))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("bias"):
                weight.normal_(0, 0.1)
    TransformerCandidate(model, tokenizer_files(encoder), CLASSES, max_tokens=48).save(folder)
    return folder


def make_static(encoder: Path, folder: Path) -> Path:
    """Save a static candidate over the tiny encoder's tokenizer."""
    random = np.random.default_rng(0)
    tokenizer = StaticTokenizer((encoder / "tokenizer.json").read_text(encoding="utf-8"))
    table = quantise(random.normal(size=(tokenizer.size, 16)).astype(np.float32))
    weight = random.normal(size=(len(CLASSES), 16)).astype(np.float32)
    head = Head(weight, random.normal(size=len(CLASSES)).astype(np.float32))
    StaticCandidate(tokenizer, table, head, CLASSES).save(folder)
    return folder
