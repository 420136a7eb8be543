"""How long ``import workbench`` and ``workbench --help`` take: medians of fresh processes, beside an empty Python."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.recording import record

REPEATS = 5
SOURCES = str(Path(__file__).resolve().parent.parent / "src")
STARTS = {
    "an empty Python": ["-c", "pass"],
    "import workbench": ["-c", "import workbench"],
    "workbench --help": ["-m", "workbench", "--help"],
}


def seconds(arguments: list[str]) -> float:
    """Wall time of one fresh process."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (SOURCES, os.environ.get("PYTHONPATH"))))}
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - began


def main() -> None:
    """Measure all in turns; the first turn fills the caches and is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in STARTS}
    for turn in range(REPEATS + 1):
        for name, arguments in STARTS.items():
            one = seconds(arguments)
            if turn:
                taken[name].append(one)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    empty = medians["an empty Python"]
    record("import workbench beside an empty Python", medians["import workbench"], "s", empty)
    record("workbench --help beside an empty Python", medians["workbench --help"], "s", empty)
    told = "import sys, workbench; print('torch' in sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", told],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": SOURCES},
    )
    record("import workbench loads torch (0 is no)", float(loaded.stdout.strip() == "True"), "yes or no")


if __name__ == "__main__":
    main()
