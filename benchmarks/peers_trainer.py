"""transformers' Trainer, as its users write it and tuned, and a subclass with the teacher in the loop."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.peers_task import MAX_TOKENS, Task
from workbench.models.encoder import native_bf16


def hf_tokenizer(task: Task) -> Any:
    """The encoder's tokenizer as transformers opens it."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(task.weights.folder), local_files_only=True)


def dataset(tokenizer: Any, texts: Sequence[str], labels: Sequence[int] | None) -> Any:
    """Rows as tokens with lengths, so that the sampler needs not read them all; no clock runs while this is made."""
    from datasets import Dataset

    ids = tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)
    columns = {"input_ids": ids["input_ids"], "attention_mask": ids["attention_mask"]}
    if labels is not None:
        columns["labels"] = list(labels)
    return Dataset.from_dict(columns | {"length": [len(one) for one in ids["input_ids"]]})


def arguments(task: Task, folder: str, *, tuned: bool) -> Any:
    """TrainingArguments: batch, epochs and seed alone, or everything that makes it faster here.

    Evaluation, checkpoints and reports are off in both: ours writes none either while it is compared. Since release
    5, fused AdamW is the default.
    """
    import torch
    from transformers import TrainingArguments

    given: dict[str, Any] = {
        "output_dir": folder,
        "num_train_epochs": task.sizes.epochs,
        "per_device_train_batch_size": task.sizes.batch,
        "seed": task.sizes.seed,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }
    if tuned:
        cuda = torch.cuda.is_available()
        given |= {"train_sampling_strategy": "group_by_length", "optim": "adamw_torch_fused", "logging_strategy": "no"}
        given |= {"bf16": cuda or native_bf16(), "use_cpu": not cuda}
    return TrainingArguments(**given)


def trainer_seconds(task: Task, model: Any, rows: Any, *, tuned: bool, teacher: Any = None) -> float:
    """Train with a Trainer; seconds of ``train()`` alone.

    Args:
        task: Settings.
        model: Trained in place.
        rows: From :func:`dataset`.
        tuned: See :func:`arguments`.
        teacher: A classifier that is asked for every batch; ``None`` learns from labels.
    """
    from transformers import DataCollatorWithPadding, PrinterCallback, Trainer

    made: Callable[..., Any] = Trainer if teacher is None else in_the_loop(teacher)
    tokenizer = hf_tokenizer(task)
    with tempfile.TemporaryDirectory() as folder:
        trainer = made(
            model=model,
            args=arguments(task, folder, tuned=tuned),
            train_dataset=rows,
            data_collator=DataCollatorWithPadding(tokenizer, pad_to_multiple_of=8 if tuned and native_bf16() else None),
        )
        trainer.remove_callback(PrinterCallback)
        began = time.perf_counter()
        trainer.train()
        return time.perf_counter() - began


def in_the_loop(teacher: Any) -> Callable[..., Any]:
    """A Trainer whose loss asks the teacher for every batch, the way most distillation is written today."""
    import torch
    from transformers import Trainer

    class InTheLoop(Trainer):  # type: ignore[misc]
        """Pulls the model to a teacher's answers."""

        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            """The divergence of the model's answers from the teacher's."""
            with torch.no_grad():
                wanted = teacher(**inputs).logits.float().softmax(dim=-1)
            said = model(**inputs)
            logs = said.logits.float().log_softmax(dim=-1)
            loss = torch.nn.functional.kl_div(logs, wanted, reduction="batchmean")
            return (loss, said) if return_outputs else loss

    return InTheLoop
