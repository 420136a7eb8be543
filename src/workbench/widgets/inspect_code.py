"""The lines of Python that do what the views of Inspect do, with the public package."""

from __future__ import annotations

from pathlib import Path

METRICS = {"slices": ["error_rate", "accuracy"], "threshold": ["kept", "error_kept", "ece"]}


def code_of(view: str, run: str | Path, candidate: str | None, split: str | None = None) -> str:
    """Complete lines for a view.

    Args:
        view: ``confusion``, ``errors``, ``slices``, ``threshold`` or ``try``.
        run: The run's folder, or ``latest``.
        candidate: Whose answers; the recommended one's when ``None``.
        split: On which rows; ``test`` when ``None``.

    What was typed in is not among them: a notebook may keep the lines.
    """
    lines = ["import workbench as wb", "", f"run = wb.Run({str(run)!r})"]
    lines.append("name = run.recommended.name" if candidate is None else f"name = {candidate!r}")
    if view == "try":
        lines += ["text = 'A text of your own'", "chosen = run.candidate(name)"]
        return "\n".join([*lines, "print(chosen.predict(text).T)", "print(chosen.explain(text))"])
    if view in METRICS:
        lines += ["metrics = run.metrics", f"wanted = metrics.metric.isin({METRICS[view]}) & metrics.seed.isna()"]
        return "\n".join([*lines, "print(metrics[wanted & (metrics.candidate == name)].to_string())"])
    lines.insert(0, "import pandas as pd")
    lines.append('rows = pd.read_parquet(run.path / "predictions" / f"{name}.parquet")')
    lines.append(f'rows = rows[(rows["split"] == {split or "test"!r}) & (rows["seed"] == rows["seed"].min())]')
    if view == "confusion":
        return "\n".join([*lines, 'print(pd.crosstab(rows["label"], rows["prediction"]))'])
    lines.append('rows["probability"] = rows.filter(regex="^p_").max(axis=1)')
    lines.append('wrong = rows[rows["label"] != rows["prediction"]].sort_values("probability", ascending=False)')
    return "\n".join([*lines, 'print(wrong[["row", "label", "prediction", "probability"]].head(25))'])
