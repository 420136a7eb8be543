"""The page on probabilities: when they can be believed, and how far they are off where they cannot."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.metrics.calibration import reliability_curve
from workbench.metrics.decisions import Part
from workbench.metrics.evidence import join_rows, read_evidence
from workbench.metrics.scoring import may_be_recommended
from workbench.metrics.wording import points
from workbench.reporting import words
from workbench.reporting.calibration_figures import Curve, reliability_figure
from workbench.reporting.evidence import Evidence, Row
from workbench.reporting.pages import Figure, Page, Table

RESERVE = "reserve"
ALPHA = 0.05


def page(evidence: Evidence) -> Page | None:
    """When can its probabilities be believed?

    Args:
        evidence: The files of the run's folder.

    Returns:
        The page; ``None`` where no calibration was measured.
    """
    name = subject_of(evidence)
    if name is None:
        return None
    splits = [split for split in scored_splits(evidence) if evidence.score(name, split, "ece") is not None]
    parts = {split: part for split in splits if (part := read_part(evidence, name, split)) is not None}
    return Page(
        anchor="calibration",
        title="When can its probabilities be believed?",
        verdict=_sentence(evidence, name, evidence.headline, parts),
        sentences=[_sentence(evidence, name, one, parts) for one in splits if one != evidence.headline],
        figures=_figures(name, parts),
        tables=[_table(evidence, splits)],
        how=[*HOW, *_uncalibrated(evidence)],
        not_shown=NOT_SHOWN,
        files=[f"predictions/{name}.parquet", "data/rows.parquet"],
    )


def _uncalibrated(evidence: Evidence) -> list[str]:
    """Candidates whose answers no temperature was fitted to, and why."""
    kinds = {name: str(card.get("kind")) for name, card in evidence.models().items()}
    together = [name for name, kind in kinds.items() if kind == "ensemble"]
    given = [name for name, kind in kinds.items() if kind == "file"]
    said = []
    if together:
        said.append(
            f"No temperature was fitted to {words.listing(together)} as a whole: the members were calibrated each by "
            "itself, and a mean of calibrated answers tends to be less sure than it may be."
        )
    if given:
        said.append(f"The answers of {words.listing(given)} come from a file and are taken as they are.")
    return said


HOW = (
    "Each candidate's last layer is divided by a temperature that was fitted on validation (Guo et al., 2017); "
    "a compressed candidate with other logits got its own.",
    "The calibration error is the mean distance between the probability of the predicted class and the share that is "
    "right, over bins with as many rows each (one for every 40 independent rows, at most 15).",
    "Even a perfectly calibrated model shows some error on few rows: that floor stands beside the figure, which lies "
    "above the true error by about as much. The interval takes chance off below; rows that share a group were "
    "resampled together.",
    "The Brier score is the squared distance between all probabilities and the truth (0 to 2); lower is better, and "
    "it falls with better sorting too.",
)
NOT_SHOWN = (
    "Whether the probabilities of the other classes, or of one class or group, are right: only the likeliest class "
    "over all rows is looked at.",
    "How they behave on texts unlike those of the tests; off the domain a probability means nothing.",
)


def subject_of(evidence: Evidence) -> str | None:
    """The candidate that a page is about: the recommended one, else the first that was measured."""
    measured = [one for one in evidence.candidates if evidence.score(one, evidence.headline, "ece") is not None]
    return evidence.recommended if evidence.recommended in measured else next(iter(measured), None)


def scored_splits(evidence: Evidence) -> list[str]:
    """Splits with calibration figures: the headline first, then other tests, the reserve last."""
    found = dict.fromkeys(str(row["split"]) for row in evidence.metrics if row["metric"] == "ece")
    return sorted(found, key=lambda split: (split == RESERVE, split != evidence.headline, split))


def read_part(evidence: Evidence, name: str, split: str) -> Part | None:
    """A candidate's stored predictions on a split, of the first seed; ``None`` where they are not there.

    Args:
        evidence: The files of the run's folder.
        name: The candidate.
        split: The split.
    """
    file, about = evidence.folder / "predictions" / f"{name}.parquet", evidence.folder / "data" / "rows.parquet"
    if not file.is_file() or not about.is_file():
        return None
    table = pq.read_table(file)
    table = table.filter(pc.and_(pc.equal(table["split"], split), pc.equal(table["seed"], pc.min(table["seed"]))))
    classes = tuple(one.removeprefix("p_") for one in table.column_names if one.startswith("p_"))
    if not table.num_rows:
        return None
    found = read_evidence({name: join_rows(table, pq.read_table(about))}, classes)[split]
    if name not in found.probabilities:
        return None
    return Part(found.labels, found.probabilities[name], found.groups)


def split_name(evidence: Evidence, split: str) -> str:
    """A split in a sentence, the reserve with what it is."""
    return "reserve (rows like validation's)" if split == RESERVE else words.split_name(split)


def bounds(row: Row) -> str:
    """The interval of a row in points, or why there is none, and n."""
    n = f"n = {row['n']:,}"
    if row.get("low") is None or row.get("high") is None:
        return f"{n}; no interval: {row.get('reason', 'none was computed')}"
    level = 100 * float(row.get("confidence", 0.95))
    return f"{level:g} % interval {points(row['low'])} to {points(row['high'])}, {n}"


def _sentence(evidence: Evidence, name: str, split: str, parts: dict[str, Part]) -> str:
    """How far the probabilities are off on a split, and whether chance would do as much."""
    where, row = split_name(evidence, split), evidence.score(name, split, "ece")
    if row is None or row.get("value") is None:
        reason = "it was not measured" if row is None else str(row.get("reason"))
        return f"How far the probabilities of {name} can be believed on {where} is not given: {reason}."
    told = f"On {where} the probabilities of {name} are off by {points(row['value'])} points on average"
    told = f"{told} ({bounds(row)})"
    if row.get("p") is None:
        return f"{told}."
    floor = f"{points(row['floor'])} points"
    if row["p"] >= ALPHA:
        return (
            f"{told}; a perfectly calibrated model would show {floor} there, so no error beyond chance is detectable."
        )
    how = direction(parts.get(split), float(row["value"]))
    return f"{told}, where a perfectly calibrated model would show {floor}{how}."


def direction(part: Part | None, error: float) -> str:
    """Whether probabilities are too high or too low on the whole; nothing without rows.

    Args:
        part: Predictions on a split.
        error: Their calibration error.
    """
    if part is None:
        return ""
    said, right = float(part.confidence.mean()), float(1 - part.wrong.mean())
    if abs(said - right) < error / 2:
        return ": it is too sure in places and too unsure in others"
    kind = "too sure of itself" if said > right else "too unsure"
    return f": on the whole it is {kind} (mean probability {said:.2f}, right {right:.2f})"


def _table(evidence: Evidence, splits: list[str]) -> Table:
    """Calibration error and Brier score of every candidate that may be used."""
    columns = ["candidate"]
    for split in splits:
        columns += [f"error on {words.split_name(split)}", f"chance on {words.split_name(split)}"]
        columns += [f"Brier on {words.split_name(split)}"]
    rows = []
    for name in evidence.candidates:
        if may_be_recommended(name):
            cells = [cell for split in splits for cell in _cells(evidence, name, split)]
            rows.append((name, *cells))
    caption = "Calibration error in points, what chance alone would show, and Brier score; intervals in brackets."
    return Table(caption, tuple(columns), tuple(rows), tuple(columns[1:]))


def _cells(evidence: Evidence, name: str, split: str) -> list[str]:
    error, brier = evidence.score(name, split, "ece"), evidence.score(name, split, "brier")
    if error is None or error.get("value") is None:
        return ["not given", "", "not given"]
    shown = points(error["value"])
    if error.get("low") is not None:
        shown = f"{shown} ({points(error['low'])} to {points(error['high'])})"
    floor = "" if error.get("floor") is None else points(error["floor"])
    return [shown, floor, "not given" if brier is None or brier.get("value") is None else f"{brier['value']:.3f}"]


def _figures(name: str, parts: dict[str, Part]) -> list[Figure]:
    """The reliability figure of the headline and the reserve."""
    curves = []
    for split, part in list(parts.items())[:1] + [(one, part) for one, part in parts.items() if one == RESERVE]:
        found = reliability_curve(part.confidence, ~part.wrong, groups=part.groups)
        shown = [one for one in found if one.n >= 10]
        if shown:
            curves.append(
                Curve(
                    words.split_name(split),
                    np.array([one.confidence for one in shown]),
                    np.array([one.accuracy for one in shown]),
                    np.array([one.low for one in shown]),
                    np.array([one.high for one in shown]),
                )
            )
    if not curves:
        return []
    caption = (
        f"Each mark is a bin of rows: how sure {name} was on average (across) and how often it was right (up), with a "
        "95 % interval. On the diagonal, probabilities mean what they say; below it they promise too much."
    )
    return [Figure(reliability_figure(curves, name), caption)]
