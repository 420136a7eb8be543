"""The page “Are the labels right?”: labels in doubt, ambiguous classes, alike texts, the teacher's agreement.

What the check finds of errors that were planted stands beside it. Reads metrics.json and the evidence files; row
numbers only, unless the recipe allows texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.metrics.confident_learning import doubted, margin, ranking
from workbench.metrics.labels import CANDIDATE, judged
from workbench.metrics.wording import ALPHA
from workbench.reporting import words
from workbench.reporting.evidence import Evidence, Row
from workbench.reporting.figures import ACCENT, INK, OTHER, PAPER, drawing, to_svg
from workbench.reporting.pages import Figure, Page, Table

LABELLED = "labelled"
MOST_ROWS, MOST_PAIRS = 20, 8
FILES = ("evidence/labels.parquet", "evidence/labels-tests.parquet", "evidence/labels-conflicts.parquet")
AUDIT = "evidence/teacher-audit.parquet"
CHECKS = ("labels", "labels-tests", "labels-conflicts", "teacher-audit")


def page(evidence: Evidence) -> Page | None:
    """What is known of the labels of a run.

    Args:
        evidence: The files of the run's folder.

    Returns:
        The page; None where no label was checked.
    """
    files = tuple(name for name in (*FILES, AUDIT) if (evidence.folder / name).is_file())
    reasons = [str(one) for name in CHECKS for one in evidence.checks.get(name, {}).get("reasons", ())]
    if not files and not reasons:
        return None
    tests = list(dict.fromkeys(str(row["split"]) for row in evidence.metrics if row["metric"] == "labels_doubted"))
    said = [_doubts(evidence, split) for split in tests if split != LABELLED]
    pairs = _pairs(evidence)
    return Page(
        anchor="labels",
        title="Are the labels right?",
        verdict=_doubts(evidence, LABELLED) or "The labels to learn from were not judged: see what is not shown.",
        sentences=[one for one in (_planted(evidence), *said, *_conflicts(evidence), *_audit(evidence)) if one],
        figures=[Figure(_figure(pairs), _CAPTION)] if pairs else [],
        tables=[one for one in (_doubt_table(evidence), _pair_table(pairs), *_audit_tables(evidence)) if one.rows],
        how=_HOW,
        not_shown=[*reasons, *_NOT_SHOWN],
        files=files,
    )


def _doubts(evidence: Evidence, split: str) -> str:
    """How many labels of a split are in doubt, no stronger than the draws of faultless labels allow."""
    found, null = (_row(evidence, split, f"labels_doubted{end}") for end in ("", "_faultless"))
    excess = _row(evidence, split, "labels_doubted_excess")
    if found is None:
        return ""
    where = "labels to learn from" if split == LABELLED else f"labels of {words.split_name(split)}"
    count, rows = int(found["count"]), int(found["n"])
    if null is None or excess is None:
        return f"Of {rows:,} {where} {count:,} are contradicted; so few rows do not show how many of them are wrong."
    expected = f"{_number(null['low'] * rows)} to {_number(null['high'] * rows)}"
    told = f"{count:,} of {rows:,} {where} are confidently contradicted by models that never saw them"
    if excess["low"] <= 0:
        return (
            f"{told}; faultless labels as hard as these would give {expected} (95 % of draws): that is no sign of "
            "wrong labels, and no proof that there are none."
        )
    over = f"{_number(excess['low'] * rows)} to {_number(excess['high'] * rows)}"
    return (
        f"About {_number(excess['value'] * rows)} of {rows:,} {where} are in doubt (95 % interval {over}): {told}, "
        f"where faultless labels as hard as these would give {expected}. A person has to look."
    )


def _planted(evidence: Evidence) -> str:
    """What the same check found of errors that were planted."""
    found, first = (_row(evidence, LABELLED, f"planted_{end}") for end in ("found", "in_first_tenth"))
    if found is None or first is None or not found["n"]:
        return ""
    bounds = "" if first["low"] is None else f" (95 % interval {first['low']:.0%} to {first['high']:.0%})"
    return (
        f"The same check was made with {int(found['n']):,} labels changed on purpose: {int(found['count']):,} of them "
        f"were contradicted, and {int(first['count']):,} stood in the first tenth of the list{bounds}. Wrong labels "
        "that are not chosen by chance, for example between two classes that are alike, are harder to find."
    )


def _conflicts(evidence: Evidence) -> list[str]:
    """How many rows have an alike text with another label."""
    rows = [row for row in evidence.metrics if row["metric"] == "labels_conflicting"]
    known = [row for row in rows if row["n"]]
    if not known:
        return []
    parts = [f"{int(row['count']):,} of {int(row['n']):,} in {words.split_name(row['split'])}" for row in known]
    if not any(row["count"] for row in known):
        return ["No row has the same or nearly the same words as another one with a different label."]
    return [f"Rows with the same or nearly the same words as a row with another label: {words.listing(parts)}."]


def _audit(evidence: Evidence) -> list[str]:
    """Stop or go, and the warnings, recomputed from the evidence."""
    if not (evidence.folder / AUDIT).is_file():
        return []
    from workbench.metrics.teacher_audit import teacher_verdict

    settings = evidence.checks.get("teacher-audit", {}).get("settings", {})
    if "classes" not in settings:
        return []
    verdict = teacher_verdict(pq.read_table(evidence.folder / AUDIT), settings)
    return [verdict.sentence, *verdict.warnings]


def _audit_rows(evidence: Evidence, start: str, metric: str) -> list[Row]:
    """Rows of the teacher's audit by their slice."""
    return [
        row
        for row in evidence.metrics
        if row["candidate"] == "teacher"
        and row["split"] == LABELLED
        and row["metric"] == metric
        and str(row["slice"]).startswith(start)
    ]


