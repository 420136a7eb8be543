"""JSON, Parquet, arrays and tensors: turned into bytes, then written whole or not at all by ``files``.

Nothing is pickled, and NaN never reaches a JSON file. NumPy, pyarrow and safetensors are imported when they are needed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import RunError
from workbench.storage.files import write_bytes, write_chunks, write_text
from workbench.storage.troubles import told

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def write_json(path: Path, value: object) -> None:
    r"""Write a value as JSON with sorted keys, one space of indent and a last ``\n``, whole or not at all.

    Args:
        path: The file.
        value: What ``json`` can write; NumPy scalars are written as numbers. A value that could not be computed
            is left out by the caller, never NaN.

    Raises:
        RunError: The system refused.
        ValueError: NaN or an infinity stands in it; nothing was touched.
        TypeError: Something in it has no JSON form; nothing was touched.
    """
    text = json.dumps(value, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False, default=_plain)
    write_text(path, text + "\n")


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet (zstd), whole or not at all; the compressed bytes pass through memory.

    Args:
        path: The file.
        table: The table.

    Raises:
        RunError: The system refused.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_bytes(path, memoryview(sink.getvalue()))


def write_array(path: Path, array: np.ndarray[Any, Any]) -> None:
    """Write an array as ``.npy`` (no pickle), whole or not at all, without a copy when it is C-contiguous.

    Args:
        path: The file; its name is taken as it is. ``np.load(path, mmap_mode="r")`` reads it.
        array: Any shape, any type but object.

    Raises:
        RunError: The system refused.
        ValueError: The array holds Python objects; nothing was touched.
    """
    import numpy as np

    if array.dtype.hasobject:
        raise ValueError("An array of Python objects would have to be pickled, which is never done.")
    array = np.asarray(array, order="C")
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(array))
    content = array.reshape(-1).view(np.uint8).data
    write_chunks(path, [header.getvalue(), content])


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write named arrays as safetensors, whole or not at all; the bytes pass through memory.

    Args:
        path: The file.
        tensors: Name to array, any shape.

    Raises:
        RunError: The system refused.
    """
    import numpy as np
    from safetensors.numpy import save

    write_bytes(path, save({name: np.asarray(array, order="C") for name, array in tensors.items()}))


def read_json(path: Path) -> Any:
    """Read a JSON file; NaN and infinities are refused as they are when writing.

    Args:
        path: The file.

    Returns:
        Dicts, lists, strings, numbers, booleans, None.

    Raises:
        RunError: The file is missing, cannot be read, or is not JSON in UTF-8.
    """
    with told("reading", path):
        data = path.read_bytes()
    try:
        return json.loads(data.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RunError(
            f"{path} is not readable as JSON: {error}",
            "JSON in UTF-8, as this package writes it.",
            "If it was edited by hand, put the edit right; else restore it from a copy or run again with --fresh.",
        ) from error


def _plain(value: object) -> object:
    """Turn a NumPy scalar into a number of Python."""
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return value.item()  # type: ignore[attr-defined]
    raise TypeError(f"{type(value).__name__} has no JSON form.")


def _no_constant(name: str) -> object:
    """Refuse NaN and the infinities, which are not JSON."""
    raise ValueError(f"{name} is not JSON")
