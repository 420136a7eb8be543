"""The sentences in which a table's health is told, to people who do not read JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workbench.data.health import FEW_ROWS, ROUGH_ROWS
from workbench.data.problems import count, listed
from workbench.data.splits import LEARNING
from workbench.recipe import Data

Counts = Mapping[str, Mapping[str, Any]]


def size_sentences(counts: Counts, data: Data) -> Iterator[str]:
    """How large the splits are."""
    train, validation, pool = (counts[name]["rows"] for name in ("train", "validation", "pool"))
    yield (
        f"There are {count(train, 'label')} to learn from and {validation:,} to choose with, over "
        f"{len(counts['train']['classes']):,} classes; the pool has {count(pool, 'row')} without labels."
    )
    for name, found in counts.items():
        if name not in LEARNING:
            groups = f" in {count(found['groups'], 'group')}" if "groups" in found else ""
            yield f"{name} has {count(found['rows'], 'row')}{groups}." + rough(found["rows"])
    reserve = counts["reserve"]["rows"]
    if reserve < data.splits.reserve:
        kept = f"{count(reserve, 'row')} of the {data.splits.reserve:,} asked for" if reserve else "no row"
        part = "a tenth of the labels" if data.labelled.per_class is None else "a quarter of what the labels leave"
        yield f"The reserve has {kept}: it takes at most {part} in each class, and nothing under 20 rows."
    if pool == 0:
        yield "The pool is empty: students learn from the labelled texts alone, so expect little from distillation."


def rough(rows: int) -> str:
    """A warning about a small test."""
    return f" Under {ROUGH_ROWS} rows figures are rough: look at the intervals." if 0 < rows < ROUGH_ROWS else ""


def class_sentences(counts: Counts) -> Iterator[str]:
    """Small and large classes of each test."""
    for name, found in counts.items():
        if name in LEARNING or not found["rows"]:
            continue
        absent = [one for one, size in found["classes"].items() if size == 0]
        small = [one for one, size in found["classes"].items() if 0 < size < FEW_ROWS]
        largest = max(found["classes"], key=lambda one: found["classes"][one])
        share = found["classes"][largest] / found["rows"]
        yield f"The largest class of {name} is {largest!r}: always answering it would be right for {share:.0%}."
        if absent:
            yield f"Nothing can be said about {listed(absent, 10)} on {name}: it has no row of them."
        if small:
            yield f"Under {FEW_ROWS} rows in {name}, so no figure for them alone holds: {listed(small, 10)}."


def removal_sentences(removed: Mapping[str, int], unlabelled: int) -> Iterator[str]:
    """Rows that are not used, and why; rows that only the pool can use."""
    if unlabelled:
        yield f"{count(unlabelled, 'row')} came without a label, which only the pool can use."
    reasons = {
        "empty": "without text",
        "excluded": "of classes left out",
        "unmatched": "that no rule of the splits takes",
        "held_out_groups": "of held-out groups that are not test rows",
        "apart": "of the pool whose text also stands in validation or reserve",
        "over_cap": "over the caps of the recipe",
    }
    for reason, words in reasons.items():
        if removed.get(reason):
            yield f"{count(removed[reason], 'row')} {words} {'is' if removed[reason] == 1 else 'are'} not used."


def leak_sentences(leaks: Mapping[str, Mapping[str, int]], data: Data) -> Iterator[str]:
    """What was removed from learning because test asks it, and what stays."""
    text, near = (leaks[way]["before"] - leaks[way]["after"] for way in ("text", "near_text"))
    if text + near:
        yield (
            f"Taken out of what is learned from: {count(text, 'row')} with the same text as a row of test, {near:,} "
            f"with nearly the same words (Jaccard similarity of {data.splits.near_duplicate:g} or more)."
        )
    left = {way: found["after"] for way, found in leaks.items() if found["after"]}
    if not left:
        ways = "text or near-text" if data.group is None else "group, text or near-text"
        yield f"No row to learn from shares its {ways} with test."
    elif data.allow_leakage:
        shown = listed(f"{number:,} by {way.replace('_', '-')}" for way, number in left.items())
        yield f"Test rows leak into what is learned from ({shown}); the recipe allows it: {data.allow_leakage}"


def known_sentences(known: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Further tests whose texts or groups stand in what is learned from."""
    for name, found in known.items():
        if not found["rows"]:
            continue
        grouped, copied = found["group"] / found["rows"], found["copies"] / found["rows"]
        if grouped:
            yield (
                f"{name} is transductive: {grouped:.0%} of its rows belong to groups that stand in labels or pool too, "
                f"{copied:.0%} repeat one of their texts, exactly or nearly."
            )
        elif copied:
            yield f"{copied:.0%} of {name} repeat a text to learn from, exactly or nearly."


def duplicate_sentences(duplicates: Mapping[str, Any]) -> Iterator[str]:
    """Repetition inside the splits, and texts with two labels."""
    for name, found in duplicates.items():
        if isinstance(found, Mapping) and found["exact"] + found["near"]:
            repeat = "repeats" if found["exact"] == 1 else "repeat"
            come = "comes" if found["near"] == 1 else "come"
            yield (
                f"Inside {name} {count(found['exact'], 'row')} {repeat} an earlier text and {found['near']:,} {come} "
                "near one."
            )
    if duplicates["conflicting"]:
        yield f"{count(duplicates['conflicting'], 'text')} with more than one label: worth a look by someone who knows."


def length_sentences(lengths: Mapping[str, float]) -> Iterator[str]:
    """How long texts are, and whether an encoder would cut them."""
    if not lengths:
        return
    yield (
        f"A text has {lengths['median']:.0f} words at the median, {lengths['p95']:.0f} at the 95th percentile, "
        f"{lengths['longest']:,.0f} at most."
    )
    if lengths["share_over_90"] > 0:
        share = max(lengths["share_over_90"], 0.001)
        yield f"About {share:.1%} of texts are so long that an encoder reading 128 tokens cuts them."