def _audit_tables(evidence: Evidence) -> list[Table]:
    """Agreement of teacher and labels by class and by confidence."""
    tables = []
    for start, heading in (("label=", "Given label"), ("confidence=", "How sure the teacher is")):
        every = _audit_rows(evidence, start, "agreement")
        rows = [row for row in every if row["low"] is not None]
        if not rows:
            continue
        cells = [(row["slice"].removeprefix(start), *_share(row), f"{int(row['n']):,}") for row in rows]
        caption = "How often the teacher says what the given label says, on rows that it had not learned from."
        if len(rows) < len(every):
            caption += f" Left out: {len(every) - len(rows)} with too few rows or groups for an interval."
        columns = (heading, "Agreement", "95 % interval", "n")
        tables.append(Table(caption, columns, tuple(cells), right=columns[1:]))
    return tables


def _pairs(evidence: Evidence) -> list[Row]:
    """Pairs of classes that are confused more often than by chance, the most confused first."""
    rows = [
        row
        for row in evidence.metrics
        if row["metric"] == "labels_confused" and row["split"] == LABELLED and row["p_holm"] < ALPHA
    ]
    return sorted(rows, key=lambda row: row["p_holm"])[:MOST_PAIRS]


def _pair_table(rows: Sequence[Row]) -> Table:
    """The ambiguous pairs in numbers."""
    columns = ("Taken for each other", "Rows", "By chance", "Share of both", "95 % interval", "p, adjusted")
    cells = tuple(
        (
            str(row["slice"]).partition("=")[2],
            f"{int(row['count']):,}",
            f"{row['expected']:.1f}",
            *_share(row),
            "< 0.001" if row["p_holm"] < 0.001 else f"{row['p_holm']:.3f}",
        )
        for row in rows
    )
    caption = "Classes that are taken for each other more often than wrong answers are by chance (Holm over all pairs)."
    return Table(caption, columns, cells, right=columns[1:])


def _doubt_table(evidence: Evidence) -> Table:
    """The labels that a person should look at first."""
    columns = ("Place", "Row", "Split", "Given label", "The models say", "Margin")
    file = evidence.folder / FILES[0]
    given = judged(pq.read_table(file)) if file.is_file() else None
    if given is None:
        return Table("", columns, ())
    names = [name.removeprefix("p_") for name in pq.read_schema(file).names if name.startswith("p_")]
    said, gaps = given.probabilities.argmax(axis=1), margin(given.probabilities, given.labels)
    order = ranking(given.probabilities, given.labels)[: int(doubted(given.probabilities, given.labels).sum())]
    texts = _texts(evidence)
    cells = tuple(
        (
            str(place),
            str(given.rows[at]),
            str(given.splits[at]),
            names[given.labels[at]],
            names[said[at]],
            f"{gaps[at]:.2f}".replace("-", words.MINUS),
            *([texts.get(int(given.rows[at]), "")] if texts else []),
        )
        for place, at in enumerate(order[:MOST_ROWS], start=1)
    )
    caption = (
        f"The first {len(cells)} labels to look at. Rows are counted from 0; the margin is the probability of the "
        "given label less that of the likeliest other one."
    )
    return Table(caption, (*columns, *(["Text"] if texts else [])), cells, right=("Place", "Row", "Margin"))


