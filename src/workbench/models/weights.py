"""Where an encoder's weights come from, and whether they may be used.

Looked for in this order: a folder, an installed package that :mod:`~workbench.models.packages` knows, the hub's local
cache, and the hub itself only where the user said ``--download`` and the recipe pins a commit. Only safetensors, JSON
and text are read. A configuration that asks for code of its own is refused, and so are weights of a known package
whose SHA-256 is not the one pinned here: whoever uploads a package is trusted by digest only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench import storage
from workbench.errors import ModelError
from workbench.models.assembling import cached_folder, folder_of
from workbench.models.packages import KNOWN, KnownPackage, PartedPackage

COMMIT = re.compile(r"[0-9a-f]{40}")
PATTERNS = ("*.safetensors", "*.json", "*.txt")
_REFUSED = re.compile(r"auto_map|trust_remote_code|_attn_implementation.*")
_HEADER_LIMIT = 100_000_000
Package = KnownPackage | PartedPackage


@dataclass(frozen=True)
class Weights:
    """An encoder's folder, checked.

    Attributes:
        folder: Holds ``config.json``, ``tokenizer.json`` and safetensors.
        name: What to call it.
        digest: SHA-256 of the safetensors file, 64 hex digits (of the list of digests where there are several).
        uploader: Who put the files where they were found.
        licence: As stated there; ``unknown`` where nothing is.
        where: ``folder``, ``package``, ``cache`` or ``hub``.
    """

    folder: Path
    name: str
    digest: str
    uploader: str
    licence: str
    where: str


def find_weights(name: str | Path, *, revision: str | None = None, download: bool = False) -> Weights:
    """Find an encoder's weights and check that they may be used.

    Args:
        name: A folder, the name of a known package or of its model, or ``owner/name`` on the hub.
        revision: Commit on the hub, 40 hex digits; needed before anything is downloaded.
        download: Whether the hub may be asked. Without it nothing leaves the machine.

    Raises:
        ModelError: Not found (with where it was looked for and the two ways to get it), not the pinned ones, or asking
            for code of their own.
    """
    if Path(name).is_dir():
        return check_folder(Path(name))
    known = [package for package in KNOWN if str(name).lower() in package.names()]
    for package in known:
        if (folder := folder_of(package) if isinstance(package, PartedPackage) else package.folder()) is not None:
            return _from_package(package, folder)
    wanted = known[0].model if known else str(name)
    if (cached := _cached(wanted, revision)) is not None:
        return check_folder(cached, name=wanted, uploader=_owner(wanted), where="cache")
    if download:
        return _from_hub(wanted, revision)
    raise _not_found(str(name), wanted, known, revision)


def check_folder(folder: Path, *, name: str = "", uploader: str = "local folder", where: str = "folder") -> Weights:
    """Check a folder of weights: the files that are needed, none that runs code.

    Args:
        folder: The folder.
        name: What to call it; the folder's name when empty.
        uploader: Who put it there.
        where: How it was found.

    Raises:
        ModelError: A file is missing or is not what its name says, or the configuration asks for code.
    """
    missing = [file for file in ("config.json", "tokenizer.json") if not (folder / file).is_file()]
    shards = sorted(folder.glob("*.safetensors"))
    if missing or not shards:
        listed = ", ".join([*missing, *([] if shards else ["model.safetensors"])])
        raise ModelError(
            f"The folder {folder} is no encoder that can be read: {listed} is missing.",
            "A folder with config.json, tokenizer.json (of a fast tokenizer) and model.safetensors.",
            "Save the model with save_pretrained(folder, safe_serialization=True); pickled weights are never read.",
        )
    for file in shards:
        _refuse_other_content(file)
    for file in (folder / "config.json", folder / "tokenizer_config.json"):
        if file.is_file():
            _refuse_code(file)
    return Weights(folder, name or folder.resolve().name, _digest(shards), uploader, _licence(folder), where)


def _from_package(package: Package, folder: Path) -> Weights:
    """Check a package's folder against its pinned digest and say who uploaded it."""
    weights = check_folder(folder, name=package.model, uploader=package.uploader(), where="package")
    if weights.digest != package.sha256:
        raise ModelError(
            f"The weights of {package.label()} in {folder} are not the pinned ones: SHA-256 {weights.digest}.",
            f"SHA-256 {package.sha256}, that of {package.model}.",
            package.repair(folder),
        )
    return replace(weights, licence=package.licence)


def _cached(name: str, revision: str | None) -> Path | None:
    """Snapshot in the hub's local cache: of the revision, or else of what ``main`` was."""
    if name.count("/") != 1:
        return None
    place = _hub_cache() / f"models--{name.replace('/', '--')}"
    main = place / "refs" / "main"
    commit = revision or (main.read_text(encoding="ascii").strip() if main.is_file() else "")
    snapshot = place / "snapshots" / commit
    return snapshot if COMMIT.fullmatch(commit) and snapshot.is_dir() else None


