"""Logits of a sequence classifier that reads its first token alone, without the work that no logit depends on.

Such a classifier looks at the last layer's first token only. That layer's keys and values are needed for every token,
but its query, attention output and feed-forward part for the first alone: exactly the same logits and gradients for
less work: up to 28 % of a three-layer model's products are saved, 14 % of a six-layer one's. Architectures whose layers
are not known here are run as they are.
"""

from __future__ import annotations

from typing import Any

from workbench.models.tokens import need

_BASES = {"bert": "bert", "roberta": "roberta", "xlm-roberta": "roberta", "camembert": "roberta"}


def reads_first_token(model: Any) -> bool:
    """Whether a model is a sequence classifier whose last layer may be computed for the first token alone.

    Args:
        model: Any transformers model, wrapped by adapters or not.
    """
    base = _BASES.get(model.config.model_type)
    if base is None or model.config.is_decoder or not hasattr(model, "classifier"):
        return False
    inner = getattr(model, base, None)
    return hasattr(inner, "encoder") and (base != "bert" or getattr(inner, "pooler", None) is not None)


def first_token_forward(model: Any, ids: Any, mask: Any) -> Any:
    """Logits, with the last layer computed for the first token alone where the model is of BERT's kin.

    Dropout acts as in the model itself when it is training (other random numbers are drawn, of the same law), and
    every parameter gets its gradient. Modules are called, not their weights read, so adapters take part.

    Args:
        model: What ``AutoModelForSequenceClassification`` gives, or that with adapters around its layers.
        ids: Token ids, shape ``(batch, tokens)``.
        mask: 1 where a token is, else 0, shape ``(batch, tokens)``; the first token of each row must be there.
            ``None`` where nothing is padding.

    Returns:
        Logits, shape ``(batch, classes)``.
    """
    if not reads_first_token(model):
        return model(input_ids=ids, attention_mask=mask).logits
    inner = getattr(model, _BASES[model.config.model_type])
    attendable = _attendable(mask)
    states = inner.embeddings(input_ids=ids)
    *before, last = inner.encoder.layer
    layer_mask = _layer_mask(attendable, states.dtype, model.config._attn_implementation)
    for layer in before:
        states = layer(states, layer_mask)
        states = states[0] if isinstance(states, tuple) else states  # as older releases of transformers return it
    first = last_layer_first_token(last, states, attendable)
    if getattr(inner, "pooler", None) is not None:
        return model.classifier(model.dropout(inner.pooler(first)))
    return model.classifier(first)


def last_layer_first_token(layer: Any, states: Any, attendable: Any) -> Any:
    """One layer of BERT's kin for the first token alone.

    Args:
        layer: The layer.
        states: What the layer before gave, shape ``(batch, tokens, width)``.
        attendable: True where a token may be looked at, shape ``(batch, 1, 1, tokens)``, or ``None`` for everywhere.

    Returns:
        Shape ``(batch, 1, width)``.
    """
    torch = need("torch", "running a transformer")
    own = layer.attention.self
    shape = (states.shape[0], -1, own.num_attention_heads, own.attention_head_size)
    first = states[:, :1]
    query, key, value = (
        part(given).view(shape).transpose(1, 2)
        for part, given in ((own.query, first), (own.key, states), (own.value, states))
    )
    seen = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=attendable, dropout_p=own.dropout.p if own.training else 0.0
    )
    attended = layer.attention.output(seen.transpose(1, 2).reshape(shape[0], 1, -1), first)
    return layer.output(layer.intermediate(attended), attended)


def _attendable(mask: Any) -> Any:
    """The mask as True and False, shape ``(batch, 1, 1, tokens)``; ``None`` where nothing is masked."""
    torch = need("torch", "running a transformer")
    if mask is None:
        return None
    whole = mask.bool()
    exported = torch.jit.is_tracing() or torch.compiler.is_compiling()
    if not exported and whole.device.type == "cpu" and bool(whole.all()):
        return None
    return whole[:, None, None, :]


def _layer_mask(attendable: Any, dtype: Any, attention: str) -> Any:
    """The mask in the form that an implementation of attention takes."""
    torch = need("torch", "running a transformer")
    if attendable is None or attention == "sdpa":
        return attendable
    blocked = torch.zeros_like(attendable, dtype=dtype)
    return blocked.masked_fill(~attendable, torch.finfo(dtype).min)
