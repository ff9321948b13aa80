"""What tills are told offline: made of what is valid and in force, in versions whose differences give exactly the newest."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from backend.certificates.amend import StateChange, change_state
from backend.certificates.model import CertificateState
from backend.ledger import chart
from backend.policies.lifecycle import Turn
from backend.policies.store import PolicyCache
from backend.retailers.store import Store
from backend.snapshots import queries
from backend.storage.transaction import Database, observed
from backend.usecases.make_snapshot import Made, MakeSnapshot
from backend.usecases.open_store import open_store
from backend.usecases.set_lease_terms import set_lease_terms
from backend.usecases.turn_policy import turn_policy
from scanner.snapshot.labels import label_of
from scanner.sources.model import CodeSeen
from tests.worlds import rules
from tests.worlds.city import (
    FRIDGE,
    NANJING,
    NOON,
    RICE,
    TELEVISION,
    WASHER,
    City,
    gtin,
    open_city,
    read,
    register,
    resident,
)
from tests.worlds.lending import TERMS, policies

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
GRADES = rules.document(
    rules.rule("one", rules.fixed(30), rules.where("grade", "=", 1)),
    rules.rule("priced", rules.percent(200), rules.where("certificate_scheme", "=", "organic")),
)


@pytest.fixture
def city(engine_db: Database) -> City:
    return open_city(engine_db, GRADES)


def make(city: City, now: Any = NOON) -> Made:
    return MakeSnapshot(city.database, PolicyCache(chart.budget)).make(city.code, now)


def newest(city: City, after: int | None = None) -> queries.Newest:
    with city.database.read() as connection:
        found = queries.newest(connection, city.code, after)
    assert found is not None
    return found


def lines(city: City) -> dict[str, str]:
    """The whole snapshot as a till unpacks it, its hash checked."""
    whole = newest(city)
    assert whole.body is not None
    content = zlib.decompress(whole.body)
    assert hashlib.sha256(content).digest() == whole.sha256
    found = dict(line.split("\t") for line in content.decode().splitlines())
    assert len(found) == whole.lines
    return found


def offered(city: City, code: str, zone: str = "") -> Any:
    """What a label of the product would earn: without a price, with one."""
    held = lines(city)
    product = held.get(f"g:0{code}")
    if product is None:
        return None
    offers = json.loads(held[f"k:{json.loads(product)[1]}"])[1]
    return offers.get(zone, offers[""])[:2]


def applied(city: City, before: Mapping[str, str], after: int) -> dict[str, str]:
    """`before` with the difference that a till of that version is given."""
    held = newest(city, after)
    assert held.body is None
    with city.database.read() as connection:
        changes = queries.changes(connection, city.code, after, held.version)
    changed = dict(before)
    for key, line in changes:
        if line is None:
            del changed[key]
        else:
            changed[key] = line
    return changed


def number(code: str) -> str:
    return f"202601-14-10000001-0000{code[-9:-1]}"


def record(city: City, code: str, state: CertificateState, now: Any = NOON) -> None:
    change_state(city.database, StateChange(number(code), None, state, date(2026, 11, 22), "试验", "tests", now))


def test_it_says_of_each_product_what_it_would_earn_and_until_when(city: City) -> None:
    assert make(city) == Made(made=1, lines=8)

    assert offered(city, FRIDGE) == [{"points": 15}, {"points": 30}]
    assert offered(city, RICE) == [{}, {"points": "price"}]
    assert offered(city, WASHER) == [{}, {}]
    name, _, until = json.loads(lines(city)[f"g:0{FRIDGE}"])
    assert (name, until) == ("冰箱", 2**53 - 1)
    # The policy ends with 2027.
    assert {json.loads(line)[0] for key, line in lines(city).items() if key[0] == "k"} == {
        rules.at("2028-01-01T00:00:00+08:00")
    }


def test_what_is_as_it_was_is_confirmed_in_a_constant_number_of_statements(city: City) -> None:
    make(city)
    first = newest(city)
    seen: list[str] = []

    with observed(seen.append):
        again = make(city, NOON + MINUTE)

    assert again == Made(confirmed=1)
    assert newest(city).version == first.version
    assert newest(city).checked_at == NOON + MINUTE
    register(city.database, *({"code": gtin(n), "grade": "1"} for n in range(100, 130)))
    few: list[str] = []
    with observed(few.append):
        assert make(city, NOON + 2 * MINUTE).made == 1
    assert (len(seen), len(few)) == (10, 15)


def test_every_day_has_a_version_of_its_own_even_if_it_says_the_same(city: City) -> None:
    """A database restored from a backup would else be refused by tills that hold a later version, for ever."""
    make(city)
    version, before = newest(city).version, lines(city)
    register(city.database, {"code": gtin(7), "state": "暂停", "state_from": "2026-01-01"})

    assert make(city, NOON + MINUTE) == Made(made=1, lines=0)
    assert make(city, NOON + DAY) == Made(made=1, lines=0)

    assert newest(city).version == int((NOON + DAY).timestamp())
    assert applied(city, before, version) == before


def test_makers_that_race_make_one_version(city: City) -> None:
    with ThreadPoolExecutor(4) as racers:
        made = list(racers.map(lambda _: make(city), range(4)))

    assert sorted(made) == [Made(confirmed=1)] * 3 + [Made(made=1, lines=8)]
    assert len(lines(city)) == 8


def test_every_difference_gives_exactly_the_newest(city: City) -> None:
    held = []
    for step in range(5):
        now = NOON + step * MINUTE
        if step == 1:
            register(city.database, {"code": gtin(1), "grade": "1"}, {"code": gtin(2), "grade": "2"}, now=now)
        if step == 2:
            record(city, FRIDGE, CertificateState.SUSPENDED, now)
        if step == 3:
            record(city, FRIDGE, CertificateState.VALID, now)
            record(city, gtin(1), CertificateState.WITHDRAWN, now)
        if step == 4:
            suspended = {"notice_zh": "暂停公告", "reason": "试验", "by": "tests", "now": now}
            city.database.write(lambda c, s=suspended: turn_policy(c, city.code, "green", Turn.SUSPEND, **s))  # type: ignore[misc]
        make(city, now)
        held.append((newest(city).version, lines(city)))

    versions = [version for version, _ in held]
    assert versions == sorted(set(versions))
    for version, before in held:
        assert applied(city, before, version) == held[-1][1]


def test_who_was_away_for_longer_than_differences_are_kept_is_given_the_whole(city: City) -> None:
    make(city)
    old = newest(city).version
    record(city, FRIDGE, CertificateState.WITHDRAWN)

    make(city, NOON + 8 * DAY)

    assert newest(city, old).body is not None
    assert newest(city, newest(city).version).body is None
    assert newest(city, newest(city).version + 1).body is not None


def test_an_exhausted_budget_and_a_suspension_are_known_within_the_minute(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(budget=10))
    make(city)
    assert offered(city, TELEVISION) == [{"points": 5}, {"points": 10}]

    city.record(city.till().basket(read(FRIDGE), resident=resident(1)))
    make(city, NOON + MINUTE)

    assert offered(city, TELEVISION) == [{}, {}]


def test_a_budget_near_its_end_makes_no_version_a_minute(engine_db: Database) -> None:
    """Whatever is told as spent stays so for an hour, although something came back."""
    city = open_city(engine_db, rules.document(budget=10))
    sold = city.till().basket(read(FRIDGE), resident=resident(1))
    made = []

    for visit in range(26):
        if visit == 1:
            city.record(sold)
        elif visit > 1:
            leave(engine_db, 0 if visit % 2 else 1)
        made.append(make(city, NOON + visit * 5 * MINUTE).made)

    assert sum(made) == 4
    assert offered(city, TELEVISION) == [{}, {}]


def leave(database: Database, balance: int) -> None:
    """As sales and returns leave the budget."""
    change = f"UPDATE accounts SET balance = {balance} WHERE account LIKE 'budget:%%'"
    database.write(lambda connection: connection.exec_driver_sql(change))


def test_a_policy_of_some_places_speaks_only_there(engine_db: Database) -> None:
    doc = rules.document(rules.rule("here", rules.fixed(7), rules.where("store", "=", "s2"))) | {
        "scope": {"districts": ["320104"]}
    }
    city = open_city(engine_db, doc)
    for store, district in (("s1", "320102"), ("s2", "320104"), ("s3", "320104")):
        opened = Store(NANJING, store, "示例超市", "示例店", district)
        engine_db.write(lambda c, opened=opened: open_store(c, opened, NOON))  # type: ignore[misc]

    make(city)

    places = {key: json.loads(line)[0] for key, line in lines(city).items() if key.startswith("p:")}
    assert places == {"p:320104": "320104", "p:s/s2": "s/s2"}
    assert offered(city, FRIDGE) == [{}, {}]
    assert offered(city, FRIDGE, "320104") == [{}, {}]
    assert offered(city, FRIDGE, "s/s2") == [{"points": 3}, {"points": 7}]


def test_labels_that_are_no_product_codes_are_known_by_what_a_till_reads(city: City) -> None:
    address = "https://www.energylabel.com.cn/signDetails?productId=990000000003"
    short = "https://wl.bbqk.com/AbC12"
    written = [{"code": code, "grade": "1", "certificate_no": f"202601-14-10000001-9000{place}"}
               for place, code in enumerate((address, short))]  # fmt: skip
    register(city.database, *written)

    make(city)

    reads = [label_of(CodeSeen(code=code, symbology="QRCODE", mono_ms=1, src="test")) for code in (address, short)]
    assert [label is not None and label.key in lines(city) for label in reads] == [True, True]


def test_a_mark_of_an_approved_body_is_told_by_its_body_and_never_promised(city: City) -> None:
    """The body stands for all of its marks; one of them may have been paid for already."""
    row = {
        "code": "organic_body:0100",
        "certificate_no": "100OP1200001",
        "product": "有机产品",
        "category": "食品",
        "scheme": "organic",
    }
    register(city.database, row, {**row, "code": "organic_body:9999", "certificate_no": "100OP1200002"})
    pays = rules.rule("mark", rules.fixed(7), rules.where("certificate_scheme", "=", "organic"))
    city.publish(rules.document(pays, policy="marks"))
    city.database.write(lambda c: set_lease_terms(c, policies(), NANJING, TERMS, "tests", NOON))
    make(city)

    held = lines(city)

    known = label_of(CodeSeen(code="有机码：010024123456789012", symbology="QRCODE", mono_ms=1, src="test"))
    assert known is not None
    name, kind, _ = json.loads(held[known.key])
    assert (name, json.loads(held[f"k:{kind}"])[1][""][0]) == ("有机产品", {"points": 3})
    assert (f"l:{kind}" in held, "o:9999" in held) == (False, False)
    assert any(key.startswith("l:") for key in held)
