"""Shallower encoders out of deeper ones: chosen layers are kept, with everything before and behind them.

A cut makes a new model of the same class from the same config with fewer layers, filled with copies of the deeper one's
weights, so what comes out saves, loads and exports like any other. Nothing is trained here, and an architecture whose
layers are not found, or are not built alike, is refused instead of guessed at.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import ModelError
from workbench.models.tokens import need

if TYPE_CHECKING:
    from torch import Tensor


def check_layers(config: Any, keep: Sequence[int]) -> None:
    """Refuse layers that a model does not have; needs its config alone.

    Args:
        config: A transformers config.
        keep: Layers, counted from 1, ascending.

    Raises:
        ModelError: A layer does not exist, or none is kept.
        ValueError: They do not ascend.
    """
    count = int(getattr(config, "num_hidden_layers", 0))
    wrong = [layer for layer in keep if not 1 <= layer <= count]
    if wrong or not keep:
        named = f"there is no layer {', '.join(map(str, wrong))}" if wrong else "none is kept"
        raise ModelError(
            f"Layers {list(keep)} cannot be cut out of this {config.model_type}: {named}.",
            f"One layer or more of 1 to {count}: the model has layers 1 to {count}.",
            "Change keep_layers or drop_layers of the student's cut in the recipe.",
        )
    if list(keep) != sorted(set(keep)):
        raise ValueError(f"keep is {list(keep)}; layers must ascend without repeats")


def cut_layers(model: Any, keep: Sequence[int]) -> Any:
    """Keep these layers of an encoder, with everything before and behind them.

    Args:
        model: A transformers model, with or without a classification head; it stays as it is.
        keep: Layers, counted from 1, ascending.

    Returns:
        A new model of the same class with copies of the weights; its config says how many layers it has.

    Raises:
        ModelError: A layer does not exist, or the architecture has no single list of like layers.
        ValueError: ``keep`` does not ascend.
    """
    check_layers(model.config, keep)
    path = layers_path(model)
    config = copy.deepcopy(model.config)
    kinds = getattr(config, "layer_types", None)
    if kinds:
        config.layer_types = [kinds[layer - 1] for layer in keep]
    config.num_hidden_layers = len(keep)
    moved = {layer - 1: place for place, layer in enumerate(keep)}
    state = {}
    for name, tensor in model.state_dict().items():
        number, inside = inside_layer(name, path)
        if number is None:
            state[name] = tensor
        elif number in moved:
            state[f"{path}.{moved[number]}.{inside}"] = tensor
    return filled(model, empty_like(model, config), state)


def layers_path(model: Any) -> str:
    """Name of the one list of layers in a model."""
    torch = need("torch", "cutting an encoder")
    count = int(getattr(model.config, "num_hidden_layers", 0))
    found = [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == count
    ]
    if len(found) != 1:
        raise ModelError(
            f"The layers of this {model.config.model_type} were not found: {len(found)} lists of {count} layers.",
            "An encoder that keeps its layers in one list, such as BERT, MiniLM, RoBERTa or MPNet.",
            "Start the student from such an encoder, or leave the cut out.",
        )
    return str(found[0])


def inside_layer(name: str, path: str) -> tuple[int | None, str]:
    """Layer (from 0) and name inside it of a parameter; ``None`` and the whole name outside of the layers."""
    if not name.startswith(f"{path}."):
        return None, name
    number, _, inside = name[len(path) + 1 :].partition(".")
    return int(number), inside


def empty_like(model: Any, config: Any) -> Any:
    """A new model of the same class, where and as precise as the given one; randomness outside is left alone."""
    import torch

    with torch.random.fork_rng(devices=[]):
        return type(model)(config).to(device=model.device, dtype=model.dtype)


def filled(model: Any, fresh: Any, state: dict[str, Tensor]) -> Any:
    """Copy weights into a new model, which trains or not as the given one does."""
    try:
        fresh.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(
            f"This {model.config.model_type} cannot be cut like this: its parts depend on their place.",
            "An encoder whose layers are all built alike, such as BERT, MiniLM, RoBERTa or MPNet.",
            "Keep other layers, or start the student from another encoder.",
        ) from error
    return fresh.train(model.training)
