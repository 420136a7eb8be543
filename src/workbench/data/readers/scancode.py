"""ScanCode's licence data: rule texts with the category of their licence, as carried by ``licensedcode-data``.

The data are CC-BY-4.0, © nexB Inc. and others (https://github.com/aboutcode-org/scancode-toolkit). A rule is a
notice, a text, a reference or a tag by which a licence is recognised; the licence has a category.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from workbench.data.readers import ReadTable
from workbench.data.readers.packages import DataPackage
from workbench.errors import DataError

PACKAGE = DataPackage(name="licensedcode-data", module="licensedcode", version="32.1.0")
COLUMNS = ("text", "category", "licence", "kind", "length", "rule")
KINDS = ("text", "notice", "reference", "tag", "intro", "clue")
OPERATORS = re.compile(r"[()]|\b(?:AND|OR|WITH)\b", re.IGNORECASE)
FIELD = re.compile(r"([a-z_]+):\s?(.*)")
LEAST_WORDS = 8
LEAST_ROWS = 100
"""Categories with fewer distinct texts than this are left out: they are too few to learn from."""

Entry = tuple[str, str, str, str, str, str]


def read() -> ReadTable:
    """Read rules whose licences all have one category.

    Columns: ``text``; ``category``; ``licence`` (the first one of the rule's expression, the group); ``kind``
    (of rule); ``length``; ``rule`` (its file's name). Rules that mark false positives or have fewer than eight
    words are left out, as are categories with fewer than 100 texts; each text is kept once.

    Raises:
        DataError: If the package is missing or its folders are not those of ScanCode.
    """
    folder = PACKAGE.folder() / "data"
    categories, first = licence_categories(folder / "licenses")
    digest = hashlib.sha256(first)
    entries = frequent(distinct(rules(folder / "rules", categories, digest.update)))
    if not entries:
        raise DataError(
            f"The installed package {PACKAGE.name} has no rules in {folder / 'rules'}.",
            f"The files that {PACKAGE.name}=={PACKAGE.version} installs.",
            f"Run: pip install --force-reinstall {PACKAGE.name}=={PACKAGE.version}",
        )
    columns = [pa.array(values, type=pa.large_string()) for values in zip(*entries, strict=True)]
    described = {
        "name": "ScanCode licence rules",
        "version": f"{PACKAGE.name} {PACKAGE.installed_version()}",
        "licence": "CC-BY-4.0",
        "url": "https://github.com/aboutcode-org/scancode-toolkit",
        "redistributable": True,
        "file_digest": digest.hexdigest(),
        "notes": [
            "ScanCode licence data © nexB Inc. and others, CC-BY-4.0; texts as they are, joined with their licence's "
            "category and filtered here.",
            *PACKAGE.version_notes(),
        ],
    }
    return ReadTable(pa.table(columns, names=list(COLUMNS)), described)


def licence_categories(folder: Path) -> tuple[dict[str, str], bytes]:
    """Category of each licence key, and the bytes that say so."""
    found = {}
    for path in sorted(folder.glob("*.LICENSE")):
        fields, _ = front_matter(path.read_text(encoding="utf-8"))
        if "key" in fields and "category" in fields:
            found[fields["key"]] = fields["category"]
    return found, repr(sorted(found.items())).encode()


def rules(folder: Path, categories: dict[str, str], note: Callable[[bytes], object]) -> Iterator[Entry]:
    """Every rule that has a category, in the order of file names; its bytes are noted for the digest."""
    for path in sorted(folder.glob("*.RULE")):
        content = path.read_bytes()
        note(content)
        fields, body = front_matter(content.decode("utf-8"))
        licences = OPERATORS.sub(" ", fields.get("license_expression", "")).lower().split()
        found = {categories.get(licence) for licence in licences}
        category = found.pop() if len(found) == 1 else None
        words = body.split()
        if category is None or "is_false_positive" in fields or len(words) < LEAST_WORDS:
            continue
        kind = next((kind for kind in KINDS if f"is_license_{kind}" in fields), "other")
        yield " ".join(words), category, licences[0], kind, in_words(len(words)), path.stem


def front_matter(content: str) -> tuple[dict[str, str], str]:
    """The fields before a text, and the text.

    The files use a small part of YAML: ``name: value`` lines, and indented lines that go on with a value.
    Reading 37,000 of them with a whole YAML parser takes a minute.
    """
    text = content.replace("\r\n", "\n")
    if not text.startswith("---\n"):
        return {}, text
    head, _, body = text[4:].partition("\n---\n")
    fields: dict[str, str] = {}
    name = ""
    for line in head.split("\n"):
        found = FIELD.match(line)
        if found:
            name = found[1]
            fields[name] = found[2].strip()
        elif name and line[:1] in (" ", "-"):
            fields[name] = f"{fields[name]} {line.strip()}".strip()
    return fields, body


def in_words(words: int) -> str:
    """Length of a text as a value to slice by."""
    return "8-20 words" if words <= 20 else "21-100 words" if words <= 100 else "over 100 words"


def distinct(entries: Iterable[Entry]) -> list[Entry]:
    """Each text once, whatever its case; the first rule wins."""
    kept: dict[str, Entry] = {}
    for entry in entries:
        kept.setdefault(entry[0].casefold(), entry)
    return list(kept.values())


def frequent(entries: list[Entry]) -> list[Entry]:
    """Entries of categories that have enough of them."""
    sizes = Counter(entry[1] for entry in entries)
    return [entry for entry in entries if sizes[entry[1]] >= LEAST_ROWS]
