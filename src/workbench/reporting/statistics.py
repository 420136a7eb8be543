"""The page “How sure is this?”: seeds and their spread, what differences this test could see, looks at the test split.

Reads metrics.json and the log; computes nothing anew but the smallest differences that so many rows can show, which
follow from their number alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.metrics.paired import smallest_detectable
from workbench.metrics.proportions import largest_unseen
from workbench.metrics.seeds import Spread, spread
from workbench.metrics.wording import (
    consistency_sentence,
    difference_from_row,
    interval_from_row,
    metric_name,
    percent,
    points,
    score_sentence,
    seeds_sentence,
    verdict,
)
from workbench.reporting import words
from workbench.reporting.evidence import Evidence, Row
from workbench.reporting.figures import INK, LINE, MARKERS, PAPER, drawing, to_svg
from workbench.reporting.pages import Figure, Page, Table

DISCORDANCES = (0.05, 0.1, 0.2)
"""Shares of rows that only one of two candidates gets right, for which the smallest difference is shown."""


def page(evidence: Evidence) -> Page | None:
    """How sure the run's figures are.

    Args:
        evidence: The files of the run's folder.

    Returns:
        The page; None where nothing was scored.
    """
    name = evidence.recommended or next(iter(evidence.candidates), None)
    row = evidence.score(name, evidence.headline) if name else None
    if name is None or row is None:
        return None
    seeds = len(evidence.seeds)
    return Page(
        anchor="how-sure",
        title="How sure is this?",
        verdict=score_sentence(name, evidence.primary, interval_from_row(row)),
        sentences=[*_of_seeds(evidence, name, row), *_what_can_be_seen(evidence, row), _looks(evidence)],
        figures=_figures(evidence) if seeds > 1 else (),
        tables=[*([_seed_table(evidence)] if seeds > 1 else []), *_difference_tables(evidence), *_size_table(row)],
        how=_how(seeds, row),
        not_shown=_not_shown(seeds),
        files=("metrics.json", "log.jsonl", *(f"predictions/{one}.parquet" for one in evidence.candidates)),
    )


def spread_of(row: Row) -> Spread | None:
    """The spread over seeds that a row of metrics.json holds, or None."""
    told = row.get("points")
    return spread(told) if told else None


def _of_seeds(evidence: Evidence, name: str, row: Row) -> list[str]:
    """What the seeds say of the candidate."""
    found = spread_of(row)
    if found is None:
        return [
            "One seed was run: the interval holds what other test rows would change, not what another draw of the "
            "labels or another start of the training would. At least three seeds show that; five are better "
            "(workbench run RECIPE --seeds 5)."
        ]
    said = [seeds_sentence(name, evidence.primary, found, interval_from_row(row))]
    agreed = evidence.score(name, evidence.headline, "consistency_all_seeds")
    if agreed is not None:
        said.append(consistency_sentence(name, len(found.points), interval_from_row(agreed)))
    return said


def _what_can_be_seen(evidence: Evidence, row: Row) -> list[str]:
    """The smallest differences and margins that this test split can show."""
    gaps = [(one, difference_from_row(one)) for one in _gaps(evidence)]
    seen = sorted(gap.detectable for _, gap in gaps if gap.detectable is not None)
    n = f"n = {words.count(row['n'])}"
    said = []
    if seen:
        ends = points(seen[0]) if points(seen[0]) == points(seen[-1]) else f"{points(seen[0])} to {points(seen[-1])}"
        said.append(
            f"With this test split ({n}) a true difference between two candidates in "
            f"{metric_name(evidence.primary)} has to be about {ends} points, depending on the two, to be found "
            "four times in five; smaller ones are mostly not seen, which does not mean that they are not there."
        )
    hidden = sum(verdict(gap) == "not detectable" for _, gap in gaps)
    if gaps:
        said.append(
            f"Of {len(gaps)} comparisons on {words.split_name(evidence.headline)}, {hidden} are not detectable."
        )
    return said


def _gaps(evidence: Evidence) -> list[Row]:
    """Differences in the primary metric on the headline split, all seeds together; each pair of candidates once."""
    wanted = (evidence.headline, "all", evidence.primary, None)
    found: dict[frozenset[str], Row] = {}
    for row in evidence.metrics:
        key = (row["split"], row.get("slice", "all"), row["metric"], row.get("seed"))
        if key == wanted and row.get("against") and "check" not in row:
            found.setdefault(frozenset((str(row["candidate"]), str(row["against"]))), row)
    return list(found.values())


def looks(evidence: Evidence) -> int:
    """How many times the log says that the test splits were scored."""
    return sum(event.get("type") == "test looked at" for event in evidence.events)


def _looks(evidence: Evidence) -> str:
    """Looks at the test split, and what they do to the figures."""
    found = looks(evidence)
    if not found:
        return "The log does not say how often the test split was looked at; the figures may have been chosen by it."
    if found == 1:
        return "The test split was looked at once in this run; looks from other runs of the same data are not counted."
    return (
        f"The test split was looked at {found} times in this run. Whoever changed something after a look and kept what "
        "scored higher has made the figures flattering; a test split that nobody has seen yet shows by how much."
    )


def _seed_table(evidence: Evidence) -> Table:
    """Mean, spread and every seed's point of each candidate on each split."""
    seeds = [f"seed {one}" for one in evidence.seeds]
    rows = []
    for split in evidence.splits:
        for name in evidence.candidates:
            row = evidence.score(name, split)
            found = spread_of(row) if row is not None else None
            if row is None or found is None or found.sd is None:
                continue
            ends = "—" if row["low"] is None else f"{words.score(row['low'])} to {words.score(row['high'])}"
            agreed = evidence.score(name, split, "consistency_all_seeds")
            same = "—" if agreed is None or agreed["value"] is None else percent(agreed["value"])
            scores = [words.score(one) for one in found.points]
            cells = (name, words.split_name(split), words.score(found.mean), points(found.sd), ends, same, *scores)
            rows.append(cells)
    numbers = ("Mean", "Standard deviation, points", "95 % interval, rows and seeds", "All seeds agree", *seeds)
    caption = f"{metric_name(evidence.primary)} of every seed: mean, spread and each point"
    return Table(caption[0].upper() + caption[1:], ("Candidate", "Split", *numbers), tuple(rows), numbers)


