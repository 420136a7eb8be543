"""What every test stands on: no network, quiet libraries, and the command line as a function."""

from __future__ import annotations

import json
import os
import pickle
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

os.environ.update(
    {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "CODECARBON_LOG_LEVEL": "error",
    }
)
if os.environ.get("PYTEST_XDIST_WORKER"):  # several workers share the cores: one thread each, instead of all for all
    os.environ.setdefault("OMP_NUM_THREADS", "1")
LOOPBACK = ("127.", "::1", "localhost")
_connect = socket.socket.connect


def _only_loopback(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(LOOPBACK):
        raise OSError(f"a test tried to reach {address[0]}: tests use no network")
    _connect(self, address)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _only_loopback)


@dataclass(frozen=True)
class Answer:
    """What the command line said, and its exit status."""

    status: int
    out: str
    told: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.out)


@pytest.fixture
def workbench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """The program ``workbench``, called in this process."""

    def call(*arguments: object) -> Answer:
        from workbench.cli import main

        monkeypatch.setattr("sys.argv", ["workbench", *map(str, arguments)])
        for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
            monkeypatch.setenv(name, "1")
        capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = capsys.readouterr()
        return Answer(status, said.out, said.err)

    return call


WORDS = (
    "fracture of the left right arm leg wrist burn fever infection virus bacterial acute chronic heart valve failure "
    "lung asthma cough skin rash ulcer open wound pain type unspecified other initial encounter with without and"
).split()
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,-()"


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real BERT of two layers and 32 dimensions with random weights, and its own WordPiece tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny-bert"
    special = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens = [*special, *LETTERS, *(f"##{letter}" for letter in LETTERS), *sorted(set(WORDS) - set(LETTERS))]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106  (no password)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    )
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **names).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def phrases() -> tuple[list[str], np.ndarray]:
    """Phrases of our own in three classes (injury, infection, heart and lung), and their classes."""
    random = np.random.default_rng(0)
    topics = (
        ["fracture", "arm", "leg", "wrist", "burn", "open wound"],
        ["fever", "infection", "virus", "bacterial", "rash", "ulcer"],
        ["heart", "valve", "failure", "lung", "asthma", "cough"],
    )
    labels = np.arange(240, dtype=np.int32) % 3
    fillers = ["acute", "chronic", "of the", "left", "right", "unspecified", "other", "with pain"]
    texts = [" ".join([*random.choice(fillers, 2), *random.choice(topics[label], 2)]) for label in labels]
    return texts, labels


@pytest.fixture(scope="session")
def made_run(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, list[Any]]:
    """Recipe, run and events of a real run of tickets with two students, done; ``runs`` stands beside the recipe.

    It is shared by all tests, those of other pytest workers too: one that changes something copies the run, or the
    whole place.
    """
    import workbench as wb

    base = tmp_path_factory.getbasetemp()
    place = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "made-run"
    kept = place / "events.pickle"
    with FileLock(f"{place}.lock"):
        if not kept.exists():
            place.mkdir()
            kept.write_bytes(pickle.dumps(_make_run(place, tiny_encoder)))
    path, events = pickle.loads(kept.read_bytes())  # noqa: S301 (another worker's, or this one's)
    return place / "tickets.yaml", wb.Run(path), events


def _make_run(place: Path, tiny_encoder: Path) -> tuple[Path, list[Any]]:
    """Write table and recipe, and run it: its folder and events."""
    import workbench as wb
    from small_table import recipe_values, tickets
    from workbench import recipe as recipes
    from workbench.evaluation import measurement

    events = list[Any]()
    students = [
        {"name": "linear", "kind": "linear", "buckets": 4096},
        {"name": "static", "kind": "static", "dimensions": 16},
    ]
    values = recipe_values(tiny_encoder, students=students, distillation={"smoothing": {"neighbours": 5, "steps": 2}})
    tickets(700).to_csv(place / "tickets.csv", index=False)
    file = place / "tickets.yaml"
    file.write_text(recipes.to_yaml(recipes.from_values(values)), encoding="utf-8")
    little = partial(measurement.Effort, calls=40, seconds=0.3, repeats=3, repeat_seconds=0.05)
    with pytest.MonkeyPatch.context() as patched:  # as real a measurement as any, with wider bounds
        patched.setattr(measurement, "Effort", little)
        return wb.run(file, runs=place / "runs", listener=events.append).path, events


@pytest.fixture(scope="session")
def finished_run(made_run: tuple[Path, Any, list[Any]]) -> Path:
    """Folder of the shared run."""
    return Path(made_run[1].path)
