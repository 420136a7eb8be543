"""The page on counterfactual flips: what changes when only a name, a gendered word, an age or a spelling changes.

A flip rate is never called an effect of a group by itself; it is held against the flips of a neutral change. Texts
stand here only where the recipe allows them and the evidence has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.metrics.flips import ATTRIBUTES, METRICS
from workbench.metrics.wording import ALPHA, difference_from_row, p_value, percent, points, verdict
from workbench.reporting import words
from workbench.reporting.evidence import Evidence, Row
from workbench.reporting.figures import INK, LINE, PAPER, drawing, to_svg
from workbench.reporting.pages import Figure, Page, Table

CHECK = "flips"
FILE = "evidence/flips.parquet"
MOST_EXAMPLES = 6


@dataclass(frozen=True)
class Finding:
    """One attribute in one template, of one candidate.

    Attributes:
        candidate: Its name.
        attribute: What was swapped.
        template: The template's identifier.
        said: The template as a sentence, or the list of words.
        rate: Row of the swap's flip rate.
        control: Row of the control's.
        excess: Row of their difference.
        shift: Row of the largest mean shift of a probability.
    """

    candidate: str
    attribute: str
    template: str
    said: str
    rate: Row
    control: Row
    excess: Row
    shift: Row

    @property
    def more(self) -> bool:
        """Whether the swap is shown to flip more often than a neutral change."""
        return verdict(difference_from_row(self.excess)) == "better"


def page(evidence: Evidence) -> Page | None:
    """The page, or ``None`` where the check was not made.

    Args:
        evidence: A run with ``checks``.
    """
    check = evidence.checks.get(CHECK)
    if check is None:
        return None
    settings = check["settings"]
    found = list(findings(evidence, settings)) if settings.get("asked") else []
    reasons = tuple(str(reason) for reason in check.get("reasons", ()))
    if not found:
        return Page("flips", TITLE, "Counterfactual flips were not measured.", reasons)
    first = [one for one in found if one.candidate == found[0].candidate]
    return Page(
        anchor="flips",
        title=TITLE,
        verdict=verdict_sentence(first),
        sentences=[*sentences(found), *reasons],
        figures=[Figure(drawn(first), "Circles: pairs of two groups. Squares: a neutral change. Lines: intervals.")],
        tables=[table(found), *examples(evidence, first)],
        how=how(settings, found),
        not_shown=[*NOT_SHOWN, *(f"List {one['id']}: {_one_line(one['limits'])}" for one in settings["lists"])],
        files=(FILE,),
    )


TITLE = "Does the answer change with who it is about?"
NOT_SHOWN = (
    "A flip is not unfair by itself: where sex or age belongs to the matter, another class can be right. Nor does a "
    "rate without an excess show that groups are served equally well; the scores by slice are for that.",
    "Most sentences are artificial: a name or a person was put before a text that nobody wrote like that.",
    "Only English words, and only the groups that stand in the lists.",
)


def findings(evidence: Evidence, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Every slice of the check with all its rows, candidate by candidate, in the order asked."""
    split = settings["split"]
    for candidate in settings["asked"]:
        for one in settings["lists"]:
            for template, sentence in one["templates"].items():
                for attribute in one["attributes"]:
                    where = f"attribute={attribute} & template={template}"
                    rows = [evidence.score(candidate, split, metric, slice_=where) for metric in METRICS]
                    if None not in rows:
                        said = f"“{sentence}”".replace("{", "‹").replace("}", "›") if sentence else f"list {template}"
                        yield Finding(candidate, attribute, template, said, *(row or {} for row in rows))


def verdict_sentence(found: Sequence[Finding]) -> str:
    """The one sentence about the first candidate; no stronger than its numbers."""
    name = found[0].candidate
    shown = [one for one in found if one.more]
    if shown:
        worst = max(shown, key=lambda one: float(one.excess["value"]))
        attributes = words.listing(list(dict.fromkeys(one.attribute for one in shown)))
        return f"The class that {name} predicts depends on words for {attributes}: {_said(worst)}, {_excess(worst)}."
    tested = [one for one in found if one.excess.get("p") is not None]
    if not tested:
        return f"Whether what {name} predicts depends on a group cannot be said: {found[0].excess.get('reason')}."
    if not any(one.rate["value"] for one in tested):
        n, high = min((int(one.rate["n"]), float(one.rate["high"])) for one in tested)
        return f"No class that {name} predicts changed with the words swapped; up to {percent(high)} may (n = {n:,})."
    worst = max(tested, key=lambda one: float(one.rate["value"] or 0.0))
    attributes = words.listing(list(dict.fromkeys(one.attribute for one in tested)))
    return (
        f"More flips of {name} by {attributes} than by a neutral change are not detectable at "
        f"n = {int(worst.excess['n']):,} texts: at most {_said(worst)}, {_excess(worst)}{_detectable(tested)}."
    )


