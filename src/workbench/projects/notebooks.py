"""“Write notebook”: what was done in the Guide as a clean notebook, which runs without it and gives the same digest.

It stands beside the recipe's file and names what it reads relative to that place, so that it also runs where the folder
was moved to; there the run is made anew. No output and no text of a row is in it.
"""

from __future__ import annotations

import hashlib
import html
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workbench import recipe as recipes
from workbench import storage
from workbench.errors import RunError
from workbench.projects.desk import Desk

CODE = {
    "start": (
        "import os\nfrom pathlib import Path\n\nos.environ.setdefault('HF_HUB_OFFLINE', '1')\n"
        "os.environ.setdefault('TOKENIZERS_PARALLELISM', 'false')\nimport pandas as pd\n\nimport workbench as wb\n"
        "from workbench import recipe as recipes\n\nRECIPE = Path({recipe!r})\nFINISHED = Path({run!r})"
    ),
    "recipe": (
        "print(RECIPE.read_text(encoding='utf-8'))\ndigest = recipes.digest(recipes.read(RECIPE).recipe)\n"
        "assert digest == {digest!r}"
    ),
    "check": "checked = wb.check(RECIPE)\nfor sentence in checked.sentences:\n    print('-', sentence)",
    "run": (
        "reused = (FINISHED / 'run.json').is_file()\n"
        "run = wb.Run(FINISHED) if reused else wb.run(RECIPE, runs='runs')\nrun"
    ),
    "comparison": "run.comparison",
    "recommendation": (
        "print(run.recommendation['sentence'])\nfor other in run.recommendation['others']:\n"
        "    print('-', other['candidate'] + ':', other['reason'])\n"
        "name = run.recommendation['candidate'] or run.candidates[0]"
    ),
    "errors": (
        "answers = pd.read_parquet(run.path / 'predictions' / f'{{name}}.parquet')\n"
        "answers = answers[(answers['split'] == 'test') & (answers['seed'] == answers['seed'].min())]\n"
        "wrong = answers[answers['label'] != answers['prediction']]\nprint(len(wrong), '/', len(answers))\n"
        "wrong.value_counts(['label', 'prediction']).head(10)"
    ),
    "slices": (
        "rows = run.metrics[run.metrics['candidate'] == name]\n"
        "rows = rows[(rows['slice'] != 'all') & rows['against'].isna() & rows['seed'].isna()]\n"
        "rows = rows[rows['metric'] == run.recipe.evaluation.primary]\n"
        "rows[['split', 'slice', 'value', 'low', 'high', 'n']].sort_values('value').head(10)"
    ),
    "use": "model = run.candidate(name)\nanswer = model.predict([{text!r}])\nanswer.drop(columns='text').T",
    "verify": (
        "verified = wb.verify(run.path)\nfor finding in verified.findings:\n"
        "    print('holds' if finding.ok else 'FAILS', finding.what, *finding.details[:3])"
    ),
    "expected": (
        "assert run.status == 'done'\nassert recipes.digest(run.recipe) == digest\nassert verified.ok\n"
        "assert 0 <= answer['probability'].iloc[0] <= 1"
    ),
}
KNOWN = (
    "\nvalue = run.comparison.loc[{name!r}, 'value']\nassert abs(value - {value!r}) <= (1e-6 if reused else 0.05)\n"
    "assert not reused or run.recommendation['candidate'] == {recommended!r}"
)


def write_notebook(desk: Desk, words: Callable[..., str]) -> Path:
    """Write the notebook of a desk's recipe and of its newest finished run, beside the recipe.

    Args:
        desk: The recipe and its runs.
        words: Gives the text of a key like ``notebook.title`` with the values that stand in it, in the reader's
            language; :class:`workbench.widgets.words.Words` does.

    Returns:
        ``<recipe>.ipynb``; with a number in its name where that one was changed by hand.

    Raises:
        WorkbenchError: Nothing was chosen, the recipe has problems, or its table was handed over in Python.
    """
    run = next((one.path for one in desk.all_runs() if one.status == "done"), None)
    given = _given(desk, run) | {"text": words("notebook.text")}
    cells = [_cell("title", words("notebook.title", **given))]
    for part, code in CODE.items():
        known = _known(run) if part == "expected" and run is not None else ""
        cells.append(_cell(f"{part}-told", words(f"notebook.{part}", **given)))
        cells.append(_cell(part, code.format(**given) + known, True))
    target = _free(given["file"].with_suffix(".ipynb"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}, "workbench": {"written": _digest(cells)}}
    storage.write_json(target, {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5})
    return target


def _given(desk: Desk, run: Path | None) -> dict[str, Any]:
    """What the cells say of this recipe and its run; paths relative to the recipe's folder."""
    recipe, source = desk.recipe, desk.recipe.data.source
    if desk.file is None or source.table is not None:
        raise RunError(
            "The table was handed over in Python, so a notebook cannot find it again.",
            "A table in a file.",
            "Save the table as CSV or Parquet, and choose the file in the first step.",
        )
    place = desk.runs.resolve() / recipe.name / "none" if run is None else run.resolve()
    entries = storage.read_json(run / "emissions.json") if run is not None else []
    return {
        "file": desk.file,
        "recipe": desk.file.name,
        "run": Path(os.path.relpath(place, desk.file.resolve().parent)).as_posix(),
        "digest": recipes.digest(recipe),
        "lines": len(desk.text.splitlines()),
        "name": recipe.name,
        "source": source.path or source.package or source.hub,
        "purpose": html.escape(" ".join(recipe.purpose.split()), quote=False).replace("*", "\\*").replace("_", "\\_"),
        "minutes": max(1, math.ceil(sum(float(one["seconds"]) for one in entries) / 60)),
    }


def _known(run: Path) -> str:
    """What the finished run said, to be held against what is computed."""
    from workbench.reporting import comparison_table

    table = comparison_table(run)
    row = next((one for one in table if one["recommended"]), table[0])
    name, recommended = row["candidate"], row["candidate"] if row["recommended"] else None
    value = row["value"]
    return "" if value is None else KNOWN.format(name=name, value=round(float(value), 6), recommended=recommended)


def _cell(name: str, source: str, code: bool = False) -> dict[str, Any]:
    more: dict[str, Any] = {"cell_type": "code", "execution_count": None, "outputs": []}
    cell = {"id": name, "metadata": {}, "source": source.splitlines(keepends=True)}
    return cell | (more if code else {"cell_type": "markdown"})


def _digest(cells: Sequence[dict[str, Any]]) -> str:
    return hashlib.sha256("\0".join("".join(one["source"]) for one in cells).encode()).hexdigest()


def _free(wanted: Path) -> Path:
    """The wanted name, or the next one that holds nobody's own changes."""
    target, number = wanted, 1
    while target.is_file():
        found = storage.read_json(target)
        if found.get("metadata", {}).get("workbench", {}).get("written") == _digest(found.get("cells", [])):
            break
        number += 1
        target = wanted.with_stem(f"{wanted.stem}-{number}")
    return target
