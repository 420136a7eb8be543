"""What it takes of a training to be watched: its files read on and its curves made, five times a second, in a notebook.

Looks at a run of a hundred thousand lines of curves that grows as a real one does, and says which share of one second
of training on two cores a second of watching is; and how long a click takes in Python while a training works.
It writes nothing but what it prints.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

from workbench import storage
from workbench.projects.watching import Watch
from workbench.runs import RunFolder, RunState, now
from workbench.runs.folder import LOCK_FILE
from workbench.widgets.curves import Curves
from workbench.widgets.train import Train
from workbench.widgets.words import Words

LINES, CANDIDATES, LOOKS, NEW = 100_000, 10, 50, 20
CORES, A_SECOND = 2, 5


def lines(first: int, count: int) -> str:
    """Lines as trainings write them: a value and a progress in turn, of several candidates."""
    found = []
    for number in range(first, first + count):
        name = f"student-{number * CANDIDATES // LINES}"
        at = {"stage": "student", "candidate": name, "at": time.time()}
        value = {"event": "Measured", "name": "loss", "value": 1 / (1 + number % 10_000), "step": number}
        done = {"event": "Progress", "done": number, "total": LINES}
        found.append(json.dumps({**at, **(value if number % 2 else done)}) + "\n")
    return "".join(found)


def grown(run: Path) -> None:
    """Let a run write its next lines."""
    grown.at = getattr(grown, "at", LINES) + NEW  # type: ignore[attr-defined]
    for line in lines(grown.at, NEW).splitlines():  # type: ignore[attr-defined]
        storage.append_line(run / "progress.jsonl", line, sync=False)


def looks(run: Path, watch: Watch, curves: Curves, *, new: bool) -> float:
    """Processor seconds of one look, the curves made of it included."""
    spent = []
    for _ in range(LOOKS):
        if new:
            grown(run)
        began = time.process_time()
        curves.show(watch.poll().curves)
        spent.append(time.process_time() - began)
    return statistics.median(spent)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        state = RunState("0" * 64, "0" * 64, "running", 1, now())
        run = RunFolder.create(Path(temporary), "watched", state)
        storage.write_text(run.path / "progress.jsonl", lines(0, LINES))
        with storage.Lock(run.path / LOCK_FILE):
            watch, curves = Watch(run.path), Curves(Words("en"))
            began = time.process_time()
            curves.show(watch.poll().curves)
            print(f"first look at {LINES:,} lines: {time.process_time() - began:.2f} s of a processor")
            for new in (False, True):
                spent = looks(run.path, watch, curves, new=new)
                told = f"{NEW} new lines" if new else "nothing new"
                share = spent * A_SECOND / CORES
                print(
                    f"a look with {told}: {1000 * spent:.2f} ms; {A_SECOND} a second are {share:.2%} of {CORES} cores"
                )
            began = time.perf_counter()
            panel = Train(run.path, words=Words("en"))
            print(f"the panel stands after {1000 * (time.perf_counter() - began):.0f} ms")
            clicks(panel)
            panel.close()


def clicks(panel: Train) -> None:
    """How long the handlers of a click take while the panel follows a run."""
    table = panel.curves.as_table
    for name, click in (("as a table", lambda: setattr(table, "value", True)), ("stop", panel.stop.click)):
        time.sleep(1)
        began = time.perf_counter()
        click()
        print(f"a click on “{name}” takes {1000 * (time.perf_counter() - began):.0f} ms")


if __name__ == "__main__":
    main()
