"""Files of an installed package, found without importing it.

Importing would run the package's code and could take seconds; a reader only needs its files.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import DataError


@dataclass(frozen=True)
class DataPackage:
    """A package that carries data, in the version its reader was written for.

    Attributes:
        name: Name that pip knows.
        module: Folder in site-packages that holds the files.
        version: Version that the reader was tested with.
    """

    name: str
    module: str
    version: str

    def folder(self) -> Path:
        """Folder of the installed package.

        Raises:
            DataError: If the package is not installed.
        """
        found = importlib.util.find_spec(self.module)
        places = list(found.submodule_search_locations or []) if found else []
        if not places:
            raise DataError(
                f"The package {self.name} is not installed, and the recipe's data come from it.",
                f"{self.name}=={self.version} in the same environment as the workbench.",
                f"Run: pip install {self.name}=={self.version}",
            )
        return Path(places[0])

    def installed_version(self) -> str:
        """Version that is installed, or ``unknown`` where its metadata are missing."""
        try:
            return importlib.metadata.version(self.name)
        except importlib.metadata.PackageNotFoundError:
            return "unknown"

    def version_notes(self) -> list[str]:
        """A sentence when the installed version is not the tested one."""
        found = self.installed_version()
        if found == self.version:
            return []
        return [f"Read from {self.name} {found}; the reader was tested with {self.version}, so counts may differ."]

    def one_file(self, pattern: str) -> Path:
        """The newest file of the package that fits a pattern.

        Args:
            pattern: Glob below the package's folder.

        Raises:
            DataError: If no file fits.
        """
        fitting = sorted(self.folder().glob(pattern))
        if not fitting:
            raise DataError(
                f"The installed package {self.name} ({self.installed_version()}) has no file {pattern}.",
                f"{self.name}=={self.version}, which the reader was written for.",
                f"Run: pip install {self.name}=={self.version}",
            )
        return fitting[-1]
