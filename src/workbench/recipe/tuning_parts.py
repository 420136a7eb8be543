"""The parts of a recipe that say how an encoder is trained, cut and pulled towards its teacher."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from workbench.recipe.base import Part

Layers = tuple[Annotated[int, Field(ge=1, le=200)], ...]


class Tuning(Part):
    """How an encoder is trained: fine-tuned on labels, or as a student on its teacher's answers."""

    epochs: int = Field(3, ge=1, le=1000, title="Epochs", description="Most passes over the rows.")
    batch_size: int = Field(32, ge=1, le=4096, title="Batch size", description="Rows of one forward and backward pass.")
    accumulate: int = Field(
        1, ge=1, le=1024, title="Accumulate", description="Batches whose gradients are added up to one step."
    )
    learning_rate: float = Field(
        5e-5, gt=0, le=1, title="Learning rate", description="Largest step size of AdamW, after the warm-up."
    )
    head_learning_rate: float | None = Field(
        None, gt=0, le=1, title="Head learning rate", description="The same for the last layer; as the rest when empty."
    )
    warmup: float = Field(
        0.1, ge=0, lt=1, title="Warm-up", description="Share of all steps in which the step size grows from 0."
    )
    weight_decay: float = Field(
        0.01, ge=0, le=1, title="Weight decay", description="AdamW's; biases, norms and embeddings have none."
    )
    clip: float = Field(
        1.0, gt=0, le=1000, title="Clip", description="Largest norm of all gradients together; longer ones are scaled."
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, title="Label smoothing", description="Share of a hard label that is spread over all classes."
    )
    class_weights: bool = Field(
        False, title="Class weights", description="Whether each class weighs the same, however many rows it has."
    )
    patience: int = Field(
        2,
        ge=0,
        le=100,
        title="Patience",
        description="Epochs without a lower validation loss before training stops; 0 never stops and keeps the last.",
    )
    dropout: float | None = Field(
        None, ge=0, lt=1, title="Dropout", description="Of hidden states and attention; the model's own when empty."
    )
    freeze_embeddings: bool = Field(
        False, title="Freeze embeddings", description="Whether the token embeddings stay as they are."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", title="Precision", description="auto: bf16 where the processor or a GPU has it, else fp32."
    )
    checkpoint_seconds: float = Field(
        60.0, ge=0, le=86_400, title="Checkpoint every", description="Seconds between checkpoints; 0: after every step."
    )
    rank: int = Field(8, ge=1, le=1024, title="Rank", description="Of the low-rank updates (method lora).")
    lora_scale: float = Field(
        2.0, gt=0, le=64, title="LoRA scale", description="The update is multiplied by it (peft's lora_alpha / rank)."
    )
    targets: tuple[str, ...] = Field(
        (),
        max_length=32,
        title="Targets",
        description="Names of the linear layers that get updates (method lora); query and value of attention if empty.",
    )


class Losses(Part):
    """What a transformer student is pulled to; each weight multiplies its loss."""

    soft: float = Field(1.0, ge=0, le=1000, title="Soft targets", description="Divergence from the teacher's answers.")
    hard: float = Field(
        0.0, ge=0, le=1000, title="Hard labels", description="Cross-entropy with the labels, on labelled rows."
    )
    hidden: float = Field(
        0.0, ge=0, le=1000, title="Hidden states", description="Distance of hidden states to those of its start."
    )
    attention: float = Field(
        0.0, ge=0, le=1000, title="Attention", description="Divergence of attention from that of its start."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.soft or self.hard):
            raise ValueError("soft or hard must be above 0: without one of them the last layer learns nothing")
        return self


class Cut(Part):
    """Which part of an encoder a transformer student starts from, and what is left out once it is trained."""

    keep_layers: Layers = Field(
        (), max_length=200, title="Layers kept", description="Layers that stay, counted from 1; all when empty."
    )
    width: int | None = Field(
        None,
        ge=8,
        le=8192,
        title="Width",
        description="Length of the hidden states, cut out of longer ones; as they are when empty.",
    )
    start: Literal["base", "teacher"] = Field(
        "base", title="Start", description="base: the encoder as published; teacher: the fine-tuned teacher's."
    )
    max_tokens: int = Field(
        128, ge=8, le=8192, title="Longest text", description="Tokens read of each text; the rest is cut, and counted."
    )
    drop_layers: Layers = Field(
        (),
        max_length=200,
        title="Layers dropped",
        description="Layers of the trained student, counted from 1, that a further, shorter candidate leaves out.",
    )
    repair_epochs: int = Field(
        1, ge=1, le=100, title="Repair epochs", description="Passes of the training that repairs the shorter one."
    )

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        for name, layers in (("keep_layers", self.keep_layers), ("drop_layers", self.drop_layers)):
            if list(layers) != sorted(set(layers)):
                raise ValueError(f"{name} must ascend without repeats, not {list(layers)}")
        return self
