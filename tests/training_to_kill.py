"""Trains small networks in processes of their own, to be killed for real; run as a script, it forks one a line.

It imports the heavy libraries once and computes nothing before it forks, so a killed process costs no second import.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

KINDS = ("finetune", "lora", "transformer")
CLASSES = ("heart", "infection", "injury")


def phrases_of(rows: int) -> tuple[list[str], np.ndarray]:
    """Phrases of our own in three classes."""
    random = np.random.default_rng(0)
    topics = (["valve", "heart", "failure"], ["fever", "virus", "infection"], ["burn", "wound", "fracture"])
    labels = np.arange(rows, dtype=np.int32) % 3
    fillers = ["acute", "chronic", "left", "right", "other", "with pain", "of the", "open"]
    texts = [" ".join([*random.choice(fillers, 3), *random.choice(topics[label], 2)]) for label in labels]
    return texts, labels


def train_one(kind: str, encoder: Path, place: Path, precision: str) -> str:
    """Train to the end, from wherever checkpoints in ``place`` stand; SHA-256 of what is saved."""
    import pyarrow as pa
    import torch

    from workbench.data.table import Labelled
    from workbench.models.head import Head
    from workbench.models.weights import check_folder
    from workbench.recipe import Cut, Losses, Member, Student, Tuning
    from workbench.training import Watch
    from workbench.training.encoders import Start, train_transformer
    from workbench.training.finetuning import Labels, finetune
    from workbench.training.lessons import Lesson

    torch.set_num_threads(1)  # so small a network gains nothing from two, and waits for the second on a busy machine
    texts, labels = phrases_of(168)
    listed = pa.array(texts, pa.large_string())
    train = Labelled(np.arange(128), listed[:128], labels[:128], None, {})
    validation = Labelled(np.arange(128, 168), listed[128:], labels[128:], None, {})
    weights = check_folder(encoder)
    tuning = Tuning(
        epochs=4, batch_size=16, learning_rate=5e-4, patience=1, dropout=0.2, precision=precision, checkpoint_seconds=0
    )
    watch = Watch(folder=place / "checkpoints")
    candidate: Any
    if kind == "transformer":
        soft = np.full((128, 3), 0.1, dtype=np.float32)
        soft[np.arange(128), labels[:128]] = 0.8
        lesson = Lesson(listed[:128], soft, np.ones(128, dtype=np.float32), labels[:128].astype(np.int64))
        losses = Losses(hard=0.5, hidden=0.1)
        student = Student(name="small", kind="transformer", cut=Cut(keep_layers=(2,)), losses=losses, tuning=tuning)
        candidate = train_transformer(Start(weights), lesson, validation, CLASSES, student, seed=4, watch=watch)
    else:
        head = Head(np.zeros((3, 64), dtype=np.float32), np.zeros(3, dtype=np.float32))
        member = Member(model="tiny", method=kind, layers=(0, 2), tuning=tuning)
        made = finetune(
            weights, member, Labels(CLASSES, train, validation), head, place / "encoder", seed=4, watch=watch
        )
        candidate = made.candidate
    candidate.save(place / "model")
    total = hashlib.sha256()
    for file in sorted((place / "model").rglob("*.safetensors")):
        total.update(file.read_bytes())
    return total.hexdigest()


def _tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def serve() -> None:
    """Fork for each line ``{kind, encoder, place, precision}`` on stdin; tell its pid, then how it ended."""
    import accelerate  # noqa: F401
    import peft  # noqa: F401
    import transformers.models.bert.modeling_bert  # noqa: F401

    import workbench.training.encoders
    import workbench.training.lora  # noqa: F401

    while line := sys.stdin.readline():
        job = json.loads(line)
        process = os.fork()
        if process == 0:
            place = Path(job["place"])
            try:
                digest = train_one(job["kind"], Path(job["encoder"]), place, job["precision"])
                (place / "digest").write_text(digest, encoding="ascii")
            except BaseException as error:  # a forked process must not go on in its parent's loop
                (place / "error").write_text(repr(error), encoding="utf-8")
            finally:
                os._exit(0)
        _tell(process)
        sys.stdin.readline()  # whoever kills does so before the process is reaped and its number given away
        _, status = os.waitpid(process, 0)
        _tell(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    serve()
