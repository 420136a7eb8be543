"""LoRA: low-rank updates of an encoder's linear layers, merged into it once they are trained.

peft does the work; here its settings are checked against the model before anything is trained, its beginning is
made a function of a seed, and what it saves is freed of paths of this machine. The head over the encoder is no part
of this: it is trained and saved with whatever network the encoder stands in.

Source of the method: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (2021), arXiv:2106.09685.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import storage
from workbench.errors import ModelError
from workbench.models.tokens import need
from workbench.recipe import Tuning

ADAPTER, CONFIG, BASE = "adapter_model.safetensors", "adapter_config.json", "base.json"
NEEDED_FOR = "training with LoRA"
DEFAULTS = (("query", "value"), ("q", "v"), ("q_lin", "v_lin"), ("q_proj", "v_proj"), ("query_proj", "value_proj"))
"""Names of the query and value layers of attention: BERT and RoBERTa; MPNet; DistilBERT; newer ones; DeBERTa."""


@dataclass(frozen=True)
class Parameters:
    """How many parameters a module has, and how many of them are trained."""

    trained: int
    total: int

    @property
    def sentence(self) -> str:
        """The two numbers and their ratio, for a person."""
        share = 100 * self.trained / max(self.total, 1)
        return f"{self.trained:,} of {self.total:,} parameters are trained ({share:.2g} %)."


def attach(encoder: Any, settings: Tuning, *, seed: int) -> Any:
    """Freeze an encoder and give some of its linear layers low-rank updates, which begin as nothing.

    Until the first step the outputs stay the encoder's own. The global random generators are left as they were.

    Args:
        encoder: What ``AutoModel`` gives, without adapters; it is changed in place.
        settings: ``rank``, ``lora_scale`` and ``targets`` are read: names of linear layers, the last part or more of
            them (``dense``, ``attention.output.dense``); query and value of attention where empty. A pooler is
            left out, since nothing here uses it.
        seed: Of the updates' first factor.

    Returns:
        A ``peft.PeftModel`` that is called as the encoder is; only its updates want gradients.

    Raises:
        ModelError: A target matches no linear layer, or the rank is above a layer's width.
        MissingExtraError: torch or peft is not installed.
    """
    peft = need("peft", NEEDED_FOR)
    config = peft.LoraConfig(
        task_type=peft.TaskType.FEATURE_EXTRACTION,
        r=settings.rank,
        lora_alpha=settings.rank * settings.lora_scale,
        lora_dropout=0.0,
        bias="none",
        target_modules=_chosen(encoder, settings),
    )
    with _seeded_and_quiet(seed):
        return peft.get_peft_model(encoder, config)


def merge(module: Any) -> Any:
    """Add the trained updates to the layers they belong to.

    Args:
        module: What :func:`attach` or :func:`load_adapter` gave; not to be used any more.

    Returns:
        The plain encoder, without anything of peft's in it; all its parameters can be trained again.

    Raises:
        ModelError: The updates hold NaN or infinities.
    """
    try:
        encoder = module.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise ModelError(
            f"The trained LoRA updates cannot be merged: {error}",
            "Updates of finite numbers.",
            "Train again with a lower learning_rate or lora_scale.",
        ) from error
    return encoder.requires_grad_(True)


def save_adapter(module: Any, folder: Path, *, base: str, base_sha256: str) -> None:
    """Save the updates alone, as peft reads them: a few hundred kB that belong to one base.

    Args:
        module: What :func:`attach` gave, before it is merged.
        folder: Where to; it appears whole, in the place of an earlier one.
        base: Public name of the encoder; of a path only the last part is kept.
        base_sha256: Digest of the encoder's weights, 64 hex digits, kept in ``base.json``.

    Raises:
        RunError: The system refused.
    """
    peft, tensors = need("peft", NEEDED_FOR), need("safetensors.torch", NEEDED_FOR)
    name = _public(base)
    values = module.peft_config["default"].to_dict()
    values |= {"base_model_name_or_path": name, "inference_mode": True}
    config = {key: sorted(value) if isinstance(value, set) else value for key, value in values.items()}
    updates = peft.get_peft_model_state_dict(module, save_embedding_layers=False)
    plain = {key: updates[key].detach().cpu().contiguous() for key in sorted(updates)}
    with storage.commit_folder(folder, replace=True) as made:
        storage.write_bytes(made / ADAPTER, tensors.save(plain, metadata={"format": "pt"}))
        storage.write_json(made / CONFIG, config)
        storage.write_json(made / BASE, {"name": name, "sha256": base_sha256})


def load_adapter(encoder: Any, folder: Path, *, base_sha256: str) -> Any:
    """Put saved updates on the encoder they were trained on.

    Args:
        encoder: The base, as ``AutoModel`` gives it; it is changed in place.
        folder: What :func:`save_adapter` wrote.
        base_sha256: Digest of the encoder's weights.

    Returns:
        A ``peft.PeftModel`` for :func:`merge`, nothing of which wants gradients.

    Raises:
        ModelError: They were trained on another base.
        RunError: ``base.json`` is missing or not readable.
    """
    peft = need("peft", NEEDED_FOR)
    base = storage.read_json(folder / BASE)
    if base["sha256"] != base_sha256:
        raise ModelError(
            f"The adapter {folder} was trained on weights of SHA-256 {base['sha256'][:12]}…, not {base_sha256[:12]}….",
            f"The weights of {base['name']} with that digest.",
            "Give that base, or train the adapter again on this one.",
        )
    with _seeded_and_quiet(0):
        return peft.PeftModel.from_pretrained(encoder, str(folder)).requires_grad_(False)


def count_parameters(module: Any) -> Parameters:
    """Count a module's parameters and those of them that want gradients; what is shared counts once."""
    sizes = [(one.numel(), one.requires_grad) for one in module.parameters()]
    return Parameters(sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes))


