"""Hub data sets: a local folder in the hub's layout, the local cache, or, only when asked, a download.

A download needs a pinned revision. No code of a data set is ever run: only Parquet, CSV and JSON Lines files are read.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.data.problems import listed
from workbench.data.sources import files
from workbench.errors import DataError
from workbench.recipe import Data, Source

ENDINGS = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson")
PATTERNS = [f"**/*{ending}" for ending in ENDINGS] + [f"*{ending}" for ending in ENDINGS] + ["README.md"]


def read(source: Source, data: Data, base: Path, *, download: bool) -> files.ReadFile:
    """Read one split of a data set, or all of them.

    Args:
        source: Names the data set.
        data: Names the columns.
        base: Folder that a relative path starts from.
        download: Whether it may be fetched from the hub.

    Raises:
        DataError: If the data set is not there, has no readable files, or lacks the split.
    """
    assert source.hub is not None  # noqa: S101  (the recipe's own check)
    local = base / source.hub
    folder = local if local.is_dir() else snapshot(source.hub, source.revision, download=download)
    chosen = split_files(folder, source)
    parts = [files.read(path, source, data) for path in chosen]
    table = joined([part.table for part in parts], chosen)
    described: dict[str, Any] = {
        "name": source.hub if folder is not local else local.name,
        "licence": stated_licence(folder),
        "notes": sorted({note for part in parts for note in part.described["notes"]}),
    }
    if folder is not local:
        described |= {"version": source.revision or folder.name, "url": f"https://huggingface.co/datasets/{source.hub}"}
    return files.ReadFile(table, described)


def joined(tables: list[pa.Table], paths: list[Path]) -> pa.Table:
    """The parts of a split as one table.

    Raises:
        DataError: If their columns do not fit together.
    """
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(
            f"The files {listed(path.name for path in paths)} do not fit together: {error}",
            "Files of one split with the same columns of the same kinds.",
            "Name one split in data.source.split.",
        ) from error


def split_files(folder: Path, source: Source) -> list[Path]:
    """The files of the named split, or of all splits.

    A file belongs to the split that its name (``train-00000-of-00001.parquet``) or its folder begins with.

    Raises:
        DataError: If there are none.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in ENDINGS)
    kinds = [ending for ending in ENDINGS if any(path.suffix.lower() == ending for path in found)]
    every = [path for path in found if path.suffix.lower() in kinds[:1]]
    chosen = every
    if source.split is not None:
        pattern = re.compile(rf"{re.escape(source.split)}(?![a-zA-Z0-9])")
        chosen = [path for path in every if any(pattern.match(part) for part in path.relative_to(folder).parts)]
    if not chosen:
        what = f"no files of the split {source.split!r}" if every else "no file that can be read"
        raise DataError(
            f"The data set {source.hub} has {what}.",
            f"Files ending in {', '.join(ENDINGS)}; it has: {listed((p.name for p in found), 10) or 'none'}.",
            "Correct data.source.split, or convert the data set to Parquet.",
        )
    return chosen


def stated_licence(folder: Path) -> str:
    """The licence that the data set's card states, or that it states none."""
    card = folder / "README.md"
    head = card.read_text(encoding="utf-8", errors="replace")[:20_000] if card.is_file() else ""
    found = re.search(r"\A---\n(?:.*\n)*?license:\s*([A-Za-z0-9.+_-]+)\s*\n", head)
    return found.group(1) if found else "not stated"


def snapshot(name: str, revision: str | None, *, download: bool) -> Path:
    """Folder of a data set in the local cache, fetched first if that is allowed.

    Raises:
        DataError: If it is not in the cache, or cannot be fetched.
    """
    import huggingface_hub
    from huggingface_hub import errors

    if download and revision is None:
        raise DataError(
            f"The data set {name} has no pinned revision, so it is not downloaded.",
            "The commit to fetch, 40 hex digits: what is read then cannot change unseen.",
            f"Copy the commit from the data set's history on the hub into data.source.revision of {name}.",
        )
    try:
        found = huggingface_hub.snapshot_download(
            name, repo_type="dataset", revision=revision, allow_patterns=PATTERNS, local_files_only=not download
        )
    except (errors.HFValidationError, errors.HfHubHTTPError, errors.LocalEntryNotFoundError, OSError) as error:
        raise not_there(name, revision, error, download=download) from error
    return Path(found)


def not_there(name: str, revision: str | None, error: Exception, *, download: bool) -> DataError:
    """The message for a data set that could not be had: where it was looked for, and two ways to get it."""
    from huggingface_hub import constants

    tried = f"; the hub answered: {str(error).splitlines()[0][:200]}" if download else "; the network was not asked"
    at = f" at revision {revision}" if revision else ""
    return DataError(
        f"The data set {name}{at} is not here. Looked for: the folder {name}, the local cache "
        f"{constants.HF_HUB_CACHE}{tried}.",
        "A local folder in the hub's layout, or a data set in the local cache.",
        f"Run again with --download (and data.source.revision), or copy the data set to a folder and write hub: FOLDER "
        f"in place of {name}.",
    )
