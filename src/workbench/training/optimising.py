"""AdamW in its fused form, its groups, and the step size as a pure function of the step."""

from __future__ import annotations

from typing import Any

from workbench.recipe import Tuning

Named = dict[str, Any]


def rate_share(step: int, steps: int, warmup: float) -> float:
    """Share of the largest step size at a step: a linear rise, then a linear fall to 0.

    Args:
        step: From 0.
        steps: Steps in all, 1 or more.
        warmup: Share of them in which it rises.

    Returns:
        Above 0 and at most 1 for every step before the last one ends.
    """
    rising = round(steps * warmup)
    if step < rising:
        return (step + 1) / (rising + 1)
    return max(0.0, (steps - step) / max(1, steps - rising))


def make_optimiser(module: Any, heads: set[str], settings: Tuning) -> Any:
    """Fused AdamW over all parameters that are trained, in four groups.

    Biases, norms and embeddings have no weight decay (embeddings that do not occur then stay where they are); the last
    layer may have its own step size.

    Args:
        module: What is trained.
        heads: Names of the parameters that get the head's learning rate.
        settings: Learning rates and weight decay.
    """
    import torch

    embedded = {
        f"{name}.{inner}" if name else inner
        for name, part in module.named_modules()
        if isinstance(part, torch.nn.Embedding)
        for inner, _ in part.named_parameters(recurse=False)
    }
    groups: dict[tuple[bool, bool], list[Any]] = {}
    for name, parameter in trained(module).items():
        decays = parameter.ndim > 1 and name not in embedded
        groups.setdefault((name in heads, decays), []).append(parameter)
    head_rate = settings.head_learning_rate or settings.learning_rate
    listed = [
        {
            "params": parameters,
            "weight_decay": settings.weight_decay if decays else 0.0,
            "largest": head_rate if is_head else settings.learning_rate,
        }
        for (is_head, decays), parameters in groups.items()
    ]
    return torch.optim.AdamW(listed, lr=settings.learning_rate, fused=True)


def set_rate(optimiser: Any, share: float) -> None:
    """Set every group's step size to a share of its largest."""
    for group in optimiser.param_groups:
        group["lr"] = group["largest"] * share


def trained(module: Any) -> Named:
    """Name to parameter of all that is trained, in the module's order."""
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}


def moments(module: Any, optimiser: Any) -> Named:
    """AdamW's running means by name, as tensors."""
    found = {}
    for name, parameter in trained(module).items():
        for kind, value in optimiser.state.get(parameter, {}).items():
            found[f"{name}.{kind}"] = value
    return found


def set_moments(module: Any, optimiser: Any, saved: Named) -> None:
    """Put back what :func:`moments` gave."""
    for name, parameter in trained(module).items():
        kinds = {
            kind: saved[f"{name}.{kind}"] for kind in ("step", "exp_avg", "exp_avg_sq") if f"{name}.{kind}" in saved
        }
        if kinds:
            optimiser.state[parameter] = {
                kind: value.clone() if kind == "step" else value.to(parameter.device) for kind, value in kinds.items()
            }
