"""``lab`` and ``app``: JupyterLab on the shipped notebooks, and the Guide without cells; on this machine only."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import messages
from workbench.errors import MissingExtraError

SETTINGS = Path(__file__).resolve().parent / "jupyter"
APP_NOTEBOOK = SETTINGS / "app.ipynb"


def lab(
    folder: Annotated[Path, typer.Option("--folder", help="Where the notebooks are, or go.")] = Path("notebooks"),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    as_json: messages.AsJson = False,
) -> None:
    """Open the shipped notebooks in JupyterLab; it listens on 127.0.0.1 only.

    Notebooks that are not in the folder yet are copied there; yours are never replaced. With --json, say what would be
    started, and start nothing.
    """
    if util.find_spec("jupyterlab") is None:
        raise MissingExtraError("lab", "JupyterLab")
    copied = copy_notebooks(folder)
    command = lab_command(folder, browser)
    if as_json:
        messages.print_json({"folder": folder, "copied": copied, "command": command})
        return
    for name in copied:
        messages.tell(f"Copied {folder / name}")
    raise typer.Exit(_serve(command))


def guide_app(
    port: Annotated[
        int, typer.Option("--port", min=1024, max=65535, help="Where it listens, or the next free one.")
    ] = 8866,
    dark: Annotated[bool, typer.Option("--dark/--light", help="Light letters on a dark page.")] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    as_json: messages.AsJson = False,
) -> None:
    """Open the Guide as an app of its own, without cells; it listens on 127.0.0.1 only.

    It works in the current folder: its runs are in runs/. Who opens it needs the token in its address. With --json, say
    what would be started, and start nothing.
    """
    if util.find_spec("voila") is None:
        raise MissingExtraError("app", "Voilà, which shows the Guide as an app")
    command = app_command(port, dark, browser)
    if as_json:
        messages.print_json({"folder": Path.cwd(), "notebook": APP_NOTEBOOK, "command": command})
        return
    raise typer.Exit(_serve(command))


def copy_notebooks(folder: Path) -> list[str]:
    """Copy the shipped notebooks that are not in a folder yet; their names."""
    from workbench.recipe import shipped_folder
    from workbench.storage import make_folder, write_bytes

    make_folder(folder)
    copied = []
    for notebook in sorted(shipped_folder("notebooks").glob("*.ipynb")):
        target = folder / notebook.name
        if not target.exists():
            write_bytes(target, notebook.read_bytes())
            copied.append(notebook.name)
    return copied


def lab_command(folder: Path, browser: bool) -> list[str]:
    """The command that starts JupyterLab for a folder's notebooks, with the folder above as its root.

    The root is the folder above, so that ``runs/`` beside the notebooks can be opened too. The extension manager,
    which would ask a registry, is off. In a container one is often root, which JupyterLab has to be told.
    """
    place = folder.resolve()
    tour = sorted(path.name for path in place.glob("*.ipynb"))
    start = f"/lab/tree/{place.name}/{tour[0]}" if tour else f"/lab/tree/{place.name}"
    return [
        *(sys.executable, "-m", "jupyterlab"),
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={place.parent}",
        f"--LabApp.default_url={start}",
        f"--ServerApp.open_browser={browser}",
        "--LabApp.extension_manager=readonly",
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]


def app_command(port: int, dark: bool, browser: bool) -> list[str]:
    """The command that starts Voilà on the Guide, with the current folder as the place where it works.

    Voilà has no accounts: a token keeps others on the same machine out. Its own template fetches icons from the
    network; ours does not.
    """
    return [
        *(sys.executable, "-m", "voila", str(APP_NOTEBOOK)),
        "--Voila.ip=127.0.0.1",
        f"--Voila.port={port}",
        "--Voila.auto_token=True",
        f"--Voila.open_browser={browser}",
        "--VoilaConfiguration.template=guide",
        f"--VoilaConfiguration.theme={'dark' if dark else 'light'}",
    ]


def _serve(command: list[str]) -> int:
    """Run a server to its end; Ctrl-C is for it."""
    own = {"JUPYTER_CONFIG_PATH": str(SETTINGS), "JUPYTER_PATH": str(SETTINGS)}
    found = {name: os.pathsep.join(filter(None, (path, os.environ.get(name)))) for name, path in own.items()}
    environment = {**os.environ, **found, "WORKBENCH_FOLDER": str(Path.cwd())}
    with subprocess.Popen(command, env=environment) as process:  # noqa: S603  (our own command)
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
