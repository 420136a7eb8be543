"""What looks like personal data in the columns of a table: counts and masked examples, never a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from workbench.data.personal.masking import examples
from workbench.data.personal.scanning import Scanner, scan_repeated, scanner


@dataclass(frozen=True)
class Finding:
    """What looks like personal data of one type in one column.

    Attributes:
        column: Its name.
        kind: Name of the type.
        findings: How many there are.
        rows: Rows with at least one.
        examples: A few, masked.
    """

    column: str
    kind: str
    findings: int
    rows: int
    examples: tuple[str, ...]


def summary(table: pa.Table, columns: Sequence[str], *, by: Scanner | None = None, most: int = 3) -> list[Finding]:
    """Look through columns of text.

    Args:
        table: The table.
        columns: Names of the columns.
        by: What is looked for; every type when ``None``.
        most: Examples of each type.
    """
    used, lines = by or scanner(), []
    for column in columns:
        found = scan_repeated(table[column], used, heading=column)
        for kind, shown in examples(table[column], found, most).items():
            of_kind = found.filter(pc.equal(found["type"], kind))
            rows = pc.count_distinct(of_kind["row"]).as_py()
            lines.append(Finding(column, kind, of_kind.num_rows, rows, tuple(shown)))
    return lines