def _texts(evidence: Evidence) -> dict[int, str]:
    """Texts by row, only where the recipe allows them and the run kept them."""
    file = evidence.folder / "data" / "examples.parquet"
    if not (evidence.recipe.report.examples and file.is_file()):
        return {}
    table: pa.Table = pq.read_table(file, columns=["row", "text"])
    return dict(zip(table["row"].to_pylist(), table["text"].to_pylist(), strict=True))


def _figure(rows: Sequence[Row]) -> str:
    """Shares of the ambiguous pairs with intervals, and what chance would give."""
    with drawing(6.4, 0.7 + 0.32 * len(rows)) as (figure, axes):
        for place, row in enumerate(reversed(rows)):
            if row["low"] is not None:
                axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=ACCENT, linewidth=2)
            chance = 100 * row["expected"] / row["n"]
            axes.plot(chance, place, marker="d", color=PAPER, markeredgecolor=OTHER, linestyle="none")
            if row["value"] is not None:
                axes.plot(100 * row["value"], place, marker="o", color=ACCENT, markeredgecolor=INK, linestyle="none")
        axes.set_yticks(range(len(rows)), [str(row["slice"]).partition("=")[2] for row in reversed(rows)])
        axes.set_xlabel("rows of both classes that are taken for the other, %")
        axes.set_xlim(left=0)
        return to_svg(figure, "confused-pairs", "Ambiguous classes", _CAPTION)


def _row(evidence: Evidence, split: str, metric: str) -> Row | None:
    """A row about the table, of whichever seed was judged."""
    wanted = (CANDIDATE, split, metric, "all")
    for row in evidence.metrics:
        if (row["candidate"], row["split"], row["metric"], row.get("slice", "all")) == wanted:
            return row
    return None


def _share(row: Row) -> tuple[str, str]:
    """A share and its interval; a dash where there is none."""
    bounds = "—" if row["low"] is None else f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %"
    return ("—" if row["value"] is None else f"{100 * row['value']:.1f} %", bounds)


def _number(value: float) -> str:
    """A number of rows, never below none."""
    return f"{max(0, round(value)):,}"


_CAPTION = (
    "Pairs of classes that are taken for each other more often than by chance: the dot is the share of both classes' "
    "rows, with its interval; the hollow diamond is what wrong answers by chance would give."
)
_HOW: tuple[Any, ...] = (
    "Every labelled row was judged by models that were trained on other rows: folds keep groups and equal texts "
    "together, and one fold of those left stops the training and calibrates.",
    "A label is doubted where another class reaches the probability that its own rows get on average (confident "
    "learning, Northcutt, Jiang and Chuang 2021).",
    "How many are in doubt is estimated together with the models' calibration: the share of labels that the models, as "
    "unsure as they are, do not explain (maximum likelihood, profile interval). What faultless labels would give comes "
    "from drawing all labels anew from the calibrated probabilities.",
    "Tests were judged by the recommended candidate and the teacher, which never saw their labels.",
    "Agreement with the teacher is Cohen's kappa; intervals count a group of rows as one.",
)
_NOT_SHOWN: tuple[Any, ...] = (
    "Which label is wrong: a doubted one may be right and hard, and a model that is surely wrong doubts right labels. "
    "Only a person who knows the subject can say.",
    "Errors that everybody makes alike: what is labelled wrongly all the time is learned as right.",
    "Labels of the pool, which nobody looked at. The check's own models are weaker with few labels: then faultless "
    "labels are contradicted often, and few wrong ones stand out.",
    "To work through the list: workbench data doubts RUN --out doubts.csv; fill in new_label, who, why and when, and "
    "name the file in the recipe as data.corrections.",
)
