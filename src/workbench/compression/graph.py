"""A small writer of ONNX graphs: named weights, linear layers in fp32 or int8, and the model at the end.

Some operators are onnxruntime's own (domain ``com.microsoft``): attention over padded rows, skip connections with
their normalisation and bias, products of 8-bit numbers. They are what its optimiser would make of the plain ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.compression.needed import need_onnx

Floats = npt.NDArray[np.float32]
Linear = tuple[Floats, Floats]
Precision = Literal["fp32", "int8"]

OPSET = 17
IR_VERSION = 9
OWN = "com.microsoft"
FLOAT, INT32, INT64 = 1, 6, 7
"""Numbers of element types in ONNX."""


@dataclass
class GraphWriter:
    """A graph under way.

    Attributes:
        precision: What large linear layers and tables are stored and computed in.
        nodes: Its operators so far, in order.
        weights: Its initialisers by name.
    """

    precision: Precision
    nodes: list[Any] = field(default_factory=list)
    weights: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    def weight(self, name: str, values: npt.NDArray[Any]) -> str:
        """Keep an array under a name and return the name.

        Raises:
            ValueError: Another array has that name.
        """
        if not np.array_equal(self.weights.get(name, values), values):
            raise ValueError(f"two weights are called {name}")
        self.weights[name] = np.asarray(values, order="C")
        return name

    def add(self, kind: str, inputs: list[str], output: str, *, own: bool = False, **attributes: Any) -> str:
        """Add an operator with one output and return the output's name.

        Args:
            kind: Name of the operator.
            inputs: Names of its inputs; an empty one stands for an optional input that is left out.
            output: Name of its output.
            own: Whether it is one of onnxruntime's own operators.
            **attributes: Its attributes.
        """
        return self.add_many(kind, inputs, [output], own=own, **attributes)[0]

    def add_many(
        self, kind: str, inputs: list[str], outputs: list[str], *, own: bool = False, **attributes: Any
    ) -> list[str]:
        """Add an operator with several outputs and return their names."""
        domain = OWN if own else ""
        node = need_onnx().helper.make_node(kind, inputs, outputs, name=outputs[0], domain=domain, **attributes)
        self.nodes.append(node)
        return outputs

    def linear(self, name: str, given: str, layer: Linear) -> str:
        """A linear layer; in int8 its input is quantised by its own range at that moment.

        Args:
            name: Of weights and output.
            given: The input, shape ``(…, inputs)``.
            layer: Weight of shape ``(outputs, inputs)`` and bias of shape ``(outputs,)``, as torch keeps them.
        """
        bias = self.weight(f"{name}.bias", layer[1])
        if self.precision == "fp32":
            product = self.add("MatMul", [given, self.weight(f"{name}.weight", layer[0].T)], f"{name}.product")
            return self.add("Add", [product, bias], name)
        return self.add("DynamicQuantizeMatMul", [given, *self._quantised(name, layer[0]), "", bias], name, own=True)

    def linear_by_row(self, name: str, given: str, layer: Linear) -> str:
        """A linear layer whose input is brought to a largest value of 1 in each row before it is quantised.

        What comes out of an activation differs in size from token to token by far; with one scale for all of them,
        most would keep few of their digits. In fp32 it is :meth:`linear`.

        Args:
            name: Of weights and output.
            given: The input, shape ``(batch, tokens, inputs)``; each row has a value above 0, or is small.
            layer: Weight and bias.
        """
        if self.precision == "fp32":
            return self.linear(name, given, layer)
        largest = self.add("ReduceMax", [given], f"{name}.largest", axes=[-1], keepdims=1)
        floor = self.weight("least_row", np.array(0.2, dtype=np.float32))
        row = self.add("Max", [largest, floor], f"{name}.row")
        even = self.add("Div", [given, row], f"{name}.even")
        product = self.add("Mul", [self.product(f"{name}.product", even, layer[0]), row], f"{name}.scaled")
        return self.add("Add", [product, self.weight(f"{name}.bias", layer[1])], name)

    def product(self, name: str, given: str, matrix: Floats) -> str:
        """An 8-bit product without a bias, its input quantised as in :meth:`linear`.

        Args:
            name: Of weight and output.
            given: The input, shape ``(…, inputs)``.
            matrix: Shape ``(outputs, inputs)``.
        """
        return self.add("DynamicQuantizeMatMul", [given, *self._quantised(name, matrix)], name, own=True)

    def linears(self, given: str, layers: dict[str, Linear]) -> list[str]:
        """Several linear layers over one input; in int8 it is quantised once.

        Args:
            given: The input, shape ``(…, inputs)``.
            layers: Weight and bias by name.
        """
        if self.precision == "fp32":
            return [self.linear(name, given, layer) for name, layer in layers.items()]
        parts = [f"{given}.int8", f"{given}.int8.scale", f"{given}.int8.zero"]
        whole, scale, zero = self.add_many("DynamicQuantizeLinear", [given], parts)
        outputs = []
        for name, (matrix, bias) in layers.items():
            weight, weight_scale = self._quantised(name, matrix)
            inputs = [whole, weight, scale, weight_scale, zero, "", self.weight(f"{name}.bias", bias)]
            outputs.append(self.add("MatMulIntegerToFloat", inputs, name, own=True))
        return outputs

    def lookup(self, name: str, ids: str, table: Floats) -> str:
        """Rows of a table; in int8 each row has its own scale.

        Args:
            name: Of table and output.
            ids: Row numbers, shape ``(batch, tokens)``.
            table: Shape ``(rows, width)``.
        """
        if self.precision == "fp32":
            return self.add("Gather", [self.weight(f"{name}.weight", table), ids], name)
        whole, scale = quantise_rows(table)
        rows = self.add("Gather", [self.weight(f"{name}.weight", whole), ids], f"{name}.int8")
        scales = self.add("Gather", [self.weight(f"{name}.scale", scale[:, None]), ids], f"{name}.row_scale")
        wide = self.add("Cast", [rows], f"{name}.wide", to=FLOAT)
        return self.add("Mul", [wide, scales], name)

    def model(self, classes: int) -> Any:
        """The finished model: ``input_ids`` and ``attention_mask`` in, ``logits`` out; batch and tokens are free."""
        onnx = need_onnx()
        whole, real = onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
        value = onnx.helper.make_tensor_value_info
        inputs = [value(name, whole, ["batch", "tokens"]) for name in ("input_ids", "attention_mask")]
        weights = [onnx.numpy_helper.from_array(array, name) for name, array in self.weights.items()]
        outputs = [value("logits", real, ["batch", classes])]
        graph = onnx.helper.make_graph(self.nodes, "classifier", inputs, outputs, weights)
        opsets = [onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid(OWN, 1)]
        return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)

    def _quantised(self, name: str, matrix: Floats) -> list[str]:
        whole, scale = quantise_rows(matrix)
        return [self.weight(f"{name}.weight", whole.T), self.weight(f"{name}.scale", scale)]


def quantise_rows(matrix: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Each row as 8-bit whole numbers with a scale of its own, so that no large row costs a small one its digits.

    Args:
        matrix: Shape ``(rows, columns)``.

    Returns:
        Whole numbers from -127 to 127 of the same shape, and scales of shape ``(rows,)``: their product comes within
        half a scale of the matrix.
    """
    largest = np.abs(matrix).max(axis=1, initial=0.0)
    scale = np.where(largest > 0, largest / 127, 1.0).astype(np.float32)
    return np.clip(np.rint(matrix / scale[:, None]), -127, 127).astype(np.int8), scale