def _hub_cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _from_hub(name: str, revision: str | None) -> Weights:
    """Fetch a pinned commit: safetensors, JSON and text only."""
    if revision is None or not COMMIT.fullmatch(revision):
        raise ModelError(
            f"'{name}' may not be downloaded at the revision {revision!r}.",
            "A commit of 40 hex digits: what a branch or a tag holds can change under its name.",
            "Add it to the recipe: teacher: {model: …, revision: <commit>}; the hub shows it under “Files”.",
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=list(PATTERNS)))
    except (OSError, HFValidationError, ValueError) as error:  # errors of the hub and of the network are OSErrors
        raise ModelError(
            f"'{name}' could not be downloaded: {str(error).strip().splitlines()[0]}",
            f"The hub reached, and {name} there at the commit {revision}.",
            "Look at the name, the commit and the network (HF_HUB_OFFLINE must not be 1), or name a local folder.",
        ) from error
    return check_folder(folder, name=name, uploader=_owner(name), where="hub")


def _not_found(name: str, wanted: str, known: list[Package], revision: str | None) -> ModelError:
    asked = known or KNOWN
    looked = [f"folder {Path(name).absolute()}"]
    looked += [f"folder {cached_folder(package)}" for package in asked if isinstance(package, PartedPackage)]
    looked += [f"installed {package.label()}" for package in asked]
    looked.append(f"the hub's cache {_hub_cache()}" + (f" at {revision}" if revision else ""))
    ways = [package.install() + ("" if known else f" (carries {package.model})") for package in asked]
    pinned = "" if revision else " and revision: <commit of 40 hex digits> in the recipe"
    return ModelError(
        f"The weights '{name}' are not on this machine. Looked for in: {'; '.join(looked)}.",
        "A folder with config.json, tokenizer.json and model.safetensors, or a package that carries one.",
        f"Two ways to get them. From the package index: {'  or: '.join(ways)}"
        + ("" if known else "; then name that model")
        + f". From the hub: run again with --download{pinned}, which fetches {wanted}."
        " Without a teacher the baseline alone is made: --set teacher=null --set students=[]",
    )


def _owner(name: str) -> str:
    return f"{name.partition('/')[0]} on the Hugging Face hub"


def _digest(shards: list[Path]) -> str:
    digests = [_digest_of(file) for file in shards]
    if len(digests) == 1:
        return digests[0]
    listed = "".join(f"{digest}  {file.name}\n" for digest, file in zip(digests, shards, strict=True))
    return hashlib.sha256(listed.encode()).hexdigest()


def _digest_of(file: Path) -> str:
    """SHA-256 of a file: computed once in a process, for as long as its size and time stay what they were."""
    about = file.stat()
    return _hashed(file.resolve(), about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=64)
def _hashed(file: Path, size: int, changed_ns: int) -> str:
    return storage.sha256_file(file)


def _refuse_other_content(file: Path) -> None:
    """A safetensors file begins with the length of its header, and the header is a JSON object."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        start = opened.read(1)
    if start != b"{" or not 2 <= length <= min(_HEADER_LIMIT, file.stat().st_size - 8):
        raise ModelError(
            f"{file} is not a safetensors file, whatever its name says.",
            "Weights in the safetensors format, which cannot hold code.",
            "Get the file again from where it came, and compare its SHA-256.",
        )


def _refuse_code(file: Path) -> None:
    found = sorted(set(_refused_keys(_read_config(file))))
    if found:
        raise ModelError(
            f"{file} holds {', '.join(repr(key) for key in found)}: a model that brings or picks its own code.",
            "A model whose code is part of transformers.",
            "Choose another model. Code from a model's folder is never run, and no setting allows it.",
        )


def _read_config(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{file} is not readable as JSON: {error}",
            "The model's configuration as it was saved.",
            "Get the file again from where it came.",
        ) from error


def _refused_keys(value: object) -> Iterator[str]:
    """Keys at any depth that would run code or choose a kernel from elsewhere."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if _REFUSED.fullmatch(key):
                yield key
            yield from _refused_keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _refused_keys(inner)


def _licence(folder: Path) -> str:
    """Licence in the front matter of the model's card, where it has one."""
    card = folder / "README.md"
    head = card.read_text(encoding="utf-8", errors="replace")[:4000] if card.is_file() else ""
    match = re.search(r"^license:\s*(\S+)\s*$", head, re.MULTILINE) if head.startswith("---") else None
    return match[1] if match else "unknown"
