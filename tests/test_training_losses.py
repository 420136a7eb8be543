"""The losses of transformer students: cases worked by hand, and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from workbench.recipe import Losses
from workbench.training.distillation import soft_targets, softmax
from workbench.training.losses import (
    attention_loss,
    combine,
    hard_label_loss,
    hidden_state_loss,
    layer_pairs,
    soft_target_loss,
)

ONES = torch.ones(4)


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(4, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()


@pytest.fixture
def targets() -> torch.Tensor:
    return torch.randn(4, 5, generator=torch.Generator().manual_seed(1)).softmax(dim=1)


def slope(loss, at):
    """Gradient of a loss."""
    return torch.autograd.grad(loss, at)[0]


def test_divergence_of_a_case_worked_by_hand():
    # softmax(0, ln 3) = (1/4, 3/4): KL(1/2, 1/2) = 1/2 ln 2 + 1/2 ln(2/3) = 1/2 ln(4/3)
    logits, targets = torch.tensor([[0.0, math.log(3)]]), torch.tensor([[0.5, 0.5]])
    assert soft_target_loss(logits, targets, torch.ones(1)).item() == pytest.approx(0.5 * math.log(4 / 3), abs=1e-7)


def test_equal_distributions_diverge_by_nothing_and_pull_nowhere(logits):
    loss = soft_target_loss(logits, logits.detach().softmax(dim=1), ONES)
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert slope(loss, logits).abs().max() < 1e-6


def test_a_certain_teacher_is_a_label_and_zero_times_its_logarithm_is_zero(logits):
    certain = torch.eye(5)[[0, 2, 2, 4]]
    soft, hard = soft_target_loss(logits, certain, ONES), hard_label_loss(logits, certain, ONES)
    assert soft.item() == pytest.approx(hard.item(), abs=1e-6)
    assert torch.isfinite(slope(soft, logits)).all()


def test_soft_targets_and_cross_entropy_with_them_differ_by_the_teachers_entropy_alone(logits, targets):
    soft, hard = soft_target_loss(logits, targets, ONES), hard_label_loss(logits, targets, ONES)
    entropy = -(targets * targets.log()).sum(1).mean()
    assert (hard - soft).item() == pytest.approx(entropy.item(), abs=1e-6)
    torch.testing.assert_close(slope(soft, logits), slope(hard, logits))


def test_divergence_is_that_of_torch(logits, targets):
    theirs = torch.nn.functional.kl_div(logits.log_softmax(1), targets, reduction="batchmean")
    torch.testing.assert_close(soft_target_loss(logits, targets, ONES), theirs)


def test_at_a_high_temperature_the_divergence_is_half_the_squared_distance_of_centred_logits():
    random = np.random.default_rng(0)
    teacher, temperature = random.normal(size=(4, 5)).astype(np.float32), 100.0
    student = torch.from_numpy(random.normal(size=(4, 5))).requires_grad_()
    targets = torch.from_numpy(soft_targets(softmax(teacher), temperature))
    loss = soft_target_loss(student / temperature, targets, ONES) * temperature**2 * 5
    centred = student - student.mean(1, keepdim=True)
    gap = centred - torch.from_numpy(teacher - teacher.mean(1, keepdims=True))
    assert loss.item() == pytest.approx(0.5 * gap.square().sum(1).mean().item(), rel=0.03)
    torch.testing.assert_close(slope(loss, student), (gap / 4).detach(), atol=0.01, rtol=0.05)


def test_rows_count_by_their_weight_and_not_by_how_many_they_are(logits, targets):
    weights = torch.tensor([2.0, 0.0, 1.0, 0.0])
    for loss in (soft_target_loss, hard_label_loss):
        each = [loss(logits[[row]], targets[[row]], torch.ones(1)).item() for row in range(4)]
        assert loss(logits, targets, weights).item() == pytest.approx((2 * each[0] + each[2]) / 3, rel=1e-5)
        torch.testing.assert_close(loss(logits, targets, weights), loss(logits, targets, 7 * weights))
        assert slope(loss(logits, targets, weights), logits)[[1, 3]].abs().max() == 0


def test_a_batch_in_which_no_row_counts_is_zero_with_a_gradient_of_zero(logits, targets):
    for loss in (soft_target_loss, hard_label_loss):
        nothing = loss(logits, targets, torch.zeros(4))
        assert nothing.item() == 0
        assert slope(nothing, logits).abs().max() == 0


def test_smoothing_is_that_of_torch_and_keeps_a_right_answer_from_growing_for_ever(logits):
    labels = torch.tensor([0, 2, 2, 4])
    loss = hard_label_loss(logits, torch.eye(5)[labels], ONES, label_smoothing=0.1)
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1))
    best = torch.full((1, 5), 0.02)
    best[0, 0] = 0.92
    still = best.log().requires_grad_()
    assert slope(hard_label_loss(still, torch.eye(5)[:1], torch.ones(1), 0.1), still).abs().max() < 1e-6


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_is_no_share_is_refused(logits, targets, share):
    with pytest.raises(ValueError, match="label_smoothing"):
        hard_label_loss(logits, targets, ONES, share)


def test_losses_of_sixteen_bit_logits_are_computed_in_thirty_two(logits, targets):
    low = logits.detach().bfloat16()
    for loss in (soft_target_loss, hard_label_loss):
        assert loss(low, targets, ONES).dtype == torch.float32
        torch.testing.assert_close(loss(low, targets, ONES), loss(low.float(), targets, ONES))


STATES = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]]])
MASK = torch.tensor([[1, 1, 0]])


def test_distance_of_hidden_states_of_a_case_worked_by_hand():
    teacher = torch.tensor([[[1.0, 0.0], [0.0, 4.0], [0.0, 0.0]]])
    assert hidden_state_loss(STATES, teacher, MASK).item() == pytest.approx((4 / 2 + 9 / 2) / 2)


@pytest.mark.parametrize("padding", [7.0, math.inf, math.nan])
def test_hidden_states_of_padding_count_nothing(padding):
    student = STATES.clone()
    student[0, 2] = padding
    student.requires_grad_()
    loss = hidden_state_loss(student, STATES + 1, MASK)
    assert loss.item() == pytest.approx(1.0)
    assert slope(loss, student)[0, 2].abs().max() == 0
    assert hidden_state_loss(STATES, STATES + 1, torch.zeros(1, 3)).item() == 0


def test_states_of_another_length_need_a_projection_which_learns(targets):
    teacher = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="projection"):
        hidden_state_loss(STATES, teacher, MASK)
    projection = torch.nn.Linear(2, 4, bias=False)
    hidden_state_loss(STATES, teacher, MASK, projection).backward()
    assert projection.weight.grad.abs().sum() > 0
    exact = hidden_state_loss(STATES, projection(STATES), MASK, projection)
    assert exact.item() == 0


def test_the_teacher_is_never_pulled():
    teacher = (STATES + 1).requires_grad_()
    maps = torch.randn(1, 2, 3, 3).softmax(-1).requires_grad_()
    student = STATES.clone().requires_grad_()
    attention = torch.randn(1, 2, 3, 3).softmax(-1).requires_grad_()
    (hidden_state_loss(student, teacher, MASK) + attention_loss(attention, maps, MASK)).backward()
    assert teacher.grad is None
    assert maps.grad is None
    assert student.grad is not None
    assert attention.grad is not None


def test_divergence_of_attention_of_a_case_worked_by_hand():
    # Two real tokens, one head; the first query agrees, the second diverges by 1/2 ln(4/3).
    student = torch.tensor([[[[0.5, 0.5, 0.0], [0.25, 0.75, 0.0], [0.1, 0.1, 0.8]]]])
    teacher = torch.tensor([[[[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.8, 0.1, 0.1]]]])
    assert attention_loss(student, teacher, MASK).item() == pytest.approx(0.25 * math.log(4 / 3), abs=1e-7)


def test_attention_is_a_mean_over_heads_and_queries_whatever_the_padding():
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(2, 3, 4, 4, generator=generator).softmax(-1).requires_grad_() for _ in range(2))
    plain = attention_loss(student, teacher, torch.ones(2, 4))
    pad = torch.nn.functional.pad
    wider = attention_loss(pad(student, (0, 2, 0, 2)), pad(teacher, (0, 2, 0, 2)), pad(torch.ones(2, 4), (0, 2)))
    torch.testing.assert_close(plain, wider)
    by_hand = (teacher * (teacher.log() - student.log())).sum(-1).mean()
    torch.testing.assert_close(plain, by_hand)


def test_equal_maps_diverge_by_nothing_and_a_student_that_looks_away_is_pulled_with_finite_force():
    maps = torch.randn(1, 2, 3, 3, generator=torch.Generator().manual_seed(0)).softmax(-1)
    assert attention_loss(maps, maps, MASK).item() == pytest.approx(0, abs=1e-6)
    away = torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]]).requires_grad_()
    loss = attention_loss(away, away.detach().flip(-1), torch.ones(1, 2))
    assert math.isfinite(loss.item())
    assert loss.item() > 1
    assert torch.isfinite(slope(loss, away)).all()


def test_a_padded_query_that_is_no_number_disturbs_nothing():
    maps = torch.full((1, 1, 3, 3), 1 / 3)
    maps[0, 0, 2] = math.nan
    maps.requires_grad_()
    loss = attention_loss(maps, torch.full((1, 1, 3, 3), 1 / 3), MASK)
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(slope(loss, maps)).all()


def test_maps_of_other_numbers_of_heads_are_averaged_over_heads_first():
    generator = torch.Generator().manual_seed(0)
    few, many = (torch.randn(1, heads, 3, 3, generator=generator).softmax(-1) for heads in (2, 6))
    averaged = attention_loss(few.mean(1, keepdim=True), many.mean(1, keepdim=True), MASK)
    torch.testing.assert_close(attention_loss(few, many, MASK), averaged)
    with pytest.raises(ValueError, match="same texts in the same tokens"):
        attention_loss(few, many[:, :, :2, :2], MASK)


@pytest.mark.parametrize(
    ("student", "kept", "teacher", "pairs"),
    [
        (3, (1, 3, 6), 6, ((1, 1), (2, 3), (3, 6))),
        (3, (), 6, ((1, 2), (2, 4), (3, 6))),
        (4, (), 6, ((1, 2), (2, 3), (3, 5), (4, 6))),
        (6, (), 6, tuple((layer, layer) for layer in range(1, 7))),
        (1, (), 12, ((1, 12),)),
        (6, (), 3, ((1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3))),
        (12, (), 1, tuple((layer, 1) for layer in range(1, 13))),
    ],
)
def test_a_layer_is_matched_with_its_origin_or_else_evenly(student, kept, teacher, pairs):
    assert layer_pairs(student, kept, teacher) == pairs


@pytest.mark.parametrize(("student", "kept", "teacher"), [(3, (1, 2), 6), (2, (1, 7), 6), (2, (0, 1), 6), (0, (), 6)])
def test_layers_that_cannot_be_matched_are_refused(student, kept, teacher):
    with pytest.raises(ValueError, match="layers"):
        layer_pairs(student, kept, teacher)


def test_parts_are_added_by_the_weights_of_the_recipe():
    parts = {"soft": torch.tensor(2.0), "hard": torch.tensor(3.0), "hidden": torch.tensor(math.nan)}
    assert combine(parts, Losses(soft=0.5, hard=2.0)).item() == 7.0
    with pytest.raises(ValueError, match="attention"):
        combine(parts, Losses(soft=1.0, attention=1.0))
    with pytest.raises(ValueError, match="sotf"):
        combine({"sotf": torch.tensor(1.0), "soft": torch.tensor(1.0)}, Losses())
