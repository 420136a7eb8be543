"""The ONNX graph of a static candidate: look-up in the 8-bit table, sum over tokens, unit length, linear layer.

The table is 8-bit already and its common scale drops out when the sum is scaled to length 1, so the graph gives the
candidate's own logits up to the rounding of float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.compression.graph import FLOAT, GraphWriter
from workbench.models.static import StaticCandidate

TINY = 1e-32


def static_graph(candidate: StaticCandidate) -> Any:
    """Write the graph.

    Args:
        candidate: The static candidate; padding counts 0, a text without tokens gets the bias.

    Returns:
        An ``onnx.ModelProto``.
    """
    writer = GraphWriter("int8")
    rows = writer.add("Gather", [writer.weight("table", candidate.table), "input_ids"], "rows")
    vectors = writer.add("Cast", [rows], "vectors", to=FLOAT)
    counted = writer.add("Cast", ["attention_mask"], "counted", to=FLOAT)
    one = writer.weight("axis_1", np.array([1]))
    weights = writer.add("Unsqueeze", [counted, one], "weights")
    sums = writer.add("MatMul", [weights, vectors], "sums")
    summed = writer.add("Squeeze", [sums, one], "summed")
    length = writer.add("ReduceL2", [summed], "length", axes=[1], keepdims=1)
    some = writer.add("Add", [length, writer.weight("tiny", np.array(TINY, dtype=np.float32))], "some_length")
    unit = writer.add("Div", [summed, some], "unit")
    head = [writer.weight("classifier.weight", candidate.head.weight)]
    head.append(writer.weight("classifier.bias", candidate.head.bias))
    writer.add("Gemm", [unit, *head], "logits", transB=1)
    return writer.model(len(candidate.classes))
