"""The package's evaluate.Metric classes work offline and together."""

import numpy as np
import pytest

from workbench.metrics import combine_metrics, log_loss, macro_f1, per_class_f1, top_k_accuracy

LABELS = np.array([0, 1, 2, 2, 1, 0, 3, 3])
PREDICTIONS = np.array([0, 1, 2, 1, 1, 2, 3, 0])


def test_all_metrics_are_combined_and_equal_ours():
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(4), len(LABELS))
    names = ["accuracy", "macro_f1", "micro_f1", "weighted_f1", "per_class_f1", "top_k_accuracy", "log_loss"]
    found = combine_metrics(names).compute(
        predictions=PREDICTIONS, references=LABELS, probabilities=probabilities.tolist(), k=2
    )
    assert found["accuracy"] == found["micro_f1"] == 5 / 8
    assert found["macro_f1"] == pytest.approx(macro_f1(LABELS, PREDICTIONS, 4))
    assert [found[f"f1_{name}"] for name in range(4)] == pytest.approx(per_class_f1(LABELS, PREDICTIONS, 4).tolist())
    assert found["top_2_accuracy"] == pytest.approx(top_k_accuracy(LABELS, probabilities, 2))
    assert found["log_loss"] == pytest.approx(log_loss(LABELS, probabilities))


def test_a_metric_made_directly_writes_no_folder_and_takes_batches(tmp_path):
    from workbench.metrics.evaluate_metrics import MacroF1

    metric = MacroF1(cache_dir=str(tmp_path / "cache"))
    for part in (slice(0, 4), slice(4, 8)):
        metric.add_batch(predictions=PREDICTIONS[part], references=LABELS[part])
    assert metric.compute()["macro_f1"] == pytest.approx(macro_f1(LABELS, PREDICTIONS, 4))
    assert not (tmp_path / "cache").exists()


def test_a_metric_gives_its_number_again_and_for_a_perfect_score_too():
    combined = combine_metrics(["accuracy", "macro_f1"])
    for _ in range(2):
        assert combined.compute(predictions=LABELS, references=LABELS) == {"accuracy": 1.0, "macro_f1": 1.0}


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="weighted_f1"):
        combine_metrics(["bleu"])
