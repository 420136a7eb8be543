"""The packages of the extra ``onnx``, imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from workbench.errors import MissingExtraError


def need_onnx() -> Any:
    """The package ``onnx``.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        onnx = importlib.import_module("onnx")
        importlib.import_module("onnx.helper")
        importlib.import_module("onnx.numpy_helper")
    except ImportError as error:
        raise MissingExtraError("onnx", "writing ONNX models") from error
    return onnx
