"""One browser and one JupyterLab for all of these tests; skipped where the machine has no Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from browser import journey as way
from browser import letters, pages, servers

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="package")
def chromium():
    """Debian's Chromium, driven by Playwright."""
    if shutil.which("chromium") is None:
        pytest.skip("no chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="the extra dev is not installed")
    with playwright.sync_playwright() as started:
        browser = pages.launch(started)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab(chromium, tmp_path_factory):
    """A JupyterLab with a folder of its own."""
    pytest.importorskip("jupyterlab", reason="the extra lab is not installed")
    folder = tmp_path_factory.mktemp("lab")
    server = servers.start("lab", folder / "root", folder / "home")
    yield server
    server.stop()
    assert server.processes() == []


@pytest.fixture(scope="package")
def journey(chromium, lab, tmp_path_factory):
    """The whole way from an unknown table to a recommended model, gone once."""
    made = way.Journey(way.folder(lab, "journey"), "journey/guide.ipynb")
    table = letters.write(tmp_path_factory.mktemp("upload") / "letters.csv")
    page = pages.Page(chromium, lab).open(made.notebook)
    way.go(page, made, table, seconds=480)
    page.close()
    assert page.strangers == []
    return made


@pytest.fixture
def opened(chromium):
    """Opens pages and closes them; what a page asked outside this machine fails its test."""
    made = []

    def open_page(server, **how):
        made.append(pages.Page(chromium, server, **how))
        return made[-1]

    yield open_page
    strangers = [url for page in made for url in page.strangers]
    for page in made:
        page.close()
    assert strangers == []


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory):
    """Where pictures and figures go: ``WORKBENCH_ARTEFACTS``, else a temporary folder."""
    folder = Path(os.environ.get("WORKBENCH_ARTEFACTS") or tmp_path_factory.mktemp("artefacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def axe():
    """The script of axe-core: ``WORKBENCH_AXE``, else the one in node_modules/."""
    file = Path(os.environ.get("WORKBENCH_AXE") or ROOT / "node_modules" / "axe-core" / "axe.min.js")
    if not file.is_file():
        pytest.skip("axe-core is not installed: make axe")
    return file
