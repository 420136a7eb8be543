"""The words of the widgets: every language says everything, and fills in the same names."""

from __future__ import annotations

import json
import re

import pytest

pytest.importorskip("ipywidgets")

from workbench import recipe
from workbench.widgets.words import FOLDER, Words, languages, pattern, sentences, spoken, texts

NAMES = re.compile(r"\{(\w+)")
OTHERS = [language for language in languages() if language != "en"]


def test_french_is_shipped_beside_english():
    assert {"en", "fr"} <= set(languages())


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_exactly_the_keys_of_english(language):
    assert set(texts(language)) == set(texts("en"))


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_fills_in_the_names_that_english_fills_in(language):
    english = texts("en")
    unlike = [
        key for key, text in texts(language).items() if set(NAMES.findall(text)) != set(NAMES.findall(english[key]))
    ]
    assert unlike == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_is_not_the_english_text(language):
    english = texts("en")
    same = {key for key, text in texts(language).items() if text == english[key] and len(text.split()) > 3}
    assert same == set()


@pytest.mark.parametrize("language", OTHERS)
def test_every_field_of_a_recipe_has_a_title_and_a_description(language):
    told = json.loads((FOLDER / language / "fields.json").read_text(encoding="utf-8"))
    missing = [field.path for field in recipe.fields() if not {"title", "description"} <= set(told.get(field.path, {}))]
    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_sentence_of_the_rooms_below_is_filled_with_what_its_template_names(language):
    for english, text in sentences(language).items():
        assert set(NAMES.findall(text)) <= set(NAMES.findall(english)), english
        pattern(english)


def test_a_template_finds_its_values_and_several_sentences_are_translated_one_by_one(monkeypatch):
    words = Words("fr")
    words.__dict__["_patterns"] = [
        (pattern("{split} holds {n} rows."), "{split} contient {n} lignes."),
        (pattern("Nothing leaks."), "Rien ne fuit."),
    ]
    assert words.sentence("test holds 1,200 rows. Nothing leaks.") == "test contient 1\u202f200 lignes. Rien ne fuit."
    assert words.knows("test holds 1,200 rows. Nothing leaks.")
    assert words.sentence("Nobody knows this.") == "Nobody knows this."
    assert not words.knows("Nobody knows this.")


def test_the_language_is_that_of_the_locale_where_it_is_shipped(monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "fr_CA.UTF-8")
    assert spoken() == "fr"
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    assert spoken() == "en"


def test_a_language_that_is_not_shipped_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="en, fr"):
        Words("tlh")


def test_thousands_and_countries_are_written_as_the_language_does():
    english, french = Words("en"), Words("fr")
    assert (english.number(1264), french.number(1264), french.number(0.25)) == ("1,264", "1\u202f264", "0.25")
    named = {"DEU": "Germany", "USA": "United States", "ESP": "Spain", "XXX": "Nowhere"}
    assert english.countries(named)[0] == ("Germany (DEU)", "DEU")
    assert [name for name, _ in french.countries(named)] == [
        "Allemagne (DEU)",
        "Espagne (ESP)",
        "États-Unis (USA)",
        "Nowhere (XXX)",
    ]
