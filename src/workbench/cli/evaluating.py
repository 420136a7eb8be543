"""``evaluate``: the checks that ``run`` leaves out, into the same folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli import messages
from workbench.cli.running import watched_run

if TYPE_CHECKING:
    from workbench.pipeline import Run
    from workbench.runs import Listener


def evaluate(
    run: messages.RunName,
    suite: Annotated[Path | None, typer.Option("--suite", help="Behaviour tests, a YAML file.")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="One check; may be given again.")] = None,
    runs: messages.RunsFolder = Path("runs"),
    as_json: messages.AsJson = False,
) -> None:
    """Make every check of a finished run: flips, robustness, attacks, labels, privacy and what the run has already.

    A check that has not changed is not made again.
    """
    messages.quiet_and_offline()
    from workbench import pipeline
    from workbench.pipeline.scoring import read_index
    from workbench.runs import find_run

    path = find_run(run, runs)

    def work(listener: Listener) -> Run:
        return pipeline.evaluate(path, suite=suite, only=only or (), listener=listener)

    done = watched_run(work, path.parent.parent)
    index = read_index(done.path)
    if as_json:
        messages.print_json({"run": done.path, "report": done.report_path, "checks": index})
        return
    for name, entry in sorted(index.items()):
        messages.say(f"{name}: {'made' if entry['made'] else 'not made'}, {entry['seconds']:.1f} s")
        for reason in entry["reasons"]:
            messages.say(f"  - {reason}")
    messages.say(f"Evidence: {done.path / 'evidence'}")
    messages.say(f"Report:   {done.report_path}")
