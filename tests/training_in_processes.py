"""Trains one small network as one of several processes; run by torch's launcher in a test."""

from __future__ import annotations

import sys
from pathlib import Path


def main(encoder: Path, place: Path) -> None:
    """Train and write this process's weights, and how many processes there were."""
    import numpy as np
    import pyarrow as pa
    import torch
    from safetensors.torch import save_file

    from training_to_kill import CLASSES, phrases_of
    from workbench.data.table import Labelled
    from workbench.models.tokens import open_tokenizer
    from workbench.models.transformer import open_classifier
    from workbench.models.weights import check_folder
    from workbench.recipe import Tuning
    from workbench.training.engine import train
    from workbench.training.finetuning import labelled_examples
    from workbench.training.networks import SequenceNetwork
    from workbench.training.places import find_place

    torch.set_num_threads(1)
    texts, labels = phrases_of(99)
    rows = Labelled(np.arange(99), pa.array(texts, pa.large_string()), labels, None, {})
    examples = labelled_examples(open_tokenizer(encoder / "tokenizer.json", 64), rows, 3)
    torch.manual_seed(1)
    network = SequenceNetwork(open_classifier(check_folder(encoder), CLASSES).requires_grad_(True))
    settings = Tuning(epochs=2, batch_size=16, learning_rate=1e-3, dropout=0.0, precision="fp32", patience=1)
    train(network, examples, settings, validation=examples, seed=2)
    here = find_place()
    save_file(network.state_dict(), place / f"{here.index}-of-{here.processes}.safetensors")
    if here.processes > 1:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
