"""What may not be kept is in no column; what is hostile is kept safely."""

import hashlib
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, City, Till, raw_read, read, resident, states

LI = resident(1)
PERSONS_NUMBER = "11010519491231002X"
"""The example of GB 11643-1999."""
CLAIM_CODE = "ABCD-EFGH-JKMN-PQRS"


@pytest.fixture
def city(usual_city: City) -> City:
    return usual_city


def everything(owners_url: str) -> str:
    """Every column of every table, bytes as text too; read by the owner, since no other role may see them all."""
    found: list[Any] = []
    with psycopg.connect(owners_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        for (table,) in tables:
            found += connection.execute(f'SELECT * FROM "{table}"').fetchall()
    return " ".join(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for row in found for value in row
    )


@pytest.mark.parametrize(
    "label",
    [
        read(PERSONS_NUMBER),
        read(f"https://example.com/?id={PERSONS_NUMBER}"),
        raw_read(f"证件 {PERSONS_NUMBER}".encode("gb18030")),
        read(CLAIM_CODE),
        read(FRIDGE, sn=PERSONS_NUMBER),
        read(FRIDGE, sn=f"{PERSONS_NUMBER[:6]} {PERSONS_NUMBER[6:14]} {PERSONS_NUMBER[14:]}"),
        read(FRIDGE, sn=f"SN-{PERSONS_NUMBER.lower()}"),
        read(FRIDGE, sn=CLAIM_CODE),
    ],
    ids=[
        "alone",
        "in an address",
        "in GB18030",
        "claim code",
        "serial",
        "spaced serial",
        "within a serial",
        "claim serial",
    ],
)
def test_a_persons_number_or_a_bearer_code_is_kept_nowhere(
    city: City, database_url: str, label: dict[str, Any]
) -> None:
    till = city.till()
    line = till.line(read(FRIDGE), label)

    assert states(city.record(till.arrival(line))) == ["recorded"]
    assert states(city.record(till.arrival(line))) == ["duplicate"]
    assert states(city.record(till.arrival(line.replace(b'"qty":1', b'"qty":2')))) == ["quarantined"]

    kept = everything(database_url)
    assert PERSONS_NUMBER[6:] not in kept.upper().replace(" ", "")
    assert CLAIM_CODE not in kept
    assert books.rows(city.database, "SELECT line, octet_length(sha256) FROM baskets") == [(None, 32)]
    second = "none" if label["sn"] is None else "unclaimed"
    assert [scan.outcome for scan in books.decided(city.database, NANJING)] == ["unclaimed", second]


def test_a_cashier_who_signs_by_an_identity_number_is_not_named(city: City, database_url: str) -> None:
    city.record(city.till().basket(read(FRIDGE), cashier=PERSONS_NUMBER))

    assert PERSONS_NUMBER not in everything(database_url)
    assert books.rows(city.database, "SELECT line, cashier FROM baskets") == [(None, None)]


@pytest.mark.parametrize(
    "serial", ["SN20261122000123", "13912345678", "4907052020041234", "\u00ad\u3000序列", "x" * 64]
)
def test_any_other_serial_is_kept_with_its_line(city: City, serial: str) -> None:
    till = city.till()
    line = till.line(read(FRIDGE, sn=serial))

    city.record(till.arrival(line))

    assert books.rows(city.database, "SELECT line FROM baskets") == [(line,)]
    assert books.columns(city.database, NANJING, "d.serial") == [(serial,)]


def test_nobody_can_guess_a_line_that_is_not_kept_by_its_hash(city: City, database_url: str) -> None:
    """Of an identity number little is unknown; whoever could try them all against a plain hash would find it."""
    till = city.till()
    line = till.line(read(PERSONS_NUMBER))
    forged = line.replace(b'"qty":1', b'"qty":2')

    (recorded,) = city.record(till.arrival(line))
    city.record(till.arrival(forged))

    stored = books.rows(city.database, "SELECT sha256 FROM baskets UNION ALL SELECT payload_sha256 FROM quarantine")
    assert len(stored) == 2
    assert not {(hashlib.sha256(one).digest(),) for one in (line, forged)} & set(stored)
    assert recorded.sha256 == hashlib.sha256(line).digest(), "the till knows its basket by it"


def test_a_line_that_was_not_kept_before_hashes_were_keyed_is_known_again(city: City, database_url: str) -> None:
    till = city.till()
    line = till.line(read(PERSONS_NUMBER))
    city.record(till.arrival(line))
    with psycopg.connect(database_url) as owner:
        owner.execute("UPDATE baskets SET sha256 = %s", [hashlib.sha256(line).digest()])

    assert states(city.record(till.arrival(line))) == ["duplicate"]


def test_a_member_code_read_as_a_label_is_kept_nowhere(city: City, database_url: str) -> None:
    code = city.issue_code(LI)

    city.record(city.till().basket(read(FRIDGE), read(code)))

    assert code not in everything(database_url)
    assert books.decided(city.database, NANJING)[1].reason == "label_member_code"


HOSTILE = [
    "\x00",
    "\x00" * 2_048,
    "".join(map(chr, range(32))) * 64,
    "\x1b[2J",
    "\u202e123",
    '{"\\',
    "'; DROP TABLE x; --",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_code_cashier_and_serial_is_recorded_and_harmless(city: City, text: str) -> None:
    till = city.till()
    line = till.line(read(text, sn=text[:64]), cashier=text[:64])

    assert states(city.record(till.arrival(line))) == ["recorded"]

    assert books.rows(city.database, "SELECT line FROM baskets") == [(line,)]
    ((code, shown, serial),) = books.columns(city.database, NANJING, "d.code, d.code_text, d.serial")
    assert code == text.encode() if shown != text else code is None
    assert all(one.isprintable() for one in (shown, serial))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=60), st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=30))
def test_any_bytes_and_any_text_are_recorded(city: City, content: bytes, label: str, serial: str) -> None:
    """Half surrogates cannot come by JSON's strict parser, so they are no text here."""
    till = _numbered(city)
    text = label.encode("utf-8", "ignore").decode() or "?"
    sn = serial.encode("utf-8", "ignore").decode() or "?"
    line = till.line(raw_read(content), read(text, sn=sn), read(FRIDGE, sn=sn), cashier=sn)

    answers = city.record(till.arrival(line))

    assert states(answers) == ["recorded"]


def _numbered(city: City) -> Till:
    """The same till; its numbers go on from example to example."""
    city.codes_issued += 1
    return Till(city.code, 1, seq=city.codes_issued)
