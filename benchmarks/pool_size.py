"""Does time grow linearly with the pool, and does memory stay within 3 GB? A linear student on 10k, 100k, 1M rows.

Rows are two shipped phrases joined by “ and ”; the soft targets are the answers of a baseline trained on 50 labels a
class. Each size has a process of its own, so that its peak memory is its own. Nothing of the phrases is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.recording import record
from workbench.data import readers
from workbench.evaluation.peak_memory import own_peak_mb
from workbench.models.linear import LinearCandidate

SIZES = (10_000, 100_000, 1_000_000)
EMBEDDED = 5_000
PER_CLASS = 50
BLOCK = 16_384
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"


def composed(texts: pa.Array, rows: int) -> pa.Array:
    """So many rows of two phrases each, the same ones every time."""
    random = np.random.default_rng(0)
    first, second = (texts.take(pa.array(random.integers(0, len(texts), rows))) for _ in range(2))
    return pc.binary_join_element_wise(first, second, pa.scalar(" and ", pa.large_string()))


def baseline(texts: pa.Array, chapters: pa.Array) -> LinearCandidate:
    """A linear candidate from 50 labels a class."""
    from workbench.training.distillation import one_hot
    from workbench.training.linear import LinearSettings, train_linear

    names = np.asarray(chapters.to_pylist())
    classes, labels = np.unique(names, return_inverse=True)
    random = np.random.default_rng(0)
    chosen = np.concatenate(
        [random.permutation(np.flatnonzero(labels == place))[:PER_CLASS] for place in range(len(classes))]
    )
    targets = one_hot(labels[chosen].astype(np.int32), len(classes))
    settings = LinearSettings(l2=3e-5)
    return train_linear(texts.take(pa.array(chosen)), targets, classes=classes.tolist(), settings=settings)


def train(rows: int) -> dict[str, float]:
    """Train the student in this process.

    Returns:
        Seconds of training, rows a second, seconds of composing and labelling, peak memory in MB.
    """
    from workbench.training.linear import train_linear

    table = readers.read("icd10cm", "simple-icd-10-cm").table
    texts, chapters = (table[name].combine_chunks() for name in ("text", "chapter"))
    teacher = baseline(texts, chapters)
    began = time.perf_counter()
    pool = composed(texts, rows)
    targets = np.concatenate([teacher.predict_proba(pool.slice(at, BLOCK)) for at in range(0, rows, BLOCK)])
    labelled = time.perf_counter()
    train_linear(pool, targets, classes=teacher.classes)
    seconds = time.perf_counter() - labelled
    return {
        "seconds": seconds,
        "rows_per_second": rows / seconds,
        "labelling_seconds": labelled - began,
        "peak_mb": own_peak_mb(),
    }


def embed(rows: int) -> dict[str, float]:
    """Embed rows in this process; rows a second and peak memory in MB."""
    from workbench.models import find_weights
    from workbench.models.encoder import Encoder

    pool = composed(readers.read("icd10cm", "simple-icd-10-cm").table["text"].combine_chunks(), rows)
    encoder = Encoder.open(find_weights(ENCODER))
    encoder.encode(pool.slice(0, 64))
    began = time.perf_counter()
    encoder.encode(pool)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "rows_per_second": rows / seconds, "peak_mb": own_peak_mb()}


def in_own_process(what: str, rows: int) -> dict[str, Any]:
    """Do one size in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.pool_size", "--child", what, "--rows", str(rows)]
    top = Path(__file__).resolve().parent.parent
    paths = os.pathsep.join(filter(None, (str(top / "src"), str(top), os.environ.get("PYTHONPATH", ""))))
    environment = os.environ | {"PYTHONPATH": paths}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=top, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(sizes: Sequence[int] = SIZES, embedded: Sequence[int] = (1_000, EMBEDDED)) -> None:
    """Measure every size and record it beside the first."""
    for what, wanted in (("train", sizes), ("embed", embedded)):
        title = "linear student trained on" if what == "train" else f"embeddings ({ENCODER.split('/')[-1]}) of"
        first: dict[str, Any] | None = None
        for rows in wanted:
            found = in_own_process(what, rows)
            first = first or found
            peer = {name: None if first is found else first[name] for name in found}
            beside = "" if first is found else f" beside {wanted[0]:,}"
            for name, unit in (("seconds", "s"), ("rows_per_second", "rows/s"), ("peak_mb", "MB")):
                about = name.replace("_", " ").removesuffix(" mb")
                record(f"{title} {rows:,} rows, {about}{beside}", found[name], unit, peer[name])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pool_size", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), help="pool rows to train on")
    parser.add_argument("--embed", type=int, default=EMBEDDED, help="rows to embed, up to 100,000; 0 for none")
    parser.add_argument("--child", choices=("train", "embed"), help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, default=SIZES[0], help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child:
        print(json.dumps(train(given.rows) if given.child == "train" else embed(given.rows)))
        return
    most = min(max(given.embed, 0), 100_000)
    measure(given.sizes, sorted({max(most // 5, 1), most}) if most else ())


if __name__ == "__main__":
    main()
