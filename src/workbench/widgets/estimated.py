"""What a run is likely to take, as a table beside its budget, and what stands in its way on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import storage
from workbench.errors import WorkbenchError
from workbench.projects import dial
from workbench.projects.desk import Desk
from workbench.projects.stages import expected_seconds, planned
from workbench.widgets import markup
from workbench.widgets.train_words import Told, amount, time_in_words
from workbench.widgets.words import Words

if TYPE_CHECKING:
    from workbench.pipeline import Checked


@dataclass(frozen=True)
class Short:
    """Megabytes that this machine has left, where they are fewer than the estimate; else ``None``."""

    memory_mb: float | None = None
    disk_mb: float | None = None


@dataclass(frozen=True)
class Looked:
    """What a look at recipe, table and machine found.

    Attributes:
        checked: The check; ``None`` where there is none.
        error: Why there is none.
        short: What this machine has too little of.
        here: What the dial can be turned to.
        countries: Name and code of the countries whose grid is known.
    """

    checked: Checked | None
    error: WorkbenchError | None
    short: Short
    here: dial.Possible
    countries: tuple[tuple[str, str], ...]


def look(desk: Desk) -> Looked:
    """Check a desk's recipe and its table, and what this machine has."""
    from workbench.carbon import country_names
    from workbench.pipeline import check

    located, countries = desk.located, country_names()
    here = dial.possible(located.recipe, located.base)
    named = tuple((f"{name} ({code})", code) for code, name in sorted(countries.items(), key=lambda one: one[1]))
    try:
        checked = check(desk.file or "")
    except WorkbenchError as error:
        return Looked(None, error, Short(), here, named)
    return Looked(checked, None, short(checked, desk.runs), here, named)


def short(checked: Checked, runs: Path) -> Short:
    """Look whether memory and disk suffice."""
    import psutil

    there = next(folder for folder in (runs.absolute(), *runs.absolute().parents) if folder.is_dir())
    memory = psutil.virtual_memory().available / 1e6
    disk = storage.free_bytes(there) / 1e6
    estimate = checked.estimate
    return Short(memory if memory < estimate.memory_mb else None, disk if disk < estimate.disk_mb else None)


def blockers(looked: Looked, words: Words) -> list[str]:
    """Why one should not begin, a sentence each."""
    if looked.checked is None:
        return []
    lacking, estimate, budget = looked.short, looked.checked.estimate, looked.checked.recipe.carbon.budget_grams
    found = []
    if lacking.memory_mb is not None:
        found.append(words("plan.memory", need=f"{estimate.memory_mb:,.0f}", free=f"{lacking.memory_mb:,.0f}"))
    if lacking.disk_mb is not None:
        found.append(words("plan.disk", need=f"{estimate.disk_mb:,.0f}", free=f"{lacking.disk_mb:,.0f}"))
    if budget is not None and estimate.grams.central > budget:
        found.append(words("plan.over_budget", budget=amount(budget), grams=amount(estimate.grams.central)))
    return found


def table(checked: Checked, words: Words) -> str:
    """Minutes, energy and grams by stage with their sum, then memory, disk and the budget."""
    estimate, budget, told = checked.estimate, checked.recipe.carbon.budget_grams, Told(words, None)
    energy, grams = estimate.energy_wh.central / estimate.seconds, estimate.grams.central / estimate.seconds
    expected, order = expected_seconds(estimate.stages), list(planned(checked.recipe))
    ordered = sorted(expected, key=lambda name: order.index(name) if name in order else len(order))
    stages = [(told.name(name), expected[name]) for name in ordered if expected[name]]
    rows = [
        (name, time_in_words(one), amount(one * energy), amount(one * grams))
        for name, one in [*stages, (words("plan.total"), estimate.seconds)]
    ]
    headings = [words(f"plan.column.{one}") for one in ("stage", "time", "energy", "grams")]
    sentences = [words.sentence(one) for one in checked.sentences[-2:]]
    if budget is not None:
        sentences.append(words("plan.budget", budget=amount(budget)))
    return markup.table(headings, rows, words("plan.estimate"), numbers=3) + markup.paragraphs(sentences)
