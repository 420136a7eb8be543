"""A model with its papers, to hand over: a folder or a zip that stands without the run and without this package.

In it are the model, how to load it, the card, the notice of licences, the report and the numbers. Rows are not: neither
texts nor predictions. The same run gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench import storage
from workbench.errors import ModelError, RunError
from workbench.models.card import read_card
from workbench.releasing.card import finished
from workbench.reporting.card import origins
from workbench.reporting.evidence import Evidence, read_evidence
from workbench.runs.manifest import MANIFEST

PAPERS = ("README.md", "report.html", "metrics.json", "recommendation.json", MANIFEST)
RUN_MANIFEST = "run-manifest.json"
NEW_YEAR_1980 = (1980, 1, 1, 0, 0, 0)
OWN = "from pathlib import Path\nfrom workbench import models\nmodels.load(Path('model')).predict_proba(['a text'])"
LOADING = {
    "linear": (
        "NumPy",
        "import sys; sys.path.insert(0, 'model')\nfrom reader import load\nload('model').predict_proba(['a text'])",
    ),
    "static": (
        "model2vec",
        "from model2vec.inference import StaticModelPipeline\n"
        "model = StaticModelPipeline.from_pretrained('model')\nmodel.predict_proba(['a text'])",
    ),
    "transformer": (
        "transformers and torch",
        "from transformers import pipeline\nmodel = pipeline('text-classification', model='model')\nmodel('a text')",
    ),
    "onnx": (
        "numpy, onnxruntime and tokenizers",
        "import subprocess, sys\nsubprocess.run([sys.executable, 'model/predict.py', 'a text'], check=True)",
    ),
}


@dataclass(frozen=True)
class Exported:
    """A zip or folder, the names in it, and papers left out since they show texts of rows or are not there."""

    path: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...]


def export(run: Path, candidate: str, target: Path) -> Exported:
    """Put a candidate and its papers into a zip or a new folder.

    Args:
        run: Folder of a finished run.
        candidate: Name of a candidate whose model is kept.
        target: A name that ends in ``.zip`` (an earlier zip is replaced), or a folder that does not exist yet.

    Raises:
        RunError: The run is not done, a file was changed after the run, or the target exists or lies in the run.
        ModelError: The run keeps no such candidate, or it is a file of answers that reads no text.
    """
    finished(run)
    if target.resolve().is_relative_to(run.resolve()):
        raise RunError(
            f"'{target}' lies inside the run.", "A place outside: the run stays as it was.", "Choose another place."
        )
    evidence = read_evidence(run)
    kind = _kind(run, candidate)
    sources = _sources(run, candidate, evidence)
    files = {name: file.read_bytes() for name, file in sources.items()}
    _refuse_changed(run, sources, files)
    files["LOAD.md"] = _loading(evidence, candidate, kind).encode()
    files["NOTICE.txt"] = _notice(evidence, candidate).encode()
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    files[MANIFEST] = (json.dumps(digests, indent=1, sort_keys=True) + "\n").encode()
    if target.suffix.lower() == ".zip":
        storage.write_bytes(target, _zipped(f"{evidence.recipe.name}-{candidate}", files))
    else:
        with storage.commit_folder(target) as folder:
            for name, content in files.items():
                storage.write_bytes(folder / name, content)
    left_out = tuple(name for name in PAPERS if run / name not in sources.values())
    return Exported(target, tuple(sorted(files)), left_out)


def _kind(run: Path, candidate: str) -> str:
    folders = {file.parent.name: file.parent for file in (run / "models").glob("*/candidate.json")}
    if candidate not in folders:
        raise ModelError(
            f"This run keeps no candidate '{candidate}'.",
            f"One of: {', '.join(sorted(folders)) or '(none)'}",
            "Names are those of the comparison.",
        )
    inside = [str(read_card(file.parent)["kind"]) for file in sorted(folders[candidate].rglob("candidate.json"))]
    if "file" in inside:
        raise ModelError(
            f"'{candidate}' rests on a file of answers, which reads no text.",
            "A candidate that reads texts: a student, or the baseline.",
            "Export another one.",
        )
    return str(read_card(folders[candidate])["kind"])


def _sources(run: Path, candidate: str, evidence: Evidence) -> dict[str, Path]:
    """Name in the export to the run's file; the report stays where it shows texts."""
    model = run / "models" / candidate
    sources = {f"model/{file.relative_to(model).as_posix()}": file for file in model.rglob("*") if file.is_file()}
    for name in PAPERS:
        shows_texts = name == "report.html" and evidence.recipe.report.examples
        if (run / name).is_file() and not shows_texts:
            sources[RUN_MANIFEST if name == MANIFEST else name] = run / name
    hidden = [name for name in sources if any(part.startswith((".", "__")) for part in Path(name).parts)]
    return {name: file for name, file in sorted(sources.items()) if name not in hidden}


def _refuse_changed(run: Path, sources: Mapping[str, Path], files: Mapping[str, bytes]) -> None:
    listed = storage.read_json(run / MANIFEST) if (run / MANIFEST).is_file() else {}
    changed = [
        inside
        for name, file in sources.items()
        if (inside := file.relative_to(run).as_posix()) != MANIFEST
        and listed.get(inside) != hashlib.sha256(files[name]).hexdigest()
    ]
    if changed:
        raise RunError(
            f"Not as the run left it: {', '.join(changed)}.",
            "Files that agree with the run's manifest.json.",
            "Find out who changed them: workbench verify RUN",
        )


def _loading(evidence: Evidence, candidate: str, kind: str) -> str:
    needed, lines = LOADING.get(kind, ("specialist-workbench", OWN))
    told = [f"# How to load {candidate}", f"In this folder, with {needed} installed:", f"```python\n{lines}\n```"]
    if candidate != evidence.recommended:
        told.append(f"README.md describes the run, which recommends {evidence.recommended or 'no candidate'}.")
    told.append(
        "The order of the probabilities is that of `classes` in `model/candidate.json`. When a person should look is "
        "in `model/decision.json`, and is not applied by these lines."
    )
    return "\n\n".join(told) + "\n"


def _notice(evidence: Evidence, candidate: str) -> str:
    lines = [f"What {candidate} of {evidence.recipe.name} rests on.", "", *origins(evidence), ""]
    return "\n".join([*lines, "This folder holds no row of the data: neither texts nor predictions.", ""])


def _zipped(top: str, files: Mapping[str, bytes]) -> bytes:
    """A zip whose bytes depend on names and contents alone: stored, sorted, of one time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as packed:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{top}/{name}", NEW_YEAR_1980)
            entry.external_attr, entry.create_system = 0o100644 << 16, 3
            packed.writestr(entry, content)
    return buffer.getvalue()
