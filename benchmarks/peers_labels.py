"""SetFit and model2vec's classifier beside ours, at the same label budget: seconds, and macro-F1 on the same rows.

Every side gets the same labelled rows, to train and to validate on as it likes, and the same encoder. What ours may use
besides, texts without labels, is said in the name of the comparison.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.peers_task import Task, draw, taken
from benchmarks.recording import record
from workbench.data import Labelled, Unlabelled

HELD_OUT = 2_500
POOL = 10_000
DIMENSIONS = 128
PATIENCE = (5, 15)
LAYERS = (0, 6)
VALIDATED = 5
"""One label in so many is for validation, in ours."""
Score = tuple[float, float]


def setfit(task: Task) -> None:
    """SetFit's contrastive training with its defaults, but a number of pairs, beside our head and our fine-tuning."""
    budget, held_out = labels(task), held_out_rows(task)
    theirs = run_setfit(task, budget, held_out)
    head, tuned = run_ours(task, budget, held_out)
    more = {"labels": len(budget), "iterations": task.sizes.iterations}
    both("a head on the frozen encoder, beside SetFit", head, theirs, more)
    both("head, then fine-tuning, beside SetFit", tuned, theirs, more)


def model2vec(task: Task) -> None:
    """model2vec's classifier on static vectors beside our static student from the same vectors."""
    from workbench.models.encoder import Encoder
    from workbench.models.static_tokens import distil_tokens

    budget, held_out = labels(task), held_out_rows(task)
    tokens = distil_tokens(Encoder.open(task.weights), DIMENSIONS)
    theirs = run_model2vec(tokens, task, budget, held_out)
    alone, taught = run_static(tokens, task, budget, held_out)
    more = {"labels": len(budget)}
    both("a static student on labels alone, beside model2vec's classifier", alone, theirs, more)
    rows = f"a static student with its teacher and a pool of {len(pool_rows(task)):,} texts"
    both(f"{rows}, beside model2vec's classifier", taught, theirs, more)


def both(name: str, ours: Score, theirs: Score, more: dict[str, Any]) -> None:
    """Keep seconds and macro-F1 of two sides."""
    record(f"{name}: macro-F1", ours[1], "macro-F1", theirs[1], **more)
    record(f"{name}: seconds", ours[0], "s", theirs[0], **more)


def labels(task: Task) -> Labelled:
    """The label budget: so many of each class out of train and validation."""
    train, validation = task.splits.train, task.splits.validation
    random = np.random.default_rng(task.sizes.seed)
    joined = Labelled(
        np.concatenate([train.rows, validation.rows]),
        pa.concat_arrays([train.texts, validation.texts]),
        np.concatenate([train.labels, validation.labels]),
        None,
        {},
    )
    order = random.permutation(len(joined))
    chosen = [order[joined.labels[order] == label][: task.sizes.labels] for label in range(len(task.classes))]
    # one after the other through the classes, so that the first rows hold every class alike
    return taken(joined, np.array([part[place] for place in range(task.sizes.labels) for part in chosen]))


def divided(budget: Labelled, classes: int) -> tuple[Labelled, Labelled]:
    """Ours: train and validation."""
    places = np.arange(len(budget))
    last = places // classes >= (len(budget) // classes) * (VALIDATED - 1) // VALIDATED
    return taken(budget, places[~last]), taken(budget, places[last])


def held_out_rows(task: Task) -> Labelled:
    """Rows of ``test_pool``, the same for all sides."""
    return draw(task.splits.tests["test_pool"], HELD_OUT, task.sizes.seed)


def macro_f1(said: Any, held_out: Labelled) -> float:
    """Mean F1 of the classes."""
    from sklearn.metrics import f1_score

    return float(f1_score(held_out.labels, np.asarray(said), average="macro"))


