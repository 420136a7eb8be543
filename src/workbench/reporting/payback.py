"""The page “What it cost, and when that pays back”.

Reads emissions.json, measurements.json, what the recipe states, the estimate from before the run, and a wattmeter's
reading where one was typed in; all else follows from these by sums and one division.
"""

from __future__ import annotations

from workbench.reporting import payback_figure, spending, words
from workbench.reporting.emissions import CLASSES, READING, Emission, Range, add
from workbench.reporting.evidence import Evidence, role
from workbench.reporting.pages import Figure, Page, Table
from workbench.reporting.payback_points import TEACHER, Case, Payback, Terms, cases, cost, in_words, span_in_words
from workbench.reporting.spent_words import amounts, ranged, spent_sentences

SMALLEST_COIN = 0.01
COMPARED = ("baseline", "student", "compressed")
FILES = ("emissions.json", "measurements.json", spending.ESTIMATE, READING)


def page(evidence: Evidence, terms: Terms | None = None) -> Page | None:
    """What the run took, and when a model that is cheaper to use has made up for it.

    Args:
        evidence: The files of the run's folder.
        terms: Use and prices; None means as the recipe states them.

    Returns:
        The page; None where the run has no emissions.json.
    """
    if not evidence.emissions:
        return None
    terms = terms or Terms.of(evidence.recipe.carbon)
    found = {name: cases(evidence, name, terms) for name in compared(evidence)}
    chief = subject(evidence)
    energy = find(found.get(chief or "", []), "energy")
    drawn = energy is not None and energy.payback is not None and bool(energy.payback.central)
    return Page(
        anchor="payback",
        title="What it cost, and when that pays back",
        verdict=verdict(evidence, chief, energy),
        sentences=[*_paid_back(evidence, found.get(chief or "", []), terms), *spent_sentences(evidence)],
        figures=[Figure(payback_figure.draw(energy), _CAPTION)] if drawn and energy else [],
        tables=[one for one in (_payback_table(found), _kind_table(evidence), _candidate_table(evidence)) if one.rows],
        how=_HOW,
        not_shown=[*_absent(found), *_NOT_SHOWN],
        files=tuple(name for name in FILES if (evidence.folder / name).is_file()),
    )


def compared(evidence: Evidence) -> list[str]:
    """Candidates that could stand in the teacher's place."""
    return [name for name in evidence.candidates if role(name) in COMPARED]


def subject(evidence: Evidence) -> str | None:
    """The candidate that the verdict is about: the recommended one, else the first student; None without any."""
    names = compared(evidence)
    if evidence.recommended in names:
        return evidence.recommended
    return next((name for name in names if role(name) == "student"), names[0] if names else None)


def find(found: list[Case], what: str, scope: str = "training") -> Case | None:
    """One of a candidate's comparisons."""
    return next((one for one in found if (one.what, one.scope) == (what, scope)), None)


def verdict(evidence: Evidence, candidate: str | None, energy: Case | None) -> str:
    """What it took and when that pays back against the teacher, in one sentence."""
    total = add(evidence.emissions)
    took = f"Making and judging all candidates took {amounts(total)}"
    if candidate is None or energy is None or TEACHER not in evidence.candidates:
        return f"{took}; there is no teacher in this run whose use it could be compared with."
    if energy.payback is None:
        return f"{took}; when that pays back cannot be said ({energy.reason})."
    own, teacher = cost(evidence, candidate), cost(evidence, TEACHER)
    measured = f"measured on {own.n:,} and {teacher.n:,} predictions, class {max(own.class_, teacher.class_)}"
    when = f"{candidate} with its training takes less energy than the teacher {in_words(energy.payback)}"
    return f"{took}; {when}; {measured}."


def _paid_back(evidence: Evidence, found: list[Case], terms: Terms) -> list[str]:
    """Payback of the verdict's candidate: alike errors, time, the whole run, a volume, a hosted service."""
    energy, time = find(found, "energy"), find(found, "time")
    said = []
    if energy and energy.payback and energy.payback.central and energy.payback.verdict != "at once":
        said.append(
            "That interval lets training, teacher and student err each by itself. They were figured by one method on "
            "one machine, and as far as that errs by the same factor everywhere, the factor cancels: then "
            f"{words.significant(energy.payback.central)} it is. The same number holds for CO₂-equivalents."
        )
    if time and time.payback:
        took = words.duration(time.fixed.central)
        said.append(
            f"In time, which is measured and not modelled, its training ({took}) pays back {in_words(time.payback)}."
        )
    whole = find(found, "energy", "run")
    if whole and whole.payback:
        said.append(
            "With all that the run took, other candidates, controls and evaluation too, it pays back "
            f"{in_words(whole.payback)}."
        )
    if terms.volume and energy and energy.payback:
        when = span_in_words(energy.payback, terms.volume)
        at = f"At the stated {words.count(terms.volume)} predictions a month that is {when}"
        said.append(f"{at}; {_saved(energy, terms.volume)}.")
    return [*said, *_hosted(found, terms)]


