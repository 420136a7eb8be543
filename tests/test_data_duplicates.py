"""Equal texts, and texts of nearly the same words."""

import time

import numpy as np
import pyarrow as pa
import pytest

from workbench.data.duplicates import band_keys, bands, jaccard, near_rows, repeated_rows
from workbench.data.words import text_keys, word_sets


def strings(values: list[str | None]) -> pa.Array:
    return pa.array(values, pa.large_string())


def sentences(rows: int, words: int = 12, vocabulary: int = 4000, seed: int = 0) -> list[str]:
    numbers = np.random.default_rng(seed).integers(0, vocabulary, (rows, words))
    return [" ".join(f"w{n}" for n in row) for row in numbers]


def edited(texts: list[str], changes: int, seed: int = 1) -> list[str]:
    """Each text with some of its words replaced."""
    places = np.random.default_rng(seed)
    found = []
    for number, text in enumerate(texts):
        words = text.split()
        for place in places.permutation(len(words))[:changes]:
            words[place] = f"new{number}x{place}"
        found.append(" ".join(words))
    return found


def slow_jaccard(one: str, other: str) -> float:
    mine, theirs = set(one.split()), set(other.split())
    return len(mine & theirs) / len(mine | theirs)


def test_texts_are_equal_whatever_their_case_and_spaces():
    keys = text_keys(strings(["Acute  asthma", " acute asthma\n", "ACUTE\u00a0ASTHMA", "acute asthma!", None]))
    assert keys[0] == keys[1] == keys[2]
    assert len(set(keys.tolist())) == 3


def test_words_are_runs_of_letters_and_digits_in_any_script():
    texts = strings(["Don't stop—now", "Größe 42", "喘息の発作", "  ", "?!", None])
    assert word_sets(texts).lengths.tolist() == [4, 2, 5, 0, 0, 0]
    assert word_sets(strings(["a b a", "b A"])).sizes.tolist() == [2, 2]


def test_similarity_is_the_share_of_common_words():
    sets = word_sets(strings(["a b c d", "a b c e", "d c b a", "x", "", ""]))
    left, right = np.array([0, 0, 0, 4]), np.array([1, 2, 3, 5])
    assert jaccard(sets, left, right).tolist() == [3 / 5, 1.0, 0.0, 0.0]


def test_similarities_of_many_pairs_equal_those_of_python_sets():
    texts = sentences(300, vocabulary=40)
    left, right = np.random.default_rng(2).integers(0, 300, (2, 500))
    expected = [slow_jaccard(texts[one], texts[other]) for one, other in zip(left, right, strict=True)]
    assert np.allclose(jaccard(word_sets(strings(texts)), left, right), expected)


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
def test_bands_find_a_pair_at_the_threshold_nearly_always(threshold):
    count, rows = bands(threshold)
    assert count * rows <= 128
    assert 1 - (1 - threshold**rows) ** count >= 0.998


def test_near_duplicates_are_found_and_nothing_else_is():
    texts = sentences(2000)
    copies = edited(texts[:1000], 1)
    far = edited(texts[:1000], 4)
    every = strings(texts + copies + far)
    sets = word_sets(every)
    keys = band_keys(sets, 0.8)
    test = np.arange(2000)
    near = near_rows(sets, keys, np.arange(2000, 4000), test, 0.8)
    similar = np.array([slow_jaccard(one, other) >= 0.8 for one, other in zip(texts[:1000], copies, strict=True)])
    assert near[:1000][similar].mean() >= 0.995
    assert not near[:1000][~similar].any()
    assert not near[1000:].any()


def test_rows_that_repeat_an_earlier_one_are_counted_once_each():
    texts = ["one two three four five", "five four three two one", "six seven", "one two three four five", "", ""]
    sets = word_sets(strings(texts))
    repeated = repeated_rows(sets, band_keys(sets, 0.8), np.arange(6), 0.8)
    assert repeated.tolist() == [False, True, False, True, False, False]
    assert repeated_rows(sets, band_keys(sets, 0.8), np.empty(0, dtype=np.int64), 0.8).tolist() == []


def test_what_datasketch_finds_is_found():
    datasketch = pytest.importorskip("datasketch")
    texts = sentences(150) + edited(sentences(150), 1)
    index = datasketch.MinHashLSH(threshold=0.8, num_perm=128)
    theirs = set()
    for number, text in enumerate(texts):
        signature = datasketch.MinHash(num_perm=128, seed=1)
        signature.update_batch([word.encode() for word in set(text.split())])
        theirs |= {(number, other) for other in index.query(signature) if slow_jaccard(text, texts[other]) >= 0.8}
        index.insert(number, signature)
    sets = word_sets(strings(texts))
    ours = np.flatnonzero(repeated_rows(sets, band_keys(sets, 0.8), np.arange(300), 0.8))
    assert {later for later, _ in theirs} <= set(ours.tolist())
    assert len(theirs) > 100


def test_band_keys_are_the_same_everywhere():
    sets = word_sets(strings(["acute asthma with status", "acute asthma with status"]))
    keys = band_keys(sets, 0.8)
    assert keys.shape == (21, 2)
    assert np.array_equal(keys[:, 0], keys[:, 1])
    assert [hex(key) for key in keys[:2, 0].tolist()] == ["0xbaef6cc4d0d7e980", "0xb8d85ac431e7525b"]


def test_twenty_thousand_short_texts_take_seconds():
    start = time.perf_counter()
    sets = word_sets(strings(sentences(20_000, words=7)))
    keys = band_keys(sets, 0.8)
    near_rows(sets, keys, np.arange(15_000), np.arange(15_000, 20_000), 0.8)
    repeated_rows(sets, keys, np.arange(20_000), 0.8)
    assert time.perf_counter() - start < 10
