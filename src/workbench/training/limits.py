"""What stops a training with a message: too little memory before it starts, a loss that is no number in its middle."""

from __future__ import annotations

from workbench.errors import ModelError
from workbench.models.fitting import estimate_training_mb
from workbench.recipe import Tuning
from workbench.training.batching import Examples, Rows
from workbench.training.networks import Network


def refuse_too_little_memory(network: Network, examples: Examples, settings: Tuning) -> None:
    """Refuse a training that would not fit, before it starts, and name a batch size that would.

    Raises:
        ModelError: It needs more than the memory that is free now.
    """
    import psutil

    longest = int(examples.tokens.lengths.max(initial=1))
    count = sum(one.numel() for one in network.parameters() if one.requires_grad)

    def needed(size: int) -> float:
        return estimate_training_mb(network.encoder, size, longest, trained_parameters=count)

    free = psutil.virtual_memory().available / 1e6
    if needed(settings.batch_size) <= free:
        return
    smaller = [
        size for size in (256, 128, 64, 32, 16, 8, 4, 2, 1) if size < settings.batch_size and needed(size) <= free
    ]
    way = (
        f"batch_size: {smaller[0]} fits"
        if smaller
        else "No batch size fits: shorten texts (max_tokens), keep fewer layers"
    )
    steps = f", with accumulate: {-(-settings.batch_size // smaller[0])} the steps stay the same" if smaller else ""
    raise ModelError(
        f"This training would need about {needed(settings.batch_size):,.0f} MB; {free:,.0f} MB are free.",
        f"Memory for batches of {settings.batch_size} rows of up to {longest} tokens, or a smaller training.",
        f"{way}{steps}. Closing other programs helps too.",
    )


def no_number(examples: Examples, rows: Rows, step: int) -> ModelError:
    """What is said of a loss that is no number.

    Args:
        examples: The examples.
        rows: Positions of the batch in them.
        step: Steps done before it.
    """
    named = ", ".join(str(int(row)) for row in examples.rows[rows][:40])
    return ModelError(
        f"The loss is no number after step {step}. The batch held the rows {named}{' …' if len(rows) > 40 else ''}.",
        "A finite loss. Training stopped before this batch changed anything, and the last checkpoint is kept.",
        "Look at these rows. A lower learning rate, more warm-up, or precision: fp32 usually helps.",
    )
