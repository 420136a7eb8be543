"""Which candidate to take: the fastest one that is as good as the best, said with all that has to be said beside it.

A pure function of metrics.json and measurements.json. Recommends only baseline, teacher and students; control and
selftrain are there to answer whether distillation helped. A compressed candidate is among the choices only where the
numbers show that it is as good as what it was made from, within the margin. Where the rows are too few it recommends
nothing and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.evaluation.distillation import distillation_helped
from workbench.metrics.paired import Difference, holm
from workbench.metrics.scoring import made_from, may_be_recommended
from workbench.metrics.wording import (
    ALPHA,
    coverage,
    difference_from_row,
    metric_name,
    noninferiority_sentence,
    p_value,
    points,
    verdict,
)

Row = dict[str, Any]
TEACHER_HEAD = "teacher-head"


@dataclass(frozen=True)
class _Choice:
    """All that the sentences are made of."""

    metric: str
    margin: float
    split: str
    values: dict[str, float]
    best: str
    gaps: dict[str, Difference]
    cost: dict[str, tuple[float, float, float]]
    sizes: dict[str, float]
    refused: dict[str, str]

    def as_good(self) -> list[str]:
        """The best one and those that are non-inferior to it."""
        return [name for name in self.values if name == self.best or self.gaps[name].non_inferior(self.margin)]

    def fastest(self, names: Sequence[str]) -> str:
        """Fewest milliseconds a row; of those whose intervals touch, the smallest; the best where none was timed.

        A head alone goes before the same teacher fine-tuned, which costs as much to use and more to make.
        """
        timed = sorted((name for name in names if name in self.cost), key=lambda name: self.cost[name][0])
        if not timed:
            return self.best
        tied = [name for name in timed if self.cost[name][1] <= self.cost[timed[0]][2]]
        return min(tied, key=lambda name: (self._megabytes(name), name != TEACHER_HEAD, self.cost[name][0]))

    def _megabytes(self, name: str) -> float:
        """Size as it is shown, so that two that are shown as equal are equal."""
        return round(self.sizes.get(name, float("inf")), 1)

    def same_cost(self, name: str, other: str) -> bool:
        """Whether two are as fast, as far as was measured, and as large."""
        as_fast = self.cost[name][1] <= self.cost[other][2] and self.cost[other][1] <= self.cost[name][2]
        return as_fast and self._megabytes(name) == self._megabytes(other)


def recommend(
    metrics: Sequence[Row],
    measurements: Sequence[Row],
    *,
    primary: str = "macro_f1",
    margin: float = 0.01,
    split: str = "test",
) -> dict[str, Any]:
    """Choose a candidate and give the reasons for it and for every other one.

    Args:
        metrics: Rows of metrics.json, with differences against the best candidate (score_run writes them).
        measurements: Rows of measurements.json; rows_per_second and size_mb are used.
        primary: The recipe's primary metric.
        margin: Largest loss in it that is put up with, above 0.
        split: The headline split.

    Returns:
        The content of recommendation.json: candidate (None where nothing can be said, then fallback names the simplest
        one), rule, split, metric, margin, best, chosen_among, p_holm, sentence, others [{candidate, reason}] and
        distillation_helped {student: {helped, sentence, against}}.
    """
    aggregate = [
        row
        for row in metrics
        if (row["split"], row["slice"], row["metric"], row["seed"]) == (split, "all", primary, None)
    ]
    scores = {row["candidate"]: row for row in aggregate if row["against"] is None}
    refused = _lost_too_much(list(scores), aggregate, primary, margin)
    allowed = {name: row for name, row in scores.items() if may_be_recommended(name) and name not in refused}
    helped = distillation_helped(aggregate, margin)
    confidence = next((row["confidence"] for row in aggregate if "confidence" in row), 0.95)
    said: dict[str, Any] = {
        "candidate": None,
        "rule": _rule(primary, margin, split, confidence),
        "split": split,
        "metric": primary,
    }
    said |= {
        "margin": margin,
        "best": None,
        "chosen_among": len(allowed),
        "p_holm": None,
        "distillation_helped": helped,
    }
    why = _nothing(allowed, aggregate)
    if why:
        return said | _unknown(why, list(scores), list(allowed), split)
    best = max(allowed, key=lambda name: allowed[name]["value"])
    values, gaps = {name: row["value"] for name, row in allowed.items()}, _gaps(aggregate, allowed, best)
    cost, sizes = _milliseconds(measurements), _sizes(measurements)
    choice = _Choice(primary, margin, split, values, best, gaps, cost, sizes, refused)
    candidate = _choose(choice)
    adjusted = _adjusted(choice).get(candidate)
    others = [{"candidate": name, "reason": _reason(choice, candidate, name)} for name in scores if name != candidate]
    sentence = _sentence(choice, candidate, adjusted, helped)
    return said | {"candidate": candidate, "best": best, "p_holm": adjusted, "sentence": sentence, "others": others}


def _lost_too_much(scored: Sequence[str], aggregate: Sequence[Row], metric: str, margin: float) -> dict[str, str]:
    """The compressed candidates that are not shown to be as good as what they were made from, each with its reason."""
    found = {}
    for name in scored:
        original = made_from(name)
        if original is None:
            continue
        pair = (row for row in aggregate if row["candidate"] == name and row["against"] == original)
        uncompared = Difference(None, None, None, None, 0, "none", f"it was not compared with {original}")
        gap = next(map(difference_from_row, pair), uncompared)
        if gap.non_inferior(margin):
            continue
        sure = gap.high is not None and gap.high < -margin
        lost = "It loses more than the margin" if sure else "That it loses more than the margin cannot be excluded"
        said = noninferiority_sentence(name, original, metric, gap, margin)
        found[name] = f"{lost}: {said[:1].lower()}{said[1:]}"
    return found


def _gaps(aggregate: Sequence[Row], allowed: Iterable[str], best: str) -> dict[str, Difference]:
    """Each allowed candidate's difference to the best one."""
    found = {row["candidate"]: difference_from_row(row) for row in aggregate if row["against"] == best}
    missing = Difference(None, None, None, None, 0, "none", "it was not compared with the best one")
    return {name: found.get(name, missing) for name in allowed if name != best}


