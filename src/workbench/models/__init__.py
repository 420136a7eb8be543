"""What a candidate is, and where weights come from. Importing this needs no torch."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import ModelError
from workbench.models.candidate import Candidate
from workbench.models.card import read_card
from workbench.models.weights import Weights, find_weights

__all__ = ["Candidate", "Weights", "find_weights", "load"]


def load(folder: Path) -> Candidate:
    """Load a candidate of any kind.

    Args:
        folder: What a candidate's ``save`` wrote.

    Raises:
        ModelError: The folder holds no candidate, or one of a kind that this version does not know.
        MissingExtraError: A package that it needs is not installed.
    """
    kind = read_card(folder)["kind"]
    if kind == "linear":
        from workbench.models.linear import LinearCandidate

        return LinearCandidate.load(folder)
    if kind == "static":
        from workbench.models.static import StaticCandidate

        return StaticCandidate.load(folder)
    if kind == "head":
        from workbench.models.head import HeadCandidate

        return HeadCandidate.load(folder)
    if kind == "transformer":
        from workbench.models.transformer import TransformerCandidate

        return TransformerCandidate.load(folder)
    if kind == "onnx":
        from workbench.models.onnx import OnnxCandidate

        return OnnxCandidate.load(folder)
    if kind == "ensemble":
        from workbench.models.ensemble import EnsembleCandidate

        return EnsembleCandidate.load(folder)
    if kind == "file":
        from workbench.models.targets_file import TargetsFile

        return TargetsFile.load(folder)
    raise ModelError(
        f"{folder} holds a candidate of the kind '{kind}'.",
        "One of: linear, static, head, transformer, onnx, ensemble, file.",
        "Update the package: pip install --upgrade specialist-workbench",
    )
