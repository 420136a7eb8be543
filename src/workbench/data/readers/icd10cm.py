"""ICD-10-CM: titles and inclusion terms of the US tabular list, as carried by ``simple-icd-10-cm``.

The texts are read at run time and are not part of this project. ICD-10 is © WHO, its US modification is
published by the National Center for Health Statistics; the package's code is MIT.
"""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from workbench.data.readers import ReadTable
from workbench.data.readers.packages import DataPackage
from workbench.errors import DataError

PACKAGE = DataPackage(name="simple-icd-10-cm", module="simple_icd_10_cm", version="1.5.0")
COLUMNS = ("text", "chapter", "category", "block", "kind", "length", "code")
LEFT_OUT = {"22"}
"""Chapters without enough codes to learn from: 22 (codes for special purposes) has five titles."""

Entry = tuple[str, str, str, str, str, str, str]


def read() -> ReadTable:
    """Read titles and inclusion terms.

    Columns: ``text``; ``chapter`` (two-digit number and heading); ``category`` (three characters);
    ``block``; ``kind`` (``title`` or ``inclusion``); ``length`` (in words); ``code``. A title that stands
    more than once is kept once, an inclusion term only if its text is no title.

    Raises:
        DataError: If the package is missing or its file is not the tabular list.
    """
    path = PACKAGE.one_file("data/icd10c-tabular-*.xml")
    content = path.read_bytes()
    entries = distinct(list(walk(parsed(content, path))))
    columns = [pa.array(values, type=pa.large_string()) for values in zip(*entries, strict=True)]
    described = {
        "name": "ICD-10-CM tabular list (United States)",
        "version": f"{path.stem}, from {PACKAGE.name} {PACKAGE.installed_version()}",
        "licence": "US federal work; ICD-10 itself © World Health Organization; package code MIT",
        "url": "https://www.cdc.gov/nchs/icd/icd-10-cm/",
        "redistributable": False,
        "file_digest": hashlib.sha256(content).hexdigest(),
        "notes": [
            "Read from the installed package at run time; none of its texts is part of this project.",
            f"Chapter {', '.join(sorted(LEFT_OUT))} is left out: it has too few codes to learn from.",
            *PACKAGE.version_notes(),
        ],
    }
    return ReadTable(pa.table(columns, names=list(COLUMNS)), described)


def parsed(content: bytes, path: Path) -> ET.Element:
    """The tabular list as a tree.

    Raises:
        DataError: If it is no XML, declares entities, or is another document.
    """
    problem = ""
    root = None
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        problem = "it declares a document type, which the tabular list never does"
    else:
        try:
            root = ET.fromstring(content)  # noqa: S314  (no DOCTYPE, so no entities)
        except ET.ParseError as error:
            problem = f"it is not readable XML ({error})"
    if root is None or root.find("chapter") is None:
        raise DataError(
            f"{path.name} is not the ICD-10-CM tabular list: {problem or 'it has no chapters'}.",
            f"The file that {PACKAGE.name}=={PACKAGE.version} installs.",
            f"Run: pip install --force-reinstall {PACKAGE.name}=={PACKAGE.version}",
        )
    return root


def walk(root: ET.Element) -> Iterator[Entry]:
    """Every title and inclusion term, in the order of the list."""
    for chapter in root.iter("chapter"):
        number = text_of(chapter, "name")
        if number in LEFT_OUT:
            continue
        heading = text_of(chapter, "desc").rsplit(" (", 1)[0]
        label = f"{int(number):02d} {heading}"
        for section in chapter.findall("section"):
            for code, kind, text in diagnoses(section):
                yield text, label, code[:3], section.get("id", ""), kind, in_words(text), code


def diagnoses(section: ET.Element) -> Iterator[tuple[str, str, str]]:
    """Code, kind and text of each title and inclusion term below a section."""
    for diagnosis in section.iter("diag"):
        code = text_of(diagnosis, "name")
        yield code, "title", text_of(diagnosis, "desc")
        for number, note in enumerate(diagnosis.findall("inclusionTerm/note"), start=1):
            yield f"{code}#{number}", "inclusion", " ".join((note.text or "").split())


def text_of(element: ET.Element, tag: str) -> str:
    """Text of a child, with single spaces."""
    return " ".join((element.findtext(tag) or "").split())


def in_words(text: str) -> str:
    """Length of a phrase as a value to slice by."""
    words = len(text.split())
    return "1-3 words" if words <= 3 else "4-7 words" if words <= 7 else "8 or more words"


def distinct(entries: list[Entry]) -> list[Entry]:
    """Titles first, then inclusion terms; each text once, whatever its case."""
    seen: set[str] = set()
    kept = []
    for kind in ("title", "inclusion"):
        for entry in entries:
            folded = entry[0].casefold()
            if entry[4] == kind and folded and folded not in seen:
                seen.add(folded)
                kept.append(entry)
    return kept