def run_setfit(task: Task, budget: Labelled, held_out: Labelled) -> Score:
    """Train SetFit on all labels; it needs none for validation."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments
    from setfit import logging as setfit_logging
    from transformers import PrinterCallback

    setfit_logging.set_verbosity_error()
    rows = Dataset.from_dict({"text": budget.texts.to_pylist(), "label": budget.labels.tolist()})
    model = SetFitModel.from_pretrained(str(task.weights.folder), local_files_only=True)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            num_iterations=task.sizes.iterations,
            seed=task.sizes.seed,
            report_to="none",
            save_strategy="no",
            show_progress_bar=False,
        )
        trainer = Trainer(model=model, args=arguments, train_dataset=rows)
        trainer.st_trainer.remove_callback(PrinterCallback)
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
    return seconds, macro_f1(model.predict(held_out.texts.to_pylist()), held_out)


def run_ours(task: Task, budget: Labelled, held_out: Labelled) -> tuple[Score, Score]:
    """Train a head, then fine-tune from where it stands; both with the head's time."""
    from workbench.models.encoder import Encoder
    from workbench.models.head import HeadCandidate
    from workbench.recipe import Member, Tuning
    from workbench.training.distillation import one_hot
    from workbench.training.finetuning import Labels, finetune
    from workbench.training.head import train_head

    classes = len(task.classes)
    train, validation = divided(budget, classes)
    encoder = Encoder.open(task.weights, layers=LAYERS)
    began = time.perf_counter()
    vectors = encoder.encode(train.texts), encoder.encode(validation.texts)
    found = train_head(vectors[0], one_hot(train.labels, classes), vectors[1], validation.labels)
    head = time.perf_counter() - began
    frozen = HeadCandidate(encoder, found.head, task.classes)
    first = head, macro_f1(frozen.predict_proba(held_out.texts).argmax(axis=1), held_out)
    member = Member(model="encoder", method="finetune", layers=LAYERS, tuning=Tuning(epochs=10, batch_size=16))
    with tempfile.TemporaryDirectory() as folder:
        rows = Labels(task.classes, train, validation)
        began = time.perf_counter()
        start = found.head.scaled(1 / found.temperature)
        tuned = finetune(task.weights, member, rows, start, Path(folder), seed=task.sizes.seed)
        seconds = head + time.perf_counter() - began
        said = tuned.candidate.predict_proba(held_out.texts).argmax(axis=1)
    return first, (seconds, macro_f1(said, held_out))


def run_model2vec(tokens: Any, task: Task, budget: Labelled, held_out: Labelled) -> Score:
    """Train model2vec's classifier as by default, and with more patience; the one with the better macro-F1."""
    from model2vec import StaticModel
    from model2vec.train import StaticModelForClassification
    from tokenizers import Tokenizer

    train, validation = divided(budget, len(task.classes))
    names = [[task.classes[label] for label in part.labels] for part in (train, validation)]
    found = []
    for patience in PATIENCE:
        static = StaticModel(tokens.vectors.copy(), Tokenizer.from_str(tokens.tokenizer_json))
        model = StaticModelForClassification.from_static_model(model=static)
        given = {"X_val": validation.texts.to_pylist(), "y_val": names[1], "early_stopping_patience": patience}
        began = time.perf_counter()
        with redirect_stderr(StringIO()):  # its progress bars cannot be switched off
            model.fit(train.texts.to_pylist(), names[0], device="cpu", **given)
        seconds = time.perf_counter() - began
        said = [task.classes.index(name) for name in model.predict(held_out.texts.to_pylist())]
        found.append((seconds, macro_f1(said, held_out)))
        print(f"  model2vec, patience {patience}: {seconds:.1f} s, macro-F1 {found[-1][1]:.3f}", flush=True)
    return max(found, key=lambda score: score[1])


def pool_rows(task: Task) -> Unlabelled:
    """Some thousand rows of the pool."""
    pool = task.splits.pool
    places = np.random.default_rng(task.sizes.seed).permutation(len(pool))[:POOL]
    return Unlabelled(pool.rows[places], pool.texts.take(pa.array(places)), None, {})


def run_static(tokens: Any, task: Task, budget: Labelled, held_out: Labelled) -> tuple[Score, Score]:
    """Train our static student on the labels alone, and on its teacher's answers; labelling is on the clock."""
    from workbench.models.encoder import Encoder
    from workbench.recipe import Distillation, Student
    from workbench.training import Answers, Material, train_control, train_head, train_student
    from workbench.training.distillation import one_hot

    classes = len(task.classes)
    train, validation = divided(budget, classes)
    student = Student(name="static", kind="static", dimensions=DIMENSIONS)
    pool = pool_rows(task)
    material = Material(task.classes, train, validation, pool, tokens)
    began = time.perf_counter()
    control = train_control(student, material, seed=task.sizes.seed)
    alone = time.perf_counter() - began
    encoder = Encoder.open(task.weights, layers=LAYERS)
    began = time.perf_counter()
    parts = [encoder.encode(part.texts) for part in (train, validation, pool)]
    found = train_head(parts[0], one_hot(train.labels, classes), parts[1], validation.labels)
    answers = Answers(*(found.head.predict_proba(part) for part in (parts[0], parts[2])))
    taught = train_student(student, material, answers, Distillation(), seed=task.sizes.seed)
    seconds = time.perf_counter() - began
    scores = [macro_f1(one.predict_proba(held_out.texts).argmax(axis=1), held_out) for one in (control, taught)]
    return (alone, scores[0]), (seconds, scores[1])