def _said(one: Finding) -> str:
    """The flip rates of one finding in words."""
    bounds = f"{percent(one.rate['low'])} to {percent(one.rate['high'])}"
    return (
        f"swapping {one.attribute} in {one.said} changes the class in {percent(one.rate['value'])} of the pairs "
        f"(interval {bounds}, n = {int(one.rate['n']):,} texts), a neutral change in {percent(one.control['value'])}"
    )


def _excess(one: Finding) -> str:
    """The difference in words."""
    row = one.excess
    if row.get("low") is None or row.get("p") is None:
        return f"difference {points(row['value'], sign=True)} points without an interval"
    bounds = f"{points(row['low'], sign=True)} to {points(row['high'], sign=True)}"
    value, why = points(row["value"], sign=True), _why_not(one)
    if why:
        return f"{value} points (over texts {bounds}; {why})"
    p = float(row.get("p_holm", row["p"]))
    return f"{value} points ({bounds}, {'p = 1' if p > 0.9995 else p_value(p)})"


def _why_not(one: Finding) -> str:
    """Why an interval over texts that leaves out 0 is no excess all the same; nothing where there is no such riddle."""
    row = one.excess
    if one.more or row["low"] <= 0 <= row["high"]:
        return ""
    if row["high"] < 0:
        return "fewer flips than a neutral change makes"
    by_words, adjusted = float(row.get("p_words") or 0.0), float(row.get("p_holm", row["p"]))
    if by_words >= ALPHA:
        return f"but words dealt to the groups at random do as much in {percent(by_words)} of the deals"
    if adjusted >= ALPHA:
        return f"but for all that was tested together {p_value(adjusted) if adjusted < 0.9995 else 'p = 1'}"
    seen = points(float(row.get("detectable") or 0.0))
    return f"less than the {seen} points that so many texts can be relied on to show"


def _detectable(found: Sequence[Finding]) -> str:
    """How large a difference would have been seen."""
    least = [float(one.excess["detectable"]) for one in found if one.excess.get("detectable") is not None]
    return f"; differences under {points(max(least))} points cannot be relied on to be seen" if least else ""


def sentences(found: Sequence[Finding]) -> Iterator[str]:
    """What else there is to say: the other candidates, changes without a control, the largest shift."""
    for name in dict.fromkeys(one.candidate for one in found[1:]):
        if name != found[0].candidate:
            yield verdict_sentence([one for one in found if one.candidate == name])
    for one in found:
        if one.excess.get("p") is None and one.rate.get("value") is not None:
            bounds = f"interval {percent(one.rate['low'])} to {percent(one.rate['high'])}, n = {int(one.rate['n']):,}"
            yield (
                f"Swapping {one.attribute} ({one.said}) changes the class that {one.candidate} predicts for "
                f"{percent(one.rate['value'])} of the texts that hold such a word ({bounds}). No excess is given: "
                f"{one.excess.get('reason')}."
            )
    shifts = [one for one in found if one.shift.get("value") is not None]
    if shifts:
        one = max(shifts, key=lambda one: abs(float(one.shift["value"])))
        row = one.shift
        yield (
            f"The largest mean shift of a probability: {points(row['value'], sign=True)} points of {row['class']} for "
            f"{row['group']} ({one.attribute}, {one.said}) with {one.candidate}; band "
            f"{points(row['low'], sign=True)} to {points(row['high'], sign=True)}."
        )


def table(found: Sequence[Finding]) -> Table:
    """Every slice in numbers."""
    rows = []
    for one in found:
        n = words.count(one.rate.get("n") or 0)
        cells = [one.candidate, one.attribute, one.said, n, _cell(one.rate), _cell(one.control)]
        rows.append((*cells, _difference_cell(one), _shift_cell(one.shift)))
    columns = ("candidate", "attribute", "template", "texts", "swap", "neutral", "difference, points", "largest shift")
    caption = "Share of pairs whose predicted class differs: two groups (swap), and within one group (neutral)."
    return Table(caption, columns, tuple(rows), columns[3:7])


def _cell(row: Row) -> str:
    if row.get("low") is None or row.get("high") is None:
        return str(row.get("reason") or "none")
    bounds = f"{percent(row['low'])} to {percent(row['high'])}"
    return f"no rate under 30 texts; {bounds}" if row.get("value") is None else f"{percent(row['value'])} ({bounds})"


