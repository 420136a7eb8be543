"""Fine-tuning and distilling: our engine beside transformers' Trainer, and how near it comes to the machine's peak."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.matrix_peak import matrix_peak
from benchmarks.peers_task import (
    COMPARED_ROWS,
    MAX_TOKENS,
    Task,
    check_equal_work,
    compare,
    fit_of,
    new_model,
    take_turns,
    twin,
)
from benchmarks.peers_trainer import dataset, hf_tokenizer, trainer_seconds
from benchmarks.recording import record

STUDENT_LAYERS = (2, 4, 6)
WARM_ROWS = 64
ENOUGH_TO_JUDGE = 1_000
CHECKPOINT_EPOCHS = 3


def finetune(task: Task, *, frozen: bool = False) -> None:
    """Fine-tune a classifier of six layers on labels.

    Args:
        task: Rows, weights, settings.
        frozen: Whether the word embeddings are frozen, in all sides.
    """
    start = new_model(task, frozen=frozen)
    texts, labels = task.rows.texts.to_pylist(), task.rows.labels.tolist()
    rows = dataset(hf_tokenizer(task), texts, labels)
    examples = task.examples()
    warm(task, start, rows, examples)
    last: dict[str, Any] = {}

    def peer(*, tuned: bool) -> float:
        model = last["Trainer tuned" if tuned else "Trainer default"] = twin(start)
        return len(texts) * task.sizes.epochs / trainer_seconds(task, model, rows, tuned=tuned)

    def ours() -> float:
        model = last["ours"] = twin(start)
        return len(texts) * task.sizes.epochs / engine_seconds(task, model, examples)

    sides = {"Trainer default": partial(peer, tuned=False), "Trainer tuned": partial(peer, tuned=True), "ours": ours}
    rates = take_turns(sides, task.sizes.repeats)
    some = first_rows(examples)
    fits = {name: fit_of(model, some) for name, model in last.items()}
    more = check_equal_work(fits, strict=len(texts) >= ENOUGH_TO_JUDGE)
    what = "fine-tuning, word embeddings frozen" if frozen else "fine-tuning"
    compare(f"{what}, beside Trainer as by default", rates["ours"], rates["Trainer default"], **more)
    compare(f"{what}, beside Trainer tuned", rates["ours"], rates["Trainer tuned"], **more)


def distil(task: Task) -> None:
    """Distil a student of three layers: labelling once and training, beside a teacher that is asked in every step."""
    teacher = trained_teacher(task)
    start, texts = new_model(task, STUDENT_LAYERS), task.pool()
    rows = dataset(hf_tokenizer(task), texts, None)
    trainer_seconds(task, twin(start), rows.select(range(WARM_ROWS)), tuned=True, teacher=teacher.model)
    last: dict[str, Any] = {}

    def peer() -> float:
        model = last["teacher in the loop"] = twin(start)
        seconds = trainer_seconds(task, model, rows, tuned=True, teacher=teacher.model)
        return len(texts) * task.sizes.epochs / seconds

    def ours() -> float:
        model = last["ours"] = twin(start)
        began = time.perf_counter()
        engine_seconds(task, model, labelled_by(teacher, task, texts))
        return len(texts) * task.sizes.epochs / (time.perf_counter() - began)

    rates = take_turns({"teacher in the loop": peer, "ours": ours}, task.sizes.repeats)
    some = first_rows(labelled_by(teacher, task, texts[:COMPARED_ROWS]))
    fits = {name: fit_of(model, some) for name, model in last.items()}
    more = check_equal_work(fits, strict=len(texts) >= ENOUGH_TO_JUDGE)
    name = "distilling three layers, labelling included, beside a tuned Trainer with the teacher in the loop"
    compare(name, rates["ours"], rates["teacher in the loop"], **more)


def flops(task: Task) -> None:
    """FLOP/s of our training as a share of the peak of matrix products, measured just before and just after.

    Counted is what is computed (so no work that we leave out), by torch's own counter in a run of its own.
    """
    from torch.utils.flop_counter import FlopCounterMode

    from workbench.training.places import find_place

    place, start, examples = find_place(), new_model(task), task.examples()
    engine_seconds(task, twin(start), part_of(examples, np.arange(WARM_ROWS)))
    with FlopCounterMode(display=False) as counter:
        engine_seconds(task, twin(start), examples)
    before = matrix_peak(place.precision, place.device)
    seconds = [engine_seconds(task, twin(start), examples) for _ in range(task.sizes.repeats)]
    peak = max(before, matrix_peak(place.precision, place.device))
    rate = counter.get_total_flops() / float(np.median(seconds))
    record(f"FLOP/s of our training beside the peak of {place.precision} products", rate / 1e9, "GFLOP/s", peak / 1e9)


def checkpoints(task: Task) -> None:
    """Share of a training's time that checkpoints take: as by default, and when they are wanted every second."""
    from workbench.training.watching import Watch

    examples = task.examples()
    for seconds in (60.0, 1.0):
        settings = task.settings().model_copy(update={"checkpoint_seconds": seconds, "epochs": CHECKPOINT_EPOCHS})
        with tempfile.TemporaryDirectory() as folder:
            done = engine_run(task, new_model(task), examples, settings, Watch(folder=Path(folder)))
        share = done.checkpoint_seconds / done.seconds
        record(f"checkpoints every {seconds:.0f} s as a share of training", share, "share", training_s=done.seconds)


