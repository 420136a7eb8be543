"""The last layer for the first token alone: the same logits, the same gradients."""

from __future__ import annotations

import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from workbench.models.first_token import first_token_forward, reads_first_token

SMALL = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
    "num_labels": 5,
    "pad_token_id": 0,
}


def bert(layers=2, attention="sdpa", **more):
    torch.manual_seed(0)
    config = BertConfig(**SMALL, num_hidden_layers=layers, initializer_range=0.3, **more)
    return BertForSequenceClassification._from_config(config, attn_implementation=attention).eval()


def rows(padding=True):
    torch.manual_seed(1)
    ids = torch.randint(5, 60, (6, 11))
    mask = torch.ones_like(ids)
    if padding:
        for row in range(6):
            mask[row, 11 - row :] = 0
    return ids * mask, mask


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("padding", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
def test_logits_are_those_of_the_plain_model(attention, padding, layers):
    model, (ids, mask) = bert(layers, attention), rows(padding)
    with torch.no_grad():
        plain = model(input_ids=ids, attention_mask=mask).logits
        ours = first_token_forward(model, ids, mask)
    assert reads_first_token(model)
    torch.testing.assert_close(ours, plain, rtol=0, atol=2e-6)


def test_gradients_are_those_of_the_plain_model():
    model, (ids, mask) = bert(), rows()
    found = []
    for forward in (
        lambda: model(input_ids=ids, attention_mask=mask).logits,
        lambda: first_token_forward(model, ids, mask),
    ):
        model.zero_grad()
        (forward().square().sum()).backward()
        found.append({name: one.grad.clone() for name, one in model.named_parameters()})
    largest = max(float(gradient.abs().max()) for gradient in found[0].values())
    for name, gradient in found[0].items():
        torch.testing.assert_close(found[1][name], gradient, rtol=1e-4, atol=1e-6 * largest)


def test_dropout_acts_when_training_and_keeps_the_mean():
    model, (ids, mask) = bert(1, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.3), rows()
    model.train()
    with torch.no_grad():
        drawn = torch.stack([first_token_forward(model, ids, mask) for _ in range(400)])
        plain = torch.stack([model(input_ids=ids, attention_mask=mask).logits for _ in range(400)])
    assert float(drawn.std(0).max()) > 0.01
    torch.testing.assert_close(drawn.std(0).mean(), plain.std(0).mean(), rtol=0.1, atol=0)
    torch.testing.assert_close(drawn.mean(0), plain.mean(0), rtol=0, atol=0.2)


def test_the_classifiers_dropout_acts():
    model, (ids, mask) = (
        bert(1, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, classifier_dropout=0.5),
        rows(),
    )
    model.train()
    assert not torch.equal(first_token_forward(model, ids, mask), first_token_forward(model, ids, mask))


def test_it_runs_under_bfloat16_autocast():
    model, (ids, mask) = bert(), rows()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        plain = model(input_ids=ids, attention_mask=mask).logits.float()
        ours = first_token_forward(model, ids, mask).float()
    torch.testing.assert_close(ours, plain, rtol=0.05, atol=0.05)


def test_robertas_kin_is_known():
    torch.manual_seed(0)
    config = RobertaConfig(**{**SMALL, "pad_token_id": 1}, num_hidden_layers=2, initializer_range=0.3)
    model, (ids, mask) = RobertaForSequenceClassification(config).eval(), rows()
    ids = ids.masked_fill(mask == 0, 1)
    with torch.no_grad():
        plain = model(input_ids=ids, attention_mask=mask).logits
        ours = first_token_forward(model, ids, mask)
    assert reads_first_token(model)
    torch.testing.assert_close(ours, plain, rtol=0, atol=2e-6)


def test_another_architecture_is_run_as_it_is():
    config = DistilBertConfig(vocab_size=60, dim=32, n_heads=4, n_layers=2, hidden_dim=64, num_labels=5)
    model, (ids, mask) = DistilBertForSequenceClassification(config).eval(), rows()
    with torch.no_grad():
        plain = model(input_ids=ids, attention_mask=mask).logits
        ours = first_token_forward(model, ids, mask)
    assert not reads_first_token(model)
    assert torch.equal(ours, plain)
