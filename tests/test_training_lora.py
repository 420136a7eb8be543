"""LoRA: what it is attached to, that merging changes nothing, and that what is saved names no path."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from workbench.errors import ModelError
from workbench.recipe import Tuning
from workbench.training.lora import attach, count_parameters, load_adapter, merge, save_adapter

torch = pytest.importorskip("torch", reason="the extra train is not installed")
transformers = pytest.importorskip("transformers", reason="the extra train is not installed")
peft = pytest.importorskip("peft", reason="the extra train is not installed")

SHA256 = "ab" * 32
IDS = torch.tensor([[3, 20, 21, 4, 0], [3, 22, 23, 24, 4]])
MASK = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]])


@pytest.fixture
def bert(tiny_encoder):
    return transformers.AutoModel.from_pretrained(tiny_encoder, dtype=torch.float32).eval()


def mpnet():
    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    return transformers.MPNetModel(transformers.MPNetConfig(vocab_size=60, **sizes)).eval()


@pytest.fixture(params=["bert", "mpnet"])
def encoder(request):
    return request.getfixturevalue("bert") if request.param == "bert" else mpnet()


def outputs(encoder):
    with torch.no_grad():
        return encoder(input_ids=IDS, attention_mask=MASK).last_hidden_state


def trained(module, steps=3):
    """Take a few steps away from the beginning, in training mode."""
    optimiser = torch.optim.AdamW([one for one in module.parameters() if one.requires_grad], lr=0.05)
    module.train()
    for _ in range(steps):
        hidden = module(input_ids=IDS, attention_mask=MASK).last_hidden_state
        (hidden - torch.linspace(-1, 1, 32)).square().mean().backward()
        optimiser.step()
        optimiser.zero_grad()
    return module.eval()


def updated_layers(module):
    return sorted({name.partition(".lora_A")[0] for name, _ in module.named_parameters() if ".lora_A" in name})


def test_query_and_value_of_attention_are_found_where_no_targets_are_given(encoder):
    last = {"BertModel": ["query", "value"], "MPNetModel": ["q", "v"]}[type(encoder).__name__]
    layers = updated_layers(attach(encoder, Tuning(), seed=0))
    assert len(layers) == 4
    assert sorted({name.rpartition(".")[2] for name in layers}) == last


def test_only_the_updates_want_gradients_and_they_begin_as_nothing(encoder):
    before = outputs(encoder)
    module = attach(encoder, Tuning(rank=4), seed=0)
    assert torch.equal(outputs(module), before)
    wanting = [name for name, one in module.named_parameters() if one.requires_grad]
    assert wanting
    assert all(".lora_A." in name or ".lora_B." in name for name in wanting)
    counted = count_parameters(module)
    assert counted.trained == 2 * 2 * 4 * (32 + 32)
    assert counted.total == counted.trained + count_parameters(merge(module)).total
    assert counted.sentence.startswith(f"1,024 of {counted.total:,} parameters are trained (")


def test_the_scale_multiplies_the_update_whatever_the_rank(bert):
    for rank in (2, 8):
        module = attach(copy.deepcopy(bert), Tuning(rank=rank, lora_scale=3.0), seed=0)
        layer = module.base_model.model.encoder.layer[0].attention.self.query
        assert layer.scaling["default"] == 3.0
        assert tuple(layer.lora_A["default"].weight.shape) == (rank, 32)


def test_targets_may_be_last_names_or_more_of_them_and_the_pooler_is_left_out(bert):
    module = attach(bert, Tuning(targets=("attention.output.dense", "key")), seed=0)
    names = [name.partition("encoder.")[2] for name in updated_layers(module)]
    assert names == sorted(
        f"layer.{layer}.attention.{name}" for layer in (0, 1) for name in ("output.dense", "self.key")
    )


def test_the_pooler_is_left_out(bert):
    layers = updated_layers(attach(bert, Tuning(targets=("dense",)), seed=0))
    assert len(layers) == 6
    assert not [name for name in layers if "pooler" in name]


def test_the_same_seed_gives_the_same_beginning_and_the_global_generator_goes_on_untouched(bert):
    def beginning(seed):
        module = attach(copy.deepcopy(bert), Tuning(), seed=seed)
        return {name: one.detach() for name, one in module.named_parameters() if one.requires_grad}

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = beginning(1)
    assert torch.equal(torch.rand(3), expected)
    second, other = beginning(1), beginning(2)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def refused(encoder, **settings):
    with pytest.raises(ModelError) as error:
        attach(encoder, Tuning(**settings), seed=0)
    assert error.value.would_be_right
    assert error.value.what_to_do
    return error.value


def test_a_target_that_matches_nothing_is_refused_with_the_names_there_are(bert):
    error = refused(bert, targets=("querry", "value"))
    assert error.problem == "The target 'querry' matches no linear layer. Did you mean 'query'?"
    assert error.would_be_right == "Names of linear layers of this model: dense, key, query, value."
    assert not any("lora" in name for name, _ in bert.named_parameters()), "nothing was changed"


def test_all_targets_that_match_nothing_are_told_together(bert):
    error = refused(bert, targets=("q_proj", "LayerNorm", "uery", "value"))
    assert len(error.problems) == 3
    assert "BertModel" in error.problem
    assert "'q_proj'" in error.problems[0]
    assert "'LayerNorm'" in error.problems[1]
    assert error.problems[2].endswith("Did you mean 'query'?"), "a part of a name is not a name"


def test_a_model_without_known_attention_needs_targets():
    odd = torch.nn.Sequential(torch.nn.Linear(4, 4))
    assert "targets is empty" in refused(odd).problem
    assert "it has none" in refused(torch.nn.Sequential(torch.nn.ReLU())).would_be_right


def test_a_rank_above_a_layers_width_is_refused(bert):
    error = refused(bert, rank=33)
    assert "rank is 33" in error.problem
    assert "32 inputs and 32 outputs" in error.problem
    assert "from 1 to 32" in error.would_be_right
    attach(bert, Tuning(rank=32), seed=0)


def test_merging_gives_the_plain_encoder_with_the_same_outputs(encoder, tmp_path):
    start, kind = outputs(encoder), type(encoder)
    names = sorted(encoder.state_dict())
    module = trained(attach(encoder, Tuning(rank=4), seed=0))
    expected = outputs(module)
    assert (expected - start).abs().max() > 0.01, "it was trained"
    plain = merge(module).eval()
    assert (outputs(plain) - expected).abs().max() <= 1e-5
    assert type(plain) is kind
    assert not [type(one) for one in plain.modules() if type(one).__module__.startswith("peft")]
    assert sorted(plain.state_dict()) == names
    assert all(one.requires_grad for one in plain.parameters())
    plain.save_pretrained(tmp_path / "saved")
    assert not list((tmp_path / "saved").glob("adapter*"))
    again = transformers.AutoModel.from_pretrained(tmp_path / "saved", dtype=torch.float32).eval()
    assert torch.equal(outputs(again), outputs(plain))


def test_a_merged_encoder_can_get_updates_again(bert):
    plain = merge(trained(attach(bert, Tuning(), seed=0)))
    assert len(updated_layers(attach(plain, Tuning(), seed=1))) == 4


def test_updates_with_nan_are_not_merged(bert):
    module = attach(bert, Tuning(), seed=0)
    for name, one in module.named_parameters():
        if "lora_B" in name:
            torch.nn.init.constant_(one, float("nan"))
    with pytest.raises(ModelError, match="cannot be merged") as error:
        merge(module)
    assert "learning_rate" in error.value.what_to_do


def test_an_adapter_and_its_base_reload_to_the_same_outputs(encoder, tmp_path):
    base = copy.deepcopy(encoder)
    module = trained(attach(encoder, Tuning(rank=4), seed=0))
    save_adapter(module, tmp_path / "adapter", base="someone/tiny", base_sha256=SHA256)
    expected = outputs(module)
    torch.manual_seed(7)
    drawn = torch.rand(2)
    torch.manual_seed(7)
    again = load_adapter(copy.deepcopy(base), tmp_path / "adapter", base_sha256=SHA256).eval()
    assert torch.equal(torch.rand(2), drawn)
    assert torch.equal(outputs(again), expected)
    assert (outputs(merge(again)) - expected).abs().max() <= 1e-5
    theirs = peft.PeftModel.from_pretrained(base, str(tmp_path / "adapter")).eval()
    assert torch.equal(outputs(theirs), expected)


def test_what_is_saved_is_small_and_names_no_path_of_this_machine(bert, tiny_encoder, tmp_path):
    module = trained(attach(bert, Tuning(rank=4), seed=0))
    assert str(tiny_encoder) in json.dumps(module.peft_config["default"].base_model_name_or_path), "peft's own habit"
    folder = tmp_path / "adapter"
    save_adapter(module, folder, base="someone/tiny", base_sha256=SHA256)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(files) == ["adapter_config.json", "adapter_model.safetensors", "base.json"]
    assert not [name for name, content in files.items() if str(tiny_encoder.parent).encode() in content]
    config = json.loads(files["adapter_config.json"])
    assert config["base_model_name_or_path"] == "someone/tiny"
    assert (config["r"], config["lora_alpha"], config["inference_mode"]) == (4, 8, True)
    assert json.loads(files["base.json"]) == {"name": "someone/tiny", "sha256": SHA256}
    assert len(files["adapter_model.safetensors"]) < 4 * 1024 + 2000
    save_adapter(module, folder, base="someone/tiny", base_sha256=SHA256)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files, "the same bytes again"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("sentence-transformers/all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"),
        ("tiny", "tiny"),
        ("/srv/models/tiny", "tiny"),
        ("./models/tiny/", "tiny"),
        ("~/tiny", "tiny"),
        ("models/for/tiny", "tiny"),
        ("C:\\models\\tiny", "tiny"),
    ],
)
def test_of_a_path_only_the_last_part_is_kept(bert, tmp_path, given, kept):
    module = attach(bert, Tuning(rank=1), seed=0)
    save_adapter(module, tmp_path / "adapter", base=given, base_sha256=SHA256)
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == kept


def test_an_adapter_of_another_base_is_refused(bert, tmp_path):
    save_adapter(attach(bert, Tuning(), seed=0), tmp_path / "adapter", base="someone/tiny", base_sha256=SHA256)
    with pytest.raises(ModelError, match="abababababab…, not cdcdcdcdcdcd…") as error:
        load_adapter(mpnet(), tmp_path / "adapter", base_sha256="cd" * 32)
    assert "someone/tiny" in error.value.would_be_right
    assert error.value.what_to_do


@pytest.mark.filterwarnings("error")
def test_attaching_and_loading_say_nothing_that_nobody_can_act_on(bert, tmp_path):
    base = copy.deepcopy(bert)
    save_adapter(attach(bert, Tuning(), seed=0), tmp_path / "adapter", base="someone/tiny", base_sha256=SHA256)
    merge(load_adapter(base, tmp_path / "adapter", base_sha256=SHA256))


def test_hidden_states_and_attentions_can_be_asked_for_as_of_the_encoder(bert):
    module = attach(bert, Tuning(), seed=0)
    found = module(input_ids=IDS, attention_mask=MASK, output_hidden_states=True)
    assert len(found.hidden_states) == 3
    np.testing.assert_array_equal(found.hidden_states[-1].detach(), found.last_hidden_state.detach())
