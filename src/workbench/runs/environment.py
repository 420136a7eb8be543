"""What machine and what versions a run is made with: read, never guessed, and without a machine's name or paths."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from workbench.runs.stages import code_digest

PACKAGES = (
    "specialist-workbench numpy scipy scikit-learn pandas pyarrow pydantic evaluate codecarbon torch transformers "
    "tokenizers safetensors model2vec peft matplotlib"
).split()
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "neon", "asimd", "bf16")


def describe_environment() -> dict[str, Any]:
    """Versions, hardware, CPU flags, threads and the digest of this package's sources."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor_name(),
        "cpu_flags": cpu_flags(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_mb": memory_mb(),
        "threads": {name: os.environ[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if name in os.environ},
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "code_digest": code_digest(()),
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def processor_name() -> str:
    """The processor's own name where the system tells it, else its architecture."""
    for line in _cpuinfo():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cpu_flags() -> list[str]:
    """Those CPU flags that decide how fast a model runs; empty where the system does not tell."""
    for line in _cpuinfo():
        if line.startswith(("flags", "Features")):
            present = set(line.partition(":")[2].split())
            return [flag for flag in FLAGS if flag in present]
    return []


def memory_mb() -> int | None:
    """Installed memory in MB, or ``None`` where the system does not tell."""
    try:
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6)
    except (AttributeError, ValueError, OSError):
        return None


def _cpuinfo() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