def warm(task: Task, start: Any, rows: Any, examples: Any) -> None:
    """Let every side work on a few rows first: imports and kernels are made ready outside of the clock."""
    few = rows.select(range(min(WARM_ROWS, len(rows))))
    for tuned in (False, True):
        trainer_seconds(task, twin(start), few, tuned=tuned)
    engine_seconds(task, twin(start), part_of(examples, np.arange(min(WARM_ROWS, len(examples)))))


def engine_seconds(task: Task, model: Any, examples: Any) -> float:
    """Train with our engine; seconds of all of it."""
    began = time.perf_counter()
    engine_run(task, model, examples, task.settings())
    return time.perf_counter() - began


def engine_run(task: Task, model: Any, examples: Any, settings: Any, watch: Any = None) -> Any:
    """Train with our engine."""
    from workbench.training.engine import train
    from workbench.training.networks import SequenceNetwork

    return train(SequenceNetwork(model), examples, settings, seed=task.sizes.seed, watch=watch)


def trained_teacher(task: Task) -> Any:
    """A fine-tuned classifier of six layers; no clock runs."""
    from workbench.models.transformer import TransformerCandidate, tokenizer_files

    model = new_model(task)
    engine_seconds(task, model, task.examples())
    files = tokenizer_files(task.weights.folder)
    model.requires_grad_(False)
    return TransformerCandidate(model, files, task.classes, max_tokens=MAX_TOKENS)


def labelled_by(teacher: Any, task: Task, texts: list[str]) -> Any:
    """Texts with a teacher's answers, as the engine reads them."""
    from workbench.training.batching import Examples
    from workbench.training.finetuning import read_tokens

    answers = teacher.predict_proba(texts)
    tokens = read_tokens(task.tokenizer(), texts)
    return Examples(tokens, answers, np.ones(len(texts), np.float32), np.arange(len(texts)))


def first_rows(examples: Any) -> Any:
    """As many rows as are enough to compare what two sides learned."""
    return part_of(examples, np.arange(min(COMPARED_ROWS, len(examples))))


def part_of(examples: Any, places: np.ndarray) -> Any:
    """The examples at these places, ascending from 0."""
    from workbench.models.tokens import Tokens

    tokens = examples.tokens
    lengths = tokens.lengths[places]
    inside = np.repeat(np.isin(np.arange(len(examples)), places), tokens.lengths)
    return replace(
        examples,
        tokens=Tokens(tokens.ids[inside], lengths, tokens.truncated[places]),
        targets=examples.targets[places],
        weights=examples.weights[places],
        rows=examples.rows[places],
        labels=None if examples.labels is None else examples.labels[places],
    )
