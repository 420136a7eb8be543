"""The scan itself: Arrow's regular expressions over all texts, and a closer look only at those that may hold something.

A text that no gate lets through never becomes a Python object. Places count in characters (code points), and no value
is kept. Findings that overlap are reduced to one, by the order of ``KINDS``, then the longer one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.data.personal import contacts, dates, identifiers, naming, phones
from workbench.data.personal.detectors import Detector
from workbench.data.personal.kinds import BY_NAME, KINDS, Kind
from workbench.data.roles import flat

CHUNK = 65_536
SOME_DIGITS = r"\d\D{0,4}\d\D{0,4}\d"
WITHOUT_DIGITS = frozenset({"email", "url_user", "ip_address", "name"})
RANKS = {kind.name: rank for rank, kind in enumerate(KINDS)}
TELLING = (
    *(dates.WORD_OF_BIRTH, dates.WORD_OF_RECORD, phones.WORDS),
    *(identifiers.NHS_WORDS, identifiers.BSN_WORDS, identifiers.SSN_WORDS),
)
"""Words that say in a column's name what its values are."""
ONLY_OWN_NAMES = (
    "The package names was not used: names are looked for on short lists of four locales alone. More: pip install "
    "'specialist-workbench[personal]'."
)
SCHEMA = pa.schema([("row", pa.int64()), ("type", pa.large_string()), ("start", pa.int32()), ("length", pa.int32())])
Found = tuple[int, int, int, int]
"""Row, start, end, rank of the type."""


@dataclass(frozen=True)
class Scanner:
    """What is looked for, and with what.

    Attributes:
        kinds: Types, in the order in which overlaps are decided.
        detectors: How they are found.
        sources: ``names`` and ``phones``: which lists and patterns, with versions.
        missing: What an installation without the extra misses, in sentences.
    """

    kinds: tuple[Kind, ...]
    detectors: tuple[Detector, ...]
    sources: Mapping[str, str]
    missing: tuple[str, ...] = ()


def scanner(types: Iterable[str] | None = None, *, extras: bool = True, regions: Sequence[str] = ()) -> Scanner:
    """Make ready what is looked for.

    Args:
        types: Names of types; ``None`` means all.
        extras: Whether to use the names of the US Census where the package ``names`` is installed.
        regions: Further countries (NL, PL …) in whose national form telephone numbers are looked for.

    Raises:
        ValueError: If a type or a country is not known.
        MissingExtraError: Countries are named, and ``phonenumbers`` is not installed.
    """
    wanted = tuple(BY_NAME) if types is None else tuple(types)
    unknown = sorted(set(wanted) - set(BY_NAME))
    if unknown:
        raise ValueError(f"unknown types {unknown}; known are {', '.join(BY_NAME)}")
    names = (naming.census_names() if extras else None) or naming.own_names()
    every: tuple[Detector, ...] = (
        *contacts.DETECTORS,
        *identifiers.DETECTORS,
        *dates.DETECTORS,
        phones.CORE,
        naming.detector(names),
    )
    telephones = "own patterns for US, GB, DE, FR, ES, IT and the international form"
    if regions:
        every += (phones.by_library(regions),)
        telephones += f"; phonenumbers {phones.library_version()} for {', '.join(regions)}"
    return Scanner(
        tuple(kind for kind in KINDS if kind.name in wanted),
        tuple(one for one in every if one.kind in wanted),
        {"names": names.source, "phones": telephones},
        () if names is not naming.own_names() else (ONLY_OWN_NAMES,),
    )


def scan_texts(
    texts: pa.Array | pa.ChunkedArray | Sequence[str | None], by: Scanner | None = None, *, heading: str = ""
) -> pa.Table:
    """Look through texts.

    Args:
        texts: Of any string type; a missing text has no findings.
        by: From ``scanner``; ``None`` means all types.
        heading: Name of their column: one such as “date_of_birth” or “mrn” is read before each text.

    Returns:
        A line a finding: ``row`` (place in ``texts``), ``type``, ``start``, ``length`` in characters, ordered by row
        and start. No values.
    """
    used = by or scanner()
    if not isinstance(texts, pa.Array | pa.ChunkedArray):
        texts = pa.array(texts, pa.large_string())
    found: list[Found] = []
    for start in range(0, len(texts), CHUNK):
        part, before = with_heading(flat(texts.slice(start, CHUNK)), heading)
        found += [
            (row + start, one - before, end - before, rank)
            for row, one, end, rank in scan_part(part, used.detectors)
            if one >= before
        ]
    return as_table(without_overlaps(found))


