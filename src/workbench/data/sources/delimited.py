"""CSV and TSV files, read by Arrow: quoted newlines, a BOM and a million rows are ordinary.

The delimiter is found by itself when the recipe does not say it; an encoding other than UTF-8 has to be said.
Rows with too many or too few fields are refused, not skipped.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from workbench.data.columns import column_problems
from workbench.data.problems import Problem, count, refuse, rows_listed
from workbench.data.sources.detecting import (
    detected_delimiter,
    first_undecodable,
    marked_encoding,
    records,
    sample,
    suggested_encoding,
)
from workbench.errors import DataError
from workbench.recipe import Data, Source

BLOCK = 1 << 24
MOST_WRONG_ROWS = 1000


def read(path: Path, source: Source, wanted: Sequence[str], data: Data | None) -> tuple[pa.Table, list[str]]:
    """Read the wanted columns (all of them when none is named), and say what was found out by itself.

    Raises:
        DataError: If the file is empty, not in the encoding, lacks columns, or has rows of another length.
    """
    encoding = source.encoding or "utf-8"
    text = decoded(path, sample(path), encoding, asked=source.encoding is not None)
    preferred = "\t" if {".tsv", ".tab"} & {ending.lower() for ending in path.suffixes} else ","
    delimiter = source.delimiter or detected_delimiter(text, wanted, preferred)
    header = (records(text, delimiter, most=1) or [[]])[0]
    if data is None and len(set(header)) < len(header):
        raise DataError(
            f"{path.name} has two columns of the same name in its header: {', '.join(header)}.",
            "Column names that differ.",
            "Rename one of them in the header.",
        )
    if data is not None:
        refuse(header_problems(path, data, header, text, delimiter), path.name)
    found = detected_delimiter(text, wanted, preferred)
    notes = [] if source.delimiter or found == preferred else [f"Delimiter {found!r} found by itself."]
    return parsed(path, encoding, delimiter, list(wanted) or header), notes


def decoded(path: Path, head: bytes, encoding: str, *, asked: bool) -> str:
    """The beginning of the file as text.

    Raises:
        DataError: If it is empty, or not in the encoding.
    """
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"):
        raise DataError(
            f"{path.name} is empty.",
            "A table with a header and some labelled rows of each class.",
            "Choose another file, or export this one again.",
        )
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise DataError(
            f"There is no encoding called {encoding!r} (data.source.encoding).",
            "For example utf-8, cp1252, latin-1 or utf-16.",
            "Correct data.source.encoding, or leave it out for UTF-8.",
        ) from None
    marked = marked_encoding(head)
    if marked and not asked:
        raise wrong_encoding(path, encoding, marked, "its first bytes say so")
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = head[: error.start].count(b"\n") + 1
        suggestion = marked or suggested_encoding(head)
        raise wrong_encoding(
            path, encoding, suggestion, f"line {line} has the byte 0x{head[error.start]:02X}"
        ) from error


def wrong_encoding(path: Path, encoding: str, suggestion: str, why: str) -> DataError:
    """The message for bytes that are not in the encoding."""
    return DataError(
        f"{path.name} is not {encoding.upper()}: {why}.",
        f"It looks like {suggestion}, but only you can see whether the accents then come out right.",
        f"Write encoding: {suggestion} in data.source and look at the result, or save the file as UTF-8.",
    )


def header_problems(path: Path, data: Data, header: list[str], text: str, delimiter: str) -> list[Problem]:
    """Missing columns, with the delimiter as the reason where another one would have them."""
    problems = column_problems(data, header, path.name)
    better = detected_delimiter(text, [data.text, data.label], delimiter)
    fits = records(text, better, most=1)
    if problems and better != delimiter and fits and not column_problems(data, fits[0], path.name):
        return [
            Problem(
                f"With the delimiter {delimiter!r} {path.name} has {len(header)} columns and not those of the recipe.",
                f"The delimiter {better!r}, which gives all of them.",
                f"Write delimiter: {better!r} in data.source, or leave it out: it is then found by itself.",
            )
        ]
    return problems


def parsed(path: Path, encoding: str, delimiter: str, wanted: list[str]) -> pa.Table:
    """The wanted columns as ``large_string``.

    Raises:
        DataError: If rows are ragged, a cell is longer than a block, or bytes are not in the encoding.
    """
    wrong: list[tuple[int | None, int, int]] = []

    def note(row: arrow_csv.InvalidRow) -> str:
        wrong.append((row.number, row.expected_columns, row.actual_columns))
        return "error" if len(wrong) >= MOST_WRONG_ROWS else "skip"

    try:
        table = arrow_table(path, encoding, delimiter, wanted, note, threads=True)
        if wrong:
            wrong.clear()
            arrow_table(path, encoding, delimiter, wanted, note, threads=False)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        if not wrong:
            raise unreadable(path, encoding, error) from error
    if wrong:
        raise ragged(path, wrong)
    return table


def arrow_table(
    path: Path, encoding: str, delimiter: str, wanted: list[str], note: object, *, threads: bool
) -> pa.Table:
    """One pass of Arrow's reader over the file; every value stays text, an empty cell is null."""
    with pa.input_stream(path, compression="detect") as stream:
        return arrow_csv.read_csv(
            stream,
            read_options=arrow_csv.ReadOptions(block_size=BLOCK, encoding=encoding, use_threads=threads),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.large_string()),
                include_columns=wanted,
                null_values=[""],
                strings_can_be_null=True,
            ),
        )


def ragged(path: Path, wrong: list[tuple[int | None, int, int]]) -> DataError:
    """The message for rows with another number of fields than the header."""
    _, expected, actual = wrong[0]
    rows = rows_listed(max(0, row - 2) for row, _, _ in wrong if row is not None)
    found = f"{len(wrong):,} or more rows" if len(wrong) >= MOST_WRONG_ROWS else count(len(wrong), "row")
    return DataError(
        f"{path.name} has {found} whose number of fields is not the header's ({rows}; the first has "
        f"{count(actual, 'field')}, the header {expected}).",
        "The same number of fields in every row; a field with the delimiter or a line break in it stands in quotes.",
        "Export the table again with quotes, or look for a quotation mark that is never closed.",
    )


def unreadable(path: Path, encoding: str, error: Exception) -> DataError:
    """The message for what Arrow refused."""
    bad = first_undecodable(path, encoding)
    if bad is not None:
        line, byte, around = bad
        return wrong_encoding(path, encoding, suggested_encoding(around), f"line {line:,} has the byte 0x{byte:02X}")
    if "straddling" in str(error):
        return DataError(
            f"{path.name} has a row longer than {BLOCK >> 20} MB.",
            "Cells of at most 1 MB.",
            "Look for a quotation mark that is never closed; cut or remove such rows.",
        )
    return DataError(
        f"{path.name} cannot be read as a table: {str(error).splitlines()[0][:200]}",
        "A CSV or TSV file with a header.",
        "Open it in an editor at that place, or export it again.",
    )
