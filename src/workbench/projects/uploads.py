"""A table of one's own before there is a recipe: taken in, looked at column by column, judged. No widgets here.

What it refuses comes in the three parts of every error; what is doubtful about a choice of columns comes as keys of
words, with the values that go into them.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import storage
from workbench.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.data.outline import Column

LARGEST_MB = 100
MOST_CLASSES, FEWEST_GROUPS = 500, 5
PICTURE, PAGE, PACKED = "a picture", "a web page (HTML)", "a packed file or a spreadsheet (ZIP, XLSX, ODS)"
SIGNATURES = {b"\x89png": PICTURE, b"\xff\xd8\xff": PICTURE, b"gif8": PICTURE, b"<!doc": PAGE, b"<html": PAGE}
SIGNATURES |= {b"%pdf": "a PDF document", b"pk\x03\x04": PACKED, b"\xd0\xcf\x11\xe0": PACKED, b"<?xml": "an XML file"}
Trouble = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Incoming:
    """A table that somebody brings: a file of their own, or bytes that have none yet."""

    name: str
    path: Path | None = None
    content: bytes = b""


@dataclass(frozen=True)
class Look:
    """A table that was read, with a proposal for its columns."""

    incoming: Incoming
    table: pa.Table
    columns: Mapping[str, Column]
    text: str | None
    label: str | None

    @property
    def groups(self) -> list[str]:
        """Columns whose values could tie rows together, such as customers or documents."""
        taken = (self.text, self.label)
        fit = [one for one in self.columns.values() if one.kind in ("text", "classes", "number")]
        return [one.name for one in fit if one.name not in taken and one.different >= FEWEST_GROUPS]

    def troubles(self, text: str | None, label: str | None) -> list[Trouble]:
        """Why these columns cannot be used; empty where they can."""
        if len(self.columns) < 2:
            return [("one_column", {"columns": ", ".join(self.columns) or "–"})]
        if text is None or label is None:
            return [("no_column", {})]
        if text == label:
            return [("same_column", {"column": text})]
        found, labelled = self.columns[label], self.table.num_rows * (1 - self.columns[label].empty)
        if found.different < 2:
            return [("one_class", {"column": label, "n": found.different})]
        if found.different > MOST_CLASSES or found.different * 2 > labelled:
            better = next((one.name for one in self.columns.values() if one.kind == "classes" and one.name != text), "")
            key = "many_classes_better" if better and better != label else "many_classes"
            return [(key, {"column": label, "n": f"{found.different:,}", "better": better})]
        return []

    def singles(self, label: str | None) -> int:
        """Classes of a label column that stand in one row only."""
        return self.columns[label].singles if label is not None and label in self.columns else 0


def uploaded(value: Sequence[Mapping[str, Any]]) -> Incoming:
    """The newest file of the control ``upload``, which sends nothing of one that is too large.

    Args:
        value: A mapping with ``name``, ``size`` in bytes and ``content`` for each file.

    Raises:
        DataError: It is too large.
    """
    file, size = value[-1], int(value[-1]["size"])
    if size > LARGEST_MB * 1_000_000:
        raise DataError(
            f"{file['name']} has {size / 1e6:,.0f} MB.",
            f"At most {LARGEST_MB} MB through the browser.",
            "Put the file on this machine, type its path below, and press “Read this file”.",
        )
    return Incoming(str(file["name"]), content=bytes(file["content"]))


def given(table: object) -> Incoming:
    """A table that was handed over in Python: a path, or a frame, which becomes a Parquet file's bytes.

    Raises:
        DataError: It is neither.
    """
    if isinstance(table, (str, Path)):
        path = Path(table).expanduser()
        return Incoming(path.name, path=path)
    import pyarrow as pa
    import pyarrow.parquet as pq

    from workbench.data.sources.objects import arrow

    frame, sink = arrow(table), pa.BufferOutputStream()
    with pq.ParquetWriter(sink, frame.schema) as writer:
        writer.write(frame)
    return Incoming("table.parquet", content=sink.getvalue().to_pybytes())


def look(incoming: Incoming, encoding: str | None = None, *, scratch: Path) -> Look:
    """Read a table and propose its columns; bytes without a file lie below ``scratch`` while they are read.

    Raises:
        DataError: It is no table.
    """
    from workbench.data import columns_guess
    from workbench.data.outline import outline

    folder = scratch / f".tmp-{secrets.token_hex(4)}"
    file = incoming.path or folder / Path(incoming.name).name
    try:
        if incoming.path is None:
            storage.write_bytes(file, incoming.content)
        table = _read(file, encoding)
    finally:
        storage.remove_tree(folder)
    text, label = columns_guess(table)
    return Look(incoming, table, outline(table), text, label)


def _read(path: Path, encoding: str | None) -> Any:
    """The table of a file, what is plainly none refused by what it is."""
    from workbench.data.sources import peek

    if path.is_file():
        with path.open("rb") as opened:
            head = opened.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        found = next((what for mark, what in SIGNATURES.items() if head.startswith(mark)), None)
        if found is not None:
            raise DataError(
                f"{path.name} is {found}, and no table.",
                "A table in a file ending in .csv, .tsv, .jsonl or .parquet.",
                "Save or export it as one of these (from a spreadsheet: CSV UTF-8).",
            )
    return peek(path, encoding)
