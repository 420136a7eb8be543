"""Every command of ``workbench`` on one screen, and what happens to an error.

Exit status: 0 done; 1 a check said no; 2 the request was wrong; 130 interrupted, with what was done kept.
Commands import what they need when they are called, so that ``workbench --help`` answers at once.
"""

from __future__ import annotations

import sys

import typer

from workbench import __version__
from workbench.cli import (
    carbon,
    doctor,
    doubts,
    evaluating,
    lab,
    looking,
    messages,
    predicting,
    recipes,
    running,
    scanning,
    starting,
)
from workbench.errors import Stopped, WorkbenchError

app = typer.Typer(
    name="workbench",
    help="Compact text classifiers from few labels and a pool of unlabelled text, with the evidence beside them.",
    epilog="RECIPE is a shipped name or a YAML file; RUN is a run's folder or 'latest'. "
    "Exit status: 0 done, 1 a check said no, 2 the request was wrong, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

BEGIN, WORK, LOOK, HELP = "Begin", "Make", "Look and use", "Help"
app.command("recipes", rich_help_panel=BEGIN)(recipes.recipes)
app.command("new", rich_help_panel=BEGIN)(starting.new)
app.command("check", rich_help_panel=BEGIN)(recipes.check)
app.command("run", rich_help_panel=WORK)(running.run)
app.command("resume", rich_help_panel=WORK)(running.resume)
app.command("stop", rich_help_panel=WORK)(running.stop)
app.command("evaluate", rich_help_panel=WORK)(evaluating.evaluate)
app.command("compare", rich_help_panel=LOOK)(looking.compare)
app.command("predict", rich_help_panel=LOOK)(predicting.predict)
app.command("report", rich_help_panel=LOOK)(looking.report)
app.command("verify", rich_help_panel=LOOK)(looking.verify)
app.command("carbon", rich_help_panel=LOOK)(carbon.carbon)
app.command("lab", rich_help_panel=HELP)(lab.lab)
app.command("app", rich_help_panel=HELP)(lab.guide_app)
app.command("doctor", rich_help_panel=HELP)(doctor.doctor)

data = typer.Typer(help="Look at data before anything is trained on it.", no_args_is_help=True)
data.command("scan")(scanning.scan)
data.command("doubts")(doubts.doubts)
app.add_typer(data, name="data", rich_help_panel=BEGIN)


def _version(wanted: bool) -> None:
    if wanted:
        messages.say(__version__)
        raise typer.Exit


@app.callback()
def workbench(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_version, is_eager=True),
) -> None:
    """Compact text classifiers from few labels and a pool of unlabelled text, with the evidence beside them."""


def main() -> None:
    """Run a command; tell errors in their three parts, without a traceback."""
    messages.prepare_streams()
    messages.quiet_and_offline()
    try:
        app(prog_name="workbench")
    except Stopped as stopped:
        messages.tell_stopped(stopped)
        sys.exit(130)
    except WorkbenchError as error:
        messages.tell_error(error, as_json="--json" in sys.argv)
        sys.exit(2)
    except KeyboardInterrupt:
        messages.tell("Interrupted.")
        sys.exit(130)
