"""The Guide elsewhere: as an app in Voilà, in Notebook 7, and with a file that is no table."""

from __future__ import annotations

import re

import pytest

from browser import journey as way
from browser import letters, servers

pytestmark = pytest.mark.browser


def test_workbench_app_shows_the_guide_and_answers_a_click(opened, tmp_path):
    pytest.importorskip("voila", reason="the extra app is not installed")
    server = servers.start("app", tmp_path / "work", tmp_path / "home")
    try:
        page = opened(server)
        page.page.goto(server.url(), timeout=60_000)
        page.page.get_by_text("From your texts to a compact model").wait_for(timeout=90_000)
        page.page.get_by_role("button", name=re.compile("^2 Data")).click()
        page.page.get_by_text("Step 2 of 7: Data").wait_for(timeout=20_000)
        page.page.get_by_role("button", name=re.compile("^1 Choose")).click()
        page.page.get_by_role("button", name="Use licence-obligations-class", exact=True).click()
        page.page.get_by_text("licence-obligations-class is chosen").wait_for(timeout=30_000)
        assert (server.root / "runs" / "guide" / "licence-obligations-class").is_dir(), "it works in the folder"
        stranger = opened(server).page
        stranger.goto(f"http://127.0.0.1:{server.port}/")
        assert "/login" in stranger.url, "who has no token sees no Guide"
    finally:
        server.stop()
    assert server.processes() == []


def test_notebook_7_shows_the_guide(opened, tmp_path):
    pytest.importorskip("notebook", reason="the extra dev is not installed")
    server = servers.start("notebook", tmp_path / "work", tmp_path / "home")
    try:
        way.folder(server, "one")
        page = opened(server).open("one/guide.ipynb")
        page.run(wait=False)
        way.shown(page, "From your texts to a compact model", 90)
        page.press("2 Data ○")
        way.shown(page, "Step 2 of 7: Data")
    finally:
        server.stop()


def test_a_file_that_is_no_table_gets_a_sentence_and_the_next_one_works(lab, opened, tmp_path):
    bad = tmp_path / "scan.csv"
    bad.write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 40)
    way.folder(lab, "bad")
    page = opened(lab).open("bad/guide.ipynb")
    page.run(wait=False)
    page.output().get_by_label("Upload a table").wait_for(timeout=60_000)
    page.still(500)
    way.upload(page, bad)
    alert = page.output().get_by_role("alert")
    alert.wait_for(timeout=30_000)
    assert "scan.csv" in alert.inner_text()
    assert "Traceback" not in page.output().inner_text()
    large = tmp_path / "large.csv"
    with large.open("wb") as opened_file:
        opened_file.truncate(200_000_000)
    way.upload(page, large)
    page.output().get_by_text("large.csv has 200 MB").wait_for(timeout=10_000)
    way.choose_table(page, letters.write(tmp_path / "letters.csv"))
    assert page.output().get_by_role("alert").count() == 0
    assert page.errors == []
