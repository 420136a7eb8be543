"""The membership audit on tiny encoders and simulated rows: shadows, attacks, controls, canaries."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from workbench.data.table import Labelled, Splits, Unlabelled
from workbench.evaluation.canaries import canary_texts, exposure
from workbench.evaluation.check import Subject
from workbench.evaluation.membership import check_membership
from workbench.evaluation.membership_attacks import lira_score, loss_score, rmia_score
from workbench.evaluation.membership_rows import Audit, audited_rows
from workbench.evaluation.references import nearest, text_kernel
from workbench.evaluation.shadows import Solving, fit_many, logits_of, principal, principal_of_kernel, random_halves
from workbench.metrics.membership import is_finding, score_membership
from workbench.metrics.roc import area
from workbench.recipe import Recipe
from workbench.training.distillation import one_hot, softmax
from workbench.training.head import fit_linear

TIGHT = Solving(2000, 1e-7)


def rows_of(count, dimensions=6, classes=3, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count)
    return random.normal(size=(count, dimensions)) + 1.5 * np.eye(classes, dimensions)[labels], labels


def test_the_batched_solver_finds_scikit_learns_optimum_for_every_head():
    from sklearn.linear_model import LogisticRegression

    features, labels = rows_of(90)
    masks = random_halves(labels, 4, np.random.default_rng(0))
    l2 = np.array([0.1, 0.03, 0.01, 0.003])
    heads = fit_many(features, one_hot(labels, 3).astype(np.float64), masks, l2, TIGHT)
    for mask, strength, said in zip(masks, l2, logits_of(features, heads), strict=True):
        model = LogisticRegression(C=1 / (strength * mask.sum()), tol=1e-10, max_iter=5000)
        wanted = model.fit(features[mask], labels[mask]).predict_proba(features)
        np.testing.assert_allclose(softmax(said), wanted, atol=1e-5)


def test_the_batched_solver_takes_soft_targets_and_weights_of_its_own_for_each_head():
    features, _ = rows_of(60)
    random = np.random.default_rng(1)
    targets, weights = random.dirichlet(np.ones(3), (2, 60)), random.random((2, 60))
    heads = fit_many(features, targets, weights, 0.01, TIGHT)
    for head, soft, weight in zip(heads, targets, weights, strict=True):
        wanted = fit_linear(features, soft, weight, 0.01, np.zeros((7, 3)))
        np.testing.assert_allclose(features @ head[:-1], features @ wanted[:-1], atol=1e-2)


def test_single_precision_gives_the_same_probabilities():
    features, labels = rows_of(80)
    masks = random_halves(labels, 2, np.random.default_rng(0))
    exact = fit_many(features, one_hot(labels, 3).astype(np.float64), masks, 1e-3, TIGHT)
    single = fit_many(features.astype(np.float32), one_hot(labels, 3), masks, 1e-3, Solving(500, 1e-5))
    gap = softmax(logits_of(features, exact)) - softmax(logits_of(features, single))
    assert np.abs(gap).max() < 0.01


def test_halves_are_halves_of_every_class_and_come_in_opposite_pairs():
    labels = np.repeat([0, 1, 2], [10, 7, 3])
    masks = random_halves(labels, 8, np.random.default_rng(0))
    assert (masks.sum(axis=0) == 4).all()
    assert (masks[::2] == ~masks[1::2]).all()
    assert (masks[:, :10].sum(axis=1) == 5).all()
    with pytest.raises(ValueError, match="even"):
        random_halves(labels, 3, np.random.default_rng(0))


def test_turned_features_keep_inner_products_and_stand_at_right_angles():
    features, _ = rows_of(40)
    turned = principal(features)
    np.testing.assert_allclose(turned @ turned.T, features @ features.T, atol=1e-3)
    crossed = turned.T @ turned
    assert np.abs(crossed - np.diag(np.diag(crossed))).max() < 1e-2
    kernel = features @ features.T
    np.testing.assert_allclose((lambda one: one @ one.T)(principal_of_kernel(kernel)), kernel, atol=1e-3)


def test_texts_have_the_inner_products_that_a_linear_candidate_gives_them():
    from workbench.training.linear import LinearSettings, train_linear

    texts = pa.array(["fracture of the arm", "fever and rash", "heart valve failure", "arm arm arm"], pa.large_string())
    targets = one_hot(np.array([0, 1, 2, 0]), 3)
    candidate = train_linear(texts, targets, classes=("a", "b", "c"), settings=LinearSettings(buckets=4096, l2=1e-3))
    kernel = text_kernel(texts, (2, 5), 4096)
    features = principal_of_kernel(kernel)
    head = fit_linear(features, targets, np.ones(4), 1e-3, np.zeros((features.shape[1] + 1, 3)))
    said = softmax(features @ head[:-1] + head[-1])
    np.testing.assert_allclose(candidate.predict_proba(texts), said, atol=0.02)


def leaking(rows=400, shadows=32, gain=1.5, seed=0):
    """Log odds that rise by a gain where a row was learned from, over a difficulty of its own for each row."""
    random = np.random.default_rng(seed)
    inside = random.random(rows) < 0.5
    masks = random.random((shadows, rows)) < 0.5
    hard = random.normal(0, 3, rows)
    odds = lambda seen: 1 / (1 + np.exp(-(hard + gain * seen + random.normal(0, 1, seen.shape))))  # noqa: E731
    return odds(inside.astype(float)), odds(masks.astype(float)), masks, inside


def test_reference_models_find_what_the_loss_alone_hardly_sees():
    confidence, references, masks, inside = leaking()
    plain = area(*(lambda s: (s[inside], s[~inside]))(loss_score(confidence))).value
    rmia = area(*(lambda s: (s[inside], s[~inside]))(rmia_score(confidence, references, masks, ~inside))).value
    lira = area(*(lambda s: (s[inside], s[~inside]))(lira_score(confidence, references, masks))).value
    assert plain < 0.68
    assert rmia > plain + 0.05
    assert lira > plain + 0.1


def test_attacks_on_a_model_that_learned_from_nobody_guess():
    confidence, references, masks, inside = leaking(gain=0.0)
    for score in (rmia_score(confidence, references, masks, ~inside), lira_score(confidence, references, masks)):
        found = area(score[inside], score[~inside])
        assert found.low < 0.5 < found.high


def test_a_row_that_every_reference_learned_from_gets_no_score():
    confidence, references, masks, inside = leaking(rows=20)
    masks[:, 3] = True
    assert np.isnan(rmia_score(confidence, references, masks, ~inside)[3])
    assert np.isnan(lira_score(confidence, references, masks)[3])


def test_the_strength_and_temperature_that_come_nearest_are_found():
    features, labels = rows_of(100)
    every = np.ones((3, 100))
    tried = logits_of(features, fit_many(features, one_hot(labels, 3), every, np.array([0.3, 0.03, 0.003]), TIGHT))
    place, temperature, distance = nearest(tried, softmax(tried[1] / 1.7))
    assert place == 1
    assert temperature == pytest.approx(1.7, rel=0.02)
    assert distance < 0.005


def test_exposure_is_all_bits_for_the_surest_and_little_for_the_middle():
    found = exposure(np.array([0.99, 0.5]), np.linspace(0.01, 0.9, 511))
    assert found["most"] == 9
    assert found["exposures"][0] == 9
    assert 0.5 < found["exposures"][1] < 1.5
    assert 1 < found["unexposed"] < 2
    assert len(set(canary_texts(50, np.random.default_rng(0)))) == 50


def splits_of(texts, labels, train, reserve, pool):
    def labelled(rows):
        return Labelled(rows, pa.array([texts[row] for row in rows], pa.large_string()), labels[rows].astype(np.int32))

    empty = np.zeros(0, dtype=np.int64)
    unlabelled = Unlabelled(pool, pa.array([texts[row] for row in pool], pa.large_string()))
    return Splits(
        ("a", "b", "c"), labelled(train), labelled(empty), unlabelled, labelled(reserve), {"test": labelled(empty)}, 0
    )


@pytest.fixture(scope="module")
def sentences():
    """Phrases of random words, so that hardly one is like another, with classes that the words hint at."""
    random = np.random.default_rng(5)
    labels = np.arange(480) % 3
    hints = (["arm", "leg", "burn"], ["fever", "rash", "virus"], ["heart", "lung", "valve"])
    fillers = canary_texts(480, random)
    return [f"{random.choice(hints[label])} {filler}" for label, filler in zip(labels, fillers, strict=True)], labels


def subject_of(sentences, tiny_encoder, l2):
    from workbench.models.encoder import Encoder
    from workbench.models.head import Head, HeadCandidate
    from workbench.models.weights import check_folder
    from workbench.training.linear import LinearSettings, train_linear

    texts, labels = sentences
    train, reserve, pool = np.split(np.random.default_rng(0).permutation(480), [120, 300])
    splits = splits_of(texts, labels, train, reserve, pool)
    weights = check_folder(tiny_encoder, name="tiny", uploader="tests", where="folder")
    encoder = Encoder.open(weights, dtype="fp32")
    targets = one_hot(splits.train.labels, 3)
    matrix = fit_linear(encoder.encode(splits.train.texts), targets, np.ones(120), 1e-3, np.zeros((33, 3)))
    teacher = HeadCandidate(encoder, Head.of(matrix), splits.classes)
    settings = LinearSettings(buckets=1 << 14, l2=l2)
    baseline = train_linear(splits.train.texts, targets, classes=splits.classes, settings=settings)
    every = pa.concat_arrays([splits.train.texts, splits.pool.texts])
    student = train_linear(every, teacher.predict_proba(every), classes=splits.classes, settings=settings)
    recipe = Recipe.model_validate(
        {
            "name": "tiny",
            "purpose": "A test.",
            "data": {"source": {"path": "x.csv"}, "text": "text", "label": "label"},
            "teacher": {"model": "tiny"},
            "carbon": {"country": "FRA"},
        }
    )
    return Subject(recipe, splits, {"baseline": baseline, "teacher": teacher, "student-linear": student}, {}, None, 0)


@pytest.mark.slow
def test_an_overfitted_model_is_found_and_all_controls_hold(sentences, tiny_encoder):
    subject = subject_of(sentences, tiny_encoder, l2=1e-5)
    check = check_membership(subject, Audit(shadows=16, text_shadows=8, pool_rows=60, canaries=4))
    found = {(row["candidate"], row["metric"]): row for row in score_membership(check.table, check.settings)}
    assert is_finding(found["baseline", "membership_auc:loss"])
    assert found["baseline", "membership_auc:rmia"]["value"] > 0.8
    controls = {name: row for (_, name), row in found.items() if ":" not in name}
    assert controls["membership_memorised_auc"]["low"] > 0.9
    assert controls["membership_blind_auc"]["low"] < 0.5
    assert controls["membership_null_auc"]["false_alarms"] <= 0.12
    assert controls["membership_exposure"]["n"] == 4
    assert check.settings["references"]["teacher"]["alike"]
    assert check.settings["references"]["student-linear"]["family"] == "linear student of a shadow teacher"
    assert {"subject", "attack", "row", "label", "member", "score"} == set(check.table.column_names)


def test_members_and_others_have_the_same_share_in_every_class(sentences):
    texts, labels = sentences
    order = np.arange(480)
    train = np.concatenate([order[labels == 0][:40], order[labels == 1][:40], order[labels == 2][:40]])
    reserve = np.concatenate([order[labels == 0][40:100], order[labels == 1][40:100], order[labels == 2][40:52]])
    audited, left_out = audited_rows(splits_of(texts, labels, train, reserve, order[:0]), Audit())
    shares = [audited.inside[audited.labels == label].mean() for label in range(3)]
    assert max(shares) - min(shares) < 0.03
    assert left_out == 32
    capped, _ = audited_rows(splits_of(texts, labels, train, reserve, order[:0]), Audit(most=40))
    assert (~capped.inside).sum() <= 40


def test_too_few_rows_give_no_evidence_but_the_number_that_is_needed(sentences, tiny_encoder):
    texts, labels = sentences
    subject = subject_of(sentences, tiny_encoder, l2=1e-3)
    few = splits_of(texts, labels, np.arange(120), np.arange(120, 135), np.arange(0))
    check = check_membership(Subject(subject.recipe, few, subject.candidates, {}, None, 0))
    assert check.table is None
    assert "At least 30 of each" in check.reasons[0]
    assert "1,000" in check.reasons[0]


def test_a_teacher_that_is_a_file_is_named_with_its_reason(sentences, tiny_encoder):
    from workbench.models.targets_file import TargetsFile

    subject = subject_of(sentences, tiny_encoder, l2=1e-3)
    ids, answers = pa.array(["0"], pa.large_string()), np.full((1, 3), 1 / 3, dtype=np.float32)
    file = TargetsFile(("a", "b", "c"), ids, answers, hard=False, digest="0")
    recipe = subject.recipe.model_copy(update={"teacher": None})
    candidates = {"baseline": subject.candidates["baseline"], "teacher": file}
    check = check_membership(Subject(recipe, subject.splits, candidates, {}, None, 0), Audit(shadows=4))
    assert set(check.table["subject"].to_pylist()) == {"baseline", "blind", "memorised"}
    assert check.reasons[0].startswith("teacher was not attacked")
