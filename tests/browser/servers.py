"""A real JupyterLab, Notebook 7 or `workbench app`, each with folders of its own, and nothing left of it afterwards."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from workbench.cli import lab

MARK = "WORKBENCH_BROWSER_TEST"
USER_SETTINGS = {
    # Whole pages can be photographed only where every cell stands in the page.
    "notebook-extension/tracker": {"windowingMode": "none", "autoStartDefaultKernel": True},
    "docmanager-extension/plugin": {"autosave": False},
}


@dataclass
class Server:
    """A server that was started, its folder, and how to reach it."""

    kind: str
    process: subprocess.Popen
    port: int
    token: str
    root: Path
    mark: str
    log: Path
    env: dict = field(repr=False)

    def url(self, path=""):
        """An address of this server, with its token."""
        between = "&" if "?" in path else "?"
        return f"http://127.0.0.1:{self.port}/{path.lstrip('/')}{between}token={self.token}"

    def ask(self, path, method="GET", body=None):
        """Call the server's REST interface; its answer from JSON."""
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.url(path), data=data, method=method)  # noqa: S310  (loopback)
        asked.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
            said = answer.read()
        return json.loads(said) if said else None

    def processes(self):
        """Every living process that descends from this server, kernels and trainings too."""
        return marked(self.mark)

    def end_trainings(self):
        """End what was started by kernels to train."""
        end([one for one in self.processes() if {"run", "resume"} & set(one.cmdline())])

    def stop(self):
        """End the server and everything that it started."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        end(self.processes())


def marked(mark):
    """Living processes whose environment carries a mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def end(processes):
    """End processes, those that do not listen by force."""
    for process in processes:
        try:
            process.terminate()
        except psutil.Error:
            continue
    _, alive = psutil.wait_procs(processes, timeout=5)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=5)


def start(kind, root, home, *, arguments=()):
    """Start a server in a folder and wait until it answers.

    ``kind`` is ``lab``, ``notebook`` or ``app``; ``root`` what it shows; ``home`` where Jupyter keeps its own.
    """
    root, home = Path(root), Path(home)
    for folder in (root, home):
        folder.mkdir(parents=True, exist_ok=True)
    settings(home / "settings", USER_SETTINGS)
    port, token, mark = free_port(), secrets.token_hex(12), secrets.token_hex(8)
    env = environment(home, mark)
    log = home / "server.log"
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [*command(kind, root, port, token), *arguments],
            env=env, cwd=root, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
        )  # fmt: skip
    server = Server(kind, process, port, token, root, mark, log, env)
    try:
        wait_until_it_answers(server)
    except BaseException:
        server.stop()
        raise
    return server


def command(kind, root, port, token):
    """The command that starts a server on 127.0.0.1."""
    allow = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    common = ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    common += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}", "--ServerApp.open_browser=False"]
    if kind == "lab":
        more = ["--LabApp.extension_manager=readonly", "--LabApp.expose_app_in_browser=True"]
        return [sys.executable, "-m", "jupyterlab", *common, *more, *allow]
    if kind == "notebook":
        more = ["--JupyterNotebookApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"]
        return [sys.executable, "-m", "notebook", *common, *more, *allow]
    return [sys.executable, "-m", "workbench", "app", "--no-browser", "--port", str(port)]


def environment(home, mark):
    """This process's environment, with folders for Jupyter of its own, and a mark that all children inherit."""
    own = {
        "JUPYTER_CONFIG_PATH": str(lab.SETTINGS),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "en",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        MARK: mark,
    }
    return {**os.environ, **own}


def settings(folder, wanted):
    """Write a user's settings of JupyterLab."""
    for name, values in wanted.items():
        file = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")


def free_port():
    """A port on which nobody listens just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until_it_answers(server, seconds=150):
    """Return when the server answers; fail with its log when it does not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        if server.kind == "app":
            told = re.search(r"token=(\w+)", server.log.read_text(encoding="utf-8"))
            if told:
                server.token = told.group(1)
                return
            time.sleep(0.2)
            continue
        try:
            with urllib.request.urlopen(server.url("api/status"), timeout=5):  # noqa: S310  (loopback)
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    said = server.log.read_text(encoding="utf-8", errors="replace")[-3000:]
    raise RuntimeError(f"{server.kind} did not answer on port {server.port}:\n{said}")
