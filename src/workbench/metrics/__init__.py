"""Arrays in; scores, intervals, tests and the sentences that they allow out.

Light: numpy, pyarrow and a little of scipy. scikit-learn and evaluate are loaded only by `combine_metrics` and the
classes of `workbench.metrics.evaluate_metrics`. Anything here can be recomputed years later without torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.metrics.bootstrap import bootstrap_metric
from workbench.metrics.consistency import prediction_consistency
from workbench.metrics.evidence import join_rows
from workbench.metrics.intervals import Interval, rate
from workbench.metrics.kappa import cohen_kappa, kappa_interval
from workbench.metrics.multiple import benjamini_hochberg, holm
from workbench.metrics.paired import Difference, bootstrap_difference, mcnemar, smallest_detectable
from workbench.metrics.permutation import permutation_mean, permutation_metric, permutation_test
from workbench.metrics.probabilities import log_loss, top_k_accuracy
from workbench.metrics.proportions import clopper_pearson, wilson
from workbench.metrics.resampling import bootstrap_rows, bootstrap_sums
from workbench.metrics.scores import METRICS, accuracy, macro_f1, micro_f1, per_class_f1, weighted_f1
from workbench.metrics.scoring import Plan, differing_rows, may_be_recommended, references, score_run
from workbench.metrics.seeds import mean_over_seeds, spread

__all__ = [
    "METRICS",
    "Difference",
    "Interval",
    "Plan",
    "accuracy",
    "benjamini_hochberg",
    "bootstrap_difference",
    "bootstrap_metric",
    "bootstrap_rows",
    "bootstrap_sums",
    "clopper_pearson",
    "cohen_kappa",
    "combine_metrics",
    "differing_rows",
    "holm",
    "join_rows",
    "kappa_interval",
    "log_loss",
    "macro_f1",
    "may_be_recommended",
    "mcnemar",
    "mean_over_seeds",
    "micro_f1",
    "per_class_f1",
    "permutation_mean",
    "permutation_metric",
    "permutation_test",
    "prediction_consistency",
    "rate",
    "references",
    "score_run",
    "smallest_detectable",
    "spread",
    "top_k_accuracy",
    "weighted_f1",
    "wilson",
]


def combine_metrics(names: Sequence[str]) -> Any:
    """`evaluate.combine` of this package's own offline metrics; loads `evaluate`, which takes seconds.

    Args:
        names: For example ``["accuracy", "macro_f1"]``; see evaluate_metrics.OFFLINE_METRICS.

    Returns:
        An evaluate.CombinedEvaluations.

    Raises:
        ValueError: If a name is not known.
    """
    from workbench.metrics.evaluate_metrics import combine_metrics as combine

    return combine(names)
