"""Making trained candidates smaller and faster, and showing what that cost. Importing this loads no torch."""

from __future__ import annotations

from workbench.compression.folders import rescaled, to_fp16, to_int8, to_onnx
from workbench.compression.parity import Parity, parity

__all__ = ["Parity", "parity", "rescaled", "to_fp16", "to_int8", "to_onnx"]
