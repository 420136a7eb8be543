"""What a transformer student is pulled to, as pure functions of tensors: answers, labels, hidden states, attention.

Each loss is one number with a gradient for the student alone, computed in 32-bit floats whatever the precision of what
comes in; padding and rows of weight 0 count nothing. Nothing here runs a network, and nothing here knows a data set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.recipe import Losses

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = 1e-8


def soft_target_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """How far the student's answers are from the teacher's: the weighted mean of ``KL(targets || softmax(logits))``.

    The temperature is in the targets already (:func:`workbench.training.distillation.soft_targets`); a caller who
    wants it on the student's side too gives ``logits / temperature``. Then, times ``temperature ** 2 * classes``, the
    loss of a high temperature tends to half the squared distance of centred logits (Hinton, Vinyals, Dean 2015, 2.1).

    Args:
        logits: The student's, shape ``(batch, classes)``.
        targets: Distributions, the same shape; a class may have probability 0.
        weights: How much each row counts, 0 or more, shape ``(batch,)``.

    Returns:
        Nats, 0 or more; exactly 0 where every weight is 0.
    """
    import torch

    wanted = targets.detach().float()
    logs = torch.log_softmax(logits.float(), dim=-1)
    divergences = (torch.special.xlogy(wanted, wanted) - wanted * logs).sum(dim=-1)
    return _weighted_mean(divergences, weights)


def hard_label_loss(logits: Tensor, targets: Tensor, weights: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Weighted mean of the cross-entropy with labels, which may be smoothed (Szegedy et al. 2016, section 7).

    Args:
        logits: The student's, shape ``(batch, classes)``.
        targets: Distributions, the same shape; one 1 a row for a plain label.
        weights: How much each row counts, 0 or more, shape ``(batch,)``; class weights are multiplied into it.
        label_smoothing: Share of each target that is spread evenly over all classes, 0 to below 1.

    Returns:
        Nats, 0 or more; exactly 0 where every weight is 0.

    Raises:
        ValueError: The share is out of range.
    """
    import torch

    if not 0 <= label_smoothing < 1:
        raise ValueError(f"label_smoothing is {label_smoothing}; it must be 0 or more, and below 1")
    wanted = targets.detach().float()
    wanted = (1 - label_smoothing) * wanted + label_smoothing / wanted.shape[-1]
    entropies = -(wanted * torch.log_softmax(logits.float(), dim=-1)).sum(dim=-1)
    return _weighted_mean(entropies, weights)


def hidden_state_loss(student: Tensor, teacher: Tensor, mask: Tensor, projection: Any = None) -> Tensor:
    """Mean squared error between one layer's hidden states and the teacher's, over real tokens and dimensions.

    Squared error as in TinyBERT (Jiao et al. 2020, equation 8), not the cosine of DistilBERT: the linear layers behind
    a state see its length as well as its direction, and through a projection both are free to be matched.

    Args:
        student: States of a layer, shape ``(batch, width, student_dim)``.
        teacher: States of the layer it is matched with, shape ``(batch, width, teacher_dim)``.
        mask: 1 where a token is, 0 where padding is, shape ``(batch, width)``.
        projection: A linear layer from ``student_dim`` to ``teacher_dim``, trained along; ``None`` for none.

    Returns:
        0 or more; exactly 0 where the mask has no token.

    Raises:
        ValueError: The states do not fit each other.
    """
    import torch

    states = student if projection is None else projection(student)
    if states.shape != teacher.shape:
        raise ValueError(
            f"hidden states of shape {tuple(states.shape)} cannot be matched with {tuple(teacher.shape)}; "
            "other dimensions need a projection, other tokens another tokenizer"
        )
    # Padding is replaced, not multiplied by 0: what stands there may be infinite, and 0 * inf is NaN.
    gaps = torch.where(mask.bool()[:, :, None], states.float() - teacher.detach().float(), 0.0)
    return gaps.square().mean(dim=-1).sum() / mask.sum().clamp_min(1)


