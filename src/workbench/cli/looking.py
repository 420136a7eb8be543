"""``compare``, ``report`` and ``verify``: read finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import messages

Runs = Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs' folders, or 'latest'.")]


def compare(names: Runs, runs: messages.RunsFolder = Path("runs"), as_json: messages.AsJson = False) -> None:
    """Show the candidates of one or more runs side by side."""
    from workbench.cli.tables import show_comparison, show_recommendation
    from workbench.reporting import comparison_table
    from workbench.runs import RunFolder, find_run
    from workbench.storage import read_json

    paths = [find_run(name, runs) for name in names]
    found = [(path, comparison_table(path)) for path in paths]
    if as_json:
        told = [{"run": path, "status": RunFolder(path).state.status, "comparison": rows} for path, rows in found]
        messages.print_json({"runs": told})
        return
    for path, rows in found:
        show_comparison(rows, f"{path.parent.name}/{path.name}")
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
