"""``data scan``: personal data in a table, a recipe's data or a run's, and a copy without them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import messages
from workbench.errors import DataError, WorkbenchError

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.data.personal import Scanner

MOST_EXAMPLES = 3
BATCH = 10_000
WHOLE = "table"
"""What stands for a split where a table has none."""


@dataclass(frozen=True)
class Searched:
    """What a scan gave.

    Attributes:
        about: What was looked through.
        rows: Rows by column and split.
        found: Findings: row, column, split, type, start, length.
        examples: Masked examples by type.
        left: Columns that were not looked through.
    """

    about: str
    rows: Mapping[str, Mapping[str, int]]
    found: pa.Table
    examples: Mapping[str, Sequence[str]]
    left: Sequence[str] = ()


def scan(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="A CSV, TSV, JSONL or Parquet file, a recipe, or a run.")
    ],
    text: Annotated[
        list[str] | None,
        typer.Option("--text", metavar="COL", help="A column to look through; all of text without it."),
    ] = None,
    redact: Annotated[
        Path | None, typer.Option("--redact", metavar="OUT", help="Write a redacted copy here (.csv or .parquet).")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", metavar="FILE", help="Key of the surrogates, 16 bytes or more; a new one is thrown away."
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", metavar="CC", help="Also telephone numbers as written in this country (NL, PL …)."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit status 1 if anything was found.")] = False,
    runs: messages.RunsFolder = Path("runs"),
    as_json: messages.AsJson = False,
) -> None:
    """Look for personal data by type; show counts and masked examples, never a value. Needs no network."""
    by = make_scanner(region or [])
    file = Path(table)
    if file.suffix.lower() in (".yaml", ".yml") or not file.is_file():
        refuse_options(table, text, redact)
        searched = search_splits(table, runs, by)
    else:
        check_out(file, redact)
        searched = search_file(file, text or [], by, redact, None if key is None else read_key(key))
    if as_json:
        messages.print_json(plain(searched, by, redact))
    else:
        show(searched, by, redact)
    if strict and searched.found.num_rows:
        raise typer.Exit(1)


def make_scanner(regions: Sequence[str]) -> Scanner:
    """What is looked for, with the countries of a request."""
    from workbench.data import personal

    try:
        return personal.scanner(regions=regions)
    except ValueError as error:
        raise WorkbenchError(
            f"--region: {error}.", "Two capital letters of a country, for example NL.", "Correct it, or leave it out."
        ) from error


def search_file(file: Path, wanted: Sequence[str], by: Scanner, redact: Path | None, key: bytes | None) -> Searched:
    """Look through the columns of a file, and write the copy."""
    import pyarrow as pa

    from workbench.data import personal
    from workbench.data.personal.columns import EVIDENCE, evidence
    from workbench.data.sources import peek

    whole = peek(file)
    columns, left = personal.text_columns(whole, wanted, file.name)
    parts = [EVIDENCE.empty_table()]
    examples: dict[str, list[str]] = {}
    secret = key or personal.new_key()
    for name, values in columns.items():
        found = personal.scan_texts(values, by, heading=name)
        parts.append(evidence(found, name, WHOLE))
        for kind, shown in personal.examples(values, found, MOST_EXAMPLES).items():
            examples[kind] = list(dict.fromkeys([*examples.get(kind, ()), *shown]))[:MOST_EXAMPLES]
        if redact is not None:
            at = whole.column_names.index(name)
            whole = whole.set_column(at, name, personal.redact(values, found, secret))
    if redact is not None:
        write_copy(redact, whole)
    rows = {name: {WHOLE: whole.num_rows} for name in columns}
    return Searched(file.name, rows, pa.concat_tables(parts), examples, left)


def search_splits(name: str, runs: Path, by: Scanner) -> Searched:
    """Look through the splits of a recipe's data, or of a run's."""
    import pyarrow.compute as pc

    from workbench import recipe as recipes
    from workbench.data import personal, prepare, sources
    from workbench.pipeline.opening import reopen_job

    if name == "latest" or (Path(name) / "run.json").is_file():
        job = reopen_job(name, runs=runs, download=False)
        recipe, source = job.recipe, job.source
    else:
        located = recipes.read(Path(name) if Path(name).is_file() else name)
        recipe = located.recipe
        source = sources.read(recipe.data.source, data=recipe.data, base=located.base)
    splits = prepare(recipe.data, source, 0).splits
    data = recipe.data
    found = personal.scan_splits(splits, by, text=data.text, group=data.group)
    rows = personal.looked_at(splits, text=data.text, group=data.group)
    examples: dict[str, list[str]] = {}
    for column in rows:
        here = found.filter(pc.equal(found["column"], column))
        for kind, shown in personal.examples(source.table[column], here, MOST_EXAMPLES).items():
            examples[kind] = list(dict.fromkeys([*examples.get(kind, ()), *shown]))[:MOST_EXAMPLES]
    left = [one for one in source.table.column_names if one not in rows]
    return Searched(f"{recipe.name}, its splits of seed 0", rows, found, examples, left)


def refuse_options(name: str, text: Sequence[str] | None, redact: Path | None) -> None:
    """Say what goes with a table alone, and that a missing file is one."""
    if Path(name).suffix.lower() in (".csv", ".tsv", ".jsonl", ".parquet", ".pq", ".txt", ".ndjson"):
        from workbench.data.sources import peek

        peek(Path(name))  # raises: there is no such file
    if text or redact is not None:
        raise WorkbenchError(
            f"{'--text' if text else '--redact'} goes with a table, and '{name}' is no file.",
            "workbench data scan my.csv --text notes --redact redacted.csv",
            "Name the table's file, or leave the option out.",
        )


def check_out(file: Path, out: Path | None) -> None:
    """Refuse to overwrite anything, and kinds of file that are not written."""
    if out is None:
        return
    if out.exists():
        raise WorkbenchError(
            f"--redact {out} exists already.", "A new file: nothing is overwritten.", "Choose another name."
        )
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise WorkbenchError(
            f"--redact {out} ends in {out.suffix or 'nothing'}.",
            "A name ending in .csv or .parquet.",
            f"For example {file.stem}-redacted.csv",
        )


def read_key(file: Path) -> bytes:
    """The key of the surrogates.

    Raises:
        DataError: If it cannot be read or is too short.
    """
    from workbench.data.personal.redacting import KEY_BYTES

    content = file.read_bytes() if file.is_file() else b""
    if len(content) < KEY_BYTES:
        raise DataError(
            f"The key file {file} " + (f"has {len(content)} bytes." if file.is_file() else "does not exist."),
            f"A file of at least {KEY_BYTES} bytes that nobody can guess.",
            'Make one, for example with: python -c "import secrets; print(secrets.token_hex(32))" > FILE',
        )
    return content


def write_copy(out: Path, table: pa.Table) -> None:
    """Write the redacted table as CSV or Parquet, whole or not at all."""
    from workbench import storage
    from workbench.cli.predicting import csv_lines

    def lines() -> Iterator[bytes]:
        yield csv_lines([table.column_names]).encode()
        for start in range(0, table.num_rows, BATCH):
            part = table.slice(start, BATCH)
            yield csv_lines(zip(*(column.to_pylist() for column in part.columns), strict=True)).encode()

    if out.suffix.lower() == ".parquet":
        storage.write_parquet(out, table)
    else:
        storage.write_chunks(out, lines())


def plain(searched: Searched, by: Scanner, redact: Path | None) -> dict[str, Any]:
    """The result as plain values."""
    from workbench.data.personal import NOT_SEEN, counts_of

    return {
        "table": searched.about,
        "rows": searched.rows,
        "looked_for": [kind.name for kind in by.kinds],
        "found": counts_of(searched.found),
        "examples": searched.examples,
        "redacted": redact,
        "columns_not_searched": searched.left,
        "sources": by.sources,
        "not_seen": [*NOT_SEEN, *by.missing],
    }


def show(searched: Searched, by: Scanner, redact: Path | None) -> None:
    """Counts, masked examples, and what the scan cannot see."""
    from workbench.data.personal import NOT_SEEN, counts_of
    from workbench.data.personal.kinds import BY_NAME

    cells = sum(sum(splits.values()) for splits in searched.rows.values())
    columns = ", ".join(searched.rows)
    lines = counts_of(searched.found)
    if lines:
        shown = [
            (
                *(one["column"], one["split"], BY_NAME[one["type"]].called, f"{one['findings']:,}", f"{one['rows']:,}"),
                ", ".join(searched.examples.get(one["type"], ())),
            )
            for one in lines
        ]
        headings = ("column", "split", "looks like", "findings", "rows", "examples, masked")
        messages.table(f"{searched.about}: {cells:,} cells searched", headings, shown, right=("findings", "rows"))
        messages.say("A finding is a form, not a proof: look at the rows before you act.", style="bold")
    else:
        messages.say(
            f"{searched.about}: none of the {len(by.kinds)} types of personal data that were looked for was found in "
            f"{cells:,} cells ({columns}).",
            style="bold",
        )
    if redact is not None:
        messages.say(f"Redacted copy: {redact}. It is pseudonymised, not anonymous: what was not seen stands in it.")
    messages.say()
    if searched.left:
        messages.say(f"Columns not searched: {', '.join(searched.left)}.")
    messages.say("What this scan cannot see:")
    for sentence in (*NOT_SEEN, *by.missing):
        messages.say(f"- {sentence}")
