"""The same scores as `evaluate.Metric` classes that need no hub: made directly, kept in memory, nothing written.

Import this module only when it is needed: `evaluate` takes seconds to load. `evaluate.combine` forwards every keyword
to every metric, so each takes what it needs and passes over the rest. Intervals are not `evaluate`'s business here
(its own bootstrap takes minutes and gives NaN for a perfect score); use workbench.metrics.bootstrap_metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from workbench.metrics import probabilities as scored

_LABELS = {"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}
_PROBABILITIES = {"probabilities": datasets.Sequence(datasets.Value("float64")), "references": datasets.Value("int64")}


class OfflineMetric(evaluate.Metric):  # type: ignore[misc]  # evaluate has no types
    """A metric that lives in this package: no download, no cache folder, no file."""

    description = ""
    columns: dict[str, Any] = _LABELS

    def __init__(self, **settings: Any) -> None:
        """Keep predictions in memory unless told otherwise.

        Args:
            settings: What evaluate.Metric takes.
        """
        super().__init__(**({"keep_in_memory": True} | settings))

    def _build_data_dir(self) -> str:
        """The folder that evaluate would make; it is made only where predictions are not kept in memory."""
        return str(self._data_dir_root) if self.keep_in_memory else str(super()._build_data_dir())

    def _info(self) -> evaluate.MetricInfo:
        """What evaluate wants to know."""
        return evaluate.MetricInfo(
            description=self.description,
            citation="",
            inputs_description=f"Columns: {', '.join(self.columns)}; classes are numbers from 0.",
            features=datasets.Features(self.columns),
        )


class Accuracy(OfflineMetric):
    """Share of rows that are right."""

    description = "Share of rows whose prediction is the label."

    def _compute(self, predictions: Sequence[int], references: Sequence[int], **_: object) -> dict[str, float]:
        return {"accuracy": float(accuracy_score(references, predictions))}


class _F1(OfflineMetric):
    """F1, averaged in one way."""

    average = ""

    def _compute(self, predictions: Sequence[int], references: Sequence[int], **_: object) -> dict[str, float]:
        found = f1_score(references, predictions, average=self.average, zero_division=0)
        return {f"{self.average}_f1": float(found)}


class MacroF1(_F1):
    """Mean F1 of the classes in labels or predictions."""

    average, description = "macro", "Mean of the classes' F1, each class counting alike."


class MicroF1(_F1):
    """F1 of all rows together."""

    average, description = "micro", "F1 of all rows together; for one label a row it is the accuracy."


class WeightedF1(_F1):
    """Mean F1 weighted by labels."""

    average, description = "weighted", "Mean of the classes' F1, weighted by their number of labels."


class PerClassF1(OfflineMetric):
    """F1 of each class that stands in labels or predictions."""

    description = "F1 of each class in labels or predictions, named f1_<class>."

    def _compute(self, predictions: Sequence[int], references: Sequence[int], **_: object) -> dict[str, float]:
        present = np.union1d(predictions, references)
        found = f1_score(references, predictions, average=None, labels=present, zero_division=0)
        return {f"f1_{int(name)}": float(value) for name, value in zip(present, found, strict=True)}


class TopKAccuracy(OfflineMetric):
    """Share of rows whose label is among the k most probable classes."""

    description, columns = (
        "Share of rows whose label is among the k most probable classes; k is 3 unless given.",
        _PROBABILITIES,
    )

    def _compute(
        self, probabilities: Sequence[Sequence[float]], references: Sequence[int], k: int = 3, **_: object
    ) -> dict[str, float]:
        found = scored.top_k_accuracy(np.asarray(references), np.asarray(probabilities), k)
        return {f"top_{k}_accuracy": found}


class LogLoss(OfflineMetric):
    """Mean surprise at the labels, in nats."""

    description, columns = "Minus the mean logarithm of the labels' probabilities, in nats.", _PROBABILITIES

    def _compute(
        self, probabilities: Sequence[Sequence[float]], references: Sequence[int], **_: object
    ) -> dict[str, float]:
        return {"log_loss": scored.log_loss(np.asarray(references), np.asarray(probabilities))}


OFFLINE_METRICS: dict[str, type[OfflineMetric]] = {
    "accuracy": Accuracy,
    "macro_f1": MacroF1,
    "micro_f1": MicroF1,
    "weighted_f1": WeightedF1,
    "per_class_f1": PerClassF1,
    "top_k_accuracy": TopKAccuracy,
    "log_loss": LogLoss,
}


def combine_metrics(names: Sequence[str]) -> evaluate.CombinedEvaluations:
    """Combine metrics of this package into one that `evaluate` computes together.

    Args:
        names: Of OFFLINE_METRICS. For top_k_accuracy and log_loss pass ``probabilities=`` to ``compute`` as well.

    Returns:
        ``evaluate.combine`` of the metrics: ``.compute(predictions=…, references=…)``.

    Raises:
        ValueError: If a name is not known.
    """
    unknown = [name for name in names if name not in OFFLINE_METRICS]
    if unknown:
        raise ValueError(f"there is no metric {unknown[0]!r}; choose from {', '.join(OFFLINE_METRICS)}")
    return evaluate.combine([OFFLINE_METRICS[name]() for name in names])
