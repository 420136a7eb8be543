"""Heads with differential privacy: the ε of two accountants, noise that is measured, and runs that only pretend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("opacus")
pytest.importorskip("dp_accounting")

from workbench.data.table import Labelled, Unlabelled
from workbench.errors import ModelError
from workbench.recipe import Distillation, Smoothing, Student
from workbench.training import Answers, Material, train_student
from workbench.training.distillation import one_hot
from workbench.training.private_accounts import checked_epsilon, opacus_epsilon
from workbench.training.private_audit import audit_private_head
from workbench.training.private_head import PrivateSettings, train_private_head
from workbench.training.private_students import pool_alone

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    vectors = random.normal(size=(300, 16)) + 3 * np.eye(3, 16)[labels]
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


@pytest.mark.parametrize(
    ("noise", "rate", "steps", "delta"), [(1.0, 0.01, 1000, 1e-5), (1.1, 0.05, 200, 1e-4), (4.0, 0.05, 500, 1e-6)]
)
def test_both_accountants_count_the_same_epsilon_within_a_hundredth(noise, rate, steps, delta):
    first, second = (count(noise, rate, steps, delta) for count in (opacus_epsilon, checked_epsilon))
    assert first == pytest.approx(second, rel=0.01)


def test_a_private_head_learns_and_keeps_to_its_epsilon(rows):
    vectors, labels = rows
    made = train_private_head(vectors, labels, 3, PrivateSettings(epsilon=2.0, sample_rate=1.0, steps=40))
    spent = made.spent
    assert 1.9 < spent.epsilon <= 2.0
    assert spent.epsilon == pytest.approx(spent.epsilon_checked, rel=0.01)
    assert spent.noise_seen == pytest.approx(spent.noise_multiplier, rel=0.05)
    assert spent.delta == pytest.approx(0.1 / 300)
    assert spent.secret
    assert (made.head.logits(vectors).argmax(axis=1) == labels).mean() > 0.8


def test_directions_of_the_pool_make_the_same_noise_cost_less(rows):
    vectors, labels = rows
    wide = np.pad(vectors, ((0, 0), (0, 500)))
    settings = PrivateSettings(sample_rate=1.0, steps=40, noise_multiplier=40.0, dimensions=4, seed=0)
    plain, turned = (train_private_head(wide, labels, 3, settings, pool=pool).head for pool in (None, wide))
    right = [(head.logits(wide).argmax(axis=1) == labels).mean() for head in (plain, turned)]
    assert right[1] > max(right[0], 0.8)
    assert turned.weight.shape == (3, 516)


def test_no_two_private_trainings_draw_the_same_noise(rows):
    settings = PrivateSettings(steps=3, sample_rate=0.1, noise_multiplier=2.0)
    one, other = (train_private_head(*rows, 3, settings).head.weight for _ in range(2))
    assert not np.array_equal(one, other)


def test_a_seed_that_is_known_is_said_to_be_known(rows):
    made = train_private_head(*rows, 3, PrivateSettings(steps=3, sample_rate=0.1, noise_multiplier=2.0, seed=7))
    again = train_private_head(*rows, 3, PrivateSettings(steps=3, sample_rate=0.1, noise_multiplier=2.0, seed=7))
    assert np.array_equal(made.head.weight, again.head.weight)
    assert not made.spent.secret


def test_a_draw_without_any_row_is_a_step_of_noise_alone(rows):
    vectors, labels = rows
    made = train_private_head(
        vectors[:50], labels[:50], 3, PrivateSettings(sample_rate=0.01, steps=40, noise_multiplier=2.0)
    )
    assert np.isfinite(made.head.weight).all()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        (PrivateSettings(noise_multiplier=0.0), "without noise there is no privacy"),
        (PrivateSettings(epsilon=0.0), "epsilon is 0"),
        (PrivateSettings(delta=0.5), "not below one in 300 rows"),
        (PrivateSettings(clip=float("inf")), "clipping bound"),
    ],
)
def test_settings_that_promise_nothing_are_refused(rows, settings, word):
    with pytest.raises(ModelError) as caught:
        train_private_head(*rows, 3, settings)
    assert word in str(caught.value)


def test_too_few_rows_are_refused_with_the_number_that_is_needed(rows):
    vectors, labels = rows
    with pytest.raises(ModelError, match="At least 50 labelled rows"):
        train_private_head(vectors[:20], labels[:20], 3)


def without_noise(self):
    for one in self.params:
        one.grad = one.summed_grad.clone().view_as(one)


def test_an_optimiser_that_adds_no_noise_is_caught(rows, monkeypatch):
    from opacus.optimizers import DPOptimizer

    monkeypatch.setattr(DPOptimizer, "add_noise", without_noise)
    with pytest.raises(ModelError, match="added noise of 0 clipping bounds"):
        train_private_head(*rows, 3, PrivateSettings(steps=5, noise_multiplier=2.0))


def test_accountants_that_disagree_are_caught(rows, monkeypatch):
    monkeypatch.setattr("workbench.training.private_head.checked_epsilon", lambda *_: 4.0)
    with pytest.raises(ModelError, match="dp-accounting 4"):
        train_private_head(*rows, 3, PrivateSettings(steps=5, noise_multiplier=2.0))


@pytest.mark.slow
def test_canaries_find_out_a_training_whose_noise_is_off(rows, monkeypatch):
    from opacus.optimizers import DPOptimizer

    vectors, labels = rows
    wide = np.pad(vectors, ((0, 0), (0, 1008)))
    settings = PrivateSettings(delta=1e-6, sample_rate=0.5, steps=100, learning_rate=20.0, noise_multiplier=20.0)
    honest = audit_private_head(wide, labels, 3, settings)
    assert not honest.caught
    monkeypatch.setattr(DPOptimizer, "add_noise", without_noise)
    monkeypatch.setattr("workbench.training.private_head.noise_fits", lambda *_: True)
    pretending = audit_private_head(wide, labels, 3, settings)
    assert pretending.caught
    assert pretending.right > honest.right


@pytest.mark.parametrize("kind", ["linear", "static"])
def test_students_of_a_private_teacher_learn_from_the_pool_alone(kind, phrases, tiny_encoder):
    from workbench.models.encoder import Encoder
    from workbench.models.static_tokens import distil_tokens
    from workbench.models.weights import check_folder

    texts, labels = phrases
    column = pa.array(texts, pa.large_string())
    train = Labelled(np.arange(60), column[:60], labels[:60])
    pool = Unlabelled(np.arange(60, 240), column[60:])
    student = Student(name="small", kind=kind, dimensions=16, epochs=30)
    tokens = None
    if kind == "static":
        weights = check_folder(tiny_encoder, name="tiny", uploader="tests", where="folder")
        tokens = distil_tokens(Encoder.open(weights, dtype="fp32"), 16)
    whole = Material(("a", "b", "c"), train, train, pool, tokens)
    answers = Answers(one_hot(labels[:60], 3), one_hot(labels[60:], 3) * np.float32(0.9) + np.float32(1 / 30))
    bare, said = pool_alone(whole, answers, Distillation())
    assert (len(bare.train), len(bare.validation), len(bare.pool), len(said.train)) == (0, 0, 180, 0)
    other = replace(whole, train=replace(train, labels=(labels[:60] + 1) % 3), validation=train)
    again, _ = pool_alone(other, answers, Distillation())
    one, two = (train_student(student, rows, said, Distillation()).predict_proba(texts) for rows in (bare, again))
    np.testing.assert_array_equal(one, two)
    assert (one.argmax(axis=1) == labels).mean() > 0.8


def test_smoothing_over_labelled_rows_is_refused_for_students_of_a_private_teacher(phrases):
    texts, labels = phrases
    column = pa.array(texts, pa.large_string())
    train = Labelled(np.arange(60), column[:60], labels[:60])
    whole = Material(("a", "b", "c"), train, train, Unlabelled(np.arange(60, 240), column[60:]))
    answers = Answers(one_hot(labels[:60], 3), one_hot(labels[60:], 3))
    with pytest.raises(ModelError, match="smoothing passes the labels"):
        pool_alone(whole, answers, Distillation(smoothing=Smoothing()))