def _chosen(encoder: Any, settings: Tuning) -> list[str]:
    """Full names of the linear layers that get updates."""
    layers = _linear_layers(encoder)
    targets = settings.targets or _default_targets(layers)
    found = {target: [name for name in layers if f".{name}".endswith(f".{target}")] for target in targets}
    names = sorted({name.rpartition(".")[2] for name in layers})
    unknown = [_unknown(target, names) for target in targets if not found[target]]
    if unknown or not targets:
        raise ModelError(
            unknown[0] if len(unknown) == 1 else _said_together(encoder, targets),
            f"Names of linear layers of this model: {', '.join(names) or 'it has none'}.",
            "Change targets in the recipe, or leave it empty where the model's attention has a usual name.",
            problems=unknown,
        )
    chosen = [name for name in layers if any(name in matched for matched in found.values())]
    narrowest = min(chosen, key=lambda name: min(layers[name]))
    if settings.rank > min(layers[narrowest]):
        inputs, outputs = layers[narrowest]
        raise ModelError(
            f"rank is {settings.rank}, but layer {narrowest} has {inputs} inputs and {outputs} outputs.",
            f"A rank from 1 to {min(layers[narrowest])}; 8 or 16 is usual.",
            "Lower rank in the recipe, or leave that layer out of targets.",
        )
    return chosen


def _linear_layers(encoder: Any) -> dict[str, tuple[int, int]]:
    """Inputs and outputs of every linear layer outside a pooler, by its full name."""
    torch = need("torch", NEEDED_FOR)
    return {
        name: (module.in_features, module.out_features)
        for name, module in encoder.named_modules()
        if isinstance(module, torch.nn.Linear) and "pooler" not in name.split(".")
    }


def _default_targets(layers: dict[str, tuple[int, int]]) -> tuple[str, ...]:
    """The first pair of known names that both stand in attention; nothing where none does."""
    inside = {name.rpartition(".")[2] for name in layers if re.search(r"att(ention|n)", name)}
    return next((pair for pair in DEFAULTS if set(pair) <= inside), ())


def _unknown(target: str, names: list[str]) -> str:
    """Say that a target matches nothing, and which name is nearest."""
    near = difflib.get_close_matches(target.rpartition(".")[2], names, n=1, cutoff=0.5)
    return f"The target '{target}' matches no linear layer." + (f" Did you mean '{near[0]}'?" if near else "")


def _said_together(encoder: Any, targets: tuple[str, ...]) -> str:
    """Say what is wrong when it is more than one target, or that there is no usual one."""
    kind = type(encoder).__name__
    if targets:
        return f"Several targets match no linear layer of this model ({kind})."
    return f"targets is empty, and the attention of this model ({kind}) has no query and value under a known name."


def _public(base: str) -> str:
    """A name as it is, of a path its last part: where a folder lies on this machine is nobody's business."""
    parts = [part for part in re.split(r"[\\/]", base) if part]
    is_path = "\\" in base or base.startswith(("/", ".", "~")) or len(parts) > 2
    return parts[-1] if is_path and parts else base


@contextmanager
def _seeded_and_quiet(seed: int) -> Iterator[None]:
    """Let torch draw from a seed inside the block and go on where it was after it; without peft's use of old names."""
    torch = need("torch", NEEDED_FOR)
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        torch.manual_seed(seed)
        yield