def _rule(metric: str, margin: float, split: str, confidence: float) -> str:
    """The rule in words."""
    return (
        "The fewest milliseconds a row (ties by size) among the candidates whose "
        f"{metric_name(metric)} on {split} is within {points(margin)} points of the best one's, "
        f"by the lower bound of the {100 * confidence:g} % interval of the paired difference; "
        "the baseline, where it is one of them."
    )


def _nothing(allowed: dict[str, Row], aggregate: Sequence[Row]) -> str:
    """Why nothing can be recommended, or nothing."""
    if not allowed:
        return "no candidate was scored on it"
    hidden = [row for row in allowed.values() if row["value"] is None]
    if hidden:
        return str(hidden[0].get("reason", "no figure is given"))
    compared = [row for row in aggregate if row["against"] is not None]
    if len(allowed) > 1 and not any(row["low"] is not None for row in compared):
        return str(next((row["reason"] for row in compared if row.get("reason")), "no two candidates were compared"))
    return ""


def _unknown(why: str, scored: list[str], allowed: list[str], split: str) -> dict[str, Any]:
    """What is said where nothing can be said."""
    fallback = "baseline" if "baseline" in allowed else (allowed[0] if allowed else None)
    kept = (
        f" {fallback} is kept because it is the simplest, not because it was shown to be as good." if fallback else ""
    )
    sentence = f"No candidate can be recommended from {split}: {why}.{kept} More labelled test rows would change that."
    others = [{"candidate": name, "reason": f"not judged: {why}"} for name in scored]
    return {"fallback": fallback, "sentence": sentence, "others": others}


def _milliseconds(measurements: Sequence[Row]) -> dict[str, tuple[float, float, float]]:
    """Milliseconds a row at the best batch, with bounds, of every candidate that was measured."""
    rates = {row["candidate"]: row for row in measurements if row["quantity"] == "rows_per_second" and row.get("value")}
    return {
        name: (1e3 / row["value"], 1e3 / (row["high"] or row["value"]), 1e3 / (row["low"] or row["value"]))
        for name, row in rates.items()
    }


def _sizes(measurements: Sequence[Row]) -> dict[str, float]:
    """Megabytes of every candidate that was measured."""
    return {
        row["candidate"]: row["value"]
        for row in measurements
        if row["quantity"] == "size_mb" and row.get("value") is not None
    }


def _choose(choice: _Choice) -> str:
    """The rule."""
    as_good = choice.as_good()
    return "baseline" if "baseline" in as_good else choice.fastest(as_good)


def _adjusted(choice: _Choice) -> dict[str, float]:
    """Holm-adjusted p of “worse than the best by the margin or more”, over all candidates but the best."""
    tested = {name: gap.p_noninferior for name, gap in choice.gaps.items() if gap.p_noninferior is not None}
    return dict(zip(tested, holm(list(tested.values())), strict=True))


