"""Narrower encoders out of wider ones: the hidden dimensions, heads and intermediate units that matter most are kept.

What comes out is a model of the same class, filled with copies of the wider one's weights. Nothing is trained here, and
an architecture whose parts cannot be told apart by name is refused instead of guessed at.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import ModelError
from workbench.models.cutting import empty_like, filled, inside_layer, layers_path

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Anatomy:
    """Names, inside a layer, of the parts that narrowing must tell apart.

    Attributes:
        inputs: The linear layers of query, key and value (value last): their rows are heads, one after the other.
        output: The linear layer behind attention: its columns are heads.
        rise: The linear layer into the wide middle: its rows are intermediate units.
        fall: The linear layer out of it: its columns are intermediate units.
        norm: The norm between attention and ``rise``.
        last_norm: The norm behind ``fall``, whose output is the layer's.
    """

    inputs: tuple[str, str, str]
    output: str
    rise: str = "intermediate.dense"
    fall: str = "output.dense"
    norm: str = "attention.output.LayerNorm"
    last_norm: str = "output.LayerNorm"

    def axes(self, module: str) -> tuple[str, str]:
        """What the rows and the columns of a module's weight stand for: ``hidden``, ``heads`` or ``units``."""
        rows = "heads" if module in self.inputs else "units" if module == self.rise else "hidden"
        columns = "heads" if module == self.output else "units" if module == self.fall else "hidden"
        return rows, columns


_BERT = Anatomy(
    ("attention.self.query", "attention.self.key", "attention.self.value"),
    "attention.output.dense",
)
_MPNET = Anatomy(
    ("attention.attn.q", "attention.attn.k", "attention.attn.v"), "attention.attn.o", norm="attention.LayerNorm"
)
ANATOMIES = {"bert": _BERT, "roberta": _BERT, "xlm-roberta": _BERT, "camembert": _BERT, "mpnet": _MPNET}
SHARED_HEADS = "relative_attention_bias"


def fitting_widths(config: Any) -> list[int]:
    """Widths that an encoder can be narrowed to, ascending, its own last: whole heads of the length they have.

    Raises:
        ModelError: Narrowing does not know this architecture.
    """
    if config.model_type not in ANATOMIES:
        raise ModelError(
            f"An encoder of the type '{config.model_type}' cannot be narrowed.",
            f"One of: {', '.join(sorted(ANATOMIES))}.",
            "Leave width out of the student's cut, or start it from another encoder; keep_layers works all the same.",
        )
    head = config.hidden_size // config.num_attention_heads
    return [head * heads for heads in range(1, config.num_attention_heads + 1)]


def check_width(config: Any, width: int) -> None:
    """Refuse a width that an encoder cannot be narrowed to; needs its config alone.

    Args:
        config: A transformers config.
        width: Length of the hidden states wanted.

    Raises:
        ModelError: It does not fit; the widths that do are named.
    """
    fit = fitting_widths(config)
    if width not in fit:
        raise ModelError(
            f"This {config.model_type} of width {config.hidden_size} cannot be narrowed to {width}.",
            f"A multiple of {fit[0]}, the length of a head, up to {fit[-1]}: {', '.join(map(str, fit))}.",
            f"Set width of the student's cut to {min(fit, key=lambda one: abs(one - width))}, for example.",
        )


def narrow(model: Any, width: int) -> Any:
    """Cut a narrower encoder out of a wider one: fewer dimensions, heads and intermediate units, all of them copies.

    One set of hidden dimensions is kept everywhere, so that the sum that runs through the layers stays one: those that
    are largest behind the norms of all layers, by the squared weights of these norms (as Liu et al. 2017 choose
    channels by the scales of their norms). Of the heads those stay whose map from states to states is largest, of the
    intermediate units those whose weights in and out are (by size, as Li et al. 2017 choose filters): layer by layer,
    but where one table of positions serves the heads of all layers (MPNet) the same heads in all.

    The norms then see fewer dimensions, so the copy answers differently until it is trained: a start, not a student.

    Args:
        model: A transformers model of the BERT or MPNet family, with or without a classification head; stays as it is.
        width: Length of the new hidden states, one of :func:`fitting_widths`. Heads keep their length; the
            intermediate size shrinks in proportion.

    Returns:
        A new model of the same class. At the model's own width it is the same model.

    Raises:
        ModelError: The width does not fit, or the architecture is not known.
    """
    check_width(model.config, width)
    path = layers_path(model)
    config = copy.deepcopy(model.config)
    config.hidden_size = width
    config.num_attention_heads = model.config.num_attention_heads * width // model.config.hidden_size
    config.intermediate_size = max(1, round(model.config.intermediate_size * width / model.config.hidden_size))
    fresh = empty_like(model, config)
    kept = _Kept.of(model, config, path)
    wanted = fresh.state_dict()
    state = {name: kept.slice(name, tensor, wanted[name].shape) for name, tensor in model.state_dict().items()}
    return filled(model, fresh, state)


