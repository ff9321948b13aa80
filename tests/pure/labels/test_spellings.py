"""Two spellings of one label give one key, and its canonical form is a spelling of itself."""

import random
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.labels.carriers.gtin import expanded_upc_e
from backend.labels.model import Scheme, Scope
from backend.labels.parse import parse
from tests.pure.labels.numbers import digits, gtin13, mod_ten, organic_marks, serials, usccs

_WIDE = {point: point + 0xFEE0 for point in range(0x21, 0x7F)}
_INVISIBLE = "\u200b\u200d\ufeff\u2060\u00ad"
_DASHES = "-‐‑–—−－"

TEXT_LABELS = st.one_of(
    gtin13(),
    organic_marks(),
    organic_marks().map("有机码：".__add__),
    usccs(),
    digits(4).map("GF32058323".__add__),
    digits(7).map("LB-15-1901".__add__).map(lambda text: text + "A"),
    digits(5).map("100OP12".__add__),
    digits(6).map("FSC-C".__add__),
    digits(6).map("SGSHK-COC-".__add__),
    digits(4).map("PEFC/01-32-".__add__),
    digits(3).map("FR/016/".__add__),
    digits(2).map("DE-UZ 1".__add__),
    digits(3).map("EL".__add__),
    digits(10).map("202106-27-11027226-".__add__),
    digits(3).map("CNCA-R-2002-".__add__),
    digits(6).map("2009010702".__add__),
    digits(5).map("00216Q".__add__).map(lambda text: text + "R1S"),
    digits(7).map("CQC2070".__add__),
)


def _respelled(text: str, dice: random.Random) -> str:
    """The same label: wide, in another case, with other dashes, invisible characters inside, blanks around."""
    letters = []
    for letter in text:
        spelled = letter.swapcase() if dice.random() < 0.3 else letter
        if letter == "-":
            spelled = dice.choice(_DASHES)
        elif dice.random() < 0.3:
            spelled = spelled.translate(_WIDE)
        letters.append(spelled + (dice.choice(_INVISIBLE) if dice.random() < 0.2 else ""))
    return dice.choice(("", " ", "\u3000", "\n", "\t ")) + "".join(letters) + dice.choice(("", "\r\n", " ", "\x00"))


@given(TEXT_LABELS, st.randoms(use_true_random=False))
def test_one_printed_label_has_one_key_however_it_is_spelled(text: str, dice: random.Random) -> None:
    reading = parse(text)

    assert reading.key is not None
    assert parse(_respelled(text, dice)) == reading
    assert parse(_respelled(text, dice).encode()) == reading


@given(TEXT_LABELS)
def test_the_encoding_of_older_chinese_codes_changes_nothing(text: str) -> None:
    assert parse(text.encode("gb18030")) == parse(text)


@given(TEXT_LABELS)
def test_a_canonical_form_parses_to_itself(text: str) -> None:
    key = parse(text).key

    assert key is not None
    assert parse(key.partition(":")[2]).key == key


@given(gtin13(), serials())
def test_a_canonical_unit_or_crate_parses_to_itself(number: str, serial: str) -> None:
    for payload in (f"]C1010{number}21{serial}", f"]C180030{number}{serial[:16]}"):
        reading = parse(payload)
        assert reading.key is not None
        assert reading.scope is Scope.UNIT
        assert parse(reading.key.partition(":")[2]).key == reading.key


@given(gtin13())
def test_a_product_number_has_one_key_in_every_length_and_carrier(number: str) -> None:
    spellings = [
        parse(number),
        parse(number.encode(), "EAN13", "]E0"),
        parse("0" + number, "ITF", "]I1"),
        parse(f"{number[0]} {number[1:7]} {number[7:]}"),
        parse("]E0" + number),
        parse("01" + "0" + number, "DataBar"),
        parse("]C1010" + number),
        parse("\x1d010" + number, "QR_CODE"),
        parse(f"(01)0{number}"),
        parse(f"https://brand.example/01/{number}"),
        parse(number, "QRCODE"),
    ]

    assert {reading.key for reading in spellings} == {f"gtin:0{number}"}


