"""Was fine-tuning worth it? The teacher against the same teacher as a head on the frozen encoder.

Quality comes from the difference on the same rows, cost from the stages that made the two. A cost per point is given
only where a gain is shown.
"""

from __future__ import annotations

from workbench.metrics.wording import comparison_sentence, difference_from_row, metric_name, points, verdict
from workbench.reporting import words
from workbench.reporting.emissions import CLASSES, Emission, Range, add, digits
from workbench.reporting.evidence import Evidence
from workbench.reporting.findings import students

TEACHER, HEAD = "teacher", "teacher-head"
METHODS = {
    "finetune": "by fine-tuning, which changes all its weights",
    "lora": "with LoRA, updates of low rank that are merged into its weights",
}


def paragraphs(evidence: Evidence) -> list[str]:
    """What tuning the teacher's encoder brought and what it took.

    Args:
        evidence: The files of the run's folder.

    Returns:
        Paragraphs; none where the run has no teacher-head.
    """
    if HEAD not in evidence.candidates or TEACHER not in evidence.candidates:
        return []
    told = [_what_was_done(evidence), *_gains(evidence), " ".join(_cost(evidence))]
    if students(evidence):
        told.append("Students learned from the tuned teacher; what the head alone would have taught was not tried.")
    return told


def _what_was_done(evidence: Evidence) -> str:
    """How the encoder was trained, and what stands beside it."""
    teacher = evidence.recipe.teacher
    members = (*teacher.ensemble, teacher) if teacher is not None else ()
    how = words.listing([METHODS[name] for name in METHODS if any(one.method == name for one in members)])
    trained = f"The teacher's encoder was trained too{f', {how}' if how else ''}."
    return f"{trained} {HEAD} is the same teacher on the encoder as it was, with the same labels."


def _gains(evidence: Evidence) -> list[str]:
    """The comparison on every split."""
    found = []
    for split in evidence.splits:
        row = evidence.score(TEACHER, split, against=HEAD)
        if row is not None:
            where = f"{metric_name(evidence.primary)} on {words.split_name(split)}"
            found.append(comparison_sentence(TEACHER, HEAD, where, difference_from_row(row)))
    return found


def _cost(evidence: Evidence) -> list[str]:
    """What the tuned teacher took beyond its head, and that for each point gained."""
    extra = extra_cost(evidence)
    if extra is None:
        return ["What it took was not measured in this run."]
    if extra.seconds <= 0:
        return [f"Making it took no longer than making {HEAD}."]
    grams = _ends(extra.emissions_kg.times(1000), extra.class_, "g of CO₂-equivalents")
    seeds = " (the mean of the seeds)" if len(evidence.seeds) > 1 else ""
    took = f"It took {words.duration(extra.seconds)}, {_ends(_wh(extra), extra.class_, 'Wh')} and {grams} more{seeds}"
    return [
        f"{took}; labelling all rows with the new weights is part of it.",
        f"Energy is of class {extra.class_} ({CLASSES[extra.class_]}).",
        _per_point(evidence, extra),
    ]


def extra_cost(evidence: Evidence) -> Emission | None:
    """Time, energy and emissions of the tuned teacher less those of its head.

    Args:
        evidence: The files of the run's folder.

    Returns:
        The difference, of several seeds its mean; ends are taken from ends, for one method's errors on one machine
        point the same way. ``None`` where one of the two was not measured.
    """
    tuned, plain = ([one for one in evidence.emissions if one.stage == name] for name in (TEACHER, HEAD))
    if not tuned or not plain:
        return None
    more, less = _mean(tuned), _mean(plain)
    energy = _less(more.energy_kwh, less.energy_kwh)
    emitted = _less(more.emissions_kg, less.emissions_kg)
    return Emission("extra", TEACHER, more.seconds - less.seconds, energy, emitted, max(more.class_, less.class_))


def _mean(entries: list[Emission]) -> Emission:
    """One entry of each seed in, their mean out."""
    total, part = add(entries), 1 / len(entries)
    energy, emitted = total.energy_kwh.times(part), total.emissions_kg.times(part)
    return Emission(entries[0].stage, entries[0].candidate, total.seconds * part, energy, emitted, total.class_)


def _less(more: Range, less: Range) -> Range:
    low, central, high = more.low - less.low, more.central - less.central, more.high - less.high
    return Range(max(low, 0.0), max(central, 0.0), max(high, 0.0))


def _wh(cost: Emission) -> Range:
    return cost.energy_kwh.times(1000)


def _ends(value: Range, class_: str, unit: str) -> str:
    """A figure with its unit and its range."""
    return f"{digits(value.central, class_)} {unit} ({digits(value.low, class_)} to {digits(value.high, class_)})"


def _per_point(evidence: Evidence, extra: Emission) -> str:
    """What a point of gain cost on the headline split, where a gain is shown."""
    row, where = evidence.score(TEACHER, evidence.headline, against=HEAD), words.split_name(evidence.headline)
    gap = difference_from_row(row) if row is not None else None
    if gap is None or gap.value is None or gap.low is None or gap.high is None or verdict(gap) != "better":
        return f"No gain is shown on {where} to set against that, so no cost of a point is given."
    one = 1 / (100 * gap.value)
    wh, grams = _wh(extra).times(one).central, extra.emissions_kg.times(1000 * one).central
    costs = f"{words.duration(extra.seconds * one)}, {digits(wh, extra.class_)} Wh and {digits(grams, extra.class_)} g"
    least, most = (words.duration(extra.seconds / (100 * end)) for end in (gap.high, gap.low))
    gained = f"For {points(gap.value, sign=True)} points of {metric_name(evidence.primary)} on {where}"
    return f"{gained} that is {costs} a point; within the gain's interval {least} to {most} a point."
