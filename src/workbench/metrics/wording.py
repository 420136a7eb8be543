"""The sentences that numbers allow.

“Better” and “worse” stand only where the (adjusted) p is below 5 %, the interval leaves out 0 and the difference is
one that this many rows could be relied on to show. “As good as” stands only for non-inferiority within a margin,
“equal” only where the whole interval lies inside it, “no difference” never. Everything else is “not detectable at
n = …”. A rate of nothing is “none of n”, with what it may still be. A point is a hundredth of the score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from workbench.metrics.intervals import Interval
from workbench.metrics.paired import Difference
from workbench.metrics.proportions import rows_to_exclude
from workbench.metrics.seeds import Spread

Verdict = Literal["better", "worse", "not detectable", "unknown"]
Word = Literal["better", "worse", "as good", "equal", "no difference"]
FEWEST = 30
"""Below this many rows no rate is given as a figure of its own."""
ALPHA = 0.05

_NAMES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "weighted_f1": "weighted F1",
    "log_loss": "log loss",
    "consistency_all_seeds": "share of rows on which all seeds agree",
    "consistency_two_seeds": "share of rows on which two seeds agree",
}


def metric_name(metric: str) -> str:
    """A metric's name in a sentence.

    Args:
        metric: Its name in a row of metrics.json.

    Returns:
        For example macro-F1, top-3 accuracy, F1 of <class>.
    """
    if metric.startswith("f1:"):
        return f"F1 of {metric.removeprefix('f1:')}"
    if metric.startswith("top_"):
        return f"top-{metric.split('_')[1]} accuracy"
    return _NAMES.get(metric, metric)


def points(value: float, *, sign: bool = False) -> str:
    """A difference in points, hundredths of a score; never “0.0” for something that is not 0, and no sign for 0.

    Args:
        value: As a share: .012 is 1.2 points.
        sign: Whether a plus is written.

    Returns:
        For example 1.2, or +1.2.
    """
    hundred = 100 * value
    if abs(hundred) < 1e-9:
        return "0.0"
    places = 1 if abs(hundred) >= 0.05 else max(2, math.ceil(-math.log10(abs(hundred))))
    return f"{hundred:{'+' if sign else ''}.{places}f}".replace("-", "−")


def percent(share: float) -> str:
    """A share in per cent; never “0 %” or “100 %” for what is neither.

    Args:
        share: In [0, 1].

    Returns:
        For example 12.3 %, 0.48 %, under 0.01 %, over 99.99 %.
    """
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    near = 100 * min(share, 1 - share)
    if near < 0.01:
        return "under 0.01 %" if share < 0.5 else "over 99.99 %"
    return f"{100 * share:.{1 if near >= 1 else 2}f} %"


def p_value(p: float) -> str:
    """A p-value in words.

    Args:
        p: In [0, 1].

    Returns:
        For example p = 0.013, or p < 0.001.
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def interval_from_row(row: Mapping[str, Any]) -> Interval:
    """The interval that a row of metrics.json holds.

    Args:
        row: A row without `against`, of the file or of a pandas frame made from it, where what is absent is NaN.

    Returns:
        The interval.
    """
    known = {name: value for name, value in row.items() if value is not None and value == value}
    return Interval(
        known.get("value"),
        known.get("low"),
        known.get("high"),
        int(row["n"]),
        known.get("method", "none"),
        known.get("reason", ""),
        known.get("confidence", 0.95),
    )


def difference_from_row(row: Mapping[str, Any]) -> Difference:
    """The difference that a row of metrics.json holds, with the p adjusted for several claims where there is one.

    Args:
        row: A row with `against`, of the file or of a pandas frame made from it, where what is absent is NaN.

    Returns:
        The difference.
    """
    known = {name: value for name, value in row.items() if value is not None and value == value}
    p = known.get("p_holm", known.get("p"))
    ends = (known.get("value"), known.get("low"), known.get("high"))
    return Difference(
        *ends,
        p,
        int(row["n"]),
        known.get("method", "none"),
        known.get("reason", ""),
        known.get("detectable"),
        known.get("discordant"),
        known.get("p_noninferior"),
        known.get("confidence", 0.95),
    )


