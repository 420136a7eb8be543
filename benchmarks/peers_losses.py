"""What each loss of a transformer student is worth: the same student, rows, seeds and epochs, one loss more or less.

There is no peer here: every line stands beside the student of soft targets alone. Macro-F1 on rows that neither teacher
nor student has seen, as a mean over seeds of the last layer, of order and dropout; the seeds stand in the line.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.peers_labels import LAYERS, held_out_rows, macro_f1, pool_rows
from benchmarks.peers_task import Task
from benchmarks.recording import record
from workbench.data import Labelled, Unlabelled
from workbench.models.candidate import Candidate
from workbench.models.head import HeadCandidate
from workbench.recipe import Cut, Distillation, Losses, Member, Student, Tuning
from workbench.training import Answers

SEEDS = (0, 1, 2)
LOSSES = {
    "soft targets": Losses(),
    "hard labels alone": Losses(soft=0.0, hard=1.0),
    "soft targets and hard labels": Losses(hard=0.1),
    "soft targets and hidden states": Losses(hidden=1.0),
    "soft targets and attention": Losses(attention=1.0),
    "all four": Losses(hard=0.1, hidden=1.0, attention=1.0),
}
CUT = Cut(keep_layers=(1, 3, 6), start="teacher", max_tokens=64)
TEMPERATURE = 0.7


def losses(task: Task) -> None:
    """Train a student of three layers with each set of losses, from a fine-tuned teacher."""
    splits, held_out = task.splits, held_out_rows(task)
    with tempfile.TemporaryDirectory() as folder:
        teacher = _teacher(task, Path(folder))
        pool = _some(pool_rows(task), task.sizes.rows)
        answers = Answers(teacher.predict_proba(splits.train.texts), teacher.predict_proba(pool.texts))
        record("teacher of the losses: macro-F1", _score(teacher, held_out), "macro-F1", rows=len(held_out))
        scores = {name: _trained(task, Path(folder), pool, answers, one) for name, one in LOSSES.items()}
    plain = [macro for macro, _ in scores["soft targets"]]
    for name, found in scores.items():
        values = [macro for macro, _ in found]
        more = {"seeds": [round(value, 4) for value in values], "seconds": round(found[0][1], 1), "pool": len(pool)}
        peer = float(np.mean(plain)) if name != "soft targets" else None
        record(f"three layers pulled to {name}: macro-F1", float(np.mean(values)), "macro-F1", peer, **more)


def _teacher(task: Task, folder: Path) -> HeadCandidate:
    """MiniLM, fine-tuned on the recipe's labels from where its head stands."""
    from workbench.models.encoder import Encoder
    from workbench.training import train_head
    from workbench.training.distillation import one_hot
    from workbench.training.finetuning import Labels, finetune

    train, validation = task.splits.train, task.splits.validation
    encoder = Encoder.open(task.weights, layers=LAYERS)
    vectors = encoder.encode(train.texts), encoder.encode(validation.texts)
    found = train_head(vectors[0], one_hot(train.labels, len(task.classes)), vectors[1], validation.labels)
    member = Member(model="encoder", method="finetune", layers=LAYERS, tuning=Tuning(epochs=6, batch_size=32))
    start = found.head.scaled(1 / found.temperature)
    return finetune(task.weights, member, Labels(task.classes, train, validation), start, folder, seed=0).candidate


def _trained(task: Task, folder: Path, pool: Unlabelled, answers: Answers, wanted: Losses) -> list[tuple[float, float]]:
    """Macro-F1 and seconds of the student of each seed."""
    from workbench.models.weights import check_folder
    from workbench.training import Material, train_student
    from workbench.training.encoders import Start

    weights = check_folder(folder, name="the teacher", uploader="this benchmark")
    splits, held_out, found = task.splits, held_out_rows(task), []
    material = Material(task.classes, splits.train, splits.validation, pool, start=Start(weights))
    tuning = Tuning(epochs=task.sizes.epochs, batch_size=task.sizes.batch, learning_rate=2e-4, patience=0)
    student = Student(name="layers", kind="transformer", cut=CUT, losses=wanted, tuning=tuning)
    for seed in SEEDS:
        began = time.perf_counter()
        made = train_student(student, material, answers, Distillation(temperature=TEMPERATURE), seed=seed)
        found.append((_score(made, held_out), time.perf_counter() - began))
    return found


def _score(candidate: Candidate, held_out: Labelled) -> float:
    return macro_f1(candidate.predict_proba(held_out.texts).argmax(axis=1), held_out)


def _some(pool: Unlabelled, rows: int) -> Unlabelled:
    """The first rows of a shuffled pool."""
    few = min(rows, len(pool))
    return Unlabelled(pool.rows[:few], pool.texts.slice(0, few), None, {})
