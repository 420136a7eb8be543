"""A run as a person holds it in a notebook: its comparison, its recommendation, its models. It changes nothing."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import recipe as recipes
from workbench import storage
from workbench.errors import ModelError, RunError
from workbench.runs import RunFolder, find_run

if TYPE_CHECKING:
    import pandas as pd

    from workbench.models import Candidate
    from workbench.models.novelty import Judge


class Chosen:
    """One saved candidate of a run, ready to use."""

    def __init__(self, name: str, folder: Path) -> None:
        """Remember where it lies; its weights are loaded at the first prediction.

        Args:
            name: Its name in the run.
            folder: ``models/<name>`` of the run.
        """
        self.name = name
        self.folder = folder

    @cached_property
    def model(self) -> Candidate:
        """The candidate itself, loaded once.

        Raises:
            ModelError: Its folder is damaged, or a package that it needs is missing.
        """
        from workbench import models

        return models.load(self.folder)

    @cached_property
    def judge(self) -> Judge | None:
        """What says when a person should look, from ``decision.json``; ``None`` in runs that have none.

        Raises:
            ModelError: ``decision.json`` or ``novelty.json`` is damaged.
        """
        from workbench.models.novelty import Judge

        return Judge.load(self.folder)

    def predict(self, texts: str | Sequence[str]) -> pd.DataFrame:
        """Sort texts into classes, and say which of them a person should look at.

        Args:
            texts: One text, or a list of them.

        Returns:
            A frame with a row a text: ``text``, ``label`` (the likeliest class), ``probability`` (its
            calibrated probability, 0 to 1); where the run has decisions also ``set`` (classes that
            hold the right one with the promised frequency, the likeliest first; ``None`` where no promise could be
            fitted), ``to_person`` and ``why`` (empty where no person has to look); and ``p_<class>`` for every class.
        """
        import pandas as pd

        listed = [texts] if isinstance(texts, str) else list(texts)
        probabilities = self.model.predict_proba(listed)
        best = probabilities.argmax(axis=1)
        columns: dict[str, Any] = {
            "text": listed,
            "label": [self.model.classes[index] for index in best],
            "probability": probabilities.max(axis=1) if len(listed) else [],
        }
        if self.judge is not None:
            whys = self.judge.reasons(listed, probabilities.max(axis=1, initial=0.0))
            columns["set"] = self._sets(probabilities, self.judge.decision.get("conformal") or {})
            columns |= {"to_person": [bool(why) for why in whys], "why": whys}
        columns |= {f"p_{name}": probabilities[:, index] for index, name in enumerate(self.model.classes)}
        return pd.DataFrame(columns)

    def _sets(self, probabilities: Any, conformal: dict[str, Any]) -> list[list[str] | None]:
        """The classes of each conformal set, the likeliest first; ``None`` where no quantile was fitted."""
        from workbench.metrics.decisions import decision_sets

        if conformal.get("quantile") is None:
            return [None] * len(probabilities)
        inside, order = decision_sets(probabilities, conformal), (-probabilities).argsort(axis=1, kind="stable")
        names = self.model.classes
        return [[names[at] for at in row if held[at]] for row, held in zip(order, inside, strict=True)]

    def explain(self, text: str) -> pd.DataFrame:
        """The words behind a decision: how far the likeliest class's probability falls without each.

        Args:
            text: The text to explain.

        Returns:
            A frame with a row a word, in the text's order: ``word`` and ``weight`` (fall of the probability,
            -1 to 1), found by leaving each word out (occlusion, Zeiler & Fergus 2014).
        """
        import pandas as pd

        from workbench.models.occlusion import occlude

        return pd.DataFrame(occlude(self.model, text), columns=["word", "weight"])

    @property
    def size_mb(self) -> float:
        """Size of its weights, in MB."""
        return self.model.size_mb

    def __repr__(self) -> str:
        """Name and folder."""
        return f"<candidate {self.name} in {self.folder.parent.parent.name}>"


class Run:
    """A run's folder, opened to look at."""

    def __init__(self, path: str | Path) -> None:
        """Open a run.

        Args:
            path: The run's folder, or ``latest`` for the newest in ``runs/``.

        Raises:
            RunError: There is no such run, or it was written by a newer format.
        """
        self.path = find_run(path)

    @property
    def status(self) -> str:
        """``running``, ``stopped``, ``failed`` or ``done``, as it is now."""
        return RunFolder(self.path).state.status

    @cached_property
    def recipe(self) -> recipes.Recipe:
        """The recipe that ran, every default filled in."""
        return recipes.read(self.path / "recipe.yaml").recipe

    @property
    def comparison(self) -> pd.DataFrame:
        """All candidates beside each other, a row each; renders as a table."""
        import pandas as pd

        from workbench.reporting import comparison_table

        return pd.DataFrame(comparison_table(self.path)).set_index("candidate")

    @property
    def recommendation(self) -> dict[str, Any]:
        """Which candidate is recommended, by what rule, and why not each other one."""
        return dict(self._finished("recommendation.json"))

    @property
    def recommended(self) -> Chosen:
        """The recommended candidate.

        Raises:
            RunError: The run is not done, or recommends none.
        """
        name = self.recommendation["candidate"]
        if name is None:
            raise RunError(
                "This run recommends no candidate.",
                self.recommendation.get("sentence", ""),
                "Take one by name: run.candidate(name).",
            )
        return self.candidate(str(name))

    @property
    def candidates(self) -> list[str]:
        """Names of the candidates whose models are kept."""
        return sorted(folder.name for folder in (self.path / "models").glob("*") if folder.is_dir())

    def candidate(self, name: str) -> Chosen:
        """One candidate by name.

        Raises:
            ModelError: The run keeps none of that name.
        """
        if name not in self.candidates:
            raise ModelError(
                f"This run keeps no candidate '{name}'.",
                f"One of: {', '.join(self.candidates) or '(none yet)'}",
                "Names are those of the comparison.",
            )
        return Chosen(name, self.path / "models" / name)

    @property
    def metrics(self) -> pd.DataFrame:
        """Every score with its interval: the rows of ``metrics.json``."""
        return self._frame("metrics.json")

    @property
    def measurements(self) -> pd.DataFrame:
        """Latency, rows/s, size, memory, energy of each candidate: the rows of ``measurements.json``."""
        return self._frame("measurements.json")

    @property
    def emissions(self) -> pd.DataFrame:
        """Energy and emissions of each stage: the rows of ``emissions.json``."""
        return self._frame("emissions.json")

    @property
    def health(self) -> dict[str, Any]:
        """What was found in the table before training."""
        return dict(self._finished("data/health.json"))

    @property
    def report_path(self) -> Path:
        """The report, to open in a browser."""
        return self.path / "report.html"

    def _frame(self, name: str) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(self._finished(name))

    def _finished(self, name: str) -> Any:
        file = self.path / name
        if not file.is_file():
            raise RunError(
                f"The run {self.path.name} has no {name} yet; its status is '{self.status}'.",
                "A run that is done.",
                f"Go on with it: workbench resume {self.path}",
            )
        return storage.read_json(file)

    def __repr__(self) -> str:
        """Name and status."""
        return f"<run {self.path.parent.name}/{self.path.name}: {self.status}>"

    def _repr_html_(self) -> str:
        if self.status != "done":
            return f"<p>{html.escape(repr(self))}</p>"
        sentence = html.escape(str(self.recommendation.get("sentence", "")))
        return f"<p>{sentence}</p>{self.comparison.to_html()}"