def verdict(difference: Difference) -> Verdict:
    """What a difference allows to be said.

    Args:
        difference: The first less the second, with a p that is already adjusted where there are several claims.

    Returns:
        better, worse, not detectable; unknown where there is no interval.
    """
    value, low, high, p = difference.value, difference.low, difference.high, difference.p
    if value is None or low is None or high is None or p is None:
        return "unknown"
    if p >= ALPHA or low <= 0 <= high or abs(value) < (difference.detectable or 0.0):
        return "not detectable"
    return "better" if value > 0 else "worse"


def require(word: Word, difference: Difference, margin: float) -> None:
    """Refuse a word that the numbers do not carry.

    Args:
        word: What somebody wants to write.
        difference: The numbers.
        margin: Largest difference that counts as none, above 0.

    Raises:
        ValueError: If the word is not carried; the message says what is.
    """
    inside = (
        difference.low is not None
        and difference.high is not None
        and -margin < difference.low
        and difference.high < margin
    )
    carried = {
        "better": verdict(difference) == "better",
        "worse": verdict(difference) == "worse",
        "as good": bool(difference.non_inferior(margin)),
        "equal": inside,
        "no difference": False,
    }
    if not carried[word]:
        allowed = [one for one, yes in carried.items() if yes] or [verdict(difference)]
        raise ValueError(f"the numbers do not carry {word!r}; they carry: {', '.join(allowed)} (n = {difference.n:,})")


def score_sentence(name: str, metric: str, interval: Interval) -> str:
    """A score with its interval, or why there is none.

    Args:
        name: The candidate.
        metric: Name of the metric.
        interval: The score.

    Returns:
        One sentence.
    """
    subject, n = f"The {metric_name(metric)} of {name}", f"n = {interval.n:,}"
    if interval.value is None:
        bounds = "" if interval.low is None else f"; it lies between {interval.low:.2f} and {interval.high:.2f}"
        return f"{subject} is not given: {interval.reason}{bounds}."
    if interval.low is None:
        return f"{subject} is {interval.value:.3f} ({n}; no interval: {interval.reason})."
    bounds = f"{coverage(interval)} {interval.low:.3f} to {interval.high:.3f}"
    return f"{subject} is {interval.value:.3f} ({bounds}, {n})."


def rate_sentence(what: str, hits: int, interval: Interval) -> str:
    """How many of n, with the rate's interval; none of n is not “never”, and a few are no rate.

    Args:
        what: What is counted and what happened, as after “3 of 120”: “predictions changed”.
        hits: How many.
        interval: The rate, for example from workbench.metrics.rate(hits, n).

    Returns:
        One sentence.
    """
    n = f"{interval.n:,}"
    if interval.n == 0 or interval.low is None or interval.high is None:
        counted = f"{hits:,} of {n} {what}" if interval.n else f"Nothing was counted ({what})"
        return f"{counted}; no interval: {interval.reason}."
    bounds = f"{coverage(interval)} {percent(interval.low)} to {percent(interval.high)}"
    if hits == 0:
        return f"None of {n} {what}; the rate may still be up to {percent(interval.high)} ({coverage(interval)})."
    if hits == interval.n:
        return f"All {n} {what}; the rate may still be as low as {percent(interval.low)} ({coverage(interval)})."
    if interval.n < FEWEST or interval.value is None:
        return f"{hits:,} of {n} {what}, too few for a rate ({bounds})."
    return f"{hits:,} of {n} {what}: {percent(interval.value)} ({bounds})."


def needed_sentence(rate: float, confidence: float = 0.95) -> str:
    """How many rows without an event would rule out a rate.

    Args:
        rate: The rate that shall be ruled out, in (0, 1).
        confidence: Coverage of the two-sided interval.

    Returns:
        One sentence.
    """
    n = rows_to_exclude(rate, confidence)
    return f"To rule out a rate of {percent(rate)}, {n:,} independent rows without one are needed."


