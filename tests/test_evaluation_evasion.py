"""Foreign texts that try to get past an off-domain flag."""

from __future__ import annotations

import json

import numpy as np

from behaviour_candidate import KEYWORDS, subject
from workbench.evaluation.evasion import EACH, check_evasion, foreign_texts
from workbench.metrics.evasion import SCHEMA, score_evasion

KNOWN = {word for words in KEYWORDS.values() for word in words}


def by_words(texts):
    """Flags texts without a word of the domain."""
    return np.array([not KNOWN & set(text.split()) for text in texts])


def scored(check):
    rows = score_evasion(check.table, json.loads(json.dumps(check.settings)))
    return {(row["metric"], row["slice"]): row for row in rows}


def test_a_flag_that_looks_for_one_known_word_is_evaded_by_one():
    check = check_evasion(subject(), by_words)
    assert check.table.schema == SCHEMA
    rows = scored(check)
    assert rows["flagged", "all"]["value"] == 1.0
    assert rows["flagged", "all"]["n"] == 4 * EACH
    assert rows["evasion_success", "trick=domain-text"]["value"] == 1.0
    assert rows["evasion_success_control", "trick=domain-text"]["value"] == 0.0
    assert rows["evasion_success", "trick=class-name"]["value"] == 0.0


def test_a_flag_that_never_rises_has_nothing_to_evade():
    rows = scored(check_evasion(subject(), lambda texts: np.zeros(len(texts), dtype=bool)))
    assert rows["flagged", "all"]["value"] == 0.0
    assert rows["evasion_success", "trick=class-name"]["value"] is None
    assert "at least 30" in rows["evasion_success", "trick=class-name"]["reason"]


def test_without_a_flag_there_is_a_reason():
    check = check_evasion(subject(), None)
    assert check.table is None
    assert "no off-domain flag" in check.reasons[0]


def test_foreign_texts_are_distinct_and_seeded():
    texts = [text for _, text in foreign_texts(1)]
    assert len(set(texts)) == 4 * EACH
    assert foreign_texts(1) == foreign_texts(1) != foreign_texts(2)
