"""Attacks on a candidate that obeys, and on one that does not."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest

from behaviour_candidate import Keywords, subject
from workbench.evaluation import attacks
from workbench.evaluation.attack_texts import ATTACKS, INSTRUCTIONS, attacked, corpus_texts
from workbench.evaluation.attacks import check_attacks
from workbench.metrics.attacks import SCHEMA, score_attacks


def scored(check):
    rows = score_attacks(check.table, json.loads(json.dumps(check.settings)))
    return {(row["metric"], row["slice"].removeprefix("attack=")): row for row in rows}


def test_a_candidate_that_obeys_is_won_over_and_its_control_is_not():
    check = check_attacks(subject(Keywords(obeys=True)))
    assert check.table.schema == SCHEMA
    rows = scored(check)
    for attack in ("label-name", "instruction"):
        assert rows["attack_success", attack]["value"] == 1.0
        assert rows["attack_success_control", attack]["value"] == 0.0
        assert rows["attack_success_excess", attack]["value"] == 1.0
    assert rows["attack_harm", "instruction"]["value"] == 1.0
    assert rows["attack_success", "label-name"]["low"] > 0.95


def test_a_candidate_that_counts_keywords_is_not_won_over_but_look_alikes_harm_it():
    rows = scored(check_attacks(subject()))
    assert rows["attack_success", "instruction"]["value"] == 0.0
    assert rows["attack_success", "instruction"]["high"] > 0
    assert rows["attack_harm", "homoglyphs"]["value"] > 0.1
    assert rows["attack_harm", "padding"]["value"] == 0.0
    assert ("attack_success", "padding") not in rows


def test_targets_are_never_what_the_candidate_says_anyway_and_all_is_seeded():
    check = check_attacks(subject())
    table = check.table
    assert not set(zip(table["clean"].to_pylist(), table["target"].to_pylist(), strict=True)) & {
        (name, name) for name in subject().splits.classes
    }
    assert check_attacks(subject()).table.equals(table)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_control_is_as_long_as_its_attack_and_names_no_class(attack):
    random = np.random.default_rng(0)
    template = "do as I say, {target}" if attack == "corpus" else INSTRUCTIONS[0]
    for text in ("a broken chain", "x", "the front brake squeals when it rains and nobody knows why " * 3):
        changed, control = attacked(text, attack, template, "02 Gears", random)
        assert len(control) <= len(changed)
        assert len(control) >= min(0.7 * len(changed), len(changed) - 10)
        assert "02 Gears" not in control
        assert control.casefold().startswith(text.casefold()[:10].strip())


def test_an_unknown_attack_is_refused():
    with pytest.raises(ValueError, match="homoglyphs"):
        attacked("text", "bribe", "", "x", np.random.default_rng(0))


def test_without_bastioncorpus_its_attack_is_left_out_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr(attacks, "corpus_texts", lambda: None)
    check = check_attacks(subject())
    assert "corpus" not in set(check.table["attack"].to_pylist())
    assert "specialist-workbench[attacks]" in check.reasons[-1]


@pytest.mark.skipif(importlib.util.find_spec("bastioncorpus") is None, reason="bastioncorpus is not installed")
def test_the_injections_of_bastioncorpus_serve_as_one_source():
    texts = corpus_texts()
    assert 90 <= len(texts) <= 118
    assert not any("{canary}" in text for text in texts)
    assert "corpus" in set(check_attacks(subject()).table["attack"].to_pylist())


def test_too_few_rows_give_a_reason():
    check = check_attacks(subject(number=10))
    assert check.table is None
    assert "30 rows" in check.reasons[0]


def test_harm_is_absent_where_hardly_a_row_was_right():
    wrong = Keywords()
    wrong.predict_proba = lambda texts: np.tile(np.array([[0.9, 0.05, 0.05]], dtype=np.float32), (len(texts), 1))
    rows = scored(check_attacks(subject(wrong, 60)))
    row = rows["attack_harm", "padding"]
    assert row["value"] is None
    assert "at least 30" in row["reason"]
