"""``README.md``: the model card, with the metadata that Hugging Face reads (emissions in grams).

Written as text; nothing is validated over the network. Emissions are what making all candidates of the run
took, reused stages included, since the recommended one would not be known without the others.
"""

from __future__ import annotations

import re
from typing import Any

from workbench.metrics.wording import metric_name
from workbench.recipe.yaml_text import write_document
from workbench.reporting import energy, findings, privacy, sections, tuning, words
from workbench.reporting.card_fields import stated
from workbench.reporting.compressed import compressed
from workbench.reporting.emissions import add, digits
from workbench.reporting.evidence import Evidence, Row
from workbench.reporting.page import environment

HUB_METRICS = {
    "macro_f1": ("f1", {"average": "macro"}),
    "micro_f1": ("f1", {"average": "micro"}),
    "weighted_f1": ("f1", {"average": "weighted"}),
    "accuracy": ("accuracy", None),
}
HUB_LICENCES = {"apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0", "cc-by-sa-4.0", "cc0-1.0", "gpl-3.0", "agpl-3.0"}


def render_card(evidence: Evidence) -> str:
    """The model card of a run's recommended candidate.

    Args:
        evidence: The files of the run's folder.

    Returns:
        Markdown that begins with a YAML block. The same files give the same text.
    """
    shown = {
        "metadata": write_document(metadata(evidence)).rstrip("\n"),
        "recipe": evidence.recipe,
        "run_name": evidence.folder.name,
        "recommended": evidence.recommended,
        "kind": evidence.models().get(evidence.recommended or "", {}).get("kind"),
        "sentences": findings.recommendation_sentences(evidence),
        "leakage": findings.leakage_reason(evidence),
        "limits": findings.limits(evidence),
        "stated": stated(evidence.folder),
        "distillation": findings.distillation_sentences(evidence),
        "tuning": tuning.paragraphs(evidence),
        "compressed": compressed(evidence),
        "privacy": privacy.sentences(evidence),
        "comparison": sections.comparison(evidence),
        "slices": sections.slices(evidence),
        "energy": energy.by_stage(evidence),
        "health": list(evidence.health.get("sentences") or []),
        "counts": sections.data_counts(evidence),
        "origins": origins(evidence),
        "metric": metric_name(evidence.primary),
        "headline": words.split_name(evidence.headline),
        "classes": classes(evidence),
    }
    jinja = environment()
    jinja.filters["md"] = markdown
    return jinja.get_template("card.md.j2").render(shown)


def markdown(value: object) -> str:
    """Text that stands as itself inside Markdown: no markup, no HTML, no table borders, one line."""
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", " ".join(str(value).split()))


def metadata(evidence: Evidence) -> dict[str, Any]:
    """The card's metadata block as plain values."""
    data = _described(evidence, "data")
    found: dict[str, Any] = {
        "license": licence(evidence),
        "language": data.get("language"),
        "pipeline_tag": "text-classification",
        "tags": ["text-classification", "specialist-workbench", *_method_tags(evidence)],
        "base_model": [str(one["name"]) for one in evidence.encoders() if "/" in str(one.get("name", ""))] or None,
        "metrics": list(dict.fromkeys(HUB_METRICS[name][0] for name in ("macro_f1", "accuracy"))),
        "co2_eq_emissions": emissions(evidence),
        "model-index": model_index(evidence),
    }
    return {key: value for key, value in found.items() if value}


def licence(evidence: Evidence) -> str:
    """The hub's name of the base weights' licence; ``other`` for one it does not know, ``unknown`` without any."""
    stated = [str(one.get("licence") or "unknown") for one in evidence.encoders()]
    known = {one.partition(" (")[0].strip().lower() for one in stated} - {"unknown"}
    if not known:
        return "unknown"
    return known.pop() if len(known) == 1 and known <= HUB_LICENCES else "other"


def emissions(evidence: Evidence) -> dict[str, Any] | None:
    """What the run emitted, in grams, as the hub's metadata has it."""
    if not evidence.emissions:
        return None
    total = add(evidence.emissions)
    grams = total.emissions_kg.times(1000)
    low, high = digits(grams.low, total.class_), digits(grams.high, total.class_)
    method: Row = next((entry.method for entry in evidence.emissions if entry.method), {})
    return {
        "emissions": float(digits(grams.central, total.class_).replace(",", "")),
        "source": f"{method.get('source', 'codecarbon, offline')}; {low} to {high} g, class {total.class_}",
        "training_type": "distillation" if evidence.recipe.teacher else "from labels",
        "geographical_location": evidence.recipe.carbon.country,
        "hardware_used": str(evidence.environment.get("processor") or method.get("cpu_model") or "unknown"),
    }


def model_index(evidence: Evidence) -> list[dict[str, Any]] | None:
    """Scores of the recommended candidate on every split, their intervals in words."""
    name = evidence.recommended
    if name is None:
        return None
    data = _described(evidence, "data")
    results = []
    for split in evidence.splits:
        metrics = [
            _hub_metric(metric, row)
            for metric in dict.fromkeys((evidence.primary, "accuracy"))
            if (row := evidence.score(name, split, metric)) is not None and row.get("value") is not None
        ]
        if metrics:
            dataset = {"name": str(data.get("name") or evidence.recipe.name), "type": evidence.recipe.name}
            dataset["split"] = split
            task = {"type": "text-classification", "name": "Text classification"}
            results.append({"task": task, "dataset": dataset, "metrics": metrics})
    return [{"name": f"{evidence.recipe.name}-{name}", "results": results}] if results else None


def _hub_metric(metric: str, row: Row) -> dict[str, Any]:
    kind, arguments = HUB_METRICS[metric]
    known = sections.interval(row.get("low"), row.get("high"))
    told = f"95 % interval {known}, " if known else ""
    found: dict[str, Any] = {
        "type": kind,
        "name": f"{metric_name(metric)} ({told}n = {words.count(row.get('n') or 0)})",
        "value": round(float(row["value"]), 4),
    }
    return found | ({"args": arguments} if arguments else {})


def _method_tags(evidence: Evidence) -> list[str]:
    kind = evidence.models().get(evidence.recommended or "", {}).get("kind")
    return [str(kind)] * bool(kind) + ["knowledge-distillation"] * bool(evidence.recipe.teacher)


def _described(evidence: Evidence, part: str) -> Row:
    found = evidence.environment.get(part)
    return found if isinstance(found, dict) else {}


def origins(evidence: Evidence) -> list[str]:
    """Where data and base weights come from and under which licence, a sentence each."""
    told = []
    data = _described(evidence, "data")
    if data:
        version = f", version {data['version']}" if data.get("version") else ""
        told.append(f"Data: {data.get('name', 'a table')}{version}; licence: {data.get('licence') or 'not stated'}.")
    for one in evidence.encoders():
        uploader = f", from {one['uploader']}" if one.get("uploader") else ""
        stated = one.get("licence") or "not stated"
        told.append(f"Base weights: {one.get('name', 'unnamed')}{uploader}; licence: {stated}.")
    return told


def classes(evidence: Evidence) -> list[str]:
    """Names of the classes that the recommended candidate knows."""
    return [str(one) for one in evidence.models().get(evidence.recommended or "", {}).get("classes") or []]
