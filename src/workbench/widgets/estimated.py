"""What a run is likely to take, as a table beside its budget, and what stands in its way on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.projects.estimating import Looked
from workbench.projects.stages import expected_seconds, planned
from workbench.widgets import markup
from workbench.widgets.train_words import Told, amount, time_in_words
from workbench.widgets.words import Words

if TYPE_CHECKING:
    from workbench.pipeline import Checked


def blockers(looked: Looked, words: Words) -> list[str]:
    """Why one should not begin, a sentence each."""
    if looked.checked is None:
        return []
    lacking, estimate, budget = looked.short, looked.checked.estimate, looked.checked.recipe.carbon.budget_grams
    found = []
    if lacking.memory_mb is not None:
        need, free = words.number(round(estimate.memory_mb)), words.number(round(lacking.memory_mb))
        found.append(words("plan.memory", need=need, free=free))
    if lacking.disk_mb is not None:
        need, free = words.number(round(estimate.disk_mb)), words.number(round(lacking.disk_mb))
        found.append(words("plan.disk", need=need, free=free))
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
