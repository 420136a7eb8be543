"""Streamed training of linear candidates: the same answer as solving at once, in memory that a pool does not fill."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from workbench.training.distillation import one_hot
from workbench.training.linear import BLOCK, LinearSettings, train_linear

CLASSES = ("injury", "infection", "heart and lung")


def test_streamed_it_comes_to_where_solving_at_once_comes(phrases: tuple[list[str], np.ndarray]):
    texts, labels = phrases
    targets = np.float32(0.8) * one_hot(labels, 3) + np.float32(0.2 / 3)
    several = LinearSettings(buckets=4096, l2=1e-3, epochs=60, batch=64, full_batch_rows=0)
    once = LinearSettings(buckets=4096, l2=1e-3, full_batch_rows=10_000)
    streamed, solved = (
        train_linear(texts, targets, classes=CLASSES, settings=settings).predict_proba(texts)
        for settings in (several, once)
    )
    np.testing.assert_allclose(streamed, solved, atol=0.03)


@pytest.mark.slow
def test_features_of_the_pool_are_never_all_in_memory(phrases: tuple[list[str], np.ndarray]):
    settings = LinearSettings(buckets=4096, epochs=1, full_batch_rows=0)

    def peak(rows: int) -> int:
        texts = [f"{phrases[0][row % 240]} {row}" for row in range(rows)]
        targets = np.full((rows, 3), 1 / 3, dtype=np.float32)
        tracemalloc.start()
        try:
            train_linear(texts, targets, classes=CLASSES, settings=settings)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = 2 * BLOCK + 1, 4 * BLOCK  # from two blocks on, the last one is alive while the next is made
    features_of_a_text = 60 * 8  # bytes: some 60 runs, a place and a value each
    assert (peak(many) - peak(few)) / (many - few) < features_of_a_text / 4