def seeds_sentence(name: str, metric: str, spread: Spread, interval: Interval) -> str:
    """The mean over seeds, how far the seeds lie apart, and the interval that holds both rows and seeds.

    Args:
        name: The candidate.
        metric: Name of the metric.
        spread: Of the seeds' scores.
        interval: The mean with its interval.

    Returns:
        One sentence.
    """
    subject = f"The {metric_name(metric)} of {name}"
    if spread.sd is None:
        return f"{subject} is {spread.mean:.3f} for one seed; how much another seed would change is not known."
    ends = f"standard deviation {points(spread.sd)} points, {spread.low:.3f} to {spread.high:.3f}"
    said = f"{subject} is {spread.mean:.3f} on average over {len(spread.points)} seeds ({ends})"
    if interval.low is None or interval.high is None:
        return f"{said}; no interval: {interval.reason or 'none was computed'}."
    bounds = f"{interval.low:.3f} to {interval.high:.3f}"
    return f"{said}; other rows and other seeds together: {coverage(interval)} {bounds}, n = {interval.n:,}."


def consistency_sentence(name: str, seeds: int, interval: Interval) -> str:
    """On how many rows the models of all seeds agree.

    Args:
        name: The candidate.
        seeds: Number of seeds.
        interval: Share of rows on which all of them predict the same class.

    Returns:
        One sentence.
    """
    if interval.value is None or interval.low is None or interval.high is None:
        return f"How often the seeds of {name} agree is not given: {interval.reason or 'no interval'}."
    bounds = f"{coverage(interval)} {percent(interval.low)} to {percent(interval.high)}, n = {interval.n:,}"
    same = f"All {seeds} seeds of {name} predict the same class for {percent(interval.value)} of the rows ({bounds})"
    return f"{same}."


def coverage(numbers: Interval | Difference) -> str:
    """What the bounds are called.

    Args:
        numbers: An interval or a difference.

    Returns:
        For example “95 % interval”.
    """
    return f"{100 * numbers.confidence:g} % interval"


def comparison_sentence(name: str, other: str, metric: str, difference: Difference) -> str:
    """Whether one candidate is better than another, in the only words that the numbers carry.

    Args:
        name: The first candidate.
        other: The second.
        metric: Name of the metric.
        difference: The first less the second.

    Returns:
        One sentence.
    """
    said, where, n = verdict(difference), metric_name(metric), f"n = {difference.n:,}"
    if said == "unknown" or difference.p is None:
        return f"{name} and {other} cannot be compared in {where}: {difference.reason or 'no interval'}."
    numbers = f"{_measured(difference)}, {p_value(difference.p)}"
    if said != "not detectable":
        return f"{name} is {said} than {other} in {where}: {numbers}, {n}."
    seen = ""
    if difference.detectable is not None:
        seen = f"; differences under {points(difference.detectable)} points cannot be relied on to be seen"
    return f"A difference between {name} and {other} in {where} is not detectable at {n}: {numbers}{seen}."


def noninferiority_sentence(name: str, other: str, metric: str, difference: Difference, margin: float) -> str:
    """Whether one candidate is as good as another within a margin.

    Args:
        name: The first candidate.
        other: The second.
        metric: Name of the metric.
        difference: The first less the second.
        margin: Largest loss that is put up with, above 0.

    Returns:
        One sentence.
    """
    within = f"within {points(margin)} points in {metric_name(metric)}"
    if difference.low is None or difference.high is None:
        return f"Whether {name} is as good as {other} {within} cannot be said: {difference.reason or 'no interval'}."
    numbers = f"{_measured(difference)}, n = {difference.n:,}"
    if difference.low > -margin:
        return f"{name} is as good as {other} {within}: {numbers}."
    if difference.high < -margin:
        return f"{name} is more than {points(margin)} points below {other} in {metric_name(metric)}: {numbers}."
    return f"It is not shown that {name} is as good as {other} {within}: {numbers}."


def _measured(difference: Difference) -> str:
    """The difference and its interval in points."""
    if difference.value is None or difference.low is None or difference.high is None:
        return "no interval"
    bounds = f"{points(difference.low, sign=True)} to {points(difference.high, sign=True)}"
    return f"{points(difference.value, sign=True)} points ({coverage(difference)} {bounds})"
