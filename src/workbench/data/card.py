"""The papers of the data in a run: ``card.md`` for people, ``croissant.json`` for programs.

They hold counts, groups and slices, never texts. Croissant is MLCommons' vocabulary for data sets, version 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench import storage
from workbench.data.health import Health
from workbench.data.table import SourceTable
from workbench.recipe import Recipe

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def write_card(folder: Path, recipe: Recipe, source: SourceTable, health: Health) -> None:
    """Write ``card.md`` and ``croissant.json`` beside the ``rows.parquet`` that they describe.

    Args:
        folder: The run's ``data`` folder, with ``rows.parquet`` in it.
        recipe: What ran.
        source: The table that its rows are numbers of.
        health: What was found in it.

    Raises:
        RunError: If a file cannot be written.
    """
    rows = folder / "rows.parquet"
    storage.write_text(folder / "card.md", card(recipe, source, health))
    storage.write_json(folder / "croissant.json", croissant(pq.read_schema(rows), storage.sha256_file(rows), source))


def card(recipe: Recipe, source: SourceTable, health: Health) -> str:
    """The data's card, in Markdown."""
    described, data = source.described, recipe.data
    facts = {
        "Source": described["name"],
        "Version": described["version"],
        "Licence": described["licence"],
        "Address": described["url"] or "none",
        "May be passed on": "yes" if described["redistributable"] else "no, or not known",
        "Used for": recipe.purpose,
        "Rows read": f"{described['rows']:,}",
        "SHA-256 of the used columns": source.digest,
    }
    columns = {"Text": data.text, "Class": data.label, "Id": data.id, "Group": data.group}
    lines = [
        f"# Data: {plain(described['name'])}",
        "",
        *table(["What", "Value"], [[name, str(value)] for name, value in facts.items()]),
        "",
        *(f"- {plain(note)}" for note in described["notes"]),
        "",
        "## Columns",
        "",
        *(f"- {name}: `{plain(column)}`" for name, column in columns.items() if column),
        *(f"- Slice: `{plain(column)}`" for column in data.slices),
        "",
        "## Splits",
        "",
        *split_lines(health.counts),
        "",
        "## Health",
        "",
        *([f"**Leakage is allowed:** {plain(health.allow_leakage)}", ""] if health.refusals else []),
        *(f"- {plain(sentence)}" for sentence in health.sentences),
        "",
        f"Labels, reserve and pool were drawn with seed {health.seed}; the tests are the same for every seed.",
        "`rows.parquet` says which row of the source stands in which split; texts are not kept here.",
    ]
    return "\n".join(lines) + "\n"


def split_lines(counts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The table of splits: rows, groups, smallest and largest class."""
    rows = []
    for name, found in counts.items():
        sizes = found.get("classes", {}).values()
        classes = f"{min(sizes):,} to {max(sizes):,}" if sizes else "labels not looked at"
        rows.append([name, f"{found['rows']:,}", f"{found['groups']:,}" if "groups" in found else "none", classes])
    return table(["Split", "Rows", "Groups", "Rows a class"], rows)


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *([plain(cell) for cell in row] for row in rows)]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def plain(text: object) -> str:
    """Text that Markdown and HTML leave as it is, on one line."""
    shown = " ".join(str(text).split()).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return re.sub(r"([`*\[\]])", r"\\\1", shown)


def croissant(rows: pa.Schema, digest: str, source: SourceTable) -> dict[str, Any]:
    """The JSON-LD description of ``rows.parquet`` and of the source it numbers.

    Args:
        rows: Columns of ``rows.parquet``.
        digest: SHA-256 of ``rows.parquet``.
        source: The table that the rows are numbers of.
    """
    described = source.described
    file = {
        "@type": "cr:FileObject",
        "@id": "rows.parquet",
        "name": "rows.parquet",
        "description": "Which row of the source stands in which split, with its group and slices; no texts.",
        "contentUrl": "rows.parquet",
        "encodingFormat": "application/x-parquet",
        "sha256": digest,
    }
    found = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"Splits of {described['name']}",
        "description": f"Splits of {described['name']}, {described['version']}. SHA-256 of the columns used: "
        f"{source.digest}. {' '.join(described['notes'])}".strip(),
        "license": described["licence"],
        "citeAs": ", ".join(part for part in (described["name"], described["version"], described["url"]) if part),
        "isBasedOn": described["name"],
        "distribution": [file],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": fields(rows)}],
    }
    return {**found, "url": described["url"]} if described["url"] else found


def fields(rows: pa.Schema) -> list[dict[str, Any]]:
    """A Croissant field for each column of ``rows.parquet``."""
    return [
        {
            "@type": "cr:Field",
            "@id": f"rows/{name}",
            "name": name,
            "dataType": "sc:Integer" if pa.types.is_integer(rows.field(name).type) else "sc:Text",
            "source": {"fileObject": {"@id": "rows.parquet"}, "extract": {"column": name}},
        }
        for name in rows.names
    ]
