"""Every panel in light and dark, wide and narrow: pictures, what axe-core finds, and the keyboard alone."""

from __future__ import annotations

import pytest

from browser import journey as way

pytestmark = pytest.mark.browser
PANELS = {
    "choose": "Choose()",
    "data": "DataHealth(recipe)",
    "plan": "Plan(recipe)",
    "train": "Train(run)",
    "compare": "Comparison(run)",
    "inspect": "Inspection(run)",
    "try_it": "TryIt(run)",
    "release": "Release(run)",
    "guide": "Guide()",
}
CONTROLS = """node => [...node.querySelectorAll('button, input, select, textarea, summary, [tabindex="0"]')]
  .filter(one => !one.disabled && one.tabIndex >= 0 && one.getClientRects().length && one.type !== 'file')"""
KEY = "one => one.wbKey || (one.wbKey = (window.wbKeys = (window.wbKeys || 0) + 1))"


@pytest.fixture
def panels(lab, opened, journey):
    """A page with every panel on the journey's run, one a cell."""
    names = "Choose, Comparison, DataHealth, Guide, Inspection, Plan, Release, Train, TryIt"
    first = (
        f"from workbench.widgets import {names}\nrun = {journey.run.relative_to(journey.folder).as_posix()!r}\n"
        "recipe = 'runs/guide/letters/letters.yaml'"
    )

    def show(name, **how):
        way.pages.notebook(journey.folder / f"{name}.ipynb", first, *PANELS.values())
        page = opened(lab, **how).open(f"{journey.folder.name}/{name}.ipynb")
        page.command("notebook:run-all-cells")
        for cell in range(1, len(PANELS) + 1):
            page.output(cell).locator(".wb-panel, .wb-guide").first.wait_for(timeout=90_000)
        page.wait_for_kernel(120)
        page.still(1500, 60)
        return page

    return show


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_panel_has_a_serious_violation_and_each_is_photographed(panels, axe, artefacts, theme):
    page = panels(theme, dark=theme == "dark")
    found = {}
    for width in (1280, 600):
        page.page.set_viewport_size({"width": width, "height": 900})
        page.still(500)
        for cell, name in enumerate(PANELS, 1):
            output = page.output(cell)
            page.picture(output, artefacts / f"{name}-{theme}-{width}.png")
            found[f"{name}-{width}"] = page.violations(axe, output)
            wider = output.evaluate(
                "n => [...n.querySelectorAll('.wb-panel')].some(p => p.scrollWidth > p.clientWidth + 1)"
            )
            found[f"{name}-{width}"] += ["wider than its column"] if wider else []
    assert {name: one for name, one in found.items() if one} == {}
    assert page.errors == []


def test_the_keyboard_reaches_every_control_and_shows_where_it_is(panels):
    page = panels("keys")
    missed = {}
    for cell, name in enumerate(PANELS, 1):
        output = page.output(cell)
        wanted = output.evaluate(
            f"node => {{ const key = {KEY}; const radios = new Set(); return ({CONTROLS})(node).filter(one => {{"
            " if (one.type !== 'radio') return true; if (radios.has(one.name)) return false;"
            " radios.add(one.name); return one.checked; }).map(one => [key(one), one.outerHTML.slice(0, 120)]); }"
        )
        reached, unseen = walk(page, output, {key for key, _ in wanted})
        missed[name] = [html for key, html in wanted if key not in reached] + unseen
    assert {name: one for name, one in missed.items() if one} == {}


def walk(page, output, wanted, at_most=200):
    """Press Tab from the first control on; keys of what had the focus, and what had it unseen.

    A report in a frame has stops of its own on the way; which of them has the focus is its own page's to show.
    """
    output.evaluate(f"node => ({CONTROLS})(node)[0].focus()")
    reached, unseen = set(), []
    for turn in range(at_most):
        key, outlined, html = page.page.evaluate(
            f"() => {{ const one = document.activeElement; const style = getComputedStyle(one); return [({KEY})(one),"
            " one.tagName === 'IFRAME' || style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,"
            " one.outerHTML.slice(0, 120)]; }"
        )
        if turn and not outlined and key in wanted - reached:
            unseen.append(f"no visible focus: {html}")
        reached.add(key)
        if wanted <= reached:
            break
        page.page.keyboard.press("Tab")
    return reached, unseen
