"""``compare``, ``report`` and ``verify``: read finished runs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import messages

Runs = Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs' folders, or 'latest'.")]


class TableFormat(StrEnum):
    """Formats of a table for a paper."""

    latex = "latex"
    csv = "csv"
    markdown = "markdown"


Format = Annotated[TableFormat | None, typer.Option("--format", help="Print the table for a paper, and nothing else.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Write tables (LaTeX, CSV, Markdown) and figures (SVG, PNG) into this folder."),
]


def compare(
    names: Runs,
    runs: messages.RunsFolder = Path("runs"),
    format: Format = None,
    out: Out = None,
    as_json: messages.AsJson = False,
) -> None:
    """Show the candidates of one or more runs side by side, and which of them trade quality for time and size."""
    from workbench.cli.tables import show_tradeoffs
    from workbench.reporting import comparison_table
    from workbench.reporting.comparable import groups_of, points_of, why_apart
    from workbench.reporting.paper import paper_table, write_comparison
    from workbench.reporting.tradeoffs import as_rows
    from workbench.runs import RunFolder, find_run

    paths = list(dict.fromkeys(find_run(name, runs) for name in names))
    written = write_comparison(paths, out) if out else []
    table = paper_table(paths, format.value) if format else None
    points = points_of(paths) if as_json or not table else []
    groups, apart = groups_of(points), why_apart(points)
    if as_json:
        told = [
            {"run": path, "status": RunFolder(path).state.status, "comparison": comparison_table(path)}
            for path in paths
        ]
        more = {"groups": as_rows(groups), "apart": apart, "written": written}
        messages.print_json({"runs": told} | more | ({"table": table} if table else {}))
    elif table:
        typer.echo(table, nl=False)
    else:
        _show_runs(paths)
        show_tradeoffs(groups, apart)
    for path in written if not as_json else []:
        (messages.tell if table else messages.say)(f"Written: {path}")


def _show_runs(paths: Sequence[Path]) -> None:
    """Each run's table and recommendation."""
    from workbench.cli.tables import show_comparison, show_recommendation
    from workbench.reporting import comparison_table
    from workbench.storage import read_json

    for path in paths:
        show_comparison(comparison_table(path), f"{path.parent.name}/{path.name}")
        if (path / "recommendation.json").is_file():
            show_recommendation(read_json(path / "recommendation.json"))
        messages.say()


def report(run: messages.RunName, runs: messages.RunsFolder = Path("runs"), as_json: messages.AsJson = False) -> None:
    """Make a run's report and model card again from its files; needs no torch.

    The manifest is renewed where the folder was as the run left it; where it was not, the manifest stays, so
    that ``verify`` goes on saying so.
    """
    from workbench import reporting
    from workbench.runs import check_manifest, find_run, write_manifest

    path = find_run(run, runs)
    differing = check_manifest(path)
    reporting.report(path)
    if not differing:
        write_manifest(path)
    if as_json:
        messages.print_json({"report": path / "report.html", "card": path / "README.md", "differing": differing})
        return
    messages.say(f"Report:      {path / 'report.html'}")
    messages.say(f"Model card:  {path / 'README.md'}")
    for sentence in differing:
        messages.say(f"- {sentence}")


def verify(
    run: messages.RunName,
    full: Annotated[bool, typer.Option("--full", help="Also load every model and predict again.")] = False,
    runs: messages.RunsFolder = Path("runs"),
    as_json: messages.AsJson = False,
) -> None:
    """Check that a run is unchanged and that its numbers follow from its predictions. Exit status 1 if not."""
    from workbench import pipeline

    verified = pipeline.verify(run, full=full, runs=runs)
    if as_json:
        findings = [{"ok": one.ok, "what": one.what, "details": one.details} for one in verified.findings]
        messages.print_json({"run": verified.path, "ok": verified.ok, "findings": findings})
    else:
        for finding in verified.findings:
            messages.say(
                f"{'holds' if finding.ok else 'FAILS'}  {finding.what}", style="" if finding.ok else "bold red"
            )
            for detail in finding.details:
                messages.say(f"       {detail}")
        messages.say(
            f"{verified.path}: everything holds." if verified.ok else f"{verified.path}: not everything holds.",
            style="bold",
        )
    if not verified.ok:
        raise typer.Exit(1)
