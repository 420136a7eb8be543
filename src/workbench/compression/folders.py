"""Candidate folders in, smaller ones out: ONNX in fp32 or int8, and transformers with weights stored in 16 bits.

Each function reads a saved candidate and writes a whole new one. Whether something was lost is judged beside it, on
real rows, by ``parity``; after int8 the temperature is fitted again and goes in with ``rescaled``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from workbench.compression.bert import bert_graph, can_write
from workbench.compression.graph import Precision
from workbench.compression.needed import need_onnx
from workbench.compression.static import static_graph
from workbench.compression.traced import traced_graph
from workbench.errors import ModelError
from workbench.models.card import read_card
from workbench.models.onnx import OnnxCandidate, Reading
from workbench.models.static import StaticCandidate
from workbench.models.static_text import MAX_TOKENS
from workbench.models.tokens import CHARACTERS_A_TOKEN
from workbench.models.transformer import TransformerCandidate

LARGEST_FP16 = 65_504.0


def to_onnx(folder: Path, target: Path) -> OnnxCandidate:
    """Turn a transformer or static candidate into ONNX that computes in fp32.

    Args:
        folder: The saved candidate.
        target: Gets the new one.

    Returns:
        The new candidate, opened.

    Raises:
        ModelError: It is of another kind, or cannot be turned into ONNX.
        MissingExtraError: onnx, onnxruntime, or what the candidate itself needs is not installed.
    """
    return _write(folder, target, "fp32")


def to_int8(folder: Path, target: Path) -> OnnxCandidate:
    """Turn a transformer or static candidate into ONNX with 8-bit weights, and 8-bit products where it has layers.

    Weights and table rows have a scale each; what goes into a product is quantised by its range at that moment, so
    no calibration rows are needed. A static candidate's table is 8-bit already: its graph is that of :func:`to_onnx`.

    Args:
        folder: The saved candidate.
        target: Gets the new one.

    Returns:
        The new candidate, opened.

    Raises:
        ModelError: It is of another kind, or cannot be turned into ONNX.
        MissingExtraError: onnx, onnxruntime, or what the candidate itself needs is not installed.
    """
    return _write(folder, target, "int8")


def to_fp16(folder: Path, target: Path) -> TransformerCandidate:
    """Store a transformer candidate's weights in 16 bits; they are computed with in fp32.

    Args:
        folder: The saved candidate.
        target: Gets the new one.

    Returns:
        The new candidate, loaded from its folder.

    Raises:
        ModelError: It is of another kind, or a weight is too large for 16 bits.
        MissingExtraError: torch or transformers is not installed.
    """
    kind = read_card(folder)["kind"]
    if kind != "transformer":
        raise _wrong_kind(folder, kind, "transformer")
    candidate = TransformerCandidate.load(folder, dtype="fp32")
    large = [name for name, one in candidate.model.named_parameters() if float(one.abs().max()) > LARGEST_FP16]
    if large:
        raise ModelError(
            f"Weights of {folder} are too large for 16 bits: {', '.join(large)}.",
            f"Weights between -{LARGEST_FP16:,.0f} and {LARGEST_FP16:,.0f}.",
            "Take int8 or fp32 for this candidate.",
        )
    candidate.stored = "float16"
    candidate.save(target)
    return TransformerCandidate.load(target, dtype="fp32")


def rescaled(folder: Path, temperature: float) -> OnnxCandidate:
    """Divide every logit of a saved ONNX candidate by a temperature, in its last layer's weights, which are fp32.

    Args:
        folder: The saved ONNX candidate; its graph is replaced.
        temperature: Above 0, fitted on validation rows; 1 changes nothing.

    Returns:
        The candidate with its new graph.

    Raises:
        ModelError: The folder holds a candidate of another kind.
    """
    if not temperature > 0:
        raise ValueError(f"a temperature is above 0; got {temperature}")
    kind = read_card(folder)["kind"]
    if kind != "onnx":
        raise _wrong_kind(folder, kind, "onnx")
    before = OnnxCandidate.load(folder)
    graph = divide_logits(need_onnx().load_model_from_string(before.model), temperature)
    after = OnnxCandidate(graph.SerializeToString(), before.tokenizer_json, before.classes, before.reading)
    after.save(folder)
    return after


def divide_logits(graph: Any, temperature: float) -> Any:
    """The same graph with every logit divided by a temperature, in its last layer's weights where it has one.

    Args:
        graph: An ``onnx.ModelProto`` with the output ``logits``; changed in place.
        temperature: Above 0.
    """
    onnx = need_onnx()
    node = next(node for node in graph.graph.node if "logits" in node.output)
    weights = {weight.name: weight for weight in graph.graph.initializer}
    if node.op_type == "Gemm" and all(name in weights for name in node.input[1:]):
        for name in node.input[1:]:
            scaled = onnx.numpy_helper.to_array(weights[name]) / np.float32(temperature)
            weights[name].CopyFrom(onnx.numpy_helper.from_array(scaled.astype(np.float32), name))
        return graph
    before = f"logits_before_{len(graph.graph.node)}"
    node.output[list(node.output).index("logits")] = before
    divisor = onnx.numpy_helper.from_array(np.array(temperature, dtype=np.float32), f"temperature_of_{before}")
    graph.graph.initializer.append(divisor)
    graph.graph.node.append(onnx.helper.make_node("Div", [before, divisor.name], ["logits"], name=f"divided_{before}"))
    return graph


def _write(folder: Path, target: Path, precision: Precision) -> OnnxCandidate:
    """Read a candidate, write its graph, save the ONNX candidate."""
    need_onnx()
    kind = read_card(folder)["kind"]
    if kind == "transformer":
        made = _of_transformer(TransformerCandidate.load(folder, dtype="fp32"), precision)
    elif kind == "static":
        made = _of_static(StaticCandidate.load(folder))
    else:
        raise _wrong_kind(folder, kind, "transformer or static")
    made.save(target)
    return made


def _of_transformer(candidate: TransformerCandidate, precision: Precision) -> OnnxCandidate:
    model = candidate.model.to("cpu")
    graph = bert_graph(model, precision) if can_write(model) else traced_graph(model, precision)
    reading = Reading(
        source="transformer",
        precision=precision,
        max_tokens=candidate.max_tokens,
        characters=candidate.max_tokens * CHARACTERS_A_TOKEN,
        special=True,
        unknown=None,
        pad=int(model.config.pad_token_id or 0),
    )
    text = candidate.tokenizer_files["tokenizer.json"]
    return OnnxCandidate(graph.SerializeToString(), text, candidate.classes, reading)


def _of_static(candidate: StaticCandidate) -> OnnxCandidate:
    tokenizer = candidate.tokenizer
    reading = Reading(
        source="static",
        precision="int8",
        max_tokens=MAX_TOKENS,
        characters=tokenizer.longest,
        special=False,
        unknown=tokenizer.unknown,
        pad=0,
    )
    return OnnxCandidate(static_graph(candidate).SerializeToString(), tokenizer.json, candidate.classes, reading)


def _wrong_kind(folder: Path, kind: str, wanted: str) -> ModelError:
    return ModelError(
        f"{folder} holds a candidate of the kind '{kind}', which is not compressed in this way.",
        f"A candidate of the kind {wanted}.",
        "Leave compress out of the recipe for this candidate.",
    )
