"""The parts of a recipe that say how students learn from the teacher's answers."""

from __future__ import annotations

from pydantic import Field

from workbench.recipe.base import Part


class Smoothing(Part):
    """Agreement among neighbours: the teacher's answers are averaged over texts that lie near each other."""

    neighbours: int = Field(
        12, ge=1, le=100, title="Neighbours", description="Nearest texts in the encoder's space that are asked."
    )
    share: float = Field(
        0.8, gt=0, lt=1, title="Share", description="Weight of the neighbours' answers; the rest is one's own."
    )
    steps: int = Field(3, ge=1, le=20, title="Steps", description="How often answers are passed on.")
    anchors: int = Field(
        20_000,
        ge=100,
        le=200_000,
        title="Anchors",
        description="Rows that can be neighbours, drawn from the pool; bounds time and memory for large pools.",
    )


class Distillation(Part):
    """How students learn from the teacher."""

    smoothing: Smoothing | None = Field(
        None,
        title="Smoothing",
        description="Averages the teacher's answers among neighbours (label propagation); off when left out.",
    )

    temperature: float = Field(
        2.0, ge=0.1, le=20, title="Temperature", description="Softens the teacher's distribution; 1 leaves it as it is."
    )
    soft_weight: float = Field(
        0.9,
        ge=0,
        le=1,
        title="Soft weight",
        description="Weight of the teacher's soft targets on labelled rows; the rest is on the given labels.",
    )
    confidence_weighting: bool = Field(
        False, title="Weigh by confidence", description="Pool rows count by the teacher's highest probability."
    )
    min_confidence: float = Field(
        0.0, ge=0, lt=1, title="Least confidence", description="Pool rows under this highest probability are left out."
    )