def _difference_tables(evidence: Evidence) -> list[Table]:
    """Every comparison of the headline split with what it could have shown."""
    rows = []
    for row in _gaps(evidence):
        gap = difference_from_row(row)
        if gap.value is None or gap.low is None or gap.high is None:
            cells = ("—", "—", "—", gap.reason or "no interval")
        else:
            ends = f"{points(gap.low, sign=True)} to {points(gap.high, sign=True)}"
            seen = "—" if gap.detectable is None else points(gap.detectable)
            said = verdict(gap)
            cells = (points(gap.value, sign=True), ends, seen, said if said != "unknown" else "no p")
        rows.append((row["candidate"], row["against"], *cells))
    if not rows:
        return []
    numbers = ("Difference, points", "95 % interval", "Smallest that is mostly seen, points")
    where = words.split_name(evidence.headline)
    caption = f"Comparisons on {where}, and the smallest true difference that each would find four times in five"
    return [Table(caption, ("Candidate", "Against", *numbers, "What may be said"), tuple(rows), numbers)]


def _size_table(row: Row) -> list[Table]:
    """What a test of independent rows can see at this size and at larger ones."""
    sizes = sorted({int(row["n"]), 500, 1_000, 2_000, 5_000})
    cells = []
    for n in sizes:
        found = [smallest_detectable(n, share) if n else None for share in DISCORDANCES]
        shown = ["—" if one is None else points(one) for one in found]
        this = " (this test)" if n == row["n"] else ""
        cells.append((f"{words.count(n)}{this}", *shown, points(largest_unseen(n)) if n else "—"))
    numbers = tuple(f"{100 * share:.0f} % of rows differ" for share in DISCORDANCES)
    numbers = (*numbers, "Smallest margin that can be shown")
    caption = (
        "Smallest difference in accuracy, in points, that a test of so many independent rows finds four times in five"
    )
    return [Table(caption, ("Rows", *numbers), tuple(cells), ("Rows", *numbers))]


def _figures(evidence: Evidence) -> Sequence[Figure]:
    """Each candidate's seeds as points on its interval."""
    rows = []
    for name in evidence.candidates:
        row = evidence.score(name, evidence.headline)
        found = spread_of(row) if row is not None else None
        if row is not None and found is not None:
            rows.append((name, found, row["low"], row["high"]))
    if not rows:
        return ()
    metric, where = metric_name(evidence.primary), words.split_name(evidence.headline)
    caption = f"{metric} of every seed on {where} (circles), their mean (line) and its 95 % interval (bar)"
    return (Figure(seeds_figure(rows, f"{metric} on {where}"), caption[0].upper() + caption[1:] + "."),)


def seeds_figure(rows: Sequence[tuple[str, Spread, float | None, float | None]], axis: str) -> str:
    """Points of every seed, the mean and its interval, a line for each candidate.

    Args:
        rows: Name, spread, lower and upper bound of the mean.
        axis: What the scores are, for the axis.

    Returns:
        An ``<svg>`` element.
    """
    with drawing(7.6, 0.9 + 0.3 * len(rows)) as (figure, axes):
        for at, (_, found, low, high) in enumerate(rows):
            if low is not None and high is not None:
                axes.barh(at, high - low, left=low, height=0.5, facecolor=LINE, edgecolor="none", alpha=0.45)
            axes.plot([found.mean] * 2, [at - 0.32, at + 0.32], color=INK, linewidth=1.6)
            places = [at] * len(found.points)
            axes.plot(found.points, places, MARKERS["student"], ms=5.5, mfc=PAPER, mec=INK, ls="none")
        axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(axis="x", color=LINE, linewidth=0.5, alpha=0.6)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"{axis} (further right is better)")
        told = f"{len(rows)} candidates with the score of each seed. All values are in the table."
        return to_svg(figure, "seeds", "Scores of every seed", told)


def _how(seeds: int, row: Row) -> list[str]:
    """How the uncertainty was measured."""
    said = [
        f"Interval of the score above: {row['method']}.",
        "Candidates are compared on the same resamples of the same rows; rows of one group are drawn together.",
        "Where fewer than 20 rows or groups tell two candidates apart, exact bounds and the sign test stand beside the "
        "resamples. No interval of a difference that holds 0 is narrower than that of two candidates that never "
        "differ, so a form that changes nothing is not judged more harshly than one that changes a little.",
        "p-values of one split's claims are adjusted for their number (Holm).",
    ]
    if seeds > 1:
        said.append(
            f"With {seeds} seeds the interval of a mean adds the seeds' own doubt, by Student's t with {seeds - 1} "
            f"degree{'s' if seeds > 2 else ''} of freedom, to that of the rows; verdicts use that interval."
        )
    return said


def _not_shown(seeds: int) -> list[str]:
    """What none of these intervals holds."""
    said = [
        "Intervals are about other rows drawn like these. They say nothing of texts from elsewhere, of later years or "
        "of wrong labels in the test split itself.",
        "One interval in twenty misses the truth; with many of them some do.",
    ]
    return said if seeds > 1 else [*said, "What another seed would change: one seed was run."]
