"""A notebook in a page: open it, run its cells, look at the output, as a person would."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path
from urllib.parse import urlsplit

ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
OUTPUT = ".jp-OutputArea-output"
STILL = """
(quiet) => new Promise((done) => {
  let timer = setTimeout(finish, quiet);
  const seen = new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(finish, quiet); });
  function finish() { seen.disconnect(); done(true); }
  seen.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
})
"""


def launch(playwright):
    """Debian's Chromium."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)


def notebook(path, *cells):
    """Write a notebook with these code cells; its path."""
    import nbformat

    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    made.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    Path(path).write_text(nbformat.writes(made), encoding="utf-8")
    return Path(path)


class Page:
    """A page on one notebook, and every address it asked.

    Attributes:
        page: Playwright's own page.
        asked: Addresses of every request and every web socket.
        actions: Clicks, choices, typings and keys that a person would have needed so far.
    """

    def __init__(self, browser, server, *, width=1280, height=900, dark=False):
        """Open an empty page; nothing is asked yet."""
        self.server = server
        scheme = "dark" if dark else "light"
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.asked, self.errors, self.actions = [], [], 0
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", lambda socket: self.asked.append(socket.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.dark = dark

    def close(self):
        """Close the page."""
        self.context.close()

    @property
    def strangers(self):
        """Addresses outside this machine that the page asked."""
        local = ("127.0.0.1", "localhost", "")
        inside = ("data", "blob", "about")
        split = [(urlsplit(url), url) for url in self.asked]
        return [url for parts, url in split if parts.scheme not in inside and parts.hostname not in local]

    def open(self, name, *, kernel=True):
        """Open a notebook of the server's folder and wait until it can run cells."""
        place = {"lab": f"doc/tree/{name}?reset", "notebook": f"notebooks/{name}"}[self.server.kind]
        self.page.goto(self.server.url(place), timeout=60_000)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        if kernel:
            self.wait_for_kernel()
        if self.dark:
            self.command("apputils:change-theme", {"theme": "JupyterLab Dark"})
            self.page.wait_for_selector('body[data-jp-theme-light="false"]', state="attached")
        return self

    def command(self, name, arguments=None):
        """Execute a command of JupyterLab, as its menus do."""
        code = "([name, given]) => { window.jupyterapp.commands.execute(name, given); }"
        self.page.evaluate(code, [name, arguments or {}])

    def wait_for_kernel(self, seconds=60):
        """Wait until the kernel has nothing to do."""
        code = """() => {
          const widget = window.jupyterapp.shell.currentWidget;
          const kernel = widget && widget.sessionContext && widget.sessionContext.session
            && widget.sessionContext.session.kernel;
          return kernel && kernel.status === 'idle';
        }"""
        self.page.wait_for_function(code, timeout=seconds * 1000)

    def restart_kernel(self):
        """Restart the kernel by JupyterLab's command, and say yes to its question."""
        self.command("notebook:restart-kernel")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.wait_for_kernel(120)

    def run(self, cell=0, *, wait=True):
        """Run a cell with Shift+Enter; with ``wait`` until it has finished."""
        one = self.page.locator(".jp-Notebook .jp-CodeCell").nth(cell)
        one.locator(".jp-InputArea-editor").click()
        self.page.keyboard.press("Shift+Enter")
        self.actions += 1
        if wait:
            prompt = one.locator(".jp-InputPrompt")
            until = time.monotonic() + 120
            while "*" in (prompt.inner_text() or "*") or prompt.inner_text().strip() in ("[ ]:", ""):
                if time.monotonic() > until:
                    raise TimeoutError("the cell did not finish")
                self.page.wait_for_timeout(50)

    def output(self, cell=0):
        """What stands under a cell."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".jp-OutputArea").first

    def still(self, quiet_ms=800, seconds=30):
        """Wait until nothing in the page has changed for a moment."""
        with contextlib.suppress(Exception):
            self.page.set_default_timeout(seconds * 1000)
            self.page.evaluate(
                f"Promise.race([({STILL})({quiet_ms}), new Promise(r => setTimeout(r, {seconds * 1000}))])"
            )
        self.page.set_default_timeout(30_000)

    def button(self, name, within=None):
        """A button by what it says."""
        return (within or self.page.locator(OUTPUT)).get_by_role("button", name=name, exact=True)

    def press(self, name, within=None):
        """Click a button by what it says; one action."""
        self.button(name, within).first.click()
        self.actions += 1

    def picture(self, locator, file):
        """Save an element as a whole; the window grows until it fits."""
        size = self.page.viewport_size
        box = locator.bounding_box()
        if box and box["height"] + 250 > size["height"]:
            self.page.set_viewport_size({"width": size["width"], "height": min(int(box["height"]) + 300, 9000)})
            self.page.wait_for_timeout(400)
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        locator.screenshot(path=str(file), animations="disabled")
        self.page.set_viewport_size(size)

    def violations(self, axe, locator, impacts=("serious", "critical")):
        """What axe-core finds inside an element, as sentences."""
        if not self.page.evaluate("() => !!window.axe"):
            self.page.evaluate(Path(axe).read_text(encoding="utf-8"))
        found = locator.evaluate("(node) => axe.run(node, {resultTypes: ['violations']})")
        return [
            f"{one['id']} ({one['impact']}): {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
            for one in found["violations"]
            if one["impact"] in impacts
        ]