@given(digits(11))
def test_upc_a_is_the_ean_13_with_a_zero_in_front(payload: str) -> None:
    upc = payload + mod_ten(payload)

    assert parse(upc, "UPCA") == parse("0" + upc, "EAN-13") == parse("00" + upc)


@given(st.sampled_from("01"), digits(6))
def test_upc_e_is_the_upc_a_it_stands_for(system: str, body: str) -> None:
    unchecked = expanded_upc_e(system + body + "0")
    assert unchecked is not None
    upc_a = unchecked[:11] + mod_ten(unchecked[:11])

    assert parse(system + body + upc_a[-1], "UPC_E") == parse(upc_a, "UPCA") == parse("0" + upc_a, "UPCE")


@given(digits(7))
def test_ean_8_is_the_number_padded_with_zeroes(payload: str) -> None:
    short = payload + mod_ten(payload)

    assert parse(short, "EAN8") == parse(short.zfill(13)) == parse(short.zfill(14), "ITF")


@given(gtin13(), serials(), st.randoms(use_true_random=False))
def test_one_unit_has_one_key_in_element_strings_and_in_every_digital_link(
    number: str, serial: str, dice: random.Random
) -> None:
    key = f"sgtin:(01)0{number}(21){serial.upper()}"
    gtin_in_path = dice.choice((number, "0" + number))
    links = [
        f"https://id.gs1.org/01/{gtin_in_path}/21/{serial}",
        f"http://Brand.Example:80/shop/de/01/{gtin_in_path}/10/LOT/21/{serial}/",
        f"HTTPS://ID.GS1.ORG/GTIN/{gtin_in_path}/SER/{serial.upper()}",
        f"https://brand.example/gtin/{gtin_in_path}/lot/L1/ser/{serial}?17=261231&utm_source=qr#top",
        f"https://brand.example/01/{gtin_in_path}/21/{serial}?utm_source=qr&17=261231",
        f"https://brand.example/01/{gtin_in_path}?21={serial}&x=1",
        f"https://brand.example/01/{gtin_in_path}/21/" + "".join(f"%{ord(letter):02x}" for letter in serial),
        f"https://brand.example/01/{gtin_in_path}/21/" + quote(serial, safe=""),
    ]
    strings = [
        f"]C1010{number}21{serial}",
        f"]d2010{number}10LOT\x1d21{serial}\x1d17261231",
        f"\x1d21{serial}\x1d010{number}",
        f"(01)0{number}(21){serial}",
        f"(01) 0{number} (10) LOT (21) {serial}",
    ]

    assert {parse(spelling).key for spelling in links + strings} == {key}
    assert all(parse(spelling).scope is Scope.UNIT for spelling in links + strings)


@given(digits(12), st.permutations(["productId={}", "tenantId=854", "productTypeCode=32", "isOld=1"]))
def test_an_energy_label_is_its_product_id_in_any_order_of_the_query(product: str, query: list[str]) -> None:
    address = "//{}energylabel.com.cn/signDetails?" + "&".join(query).format(product)
    spellings = [
        "https:" + address.format("www."),
        "http:" + address.format(""),
        ("https:" + address.format("WWW.")).upper(),
        address.format("www.").removeprefix("//"),
        "https:" + address.format("www.").replace("tenantId=854", "tenantId="),
    ]

    assert {parse(spelling).key for spelling in spellings} == {f"energy_label:{product}"}


@pytest.mark.parametrize(
    "spelling",
    [
        "http://el.bbqk.com/abz1v/0.html",
        "https://el.bbqk.com/abz1v",
        "http://EL.bbqk.com:80/abz1v/",
        "HTTP://EL.BBQK.COM/ABZ1V/0.HTML",
        "el.bbqk.com/abz1v/0.html",
        "http://el.bbqk.com./%61bz1v/0.html?from=app#x",
        "ｈｔｔｐ://el.bbqk.com/abz1v/0.html",
    ],
)
def test_a_short_energy_address_has_one_key(spelling: str) -> None:
    assert parse(spelling).key == "energy_label:bbqk/abz1v"


@pytest.mark.parametrize(
    "spelling", ["/qr/1779994", "/qr/01779994", "/QR/1779994/", "/qr/1779994?lang=de", "/qr/%31779994"]
)
def test_an_eprel_address_has_one_key(spelling: str) -> None:
    assert parse("https://eprel.ec.europa.eu" + spelling).key == "eprel:1779994"


