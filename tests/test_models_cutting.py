"""Encoders cut to fewer layers and narrower ones, and what must fit before a student is trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import (
    AlbertConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    BertConfig,
    DistilBertConfig,
    ModernBertConfig,
    MPNetConfig,
    RobertaConfig,
)

from workbench.errors import ModelError
from workbench.models.cutting import check_layers, cut_layers
from workbench.models.fitting import check_fits, estimate_training_mb
from workbench.models.narrowing import check_width, fitting_widths, narrow

SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 32,
}
IDS = torch.tensor([[2, 7, 8, 9, 3], [2, 10, 3, 1, 1]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
BOTH = (AutoModel, AutoModelForSequenceClassification)
FAMILIES = (BertConfig, RobertaConfig, MPNetConfig)


def model_of(config=BertConfig, kind=AutoModel, **more):
    """A random model whose norms and biases are no plain ones and zeros."""
    torch.manual_seed(0)
    model = kind.from_config(config(**{**SIZES, **more})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter += 0.3 * torch.randn_like(parameter)
    return model


def answers(model):
    """Logits, or the last hidden states."""
    with torch.no_grad():
        return model(input_ids=IDS, attention_mask=MASK)[0]


def alike(one, other):
    """Whether two models have the same weights by the same names."""
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("config", FAMILIES)
@pytest.mark.parametrize("kind", BOTH)
def test_a_cut_model_is_the_layers_that_were_named_run_one_after_the_other(config, kind):
    model = model_of(config, kind)
    student = cut_layers(model, [1, 3])
    assert type(student) is type(model)
    assert student.config.num_hidden_layers == 2
    encoder = (model if kind is AutoModel else model.base_model).encoder
    encoder.layer = torch.nn.ModuleList([encoder.layer[0], encoder.layer[2]])
    torch.testing.assert_close(answers(student), answers(model), atol=0, rtol=0)


def test_the_first_layers_give_the_hidden_states_of_the_deeper_model():
    model = model_of()
    with torch.no_grad():
        deep = model(input_ids=IDS, attention_mask=MASK, output_hidden_states=True).hidden_states
    for count in (1, 2, 3, 4):
        assert torch.equal(answers(cut_layers(model, range(1, count + 1))), deep[count])


def test_a_cut_model_shares_no_memory_with_the_one_it_came_from():
    model = model_of(id2label={0: "a", 1: "b", 2: "c"}, kind=AutoModelForSequenceClassification)
    before = answers(model)
    student = cut_layers(model, [2])
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.zero_()
    assert torch.equal(answers(model), before)
    assert model.config.num_hidden_layers == 4
    assert student.config.id2label == {0: "a", 1: "b", 2: "c"}


@pytest.mark.parametrize("smaller", [lambda model: cut_layers(model, [1, 4]), lambda model: narrow(model, 16)])
def test_a_smaller_model_is_as_precise_saves_and_loads_and_leaves_randomness_alone(smaller, tmp_path):
    model = model_of(kind=AutoModelForSequenceClassification, attn_implementation="eager").to(torch.bfloat16).train()
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    student = smaller(model)
    assert torch.equal(torch.rand(3), expected)
    assert student.dtype == torch.bfloat16
    assert student.training
    assert student.config._attn_implementation == "eager"
    student.eval().save_pretrained(tmp_path)
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert torch.equal(answers(again), answers(student))


@pytest.mark.parametrize("keep", [[0, 1], [5], [1, 6, 9], []])
def test_layers_that_do_not_exist_are_named(keep):
    with pytest.raises(ModelError) as caught:
        check_layers(BertConfig(**SIZES), keep)
    assert "the model has layers 1 to 4" in caught.value.would_be_right
    for layer in keep:
        assert (f"no layer {layer}" in str(caught.value)) == (layer == next(x for x in keep if not 1 <= x <= 4))
    with pytest.raises(ModelError):
        cut_layers(model_of(), keep)


@pytest.mark.parametrize("keep", [[2, 1], [1, 1]])
def test_layers_in_disorder_are_a_mistake_of_the_caller(keep):
    with pytest.raises(ValueError, match="ascend"):
        cut_layers(model_of(), keep)


def test_an_architecture_that_keeps_no_list_of_layers_is_refused():
    model = model_of(AlbertConfig, embedding_size=32)
    with pytest.raises(ModelError, match="layers of this albert were not found"):
        cut_layers(model, [1, 2])


def test_an_architecture_whose_layers_depend_on_their_place_is_refused_where_they_move():
    model = model_of(ModernBertConfig, pad_token_id=0, global_attn_every_n_layers=2)
    student = cut_layers(model, [1, 2])
    assert student.config.layer_types == model.config.layer_types[:2]
    with pytest.raises(ModelError, match="depend on their place"):
        cut_layers(model, [2, 3])


@pytest.mark.parametrize("config", FAMILIES)
@pytest.mark.parametrize("kind", BOTH)
def test_at_its_own_width_a_model_is_itself(config, kind):
    model = model_of(config, kind)
    assert alike(narrow(model, 32), model)


@pytest.mark.parametrize("config", FAMILIES)
@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("width", [8, 24])
def test_a_narrow_model_has_fewer_heads_of_the_same_length_and_finite_answers(config, kind, width):
    student = narrow(model_of(config, kind, num_labels=3), width)
    assert student.config.hidden_size == width
    assert student.config.num_attention_heads == width // 8
    assert student.config.intermediate_size == width * 48 // 32
    said = answers(student)
    assert said.shape == ((2, 5, width) if kind is AutoModel else (2, 3))
    assert torch.isfinite(said).all()
    answer = student(input_ids=IDS, attention_mask=MASK)[0].sum()
    answer.backward()


@pytest.mark.parametrize("config", FAMILIES)
def test_what_a_narrow_model_keeps_are_copies_of_one_set_of_dimensions(config):
    model = model_of(config)
    with torch.no_grad():  # dimensions 1, 5, 6 ... are made to matter
        kept = torch.tensor([1, 5, 6, 10, 11, 17, 20, 31])
        for name, parameter in model.named_parameters():
            if name.endswith("LayerNorm.weight"):
                parameter[kept] += 5
    student, wide = narrow(model, 8).state_dict(), model.state_dict()
    for name in wide:
        if "embeddings" in name or "LayerNorm" in name or name.endswith("output.dense.bias"):
            assert torch.equal(student[name], wide[name][..., kept]), name
    assert torch.equal(student["pooler.dense.weight"], wide["pooler.dense.weight"][kept][:, kept])


@pytest.mark.parametrize("config", FAMILIES)
def test_heads_and_units_that_do_nothing_go_first(config):
    model = model_of(config)
    shared = config is MPNetConfig
    with torch.no_grad():
        for place, layer in enumerate(model.encoder.layer):
            idle = 2 if shared else place
            output = layer.attention.attn.o if shared else layer.attention.output.dense
            output.weight[:, 8 * idle : 8 * idle + 8] = 0
            layer.output.dense.weight[:, place : place + 12] = 0
    student, wide = narrow(model, 24).state_dict(), model.state_dict()
    value, output = ("attn.v", "attn.o") if shared else ("self.value", "output.dense")
    for place in range(4):
        idle = 2 if shared else place
        heads = [head for head in range(32) if head // 8 != idle]
        units = [unit for unit in range(48) if not place <= unit < place + 12]
        name = f"encoder.layer.{place}."
        bias = f"{name}attention.{value}.bias"
        assert torch.equal(student[bias], wide[bias][heads])
        assert torch.equal(student[f"{name}intermediate.dense.bias"], wide[f"{name}intermediate.dense.bias"][units])
        hidden = columns_of(student["embeddings.word_embeddings.weight"], wide["embeddings.word_embeddings.weight"])
        for part, rows, columns in (
            (f"attention.{value}", heads, hidden),
            (f"attention.{output}", hidden, heads),
            ("intermediate.dense", units, hidden),
            ("output.dense", hidden, units),
        ):
            weight = f"{name}{part}.weight"
            assert torch.equal(student[weight], wide[weight][rows][:, columns]), weight
    if shared:
        bias = "encoder.relative_attention_bias.weight"
        assert torch.equal(student[bias], wide[bias][:, [0, 1, 3]])


def columns_of(part, whole):
    """Which columns of a matrix another one consists of."""
    return [next(place for place in range(whole.shape[1]) if torch.equal(column, whole[:, place])) for column in part.T]


def test_widths_that_cut_through_a_head_are_refused_with_those_that_fit():
    config = BertConfig(hidden_size=384, num_attention_heads=12)
    assert fitting_widths(config) == list(range(32, 385, 32))
    check_width(config, 192)
    for width, nearest in ((200, 192), (8, 32), (512, 384)):
        with pytest.raises(ModelError) as caught:
            check_width(config, width)
        assert f"narrowed to {width}" in caught.value.problem
        assert "32, 64, 96" in caught.value.would_be_right
        assert str(nearest) in caught.value.what_to_do
    with pytest.raises(ModelError, match="narrowed to 12"):
        narrow(model_of(), 12)


def test_an_architecture_whose_parts_are_not_known_is_not_narrowed_but_cut():
    model = AutoModel.from_config(DistilBertConfig(vocab_size=50, dim=32, n_layers=4, n_heads=4, hidden_dim=48)).eval()
    with pytest.raises(ModelError, match="distilbert"):
        narrow(model, 16)
    assert cut_layers(model, [1, 4]).config.num_hidden_layers == 2


def test_a_narrow_model_can_be_cut_and_a_cut_one_narrowed():
    model = model_of()
    assert answers(narrow(cut_layers(model, [1, 4]), 16)).shape == (2, 5, 16)
    assert answers(cut_layers(narrow(model, 16), [1, 4])).shape == (2, 5, 16)


def test_the_same_tokenizer_fits_and_every_difference_is_named(tiny_encoder: Path):
    text = (tiny_encoder / "tokenizer.json").read_text(encoding="utf-8")
    said = json.loads(text)
    check_fits(text, json.dumps({**said, "truncation": {"max_length": 8}, "padding": None}))
    vocabulary = {**said["model"]["vocab"], "fever": 1_000_000, "quite-new": 1_000_001}
    other = {**said, "model": {**said["model"], "vocab": vocabulary}, "normalizer": None, "added_tokens": []}
    with pytest.raises(ModelError) as caught:
        check_fits(text, json.dumps(other))
    assert len(caught.value.problems) == 3
    assert "2 tokens" in caught.value.problems[0]
    assert "'fever'" in caught.value.problems[0]
    assert "special tokens are not the same" in str(caught.value)
    other = {**said, "model": {**said["model"], "continuing_subword_prefix": "@@"}, "post_processor": None}
    with pytest.raises(ModelError, match="cut into tokens"):
        check_fits(json.dumps(other), text)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"model": 3}'])
def test_what_is_no_tokenizer_is_refused(text, tiny_encoder: Path):
    good = (tiny_encoder / "tokenizer.json").read_text(encoding="utf-8")
    with pytest.raises(ModelError, match=r"teacher's tokenizer\.json is no tokenizer"):
        check_fits(good, text)


def test_vocabularies_of_pairs_are_compared_too():
    one = {"model": {"type": "Unigram", "vocab": [["<s>", 0.0], ["a", -1.0], ["b", -2.0]]}}
    two = {"model": {"type": "Unigram", "vocab": [["<s>", 0.0], ["b", -2.0], ["a", -1.0]]}}
    check_fits(json.dumps(one), json.dumps(one))
    with pytest.raises(ModelError, match="2 tokens have another number"):
        check_fits(json.dumps(one), json.dumps(two))


def test_memory_without_texts_is_sixteen_bytes_a_trained_parameter_and_four_a_frozen_one():
    model = model_of()
    count = sum(parameter.numel() for parameter in model.parameters())
    assert estimate_training_mb(model, 0, 0) == pytest.approx(16 * count / 1e6)
    assert estimate_training_mb(model, 0, 0, trained_parameters=0) == pytest.approx(4 * count / 1e6)
    assert estimate_training_mb(model.config, 0, 0) == pytest.approx(16 * count / 1e6)


@pytest.mark.parametrize(("batch_size", "tokens"), [(16, 16), (4, 64)])
@pytest.mark.parametrize("middle", [128, 512])
def test_memory_of_a_step_is_near_what_autograd_keeps(batch_size, tokens, middle):
    sizes = {"hidden_size": 128, "intermediate_size": middle, "max_position_embeddings": 64, "num_hidden_layers": 3}
    model = model_of(attn_implementation="eager", **sizes).train()
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(input_ids=torch.full((batch_size, tokens), 5), attention_mask=torch.ones(batch_size, tokens))
    measured = sum(storage.nbytes() for place, storage in kept.items() if place not in weights) / 1e6
    step = estimate_training_mb(model, batch_size, tokens) - estimate_training_mb(model, 0, 0)
    assert 0.8 < step / measured < 1.3


@pytest.mark.slow
def test_minilm_is_cut_and_narrowed():
    from workbench.models.weights import find_weights

    folder = find_weights("sentence-transformers/all-MiniLM-L6-v2").folder
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        deep = model(input_ids=IDS, attention_mask=MASK, output_hidden_states=True).hidden_states
    assert torch.equal(answers(cut_layers(model, [1, 2, 3])), deep[3])
    assert alike(narrow(model, 384), model)
    student = narrow(cut_layers(model, [1, 3, 6]), 192)
    assert torch.isfinite(answers(student)).all()
    assert (student.config.num_attention_heads, student.config.intermediate_size) == (6, 768)
    with pytest.raises(ModelError, match="there is no layer 7"):
        cut_layers(model, [1, 7])
    text = (folder / "tokenizer.json").read_text(encoding="utf-8")
    check_fits(text, text)
    # 22.7 million parameters of 16 bytes, and a batch of short texts on top.
    assert 363 < estimate_training_mb(model, 32, 16) < 500
