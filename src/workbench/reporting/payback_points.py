"""After how many predictions a model with its training has cost less than the alternative: the arithmetic.

A fixed cost F is paid back after F / (a − b) predictions, where the alternative costs a each and the model b. The ends
of the interval put the errors of all three where they do most harm, as if each could err by itself; so “never” is
inside the interval where the model's upper end reaches the alternative's lower end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.recipe.parts import Carbon
from workbench.reporting import spending
from workbench.reporting.emissions import Emission, Range, add
from workbench.reporting.evidence import NOT_MEASURED, Evidence, role
from workbench.reporting.words import significant

TEACHER = "teacher"
DAYS_A_MONTH = 30.4
NOTHING = Range()


@dataclass(frozen=True)
class Payback:
    """Predictions after which the fixed cost is made up for.

    Attributes:
        low: At the earliest; None: never, wherever in their ranges the figures lie.
        central: By the best figures; None: never by these.
        high: At the latest; None: the interval spans never.
    """

    low: float | None
    central: float | None
    high: float | None

    @property
    def verdict(self) -> str:
        """One of ``at once``, ``pays back``, ``may never``, ``not by the best figures``, ``never``."""
        if self.low is None:
            return "never"
        if self.central is None:
            return "not by the best figures"
        if self.high is None:
            return "may never"
        return "at once" if self.high == 0 else "pays back"

    def times(self, factor: float) -> Payback:
        """In another unit, for example months at a volume."""
        return Payback(*(None if end is None else end * factor for end in (self.low, self.central, self.high)))

    def to_json(self) -> dict[str, Any]:
        """The three figures and the verdict; null is never."""
        return {"low": self.low, "central": self.central, "high": self.high, "verdict": self.verdict}


@dataclass(frozen=True)
class Terms:
    """What a person states about use and prices; None where it was not stated.

    Attributes:
        volume: Predictions a month.
        hosted: Name of the hosted service.
        hosted_price: Of 1,000 predictions there.
        currency: ISO 4217 code of all prices.
        kwh_price: Of a kWh.
        hour_price: Of an hour of this machine without electricity.
    """

    volume: float | None = None
    hosted: str | None = None
    hosted_price: float | None = None
    currency: str | None = None
    kwh_price: float | None = None
    hour_price: float | None = None

    @classmethod
    def of(cls, settings: Carbon) -> Terms:
        """As the recipe states them."""
        return cls(**{name: getattr(settings, name) for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Case:
    """One comparison: a candidate with what it took to have it, against an alternative.

    Attributes:
        candidate: Which.
        against: The teacher's name, or the hosted service's.
        what: ``energy``, ``time`` or ``money``.
        scope: ``training`` (labelling and the candidate's own stages) or ``run`` (everything the run took).
        unit: Of the costs: Wh, s or the currency.
        fixed: To have it.
        other: Of one prediction of the alternative.
        own: Of one prediction of the candidate.
        payback: When that pays back.
        reason: Why there is no payback, where there is none.
    """

    candidate: str
    against: str
    what: str
    scope: str
    unit: str
    fixed: Range = NOTHING
    other: Range = NOTHING
    own: Range = NOTHING
    payback: Payback | None = None
    reason: str = ""


@dataclass(frozen=True)
class Cost:
    """Of one prediction: kWh and seconds; None where it was not measured."""

    kwh: Range | None
    seconds: Range | None
    class_: str = "D"
    n: int = 0


def payback(fixed: Range, other: Range, own: Range) -> Payback:
    """After how many predictions a fixed cost is made up for.

    Args:
        fixed: Paid once, not negative, any unit.
        other: Each prediction of the alternative, same unit.
        own: Each prediction of the model, same unit.
    """

    def after(cost: float, saved: float) -> float | None:
        return cost / saved if saved > 0 else None

    return Payback(
        after(fixed.low, other.high - own.low),
        after(fixed.central, other.central - own.central),
        after(fixed.high, other.low - own.high),
    )


def cost(evidence: Evidence, candidate: str) -> Cost:
    """What one prediction of a candidate costs on the machine of the run.

    Args:
        evidence: The run.
        candidate: Whose.
    """
    energy, rate = (evidence.measured(candidate, name) for name in ("energy_wh_per_1000", "rows_per_second"))
    kwh = seconds = None
    if energy and energy.get("value") is not None:
        ends = (energy.get("low"), energy["value"], energy.get("high"))
        kwh = Range(*(float(energy["value"] if end is None else end) for end in ends)).times(1 / 1e6)
    if rate and rate.get("value"):
        ends = (rate.get("high"), rate["value"], rate.get("low"))
        seconds = Range(*(1 / float(end or rate["value"]) for end in ends))
    row = energy or {}
    return Cost(kwh, seconds, str(row.get("class", "D")), int(row.get("n") or 0))


def cases(evidence: Evidence, candidate: str, terms: Terms) -> list[Case]:
    """Every comparison of a candidate that the run's figures and the stated terms allow, or why not.

    Args:
        evidence: The run.
        candidate: Not the teacher.
        terms: What was stated.
    """
    made, all_ = spending.training(evidence, candidate), add(evidence.emissions)
    own, teacher = cost(evidence, candidate), cost(evidence, TEACHER)
    found = []
    for scope, spent in (("training", made), ("run", all_)):
        found.append(_energy(candidate, scope, spent, own, teacher))
        found.append(_time(candidate, scope, spent, own, teacher))
        if terms.hosted_price is not None:
            found.append(_hosted(evidence, candidate, scope, spent, own, terms))
    return found


def _energy(candidate: str, scope: str, spent: Emission, own: Cost, teacher: Cost) -> Case:
    if own.kwh is None or teacher.kwh is None:
        return Case(candidate, TEACHER, "energy", scope, "Wh", reason=_missing(candidate, own.kwh))
    fixed, other, each = (one.times(1000) for one in (spent.energy_kwh, teacher.kwh, own.kwh))
    return Case(candidate, TEACHER, "energy", scope, "Wh", fixed, other, each, payback(fixed, other, each))


def _time(candidate: str, scope: str, spent: Emission, own: Cost, teacher: Cost) -> Case:
    if own.seconds is None or teacher.seconds is None:
        return Case(candidate, TEACHER, "time", scope, "s", reason=_missing(candidate, own.seconds))
    fixed = Range(spent.seconds, spent.seconds, spent.seconds)
    when = payback(fixed, teacher.seconds, own.seconds)
    return Case(candidate, TEACHER, "time", scope, "s", fixed, teacher.seconds, own.seconds, when)


def _missing(candidate: str, own: Range | None) -> str:
    return f"{candidate if own is None else 'the teacher'}: {NOT_MEASURED}"


def _hosted(evidence: Evidence, candidate: str, scope: str, spent: Emission, own: Cost, terms: Terms) -> Case:
    """Against the stated price of a hosted service; who uses that needs no teacher, so its stages count here."""
    against, unit = terms.hosted or "the hosted service", terms.currency or "of your currency"
    if terms.kwh_price is None and terms.hour_price is None:
        reason = "what a kWh and an hour of this machine cost was not stated (carbon.kwh_price, carbon.hour_price)"
        return Case(candidate, against, "money", scope, unit, reason=reason)
    if own.kwh is None or own.seconds is None:
        return Case(candidate, against, "money", scope, unit, reason=f"{candidate}: {NOT_MEASURED}")
    needed = spent
    if scope == "training" and role(candidate) != "baseline":
        needed = add((spent, spending.teaching(evidence)))
    seconds = Range(needed.seconds, needed.seconds, needed.seconds)
    fixed = price(needed.energy_kwh, seconds, terms, evidence.recipe.carbon.pue)
    other = Range(*[(terms.hosted_price or 0.0) / 1000] * 3)
    each = price(own.kwh, own.seconds, terms, evidence.recipe.carbon.pue)
    return Case(candidate, against, "money", scope, unit, fixed, other, each, payback(fixed, other, each))


def price(kwh: Range, seconds: Range, terms: Terms, pue: float) -> Range:
    """What energy and time of this machine cost at the stated prices; what was not stated is not counted."""
    return kwh.times((terms.kwh_price or 0.0) * pue).plus(seconds.times((terms.hour_price or 0.0) / 3600))


def in_words(when: Payback) -> str:
    """When it pays back, as the end of a sentence: ``after about 69,000 predictions (7,000 to 680,000)``."""
    low, central, high = (_predictions(end) for end in (when.low, when.central, when.high))
    if when.verdict == "never":
        return "never: not even where the figures err most in its favour"
    if when.verdict == "at once":
        return "at once: there was nothing to make up for"
    if when.verdict == "not by the best figures":
        return f"not by the best figures; at the earliest after {low} predictions, and the interval spans never"
    if when.verdict == "may never":
        return (
            f"after about {central} predictions by the best figures (at the earliest {low}; the interval spans never)"
        )
    if when.high is not None and when.high <= 1:
        return "with the first prediction"
    return f"after about {central} predictions ({low} to {high})".replace("about 1 predictions", "about 1 prediction")


def span_in_words(when: Payback, volume: float) -> str:
    """The same in calendar time, at so many predictions a month."""
    if when.high is not None and when.high / volume * DAYS_A_MONTH * 24 < 1:
        return "within the first hour"
    low, central, high = (None if end is None else _span(end / volume) for end in (when.low, when.central, when.high))
    if central is None:
        return "never by the best figures"
    return f"after about {central} ({low} to {high or 'never'})"


def _predictions(value: float | None) -> str:
    """A number of predictions: whole below a hundred, two significant digits from there."""
    if value is None or value == 0:
        return "–" if value is None else "0"
    return significant(value, 2) if value >= 99.5 else f"{max(round(value), 1)}"


def _span(months: float) -> str:
    if months * DAYS_A_MONTH < 1:
        hours = months * DAYS_A_MONTH * 24
        return "under an hour" if hours < 1 else _counted(hours, "hour")
    if months < 2:
        return _counted(months * DAYS_A_MONTH, "day")
    return _counted(months, "month") if months < 24 else _counted(months / 12, "year")


def _counted(value: float, unit: str) -> str:
    said = significant(value, 2) if value >= 10 else f"{round(value)}"
    return f"{said} {unit}{'' if said == '1' else 's'}"
