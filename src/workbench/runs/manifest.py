"""The list of a run's files with their SHA-256, written last: what was changed afterwards shows.

Logs are not in it (they grow when a run is resumed), nor are sign-offs (they name this list) or the lock. It shows
changes; it does not show who made them: whoever can change a file can make a new manifest too.
"""

from __future__ import annotations

from pathlib import Path

from workbench import storage

MANIFEST = "manifest.json"
LEFT_OUT = frozenset({MANIFEST, "log.jsonl", "progress.jsonl", "signoffs.jsonl", ".lock", "stop"})


def listed_files(folder: Path) -> list[Path]:
    """Files of a run that belong in its manifest, sorted by name; checkpoints and temporaries do not."""
    files = []
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if file.is_file() and not hidden and name.as_posix() not in LEFT_OUT and name.parts[0] != "checkpoints":
            files.append(file)
    return files


def write_manifest(folder: Path) -> None:
    """Write ``manifest.json``: path relative to the run, with ``/``, to SHA-256.

    Raises:
        RunError: The disk is full or the folder cannot be written.
    """
    digests = {file.relative_to(folder).as_posix(): storage.sha256_file(file) for file in listed_files(folder)}
    storage.write_json(folder / MANIFEST, digests)


def check_manifest(folder: Path) -> list[str]:
    """What differs from the manifest, a sentence each; empty when nothing does."""
    if not (folder / MANIFEST).is_file():
        return ["There is no manifest.json: the run was not finished, or the file was removed."]
    listed: dict[str, str] = storage.read_json(folder / MANIFEST)
    there = {file.relative_to(folder).as_posix(): file for file in listed_files(folder)}
    differing = [f"{name} is missing." for name in sorted(listed.keys() - there.keys())]
    differing += [f"{name} was added after the run." for name in sorted(there.keys() - listed.keys())]
    for name in sorted(listed.keys() & there.keys()):
        if there[name].is_symlink() or storage.sha256_file(there[name]) != listed[name]:
            differing.append(f"{name} was changed after the run.")
    return differing
