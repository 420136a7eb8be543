"""The page “Is there personal data in it?”: what was looked for and found, how well the scan finds, what it cannot see.

Reads metrics.json and the settings of the checks ``personal`` and ``personal-recall``; shows counts, never a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.metrics.personal import GENERATED, OF_DATA
from workbench.reporting import words
from workbench.reporting.evidence import Evidence, Row
from workbench.reporting.pages import Page, Table
from workbench.reporting.personal_figure import recall_figure

ANCHOR, TITLE = "personal-data", "Is there personal data in it?"
ENOUGH_STRUCTURED, ENOUGH_NAMES = 0.99, 0.95
HOW = (
    "Each text was searched for the forms of these types; check digits had to agree where there are any, and a word "
    "beside the value had to say what it is where the form alone says too little.",
    "The columns for groups and slices were searched like the texts. The label column was not.",
    "A finding is a place and a type. Whether it really is personal data was not judged: some are false alarms.",
    "The run keeps row, column, split, type, place and length of each finding, and no value.",
)


def page(evidence: Evidence) -> Page | None:
    """The page, or nothing where the run was not scanned.

    Args:
        evidence: The run.
    """
    check = evidence.checks.get("personal")
    if check is None:
        return None
    settings = check.get("settings", {})
    reasons = [str(one) for one in check.get("reasons", ())]
    if not settings.get("rows"):
        return Page(ANCHOR, TITLE, "It is not known: the table was not searched.", sentences=reasons)
    recall = recall_of(evidence, settings)
    return Page(
        ANCHOR,
        TITLE,
        verdict(evidence, settings),
        sentences=[
            *found_sentences(evidence, settings),
            *kept_sentences(evidence),
            *recall_sentences(evidence, recall),
            *reasons,
        ],
        figures=[recall_figure([(kind["called"], row) for kind, row in recall])] if recall else (),
        tables=[found_table(evidence, settings)],
        how=(*HOW, *source_sentences(settings), *how_recall(evidence, recall)),
        not_shown=[
            "Nothing found is no proof that there is nothing.",
            *settings.get("not_seen", ()),
            "Whether a text is about a person who can be recognised by its content: that takes a reader.",
        ],
        files=["evidence/personal.parquet", *(["evidence/personal-recall.parquet"] if recall else [])],
    )


def verdict(evidence: Evidence, settings: Row) -> str:
    """What was found in the texts and beside them, in a sentence."""
    n = sum(settings["rows"][settings["text"]].values())
    types = len(settings["kinds"])
    found = [kind for kind in settings["kinds"] if total(evidence, settings, kind["name"])]
    others = other_columns(evidence, settings)
    columns = f" Findings in other columns: {words.listing(others)}." if others else ""
    if not found:
        of = f"None of the {types} types of personal data that were looked for was found in {words.count(n)} texts"
        return f"{of}; what the scan cannot see stands below.{columns}"
    touched = total(evidence, settings, "any")
    kinds = words.listing(
        [f"{kind['called']} ({words.count(total(evidence, settings, kind['name']))})" for kind in found]
    )
    share = words.share(touched, n)
    return (
        f"Possibly: {words.count(touched)} of {words.count(n)} texts ({share}) hold what looks like {kinds}.{columns}"
    )


def total(evidence: Evidence, settings: Row, metric: str) -> int:
    """Findings of a type in the texts of all splits."""
    splits = settings["rows"][settings["text"]]
    rows = [evidence.score(OF_DATA, split, f"personal:{metric}") for split in splits]
    return sum(int(row["value"]) for row in rows if row is not None)


def other_columns(evidence: Evidence, settings: Row) -> list[str]:
    """Columns beside the text in which something was found, with the number of rows."""
    found = []
    for column, splits in settings["rows"].items():
        rows = [evidence.score(OF_DATA, split, "personal:any", slice_=f"column={column}") for split in splits]
        touched = sum(int(row["value"]) for row in rows if row is not None)
        if touched and column != settings["text"]:
            found.append(f"{words.count(touched)} rows of {column}")
    return found


def found_sentences(evidence: Evidence, settings: Row) -> list[str]:
    """Where findings stand, and what they mean for the model; masked examples where the recipe allows them."""
    splits = settings["rows"][settings["text"]]
    rows = {split: evidence.score(OF_DATA, split, "personal:any") for split in splits}
    parts = [
        f"{words.count(row['value'])} of {words.count(row['n'])} in {words.split_name(split)}"
        for split, row in rows.items()
        if row is not None and row["value"]
    ]
    if not parts:
        return []
    told = [f"Texts with at least one finding: {words.listing(parts)}."]
    learning = [split for split in ("train", "validation", "pool") if (rows.get(split) or {}).get("value")]
    if learning:
        told.append(
            f"The models learnt from texts with findings ({words.listing(learning)}): look at them before a model is "
            "passed on. A redacted copy of the table: workbench data scan TABLE --redact OUT."
        )
    return told


def kept_sentences(evidence: Evidence) -> list[str]:
    """Why the recipe keeps what was found, where somebody gave a reason."""
    reason = evidence.recipe.data.keep_personal_data
    return [] if reason is None else [f"The recipe keeps what was found, for this reason: {reason}"]


def found_table(evidence: Evidence, settings: Row) -> Table:
    """Findings in the texts by type and split; every type that was looked for has a line."""
    splits = list(settings["rows"][settings["text"]])
    lines = []
    for kind in settings["kinds"]:
        cells = [evidence.score(OF_DATA, split, f"personal:{kind['name']}") for split in splits]
        counts = [words.count(row["value"]) if row is not None else "–" for row in cells]
        lines.append((kind["called"][:1].upper() + kind["called"][1:], kind["about"], *counts))
    headings = [words.split_name(split) for split in splits]
    sizes = ", ".join(
        f"{words.split_name(split)} {words.count(n)}" for split, n in settings["rows"][settings["text"]].items()
    )
    caption = f"Findings in the texts by type and split. Texts searched: {sizes}."
    return Table(caption, ("type", "how it is recognised", *headings), tuple(lines), tuple(headings))


def recall_of(evidence: Evidence, settings: Row) -> list[tuple[Any, Row]]:
    """Each type with its row of recall, where that was measured."""
    rows = [(kind, evidence.score(OF_DATA, GENERATED, f"personal_recall:{kind['name']}")) for kind in settings["kinds"]]
    return [(kind, row) for kind, row in rows if row is not None and row["n"]]


def recall_sentences(evidence: Evidence, recall: Sequence[tuple[Any, Row]]) -> list[str]:
    """How much of what was planted the scan found, and which types fell short."""
    shown = [(kind, row) for kind, row in recall if row["value"] is not None]
    if not shown:
        return []
    n = sum(row["n"] for _, row in shown)
    _, least = min(shown, key=lambda one: one[1]["value"])
    lowest = min(row["low"] for _, row in shown)
    part = "all of every type" if least["value"] == 1 else f"{words.percent(least['value'])} or more of every type"
    told = [
        f"Of {words.count(n)} invented values in sentences of ours, the scan found {part} (lowest 95 % bound "
        f"{words.percent(lowest)}). On real notes it will be less."
    ]
    for kind, row in shown:
        wanted = ENOUGH_NAMES if kind["basis"] == "list" else ENOUGH_STRUCTURED
        if row["value"] < wanted:
            told.append(
                f"Of {kind['called']} it found {words.percent(row['value'])} ({interval(row)}), below the "
                f"{words.percent(wanted)} that it is meant to find."
            )
    alarms = evidence.score(OF_DATA, GENERATED, "personal_false_alarms")
    if alarms is not None and alarms["value"] is not None:
        told.append(
            f"In {words.count(alarms['n'])} invented sentences without personal data it raised an alarm in "
            f"{words.percent(alarms['value'])} ({interval(alarms)})."
        )
    return told


def interval(row: Row) -> str:
    """An interval of a share in a sentence."""
    return f"95 % interval {words.percent(row['low'])} to {words.percent(row['high'])}, n = {words.count(row['n'])}"


def source_sentences(settings: Row) -> list[str]:
    """Which lists and patterns were used."""
    sources = settings.get("sources", {})
    return [f"Names: {sources.get('names', 'unknown')}. Telephone numbers: {sources.get('phones', 'unknown')}."]


def how_recall(evidence: Evidence, recall: Sequence[tuple[Any, Row]]) -> list[str]:
    """How recall was measured."""
    if not recall:
        return ["How much the scan finds was not measured in this run."]
    made = evidence.checks.get("personal-recall", {}).get("settings", {}).get("sentences")
    return [
        f"Recall was measured on {words.count(made) if made else 'the'} sentences in English, German, French and "
        "Spanish, into which values with valid check digits and listed names were put; a value counts as found where "
        "one finding of its type holds all of it. Intervals are Clopper and Pearson's. Scan and sentences were written "
        "together: it is an upper end.",
    ]
