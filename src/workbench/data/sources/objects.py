"""Tables given in Python: a pandas frame, a ``datasets.Dataset`` or an Arrow table.

None of these libraries is imported for it: an object is known by the module its type comes from.
"""

from __future__ import annotations

import json
from typing import Any, cast

import pyarrow as pa

from workbench.errors import DataError


def arrow(table: object) -> pa.Table:
    """The object as an Arrow table, class numbers of a ``ClassLabel`` as names.

    Raises:
        DataError: If it is of no known kind.
    """
    kind = type(table)
    library = kind.__module__.split(".")[0]
    if isinstance(table, pa.Table):
        return with_class_names(table)
    if library == "pandas" and kind.__name__ == "DataFrame":
        return from_pandas(table)
    if library == "datasets" and kind.__name__ == "Dataset":
        dataset = cast(Any, table)
        return with_class_names(pa.table(dataset.with_format("arrow")[:]), class_names(dataset.features))
    if library == "datasets" and kind.__name__ == "DatasetDict":
        raise DataError(
            f"The given table is a DatasetDict with the splits {', '.join(cast(Any, table))}.",
            "One datasets.Dataset.",
            "Hand over one split, or all of them through datasets.concatenate_datasets.",
        )
    raise DataError(
        f"The given table is a {kind.__module__}.{kind.__qualname__}.",
        "A pandas DataFrame, a datasets.Dataset or a pyarrow.Table.",
        "Turn it into one of these, for example pandas.DataFrame(rows).",
    )


def from_pandas(given: object) -> pa.Table:
    """A frame's columns; a column of mixed objects as text.

    Raises:
        DataError: If two columns have the same name.
    """
    frame = cast(Any, given)
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"The given frame has more than one column called {', '.join(twice)}.",
            "Column names that differ.",
            "Rename one of them.",
        )
    columns = {}
    for position, name in enumerate(names):
        values = frame.iloc[:, position]
        try:
            columns[name] = pa.chunked_array(pa.array(values, from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            columns[name] = pa.chunked_array(pa.array(values.astype("string"), from_pandas=True))
    return pa.table(columns)


def class_names(features: dict[str, Any]) -> dict[str, list[str]]:
    """Names of the classes of each ``ClassLabel`` feature."""
    return {name: list(feature.names) for name, feature in features.items() if type(feature).__name__ == "ClassLabel"}


def with_class_names(table: pa.Table, known: dict[str, list[str]] | None = None) -> pa.Table:
    """Class numbers as names, where the table's metadata (as ``datasets`` writes them) or the caller knows them.

    A number outside the names, such as -1 for “no label”, becomes null.
    """
    names = stored_class_names(table) if known is None else known
    for column, classes in names.items():
        if column in table.column_names and pa.types.is_integer(table[column].type):
            numbers = table[column].combine_chunks().to_numpy(zero_copy_only=False)
            inside = (numbers >= 0) & (numbers < len(classes))
            positions = pa.array(numbers.astype("float64"), mask=~inside).cast(pa.int64())
            found = pa.array(classes, pa.large_string()).take(positions)
            table = table.set_column(table.column_names.index(column), column, found)
    return table


def stored_class_names(table: pa.Table) -> dict[str, list[str]]:
    """Class names that ``datasets`` keeps in a Parquet file's schema."""
    stored = (table.schema.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(stored)["info"]["features"] if stored else {}
    except (ValueError, KeyError, TypeError):
        return {}
    return {
        name: feature["names"]
        for name, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and isinstance(feature.get("names"), list)
    }
