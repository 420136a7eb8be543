"""Which candidate to take: the fastest one that is as good as the best, said with all that has to be said beside it.

A pure function of metrics.json and measurements.json. Recommends only baseline, teacher and students; control and
selftrain are there to answer whether distillation helped. Where the rows are too few it recommends nothing and says
so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.evaluation.distillation import distillation_helped
from workbench.metrics.paired import Difference, holm
from workbench.metrics.scoring import may_be_recommended
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

    def as_good(self) -> list[str]:
        """The best one and those that are non-inferior to it."""
        return [name for name in self.values if name == self.best or self.gaps[name].non_inferior(self.margin)]

    def fastest(self, names: Sequence[str]) -> str:
        """Fewest milliseconds a row; of those whose intervals touch, the smallest; the best where none was timed."""
        timed = sorted((name for name in names if name in self.cost), key=lambda name: self.cost[name][0])
        if not timed:
            return self.best
        tied = [name for name in timed if self.cost[name][1] <= self.cost[timed[0]][2]]
        return min(tied, key=lambda name: (self.sizes.get(name, float("inf")), self.cost[name][0]))


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
    allowed = {name: row for name, row in scores.items() if may_be_recommended(name)}
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
    gaps = {row["candidate"]: difference_from_row(row) for row in aggregate if row["against"] == best}
    missing = Difference(None, None, None, None, 0, "none", "it was not compared with the best one")
    gaps = {name: gaps.get(name, missing) for name in allowed if name != best}
    values = {name: row["value"] for name, row in allowed.items()}
    choice = _Choice(primary, margin, split, values, best, gaps, _milliseconds(measurements), _sizes(measurements))
    candidate = _choose(choice)
    adjusted = _adjusted(choice).get(candidate)
    others = [{"candidate": name, "reason": _reason(choice, candidate, name)} for name in scores if name != candidate]
    sentence = _sentence(choice, candidate, adjusted, helped)
    return said | {"candidate": candidate, "best": best, "p_holm": adjusted, "sentence": sentence, "others": others}


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
    distilled = helped.get(candidate.removesuffix("-int8"))
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
    mine, theirs = choice.cost[candidate][0], choice.cost[name][0]
    if choice.cost[name][1] <= choice.cost[candidate][2] and name in choice.sizes and candidate in choice.sizes:
        sizes = f"{choice.sizes[name]:.1f} MB against {choice.sizes[candidate]:.1f} MB"
        return f"it is larger at about the same speed: {sizes}."
    return f"it needs {_ms(theirs)} ms a row against {_ms(mine)} ({theirs / mine:.1f} times as many)."


def _ms(value: float) -> str:
    """Milliseconds with two significant digits."""
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}"
