"""Who looks at a training and keeps it safe; importing this needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.runs.events import Listener, Measured, Stop, ignore, never

if TYPE_CHECKING:
    from workbench.training.checkpoints import Checkpoints

Tell = Callable[[str], None]


def say_nothing(sentence: str) -> None:
    """Where nobody wants sentences."""


def tell_score(listener: Listener, stage: str, logits: Any, labels: Any, step: int) -> None:
    """Tell macro-F1 on validation: the live metric of a training, which chooses nothing.

    Args:
        listener: Gets ``Measured(stage, "validation macro F1", …)``; nothing where there are no rows.
        stage: Name of the stage.
        logits: Of the validation rows, shape ``(rows, classes)``.
        labels: Their classes, shape ``(rows,)``.
        step: Step or epoch that this is measured at.
    """
    if len(labels) and listener is not ignore:
        from workbench.metrics.scores import macro_f1

        score = macro_f1(labels, logits.argmax(axis=1), logits.shape[1])
        listener(Measured(stage, "validation macro F1", float(score), step))


@dataclass(frozen=True)
class Watch:
    """Who looks at a training and keeps it safe.

    Attributes:
        listener: Gets progress in rows and losses.
        stop: Asked between batches.
        folder: Where positions are kept, so that a killed training goes on; ``None`` keeps none.
        tell: Gets sentences for a person, for example that training goes on from a checkpoint.
    """

    listener: Listener = ignore
    stop: Stop = never
    folder: Path | None = None
    tell: Tell = say_nothing

    def of_round(self, number: int) -> Watch:
        """The same for one of several trainings; each keeps its positions apart."""
        return self if self.folder is None else replace(self, folder=self.folder / f"round-{number}")

    def checkpoints(self) -> Checkpoints | None:
        """The checkpoints in the folder; ``None`` where none are kept."""
        if self.folder is None:
            return None
        from workbench.training.checkpoints import Checkpoints

        return Checkpoints(self.folder, tell=self.tell)
