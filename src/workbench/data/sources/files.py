"""Files as sources: CSV, TSV, JSON Lines and Parquet, told apart by their ending and their content."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import json as arrow_json

from workbench.data.columns import column_problems, used_columns
from workbench.data.problems import listed, nearest, refuse
from workbench.data.sources import delimited
from workbench.data.sources.detecting import first_undecodable, sample
from workbench.data.sources.objects import with_class_names
from workbench.errors import DataError
from workbench.recipe import Data, Source

KINDS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
ABOUT = {"name": str, "version": str, "licence": str, "url": str, "redistributable": bool, "notes": list}
BLOCK = 1 << 24


@dataclass(frozen=True)
class ReadFile:
    """A table from a file, and what is known about it."""

    table: pa.Table
    described: dict[str, Any]


def read(path: Path, source: Source, data: Data | None) -> ReadFile:
    """Read the columns that a recipe uses; all columns when there is no recipe yet.

    A file ``<file name>.about.json`` beside it may describe it: name, version, licence, url, redistributable, notes.

    Raises:
        DataError: If the file is missing, of another kind, or unreadable.
    """
    wanted = list(used_columns(data)) if data is not None else []
    notes: list[str] = []
    kind = kind_of(path)
    try:
        if kind == "csv":
            table, notes = delimited.read(path, source, wanted, data)
        else:
            table = (read_jsonl if kind == "jsonl" else read_parquet)(path, wanted, data)
    except OSError as error:
        raise DataError(
            f"{path.name} cannot be opened: {str(error).splitlines()[0][:200]}",
            "A whole file that you may read.",
            "Look at its permissions; if it is packed (.gz), unpack it to see whether it is whole.",
        ) from error
    described = {"name": path.name, **about(path)}
    described["notes"] = [*described.get("notes", []), *notes]
    return ReadFile(table, described)


def kind_of(path: Path) -> str:
    """How a file is to be read.

    Raises:
        DataError: If it is not there or of a kind that is not read.
    """
    if not path.is_file():
        raise missing(path)
    endings = [ending.lower() for ending in path.suffixes if ending.lower() not in (".gz", ".bz2", ".zst")]
    ending = endings[-1] if endings else ""
    if ending not in KINDS:
        raise DataError(
            f"{path.name} ends in {ending or 'nothing'}, which is not a kind of file that is read.",
            "A file ending in .csv, .tsv, .jsonl or .parquet.",
            "Save or export it as one of these (from a spreadsheet: CSV UTF-8).",
        )
    return KINDS[ending]


def missing(path: Path) -> DataError:
    """The message for a file that is not there, with the nearest name in its folder."""
    folder = path.parent
    names = sorted(one.name for one in folder.iterdir() if one.is_file()) if folder.is_dir() else []
    near = nearest(path.name, names)
    readable = [name for name in names if Path(name).suffix.lower() in KINDS]
    if path.is_dir():
        what = f"{path} is a folder."
    elif not folder.is_dir():
        what = f"There is no file {path}: its folder does not exist."
    else:
        what = f"There is no file {path}." + (f" Did you mean {near}?" if near else "")
    return DataError(
        what,
        f"A file that exists; tables in that folder: {listed(readable, 10) or 'none'}.",
        "Correct data.source.path; it is taken relative to the recipe's folder.",
    )


def about(path: Path) -> dict[str, Any]:
    """What ``<file name>.about.json`` says about a file; nothing where there is none.

    Raises:
        DataError: If it is no JSON object or has other keys than the known ones.
    """
    beside = path.with_name(path.name + ".about.json")
    if not beside.is_file():
        return {}
    try:
        found = json.loads(beside.read_text(encoding="utf-8"))
    except ValueError as error:
        found = str(error)
    if not isinstance(found, dict) or any(
        key not in ABOUT or not isinstance(value, ABOUT[key]) for key, value in found.items()
    ):
        raise DataError(
            f"{beside.name} does not describe {path.name}.",
            f"A JSON object with keys among {', '.join(ABOUT)}.",
            "Correct it, or remove it: it may be missing.",
        )
    return found


def read_jsonl(path: Path, wanted: Sequence[str], data: Data | None) -> pa.Table:
    """Read one JSON object a line.

    Raises:
        DataError: If the file is empty, a JSON array, not JSON, or lacks columns.
    """
    head = sample(path)
    if not head.strip():
        raise DataError(f"{path.name} is empty.", "One JSON object a line.", "Choose another file, or export it again.")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        raise DataError(
            f"{path.name} is one JSON array.",
            "One JSON object a line (JSON Lines).",
            'Convert it, for example with pandas: pd.read_json("in.json").to_json("out.jsonl", orient="records", '
            "lines=True).",
        )
    bad = first_undecodable(path, "utf-8")
    if bad is not None:
        raise DataError(
            f"{path.name} is not UTF-8: line {bad[0]:,} has the byte 0x{bad[1]:02X}.",
            "JSON in UTF-8, as its standard (RFC 8259) asks.",
            "Export the table again as UTF-8.",
        )
    try:
        table = parsed_jsonl(path, wanted)
    except pa.ArrowInvalid as error:
        raise DataError(
            f"{path.name} cannot be read as JSON Lines: {str(error).splitlines()[0][:200]}",
            "One JSON object a line, in UTF-8, with the same kind of value in a field of every line.",
            "Correct that line (rows are counted from 0 in a block of the file), or export the table again.",
        ) from error
    if data is not None:
        refuse(column_problems(data, table.column_names, path.name), path.name)
    return table


def parsed_jsonl(path: Path, wanted: Sequence[str]) -> pa.Table:
    """Only the wanted fields as text where all of them are strings; else every field as Arrow infers it."""
    if wanted:
        as_strings = pa.schema([(name, pa.large_string()) for name in wanted])
        try:
            table = arrow_jsonl(path, as_strings)
        except pa.ArrowInvalid:
            return arrow_jsonl(path, None)
        if all(table[name].null_count < max(1, table.num_rows) for name in wanted):
            return table
    return arrow_jsonl(path, None)


def arrow_jsonl(path: Path, schema: pa.Schema | None) -> pa.Table:
    """One pass of Arrow's reader over the file."""
    behaviour = "infer" if schema is None else "ignore"
    with pa.input_stream(path, compression="detect") as stream:
        return arrow_json.read_json(
            stream,
            read_options=arrow_json.ReadOptions(block_size=BLOCK),
            parse_options=arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior=behaviour),
        )


def read_parquet(path: Path, wanted: Sequence[str], data: Data | None) -> pa.Table:
    """Read the wanted columns of a Parquet file.

    Raises:
        DataError: If it is no readable Parquet file or lacks columns.
    """
    try:
        with pq.ParquetFile(path) as file:
            if data is not None:
                refuse(column_problems(data, file.schema_arrow.names, path.name), path.name)
            return with_class_names(file.read(columns=list(wanted) or None))
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0][:200]}",
            "A whole Parquet file.",
            "Copy or export it again; it may have been cut short.",
        ) from error
