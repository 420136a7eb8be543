"""What a run took, in sentences: where it went, a wattmeter's reading, the idle share, what was expected."""

from __future__ import annotations

from workbench.reporting import spending, words
from workbench.reporting.emissions import Emission, Range, add, digits
from workbench.reporting.evidence import Evidence


def amounts(sum_: Emission) -> str:
    """Energy and emissions with their ranges."""
    wh, grams = sum_.energy_kwh.times(1000), sum_.emissions_kg.times(1000)
    return f"{ranged(wh, sum_.class_)} Wh and {ranged(grams, sum_.class_)} g of CO₂-equivalents"


def ranged(value: Range, class_: str) -> str:
    """A figure with its low and high one, no more digits than its class has."""
    low, central, high = (digits(one, class_) for one in (value.low, value.central, value.high))
    return f"{central} ({low} to {high})"


def spent_sentences(evidence: Evidence) -> list[str]:
    """Where it was spent, a wattmeter's reading, the idle share, what was expected, what lies between stages."""
    total, kinds = add(evidence.emissions), spending.by_kind(evidence.emissions)
    said = []
    if total.energy_kwh.central > 0:
        share = {name: words.share(one.energy_kwh.central, total.energy_kwh.central) for name, one in kinds.items()}
        said.append(_shares(share))
    return [*said, *_budget(evidence), *_reading(evidence), *_idle(evidence), *_expected(evidence), *_outside(evidence)]


def _budget(evidence: Evidence) -> list[str]:
    """What is left of the recipe's budget, and the warnings that the log keeps."""
    grams = evidence.recipe.carbon.budget_grams
    if grams is None:
        return []
    spent = add(one for one in evidence.emissions if one.reused_from is None)
    ours = ranged(spent.emissions_kg.times(1000), spent.class_)
    warned = [str(event["sentence"]) for event in evidence.events if event.get("type") == "carbon budget"]
    told = f"The recipe's budget is {words.significant(grams, 3)} g of CO₂-equivalents; {ours} g of it were spent here."
    return [told, *(f"While it ran it warned: {sentence}" for sentence in dict.fromkeys(warned))]


def _shares(share: dict[str, str]) -> str:
    names = {"labelling": "went to teacher labelling", "students": "to the students", "controls": "to controls"}
    parts = [f"{share[key]} {name}" for key, name in (names | {"evaluation": "to evaluation"}).items() if key in share]
    return f"Of the energy {words.listing(parts)}."


def _reading(evidence: Evidence) -> list[str]:
    read = evidence.reading
    if not read:
        return []
    wh, modelled = 1000 * float(read["measured_kwh"]), 1000 * float(read["modelled_kwh"])
    who = f"{read['meter']}; typed in by {read['by']}, {read['when'][:10]}"
    told = f"A wattmeter counted {words.significant(wh, 3)} Wh ({who})"
    if not any(one.class_ == "A" for one in evidence.emissions):
        return [f"{told}, but the run's stages have changed since, so the reading is not used."]
    return [
        f"{told}; the model had said {words.significant(modelled)} Wh, so the meter's figure is "
        f"{wh / modelled:.2g} times that."
    ]


def _idle(evidence: Evidence) -> list[str]:
    found = spending.idle(evidence)
    if found.share is None:
        return [f"How much of it the machine would have taken doing nothing is not known: {found.reason}."]
    low, central, high = (f"{100 * end:.0f}" for end in (found.share.low, found.share.central, found.share.high))
    ends = "" if low == high else f" ({low} to {high})"
    return [
        f"About {central} %{ends} of what the machine took in that time it would have taken doing nothing "
        f"(class {found.class_}: {found.reason}); figures of a model that counts this process alone leave that out."
        if found.class_ == "D"
        else f"{central} % of it the machine would have taken doing nothing (class A: {found.reason})."
    ]


def _expected(evidence: Evidence) -> list[str]:
    found = spending.expected(evidence)
    if found is None:
        return ["No estimate from before the run is kept in its folder, so that it cannot be compared."]
    wh, became = found.energy_kwh.times(1000), found.became.energy_kwh.times(1000)
    times = found.became.seconds / found.seconds if found.seconds > 0 else 0.0
    return [
        f"Before the run {words.duration(found.seconds)} and {ranged(wh, found.class_)} Wh were expected; it became "
        f"{words.duration(found.became.seconds)} and {ranged(became, found.became.class_)} Wh, {times:.2g} times the "
        "time (stages that were taken over are counted as if done; checks are in neither)."
    ]


def _outside(evidence: Evidence) -> list[str]:
    found = spending.outside(evidence)
    if found is None or found[1] < 2:
        return []
    return [
        f"By the log the run was at work for {words.duration(found[0])}; {words.share(found[1], found[0])} of that "
        "lies between stages (reading, hashing, copying) and is in no figure."
    ]
