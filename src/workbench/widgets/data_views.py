"""What the panel of the data shows: a table judged once, as sentences, tables and bars. No widgets here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, WorkbenchError
from workbench.projects.desk import Desk
from workbench.recipe import Located, Recipe
from workbench.widgets import markup
from workbench.widgets.words import Words

if TYPE_CHECKING:
    from workbench.data import Examined
    from workbench.data.personal import Finding

SHOWN_ROWS = 5
LEARNING = ("train", "validation")


@dataclass(frozen=True)
class View:
    """A recipe's table, judged.

    Attributes:
        text: The recipe's text that it was judged by.
        recipe: The recipe.
        examined: Its splits and their health; ``None`` where the table is refused as a whole.
        refusal: Why it is.
        findings: What looks like personal data.
        groups: Columns that could tie rows together, where the recipe names none.
    """

    text: str
    recipe: Recipe
    examined: Examined | None = None
    refusal: WorkbenchError | None = None
    findings: tuple[Finding, ...] = ()
    groups: tuple[str, ...] = ()

    def blockers(self, words: Words, told: Callable[[BaseException], list[str]]) -> list[str]:
        """What stops a training, in the reader's language."""
        if self.refusal is not None:
            return told(self.refusal)
        problems = self.examined.problems if self.examined else ()
        return [" ".join(words.sentence(part) for part in (one.what, one.right, one.do)) for one in problems]


def judge(desk: Desk) -> View:
    """Read the table of the desk's recipe and judge it. Trains and writes nothing.

    Raises:
        RecipeError: The recipe has problems.
        RunError: Nothing was chosen.
    """
    from workbench.data import examine, sources
    from workbench.data.personal import summary

    text, located = desk.text, desk.located
    data = located.recipe.data
    try:
        source = sources.read(data.source, data=data, base=located.base)
    except DataError as error:
        return View(text, located.recipe, refusal=error)
    searched = [name for name in source.table.column_names if name != data.label]
    found = summary(source.table, searched)
    return View(text, located.recipe, examine(data, source, 0), None, tuple(found), _groups(located))


def _groups(located: Located) -> tuple[str, ...]:
    """Columns of a file that may be groups: at least five values, each in several rows."""
    from workbench.data.outline import outline
    from workbench.data.sources import files

    data = located.recipe.data
    if data.group is not None or data.source.path is None:
        return () if data.group is None else (data.group,)
    columns = outline(files.read(located.base / data.source.path, data.source, None).table)
    fit = [one for one in columns.values() if one.kind in ("classes", "text", "number") and one.different >= 5]
    return tuple(one.name for one in fit if one.name not in (data.text, data.label))


def splits_table(found: Examined, words: Words) -> str:
    """Rows and groups of each split, its smallest and largest class."""
    headings = [words(f"data.{key}") for key in ("split", "rows", "groups", "smallest", "largest")]
    rows = []
    for name, counts in found.health.counts.items():
        sizes = list(counts.get("classes", {}).values())
        groups = f"{counts['groups']:,}" if "groups" in counts else "–"
        ends = (f"{min(sizes):,}", f"{max(sizes):,}") if sizes else ("–", "–")
        rows.append((split_name(name, words), f"{counts['rows']:,}", groups, *ends))
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
        (split_name(name, words), f"{one['exact']:,}", f"{one['near']:,}")
        for name, one in found.health.duplicates.items()
        if isinstance(one, Mapping)
    ]
    leaks = found.health.leaks
    for key in ("before", "after"):
        rows.append((words(f"data.leaks_{key}"), f"{leaks['text'][key]:,}", f"{leaks['near_text'][key]:,}"))
    return markup.table(headings, rows, words("data.repeats"), numbers=2)


def personal_table(view: View, words: Words) -> str:
    """What looks like personal data, by column and type, with masked examples; nothing where nothing was found."""
    if not view.findings:
        return ""
    headings = [words(f"data.{key}") for key in ("column", "looks_like", "examples", "findings", "in_rows")]
    rows = [
        (one.column, words(f"data.kind.{one.kind}"), ", ".join(one.examples), f"{one.findings:,}", f"{one.rows:,}")
        for one in view.findings
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
