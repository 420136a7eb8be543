"""The Guide: where one was is read off the disk, one step leads to the next, and French is French throughout."""

from __future__ import annotations

import html
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

w = pytest.importorskip("ipywidgets")

from small_table import tickets  # noqa: E402
from workbench.widgets import Guide  # noqa: E402
from workbench.widgets.guide import STEPS  # noqa: E402
from workbench.widgets.plan import Plan  # noqa: E402
from workbench.widgets.work import AtOnce  # noqa: E402

ENGLISH = set(
    "the of and is are was were with without this that these those which not has have had been will would can cannot "
    "could should your you they their there here than then from into what where when why who how each every other "
    "others by for as it its be row rows run runs text label column class classes recipe table nothing something "
    "somebody one's only also more less under over between both still again before after first last no none any all "
    "choose train compare inspect show below above about".split()
) - {"on", "note", "sans", "train", "table", "six", "plan", "classes", "recipe", "texte", "compare", "inspect", "all"}
HIDDEN = re.compile(r"<style>.*?</style>|<(\w+)[^>]* lang=\"en\"[^>]*>.*?</\1>", re.DOTALL)


@pytest.fixture
def place(finished_run: Path, tmp_path: Path) -> Path:
    """The folder of a table, its recipe and a finished run, to be changed."""
    return Path(shutil.copytree(finished_run.parent.parent.parent, tmp_path / "work"))


def guide(folder: Path, **given: Any) -> Guide:
    return Guide(runs=folder / "runs", executor=AtOnce(), **given)


def parts(widget: Any) -> Iterator[Any]:
    """A widget and all that is shown in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from parts(child)


def shown(widget: Any) -> list[str]:
    """Every text that a person sees in a widget, marked English left out."""
    found = []
    for part in parts(widget):
        texts = [getattr(part, name, "") for name in ("description", "tooltip", "placeholder")]
        if isinstance(part, w.HTML):
            texts.append(re.sub(r"<[^>]*>", " ", HIDDEN.sub(" ", part.value)))
        titles = getattr(part, "titles", ())
        found += [html.unescape(text) for text in (*texts, *titles) if isinstance(text, str) and text.strip()]
    return found


def test_an_empty_folder_begins_with_choosing(tmp_path):
    one = guide(tmp_path)
    assert one.step == "choose"
    assert one.back.disabled
    assert not (tmp_path / "runs").exists()


def test_every_step_has_a_button_that_shows_it(place):
    one = guide(place, recipe=place / "tickets.yaml")
    for step in STEPS:
        one.buttons[step].click()
        assert one.step == step
        assert type(one.place.children[0]).__name__ == STEPS[step][1]
        assert f"{list(STEPS).index(step) + 1} of 7" in one.where.value


def test_a_finished_run_is_shown_again_where_one_was(place):
    one = guide(place, recipe=place / "tickets.yaml")
    assert one.step == "compare"
    assert one.panels["compare"].state == "done"
    signs = [shown.description[-1] for shown in one.buttons.values()]
    assert signs == ["✓"] * 5 + ["○"] * 2, "what is behind is done, though no panel of it was opened"


def test_where_one_is_holds_the_last_state_however_threads_overtake_each_other(tmp_path):
    one = guide(tmp_path)
    panel, patience = one.panels["choose"], sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(200):
            panel.state = "ready"
            other = threading.Thread(target=one._mark)
            other.start()
            panel.state = "done"
            other.join()
            assert "(done)" in one.where.value
    finally:
        sys.setswitchinterval(patience)


def test_a_step_has_one_panel_whichever_thread_asks_first(tmp_path, monkeypatch):
    one, made = guide(tmp_path), []

    class Slow(Plan):
        def __init__(self, **given):
            made.append(self)
            time.sleep(0.3)
            super().__init__(**given)

    monkeypatch.setattr("workbench.widgets.plan.Plan", Slow)
    one.step = "plan"  # as a click on Continue does first
    keeps = threading.Thread(target=one.snapshot)  # what writes the saved state asks for the panel meanwhile
    keeps.start()
    one.show("plan")
    keeps.join()
    assert made == [one.panels["plan"]]
    assert one.place.children == (one.panels["plan"],)


def test_a_recipe_without_a_run_goes_on_with_its_data(place):
    shutil.rmtree(place / "runs")
    assert guide(place, recipe=place / "tickets.yaml").step == "data"


def test_continue_says_what_stands_in_the_way_and_stays(tmp_path):
    one = guide(tmp_path)
    one.forward.click()
    blocked = bool(one.panels["choose"].blockers)
    assert (one.step == "choose") == blocked
    assert not blocked or html.escape(one.panels["choose"].blockers[0]) in one.status.value


def test_a_table_of_ones_own_becomes_a_recipe_in_one_click_and_the_next_cell_finds_it(tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    one = guide(tmp_path, table=tickets(300), language="en")
    assert one.step == "choose"
    one.panels["choose"].use.click()
    again = guide(tmp_path, language="en")
    assert again.desk.file is not None
    assert again.step == "data"


def test_the_language_of_the_argument_is_taken(tmp_path):
    assert guide(tmp_path, language="fr").forward.description == "Continuer"


@pytest.mark.parametrize("step", list(STEPS))
def test_in_french_a_panel_shows_no_english(place, step):
    one = guide(place, recipe=place / "tickets.yaml", language="fr")
    one.show(step)
    english = {
        text: found
        for text in shown(one)
        if (found := ENGLISH & {word.strip(".,:;()!?") for word in text.lower().split()})
    }
    assert english == {}
