"""Checkpoints of a training: whole or not there, verified before they are used, never pickled.

A checkpoint is a folder ``step-<step>.<attempt>`` with ``tensors.safetensors``, ``state.json`` and, written last,
``SHA256SUMS`` of both (``sha256sum -c SHA256SUMS`` checks it without this package). It appears under its name in one
step. Whoever saves must be alone in the folder, as a run is under its lock; reading changes nothing, so several
processes may do it at once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import storage
from workbench.errors import RunError
from workbench.models.tokens import need
from workbench.storage.troubles import told

if TYPE_CHECKING:
    import torch

FORMAT = 1
TENSORS, STATE, SUMS = "tensors.safetensors", "state.json", "SHA256SUMS"
NEEDED_FOR = "saving and resuming a training"
_NAME = re.compile(r"step-(\d{10,})\.(\d+)")
_SUM = re.compile(r"([0-9a-f]{64})  ([\w.-]+)")
_DTYPES = {
    "float64": "F64",
    "float32": "F32",
    "bfloat16": "BF16",
    "float16": "F16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}


@dataclass(frozen=True)
class Checkpoint:
    """What was saved at a step.

    Attributes:
        step: Optimiser steps done.
        tensors: As they were saved, bit for bit, on the CPU and independent of the file.
        state: As it was saved, as JSON gives it back: tuples are lists.
        folder: Where it lies.
    """

    step: int
    tensors: dict[str, torch.Tensor]
    state: dict[str, Any]
    folder: Path


class _Damaged(Exception):  # noqa: N818  (never leaves this module)
    """Why a checkpoint is not used, as the end of a sentence."""


def _silent(sentence: str) -> None:
    """Tell nobody."""


class Checkpoints:
    """The checkpoints of one training, in a folder of their own."""

    def __init__(self, folder: Path, *, keep: int = 2, tell: Callable[[str], None] = _silent) -> None:
        """Name the folder; nothing is touched yet.

        Args:
            folder: Holds nothing else; made by the first save.
            keep: How many verified checkpoints stay, at least 1.
            tell: Gets sentences for a person: which checkpoint was passed over, why, and what is used instead.
        """
        if keep < 1:
            raise ValueError(f"keep must be at least 1, not {keep}")
        self.folder = folder
        self.keep = keep
        self._tell = tell
        self._verified: set[str] = set()
        self._swept = False

    def save(self, step: int, tensors: Mapping[str, torch.Tensor], state: Mapping[str, Any]) -> None:
        """Save a checkpoint, then remove the ones it makes superfluous.

        It is the newest from then on: others of the same or a higher step belong to a training that was given up,
        and are removed or rank as older. Tensors are written one after the other, without a copy when they lie on
        the CPU and are contiguous.

        Args:
            step: Optimiser steps done, 0 or more.
            tensors: Any device and shape.
            state: Values that JSON knows, keys that are strings; a value that is not there yet is ``None``.

        Raises:
            RunError: The system refused; the earlier checkpoints stand.
            ValueError: NaN or an infinity in the state, or a step below 0.
            TypeError: A value that JSON does not know, or a tensor of a type that cannot be saved.
        """
        if step < 0:
            raise ValueError(f"step must be 0 or more, not {step}")
        if not self._swept:
            storage.sweep(self.folder)
            self._swept = True
        attempt = 1 + max((number for (at, number), _ in self._found() if at == step), default=0)
        target = self.folder / f"step-{step:010d}.{attempt}"
        with storage.commit_folder(target) as folder:
            digest = hashlib.sha256()
            storage.write_chunks(folder / TENSORS, _hashed(_safetensors(tensors), digest))
            storage.write_json(folder / STATE, {"format": FORMAT, "step": step, "state": dict(state)})
            sums = {TENSORS: digest.hexdigest(), STATE: storage.sha256_file(folder / STATE)}
            storage.write_text(folder / SUMS, "".join(f"{value}  {name}\n" for name, value in sums.items()))
        self._verified.add(target.name)
        self._prune(target)

    def newest(self) -> Checkpoint | None:
        """Load the newest checkpoint whose digests, step and content agree; damaged ones are passed over and told.

        Returns:
            The checkpoint, or ``None`` when there is none that is whole.

        Raises:
            RunError: One was written in a newer format, or may not be read.
            MissingExtraError: torch or safetensors is not installed.
        """
        damaged: list[str] = []
        found: Checkpoint | None = None
        for (step, _), folder in reversed(self._found()):
            try:
                found = _load(folder, step)
            except _Damaged as reason:
                self._verified.discard(folder.name)
                damaged.append(f"The checkpoint {folder.name} was passed over: {reason}.")
            else:
                self._verified.add(folder.name)
                break
        instead = f"The one of step {found.step} is used." if found else "No other is whole: training starts anew."
        for sentence in damaged:
            self._tell(f"{sentence} {instead}")
        return found

    def clear(self) -> None:
        """Remove all checkpoints and their folder.

        Raises:
            RunError: The system refused.
        """
        storage.remove_tree(self.folder)
        self._verified.clear()

    def _found(self) -> list[tuple[tuple[int, int], Path]]:
        """All checkpoints by (step, attempt), the newest last; anything else in the folder is left alone."""
        if not self.folder.is_dir():
            return []
        matches = ((_NAME.fullmatch(path.name), path) for path in self.folder.iterdir())
        return sorted(((int(match[1]), int(match[2])), path) for match, path in matches if match)

    def _prune(self, newest: Path) -> None:
        """Keep the newest and the next older verified ones; all others go."""
        found = self._found()
        rank = next(key for key, path in found if path == newest)
        kept = [newest]
        for key, path in reversed(found):
            if key < rank and len(kept) < self.keep and self._is_whole(path):
                kept.append(path)
        for _, path in found:
            if path not in kept:
                storage.remove_tree(path)
                self._verified.discard(path.name)

    def _is_whole(self, folder: Path) -> bool:
        """Whether its digests agree; looked at once only."""
        if folder.name not in self._verified:
            try:
                with _read_failures_are_damage():
                    _verify(folder)
            except _Damaged:
                return False
            self._verified.add(folder.name)
        return True


def random_state() -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read the states of the global random generators: Python's, NumPy's legacy one, torch's on CPU and CUDA.

    Returns:
        Tensors, whose names begin with ``random.``, and plain values; together they are what
        :func:`restore_random_state` takes.

    Raises:
        ValueError: NumPy's global generator was replaced by one that is no Mersenne Twister.
    """
    import random

    import numpy as np

    torch = need("torch", NEEDED_FOR)
    version, words, gauss = random.getstate()
    legacy = np.random.get_state(legacy=False)
    if legacy["bit_generator"] != "MT19937":
        raise ValueError(f"NumPy's global generator is a {legacy['bit_generator']}, not MT19937")
    tensors = {
        "random.python": torch.tensor(words, dtype=torch.int64),
        "random.numpy": torch.from_numpy(legacy["state"]["key"].astype(np.int64)),
        "random.torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        tensors |= {f"random.cuda.{device}": one for device, one in enumerate(torch.cuda.get_rng_state_all())}
    numpy = {"pos": legacy["state"]["pos"], "has_gauss": legacy["has_gauss"], "gauss": legacy["gauss"]}
    return tensors, {"python": {"version": version, "gauss": gauss}, "numpy": numpy}


def restore_random_state(tensors: Mapping[str, torch.Tensor], state: Mapping[str, Any]) -> None:
    """Set the global random generators to what :func:`random_state` read.

    Args:
        tensors: Its tensors; others beside them are ignored. CUDA devices that are not there any more are left out.
        state: Its plain values, also after a way through JSON.
    """
    import random

    import numpy as np

    torch = need("torch", NEEDED_FOR)
    python, numpy = state["python"], state["numpy"]
    random.setstate((python["version"], tuple(tensors["random.python"].tolist()), python["gauss"]))
    key = tensors["random.numpy"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", key, numpy["pos"], numpy["has_gauss"], numpy["gauss"]))
    torch.set_rng_state(tensors["random.torch"])
    for device in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        if f"random.cuda.{device}" in tensors:
            torch.cuda.set_rng_state(tensors[f"random.cuda.{device}"], device)


def _safetensors(tensors: Mapping[str, torch.Tensor]) -> Iterator[bytes | memoryview]:
    """Give the content of a safetensors file piece by piece: the length of the header, the header, each tensor.

    The widest types come first, so that every tensor begins at a multiple of its own width. The format is described
    at https://huggingface.co/docs/safetensors.
    """
    torch = need("torch", NEEDED_FOR)
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header, at = {}, 0
    for name in order:
        tensor = tensors[name]
        dtype = _DTYPES.get(str(tensor.dtype).removeprefix("torch."))
        if dtype is None or tensor.layout != torch.strided:
            raise TypeError(f"{name} is of type {tensor.dtype} ({tensor.layout}), which cannot be saved")
        end = at + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for name in order:
        flat = tensors[name].detach().cpu().contiguous().reshape(-1)
        yield flat.view(torch.uint8).numpy().data


def _hashed(chunks: Iterator[bytes | memoryview], digest: hashlib._Hash) -> Iterator[bytes | memoryview]:
    """Pass chunks on, and into a digest."""
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def _load(folder: Path, step: int) -> Checkpoint:
    """Verify and load one checkpoint."""
    with _read_failures_are_damage():
        _verify(folder)
        saved = storage.read_json(folder / STATE)
    if saved["format"] > FORMAT:
        raise RunError(
            f"The checkpoint {folder} was written in format {saved['format']}; this version reads up to {FORMAT}.",
            "A version of specialist-workbench at least as new as the one that began the training.",
            "Update: pip install --upgrade specialist-workbench",
        )
    if saved["step"] != step:
        raise _Damaged(f"it says to be of step {saved['step']}")
    safetensors = need("safetensors", NEEDED_FOR)
    try:
        with safetensors.safe_open(folder / TENSORS, framework="pt") as file:
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}
    except safetensors.SafetensorError as error:
        raise _Damaged(f"{TENSORS} is not readable: {error}") from error
    return Checkpoint(step, tensors, saved["state"], folder)


def _verify(folder: Path) -> None:
    """Compare the digests of what stands in a checkpoint's folder with the ones written last.

    Raises:
        _Damaged: They do not agree, or the list of them is not whole.
        RunError: Something cannot be read.
    """
    if not (folder / SUMS).is_file():
        raise _Damaged(f"{SUMS} is missing")
    with told("reading", folder / SUMS):
        lines = (folder / SUMS).read_bytes().decode("ascii", "replace").splitlines()
    matches = [match for line in lines if (match := _SUM.fullmatch(line))]
    sums = {match[2]: match[1] for match in matches}
    if len(matches) != len(lines) or not {TENSORS, STATE} <= set(sums):
        raise _Damaged(f"{SUMS} is not what was written")
    for name, digest in sums.items():
        if not (folder / name).is_file():
            raise _Damaged(f"{name} is missing")
        if storage.sha256_file(folder / name) != digest:
            raise _Damaged(f"{name} is not what was written")


@contextmanager
def _read_failures_are_damage() -> Iterator[None]:
    """Take what cannot be read for damaged, unless it only is forbidden to this user."""
    try:
        yield
    except RunError as error:
        if isinstance(error.__cause__, PermissionError):
            raise
        raise _Damaged(f"it cannot be read ({error.__cause__})") from error
