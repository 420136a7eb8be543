"""The way that a person goes with the Guide, with clicks and keys alone, and what was measured on it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from browser import pages

CELL = "from workbench.widgets import Guide; Guide()"


@dataclass
class Journey:
    """What came of it.

    Attributes:
        folder: Where the notebook stands; its runs are in ``runs``.
        notebook: Its path below the server's root.
        actions: Clicks, choices and keys that it took.
        first_panel_s: Seconds from running the cell to the first panel.
        clicks_ms: How long a click took to show or hide the code while the training was at work.
        minutes: From the start button to the end of the training.
        told: What the Guide said about the recommended candidate.
        errors: What the page complained about.
    """

    folder: Path
    notebook: str
    actions: int = 0
    first_panel_s: float = 0.0
    clicks_ms: list = field(default_factory=list)
    minutes: float = 0.0
    told: str = ""
    errors: list = field(default_factory=list)

    @property
    def run(self):
        """The run that was made."""
        return next((self.folder / "runs" / "letters").iterdir())


def folder(server, name, *cells):
    """A new folder of the server with a notebook, by default of the one cell that shows the Guide."""
    made = server.root / name
    made.mkdir()
    pages.notebook(made / "guide.ipynb", *(cells or (CELL,)))
    return made


def shown(page, text, seconds=60, cell=0):
    """Wait until a text stands in the output; else say what stands there."""
    try:
        page.output(cell).get_by_text(text).first.wait_for(timeout=seconds * 1000)
    except Exception as late:
        there = page.output(cell).inner_text()
        raise AssertionError(f"no {text!r} within {seconds} s; there stands: {there}") from late


def note(artefacts, **measured):
    """Keep what was measured beside the pictures."""
    file = artefacts / "measured.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    file.write_text(json.dumps({**known, **measured}, indent=1), encoding="utf-8")


def upload(page, table, cell=0):
    """Choose a file in the browser's dialogue; one action."""
    with page.page.expect_file_chooser() as chooser:
        page.output(cell).get_by_label("Upload a table").click()
    chooser.value.set_files(table)
    page.actions += 1


def choose_table(page, table):
    """From the Guide's first panel to a recipe of one's own."""
    upload(page, table)
    shown(page, "1,500 rows")
    page.still(500)
    country = page.output().get_by_label("Electricity from")
    if "Choose" in country.evaluate("node => node.selectedOptions[0].textContent"):
        country.select_option(label="France (FRA)")
        page.actions += 1
    page.press("Use this table")
    shown(page, "letters is chosen")


def go(page, made, table, *, seconds):
    """The whole way; fills in what was measured."""
    page.run(wait=False)
    began = time.monotonic()
    page.output().get_by_label("Upload a table").wait_for(timeout=60_000)
    made.first_panel_s = round(time.monotonic() - began, 2)
    page.still(500)
    choose_table(page, table)
    for step in ("Step 2 of 7: Data (done)", "Step 3 of 7: Plan (done)"):
        page.press("Continue")
        shown(page, step, 120)
    turn_dial(page, "+ a linear student")
    page.press("Continue")
    page.button("Start training").wait_for(timeout=60_000)
    page.press("Start training")
    began = time.monotonic()
    made.clicks_ms = clicks_while_training(page)
    shown(page, "Step 4 of 7: Train (done)", seconds)
    made.minutes = round((time.monotonic() - began) / 60, 2)
    page.press("Continue")
    shown(page, "What to take, and why")
    page.output().locator(".wb-figure").first.wait_for(timeout=60_000)
    made.told = page.output().inner_text()
    made.actions, made.errors = page.actions, page.errors


def turn_dial(page, position):
    """Choose what is to be made, in the step Plan; one action."""
    page.output().get_by_label(position).click()
    page.actions += 1
    page.page.wait_for_timeout(1500)
    shown(page, "Step 3 of 7: Plan (done)", 120)


def clicks_while_training(page, times=6):
    """How long a click on “Show code” takes to show or hide the code, in milliseconds, while the run is at work."""
    page.button("Stop").wait_for(timeout=60_000)
    page.page.wait_for_timeout(2000)
    measured = []
    code = page.output().locator(".wb-code").first
    for turn in range(times):
        button = page.page.locator(pages.OUTPUT).get_by_role("button", name="Show code")
        before = time.monotonic()
        button.click()
        code.wait_for(state="visible" if turn % 2 == 0 else "detached", timeout=10_000)
        measured.append(round(1000 * (time.monotonic() - before)))
        page.page.wait_for_timeout(300)
    return measured
