"""Training goes on without its kernel; buttons stop it and go on with it."""

from __future__ import annotations

import time

import pytest

from browser import journey as way
from browser import letters
from workbench.projects.desk import Desk

pytestmark = pytest.mark.browser


@pytest.fixture
def begun(lab, opened, tmp_path):
    """A page on which a training has just been started."""
    made = way.folder(lab, "training")
    desk = Desk(made / "runs")
    table = letters.write(tmp_path / "letters.csv")
    desk.use_table(table, text="letter", label="office", country="FRA")
    page = opened(lab).open("training/guide.ipynb")
    page.run(wait=False)
    way.shown(page, "Step 2 of 7")
    page.press("4 Train ○")
    page.button("Start training").wait_for(timeout=60_000)
    page.press("Start training")
    yield page, desk
    run = desk.run
    if run is not None and run.status == "running":
        (run.path / "stop").touch()
    lab.end_trainings()


def lines(desk):
    """How much the run has written."""
    return len((desk.run.path / "log.jsonl").read_text(encoding="utf-8").splitlines())


def test_a_training_survives_its_kernel_and_is_stopped_and_continued_by_buttons(begun):
    page, desk = begun
    page.page.locator(".wb-panel").get_by_text("Progress by stage").first.wait_for(timeout=90_000)
    before = lines(desk)
    page.restart_kernel()
    assert desk.run.status == "running"
    until = time.monotonic() + 90
    while lines(desk) <= before and time.monotonic() < until:
        time.sleep(0.3)
    assert lines(desk) > before, "it goes on without a kernel"
    page.wait_for_kernel()
    page.run(wait=False)
    way.shown(page, "Step 4 of 7: Train (at work)", 60)
    page.press("Stop")
    page.button("Go on").wait_for(timeout=120_000)
    assert desk.run.status == "stopped"
    page.press("Go on")
    way.shown(page, "Step 4 of 7: Train (at work)", 60)
    page.button("Stop").wait_for(timeout=60_000)
    assert page.errors == []
