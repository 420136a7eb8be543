"""Peak memory of a fresh process that loads a saved candidate and predicts; run as a script, this file is that process.

On Linux the kernel's high-water mark of the process itself is read (VmHWM): `ru_maxrss` is inherited from the parent
that started it and would show the parent's size. On macOS `ru_maxrss` is used, in bytes. Elsewhere there is no
figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import workbench

_SECONDS = 300


def peak_memory_mb(folder: Path, texts: Sequence[str]) -> tuple[float | None, str]:
    """Load a saved candidate in a new process, predict, and ask for its peak.

    Args:
        folder: The saved candidate.
        texts: What it predicts.

    Returns:
        Megabytes (10^6 bytes), or None and the reason.
    """
    if sys.platform.startswith("win"):
        return None, "the system tells no peak memory of a process here (Windows)"
    sources = str(Path(next(iter(workbench.__path__))).parent)
    paths = os.pathsep.join(filter(None, (sources, os.environ.get("PYTHONPATH", ""))))
    environment = os.environ | {"PYTHONPATH": paths, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    # The file, not the module: importing this room would add its own libraries to the candidate's peak.
    command = [sys.executable, "-P", str(Path(__file__).resolve()), str(folder.resolve())]
    try:
        done = subprocess.run(  # noqa: S603  (this interpreter, this module, a folder of the run)
            command,
            input=json.dumps(list(texts)),
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=environment,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return None, f"the process did not end within {_SECONDS} seconds"
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return None, f"the process that loads it failed: {last}"
    return float(done.stdout.strip().splitlines()[-1]), ""


def own_peak_mb() -> float:
    """Peak memory of this process so far.

    Returns:
        Megabytes (10^6 bytes).
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = [
            line
            for line in status.read_text(encoding="ascii", errors="replace").splitlines()
            if line.startswith("VmHWM:")
        ]
        return int(lines[0].split()[1]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def main() -> None:
    """Load the candidate named on the command line, predict the texts from standard input, write the peak in MB."""
    from workbench import models

    models.load(Path(sys.argv[1])).predict_proba(json.loads(sys.stdin.read()))
    sys.stdout.write(f"\n{own_peak_mb():.3f}\n")


if __name__ == "__main__":
    main()