@pytest.mark.parametrize(
    "spelling", ["FSC-C104928", "FSC® C104928", "FSC®-C104928", "fsc(r) c104928", "FSC C 104928", "FSC™C104928"]
)
def test_an_fsc_licence_has_one_key(spelling: str) -> None:
    assert parse(spelling).key == "fsc:FSC-C104928"


@pytest.mark.parametrize(
    "spelling", ["GF320583230001", "gf 320583 23 0001", "GF3205832300 01", "企业信息码：GF320583230001"]
)
def test_a_green_food_code_has_one_key(spelling: str) -> None:
    assert parse(spelling).key == "green_food_gf:GF320583230001"


@pytest.mark.parametrize(
    "spelling", ["LB-15-19012700330A", "LB15-19012700330A", "lb 15 19012700330 a", "绿色食品编号 LB-15-19012700330A"]
)
def test_a_green_food_number_has_one_key(spelling: str) -> None:
    assert parse(spelling).key == "green_food_lb:LB-15-19012700330A"


@pytest.mark.parametrize("spelling", ["DE-UZ 14a", "DE-UZ14A", "de uz 14a", "RAL-UZ 14a", "DE-UZ 014a"])
def test_a_blue_angel_document_has_one_key(spelling: str) -> None:
    assert parse(spelling).key == "blue_angel:DE-UZ 14a"


@pytest.mark.parametrize(
    "spelling", ["ES-CA/020/00001", "ESCA/020/00001", "es-ca / 020 / 00001", "EU Ecolabel: ES-CA/020/00001"]
)
def test_an_eu_ecolabel_has_one_key(spelling: str) -> None:
    assert parse(spelling).key == "eu_ecolabel:ES-CA/020/00001"


@pytest.mark.parametrize(
    "spelling", ["91371323760038087M", "91371323 760038087 M", "统一社会信用代码：91371323760038087m"]
)
def test_an_enterprise_has_one_key(spelling: str) -> None:
    assert parse(spelling).key == "uscc:91371323760038087M"


@given(organic_marks())
def test_an_organic_mark_has_one_key_with_words_and_blanks_or_without(mark: str) -> None:
    spaced = " ".join((mark[:3], mark[3:5], mark[5:11], mark[11:]))
    spellings = [
        mark,
        "有机码" + mark,
        "有机码：" + mark,
        "有机码 " + spaced,
        "有機碼:" + mark,
        spaced,
        "Organic code: " + mark,
        "有机码" + "0" + mark,
    ]

    assert {parse(spelling).key for spelling in spellings} == {f"organic:0{mark}"}


def test_an_unknown_address_has_one_key_in_any_order_of_its_query() -> None:
    spellings = ["https://a.example/p?x=1&y=2", "http://A.EXAMPLE:80/p/?y=2&x=1#f", "https://a.example/%70?x=%31&y=2"]
    readings = [parse(spelling) for spelling in spellings]

    assert len({reading.key for reading in readings}) == 1
    assert all(reading.scheme is Scheme.URL and not reading.usable for reading in readings)


@pytest.mark.parametrize(
    "names",
    [
        ("EAN13", "EAN-13", "EAN_13"),
        ("QRCODE", "QRCode", "QR Code", "QR_CODE"),
        ("I25", "ITF", "ITF-14"),
        ("CODE128", "Code128", "Code 128", "CODE_128"),
        ("DataMatrix", "DATA_MATRIX", "Data Matrix"),
        ("DATABAR", "DataBar", "DataBarOmni", "RSS_14"),
        ("DATABAR_EXP", "DataBarExpanded", "RSS_EXPANDED"),
        ("UPCA", "UPC-A", "UPC_A"),
        ("UPCE", "UPC-E", "UPC_E"),
        ("EAN8", "EAN-8", "EAN_8"),
    ],
)
def test_every_reader_names_a_symbology_in_its_own_way(names: tuple[str, ...]) -> None:
    from backend.labels.symbologies import Symbology, symbology_of

    assert len({symbology_of(name) for name in names}) == 1
    assert symbology_of(names[0]) is not Symbology.OTHER
    assert symbology_of("Telepen") is Symbology.OTHER
