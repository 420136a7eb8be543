"""What the panel of the data shows: a table judged once, as sentences, tables and bars. No widgets here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.projects.judging import Judged
from workbench.widgets import markup
from workbench.widgets.words import Words

if TYPE_CHECKING:
    from workbench.data import Examined

SHOWN_ROWS = 5
LEARNING = ("train", "validation")


def blockers(judged: Judged, words: Words, told: Callable[[BaseException], list[str]]) -> list[str]:
    """What stops a training, in the reader's language."""
    if judged.refusal is not None:
        return told(judged.refusal)
    problems = judged.examined.problems if judged.examined else ()
    return [" ".join(words.sentence(part) for part in (one.what, one.right, one.do)) for one in problems]


def splits_table(found: Examined, words: Words) -> str:
    """Rows and groups of each split, its smallest and largest class."""
    headings = [words(f"data.{key}") for key in ("split", "rows", "groups", "smallest", "largest")]
    rows = []
    for name, counts in found.health.counts.items():
        sizes = list(counts.get("classes", {}).values())
        groups = words.number(counts["groups"]) if "groups" in counts else "–"
        ends = (words.number(min(sizes)), words.number(max(sizes))) if sizes else ("–", "–")
        rows.append((split_name(name, words), words.number(counts["rows"]), groups, *ends))
    return markup.table(headings, rows, words("data.splits"), numbers=4)


def classes_table(found: Examined, words: Words) -> str:
    """Labels of each class to learn from, with a bar, and its rows in the test."""
    counts: Mapping[str, Mapping[str, Any]] = found.health.counts
    sizes = {name: sum(counts[split]["classes"][name] for split in LEARNING) for name in found.splits.classes}
    ordered = sorted(sizes, key=lambda name: -sizes[name])
    rows = [(name, sizes[name], counts["test"]["classes"][name]) for name in ordered]
    return markup.bars([words(f"data.{key}") for key in ("class", "labels", "tested")], rows, words("data.classes"))


def repeats_table(found: Examined, words: Words) -> str:
    """Repeated texts of each split; rows to learn from that were taken out because test asks them."""
    headings = [words(f"data.{key}") for key in ("where", "same_text", "near_text")]
    rows: list[tuple[object, ...]] = [
        (split_name(name, words), words.number(one["exact"]), words.number(one["near"]))
        for name, one in found.health.duplicates.items()
        if isinstance(one, Mapping)
    ]
    leaks = found.health.leaks
    for key in ("before", "after"):
        rows.append((words(f"data.leaks_{key}"), *(words.number(leaks[of][key]) for of in ("text", "near_text"))))
    return markup.table(headings, rows, words("data.repeats"), numbers=2)


def personal_table(judged: Judged, words: Words) -> str:
    """What looks like personal data, by column and type, with masked examples; nothing where nothing was found."""
    if not judged.findings:
        return ""
    headings = [words(f"data.{key}") for key in ("column", "looks_like", "examples", "findings", "in_rows")]
    rows = [
        (
            one.column,
            words(f"data.kind.{one.kind}"),
            ", ".join(one.examples),
            words.number(one.findings),
            words.number(one.rows),
        )
        for one in judged.findings
    ]
    return markup.table(headings, rows, words("data.personal_table"), numbers=2)


def few_rows(found: Examined, words: Words) -> str:
    """A few rows to learn from, texts and classes: only shown where a person asks."""
    train = found.splits.train
    texts = train.texts.slice(0, SHOWN_ROWS).to_pylist()
    rows = [(found.splits.classes[label], text) for text, label in zip(texts, train.labels, strict=False)]
    return markup.table([words("data.class"), words("data.text")], rows, words("data.few_rows"))


def split_name(name: str, words: Words) -> str:
    """What a split is called."""
    return words.texts.get(f"data.split.{name}", name)
