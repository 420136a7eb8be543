"""``predict``: a saved candidate of a run put to use, on texts or on a table."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import messages
from workbench.errors import DataError, RunError, WorkbenchError
from workbench.storage.cells import harmless

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.pipeline import Chosen, Run

BATCH = 10_000
MOST_SHOWN = 3
"""Classes of a set that are shown in the terminal."""
ADDED = ("predicted_label", "predicted_probability")
DECIDED = ("predicted_set", "send_to_person", "why")


def predict(
    run: messages.RunName,
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT...", help="Texts to sort.")] = None,
    candidate: Annotated[
        str | None, typer.Option("--candidate", help="A candidate of the run; the recommended one when left out.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A CSV, TSV, JSONL or Parquet file of texts.")] = None,
    column: Annotated[
        str | None, typer.Option("--text", help="Its column with the text; the recipe's when left out.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the CSV here instead of printing it.")] = None,
    runs: messages.RunsFolder = Path("runs"),
    as_json: messages.AsJson = False,
) -> None:
    """Sort texts, or the rows of a table, with a model of a run, and say which of them a person should look at."""
    _check_request(texts, file, column, out)
    from workbench import pipeline
    from workbench.runs import find_run

    opened = pipeline.Run(find_run(run, runs))
    chosen = _recommended(opened) if candidate is None else opened.candidate(candidate)
    if file is None:
        _show(chosen, texts or [], as_json)
        return
    table = _read(file)
    name = _text_column(table, column, opened.recipe.data.text, file.name)
    if out is not None:
        from workbench.storage import write_chunks

        write_chunks(out, (piece.encode() for piece in _csv(chosen, table, name)))
        told = {"candidate": chosen.name, "rows": table.num_rows, "out": out}
        if as_json:
            messages.print_json(told)
        else:
            messages.tell(f"Wrote {table.num_rows:,} rows to {out}, sorted by {chosen.name}.")
    elif as_json:
        messages.print_json({"candidate": chosen.name, "predictions": list(_records(chosen, table, name))})
    else:
        for piece in _csv(chosen, table, name):
            sys.stdout.write(piece.replace("\r\n", "\n"))


def _check_request(texts: list[str] | None, file: Path | None, column: str | None, out: Path | None) -> None:
    if bool(texts) == (file is not None):
        raise WorkbenchError(
            "predict needs texts or --file, and not both.",
            'workbench predict RUN "a text" "another", or workbench predict RUN --file my.csv --out sorted.csv',
            "Give one of the two.",
        )
    if file is None and (column is not None or out is not None):
        raise WorkbenchError(
            f"{'--text' if column is not None else '--out'} goes with --file.",
            "workbench predict RUN --file my.csv --text COL --out sorted.csv",
            "Give --file, or leave it out.",
        )
    if file is not None and out is not None and out.exists() and out.samefile(file):
        raise WorkbenchError(f"--out {out} is the table itself.", "Another file.", "Choose another name for --out.")


def _recommended(opened: Run) -> Chosen:
    recommendation = opened.recommendation
    if recommendation["candidate"] is None:
        raise RunError(
            "This run recommends no candidate.",
            str(recommendation.get("sentence", "")) or "A run that recommends one.",
            f"Name one: --candidate {' | '.join(opened.candidates)}",
        )
    return opened.recommended


def _show(chosen: Chosen, texts: Sequence[str], as_json: bool) -> None:
    told = [{"text": text, **record} for text, record in zip(texts, _told(chosen.predict(texts)), strict=True)]
    if as_json:
        messages.print_json({"candidate": chosen.name, "predictions": told})
        return
    columns = ("text", "label", "probability", *(("for a person",) if chosen.judge is not None else ()))
    shown = [(one["text"], one["label"], f"{one['probability']:.2f}", _for_a_person(one)) for one in told]
    messages.table("", columns, [row[: len(columns)] for row in shown], right=("probability",))
    messages.say(f"By {chosen.name}.", style="dim")


def _told(frame: Any) -> Iterator[dict[str, Any]]:
    """The predictions of a frame, one object a row; decisions only where the run has them."""
    names = ["label", "probability", *(name for name in ("set", "to_person", "why") if name in frame.columns)]
    for values in zip(*(frame[name].tolist() for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


def _for_a_person(one: dict[str, Any]) -> str:
    """Why a person should look, with the classes that cannot be ruled out where they are few."""
    if not one.get("to_person"):
        return ""
    within = one.get("set") or []
    return f"{one['why']}; one of {', '.join(within)}" if 1 < len(within) <= MOST_SHOWN else str(one["why"])


def _read(file: Path) -> pa.Table:
    from workbench.data.sources import peek

    return peek(file)


def _text_column(table: pa.Table, given: str | None, of_recipe: str, about: str) -> str:
    from workbench.data.problems import listed, nearest

    wanted = given if given is not None else of_recipe
    if wanted in table.column_names:
        return wanted
    near = nearest(wanted, table.column_names)
    raise DataError(
        f"{about} has no column {wanted!r}." + (f" Did you mean {near!r}?" if near else ""),
        f"One of its columns: {listed(repr(name) for name in table.column_names)}.",
        "Name it: --text COL",
    )


def _batches(chosen: Chosen, table: pa.Table, column: str) -> Iterator[tuple[pa.Table, Any]]:
    from workbench.data.columns import text_column

    for start in range(0, table.num_rows, BATCH):
        part = table.slice(start, BATCH)
        texts = [text or "" for text in text_column(part[column]).to_pylist()]
        yield part, chosen.predict(texts)


def _records(chosen: Chosen, table: pa.Table, column: str) -> Iterator[dict[str, Any]]:
    row = 0
    for _, frame in _batches(chosen, table, column):
        for record in _told(frame):
            yield {"row": row, **record}
            row += 1


def _csv(chosen: Chosen, table: pa.Table, column: str) -> Iterator[str]:
    """The table as CSV with prediction and decision in further columns, some thousand rows at a time."""
    added = ADDED if chosen.judge is None else (*ADDED, *DECIDED)
    kept = [name for name in table.column_names if name not in added]
    yield csv_lines([[*kept, *added]])
    for part, frame in _batches(chosen, table, column):
        columns = [part[name].to_pylist() for name in kept]
        values = (f"{value:.4f}" for value in frame["probability"])
        yield csv_lines(zip(*columns, frame["label"], values, *_decided(frame), strict=True))


def _decided(frame: Any) -> list[list[str]]:
    """Set, whether a person should look, and why, as cells; nothing where the run has no decisions."""
    if "to_person" not in frame.columns:
        return []
    sets = [" | ".join(one or []) for one in frame["set"]]
    return [sets, ["yes" if one else "no" for one in frame["to_person"]], frame["why"].tolist()]


def csv_lines(rows: Any) -> str:
    """Rows as CSV in which no cell is taken for a formula by a spreadsheet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue()
