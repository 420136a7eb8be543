"""Data: a table from a source, judged and split, so that nobody trains on what test asks."""

from workbench.data.columns import columns_guess
from workbench.data.health import Health
from workbench.data.preparing import Examined, Prepared, examine, prepare, rows_table
from workbench.data.splits import make_splits
from workbench.data.table import Labelled, SourceTable, Splits, Unlabelled

__all__ = [
    "Examined",
    "Health",
    "Labelled",
    "Prepared",
    "SourceTable",
    "Splits",
    "Unlabelled",
    "columns_guess",
    "examine",
    "make_splits",
    "prepare",
    "rows_table",
]
