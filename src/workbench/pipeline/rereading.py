"""The table of a run, read again: its texts are not in the run's folder, and are read where they are only when asked.

Corrections that were added since the run began do not make it another table.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import recipe as recipes
from workbench.data import SourceTable, corrections, sources
from workbench.data.roles import flat
from workbench.errors import RunError
from workbench.pipeline.opening import reopen_job
from workbench.runs import RunFolder


def read_again(run: Path) -> SourceTable:
    """The table with its labels as the source gives them, corrections left out.

    Args:
        run: The run's folder.

    Raises:
        DataError: It cannot be read.
        RunError: It was given in Python, its folder is gone, or it has changed since the run began.
    """
    data, state = recipes.read(run / "recipe.yaml").recipe.data, RunFolder(run).state
    base = base_of(run)
    if data.corrections is None or base is None:
        return reopen_job(run, runs=run.parent.parent, download=False).source
    plain = data.model_copy(update={"corrections": None})
    source = sources.read(data.source, data=plain, base=base)
    known = corrections.read_corrections(base / data.corrections)
    of_then = corrections.gathered([one for one in known.entries if one.when <= state.created], known.name)
    if state.data_digest not in {corrections.apply_corrections(source, one, plain).digest for one in (known, of_then)}:
        raise RunError(
            f"The table has changed since the run {run.name} began.",
            "The same table, so that the finished part fits the rest.",
            "Put the table back, or start a new run: workbench run RECIPE",
        )
    return source


def base_of(run: Path) -> Path | None:
    """Folder that the paths of a run's recipe start from; ``None`` where there is none, or it is gone."""
    base = RunFolder(run).state.base
    found = None if base is None else (run / base).resolve()
    return found if found is not None and found.is_dir() else None


def texts_of(source: SourceTable, column: str, rows: npt.NDArray[np.int64]) -> list[str]:
    """Texts of some rows."""
    return [text or "" for text in flat(source.table[column]).take(pa.array(rows)).to_pylist()]
