"""What the engine trains: modules with one face, so that one loop serves teachers and students.

A network is called with token ids and mask and gives an ``Output``. ``SequenceNetwork`` reads the first token, as every
``AutoModelForSequenceClassification`` of the BERT family does; ``PooledNetwork`` reads the mean of one layer or
several, as the frozen teachers of :mod:`workbench.models.head` do, so that fine-tuning begins exactly where the head
ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from workbench.models.first_token import first_token_forward
from workbench.models.head import Head

if TYPE_CHECKING:
    from torch import Tensor

States = tuple[Any, ...]


@dataclass(frozen=True)
class Output:
    """What a network says of a batch.

    Attributes:
        logits: Shape ``(batch, classes)``.
        hidden: Hidden states, the word embeddings first, each ``(batch, width, dimensions)``; empty unless asked for.
        attentions: Attention of each layer, each ``(batch, heads, width, width)``; empty unless asked for.
    """

    logits: Tensor
    hidden: States = ()
    attentions: States = ()


class Network(nn.Module):
    """Base of what the engine trains: an encoder and a last layer."""

    encoder: nn.Module

    def last_layer(self) -> nn.Linear:
        """The layer that makes logits; calibration divides it."""
        raise NotImplementedError

    def pad_id(self) -> int:
        """Id that fills a batch."""
        config: Any = self.encoder.config
        return int(getattr(config, "pad_token_id", None) or 0)

    def head_parameters(self) -> set[str]:
        """Names of the parameters that did not come with the encoder."""
        own = {id(parameter) for parameter in self.encoder.parameters()}
        return {name for name, parameter in self.named_parameters() if id(parameter) not in own}


class SequenceNetwork(Network):
    """A Hugging Face sequence classifier; only what the first token needs is computed in the last layer."""

    def __init__(self, model: Any) -> None:
        """Args: model: From ``AutoModelForSequenceClassification``."""
        super().__init__()
        self.model = model

    @property
    def encoder(self) -> nn.Module:  # type: ignore[override]
        """The encoder inside the classifier."""
        inside: nn.Module = self.model.base_model
        return inside

    def forward(self, ids: Tensor, mask: Tensor, *, states: bool = False) -> Output:
        """Logits of a batch.

        Args:
            ids: Shape ``(batch, width)``.
            mask: 1 where a token is, the same shape.
            states: Whether hidden states and attention are given too; takes the plain way through the model.
        """
        if not states:
            return Output(first_token_forward(self.model, ids, mask))
        said = self.model(
            input_ids=ids, attention_mask=mask, output_hidden_states=True, output_attentions=gives_attention(self.model)
        )
        return Output(said.logits, tuple(said.hidden_states), tuple(said.attentions or ()))

    def last_layer(self) -> nn.Linear:
        """The layer that makes logits."""
        head = self.model.classifier
        return head if isinstance(head, nn.Linear) else head.out_proj


class PooledNetwork(Network):
    """An encoder whose layers' means, each of length 1, are joined and go through a linear layer."""

    def __init__(self, encoder: Any, layers: tuple[int, ...], head: Head) -> None:
        """Put the parts together.

        Args:
            encoder: From ``AutoModel``.
            layers: Layers that are joined, 0 for the word embeddings; the last one alone when empty.
            head: Where the linear layer begins, shape ``(classes, dimensions)``.
        """
        super().__init__()
        self.encoder = encoder
        self.layers = layers
        self.head = nn.Linear(head.weight.shape[1], head.weight.shape[0])
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(head.weight))
            self.head.bias.copy_(torch.from_numpy(head.bias))

    def forward(self, ids: Tensor, mask: Tensor, *, states: bool = False) -> Output:
        """Logits of a batch; see :meth:`SequenceNetwork.forward`."""
        said = self.encoder(
            input_ids=ids,
            attention_mask=mask,
            output_hidden_states=states or bool(self.layers),
            output_attentions=states and gives_attention(self.encoder),
        )
        chosen = [said.hidden_states[layer] for layer in self.layers] or [said.last_hidden_state]
        share = mask.float() / mask.float().sum(1, keepdim=True).clamp_min(1)
        pooled = [torch.bmm(share[:, None, :], one.float()).squeeze(1) for one in chosen]
        unit = [nn.functional.normalize(one, dim=1) / len(chosen) ** 0.5 for one in pooled]
        logits = self.head(torch.cat(unit, dim=1))
        hidden = tuple(said.hidden_states) if states else ()
        return Output(logits, hidden, tuple(said.attentions or ()) if states else ())

    def last_layer(self) -> nn.Linear:
        """The layer that makes logits."""
        return self.head

    def to_head(self) -> Head:
        """The linear layer as a :class:`~workbench.models.head.Head`."""
        return Head(self.head.weight.detach().cpu().numpy().copy(), self.head.bias.detach().cpu().numpy().copy())


def gives_attention(model: Any) -> bool:
    """Whether a model's implementation of attention gives its probabilities too: only the plain one does."""
    return bool(model.config._attn_implementation == "eager")
