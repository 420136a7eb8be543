"""Rows a second of the students of a finished run, beside its teacher in fp32, each at its best batch.

All are measured one after the other in one process on the run's own texts, the teacher before and after the students.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.recording import record
from workbench.evaluation.measurement import Effort, Predicts, time_batches

EFFORT = Effort()
TEACHER_EFFORT = Effort(batches=(16, 32, 64, 128, 256), repeats=3, repeat_seconds=2.0)
TEXTS = 4_096


def texts_of(run: Path) -> pa.Array:
    """Texts of the run's table, drawn by rows that it used."""
    import pyarrow.parquet as pq

    from workbench import recipe
    from workbench.data import sources
    from workbench.runs import RunFolder

    wanted = recipe.read(run / "recipe.yaml").recipe.data
    base = (run / (RunFolder(run).state.base or ".")).resolve()
    table = sources.read(wanted.source, data=wanted, base=base).table
    rows = pq.read_table(run / "data" / "rows.parquet")["row"].combine_chunks()
    drawn = np.random.default_rng(0).permutation(len(rows))[:TEXTS]
    return table[wanted.text].combine_chunks().take(rows.take(pa.array(drawn)))


def rate(candidate: Predicts, texts: pa.Array, effort: Effort) -> float:
    """Median rows a second at the best batch."""
    return statistics.median(time_batches(candidate, texts, effort)[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the students of the run that the command line names."""
    from workbench import models
    from workbench.models.head import HeadCandidate
    from workbench.runs import find_run

    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring_speed", description=__doc__)
    parser.add_argument("--run", default="latest", help="folder of a finished run, or latest")
    run = find_run(parser.parse_args(arguments).run)
    texts = texts_of(run)
    teacher = models.load(run / "models" / "teacher")
    if not isinstance(teacher, HeadCandidate):
        raise SystemExit(f"The teacher of {run} is of the kind {teacher.kind}: only a head has an fp32 form.")
    slow = teacher.as_fp32()
    before = rate(slow, texts, TEACHER_EFFORT)
    names = sorted(folder.name for folder in (run / "models").glob("student-*"))
    found = {name: rate(models.load(run / "models" / name), texts, EFFORT) for name in names}
    own = rate(teacher, texts, TEACHER_EFFORT)
    peer = (before + rate(slow, texts, TEACHER_EFFORT)) / 2
    for name, ours in found.items():
        record(f"rows a second of {name} beside the teacher in fp32", ours, "rows/s", peer)
    record("rows a second of the teacher as it is used beside itself in fp32", own, "rows/s", peer)


if __name__ == "__main__":
    main()
