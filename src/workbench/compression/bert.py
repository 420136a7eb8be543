"""The ONNX graph of a sequence classifier of BERT's kin, written layer by layer, without tracing torch code.

The last layer is computed for the first token alone, since the classifier reads no other. In int8 the products of the
layers and the table of words are 8-bit; pooler, classifier, normalisations and attention stay in fp32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.compression.graph import INT32, INT64, GraphWriter, Linear, Precision
from workbench.models.first_token import reads_first_token

Floats = npt.NDArray[np.float32]
Weights = dict[str, Floats]


def can_write(model: Any) -> bool:
    """Whether a model is one whose graph is known here: BERT's kin, exact GELU, plain positions.

    Args:
        model: Any transformers model.
    """
    config = model.config
    absolute = getattr(config, "position_embedding_type", "absolute") in (None, "absolute")
    return reads_first_token(model) and config.hidden_act == "gelu" and absolute


def bert_graph(model: Any, precision: Precision) -> Any:
    """Write the graph.

    Args:
        model: One that :func:`can_write` takes.
        precision: ``fp32`` or ``int8``.

    Returns:
        An ``onnx.ModelProto``.
    """
    inner = model.bert if model.config.model_type == "bert" else model.roberta
    writer = GraphWriter(precision)
    mask = writer.add("Cast", ["attention_mask"], "mask", to=INT32)
    states = _embeddings(writer, inner.embeddings)
    layers = list(inner.encoder.layer)
    for number, layer in enumerate(layers, start=1):
        states = _layer(writer, f"layer_{number}", layer, states, mask, first_only=number == len(layers))
    first = writer.add("Squeeze", [states, writer.weight("axis_1", np.array([1]))], "first")
    _classifier(writer, model, inner, first)
    return writer.model(model.config.num_labels)


def _embeddings(writer: GraphWriter, embeddings: Any) -> str:
    """Words, positions and the first token type, summed and normalised."""
    weights = _weights(embeddings)
    places = weights["position_embeddings.weight"] + weights["token_type_embeddings.weight"][0]
    table = writer.weight("places", places)
    padding = getattr(embeddings, "padding_idx", None)
    used = _counted(writer, table) if padding is None else _counted_words(writer, table, int(padding))
    words = writer.lookup("words", "input_ids", weights["word_embeddings.weight"])
    summed = writer.add("Add", [words, used], "embedded")
    return _normal(writer, "embeddings", summed, embeddings.LayerNorm)


def _counted(writer: GraphWriter, table: str) -> str:
    """BERT's positions: the first rows of the table, as many as there are tokens."""
    zero, one, two = (writer.weight(f"number_{number}", np.array([number])) for number in range(3))
    shape = writer.add("Shape", ["input_ids"], "shape")
    tokens = writer.add("Slice", [shape, one, two], "tokens")
    return writer.add("Slice", [table, zero, tokens, zero], "places_used")


def _counted_words(writer: GraphWriter, table: str, padding: int) -> str:
    """RoBERTa's positions: tokens other than padding counted from behind the padding's id, which padding itself has."""
    pad = writer.weight("padding", np.array(padding))
    is_pad = writer.add("Equal", ["input_ids", pad], "is_padding")
    is_word = writer.add("Cast", [writer.add("Not", [is_pad], "is_word")], "word", to=INT64)
    counted = writer.add("CumSum", [is_word, writer.weight("along_tokens", np.array(1))], "counted")
    at_words = writer.add("Mul", [counted, is_word], "counted_words")
    return writer.add("Gather", [table, writer.add("Add", [at_words, pad], "place_ids")], "places_used")


def _layer(writer: GraphWriter, name: str, layer: Any, states: str, mask: str, *, first_only: bool) -> str:
    """One layer, for all tokens or for the first alone."""
    weights = _weights(layer)
    attended, residual = _attention(writer, name, layer, states, mask, first_only=first_only)
    out = writer.linear(f"{name}.out", attended, _linear(weights, "attention.output.dense"))
    normal = _skip(writer, f"{name}.attention", out, residual, layer.attention.output.LayerNorm)
    wide = writer.linear(f"{name}.wide", normal, _linear(weights, "intermediate.dense"))
    active = writer.add("Gelu", [wide], f"{name}.gelu", own=True)
    narrow = writer.linear_by_row(f"{name}.narrow", active, _linear(weights, "output.dense"))
    return _skip(writer, name, narrow, normal, layer.output.LayerNorm)


def _attention(
    writer: GraphWriter, name: str, layer: Any, states: str, mask: str, *, first_only: bool
) -> tuple[str, str]:
    """What the heads saw, joined, and the states that are added to it."""
    own = layer.attention.self
    weights = _weights(own)
    layers = {f"{name}.{part}": _linear(weights, part) for part in ("query", "key", "value")}
    residual = states
    if first_only:
        residual = writer.add("Gather", [states, writer.weight("first_place", np.array([0]))], "first_token", axis=1)
        query = writer.linear(f"{name}.query", residual, layers.pop(f"{name}.query"))
        key, value = writer.linears(states, layers)
    else:
        query, key, value = writer.linears(states, layers)
    heads = int(own.num_attention_heads)
    inputs = [query, key, value, "", mask]
    return writer.add("MultiHeadAttention", inputs, f"{name}.heads", own=True, num_heads=heads), residual


def _skip(writer: GraphWriter, name: str, given: str, residual: str, normal: Any) -> str:
    """Add the residual, and normalise; as two operators, which are three times as fast as the one that joins them."""
    summed = writer.add("Add", [given, residual], f"{name}.sum")
    return _normal(writer, name, summed, normal)


def _normal(writer: GraphWriter, name: str, given: str, normal: Any) -> str:
    weights = _weights(normal)
    parts = [writer.weight(f"{name}.gamma", weights["weight"]), writer.weight(f"{name}.beta", weights["bias"])]
    return writer.add("LayerNormalization", [given, *parts], name, axis=-1, epsilon=float(normal.eps))


def _linear(weights: Weights, name: str) -> Linear:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def _classifier(writer: GraphWriter, model: Any, inner: Any, first: str) -> None:
    """Pooler and classifier in fp32; the last operator is a ``Gemm``, whose weights take the temperature."""
    own = _weights(model.classifier)
    pooled = getattr(inner, "pooler", None) is not None
    dense = _weights(inner.pooler) if pooled else own
    last = ("weight", "bias") if pooled else ("out_proj.weight", "out_proj.bias")
    pooler = [writer.weight(f"pooler.{part}", dense[f"dense.{part}"]) for part in ("weight", "bias")]
    given = writer.add("Gemm", [first, *pooler], "pooler", transB=1)
    active = writer.add("Tanh", [given], "pooled")
    classifier = [
        writer.weight(f"classifier.{part}", own[part_]) for part, part_ in zip(("weight", "bias"), last, strict=True)
    ]
    writer.add("Gemm", [active, *classifier], "logits", transB=1)


def _weights(module: Any) -> Weights:
    """All weights of a module as float32."""
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in module.state_dict().items()}
