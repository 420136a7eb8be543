"""Scoring: our transformer beside ``pipeline("text-classification")``, and 8-bit students beside their teacher."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers_task import MAX_TOKENS, Task, UnlikeWorkError, compare, new_model, take_turns
from benchmarks.peers_trainer import hf_tokenizer
from benchmarks.recording import record
from workbench.models.encoder import native_bf16

BATCHES = (1, 8, 16, 32, 64, 128)
TRIED_ROWS = 512
CLOSE = {"fp32": 1e-3, "bf16": 5e-2}
TURNS = 3


def scoring(task: Task) -> None:
    """Score with one classifier of six layers; the pipeline with its best batch, sorted by length if that is better."""
    import torch

    from workbench.models.transformer import TransformerCandidate, tokenizer_files

    precision = "bf16" if native_bf16() or torch.cuda.is_available() else "fp32"
    model = new_model(task).requires_grad_(False).eval()
    model = model.to("cuda" if torch.cuda.is_available() else "cpu")
    model = model.to(torch.bfloat16) if precision == "bf16" else model
    candidate = TransformerCandidate(model, tokenizer_files(task.weights.folder), task.classes, max_tokens=MAX_TOKENS)
    pipe, texts = open_pipeline(task, model), task.pool()
    batch, by_length = best_way(pipe, texts[:TRIED_ROWS])
    found: dict[str, Any] = {}

    def peer() -> float:
        began = time.perf_counter()
        found["peer"] = through(pipe, texts, batch, by_length=by_length)
        return len(texts) / (time.perf_counter() - began)

    def ours() -> float:
        began = time.perf_counter()
        found["ours"] = candidate.predict_proba(texts)
        return len(texts) / (time.perf_counter() - began)

    rates = take_turns({"pipeline": peer, "ours": ours}, max(TURNS, task.sizes.repeats))
    theirs = in_order(found["peer"], model)
    apart = float(np.abs(theirs - found["ours"]).max())
    if apart >= CLOSE[precision]:
        raise UnlikeWorkError(f"the two sides' probabilities are {apart:.4f} apart")
    more = {"peer_batch": batch, "peer_sorted": by_length, "largest_difference": apart}
    compare(f"scoring in {precision}, beside pipeline at its best batch", rates["ours"], rates["pipeline"], **more)


def open_pipeline(task: Task, model: Any) -> Any:
    """Transformers' pipeline around the same model, giving the probabilities of all classes."""
    from transformers import pipeline

    return pipeline("text-classification", model=model, tokenizer=hf_tokenizer(task), device=model.device, top_k=None)


def through(pipe: Any, texts: list[str], batch: int, *, by_length: bool) -> list[Any]:
    """What a pipeline says of texts, in their order; it pads to the longest of a batch."""
    order = sorted(range(len(texts)), key=lambda place: -len(texts[place])) if by_length else list(range(len(texts)))
    said = pipe([texts[place] for place in order], batch_size=batch, truncation=True, max_length=MAX_TOKENS)
    found: list[Any] = [None] * len(texts)
    for place, one in zip(order, said, strict=True):
        found[place] = one
    return found


def best_way(pipe: Any, texts: list[str]) -> tuple[int, bool]:
    """The pipeline's fastest batch, and whether it is faster with texts sorted by length, tried on some texts."""
    rates = {}
    through(pipe, texts[:64], 16, by_length=True)
    for batch in BATCHES:
        for by_length in (False, True) if batch > 1 else (False,):
            began = time.perf_counter()
            through(pipe, texts, batch, by_length=by_length)
            rates[batch, by_length] = len(texts) / (time.perf_counter() - began)
            print(f"  pipeline, batch {batch}, sorted {by_length}: {rates[batch, by_length]:,.0f} rows/s", flush=True)
    return max(rates, key=lambda way: rates[way])


def in_order(said: list[Any], model: Any) -> np.ndarray:
    """A pipeline's answers as probabilities, shape ``(rows, classes)``."""
    found = np.zeros((len(said), model.config.num_labels), dtype=np.float32)
    for row, scores in enumerate(said):
        for one in scores:
            found[row, model.config.label2id[one["label"]]] = one["score"]
    return found


def int8(run: Path) -> None:
    """8-bit students of a finished run beside its teacher in fp32: rows a second and one text at a time.

    Args:
        run: Folder of the run.
    """
    from benchmarks.scoring_speed import EFFORT, TEACHER_EFFORT, rate, texts_of
    from workbench import models
    from workbench.evaluation.measurement import time_calls
    from workbench.models.head import HeadCandidate
    from workbench.models.transformer import TransformerCandidate

    names = sorted(folder.name for folder in (run / "models").glob("student-*-int8"))
    if not names:
        print(f"  {run} has no student in int8: its recipe says compress: [int8] for none.")
        return
    texts, folder = texts_of(run), run / "models" / "teacher"
    teacher: Any = models.load(folder)
    if isinstance(teacher, HeadCandidate):
        teacher = teacher.as_fp32()
    elif isinstance(teacher, TransformerCandidate):
        teacher = TransformerCandidate.load(folder, dtype="fp32")
    first = rate(teacher, texts, TEACHER_EFFORT)
    students: dict[str, Any] = {name: models.load(run / "models" / name) for name in names}
    rates = {name: rate(student, texts, EFFORT) for name, student in students.items()}
    slow = [first, rate(teacher, texts, TEACHER_EFFORT)]
    for name, student in students.items():
        compare(f"rows a second of {name} beside the teacher in fp32", [rates[name]] * 2, slow)
        calls = time_calls(student, texts, EFFORT)
        record(f"one text with {name}, median", float(np.median(calls)), "ms", calls=len(calls))
