"""The stages before any training: the table read, its splits drawn and checked, its texts embedded once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import data as tables
from workbench import storage
from workbench.data import Health, Labelled, Prepared, SourceTable, Splits
from workbench.data.roles import Roles, roles
from workbench.pipeline.session import Session
from workbench.recipe import Recipe
from workbench.runs import StageKey

ROOMS = ("data", "recipe")


@dataclass(frozen=True)
class Drawn:
    """The splits of one seed.

    Attributes:
        splits: The rows by their part.
        health: What was found in the table.
        digest: Digest of the stage, an input of what builds on it.
    """

    splits: Splits
    health: Health
    digest: str


def draw(session: Session, recipe: Recipe, source: SourceTable, seed: int) -> Drawn:
    """Split and check the table, or take up what an earlier run found for the same table and rules.

    Args:
        session: The doing of the run.
        recipe: The recipe.
        source: The table.
        seed: Seed of the label draw.

    Raises:
        DataError: The table is not fit for the job, or leaks and the recipe does not allow it.
    """
    by_role = roles(source.table, recipe.data)
    inputs = {"data": recipe.data.model_dump(mode="json"), "table": source.digest, "seed": seed}

    def work(folder: Path) -> None:
        prepared = tables.prepare(recipe.data, source, seed)
        for name, part in parts(prepared.splits).items():
            storage.write_array(folder / f"{name}.npy", part.rows)
        storage.write_json(folder / "health.json", prepared.health.to_json())

    result = session.stage(StageKey("data", inputs, ROOMS), work)
    names = sorted(file.stem for file in result.folder.glob("*.npy"))
    rows = {name: np.load(result.folder / f"{name}.npy") for name in names}
    health = Health.from_json(storage.read_json(result.folder / "health.json"))
    return Drawn(assemble(by_role, rows, seed), health, result.digest)


def parts(splits: Splits) -> dict[str, Labelled | tables.Unlabelled]:
    """Every part of some splits by its name."""
    return {
        "train": splits.train,
        "validation": splits.validation,
        "pool": splits.pool,
        "reserve": splits.reserve,
        **splits.tests,
    }


def assemble(by_role: Roles, rows: dict[str, npt.NDArray[np.int64]], seed: int) -> Splits:
    """Splits from the row numbers of each part."""
    return Splits(
        classes=by_role.classes,
        train=by_role.labelled(rows["train"]),
        validation=by_role.labelled(rows["validation"]),
        pool=by_role.unlabelled(rows["pool"]),
        reserve=by_role.labelled(rows["reserve"]),
        tests={name: by_role.labelled(rows[name]) for name in names_of_tests(rows)},
        seed=seed,
    )


def names_of_tests(rows: dict[str, npt.NDArray[np.int64]]) -> list[str]:
    """Names of the test splits, the headline first."""
    return sorted((name for name in rows if name.startswith("test")), key=lambda name: (name != "test", name))


def rows_table(drawn: list[Drawn]) -> pa.Table:
    """Which row stands where, for every seed: ``seed``, ``row``, ``split``, ``group`` and slice columns; no texts."""
    pieces = []
    for one in drawn:
        table = tables.rows_table(Prepared(one.splits, one.health))
        pieces.append(table.add_column(0, "seed", pa.array(np.full(len(table), one.splits.seed, dtype=np.int32))))
    return pa.concat_tables(pieces)