@dataclass(frozen=True)
class _Kept:
    """Which dimensions, heads and units of a model stay; all ascending.

    Attributes:
        path: Name of the list of layers.
        anatomy: Names inside a layer.
        hidden: Hidden dimensions, shape ``(width,)``.
        heads: Of each layer, heads, shape ``(heads,)``.
        rows: Of each layer, the rows of these heads in query, key and value, shape ``(width,)``.
        units: Of each layer, intermediate units, shape ``(intermediate size,)``.
    """

    path: str
    anatomy: Anatomy
    hidden: Tensor
    heads: list[Tensor]
    rows: list[Tensor]
    units: list[Tensor]

    @classmethod
    def of(cls, model: Any, config: Any, path: str) -> _Kept:
        """Choose what stays.

        Args:
            model: The wider model.
            config: The narrower one's config.
            path: Name of the list of layers.
        """
        import torch

        anatomy, length = ANATOMIES[config.model_type], config.hidden_size // config.num_attention_heads
        layers = list(model.get_submodule(path))
        with torch.no_grad():
            heads = [_heads_importance(layer, anatomy, length) for layer in layers]
            if any(name.endswith(f"{SHARED_HEADS}.weight") for name, _ in model.named_parameters()):
                heads = [torch.stack(heads).sum(dim=0)] * len(heads)
            best = [_largest(one, config.num_attention_heads) for one in heads]
            rows = [(one[:, None] * length + torch.arange(length, device=one.device)).flatten() for one in best]
            units = [_largest(_units_importance(layer, anatomy), config.intermediate_size) for layer in layers]
            hidden = _largest(_hidden_importance(layers, anatomy), config.hidden_size)
        return cls(path, anatomy, hidden, best, rows, units)

    def slice(self, name: str, tensor: Tensor, shape: Sequence[int]) -> Tensor:
        """The part of a parameter that stays: along each axis whose length differs from ``shape``."""
        number, inside = inside_layer(name, self.path)
        axes = self.anatomy.axes(inside.rpartition(".")[0]) if number is not None else ("hidden", "hidden")
        for axis, (before, after) in enumerate(zip(tensor.shape, shape, strict=True)):
            if before == after:
                continue
            if number is None:
                chosen = self.heads[0] if SHARED_HEADS in name else self.hidden
            else:
                chosen = {"hidden": self.hidden, "heads": self.rows[number], "units": self.units[number]}[axes[axis]]
            tensor = tensor.index_select(axis, chosen)
        return tensor


def _largest(importance: Tensor, count: int) -> Tensor:
    """Places of the largest values, ascending; the earlier one of equals."""
    return importance.argsort(descending=True, stable=True)[:count].sort().values


def _weight(layer: Any, name: str) -> Tensor:
    weight: Tensor = layer.get_submodule(name).weight.detach().float()
    return weight


def _hidden_importance(layers: Sequence[Any], anatomy: Anatomy) -> Tensor:
    """How large each hidden dimension is behind the norms of all layers, shape ``(hidden size,)``."""
    import torch

    norms = [_weight(layer, name) for layer in layers for name in (anatomy.norm, anatomy.last_norm)]
    return torch.stack(norms).square().sum(dim=0)


def _heads_importance(layer: Any, anatomy: Anatomy, length: int) -> Tensor:
    """Size of each head's map from states to what it adds to them, shape ``(heads,)``."""
    import torch

    values = _weight(layer, anatomy.inputs[-1])
    outputs = _weight(layer, anatomy.output)
    # ||O V||² = trace(OᵀO VVᵀ), without the hidden × hidden matrix.
    values = values.reshape(-1, length, values.shape[1])
    outputs = outputs.reshape(outputs.shape[0], -1, length)
    written = torch.einsum("ohi,ohj->hij", outputs, outputs)
    read = torch.einsum("hik,hjk->hij", values, values)
    return (written * read).sum(dim=(1, 2))


def _units_importance(layer: Any, anatomy: Anatomy) -> Tensor:
    """Squared weights into each intermediate unit times those out of it, shape ``(intermediate size,)``."""
    into, out = _weight(layer, anatomy.rise), _weight(layer, anatomy.fall)
    return into.square().sum(dim=1) * out.square().sum(dim=0)