def attention_loss(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``KL(teacher || student)`` between attention maps, over heads and real query tokens.

    Divergence of distributions as in MiniLM (Wang et al. 2020, equation 4), not TinyBERT's squared error of raw scores,
    which transformers does not give out. Where the numbers of heads differ, no head has a partner: the maps are
    averaged over heads first. Transformers gives maps after dropout, so switch attention dropout off on both sides.

    Args:
        student: Attention probabilities, shape ``(batch, heads, width, width)``: queries, then keys.
        teacher: The teacher's, the same shape but for the number of heads.
        mask: 1 where a token is, 0 where padding is, shape ``(batch, width)``.

    Returns:
        Nats, 0 or more; exactly 0 where the mask has no token.

    Raises:
        ValueError: The maps do not fit each other.
    """
    import torch

    if (student.shape[0], *student.shape[2:]) != (teacher.shape[0], *teacher.shape[2:]):
        raise ValueError(
            f"attention maps of shape {tuple(student.shape)} cannot be matched with {tuple(teacher.shape)}; "
            "all but the number of heads must be equal: the same texts in the same tokens"
        )
    if student.shape[1] != teacher.shape[1]:
        student, teacher = student.mean(dim=1, keepdim=True), teacher.mean(dim=1, keepdim=True)
    real = mask.bool()
    ours, wanted = _distributions(student, real), _distributions(teacher.detach(), real)
    divergences = (torch.special.xlogy(wanted, wanted) - wanted * ours.clamp_min(FLOOR).log()).sum(dim=-1)
    mean: Tensor = divergences.sum() / (real.sum() * student.shape[1]).clamp_min(1)
    return mean


def layer_pairs(student_layers: int, kept: Sequence[int], teacher_layers: int) -> tuple[tuple[int, int], ...]:
    """Which layer of the student is matched with which of the teacher's; layers are counted from 1.

    A student cut from its teacher matches each layer with the one it was; any other one is spread evenly, its last
    layer on the teacher's last (the uniform mapping of Jiao et al. 2020; half a layer is rounded up).

    Args:
        student_layers: Layers of the student, 1 or more.
        kept: The teacher's layers that the student was cut from, one for each of its own; empty for none.
        teacher_layers: Layers of the teacher, 1 or more.

    Returns:
        ``(student's, teacher's)``, one pair for each layer of the student.

    Raises:
        ValueError: There are no layers, or ``kept`` does not fit them.
    """
    if student_layers < 1 or teacher_layers < 1:
        raise ValueError(f"{student_layers} layers cannot be matched with {teacher_layers}; each side has one or more")
    own = range(1, student_layers + 1)
    if not kept:
        spread = ((2 * layer * teacher_layers + student_layers) // (2 * student_layers) for layer in own)
        return tuple(zip(own, (max(1, layer) for layer in spread), strict=True))
    if len(kept) != student_layers or not all(1 <= layer <= teacher_layers for layer in kept):
        raise ValueError(
            f"kept is {list(kept)}; it must name {student_layers} layers from 1 to {teacher_layers}, or be empty"
        )
    return tuple(zip(own, kept, strict=True))


def combine(parts: Mapping[str, Tensor], losses: Losses) -> Tensor:
    """Add up the parts, each multiplied by its weight in the recipe.

    Args:
        parts: Losses by the names of the recipe's fields (``soft``, ``hard``, ``hidden``, ``attention``), each a
            scalar; all whose weight is above 0, others may be missing.
        losses: The recipe's weights.

    Returns:
        A scalar; parts of weight 0 have no gradient.

    Raises:
        ValueError: A part is unknown, or one is missing whose weight is above 0.
    """
    weights = {name: float(getattr(losses, name)) for name in Losses.model_fields}
    wanted = [name for name, weight in weights.items() if weight > 0]
    wrong = sorted(set(parts) - set(weights)) + [name for name in wanted if name not in parts]
    if wrong:
        raise ValueError(f"unknown or missing: {', '.join(wrong)}; the recipe asks for {', '.join(wanted)}")
    total = parts[wanted[0]] * weights[wanted[0]]
    for name in wanted[1:]:
        total = total + parts[name] * weights[name]
    return total


def _weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of one value a row, both of shape ``(batch,)``; 0 where no row counts."""
    counts = weights.detach().float()
    total = counts.sum()
    return (values * counts).sum() / total.where(total > 0, 1.0)


def _distributions(maps: Tensor, real: Tensor) -> Tensor:
    """Attention maps, shape as before, whose rows sum to 1 over real keys; padded keys and queries get 0 all over."""
    import torch

    both = real[:, None, :, None] & real[:, None, None, :]
    kept = torch.where(both, maps.float(), 0.0)
    return kept / kept.sum(dim=-1, keepdim=True).clamp_min(FLOOR)
