"""What ``doctor`` looks at. It reads and tries; it installs and fetches nothing."""

from __future__ import annotations

import os
import secrets
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from workbench.cli.doctor import Finding
from workbench.errors import ModelError, WorkbenchError

DISTRIBUTION = "specialist-workbench"
LEAST_MEMORY_MB = 4_000
LEAST_DISK_MB = 1_000
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
GIVES = {
    "train": "encoders as teachers, static students",
    "lora": "adapters",
    "minilm": "weights of MiniLM, the encoder of the shipped recipes",
    "icd10": "data of the recipe clinical-coding",
    "hpo": "data of the recipe patient-wording",
    "licences": "data of the recipe licence-obligations",
    "personal": "names and telephone numbers, for the scan for personal data",
    "quality": "cleanlab, beside our own search for label errors",
    "privacy": "heads with differential privacy",
    "attacks": "texts that instruct a model",
    "lab": "JupyterLab and widgets",
    "dev": "tests, lint, types",
}


def computer() -> list[Finding]:
    """Python, system, cores, memory, and whether bf16 is native."""
    from workbench.models.encoder import native_bf16
    from workbench.runs import describe_environment

    told = describe_environment()
    python = ".".join(str(part) for part in sys.version_info[:3])
    memory = told["memory_mb"]
    enough = memory is None or memory >= LEAST_MEMORY_MB
    return [
        Finding("Python", "good" if sys.version_info >= (3, 11) else "bad", f"{python} on {told['system']}"),
        Finding("processor", "good", f"{told['processor']}, {told['cores']} cores"),
        Finding(
            "memory",
            "good" if enough else "missing",
            "the system does not tell" if memory is None else f"{memory:,} MB",
            "" if enough else f"The shipped recipes want about {LEAST_MEMORY_MB:,} MB.",
        ),
        Finding(
            "bf16",
            "good",
            "native: encoders read about twice as fast" if native_bf16() else "not native: encoders read in fp32",
        ),
    ]


def disk(runs: Path) -> list[Finding]:
    """Whether runs can be written, and the room left for them."""
    from workbench import storage

    probe = runs / f".probe-{secrets.token_hex(4)}"
    there = runs.exists()
    try:
        storage.write_bytes(probe, b"")
        storage.remove_file(probe)
        if not there:
            storage.remove_tree(runs)
        free = storage.free_bytes(runs if there else Path()) // 1_000_000
    except WorkbenchError as error:
        return [Finding("folder for runs", "bad", f"{runs}: {error.problem}", error.what_to_do)]
    enough = free >= LEAST_DISK_MB
    return [
        Finding("folder for runs", "good", f"{runs.absolute()} can be written"),
        Finding("disk", "good" if enough else "bad", f"{free:,} MB free", "" if enough else "Free some room."),
    ]


def extras() -> list[Finding]:
    """Each extra of the package: there, or the line that installs it."""
    try:
        declared = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        line = 'pip install -e ".[run]" -c constraints.txt'
        return [Finding("package", "missing", f"{DISTRIBUTION} is used from a folder, not installed", line)]
    found = [Finding("package", "good", f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)}")]
    for name, gives in GIVES.items():
        absent = _absent(declared, name)
        if absent:
            found.append(Finding(name, "missing", f"{gives}: no {', '.join(absent)}", install_line(name)))
        else:
            found.append(Finding(name, "good", gives))
    return found


def _absent(declared: list[str], extra: str) -> list[str]:
    """Packages of an extra, also of the extras that it contains, which are not there in the version asked for."""
    missing = []
    for text in declared:
        try:
            needed = Requirement(text)
        except InvalidRequirement:
            continue
        if (
            needed.marker is None
            or not needed.marker.evaluate({"extra": extra})
            or needed.marker.evaluate({"extra": ""})
        ):
            continue
        if needed.name == DISTRIBUTION:
            missing += [one for inner in sorted(needed.extras) for one in _absent(declared, inner)]
        elif not _there(needed):
            missing.append(str(needed.name) + str(needed.specifier))
    return missing


def _there(needed: Requirement) -> bool:
    try:
        return needed.specifier.contains(metadata.version(needed.name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False


def install_line(extra: str) -> str:
    """The line that installs an extra: from the clone, where this is one, else by name."""
    clone = Path(__file__).resolve().parents[3]
    if (clone / "constraints.txt").is_file() and (clone / "pyproject.toml").is_file():
        return f'pip install -e "{clone}[{extra}]" -c "{clone / "constraints.txt"}"'
    return f'pip install "{DISTRIBUTION}[{extra}]"'


def weights() -> list[Finding]:
    """Whether the encoder of the shipped recipes is there, and whose upload it is."""
    from workbench.models.weights import find_weights

    try:
        found = find_weights(ENCODER)
    except ModelError as error:
        return [Finding("weights", "missing", error.problem, install_line("minilm"))]
    return [Finding("weights", "good", f"{found.name} ({found.where}), SHA-256 {found.digest[:8]}…, {found.uploader}")]


def network() -> list[Finding]:
    """That none is needed, and whether the libraries are told so."""
    offline = os.environ.get("HF_HUB_OFFLINE") == "1"
    told = "none is needed; libraries are told to stay offline" if offline else "none is needed"
    return [Finding("network", "good", f"{told}. Only --download fetches anything.")]
