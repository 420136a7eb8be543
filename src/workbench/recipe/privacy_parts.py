"""The part of a recipe that asks for differential privacy."""

from __future__ import annotations

from pydantic import Field

from workbench.recipe.base import Part


class Privacy(Part):
    """Differential privacy for each labelled row of a teacher's head (DP-SGD); students learn from the pool alone."""

    epsilon: float = Field(
        3.0,
        gt=0,
        le=100,
        title="Epsilon",
        description="The most privacy loss that training may spend; less is stricter.",
    )
    delta: float | None = Field(
        None,
        gt=0,
        lt=0.1,
        title="Delta",
        description="Chance that the promise does not hold; a tenth of one in all labelled rows when empty.",
    )
    clip: float = Field(
        1.0, gt=0, le=1000, title="Clip", description="Longest gradient of one row; longer ones are shortened to it."
    )
    sample_rate: float = Field(
        0.5, gt=0, le=1, title="Sampling rate", description="Chance of each row to be drawn in a step."
    )
    steps: int = Field(100, ge=1, le=100_000, title="Steps", description="Number of noisy steps.")
    learning_rate: float = Field(
        4.0, gt=0, le=1000, title="Learning rate", description="Step size on the mean gradient of the rows drawn."
    )
    dimensions: int = Field(
        32,
        ge=1,
        le=8192,
        title="Dimensions",
        description="Main directions of the pool's vectors that the head sees; noise falls on each of them.",
    )
