"""``data doubts``: the labels that a person should look at, of a run or of a table, as a worksheet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import messages
from workbench.errors import DataError, RunError, WorkbenchError

if TYPE_CHECKING:
    from workbench.data import SourceTable
    from workbench.metrics.doubts import Doubt
    from workbench.recipe import Data

SHOWN = 10
EVIDENCE = ("labels", "labels-tests", "labels-conflicts")


@dataclass(frozen=True)
class Found:
    """Labels in doubt, and the table that they are about."""

    doubts: list[Doubt]
    source: SourceTable
    data: Data
    about: str
    scores: list[dict[str, Any]]
    reasons: tuple[str, ...]


def doubts(
    subject: Annotated[str, typer.Argument(metavar="RUN|TABLE", help="A run's folder, 'latest', or a table's file.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write the worksheet (CSV) here.")] = None,
    texts: Annotated[bool, typer.Option("--texts", help="Write the texts into the worksheet as well.")] = False,
    most: Annotated[int | None, typer.Option("--most", min=1, help="At most so many labels.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="Of a table: the column with the text.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Of a table: the column with the class.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Of a table: rows that belong together.")] = None,
    runs: messages.RunsFolder = Path("runs"),
    as_json: messages.AsJson = False,
) -> None:
    """List the labels that are in doubt, to be worked through by a person; nothing is corrected.

    Filled in (new_label, who, why, when), the worksheet is a file of corrections for data.corrections of a recipe.
    """
    is_table = Path(subject).is_file()
    given = [name for name, value in (("--text", text), ("--label", label), ("--group", group)) if value is not None]
    if given and not is_table:
        raise WorkbenchError(
            f"{given[0]} goes with a table, and {subject} is no file.",
            "workbench data doubts notes.csv --text COL --label COL --out doubts.csv",
            "Name a table's file, or leave it out: a run knows its columns.",
        )
    if is_table and out is not None and out.exists() and out.samefile(subject):
        raise WorkbenchError(f"--out {out} is the table itself.", "Another file.", "Choose another name for --out.")
    found = _of_table(Path(subject), text, label, group) if is_table else _of_run(subject, runs)
    kept = found.doubts[:most]
    if out is not None:
        from workbench.data.worksheet import worksheet
        from workbench.storage import write_text

        write_text(out, worksheet(kept, found.source, found.data, texts=texts))
    if as_json:
        _print_json(found, kept, out)
    else:
        _show(found, kept, out)


def _of_run(name: str, runs: Path) -> Found:
    """What a run found."""
    import pyarrow.parquet as pq

    from workbench.data.roles import roles
    from workbench.metrics.doubts import doubts as listed
    from workbench.pipeline.opening import reopen_job
    from workbench.runs import find_run
    from workbench.storage import read_json

    path = find_run(name, runs)
    files = {one: path / "evidence" / f"{one}.parquet" for one in EVIDENCE}
    tables = {one: pq.read_table(file) for one, file in files.items() if file.is_file()}
    if not tables:
        raise RunError(
            f"The labels of the run {path.name} were not checked.",
            "A run with evidence/labels.parquet.",
            f"Run: workbench evaluate {path}",
        )
    job = reopen_job(path, runs=runs, download=False)
    classes = roles(job.source.table, job.recipe.data).classes
    file = path / "metrics.json"
    scores = [row for row in read_json(file) if row["candidate"] == "data"] if file.is_file() else []
    return Found(listed(tables, classes), job.source, job.recipe.data, path.name, scores, ())


def _of_table(path: Path, text: str | None, label: str | None, group: str | None) -> Found:
    """What the linear model, asked out of fold, and near-duplicates say of a table without a run."""
    from workbench.data import sources
    from workbench.evaluation.labels import doubts_of_table
    from workbench.recipe import Data

    columns = _columns(path, text, label)
    values = {"source": {"path": path.name}, "group": group, **columns}
    data = Data.model_validate({name: value for name, value in values.items() if value is not None})
    source = sources.read(data.source, data=data, base=path.parent)
    found = doubts_of_table(source, data)
    return Found(found.doubts, source, data, path.name, found.scores, found.reasons)


def _columns(path: Path, text: str | None, label: str | None) -> dict[str, str]:
    """The columns of a table: as given, else as they look."""
    from workbench.data import columns_guess
    from workbench.data.problems import listed
    from workbench.data.sources import peek

    table = peek(path)
    guessed = columns_guess(table)
    found = {"text": text or guessed[0], "label": label or guessed[1]}
    missing = [f"--{name} COL" for name, value in found.items() if value is None]
    if missing:
        raise DataError(
            f"Which columns of {path.name} hold text and label cannot be seen.",
            f"Two of its columns: {listed(map(repr, table.column_names))}.",
            f"Name them: {' '.join(missing)}",
        )
    return {name: value for name, value in found.items() if value is not None}


def _print_json(found: Found, kept: list[Doubt], out: Path | None) -> None:
    """The result as one JSON object; no texts."""
    scores = [row for row in found.scores if row["metric"].startswith(("labels_", "planted_"))]
    told = {"about": found.about, "doubts": len(found.doubts), "listed": [vars(one) for one in kept]}
    messages.print_json({**told, "scores": scores, "reasons": found.reasons, "out": out})


def _show(found: Found, kept: list[Doubt], out: Path | None) -> None:
    """The first labels in doubt, how many there are, and what to do with them."""
    rows = [
        (place, one.row, one.split, one.given, one.suggested, one.reason) for place, one in enumerate(kept[:SHOWN], 1)
    ]
    columns = ("place", "row", "split", "given label", "suggested", "reason")
    messages.table(f"Labels in doubt: {found.about}", columns, rows, right=("place", "row"))
    for row in found.scores:
        if row["metric"] == "labels_doubted_faultless" and row["slice"] == "all" and row["value"] is not None:
            low, high = (round(row[end] * row["n"]) for end in ("low", "high"))
            messages.say(
                f"{row['split']}: of {row['n']:,} labels that were all right {low} to {high} would be in doubt."
            )
    for reason in found.reasons:
        messages.say(f"- {reason}")
    said = f"{len(found.doubts):,} labels are in doubt, {len(kept):,} of them listed; a person has to look."
    messages.say(said if out is None else f"{said} Worksheet: {out}")
    if out is not None:
        messages.tell("Fill in new_label, who, why and when, and name the file in the recipe: data.corrections")
