"""Readers: each knows the files of one installed package, and nothing else in the workbench does.

A reader turns them into a table of text columns and says where they come from. It refuses files that
are not what it was written for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from workbench.data.problems import nearest
from workbench.errors import DataError

MODULES = {
    "hpo": "workbench.data.readers.hpo",
    "icd10cm": "workbench.data.readers.icd10cm",
    "scancode": "workbench.data.readers.scancode",
}


@dataclass(frozen=True)
class ReadTable:
    """What a reader makes.

    Attributes:
        table: Columns of ``large_string``.
        described: ``name``, ``version``, ``licence``, ``url``, ``redistributable``, ``file_digest``, ``notes``.
    """

    table: pa.Table
    described: dict[str, Any]


def read(reader: str, package: str) -> ReadTable:
    """Read the data that an installed package carries.

    Args:
        reader: Name of the reader.
        package: Package that the recipe names; must be the one the reader knows.

    Raises:
        DataError: If there is no such reader, it knows another package, or the package is missing.
    """
    if reader not in MODULES:
        near = nearest(reader, MODULES)
        raise DataError(
            f"There is no reader called {reader!r}." + (f" Did you mean {near!r}?" if near else ""),
            f"One of: {', '.join(sorted(MODULES))}.",
            "Correct data.source.reader in the recipe, or export the data to a CSV file and name that in data.source.",
        )
    module = importlib.import_module(MODULES[reader])
    known: str = module.PACKAGE.name
    if package.replace("_", "-").lower() != known:
        raise DataError(
            f"The reader {reader} does not know the package {package!r}.",
            f"The package {known}.",
            f"Write source: {{package: {known}, reader: {reader}}} in the recipe.",
        )
    make: Callable[[], ReadTable] = module.read
    return make()
