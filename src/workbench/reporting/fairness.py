"""The page “For whom does it fail?”: error rates by group, whether they differ at all, slices that were found.

A group is named as the worst only where the test says that groups differ and that it errs more than the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.metrics.wording import p_value, percent, points
from workbench.reporting import words
from workbench.reporting.evidence import Evidence, Row
from workbench.reporting.fairness_groups import ABSTAINED, ERROR, EVEN, Groups, groups_of, marked, rate, said
from workbench.reporting.fairness_tables import figures, overview, table
from workbench.reporting.pages import Page

ANCHOR, TITLE = "fairness", "For whom does it fail?"
HOW = (
    "The error rate of a group is the share of its rows that are sorted wrong, by fairlearn's MetricFrame; the gap is "
    "the highest less the lowest, the ratio the lowest over the highest.",
    "No figure is given for a group of fewer than 30 rows: where rows are independent its exact bounds, else nothing.",
    "Intervals come from resampling groups of rows that belong together, or rows. Those of gap, ratio and worst rate "
    "are simultaneous bands, because the largest of many noisy differences is too large: they hold whichever group is "
    "truly the worst. Beside the gap stands the gap that chance alone gives between groups of these sizes.",
    "Whether groups differ at all is tested by permuting group labels (where rows belong together, by changing the "
    "signs of their sums); p is adjusted for groups, attributes, intersections and the search for further slices.",
    "With the class mix evened out, every class counts in every group with its share of all rows.",
    "Further slices are searched by a small tree on one half of the test and tested on the other half.",
)
SEEDS = "Every row counts with its mean over the seeds; how much the seeds themselves differ is not in these intervals."
NOT_SHOWN = (
    "A slice is not a person: groups hold what the table's columns say, and people belong to many groups at once.",
    "A raw gap can come from the mix of classes alone: a group with more of the hard classes errs more. The rate with "
    "the mix evened out takes that out, and nothing else that the groups differ in.",
    "Why a group fails, and whether the errors harm it more than others, is not measured.",
    "Labels are taken as right: where one group's labels are wrong more often, that looks like the model's error.",
    "A difference that is not detectable is not shown to be absent.",
)


def page(evidence: Evidence) -> Page | None:
    """The page, or nothing where the run holds no such evidence.

    Args:
        evidence: The run.
    """
    name = evidence.recommended
    if name is None:
        return None
    every = list(groups_of(evidence, name))
    found = evidence.score(name, evidence.headline, "found", slice_="found=*")
    if not every and found is None and not _reasons(evidence):
        return None
    singles = [one for one in every if one.single]
    return Page(
        ANCHOR,
        TITLE,
        verdict(evidence, name, singles),
        sentences=[*_sentences(evidence, name, every), *_found(evidence, name, found), *_reasons(evidence)],
        figures=figures(evidence, name, singles),
        tables=[*overview(evidence, name, every), *(table(evidence, name, one) for one in every)],
        how=(*HOW, *((SEEDS,) if len(evidence.seeds) > 1 else ())),
        not_shown=NOT_SHOWN,
        files=_files(evidence),
    )


def verdict(evidence: Evidence, name: str, singles: Sequence[Groups]) -> str:
    """The page's sentence, no stronger than the test.

    Args:
        evidence: The run.
        name: The candidate.
        singles: Its attributes.
    """
    for one in sorted((one for one in singles if one.differ), key=lambda one: float(one.gap["p_holm"])):
        worst = evidence.score(name, evidence.headline, f"worst:{ERROR}", slice_=one.whole)
        if worst is not None and worst.get("worst"):
            row = next(row for row in one.rows if row["slice"] == worst["worst"])
            return f"{name} errs most where {said(str(row['slice']))}: {rate(row)}{_rest(evidence, name, row)}."
    differing = [one.name for one in singles if one.differ]
    if differing:
        return (
            f"The error rate of {name} differs by {words.listing(differing)}, but no group can be said to err more "
            "than all others together."
        )
    asked = [one for one in singles if one.gap.get("p_holm") is not None]
    if not asked:
        reasons = "; ".join(f"{one.name}: {one.gap.get('reason') or one.gap.get('test')}" for one in singles)
        return f"For whom {name} fails cannot be said: {reasons or 'the recipe names no slices'}."
    names = words.listing([one.name for one in asked])
    n = max(int(one.gap["n"]) for one in asked)
    return f"A difference of {name} between groups of {names} is not detectable at n = {n:,}{_seen(asked)}."


def _seen(asked: Sequence[Groups]) -> str:
    """The excess that would have been found."""
    known = [float(one.gap["detectable"]) for one in asked if one.gap.get("detectable") is not None]
    if not known:
        return ""
    return f"; a group has to err {points(max(known))} points more than the others to be found 19 times in 20"


def _rest(evidence: Evidence, name: str, row: Row) -> str:
    """Against what, and how sure."""
    whole = evidence.score(name, evidence.headline, ERROR)
    against = "" if whole is None or whole.get("value") is None else f" against {percent(whole['value'])} of all rows"
    return f"{against}; {p_value(row['p_holm'])} after adjustment for everything that was tested"


def _sentences(evidence: Evidence, name: str, every: Sequence[Groups]) -> Iterator[str]:
    """Gap, chance, class mix and abstention of each attribute; intersections that stand out."""
    for one in every:
        if one.single:
            yield from _of_attribute(evidence, name, one)
    pairs = [one for one in every if not one.single]
    outstanding = [row for one in pairs if one.differ for row in one.rows if marked(row)]
    for row in outstanding:
        yield f"Where {said(str(row['slice']))}, {rate(row)} are wrong ({p_value(row['p_holm'])}, adjusted)."
    if pairs and not outstanding:
        yield f"In {len(pairs)} intersections of two attributes no group is shown to err more than the rest."


def _of_attribute(evidence: Evidence, name: str, one: Groups) -> Iterator[str]:
    gap = one.gap
    if gap.get("value") is None:
        yield f"Nothing can be said about {one.name}: {gap.get('reason')}."
        return
    chance = "" if gap.get("null") is None else f"; chance alone gives {points(gap['null'])} on average"
    bounds = "no interval" if gap.get("low") is None else f"{points(gap['low'])} to {points(gap['high'])}"
    yield f"{one.name}: highest and lowest error rate lie {points(gap['value'])} points apart ({bounds}{chance})."
    even = evidence.score(name, evidence.headline, f"gap:{EVEN}", slice_=one.whole)
    if even is not None and even.get("value") is not None:
        yield (
            f"With the class mix evened out they lie {points(even['value'])} points apart "
            f"({points(even['low'])} to {points(even['high'])}; {even['covered']:.0%} of the rows take part)."
        )
    elif even is not None:
        yield f"The class mix cannot be evened out for {one.name}: {even.get('reason')}."
    silent = evidence.score(name, evidence.headline, f"gap:{ABSTAINED}", slice_=one.whole)
    if silent is not None and silent.get("value") is not None:
        ends = f"{points(silent['low'])} to {points(silent['high'])}"
        yield f"The shares that are sent to a person lie {points(silent['value'])} points apart ({ends})."


def _found(evidence: Evidence, name: str, found: Row | None) -> Iterator[str]:
    """Slices that nobody named."""
    if found is None:
        return
    n = f"{int(found['n']):,} held-out rows"
    if not found["value"]:
        yield f"A search for further slices found none that stood the test on {n} ({found['tested']} tested)."
    for row in evidence.metrics:
        if (row["candidate"], row["split"], row["metric"]) == (name, evidence.headline, f"found:{ERROR}"):
            told = str(row["slice"]).removeprefix("found=")
            yield (
                f"Errors are concentrated in {told}: {rate(row)} are wrong against {percent(row['rest'])} of the "
                f"others ({p_value(row['p_holm'])}, adjusted; found on one half of the test, tested on the other)."
            )


def _reasons(evidence: Evidence) -> list[str]:
    """What the checks left out."""
    checks = (evidence.checks.get(name) or {} for name in ("slices", "slices-found"))
    return [str(reason) for check in checks for reason in check.get("reasons") or ()]


def _files(evidence: Evidence) -> tuple[str, ...]:
    """Evidence that is there."""
    wanted = ("evidence/slices.parquet", "evidence/slices-found.parquet", "data/rows.parquet")
    return tuple(name for name in wanted if (evidence.folder / name).is_file())
