"""What a saved notebook shows where widgets cannot render."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest

from run_folder import Choices, make_run
from workbench.widgets import saved
from workbench.widgets.markup import code, notice, picture, status, table
from workbench.widgets.words import Words

ENGLISH = Words("en")


class Display:
    """What a kernel was asked to display, in place of one."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []

    def display(self, bundle: dict[str, str], raw: bool) -> None:
        assert raw
        self.shown.append(bundle)

    update = display


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Display:
    import IPython.display

    display = Display()
    monkeypatch.setattr(saved, "in_kernel", lambda: True)
    monkeypatch.setattr(IPython.display, "DisplayHandle", lambda: display)
    return display


def settled(what: Any, seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not what():
        time.sleep(0.01)
    return bool(what())


def test_outside_a_kernel_nothing_is_displayed() -> None:
    kept = saved.Saved(lambda: "<p>one</p>", words=ENGLISH)
    kept.show()
    kept.update()
    assert kept._waiting is None


def test_the_state_is_shown_at_once_with_its_time_and_what_to_do(kernel: Display) -> None:
    saved.Saved(lambda: "<p>one</p>", words=ENGLISH).show()
    said = kernel.shown[0]["text/html"]
    assert re.search(r"Saved state of the Guide at \d{4}-\d\d-\d\d \d\d:\d\d; run the cell to go on\.", said)
    assert "<p>one</p>" in said
    assert said.startswith('<div class="wb-saved" lang="en"')


def test_many_changes_are_written_once_and_the_last_one_always(
    kernel: Display, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "EVERY", 0.2)
    state = {"at": 0}
    kept = saved.Saved(lambda: f"<p>{state['at']}</p>", words=ENGLISH)
    kept.show()
    for at in range(1, 51):
        state["at"] = at
        kept.update()
    assert settled(lambda: "<p>50</p>" in kernel.shown[-1]["text/html"])
    assert len(kernel.shown) == 2
    kept.update()
    time.sleep(0.3)
    assert len(kernel.shown) == 2


def test_it_needs_no_style_sheet_script_or_inline_svg_and_says_nothing_to_screen_readers_by_itself() -> None:
    shown = table(["a", "b"], [["<b>", 1]], "all", numbers=1) + code("x = 1") + status("at work")
    shown += (
        notice("error", "Wrong", ["no"]) + picture("<svg></svg>", "a line") + "<style>p {}</style><svg><path/></svg>"
    )
    said = saved.plain(shown, ENGLISH)
    assert not re.search(r"<(style|script|svg)\b", said)
    assert "aria-live" not in said
    assert 'role="alert"' not in said
    assert 'tabindex="0"' not in said
    assert "&lt;b&gt;" in said
    assert '<td style="' in said
    assert 'src="data:image/svg+xml;base64,' in said
    assert "http:" not in said
    assert "https:" not in said


def test_a_panel_that_is_displayed_leaves_its_state_and_renews_it(
    kernel: Display, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import IPython.display

    from workbench.widgets.comparison import Comparison
    from workbench.widgets.work import AtOnce

    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(IPython.display, "display", lambda bundle, raw: shown.append(bundle))
    monkeypatch.setattr(saved, "EVERY", 0.0)
    panel = Comparison(words=ENGLISH, executor=AtOnce())
    panel._ipython_display_()
    assert "application/vnd.jupyter.widget-view+json" in shown[0]
    assert "<table" not in kernel.shown[0]["text/html"]
    panel.subjects = [make_run(tmp_path, Choices(candidates=("baseline",), rows=300, resamples=20))]
    panel.refresh()
    assert settled(lambda: "<table" in kernel.shown[-1]["text/html"])


@pytest.mark.slow
def test_a_notebook_that_was_run_and_saved_shows_the_table_without_a_kernel(tmp_path: Path) -> None:
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    run = make_run(tmp_path, Choices(candidates=("baseline", "student-linear"), rows=300, resamples=20, examples=True))
    wait = "import time\nwhile panel.state not in ('done', 'failed'):\n    time.sleep(0.1)\ntime.sleep(3)"
    sources = [f"from workbench.widgets import Comparison\npanel = Comparison({str(run)!r})\npanel", wait]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(book, timeout=120, kernel_name="python3", store_widget_state=False).execute()
    page, _ = HTMLExporter().from_notebook_node(book)
    kept = page[page.index('class="wb-saved"') :]
    assert "student-linear" in kept
    assert "<table" in kept
    assert "data:image/svg+xml" in kept
    assert "an invented phrase" not in page