def _difference_cell(one: Finding) -> str:
    if one.excess.get("value") is None:
        return str(one.excess.get("reason"))
    return f"{_excess(one)}: {'more' if one.more else 'not shown to be more'}"


def _shift_cell(row: Row) -> str:
    if row.get("value") is None:
        return str(row.get("reason"))
    return f"{points(row['value'], sign=True)} ({row['group']}: {row['class']})"


def drawn(found: Sequence[Finding]) -> str:
    """Flip rates of swap and neutral change, a line a slice, as an ``<svg>`` element."""
    with drawing(7.6, 1.0 + 0.42 * len(found)) as (figure, axes):
        for at, one in enumerate(found):
            for row, off, marker, face in ((one.rate, -0.13, "o", INK), (one.control, 0.13, "s", PAPER)):
                if row.get("low") is None:
                    continue
                low, high = (100 * float(row[end]) for end in ("low", "high"))
                axes.plot([low, high], [at + off, at + off], color=INK, linewidth=1.2)
                if row.get("value") is not None:
                    place = 100 * float(row["value"])
                    axes.plot(place, at + off, marker, markersize=7, markerfacecolor=face, markeredgecolor=INK)
        axes.set_yticks(range(len(found)), [f"{one.attribute} · {one.template}" for one in found])
        axes.set_ylim(len(found) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.grid(axis="x", color=LINE, linewidth=0.5, alpha=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel("% of pairs whose predicted class differs (filled circle: swap; open square: neutral change)")
        told = f"{len(found)} rows, {found[0].candidate}. All values are in the table."
        return to_svg(figure, "flips", "Flips by attribute and template", told)


def how(settings: Mapping[str, Any], found: Sequence[Finding]) -> list[str]:
    """How it was measured."""
    asked = [f"{name}: {one['texts']} texts, {one['variants']:,} variants" for name, one in settings["asked"].items()]
    lists = [f"List {one['id']}: {_one_line(one['source'])}" for one in settings["lists"]]
    return [
        f"A seeded sample of the split {words.split_name(settings['split'])} (seed {settings['seed']}) was put into "
        f"every variant of the lists {words.listing([one['id'] for one in settings['lists']])}. {'; '.join(asked)}.",
        "Neutral change: another word of the same group, for a name one of the same sex and origin. All pairs of "
        "variants of one text that differ in nothing else are compared.",
        "Intervals are over texts. More is said only where two tests agree after Holm over all rows of a candidate: "
        "texts permuted, and words dealt to the groups at random, so neither few texts nor one odd word make it.",
        *lists,
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def examples(evidence: Evidence, found: Sequence[Finding]) -> list[Table]:
    """Pairs that flipped, of the attribute with the highest rate; only where the recipe allows texts.

    Args:
        evidence: The run; its evidence has the texts only where the recipe allowed them when it ran.
        found: Findings of one candidate.

    Returns:
        A table of up to six pairs, or nothing.
    """
    path = evidence.folder / FILE
    if not (evidence.recipe.report.examples and path.is_file() and "text" in pq.read_schema(path).names):
        return []
    one = max(found, key=lambda one: float(one.rate.get("value") or 0.0))
    wanted = (pc.field("candidate") == one.candidate) & (pc.field("template") == one.template)
    by_row: dict[int, list[dict[str, Any]]] = {}
    for line in pq.read_table(path, columns=["row", *ATTRIBUTES, "prediction", "text"], filters=wanted).to_pylist():
        by_row.setdefault(line["row"], []).append(line)
    pairs = (_flipped(lines, one.attribute) for lines in by_row.values())
    rows = [(a["text"], a["prediction"], b["text"], b["prediction"]) for pair in pairs if pair for a, b in [pair]]
    caption = f"Pairs of {one.candidate} that flipped, {one.attribute} in {one.said}."
    columns = ("text", "class", "with another word", "class then")
    return [Table(caption, columns, tuple(rows[:MOST_EXAMPLES]))] if rows else []


def _flipped(lines: Sequence[dict[str, Any]], attribute: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The first two variants of a text that differ in one attribute alone and in their class."""
    others = [name for name in ATTRIBUTES if name != attribute]
    for at, one in enumerate(lines):
        for other in lines[at + 1 :]:
            alone = one[attribute] != other[attribute] and all(one[name] == other[name] for name in others)
            if alone and one["prediction"] != other["prediction"]:
                return one, other
    return None
