"""Any content gives a reading within bounds; nothing unreadable, unusable or personal carries what it must not."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.labels.model import Confidence, Reading, Scheme, Scope
from backend.labels.parse import parse
from backend.labels.sentences import WARNINGS
from tests.pure.labels.numbers import gtin13, organic_marks, serials, usccs

_NAMES = st.sampled_from(
    [None, "EAN13", "UPC_E", "UPCA", "QRCODE", "CODE128", "DATAMATRIX", "ITF", "DataBar", "Telepen", ""]
)
_AIMS = st.sampled_from([None, "]C1", "]d2", "]Q3", "]e0", "]E0", "]Q1", "]I1", "", "x"])
_GRAMMAR = st.lists(
    st.sampled_from(
        ["01", "06939400204821", "21", "10", "\x1d", "(01)", "(21)", "(", ")", "https://", "id.gs1.org", "/", "//", "%", "%2F",
         "?", "&", "=", "@", ":", "el.bbqk.com", "eprel.ec.europa.eu", "/qr/", "GF320583", "LB-15-", "有机码", "：", "FSC®",
         "CNCA-R-2002-", "OP", "-", " ", "\u200b", "９", "²", "٣", "X", "R1S", "GPM1.", "ecode:",
         "\ud800", "\x00", "]C1", "证书编号", "17261399", "8003", "00"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


def _assert_lawful(reading: Reading) -> None:
    if reading.usable:
        assert reading.key is not None
        assert reading.scope not in {Scope.NONE, Scope.CRITERIA}
    else:
        assert reading.scope in {Scope.NONE, Scope.CRITERIA}
    if reading.key is not None:
        assert reading.key.startswith(f"{reading.scheme}:")
        assert reading.key.isascii()
        assert reading.key.isprintable()
        assert len(reading.key) <= 300
    assert set(reading.warnings) <= set(WARNINGS)
    assert all(value.isprintable() and len(value) <= 300 for value in reading.parts.values())
    assert hash(reading) == hash(reading)
    if reading.personal or reading.secret:
        assert (reading.key, reading.registry_keys, dict(reading.parts)) == (None, (), {})


@given(st.binary(max_size=2048), _NAMES, _AIMS)
def test_any_bytes_give_a_lawful_reading(content: bytes, symbology: str | None, aim: str | None) -> None:
    _assert_lawful(parse(content, symbology, aim))


@given(st.text(max_size=600) | _GRAMMAR, _NAMES, _AIMS)
def test_any_text_gives_a_lawful_reading(text: str, symbology: str | None, aim: str | None) -> None:
    _assert_lawful(parse(text, symbology, aim))


@given(
    st.one_of(gtin13(), organic_marks(), usccs(), serials().map("https://id.gs1.org/01/06939400204821/21/".__add__)),
    st.integers(0, 60),
    st.characters(),
    _NAMES,
)
def test_a_label_with_a_foreign_character_inside_gives_a_lawful_reading(
    text: str, place: int, intruder: str, symbology: str | None
) -> None:
    _assert_lawful(parse(text[:place] + intruder + text[place:], symbology))


@given(gtin13() | organic_marks() | usccs(), st.integers(0, 12), st.characters(categories=["Nd"]))
def test_no_digit_of_another_script_passes_for_an_ascii_one(text: str, place: int, digit: str) -> None:
    same_to_unicode = unicodedata.normalize("NFKC", digit)
    reading = parse(text[:place] + digit + text[place + 1 :])

    if same_to_unicode.isascii():
        assert reading == parse(text[:place] + same_to_unicode + text[place + 1 :])
    else:
        assert (reading.key, reading.usable) == (None, False)


@pytest.mark.parametrize("content", [b"1" * 2049, "1" * 2049, "中" * 683, "\ud800" * 700, b"\x00" * 1_000_000])
def test_content_beyond_two_kibibytes_is_refused_unread(content: bytes | str) -> None:
    assert parse(content).warnings == ("too_long",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        "",
        " ",
        "\x1d",
        "]C1",
        "]",
        b"\xff\xff",
        "(",
        "https://",
        "有机码",
        "()",
        "https://[::1]/01/1",
        "https://a.example/\ud800?\udfff=\ud800",
    ],
)
def test_almost_nothing_is_no_label(content: bytes | str) -> None:
    reading = parse(content)

    assert (reading.key, reading.usable) == (None, False) or reading.scheme is Scheme.URL


def test_an_unreadable_code_keeps_none_of_its_text() -> None:
    assert parse("我的地址是某路 8 号") == Reading(
        Scheme.UNREADABLE, None, Scope.NONE, usable=False, confidence=Confidence.REVIEW, warnings=("unknown_format",)
    )


def test_a_strange_address_keeps_its_host_and_nothing_else_of_its_text() -> None:
    reading = parse("https://pay.example/t/SECRETTOKEN?name=zhangsan")

    assert dict(reading.parts) == {"host": "pay.example"}
    assert "SECRETTOKEN" not in repr(reading)
    assert "zhangsan" not in repr(reading)


@pytest.mark.parametrize(
    "pattern",
    ["\x00", "1", "A", "a.", "(10)A", "20", "01/", "01/0952/", "a=1&", "%41", "%", "中", "\u0315\u0300\u0323\u0316",
     "\ufdfa", "１", "320583199001011230 ", "证书", "NO ", "CERT ", " ", "-", "/", "]C1", "有机码", "FSC ", "GF",
     "10A\x1d", "@", "a-", "R1S", "0OP"],
)  # fmt: skip
@pytest.mark.parametrize(
    "head", ["", "]C1", "https://a.example/", "https://a.example/?", "有机码", "FSC", "EU ECOLABEL"]
)
def test_hostile_repetition_is_read_in_linear_time(pattern: str, head: str) -> None:
    # A ceiling for catastrophic backtracking and quadratic folding, not a benchmark: 1 ms of its own is the aim.
    text = (head + pattern * 2048).encode()[:2048].decode("utf-8", "ignore")

    started = time.thread_time()
    reading = parse(text, "QRCODE")
    elapsed_ms = (time.thread_time() - started) * 1000

    assert elapsed_ms < 50
    _assert_lawful(reading)
