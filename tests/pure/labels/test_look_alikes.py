"""Numbers of one length and several meanings: people, firms, crates, organic marks; hosts that imitate others."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.labels.model import Confidence, Reading, Scheme, Scope
from backend.labels.parse import parse
from backend.labels.trust import Trust
from tests.pure.labels.numbers import (
    citizen_check,
    citizen_ids,
    digits,
    gtin13,
    mod_ten,
    organic_marks,
    uscc_check,
    usccs,
)


def _everything(reading: Reading) -> str:
    return repr(reading) + str(reading) + json.dumps([reading.key, reading.registry_keys, dict(reading.parts)])


@given(
    citizen_ids(),
    st.sampled_from(
        [
            "{}",
            "身份证号：{}",
            "张三 {} 男",
            "https://a.example/?id={}",
            "有机码：{}",
            "]C1{}",
            "{0}",
            "GF{}",
            "(10){}",
            "ID:{};",
            "https://a.example/{}/01",
        ]
    ),
)
def test_a_citizen_id_is_refused_and_nothing_of_it_is_kept(number: str, text: str) -> None:
    reading = parse(text.format(number))

    assert reading.scheme is Scheme.CITIZEN_ID
    assert reading.personal
    assert not reading.usable
    assert number[:6] not in _everything(reading)
    assert number[6:14] not in _everything(reading)


@given(citizen_ids(), st.sampled_from([" ", "-", "\u3000", "\u200b", "－"]))
def test_a_citizen_id_is_refused_in_any_spelling(number: str, separator: str) -> None:
    spellings = [
        separator.join((number[:6], number[6:14], number[14:])),
        number.lower(),
        "".join(chr(ord(digit) + 0xFEE0) for digit in number),
        f"https://a.example/?id=%{ord(number[0]):x}{number[1:]}",
    ]

    assert {parse(spelling).scheme for spelling in spellings} == {Scheme.CITIZEN_ID}


@given(citizen_ids(), gtin13())
def test_a_citizen_id_in_the_serial_of_an_element_string_is_refused_too(number: str, item: str) -> None:
    for payload in (f"]C1010{item}21{number}", f"https://id.gs1.org/01/{item}/21/{number}", f"(01)0{item}(10){number}"):
        reading = parse(payload)
        assert reading.scheme is Scheme.CITIZEN_ID
        assert number[6:14] not in _everything(reading)


def test_a_citizen_born_before_the_county_had_its_code_is_still_a_citizen() -> None:
    payload = "320583" + "19500101" + "123"  # Kunshan carries 320583 since 1989

    assert parse(payload + citizen_check(payload)).scheme is Scheme.CITIZEN_ID


@pytest.mark.parametrize("last", [*"0123456789X"])
def test_a_citizen_id_with_a_wrong_last_character_still_names_a_person(last: str) -> None:
    reading = parse(f"32010119900101001{last}")

    assert reading.scheme is Scheme.CITIZEN_ID
    assert reading.key is None


def test_an_old_citizen_id_of_fifteen_digits_is_refused() -> None:
    assert parse("320583900101123").scheme is Scheme.CITIZEN_ID
    assert parse("320583901301123").scheme is Scheme.CERTIFICATE


def test_a_phone_number_is_not_kept() -> None:
    reading = parse("138 0013 8000")

    assert (reading.scheme, reading.personal, reading.key) == (Scheme.PHONE_NUMBER, True, None)


def _all_digit_usccs(prefix: str, tails: range) -> list[str]:
    numbers = []
    for tail in tails:
        payload = f"{prefix}{tail:0{17 - len(prefix)}d}"
        check = uscc_check(payload)
        if check.isdigit():
            numbers.append(payload + check)
    return numbers


def test_an_all_digit_enterprise_that_passes_the_citizen_check_but_names_no_day_is_an_enterprise() -> None:
    firms = [number for number in _all_digit_usccs("91320583", range(5000)) if citizen_check(number[:17]) == number[17]]

    assert firms
    assert {parse(firm).scheme for firm in firms} == {Scheme.USCC}


def test_when_person_and_enterprise_are_both_possible_nothing_is_kept() -> None:
    # 51 1101 19 … is a social group in Beijing's Yanqing (110119) and a person of Leshan (511101) born in 1990.
    both = [n for n in _all_digit_usccs("51110119900101", range(1000)) if citizen_check(n[:17]) == n[17]]

    assert both
    for number in both:
        reading = parse(number)
        assert (reading.key, reading.warnings) == (None, ("may_be_enterprise",))
        assert reading.personal


@given(usccs().flatmap(lambda number: st.tuples(st.just(number), st.integers(0, 17))))
def test_an_enterprise_that_lost_a_character_is_never_a_certain_unit(lost: tuple[str, int]) -> None:
    number, place = lost

    reading = parse(number[:place] + number[place + 1 :])

    assert reading.scope is not Scope.UNIT or reading.confidence is Confidence.REVIEW


@given(st.sampled_from(("91110000", "91320583", "92320583", "51320100", "12110000")), digits(10), st.integers(8, 17))
def test_an_all_digit_enterprise_that_lost_a_digit_is_no_unit_at_all(head: str, tail: str, place: int) -> None:
    number = head + tail

    reading = parse(number[:place] + number[place + 1 :])

    assert (reading.scope, reading.usable) == (Scope.NONE, False)


@given(st.sampled_from(("0001", "0100", "0134")), st.integers(22, 30), digits(11))
def test_of_bare_organic_digits_those_with_a_logistic_check_digit_need_review(body: str, year: int, rest: str) -> None:
    payload = f"{body}{year}{rest}"
    crate = payload + mod_ten(payload)
    other = payload + str((int(crate[-1]) + 1) % 10)

    assert (parse(crate).scope, parse(crate).confidence) == (Scope.NONE, Confidence.REVIEW)
    assert (parse(other).scope, parse(other).confidence) == (Scope.UNIT, Confidence.LIKELY)
    assert (parse("有机码" + crate).scope, parse("有机码" + crate).key) == (Scope.UNIT, f"organic:{crate}")
    assert parse("]C100" + crate).scheme is Scheme.SSCC


@pytest.mark.parametrize(
    ("code", "warning"),
    [
        ("10024123456789012", "year_implausible"),
        ("000121123456789012", "year_implausible"),
        ("99912123456789012", "body_unknown"),
    ],
)
def test_an_organic_mark_that_does_not_fit_its_rule_needs_review_and_is_not_rejected(code: str, warning: str) -> None:
    reading = parse("有机码" + code)

    assert reading.key is not None
    assert reading.key.endswith(code[-14:])
    assert (reading.scheme, reading.confidence) == (Scheme.ORGANIC, Confidence.REVIEW)
    assert warning in reading.warnings


@given(organic_marks())
def test_an_organic_mark_dated_after_the_sale_is_no_unit(mark: str) -> None:
    year = 2000 + int(mark[3:5])

    assert parse("有机码" + mark, year=year).scope is Scope.UNIT
    assert parse("有机码" + mark, year=year - 1).scope is Scope.NONE


def test_a_body_that_the_city_knows_needs_no_review() -> None:
    mark = "有机码96612123456789012"

    assert parse(mark).confidence is Confidence.REVIEW
    assert parse(mark, trust=Trust(bodies={"9066": "某外资机构"})).confidence is Confidence.CERTAIN


@given(organic_marks().map(lambda mark: mark[:16]) | organic_marks().map(lambda mark: mark + "12"))
def test_organic_words_with_another_number_of_digits_give_no_key(digits_after: str) -> None:
    assert parse("有机码" + digits_after).warnings == ("organic_length",)


@pytest.mark.parametrize(
    "address",
    [
        "https://eprel.ec.europa.eu.evil.tld/qr/1779994",
        "https://eprel.ec.europa.eu@evil.tld/qr/1779994",
        "https://eprel.ec.europa.eu:443@evil.tld/qr/1779994",
        "https://eprel.ec.europa.eu:8443/qr/1779994",
        "https://evil.tld\\@eprel.ec.europa.eu/qr/1779994",
        "https://evil.tld/eprel.ec.europa.eu/qr/1779994",
        "https://eprel-ec.europa.eu/qr/1779994",
        "http://e1.bbqk.com/abz1v/0.html",
        "http://el.bbqk.com.cn/abz1v/0.html",
        "http://bbqk.com/abz1v/0.html",
        "https://www.energy1abel.com.cn/signDetails?productId=1",
        "https://energylabel.com.cn.evil.tld/signDetails?productId=1",
        "ftp://eprel.ec.europa.eu/qr/1779994",
        "https://еprel.ec.europa.eu/qr/1779994",
    ],
)
def test_a_host_is_trusted_whole_or_not_at_all(address: str) -> None:
    reading = parse(address)

    assert reading.scheme in {Scheme.URL, Scheme.UNREADABLE}
    assert not reading.usable


@pytest.mark.parametrize(
    "address",
    [
        "https://eprel.ec.europa.eu.evil.tld/qr/1",
        "https://eprel.ec.europa.eu@evil.tld/qr/1",
        "http://e1.bbqk.com/abz1v",
    ],
)
def test_an_imitated_host_is_named_so(address: str) -> None:
    assert parse(address).warnings == ("look_alike_host",)


def test_a_known_host_with_an_unknown_page_is_no_label() -> None:
    assert parse("https://www.energylabel.com.cn/index").warnings == ("unknown_page",)
    assert parse("https://www.energylabel.com.cn/signDetails?productId=1&productId=2").key != "energy_label:1"


def test_a_registry_page_stands_for_the_certificate_it_shows() -> None:
    page = "https://cx.cnca.cn/CertECloud/result/skipResultList?certItemOne=A&certNumber={}"

    assert parse(page.format("134OP1400173")).key == "organic_certificate:134OP1400173"
    assert parse(page.format("00216Q10097R1S")).scheme is Scheme.SYSTEM_CERTIFICATE
    assert parse("https://cx.cnca.cn/CertECloud/index").confidence is Confidence.REVIEW


def test_a_host_is_recognised_when_the_city_configures_it() -> None:
    trust = Trust(certificate_hosts=frozenset({"green.example"}), ecode_prefixes=("ec=",))

    assert parse("https://green.example/p/1").usable is False
    assert parse("https://green.example/p/1", trust=trust).usable is True
    assert parse("EC=abc123", trust=trust).key == "ecode:abc123"


def test_contradictory_serials_in_one_digital_link_name_no_unit() -> None:
    reading = parse("https://id.gs1.org/01/09521234543213/21/A?21=B")

    assert (reading.key, reading.warnings) == (None, ("gs1_conflict",))


def test_a_damaged_element_string_names_its_product_and_never_a_unit() -> None:
    reading = parse("]C10106939400204821" + "21SER\x1d$$$")

    assert (reading.key, reading.scope) == ("gtin:06939400204821", Scope.MODEL)
    assert reading.confidence is Confidence.REVIEW


def test_a_date_that_does_not_exist_needs_review() -> None:
    assert parse("]C10106939400204821" + "17260230").warnings == ("gs1_date",)
    assert parse("]C10106939400204821" + "17260200").confidence is Confidence.CERTAIN


@given(st.sampled_from(("02", "04", *map(str, range(20, 30)))), digits(10))
def test_an_in_store_number_never_supports_an_award(prefix: str, item: str) -> None:
    payload = prefix + item

    reading = parse(payload + mod_ten(payload), "EAN13")

    assert (reading.scheme, reading.usable, reading.registry_keys) == (Scheme.RCN, False, ())


def test_our_own_bearer_codes_are_not_kept() -> None:
    for text in ("GPM1." + "A" * 123, "K7QX-2M4P-9RTV-W3YZ", "k7qx-2m4p-9rtv-w3yz"):
        reading = parse(text)
        assert reading.secret
        assert (reading.key, dict(reading.parts)) == (None, {})
