"""What a run of a desk's recipe is likely to take, held against what this machine has left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import storage
from workbench.errors import WorkbenchError
from workbench.projects import dial
from workbench.projects.desk import Desk

if TYPE_CHECKING:
    from workbench.pipeline import Checked


@dataclass(frozen=True)
class Short:
    """Megabytes that this machine has left, where they are fewer than the estimate; else ``None``."""

    memory_mb: float | None = None
    disk_mb: float | None = None


@dataclass(frozen=True)
class Looked:
    """What a look at recipe, table and machine found.

    Attributes:
        checked: The check; ``None`` where there is none.
        error: Why there is none.
        short: What this machine has too little of.
        here: What the dial can be turned to.
        countries: Code to English name of the countries whose grid is known.
    """

    checked: Checked | None
    error: WorkbenchError | None
    short: Short
    here: dial.Possible
    countries: Mapping[str, str]


def look(desk: Desk) -> Looked:
    """Check a desk's recipe and its table, and what this machine has."""
    from workbench.carbon import country_names
    from workbench.pipeline import check

    located, countries = desk.located, country_names()
    here = dial.possible(located.recipe, located.base)
    try:
        checked = check(desk.file or "")
    except WorkbenchError as error:
        return Looked(None, error, Short(), here, countries)
    return Looked(checked, None, short(checked, desk.runs), here, countries)


def short(checked: Checked, runs: Path) -> Short:
    """Look whether memory and disk suffice."""
    import psutil

    there = next(folder for folder in (runs.absolute(), *runs.absolute().parents) if folder.is_dir())
    memory = psutil.virtual_memory().available / 1e6
    disk = storage.free_bytes(there) / 1e6
    estimate = checked.estimate
    return Short(memory if memory < estimate.memory_mb else None, disk if disk < estimate.disk_mb else None)
