"""Classify texts with this folder, numpy, onnxruntime and tokenizers alone: python predict.py "a text" ["another"]."""

import json
import sys
from pathlib import Path

import numpy as np


def main(folder: Path, texts: list[str]) -> None:
    """Print the likeliest class of each text and its probability."""
    import onnxruntime
    import tokenizers

    card = json.loads((folder / "candidate.json").read_text(encoding="utf-8"))
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(card["max_tokens"])
    for text in texts:
        read = tokenizer.encode(text[: card["characters"]], add_special_tokens=card["special"]).ids
        kept = [one for one in read if one != card["unknown"]]
        ids = np.array([kept or [card["pad"]]], dtype=np.int64)
        logits = session.run(None, {"input_ids": ids, "attention_mask": np.full_like(ids, bool(kept))})[0][0]
        shares = np.exp(logits - np.logaddexp.reduce(logits))
        sys.stdout.write(f"{card['classes'][int(shares.argmax())]}\t{shares.max():.4f}\n")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent, sys.argv[1:])
