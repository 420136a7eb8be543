"""Our engine beside the tools that people use today, in one run on the same rows and weights; some twenty minutes.

Sides take turns, and every line of the results holds the ratio of each turn, so that one sees whether they agree.
Run it on a machine that does nothing else: both sides want every core.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import matrix_peak, peers_finetune, peers_labels, peers_losses, peers_scoring, recording
from benchmarks.peers_task import Sizes, Task, UnlikeWorkError, open_task
from workbench.errors import RunError
from workbench.runs import find_run

COMPARISONS: dict[str, Callable[[Task], None]] = {
    "finetune": peers_finetune.finetune,
    "frozen": partial(peers_finetune.finetune, frozen=True),
    "flops": peers_finetune.flops,
    "checkpoints": peers_finetune.checkpoints,
    "distil": peers_finetune.distil,
    "scoring": peers_scoring.scoring,
    "setfit": peers_labels.setfit,
    "model2vec": peers_labels.model2vec,
    "losses": peers_losses.losses,
}
NEEDS = {"setfit": "setfit", "model2vec": "model2vec"}
HELP = {
    "rows": "rows to train on, and to score",
    "epochs": "passes over them",
    "batch": "rows of a batch",
    "labels": "labels of each class for setfit and model2vec",
    "iterations": "SetFit's num_iterations: pairs it makes of each label",
    "repeats": "turns of each side",
    "seed": "of rows, order and dropout",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the comparisons that the command line names, all when it names none."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=[*COMPARISONS, "int8"], help="some of the comparisons")
    parser.add_argument("--run", default="latest", help="finished run whose 8-bit students are timed, or latest")
    for one in fields(Sizes):
        parser.add_argument(f"--{one.name}", type=int, default=one.default, help=HELP[one.name])
    given = parser.parse_args(arguments)
    quiet()
    wanted = given.only or [*COMPARISONS, "int8"]
    already = len(lines())
    unlike: list[str] = []
    if set(wanted) & set(COMPARISONS):
        matrix_peak.main()
        sizes = Sizes(**{one.name: getattr(given, one.name) for one in fields(Sizes)})
        unlike = compare_all(open_task(sizes), wanted)
    if "int8" in wanted:
        int8(given.run)
    print_table(lines()[already:])
    if unlike:
        raise SystemExit("\n".join(unlike))


def compare_all(task: Task, wanted: Sequence[str]) -> list[str]:
    """Make the comparisons, and say which are left out for want of a package.

    Returns:
        Those whose sides did not do the same work, with what was found; they have no line in the results.
    """
    unlike = []
    for name, comparison in COMPARISONS.items():
        if name not in wanted:
            continue
        missing = name in NEEDS and find_spec(NEEDS[name]) is None
        print(f"{name}: left out, {NEEDS[name]} is not installed (extra bench)" if missing else f"{name}:", flush=True)
        try:
            if not missing:
                comparison(task)
        except UnlikeWorkError as failed:
            unlike.append(f"{name}: {failed}")
    return unlike


def int8(run: str) -> None:
    """Time the 8-bit students of a run; say so where there is none."""
    try:
        found = find_run(run)
    except RunError as missing:
        print(f"int8: left out. {missing}")
        return
    peers_scoring.int8(Path(found))


def quiet() -> None:
    """No network; no advice and no progress bars between the figures. Libraries read some of this when imported."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    os.environ |= {"TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1"}
    import datasets
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    warnings.filterwarnings("ignore", message="'pin_memory'")


def lines() -> list[dict[str, Any]]:
    """The results so far."""
    if not recording.RESULTS.is_file():
        return []
    return [json.loads(line) for line in recording.RESULTS.read_text(encoding="utf-8").splitlines()]


def print_table(found: Sequence[dict[str, Any]]) -> None:
    """Print the comparisons one below the other."""
    width = max((len(line["comparison"]) for line in found), default=0)
    print(f"\n{'comparison':<{width}}  {'ours':>10}  {'peer':>10}  {'ratio':>7}  unit      ratio of each turn")
    for line in found:
        peer = "" if line["peer"] is None else f"{line['peer']:,.4g}"
        ratio = "" if line["ratio"] is None else f"{line['ratio']:.3f}"
        turns = ", ".join(f"{one:.2f}" for one in line.get("ratio_of_turns", ()))
        print(
            f"{line['comparison']:<{width}}  {line['ours']:>10,.4g}  {peer:>10}  {ratio:>7}  {line['unit']:<8}  {turns}"
        )
    print(f"Written to {recording.RESULTS}")


if __name__ == "__main__":
    main()
