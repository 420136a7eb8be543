"""``report.html``: one self-contained page, without script, that opens offline and reads in a minute."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.metrics.wording import metric_name
from workbench.reporting import confusion, energy, figures, findings, sections, tuning, words
from workbench.reporting.chapters import chapters
from workbench.reporting.comparison import compare
from workbench.reporting.compressed import compressed
from workbench.reporting.evidence import Evidence

if TYPE_CHECKING:
    from jinja2 import Environment

    from workbench.reporting.pages import Page

TEMPLATES = Path(__file__).resolve().parent / "templates"
MOST_EXAMPLES = 12


def environment() -> Environment:
    """Jinja with autoescape on for every template, and undefined names as errors."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=unbroken,
    )
    jinja.filters["upper_first"] = lambda text: text[:1].upper() + text[1:]
    return jinja


def unbroken(value: object) -> object:
    """Keep ``95 %`` and ``n = 12`` on one line; what is not plain text passes as it is."""
    if type(value) is not str:
        return value
    return value.replace(" %", "\N{NO-BREAK SPACE}%").replace("n = ", "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")


def render_page(evidence: Evidence, made: Mapping[str, tuple[Page, ...]] | None = None) -> str:
    """The report of a run.

    Args:
        evidence: The files of its folder.
        made: Its further pages, where they are made already.

    Returns:
        A whole HTML document. The same files give the same text.
    """
    return environment().get_template("report.html.j2").render(contents(evidence, made))


def contents(evidence: Evidence, made: Mapping[str, tuple[Page, ...]] | None = None) -> dict[str, Any]:
    """Everything the page shows, by the names that its template uses."""
    recipe = evidence.recipe
    return {
        "recipe": recipe,
        "run": evidence.run,
        "run_name": evidence.folder.name,
        "sentences": findings.recommendation_sentences(evidence),
        "key_figures": key_figures(evidence),
        "limits": findings.limits(evidence),
        "leakage": findings.leakage_reason(evidence),
        "leaks": list(evidence.health.get("refusals") or []),
        "comparison": sections.comparison(evidence),
        "reasons": findings.reasons(evidence),
        "rule": evidence.recommendation.get("rule"),
        "quality_figure": _quality_figure(evidence),
        "distillation": findings.distillation_sentences(evidence),
        "differences": sections.differences(evidence),
        "tuning": tuning.paragraphs(evidence),
        "compressed": compressed(evidence),
        "slices": sections.slices(evidence),
        "confusion": confusion.mistakes(evidence),
        "seeds": sections.seeds(evidence),
        "pages": [page for found in (made or chapters(evidence)).values() for page in found],
        "energy": energy.by_stage(evidence),
        "energy_figure": _energy_figure(evidence),
        "health": list(evidence.health.get("sentences") or []),
        "counts": sections.data_counts(evidence),
        "looks": findings.looks(evidence),
        "examples": examples(evidence) if recipe.report.examples else [],
        "environment": sections.flattened(evidence.environment),
        "digests": _digests(evidence),
        "missing": evidence.missing,
        "headline": words.split_name(evidence.headline),
        "metric": metric_name(evidence.primary),
        "recommended": evidence.recommended,
    }


def key_figures(evidence: Evidence) -> list[dict[str, str]]:
    """Four figures of the recommended candidate for the head of the page."""
    row = next((row for row in compare(evidence) if row["recommended"]), None)
    if row is None:
        return []
    table = sections.comparison(evidence)
    shown = next(one for one in table["rows"] if one["recommended"])
    score, costs = shown["scores"][0], shown["costs"]
    where = words.split_name(evidence.headline)
    found = [("quality", score, f"{table['metric']} on {where}", "95 % interval ")]
    found += [("speed", costs[1], "rows a second", ""), ("size", costs[2], "MB in size", "")]
    found += [("energy", costs[3], "mWh per 1,000 texts", "")]
    return [
        {"text": "—" if cell.absent else cell.text, "label": label, "note": _note(cell, before)}
        for _, cell, label, before in found
    ]


def _note(cell: sections.Cell, before: str) -> str:
    if cell.absent:
        return cell.text
    return f"{before}{cell.note}" if cell.note else ""


def _quality_figure(evidence: Evidence) -> str | None:
    points = sections.points(evidence)
    name, where = metric_name(evidence.primary), words.split_name(evidence.headline)
    return figures.quality_against_latency(points, name, where) if points else None


def _energy_figure(evidence: Evidence) -> str | None:
    bars = energy.bars(evidence)
    return figures.energy_by_stage(bars, "Wh") if bars else None


def _digests(evidence: Evidence) -> list[tuple[str, str]]:
    known = (("recipe", "recipe_digest"), ("data", "data_digest"))
    return [(name, str(evidence.run[key])) for name, key in known if evidence.run.get(key)]


def examples(evidence: Evidence) -> list[dict[str, str]]:
    """Texts that the recommended candidate sorts wrongly and is surest of; only where the recipe allows texts.

    Args:
        evidence: The run; its texts are in ``data/examples.parquet`` with ``row`` and ``text``.

    Returns:
        Up to twelve of them; none where the run kept no texts.
    """
    texts = evidence.folder / "data" / "examples.parquet"
    file = evidence.folder / "predictions" / f"{evidence.recommended}.parquet"
    if not (evidence.recipe.report.examples and texts.is_file() and file.is_file()):
        return []
    table = pq.read_table(file)
    wrong = pc.and_(
        pc.equal(table["split"].cast(pa.string()), evidence.headline),
        pc.not_equal(table["label"].cast(pa.string()), table["prediction"].cast(pa.string())),
    )
    table = table.filter(pc.and_(wrong, pc.equal(table["seed"], pc.min(table["seed"]))))
    sure = [name for name in table.column_names if name.startswith("p_")]
    if not table.num_rows or not sure:
        return []
    table = table.append_column("sure", pc.max_element_wise(*(table[name] for name in sure)))
    table = table.select(["row", "label", "prediction", "sure"]).sort_by([("sure", "descending"), ("row", "ascending")])
    kept = pq.read_table(texts, columns=["row", "text"]).filter(
        pc.field("row").isin(table["row"].slice(0, 10 * MOST_EXAMPLES).combine_chunks())
    )
    by_row = dict(zip(kept["row"].to_pylist(), kept["text"].to_pylist(), strict=True))
    return [
        {"text": by_row[row["row"]], "label": str(row["label"]), "prediction": str(row["prediction"])}
        | {"sure": f"{100 * row['sure']:.0f} %"}
        for row in table.slice(0, 10 * MOST_EXAMPLES).to_pylist()
        if row["row"] in by_row
    ][:MOST_EXAMPLES]