def _saved(energy: Case, volume: float) -> str:
    saved = volume * (energy.other.central - energy.own.central)
    word = "less" if saved >= 0 else "more"
    return f"each month then takes about {words.significant(abs(saved))} Wh {word} than with the teacher"


def _hosted(found: list[Case], terms: Terms) -> list[str]:
    case = find(found, "money")
    if case is None or terms.hosted_price is None:
        return []
    stated = f"{terms.hosted_price:g} {case.unit} per 1,000 predictions (stated, not checked)"
    if case.payback is None:
        return [f"Against {case.against} at {stated}: not said, because {case.reason}."]
    priced = [
        name
        for name, value in (("electricity", terms.kwh_price), ("machine hours", terms.hour_price))
        if value is not None
    ]
    said = (
        f"Against {case.against} at {stated}, {case.candidate} with its teacher and training pays back "
        f"{in_words(case.payback)}; 1,000 of its own cost {_money(case.own.times(1000), case.unit)}, counting "
        f"{words.listing(priced)} alone."
    )
    if terms.volume:
        said += f" At the stated volume that is {span_in_words(case.payback, terms.volume)}."
    return [said]


def _money(value: Range, unit: str) -> str:
    if value.high < SMALLEST_COIN:
        return f"under {SMALLEST_COIN:g} {unit}"
    low, central, high = (words.significant(end) for end in (value.low, value.central, value.high))
    return f"{central} {unit} ({low} to {high})"


def _payback_table(found: dict[str, list[Case]]) -> Table:
    rows = tuple(_payback_row(one, one.payback) for ones in found.values() for one in ones if one.payback is not None)
    return Table("When each candidate pays back.", _PAYBACK_COLUMNS, rows, _PAYBACK_COLUMNS[4:7])


def _payback_row(case: Case, when: Payback) -> tuple[str, ...]:
    scope = "its training" if case.scope == "training" else "the whole run"
    costs = (case.fixed.central, 1000 * case.other.central, 1000 * case.own.central)
    shown = (
        f"under {SMALLEST_COIN:g}" if case.what == "money" and one < SMALLEST_COIN else words.significant(one)
        for one in costs
    )
    cells = (f"{one} {case.unit}" for one in shown)
    return (case.candidate, case.against, case.what, scope, *cells, in_words(when))


_PAYBACK_COLUMNS = (
    "candidate", "against", "in", "counting", "spent once", "1,000 of the other", "1,000 of its own", "pays back",
)  # fmt: skip


def _kind_table(evidence: Evidence) -> Table:
    kinds = spending.by_kind(evidence.emissions)
    rows = [(spending.KINDS[name], *_cells(one)) for name, one in kinds.items()]
    rows.append(("All together", *_cells(add(evidence.emissions))))
    return Table("What each kind of work took.", ("kind of work", *_COLUMNS), tuple(rows), _COLUMNS[:3])


def _candidate_table(evidence: Evidence) -> Table:
    found = spending.by_candidate(evidence.emissions)
    rows = [(name or "shared by several", *_cells(one)) for name, one in found.items()]
    return Table(
        "What each candidate's own stages took, measuring included.",
        ("candidate", *_COLUMNS),
        tuple(rows),
        _COLUMNS[:3],
    )


_COLUMNS = ("time", "Wh", "g CO₂e", "class")


def _cells(one: Emission) -> tuple[str, str, str, str]:
    wh, grams = one.energy_kwh.times(1000), one.emissions_kg.times(1000)
    return words.duration(one.seconds), ranged(wh, one.class_), ranged(grams, one.class_), one.class_


def _absent(found: dict[str, list[Case]]) -> list[str]:
    reasons = {one.reason for ones in found.values() for one in ones if one.payback is None and one.what != "money"}
    return [f"No payback where something was not measured ({words.listing(sorted(reasons))})."] if reasons else []


_CAPTION = (
    "What has been spent after so many predictions: with the teacher (dashed) and with the student, its training first "
    "(solid). They pay back where the lines cross (dotted); bands go from the low to the high figure of each."
)
_HOW = (
    "Every stage is metered by itself, also when the run is stopped and gone on with; stages taken over from another "
    "run count with what they took there. " + "; ".join(f"{name}: {what}" for name, what in CLASSES.items()) + ".",
    "Training counts teacher labelling (reading every row with the encoder, soft targets; too high by the rows of the "
    "tests) and the candidate's own stages. The teacher's own training is not counted against the teacher, and is "
    "counted against a hosted service. With several seeds, one seed's share is counted.",
    "Payback is what was spent once, divided by what each prediction saves; predictions are those of the measured "
    "batch size. The ends of the interval let all figures err in the worst and in the best way at once.",
    "CO₂-equivalents are energy times the grid's yearly intensity times the stated PUE.",
)
_NOT_SHOWN = (
    "Hours of people, the making of the machine, networks and disks, and what it took to train the published encoder.",
    "What a hosted service emits: a price says nothing of it.",
    "The grid's hour: the intensity is a yearly average.",
)
