"""A till finds what it read where the server's parser would: the same product code, the same kind of label."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.labels.model import Scheme
from backend.labels.parse import parse
from scanner.snapshot.labels import Label, label_of
from scanner.sources.model import CodeSeen
from tests.worlds.city import gtin

GTINS = st.integers(0, 10**9 - 1).map(gtin)
SERIALS = st.text("ABCxyz0123456789-/", min_size=1, max_size=12)
READ = frozenset({Scheme.GTIN, Scheme.SGTIN, Scheme.ENERGY_LABEL, Scheme.WATER_LABEL, Scheme.ORGANIC})
DATES = st.sampled_from(["11261231", "17261231", "15270101"])


def looked_up(code: str, symbology: str, aim: str | None) -> Label | None:
    return label_of(CodeSeen(code=code, symbology=symbology, mono_ms=1, src="test", aim=aim))


def as_the_server_reads(code: str, symbology: str, aim: str | None) -> Label | None:
    reading = parse(code, symbology, aim)
    if not reading.usable or reading.scheme not in READ:
        return None
    if reading.scheme is Scheme.ORGANIC:
        return Label(f"o:{reading.registry_keys[1].partition(':')[2]}", unit=False)
    if reading.scheme not in (Scheme.GTIN, Scheme.SGTIN):
        return Label(f"w:{reading.key}", unit=False)
    return Label(f"g:{reading.registry_keys[0].partition(':')[2]}", reading.scheme is Scheme.SGTIN)


@st.composite
def elements(draw: st.DrawFn) -> tuple[str, str, str]:
    parts = draw(
        st.lists(
            st.one_of(DATES, SERIALS.map(lambda s: f"10{s}\x1d"), SERIALS.map(lambda s: f"21{s}\x1d")),
            max_size=3,
            unique_by=lambda part: part[:2],
        )
    )
    text = f"010{draw(GTINS)}{''.join(parts)}"
    return text.removesuffix("\x1d"), "DATAMATRIX", draw(st.sampled_from(["]d2", "]C1", "]Q3"]))


@st.composite
def printed(draw: st.DrawFn) -> tuple[str, str, None]:
    parts = "".join(f"({ai}){draw(SERIALS)}" for ai in draw(st.sampled_from(["", "1", "2", "12"])).replace("1", "x"))
    return f"(01)0{draw(GTINS)}" + parts.replace("(x)", "(10)").replace("(2)", "(21)"), "QRCODE", None


IDS = st.text("0123456789", min_size=0, max_size=21)
pairs = st.one_of(
    st.builds("{}={}".format, st.sampled_from(["productId", "PRODUCTID", "tenantId", "productTypeCode"]), IDS),
    st.sampled_from(["", "isOld=1", "productId", "productId=1a"]),
)
official = st.builds(
    lambda scheme, host, path, query, end: (f"{scheme}{host}/{path}?{'&'.join(query)}{end}", "QRCODE", None),
    st.sampled_from(["https://www.", "http://", "HTTPS://WWW.", "www.", "https://m.", "ftp://"]),
    st.sampled_from(
        ["energylabel.com.cn", "waterlabel.org.cn", "Energylabel.com.cn", "energylabel.com.cn.example.com"]
    ),
    st.sampled_from(["signDetails", "signdetails/", "other"]),
    st.lists(pairs, max_size=3),
    st.sampled_from(["", "#top"]),
)
short = st.builds(
    lambda host, label, tail, spell: (spell(f"https://{host}.bbqk.com/{label}{tail}"), "QRCODE", None),
    st.sampled_from(["el", "wl", "www.el", "xl"]),
    st.text("abcXYZ019", min_size=2, max_size=18),
    st.sampled_from(["", "/", "/0.html", "/1.html"]),
    st.sampled_from([str, str.upper]),
)
linked = st.builds(
    lambda code, rest: (f"https://id.gs1.org/01/{code}{rest}", "QRCODE", None),
    GTINS,
    st.sampled_from(["", "/10/L1", "/21/S-1", "/10/L1/21/S1"]),
)
marks = st.builds(
    lambda words, digits: (f"{words}{digits}", "QRCODE", None),
    st.sampled_from(["有机码", "有机码：", "有机碼 ", "中国有机产品有机码:"]),
    st.from_regex(r"[0-9]{3,4}[0-5][0-9][0-9]{12}", fullmatch=True, alphabet="0123456789"),
)
plain = st.builds(
    lambda code, symbology: (code, symbology, None), GTINS, st.sampled_from(["EAN13", "QRCODE", "CODE128"])
)
wrong = st.builds(lambda code: (code[:-1] + str((int(code[-1]) + 1) % 10), "EAN13", None), GTINS)


@settings(deadline=None, max_examples=200)
@given(st.one_of(elements(), printed(), plain, wrong, official, short, linked, marks))
def test_product_codes_are_read_as_the_server_reads_them(code: tuple[str, str, str | None]) -> None:
    found = looked_up(*code)

    # Any other text may be another label's own; a snapshot knows which are.
    assert (None if found is None or found.key.startswith("t:") else found) == as_the_server_reads(*code)


@pytest.mark.parametrize(
    ("code", "symbology", "aim", "key"),
    [
        ("0012345000065", "UPCE", "]E0", "g:00012345000065"),
        ("96385074", "EAN8", None, "g:00000096385074"),
        ("96385074", "UPCE", None, None),
        ("GF320115230001", "QRCODE", None, "t:GF320115230001"),
        ("0109521234000013" + "99X", "DATAMATRIX", "]d2", "t:010952123400001399X"),
        ("好", "QRCODE", None, None),
        ("", "QRCODE", None, None),
    ],
)
def test_other_forms(code: str, symbology: str, aim: str | None, key: str | None) -> None:
    found = looked_up(code, symbology, aim)

    assert (found and found.key) == key
