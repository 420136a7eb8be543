"""``lab``: JupyterLab on the shipped notebooks, on this machine only."""

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


def _serve(command: list[str]) -> int:
    """Run JupyterLab to its end; Ctrl-C is for it."""
    paths = [str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    environment = {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(path for path in paths if path)}
    with subprocess.Popen(command, env=environment) as process:  # noqa: S603  (our own command)
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
