"""Slices as evidence, and slices that a tree finds: planted ones, no others, in words, without texts."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from small_table import recipe_values
from workbench.data import Labelled, Splits, Unlabelled
from workbench.errors import DataError
from workbench.evaluation.check import Subject
from workbench.evaluation.error_features import Feature, counted, in_words
from workbench.evaluation.slices import check_found_slices, check_slices, halves
from workbench.metrics.found_slices import score_found_slices
from workbench.metrics.group_tests import smallest_gap
from workbench.metrics.slice_rows import worst_group
from workbench.metrics.slice_table import parts
from workbench.metrics.slices import rules_of
from workbench.metrics.slices import tested_families as families_of
from workbench.recipe import Recipe

CLASSES = ("brakes", "gears", "wheels")
WORDS = np.array(
    "the bike brake lever chain tyre after rain again my old new rear front noise 26 A-frame".split(), dtype=object
)
FORMS, SITES = np.array(["paper", "web"]), np.array(["east", "north", "south"])


def part(rows, random, start, shops=None):
    """Rows with texts of two to eight words; form and site are drawn, shops are the groups."""
    lengths = random.integers(2, 9, rows)
    texts = [" ".join(random.choice(WORDS, length)) for length in lengths]
    slices = {
        "form": pa.array(FORMS[random.integers(0, 2, rows)]),
        "site": pa.array(SITES[random.integers(0, 3, rows)]),
    }
    groups = None if shops is None else pa.array([f"shop {one}" for one in random.integers(0, shops, rows)])
    numbers = np.arange(start, start + rows, dtype=np.int64)
    return Labelled(
        numbers, pa.array(texts, pa.large_string()), random.integers(0, 3, rows).astype(np.int32), groups, slices
    )


def subject(seed=0, *, rows=600, shops=None, rate=0.3, excess=None, rows_learned=60):
    """A comparison whose one candidate errs at random; `excess` maps a test part to further chances (rows,)."""
    random = np.random.default_rng(seed)
    test = part(rows, random, 1000, shops)
    chance = (
        np.full(rows, rate)
        if shops is None
        else random.beta(3, 7, shops)[np.unique(test.groups.to_pylist(), return_inverse=True)[1]]
    )
    chance = np.clip(chance + (0 if excess is None else excess(test)), 0, 1)
    guess = np.where(random.random(rows) < chance, (test.labels + 1) % 3, test.labels)
    names = np.array(CLASSES)
    table = pa.table(
        {"seed": np.zeros(rows, int), "row": test.rows, "split": ["test"] * rows}
        | {"label": names[test.labels], "prediction": names[guess]}
    )
    train, validation = part(rows_learned, random, 0, shops), part(30, random, 500, shops)
    pool = Unlabelled(np.zeros(0, np.int64), pa.array([], pa.large_string()))
    splits = Splits(CLASSES, train, validation, pool, validation, {"test": test}, 0)
    values = recipe_values(None)
    values["data"] = {**values["data"], "slices": ["form", "site"], "group": "shop" if shops else None}
    values["data"] |= {} if shops else {"splits": {"by": "random"}}
    return Subject(
        Recipe.model_validate(values), splits, {"baseline": SimpleNamespace()}, {"baseline": table}, "baseline"
    )


def groups_of(one, draws):
    """Every attribute and intersection of the candidate with its test, as score_slices makes them."""
    check = check_slices(one)
    (only,) = parts(check.table)
    return families_of(only, rules_of(check.settings | {"draws": draws}))


def alarm(one, draws=499):
    """Whether any of the three searches (attributes, intersections, found slices) says that groups differ."""
    found = check_found_slices(one)
    rows = score_found_slices(found.table, found.settings | {"draws": draws, "resamples": 50})
    named = any(tested.p_holm is not None and tested.p_holm < 0.05 for tested in groups_of(one, draws))
    return named or any(row["metric"] == "found:error_rate" for row in rows)


def test_a_planted_slice_is_found_and_described_in_words():
    short = subject(
        1, rows=1500, excess=lambda test: 0.5 * np.array([len(text.split()) <= 3 for text in test.texts.to_pylist()])
    )
    check = check_found_slices(short)
    rows = score_found_slices(check.table, check.settings)
    found = [row for row in rows if row["metric"] == "found:error_rate"]
    assert any("at most 3 words" in row["slice"] for row in found), rows
    assert all(row["value"] > row["rest"] and row["p_holm"] < 0.05 for row in found)
    assert rows[0]["value"] == len(found)


def test_the_evidence_holds_rows_and_leaves_but_no_texts_and_halves_share_no_group():
    check = check_found_slices(subject(2, shops=80))
    assert check.table.column_names == ["candidate", "split", "row", "unit", "half", "leaf", "wrong"]
    halves_of = {
        half: set(check.table.filter(pa.compute.equal(check.table["half"], half))["unit"].to_pylist())
        for half in ("fit", "held-out")
    }
    assert not halves_of["fit"] & halves_of["held-out"]
    assert set(map(str, check.table["leaf"].to_pylist())) <= set(check.settings["leaves"]["baseline"])
    table = check_slices(subject(2, shops=80)).table
    assert table.column_names == [
        "candidate", "seed", "split", "row", "group", "label", "wrong", "abstained", "slice:form", "slice:site"
    ]  # fmt: skip


def test_a_slice_column_that_does_not_exist_is_refused_with_the_nearest_name():
    with pytest.raises(DataError, match=r"'sit'\. Did you mean 'site'") as caught:
        check_slices(subject(), ("form", "sit"))
    assert "'form', 'site'" in str(caught.value)


def test_too_few_rows_or_errors_and_no_slices_are_reasons():
    few = check_found_slices(subject(rows=90))
    assert few.table is None
    assert "90 rows" in few.reasons[0]
    right = check_found_slices(subject(rate=0.001))
    assert right.table is None
    assert "errors in 600 rows" in right.reasons[0]
    none = check_slices(subject(), ())
    assert none.table is None
    assert "data.slices" in none.reasons[0]


def test_missing_values_of_a_slice_are_a_group_and_are_told():
    one = subject()
    test = one.splits.tests["test"]
    holes = pa.array([None if at % 9 == 0 else value for at, value in enumerate(test.slices["form"].to_pylist())])
    test.slices["form"] = holes
    check = check_slices(one)
    assert "67 test rows have no value of form" in check.reasons[0]
    assert "(missing)" in check.table["slice:form"].to_pylist()


def test_halves_are_of_like_size_and_keep_units_whole():
    units = np.random.default_rng(0).integers(0, 50, 1000)
    drawn = halves(units, 3)
    assert 0.4 < drawn.mean() <= 0.5
    assert all(len(np.unique(drawn[units == one])) == 1 for one in range(50))


def test_conditions_read_as_a_sentence():
    words, digits, predicted = Feature("words"), Feature("digits"), Feature("predicted", "gears")
    place = Feature("slice", "web", "form")
    infinite = float("inf")
    said = in_words(
        {words: (-infinite, 3.5), digits: (0.5, infinite), predicted: (-infinite, 0.5), place: (0.5, infinite)}
    )
    assert said == "texts of at most 3 words with a digit, not predicted as gears, where form is web"
    assert (
        in_words({Feature("unseen"): (0.25, infinite)})
        == "texts with more than 25% of the words not among those learned from"
    )
    assert [counted("digits", one) for one in ((-infinite, 0.5), (0.5, 1.5), (1.5, infinite), (1.5, 4.5))] == [
        "no digits", "1 digit", "at least 2 digits", "2 to 4 digits"
    ]  # fmt: skip
    assert in_words({}) == "all texts"
    other = Feature("predicted", "wheels")
    assert in_words({predicted: (-infinite, 0.5), other: (-infinite, 0.5)}) == "texts, not predicted as gears or wheels"
    assert in_words({predicted: (-infinite, 0.5), other: (0.5, infinite)}) == "texts, predicted as wheels"


def test_20_unbiased_runs_raise_few_alarms_over_all_searches():
    assert sum(alarm(subject(seed, shops=60 if seed % 2 else None)) for seed in range(20)) <= 4


@pytest.mark.slow
@pytest.mark.parametrize("shops", [None, 120])
def test_200_unbiased_runs_raise_at_most_18_alarms_over_all_searches(shops):
    raised = sum(alarm(subject(seed, shops=shops), draws=999) for seed in range(200))
    assert raised <= 18, raised


def planted(seeds, rows=900):
    """How many of some runs name the group into which as many errors were put as the power calculation asks for."""
    hits = 0
    for seed in range(seeds):
        n = rows / 3
        # site has three groups; form, site and their intersection are tested beside the search of the tree
        gap = smallest_gap(n, rows - n, 0.2, comparisons=3 * 3 * 2)
        one = subject(
            seed, rows=rows, rate=0.2, excess=lambda test, gap=gap: gap * (np.array(test.slices["site"]) == "east")
        )
        site = next(tested for tested in groups_of(one, 999) if tested.family.names == ("site",))
        hits += worst_group(site, [0, 1, 2]) == site.family.values.index("site=east")
    return hits


def test_a_planted_bias_of_the_calculated_strength_is_found():
    assert planted(20) >= 18


@pytest.mark.slow
def test_a_planted_bias_of_the_calculated_strength_is_found_in_95_of_100_runs():
    assert planted(300) >= 0.95 * 300
