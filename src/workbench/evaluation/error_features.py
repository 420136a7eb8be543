"""Simple features of texts and rows that a person can check by eye, and conditions on them in words.

Lengths, digits, capitals, punctuation, words that the run never learned from, the predicted class and the slice
columns. The confidence is left out: that low confidence goes with errors is no news, and no slice to act on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.data import Labelled, Splits
from workbench.data.words import word_sets

Floats = npt.NDArray[np.float64]
COUNTED = {
    "words": ("word", "words"),
    "characters": ("character", "characters"),
    "digits": ("digit", "digits"),
    "capitals": ("capital letter", "capital letters"),
    "punctuation": ("punctuation mark", "punctuation marks"),
}
UNSEEN = "unseen"
_PATTERNS = {"digits": r"\p{Nd}", "capitals": r"\p{Lu}", "punctuation": r"\p{P}"}
_FEWEST = 30
_MOST_VALUES = 30
"""Values of an attribute, and predicted classes, that become features: the most frequent ones."""


@dataclass(frozen=True)
class Feature:
    """One column of the tree's input.

    Attributes:
        kind: One of COUNTED, unseen, predicted or slice.
        value: The predicted class, or the value of the slice.
        attribute: The slice's attribute.
    """

    kind: str
    value: str = ""
    attribute: str = ""


def text_features(texts: pa.Array, splits: Splits) -> tuple[list[Feature], Floats]:
    """Features of texts alone, the same for every candidate.

    Args:
        texts: ``n`` texts.
        splits: Whose train, validation and pool a word must stand in to count as seen.

    Returns:
        Features, and their values (n, features).
    """
    sets = word_sets(texts)
    known = [word_sets(part.texts).words for part in (splits.train, splits.validation, splits.pool)]
    new = ~np.isin(sets.words, np.unique(np.concatenate(known)))
    owner = np.repeat(np.arange(len(texts)), sets.sizes)
    unseen = np.bincount(owner, weights=new, minlength=len(texts)) / np.maximum(sets.sizes, 1)
    columns: dict[str, npt.NDArray[np.number]] = {
        "words": sets.lengths,
        "characters": pc.utf8_length(texts).to_numpy(zero_copy_only=False),
    }
    for name, pattern in _PATTERNS.items():
        columns[name] = pc.count_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    columns[UNSEEN] = unseen
    return [Feature(name) for name in columns], np.stack([*columns.values()], axis=1).astype(np.float64)


def row_features(part: Labelled, predicted: Sequence[str]) -> tuple[list[Feature], Floats]:
    """Features of rows: the predicted class and the values of the slices, frequent ones.

    Args:
        part: ``n`` rows.
        predicted: Name of the predicted class of each.

    Returns:
        Features, and their values, 0 or 1 (n, features).
    """
    features, columns = [], []
    named: Mapping[str, pa.Array] = {"": pa.array(predicted, pa.string()), **part.slices}
    for attribute, values in named.items():
        for value in frequent(values):
            features.append(Feature("slice" if attribute else "predicted", value, attribute))
            same = pc.equal(values.cast(pa.string()), value).fill_null(False)
            columns.append(same.to_numpy(zero_copy_only=False).astype(np.float64))
    return features, np.stack(columns, axis=1) if columns else np.zeros((len(part), 0))


def frequent(values: pa.Array) -> list[str]:
    """Values that enough rows have, most frequent first, then by name.

    Args:
        values: One a row; nulls are left out.
    """
    counts = pc.value_counts(values.cast(pa.string()).drop_null()).to_pylist()
    kept = [one for one in counts if one["counts"] >= _FEWEST]
    ordered = sorted(kept, key=lambda one: (-one["counts"], one["values"]))
    return [str(one["values"]) for one in ordered[:_MOST_VALUES]]


Bounds = tuple[float, float]


def in_words(conditions: Mapping[Feature, Bounds]) -> str:
    """Texts that fulfil some conditions, in words.

    Args:
        conditions: Feature to the bounds between which its value lies, the lower one left out: (lower, upper].

    Returns:
        For example “texts of at most 3 words with a digit, predicted as a, where length is short”.
    """
    if not conditions:
        return "all texts"
    sizes = [counted(one.kind, bounds) for one, bounds in conditions.items() if one.kind in ("words", "characters")]
    holding = [
        _share(bounds) if one.kind == UNSEEN else counted(one.kind, bounds)
        for one, bounds in conditions.items()
        if one.kind == UNSEEN or one.kind in _PATTERNS
    ]
    told = "texts" + (f" of {' and '.join(sizes)}" if sizes else "")
    told += f" with {' and '.join(holding)}" if holding else ""
    return ", ".join([told, *_values(conditions)])


def _values(conditions: Mapping[Feature, Bounds]) -> list[str]:
    """Conditions on the predicted class and on slices: what a value is, or, where that is open, what it is not."""
    told = []
    valued = [one for one in conditions if one.kind in ("predicted", "slice")]
    for attribute in dict.fromkeys(one.attribute for one in valued):
        mine = [one for one in valued if one.attribute == attribute]
        known = [one.value for one in mine if conditions[one][0] >= 0]
        names = known or [one.value for one in mine]
        word = "" if known else "not "
        value = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
        told.append(f"where {attribute} is {word}{value}" if attribute else f"{word}predicted as {value}")
    return told


def counted(kind: str, bounds: Bounds) -> str:
    """A number of things between bounds, in words.

    Args:
        kind: One of COUNTED.
        bounds: (lower, upper], not whole numbers; infinite where there is none.

    Returns:
        For example at most 3 words, no digits, a digit, 2 to 5 words.
    """
    one, many = COUNTED[kind]
    least = 0 if bounds[0] < 0 else int(np.floor(bounds[0])) + 1
    if np.isinf(bounds[1]):
        return f"a {one}" if least == 1 else f"at least {least} {many}"
    most = int(np.floor(bounds[1]))
    if most == 0:
        return f"no {many}"
    if least == 0:
        return f"at most {most} {one if most == 1 else many}"
    return f"{least} {one if most == 1 else many}" if least == most else f"{least} to {most} {many}"


def _share(bounds: Bounds) -> str:
    """The share of unseen words between bounds, in words."""
    of = "of the words not among those learned from"
    if bounds[0] < 0:
        return f"at most {bounds[1]:.0%} {of}"
    if np.isinf(bounds[1]):
        return f"more than {bounds[0]:.0%} {of}"
    return f"{bounds[0]:.0%} to {bounds[1]:.0%} {of}"