def with_heading(texts: pa.Array, heading: str) -> tuple[pa.Array, int]:
    """Texts with their column's name before them where it says what they are, and its length in characters."""
    words = re.sub(r"[_.\-]+|(?<=[a-z])(?=[A-Z])", " ", heading)
    if not any(pattern.search(words) for pattern in TELLING):
        return texts, 0
    front = f"{words}: "
    return pc.binary_join_element_wise(pa.scalar(front, texts.type), texts, pa.scalar("", texts.type)), len(front)


def scan_repeated(values: pa.Array | pa.ChunkedArray, by: Scanner | None = None, *, heading: str = "") -> pa.Table:
    """Look through a column whose values repeat, such as groups: each distinct value once.

    Returns:
        As ``scan_texts`` gives it.
    """
    encoded = flat(values).dictionary_encode()
    distinct = scan_texts(encoded.dictionary, by, heading=heading)
    if not distinct.num_rows:
        return distinct
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    wanted = distinct["row"].to_numpy()
    low, high = (np.searchsorted(codes[order], wanted, side=side) for side in ("left", "right"))
    taken = np.repeat(np.arange(len(wanted)), high - low)
    rows = np.concatenate([order[one:other] for one, other in zip(low, high, strict=True)])
    spread = distinct.take(pa.array(taken)).set_column(0, "row", pa.array(rows, pa.int64()))
    return spread.sort_by([("row", "ascending"), ("start", "ascending")])


def scan_part(texts: pa.Array, detectors: Sequence[Detector]) -> list[Found]:
    """Findings of one piece of a column, overlaps included."""
    found: list[Found] = []
    with_digits = rows_like(texts, SOME_DIGITS)
    digits = texts.take(pa.array(with_digits))
    for detector in detectors:
        everywhere = detector.kind in WITHOUT_DIGITS
        among = texts if everywhere else digits
        rows = rows_like(among, detector.gate)
        rank = RANKS[detector.kind]
        for row, text in zip(rows.tolist(), among.take(pa.array(rows)).to_pylist(), strict=True):
            at = row if everywhere else int(with_digits[row])
            found += [(at, start, end, rank) for start, end in detector.find(text)]
    return found


def rows_like(texts: pa.Array, pattern: str) -> npt.NDArray[np.int64]:
    """Places of the texts that match a regular expression of RE2."""
    if not len(texts):
        return np.empty(0, dtype=np.int64)
    matches = pc.match_substring_regex(texts, pattern).fill_null(False)
    return np.flatnonzero(matches.to_numpy(zero_copy_only=False))


def without_overlaps(found: Iterable[Found]) -> list[Found]:
    """Findings of which no two share a character, ordered by row and start."""
    kept: list[Found] = []
    row_kept: list[Found] = []
    row = -1
    for one in sorted(found, key=lambda each: (each[0], each[3], each[1] - each[2], each[1])):
        if one[0] != row:
            kept += sorted(row_kept, key=lambda each: each[1])
            row, row_kept = one[0], []
        if not any(one[1] < other[2] and other[1] < one[2] for other in row_kept):
            row_kept.append(one)
    return kept + sorted(row_kept, key=lambda each: each[1])


def as_table(found: Sequence[Found]) -> pa.Table:
    """Findings as a table."""
    names = [kind.name for kind in KINDS]
    columns = [
        [row for row, _, _, _ in found],
        [names[rank] for _, _, _, rank in found],
        [start for _, start, _, _ in found],
        [end - start for _, start, end, _ in found],
    ]
    return pa.table([pa.array(one, field.type) for one, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)
