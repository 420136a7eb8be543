"""Personal data: each type found and not found, masks, surrogates, recall on invented sentences."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pytest

from workbench.data import personal
from workbench.data.personal import checksums, lists, values
from workbench.data.personal.columns import EVIDENCE
from workbench.data.personal.detectors import UPPER
from workbench.data.personal.kinds import BY_NAME
from workbench.data.personal.masking import values_of
from workbench.data.personal.naming import own_names
from workbench.data.personal.scanning import scan_repeated, without_overlaps
from workbench.data.personal.templates import POSITIVE
from workbench.data.table import Labelled, Splits, Unlabelled
from workbench.errors import DataError, MissingExtraError

CORE = personal.scanner(extras=False)
KEY = b"a key for the tests only"


def found(text, by=CORE):
    """Type and value of every finding in a text."""
    table = personal.scan_texts([text], by)
    return list(zip(table["type"].to_pylist(), values_of(pa.array([text]), table), strict=True))


PRESENT = [
    ("email", "Write to jane.doe+lists@mail.example.co.uk.", "jane.doe+lists@mail.example.co.uk"),
    ("email", "Mail (MAX@example.org), bitte", "MAX@example.org"),
    ("url_user", "see https://github.com/example-jane-4711.", "https://github.com/example-jane-4711"),
    ("url_user", "https://me:secret@files.example.com/a is mine", "https://me:secret@files.example.com/a"),
    ("url_user", "http://www.example.com/~jane", "http://www.example.com/~jane"),
    ("iban", "Konto DE89 3704 0044 0532 0130 00 und", "DE89 3704 0044 0532 0130 00"),
    ("iban", "to GB82WEST12345698765432, please", "GB82WEST12345698765432"),
    ("iban", "fr14 2004 1010 0505 0001 3m02 606", "fr14 2004 1010 0505 0001 3m02 606"),
    ("card", "card 4111 1111 1111 1111 declined", "4111 1111 1111 1111"),
    ("card", "378282246310005", "378282246310005"),
    ("fr_nir", "NIR 2 55 08 14 168 025 38", "2 55 08 14 168 025 38"),
    ("fr_nir", "le 185057800608491 depuis", "185057800608491"),
    ("it_codice_fiscale", "codice MRTMTT25D09F205Z ok", "MRTMTT25D09F205Z"),
    ("es_dni", "DNI 12345678Z", "12345678Z"),
    ("es_dni", "con 12.345.678-Z", "12.345.678-Z"),
    ("es_dni", "NIE X1234567L", "X1234567L"),
    ("de_kvnr", "versichert unter A123456780", "A123456780"),
    ("de_tax_id", "Steuer-ID 86 095 742 719", "86 095 742 719"),
    ("de_tax_id", "IdNr. 47036892816", "47036892816"),
    ("gb_nhs", "NHS number 943 476 5919", "943 476 5919"),
    ("nl_bsn", "BSN 111222333", "111222333"),
    ("gb_nino", "NI AB 12 34 56 C", "AB 12 34 56 C"),
    ("us_ssn", "SSN 219-09-9999", "219-09-9999"),
    ("us_ssn", "social security number 219099999", "219099999"),
    ("date_of_birth", "born 3 March 1975 in", "3 March 1975"),
    ("date_of_birth", "Geburtsdatum: 03.04.1975", "03.04.1975"),
    ("date_of_birth", "née le 3 août 1975", "3 août 1975"),
    ("date_of_birth", "Fecha de nacimiento 3 de marzo de 1975", "3 de marzo de 1975"),
    ("date_of_birth", "nata il 03/04/1975", "03/04/1975"),
    ("medical_record", "MRN: 00123456", "00123456"),
    ("medical_record", "Fallnummer 2024/123456", "2024/123456"),
    ("medical_record", "historia clínica n.º 123456", "123456"),
    ("ip_address", "from 192.0.2.17 at", "192.0.2.17"),
    ("ip_address", "host 2001:db8::8a2e:370:7334 up", "2001:db8::8a2e:370:7334"),
    ("phone", "call (212) 555-0134", "(212) 555-0134"),
    ("phone", "on 020 7946 0123 today", "020 7946 0123"),
    ("phone", "Ruf 030 23125 123", "030 23125 123"),
    ("phone", "au 02.61.91.56.09 après", "02.61.91.56.09"),
    ("phone", "al +34 612 345 678", "+34 612 345 678"),
    ("phone", "Tel. 0301234567", "0301234567"),
    ("name", "Letter for Anna Schmidt.", "Anna Schmidt"),
    ("name", "Müller-Lang, Jürgen", "Müller-Lang, Jürgen"),
    ("name", "by JOHN F. SMITH on", "JOHN F. SMITH"),
    ("name", "María José García López llamó", "María José García López"),
    ("name", "jose: Jose Garcia", "Jose Garcia"),
    ("name", "Frau Dr. Unbekanntova kommt", "Unbekanntova"),
]


@pytest.mark.parametrize(("kind", "text", "value"), PRESENT)
def test_a_value_of_each_type_is_found_whole_and_alone(kind, text, value):
    assert found(text) == [(kind, value)]


def test_every_type_has_a_positive_case_and_sentences_to_measure_it_on():
    assert {kind for kind, _, _ in PRESENT} == set(BY_NAME)
    planted = {kind for kinds in POSITIVE.values() for kind in kinds} - {"titled"}
    assert planted == set(BY_NAME)


@pytest.mark.parametrize(
    "text",
    [
        "a@b, user@localhost, git@example.org:a/b, @home, 5 @ 3",
        "https://github.com/about and https://example.org/users/",
        "IBAN DE89 3704 0044 0532 0130 01",
        "IBAN GB82 WEST 1234 5698 7654 3",
        "card 4111 1111 1111 1112",
        "card 1111 1111 1111 1117",
        "NIR 2 55 08 14 168 025 39",
        "NIR 2 55 13 14 168 025 38",
        "codice MRTMTT25D09F205A",
        "DNI 12345678A, NIE X1234567M",
        "unter A123456781",
        "Steuer-ID 86 095 742 718",
        "Steuer-ID 01234567891",
        "NHS ward, 9434765918 items",
        "items 9434765919 in stock",
        "BSN 111222334",
        "items 111222333",
        "NI BG 12 34 56 C and AB 12 34 56 E",
        "SSN 666-09-9999, 000-12-3456, 912-12-3456, 219-00-9999, 219-09-0000",
        "order 219099999",
        "admitted 3 March 1975, seen 03.04.2021",
        "born early; DOB: 45.13.1975",
        "a birthday cake for 12 people",
        "medical record kept in room 12",
        "localhost 127.0.0.1, mask 255.255.255.0, any 0.0.0.0, 1.2.3.456, version 2.0.1.3, § 4.1.2.1, 1.2.3.4.5",
        "at 10:30:15 we met, C++ std::string a::b",
        "opened 01.02.2019 10.30, closed 03/04/2019",
        "ISBN 978-3-16-148410-0",
        "between 250-500 mg and 4000 mg",
        "the United States Department, Crohn disease, May Apply, M. bovis, Mr President",
        "anna schmidt in lower case",
        "Somewhere, MA 02110-1301, USA",
        "IN NO EVENT SHALL M.I.T. BE LIABLE",
        "Zebulon M. Quxworthy wrote it",
    ],
)
def test_what_only_looks_alike_is_left_alone(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("check", "valid"),
    [
        (checksums.luhn, "4111111111111111"),
        (checksums.iban, "DE89370400440532013000"),
        (checksums.nhs_number, "9434765919"),
        (checksums.bsn, "111222333"),
        (checksums.steuer_id, "86095742719"),
        (checksums.kvnr, "A123456780"),
        (checksums.nir, "255081416802538"),
        (checksums.dni, "12345678Z"),
        (checksums.codice_fiscale, "MRTMTT25D09F205Z"),
    ],
)
def test_every_change_of_one_digit_breaks_the_check(check, valid):
    assert check(valid)
    changed = [
        valid[:at] + digit + valid[at + 1 :]
        for at, one in enumerate(valid)
        if one.isdigit()
        for digit in "0123456789"
        if digit != one
    ]
    assert not [value for value in changed if check(value)]


def test_the_corsican_departments_of_a_nir_are_read():
    for place, number in (("2A", "19"), ("2B", "18")):
        key = 97 - int(f"18505{number}006084") % 97
        assert found(f"NIR 18505{place}006084{key:02d}") == [("fr_nir", f"18505{place}006084{key:02d}")]


def test_other_digits_and_letters_of_unicode_do_no_harm():
    odd = "٤١١١ ١١١١ ١١١١ ١١١١ \u212aRTMTT25D09F205Z １２３４５６７８Ｚ ſſ12 \ud7ff 2 55 08 14 168 025 ３８"
    assert found(odd) == []


def test_where_two_types_overlap_one_finding_is_left():
    assert without_overlaps([(0, 0, 10, 5), (0, 5, 20, 1), (0, 20, 22, 7), (1, 0, 3, 9)]) == [
        (0, 5, 20, 1),
        (0, 20, 22, 7),
        (1, 0, 3, 9),
    ]


@pytest.mark.parametrize(("kind", "_text", "value"), PRESENT)
def test_a_mask_never_holds_the_value(kind, _text, value):
    mask = personal.masked(kind, value)
    assert value not in mask
    kept = sum(one.isalnum() for one in mask)
    if kind not in ("url_user", "email"):
        assert kept <= max(1, len(value.split()))
    assert "secret" not in mask
    assert "jane" not in mask


def test_examples_are_masked_distinct_and_few():
    texts = pa.array([f"mail a{number}@example.org" for number in range(50)] + ["b@example.com"])
    shown = personal.examples(texts, personal.scan_texts(texts, CORE))
    assert shown == {"email": ["a…@…org", "b…@…com"]}


def test_equal_values_get_equal_surrogates_and_other_keys_other_ones():
    texts = pa.array(
        ["IBAN DE89 3704 0044 0532 0130 00.", "de89370400440532013000", "Anna Schmidt, ANNA SCHMIDT", None]
    )
    table = personal.scan_texts(texts, CORE)
    first, second, third, missing = personal.redact(texts, table, KEY).to_pylist()
    assert first == f"IBAN {second}."
    assert second.startswith("[IBAN_")
    assert len(second) == len("[IBAN_") + 11
    one, other = third.split(", ")
    assert one == other == personal.surrogate("name", "anna schmidt", KEY)
    assert missing is None
    assert personal.redact(texts, table, personal.new_key()).to_pylist()[1] != second
    assert texts.to_pylist()[1] == "de89370400440532013000"
    with pytest.raises(ValueError, match="16 bytes"):
        personal.surrogate("name", "x", b"short")


def test_what_was_redacted_is_not_found_again():
    texts = pa.array([text for _, text, _ in PRESENT])
    redacted = personal.redact(texts, personal.scan_texts(texts, CORE), KEY)
    assert personal.scan_texts(redacted, CORE).num_rows == 0
    for (_, _, value), text in zip(PRESENT, redacted.to_pylist(), strict=True):
        assert value not in text


def recall(table):
    """Share of planted values that were found, by type."""
    planted = table.filter(table["planted"])
    grouped = planted.group_by("type").aggregate([("found", "mean"), ("found", "count")]).to_pylist()
    return {one["type"]: (one["found_mean"], one["found_count"]) for one in grouped}


@pytest.mark.parametrize("extras", [False, True])
def test_of_5000_invented_sentences_the_scan_finds_what_it_promises(extras):
    sentences = personal.generate(5_000, seed=1)
    table = personal.measured(sentences, personal.scanner(extras=extras))
    shares = recall(table)
    assert set(shares) == set(BY_NAME)
    for kind, (share, n) in shares.items():
        assert n >= 30, kind
        assert share >= (0.99 if BY_NAME[kind].structured else 0.95), kind
    without = {number for number, one in enumerate(sentences) if one.type is None}
    alarms = {row["sentence"] for row in table.to_pylist() if row["found"] and not row["planted"]}
    assert len(alarms & without) / len(without) < 0.05


def test_the_generator_gives_the_same_sentences_for_a_seed_and_knows_where_values_stand():
    one, same = personal.generate(300, seed=4), personal.generate(300, seed=4)
    assert one == same != personal.generate(300, seed=5)
    for sentence in one:
        assert sentence.start + sentence.length <= len(sentence.text)
        assert (sentence.length > 0) == (sentence.type is not None)
    assert {"en", "de", "fr", "es"} <= {sentence.locale for sentence in one}


def test_invented_values_pass_the_checks_that_they_are_made_for():
    rng = np.random.default_rng(0)
    for kind in ("de_tax_id", "de_kvnr", "fr_nir", "es_dni", "it_codice_fiscale"):
        drawn = [values.DRAWN[kind](rng, "xx") for _ in range(50)]
        texts = pa.array([f"x {value} y" for value in drawn])
        table = personal.scan_texts(texts, CORE)
        assert table["type"].to_pylist() == [kind] * 50
        assert values_of(texts, table) == drawn


def test_listed_names_are_names_and_unlisted_ones_are_not_found():
    assert len(own_names().first) >= 350
    assert len(own_names().last) >= 320
    assert all(word[0] in UPPER for group in (*lists.FIRST.values(), *lists.LAST.values()) for word in group.split())
    assert found("Letter for Xqwzt Vbnmk.") == []


def test_without_the_extra_it_says_what_it_misses():
    assert any("names was not used" in sentence for sentence in CORE.missing)
    assert "own patterns" in CORE.sources["phones"]


def test_with_the_extra_more_names_are_found():
    pytest.importorskip("names", reason="the extra personal is not installed")
    by = personal.scanner()
    assert by.missing == ()
    assert "US Census 1990" in by.sources["names"]
    assert found("Letter for Marquetta Abernathy.", CORE) == []
    assert found("Letter for Marquetta Abernathy.", by) == [("name", "Marquetta Abernathy")]


def test_telephone_numbers_of_a_named_country_are_found_with_the_library():
    pytest.importorskip("phonenumbers", reason="the extra personal is not installed")
    by = personal.scanner(extras=False, regions=["NO"])
    assert "for NO" in by.sources["phones"]
    assert found("Ring 22 12 34 56 i dag", personal.scanner(["email", "phone"], extras=False, regions=["NO"]))
    assert found("nummer 22 12 34 56 i dag", CORE) == []
    assert found("nummer 22 12 34 56 i dag", by) == [("phone", "22 12 34 56")]
    with pytest.raises(ValueError, match="XX"):
        personal.scanner(regions=["XX"])


def test_a_named_country_without_the_library_is_said(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "phonenumbers", None)
    with pytest.raises(MissingExtraError, match="personal"):
        personal.scanner(regions=["NO"])


@pytest.mark.parametrize(
    ("heading", "value", "kind"),
    [
        ("date_of_birth", "03.04.1975", "date_of_birth"),
        ("Geburtsdatum", "1975-04-03", "date_of_birth"),
        ("mrn", "00123456", "medical_record"),
        ("patientId", "A1234567", "medical_record"),
        ("nhs-number", "943 476 5919", "gb_nhs"),
        ("ssn", "219099999", "us_ssn"),
        ("telephone", "2125550134", "phone"),
        ("visits", "2125550134", None),
        ("opened", "03.04.1975", None),
    ],
)
def test_the_name_of_a_column_counts_as_a_word_before_its_values(heading, value, kind):
    for texts in (pa.array([None, value]), pa.array([None, value], pa.large_string())):
        table = personal.scan_texts(texts, CORE, heading=heading)
        assert table["type"].to_pylist() == ([kind] if kind else [])
        assert values_of(texts, table) == ([value] if kind else [])


def test_an_unknown_type_is_refused():
    with pytest.raises(ValueError, match="emial"):
        personal.scanner(["emial"])
    assert [kind.name for kind in personal.scanner(["email"]).kinds] == ["email"]


def test_an_empty_column_has_no_findings():
    for texts in ([], [None, None], pa.chunked_array([], pa.large_string())):
        assert personal.scan_texts(texts, CORE).num_rows == 0
        assert scan_repeated(pa.array([], pa.large_string()), CORE).num_rows == 0


def test_a_column_that_holds_no_text_is_refused_and_a_wrong_name_is_told_the_nearest():
    table = pa.table({"notes": ["a"], "age": [3], "kind": pa.array(["x"]).dictionary_encode()})
    columns, left = personal.text_columns(table, [], "t.parquet")
    assert (list(columns), left) == (["notes", "kind"], ["age"])
    with pytest.raises(DataError) as caught:
        personal.text_columns(table, ["age", "note"], "t.parquet")
    assert "Column 'age' of t.parquet holds int64, no text." in str(caught.value)
    assert "Did you mean 'notes'?" in str(caught.value)
    with pytest.raises(DataError, match="no column of text"):
        personal.text_columns(pa.table({"age": [3]}), [], "t.parquet")


def labelled(rows, texts, groups):
    """Rows of one class."""
    return Labelled(np.array(rows), pa.array(texts, pa.large_string()), np.zeros(len(rows), np.int32), groups, {})


def test_texts_and_groups_of_every_split_are_looked_through_by_row_of_the_source():
    owners = pa.array(["a@example.org", "b"], pa.large_string())
    splits = Splits(
        ("x",),
        train=labelled([4, 9], ["nothing", "SSN 219-09-9999"], owners),
        validation=labelled([], [], pa.array([], pa.large_string())),
        pool=Unlabelled(np.array([7, 8]), pa.array(["x", None], pa.large_string()), owners),
        reserve=labelled([1], ["x"], owners[1:]),
        tests={"test": labelled([2, 3], ["x", "Anna Schmidt"], owners)},
        seed=0,
    )
    table = personal.scan_splits(splits, CORE, text="notes", group="owner")
    assert table.schema.equals(EVIDENCE)
    told = [(row["row"], row["column"], row["split"], row["type"]) for row in table.to_pylist()]
    assert sorted(told) == [
        (2, "owner", "test", "email"),
        (3, "notes", "test", "name"),
        (4, "owner", "train", "email"),
        (7, "owner", "pool", "email"),
        (9, "notes", "train", "us_ssn"),
    ]
    counts = personal.looked_at(splits, text="notes", group="owner")
    assert counts["notes"] == counts["owner"] == {"train": 2, "validation": 0, "pool": 2, "reserve": 1, "test": 2}


@pytest.mark.slow
def test_100_000_short_texts_take_seconds():
    sentences = [one.text for one in personal.generate(5_000, seed=2)]
    texts = pa.array([*(["Fracture of the left wrist, initial encounter"] * 19), "x"] * 5_000)
    began = time.process_time()
    assert personal.scan_texts(texts).num_rows == 0
    personal.scan_texts(pa.array(sentences * 4))
    assert time.process_time() - began < 20


def test_presidio_finds_by_pattern_without_a_model():
    pytest.importorskip("presidio_analyzer", reason="the extra presidio is not installed")
    from workbench.data.personal.presidio import scan_with_presidio

    texts = ["Write to jane.doe@example.org", "IBAN DE89370400440532013000", "nothing here"]
    table = scan_with_presidio(texts)
    assert list(zip(table["row"].to_pylist(), table["type"].to_pylist(), strict=True)) == [(0, "email"), (1, "iban")]


def test_presidio_that_is_not_installed_is_said(monkeypatch):
    from workbench.data.personal import presidio

    monkeypatch.setitem(__import__("sys").modules, "presidio_analyzer", None)
    with pytest.raises(MissingExtraError, match="presidio"):
        presidio.scan_with_presidio(["x"])
    with pytest.raises(ValueError, match="'xx'"):
        presidio.scan_with_presidio(["x"], language="xx")
