"""What must fit before a student is trained: the tokens of two models, and the training in memory.

Both are looked at before anything starts; nothing here opens weights or trains.
"""

from __future__ import annotations

import json
from typing import Any

from workbench.errors import ModelError
from workbench.models.tokens import need

MB = 1_000_000
BYTES = 4
ALIGNED = {
    "normalizer": "how texts are cleaned",
    "pre_tokenizer": "how texts are split into words",
    "post_processor": "what is put around a text",
    "added_tokens": "the special tokens",
}
"""Parts of a tokenizer.json that decide the tokens of a text, and what each of them is."""


def check_fits(student_tokenizer_json: str, teacher_tokenizer_json: str) -> None:
    """Refuse two tokenizers that do not cut a text into the same tokens: then no state has a partner.

    Args:
        student_tokenizer_json: Text of the student's ``tokenizer.json``.
        teacher_tokenizer_json: Text of the teacher's.

    Raises:
        ModelError: They differ in vocabulary, special tokens or how text is cut, or one is no tokenizer; every
            difference is named.
    """
    sides = [
        _tokenizer(text, who)
        for text, who in ((student_tokenizer_json, "student"), (teacher_tokenizer_json, "teacher"))
    ]
    ours, theirs = (_numbers(side["model"].get("vocab", {})) for side in sides)
    differing = sorted(token for token in ours.keys() | theirs.keys() if ours.get(token) != theirs.get(token))
    problems = []
    if differing:
        problems.append(
            f"{len(differing):,} tokens have another number or are missing on one side, for example '{differing[0]}'"
            f" (the student has {len(ours):,} tokens, the teacher {len(theirs):,})"
        )
    rest = [{key: value for key, value in side["model"].items() if key != "vocab"} for side in sides]
    if rest[0] != rest[1]:
        problems.append("how words are cut into tokens is not the same")
    problems += [
        f"{what} {'are' if what.endswith('tokens') else 'is'} not the same"
        for part, what in ALIGNED.items()
        if (sides[0].get(part) or None) != (sides[1].get(part) or None)
    ]
    if problems:
        raise ModelError(
            f"The student's tokenizer is not the teacher's: {problems[0]}.",
            "The same tokenizer on both sides: hidden states and attention are compared token by token.",
            "Start the student from the teacher's encoder, or set losses.hidden and losses.attention to 0.",
            problems=problems,
        )


def estimate_training_mb(model: Any, batch_size: int, tokens: int, *, trained_parameters: int | None = None) -> float:
    """Rough memory that training takes, for a warning before it starts; in 32-bit floats, without the libraries.

    ``4 bytes * (parameters + 3 * trained parameters + kept values)``: weights once, gradients and AdamW's two moments
    for what is trained, and what the layers keep for the backward pass, in values:
    ``batch_size * tokens * layers * (11 * hidden + 2 * intermediate + 3 * heads * tokens)`` (counted after
    Korthikanti et al. 2022, section 4, with masks of dropout as wide as values, as on a processor; without dropout and
    in bf16 a step keeps up to half less).

    Args:
        model: A transformers model, or its config (then without a classification head).
        batch_size: Rows of one forward and backward pass.
        tokens: Length of the longest row, padding included.
        trained_parameters: How many parameters have gradients; all when ``None``.

    Returns:
        MB (10^6 bytes). A teacher that runs along comes on top.
    """
    config = getattr(model, "config", model)
    parameters = sum(one.numel() for one in (model if config is not model else _shadow(config)).parameters())
    trained = parameters if trained_parameters is None else trained_parameters
    middle = getattr(config, "intermediate_size", 4 * config.hidden_size)
    a_token = 11 * config.hidden_size + 2 * middle + 3 * config.num_attention_heads * tokens
    kept = batch_size * tokens * config.num_hidden_layers * a_token
    return float(BYTES * (parameters + 3 * trained + kept) / MB)


def _shadow(config: Any) -> Any:
    """A model of this config whose parameters have shapes and no memory."""
    torch = need("torch", "estimating memory")
    transformers = need("transformers", "estimating memory")
    with torch.device("meta"):
        return transformers.AutoModel.from_config(config)


def _tokenizer(text: str, who: str) -> dict[str, Any]:
    """A tokenizer.json as an object that has a model."""
    cause: ValueError | None = None
    try:
        read = json.loads(text)
    except ValueError as error:
        read, cause = None, error
    if isinstance(read, dict) and isinstance(read.get("model"), dict):
        return read
    raise ModelError(
        f"The {who}'s tokenizer.json is no tokenizer.",
        "The tokenizer.json of a fast tokenizer: an object with a model and its vocabulary.",
        "Get the folder again from its source.",
    ) from cause


def _numbers(vocabulary: Any) -> dict[str, int]:
    """Number of each token; Unigram keeps a list of pairs."""
    if isinstance(vocabulary, dict):
        return vocabulary
    return {pair[0]: number for number, pair in enumerate(vocabulary)}