def _sentence(choice: _Choice, candidate: str, adjusted: float | None, helped: dict[str, Any]) -> str:
    """The recommendation in words: what, why, at what price, and what has to be known beside it."""
    parts = [_why(choice, candidate)]
    if candidate == "baseline" and len(choice.values) > 1:
        parts.append("No distillation was needed.")
    if len(choice.values) > 1:
        parts.append(_chosen(choice, candidate, adjusted))
    original = made_from(candidate)
    if original is not None:
        parts.append(f"It was made from {original}, to which it is shown to lose less than the margin.")
    distilled = helped.get(made_from(candidate) or candidate)
    if distilled is not None and distilled["helped"] is not True:
        parts.append(distilled["sentence"])
    return " ".join(parts)


def _why(choice: _Choice, candidate: str) -> str:
    """The reason for the chosen one."""
    name, value = metric_name(choice.metric), choice.values[candidate]
    if len(choice.values) == 1:
        found = f"{candidate} is the only candidate: {name} {value:.3f} on {choice.split}."
        return f"{found} There is nothing to choose it over."
    if candidate == choice.best:
        found = f"{candidate} is recommended: it has the highest {name} on {choice.split} ({value:.3f})"
    else:
        found = (
            f"{candidate} is recommended: its {name} on {choice.split} ({value:.3f}) is within "
            f"{points(choice.margin)} points of the best one's ({choice.best}, {choice.values[choice.best]:.3f}), "
            f"as far as a {coverage(choice.gaps[candidate])} shows"
        )
    as_good = choice.as_good()
    if len(as_good) == 1:
        found = f"{found}, and no other candidate is shown to be as good within {points(choice.margin)} points"
        worse = any(verdict(gap) == "worse" for gap in choice.gaps.values())
        return f"{found}." if worse else f"{found}; nor is one shown to be worse, the test is too small for either."
    if candidate not in choice.cost:
        return f"{found}. Its speed was not measured."
    speed = f"{_ms(choice.cost[candidate][0])} ms a row"
    if candidate == "baseline":
        return f"{found}, at {speed}."
    return f"{found}, and of the {len(as_good)} candidates that are as good it needs the fewest milliseconds ({speed})."


def _chosen(choice: _Choice, candidate: str, adjusted: float | None) -> str:
    """That it was chosen on the same rows that it is judged on."""
    found = f"It was chosen on {choice.split} itself among {len(choice.values)} candidates"
    if candidate == choice.best or adjusted is None:
        return f"{found}, which flatters its figure a little."
    if adjusted >= ALPHA:
        tail = f"being as good is not shown ({p_value(adjusted)}): confirm it on new rows."
        return f"{found}; adjusted for that (Holm), {tail}"
    return f"{found}; adjusted for that (Holm), {p_value(adjusted)} for being worse by more than the margin."


def _reason(choice: _Choice, candidate: str, name: str) -> str:
    """Why another candidate was not chosen."""
    if not may_be_recommended(name):
        return "A comparison that shows what distillation adds; it is not recommended itself."
    if name in choice.refused:
        return choice.refused[name]
    if name == choice.best:
        highest = f"It has the highest {metric_name(choice.metric)} ({choice.values[name]:.3f})"
        return f"{highest}, but {_dearer(choice, candidate, name)}"
    if not choice.gaps[name].non_inferior(choice.margin):
        return noninferiority_sentence(name, choice.best, choice.metric, choice.gaps[name], choice.margin)
    return f"As good within {points(choice.margin)} points, but {_dearer(choice, candidate, name)}"


def _dearer(choice: _Choice, candidate: str, name: str) -> str:
    """What speaks for the chosen one against one that is as good."""
    if candidate == "baseline":
        return "the baseline is as good and needs no teacher."
    if name not in choice.cost or candidate not in choice.cost:
        return f"its speed was not measured against {candidate}'s."
    if candidate == TEACHER_HEAD and choice.same_cost(name, candidate):
        return f"{candidate} is as good at the same speed and size, and needs no fine-tuning."
    mine, theirs = choice.cost[candidate][0], choice.cost[name][0]
    if choice.cost[name][1] <= choice.cost[candidate][2] and name in choice.sizes and candidate in choice.sizes:
        sizes = f"{choice.sizes[name]:.1f} MB against {choice.sizes[candidate]:.1f} MB"
        return f"it is larger at about the same speed: {sizes}."
    return f"it needs {_ms(theirs)} ms a row against {_ms(mine)} ({theirs / mine:.1f} times as many)."


def _ms(value: float) -> str:
    """Milliseconds with two significant digits."""
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}"
