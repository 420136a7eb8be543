"""What the Guide stands on: a recipe's file and the runs made of it, both on disk, nothing else.

A kernel that is restarted, or a notebook opened next week, finds everything here again. Two Guides may stand on one
desk: a recipe that was changed elsewhere meanwhile is never overwritten unseen, and a run has a lock of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench import recipe as recipes
from workbench import storage
from workbench.errors import RecipeError, RunError
from workbench.recipe import Located, Recipe
from workbench.runs import RunFolder, all_runs
from workbench.runs.folder import LOCK_FILE

OWN = "guide"


@dataclass(frozen=True)
class RunAt:
    """A run of the desk's recipe, and how it stands.

    Attributes:
        path: Its folder.
        status: ``running`` (a living process is at work), ``cut off`` (its process is gone), ``stopped``, ``failed``
            or ``done``.
        created: When it began, ISO 8601 in UTC.
    """

    path: Path
    status: str
    created: str


@dataclass(frozen=True)
class Kept:
    """A recipe that was chosen before.

    Attributes:
        file: The recipe's file.
        run: The newest run of it as it stands; ``None`` where there is none, or the file has problems.
    """

    file: Path
    run: RunAt | None


class Desk:
    """A recipe's file and its runs.

    Attributes:
        runs: Folder of all runs.
        home: Folder of the recipes that the Guide writes, each in a folder of its own.
        file: The recipe's file; ``None`` where nothing was chosen yet.
    """

    def __init__(self, runs: str | Path = "runs", recipe: str | Path | None = None) -> None:
        """Open the desk where it was left.

        Args:
            runs: Folder of all runs; nothing is made before something is chosen.
            recipe: A recipe's file; the newest one below ``runs/guide`` when ``None``.
        """
        self.runs = Path(runs)
        self.home = self.runs / OWN
        self.file = Path(recipe) if recipe is not None else self._newest()
        self._watchers: list[Callable[[], None]] = []

    def _newest(self) -> Path | None:
        found = [(file.stat().st_mtime, str(file), file) for file in self.home.glob("*/*.yaml")]
        return max(found)[2] if found else None

    def watch(self, changed: Callable[[], None]) -> None:
        """Call somebody whenever another recipe was chosen, or the recipe was written."""
        self._watchers.append(changed)

    def choose(self, file: Path) -> None:
        """Take another recipe's file."""
        self.file = file
        self._tell()

    def earlier(self) -> list[Kept]:
        """Recipes that the Guide wrote, the newest first."""
        runs = all_runs(self.runs) if self.home.is_dir() else []
        files = sorted(self.home.glob("*/*.yaml"), key=lambda file: -file.stat().st_mtime)
        return [Kept(file, _newest_run(file, runs)) for file in files]

    def go_on(self, file: Path) -> Path:
        """Take a recipe that stands already; of the Guide's own it becomes the newest, so that it is found again."""
        if self.home in file.parents:
            storage.write_text(file, file.read_text(encoding="utf-8"))
        self.choose(file)
        return file

    def use_shipped(self, name: str) -> Path:
        """Take a shipped recipe: a copy to change, or the copy that was made of it before.

        Raises:
            RecipeError: There is no recipe of that name.
        """
        from workbench.projects import shipped_project

        return self.go_on(shipped_project(self.home, name))

    def keep_upload(self, name: str, content: bytes) -> Path:
        """Keep a table that has no file of its own, so that another process can read it; the same one only once."""
        from workbench.projects import keep_table

        return keep_table(self.home, name, content)

    def use_table(
        self, table: Path, *, text: str, label: str, country: str, group: str | None = None, encoding: str | None = None
    ) -> Path:
        """Take a table with the columns named: its recipe of before where there is one, else a proposed one.

        Raises:
            DataError: The table cannot be read.
        """
        from workbench.projects import table_project

        chosen = {"text": text, "label": label, "country": country}
        return self.go_on(table_project(self.home, table, **chosen, group=group, encoding=encoding))

    @property
    def text(self) -> str:
        """The recipe's file as it stands.

        Raises:
            RunError: Nothing was chosen, or the file is gone.
        """
        return self._file().read_text(encoding="utf-8")

    @property
    def located(self) -> Located:
        """The recipe with the folder its paths start from.

        Raises:
            RecipeError: The file has problems.
            RunError: Nothing was chosen, or the file is gone.
        """
        return recipes.read(self._file())

    @property
    def recipe(self) -> Recipe:
        """The recipe, defaults filled in."""
        return self.located.recipe

    def write(self, text: str, seen: str) -> None:
        """Replace the recipe's text, comments included.

        Args:
            text: The new text; it is checked first.
            seen: The text that the writer had before its eyes.

        Raises:
            RecipeError: The new text has problems; nothing is written.
            RunError: The file was changed meanwhile, by another Guide or an editor; nothing is written.
        """
        file = self._file()
        recipes.parse(text, file.name)
        if self.text != seen:
            raise RunError(
                f"'{file.name}' was changed elsewhere meanwhile, by another Guide or an editor.",
                "The recipe as it stands now, with your change made again.",
                "It is shown anew; look at it, and repeat your change.",
            )
        storage.write_text(file, text)
        self._tell()

    def all_runs(self) -> list[RunAt]:
        """Runs of this recipe as it stands, newest first."""
        if self.file is None or not self.file.is_file():
            return []
        digest = recipes.digest(self.recipe)
        return [run_at(run.path) for run in all_runs(self.runs) if run.state.recipe_digest == digest]

    @property
    def run(self) -> RunAt | None:
        """The newest run of this recipe as it stands."""
        found = self.all_runs()
        return found[0] if found else None

    def _file(self) -> Path:
        if self.file is None or not self.file.is_file():
            raise RunError(
                "No recipe was chosen yet." if self.file is None else f"The recipe '{self.file.name}' is gone.",
                "A recipe's file.",
                "Choose a recipe or a table in the first step.",
            )
        return self.file

    def _tell(self) -> None:
        for changed in self._watchers:
            changed()


def _newest_run(file: Path, runs: list[RunFolder]) -> RunAt | None:
    try:
        digest = recipes.digest(recipes.read(file).recipe)
    except RecipeError:
        return None
    return next((run_at(run.path) for run in runs if run.state.recipe_digest == digest), None)


def run_at(path: Path) -> RunAt:
    """How a run stands now, a killed process told apart from a living one.

    Raises:
        RunError: It is no run's folder, or was written by a newer version.
    """
    state = RunFolder(path).state
    status = state.status
    if status == "running" and storage.lock_holder(path / LOCK_FILE) is None:
        status = "cut off"
    return RunAt(path, status, state.created)
