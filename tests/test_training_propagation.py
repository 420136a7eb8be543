"""Answers averaged among neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import Stopped
from workbench.recipe import Smoothing
from workbench.runs.events import Progress
from workbench.training.propagation import Neighbours, find_neighbours, propagate


def unit(rows: int, dimensions: int = 8, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def three() -> Neighbours:
    """Row 0 asks row 1; row 1 asks row 2, which is labelled, and row 0 a little; row 2 asks row 0."""
    return Neighbours(
        np.arange(3), np.array([[1, 2], [2, 0], [0, 1]], np.int32), np.array([[1, 0], [0.75, 0.25], [1, 0]], np.float32)
    )


ANSWERS = np.array([[0.8, 0.2], [0.4, 0.6]], np.float32)
HARD = np.array([[0.0, 1.0]], np.float32)


def test_one_step_worked_by_hand(three: Neighbours):
    found = propagate(ANSWERS, HARD, three, Smoothing(neighbours=2, share=0.5, steps=1))
    # Row 0: half of .8, half of row 1's .4. Row 1: half of .4, half of (.75 x 0 + .25 x .8).
    np.testing.assert_allclose(found[:, 0], [0.6, 0.3], atol=1e-6)


def test_two_steps_worked_by_hand(three: Neighbours):
    found = propagate(ANSWERS, HARD, three, Smoothing(neighbours=2, share=0.5, steps=2))
    # Each row keeps half of its own first answer. Row 0: .4 + .5 x .3. Row 1: .2 + .5 x (.75 x 0 + .25 x .6).
    np.testing.assert_allclose(found[:, 0], [0.55, 0.275], atol=1e-6)


def test_labelled_rows_keep_their_labels_whatever_their_neighbours_say():
    neighbours = Neighbours(np.arange(2), np.array([[1], [0]], np.int32), np.ones((2, 1), np.float32))
    found = propagate(np.array([[1.0, 0.0]], np.float32), HARD, neighbours, Smoothing(share=0.5, steps=20))
    # Asked twenty times, the label still answers (0, 1), so the row stays half and half.
    np.testing.assert_allclose(found, [[0.5, 0.5]], atol=1e-6)


def test_what_comes_in_is_not_changed(three: Neighbours):
    answers, hard = ANSWERS.copy(), HARD.copy()
    propagate(answers, hard, three, Smoothing())
    np.testing.assert_array_equal(answers, ANSWERS)
    np.testing.assert_array_equal(hard, HARD)


def test_rows_sum_to_one_and_keep_their_shape_and_type():
    vectors, random = unit(1500), np.random.default_rng(1)
    answers = random.dirichlet(np.ones(5), 1400).astype(np.float32)
    hard = np.eye(5, dtype=np.float32)[random.integers(0, 5, 100)]
    settings = Smoothing(steps=20)
    found = propagate(answers, hard, find_neighbours(vectors, 100, settings), settings)
    assert found.shape == (1400, 5)
    assert found.dtype == np.float32
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-4)


def test_a_row_that_the_teacher_got_wrong_is_put_right_by_its_family():
    centres, random = np.eye(2, 8), np.random.default_rng(0)
    family = np.repeat([0, 1], 30)
    vectors = centres[family] + random.normal(scale=0.05, size=(60, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    right = np.where(np.eye(2)[family] == 1, 0.8, 0.2).astype(np.float32)
    answers = right[:59].copy()
    answers[3] = answers[3][::-1]
    settings = Smoothing(neighbours=8)
    found = propagate(answers, np.eye(2, dtype=np.float32)[[1]], find_neighbours(vectors, 1, settings), settings)
    np.testing.assert_array_equal(found.argmax(axis=1), family[:59])


@pytest.mark.parametrize("rows", [1, 3])
def test_answers_for_other_rows_are_refused(three: Neighbours, rows: int):
    with pytest.raises(ValueError, match=f"{rows + 1} answers for 3 rows with neighbours"):
        propagate(np.full((rows, 2), 0.5, np.float32), HARD, three, Smoothing())


def test_neighbours_are_the_nearest_by_cosine_and_never_the_row_itself():
    vectors = unit(1200)
    found = find_neighbours(vectors, 10, Smoothing(neighbours=7))
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -np.inf)
    expected = np.sort(np.argsort(-similar, axis=1)[:, :7], axis=1)
    np.testing.assert_array_equal(np.sort(found.anchors[found.nearest], axis=1), expected)


def test_nearer_neighbours_count_more():
    vectors = unit(200)
    found = find_neighbours(vectors, 10, Smoothing(neighbours=5))
    similar = np.einsum("nd,nkd->nk", vectors, vectors[found.nearest])
    expected = np.exp(similar / 0.05)
    np.testing.assert_allclose(found.weights, expected / expected.sum(axis=1, keepdims=True), rtol=1e-3)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "labelled", "wanted"), [(90, 20, 90), (1000, 20, 100), (1000, 150, 150), (100, 0, 100)]
)
def test_anchors_are_bounded_and_every_labelled_row_is_one(rows: int, labelled: int, wanted: int):
    found = find_neighbours(unit(rows), labelled, Smoothing(anchors=100, neighbours=5))
    assert len(found.anchors) == wanted == len(set(found.anchors.tolist()))
    assert set(range(rows - labelled, rows)) <= set(found.anchors.tolist())
    assert found.nearest.shape == found.weights.shape == (rows, 5)
    assert 0 <= found.nearest.min() <= found.nearest.max() < wanted
    assert (found.anchors[found.nearest] != np.arange(rows)[:, None]).all()


def test_few_rows_have_as_many_neighbours_as_there_are():
    found = find_neighbours(unit(4), 1, Smoothing(neighbours=12))
    assert found.nearest.shape == (4, 3)
    assert [set(row) for row in found.nearest.tolist()] == [{1, 2, 3}, {0, 2, 3}, {0, 1, 3}, {0, 1, 2}]


def test_the_same_seed_draws_the_same_anchors_and_another_draws_others():
    vectors, settings = unit(1000), Smoothing(anchors=100)
    one, same, other = (find_neighbours(vectors, 20, settings, seed=seed).anchors for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_it_tells_how_far_it_is():
    told: list = []
    find_neighbours(unit(2500), 10, Smoothing(anchors=100), listener=told.append)
    assert [(one.done, one.total) for one in told if isinstance(one, Progress)] == [
        (1024, 2500),
        (2048, 2500),
        (2500, 2500),
    ]


def test_it_stops_when_it_is_asked_to():
    with pytest.raises(Stopped, match="resume"):
        find_neighbours(unit(50), 5, Smoothing(), stop=lambda: True)
