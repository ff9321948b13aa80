"""Addresses say what they are: made, taken apart, and when something is due."""

from datetime import date

import pytest

from backend.ledger import chart
from backend.policies.model import Policy
from backend.policies.terms import Expiry, Pending
from backend.usecases.award_accounts import course
from tests.worlds import rules

LI = "01900000-0000-7000-8000-000000000001"
NEW_YEAR = rules.at("2027-01-01T00:00:00+08:00")
SEVEN = rules.at("2026-12-08T07:00:00+08:00")


def test_every_address_is_taken_apart_again() -> None:
    last = date(2026, 12, 31)
    assert chart.lot(LI, "points", None) == chart.wallet(LI, "points") == f"resident:{LI}:points"
    assert chart.lot(LI, "points", last) == f"resident:{LI}:e20261231:points"
    assert chart.pending(LI, "fen", SEVEN, last) == f"pending:{LI}:2026120807:e20261231:fen"
    assert chart.collect(LI, "forest", "gco2e", SEVEN, None) == f"collect:{LI}:forest:2026120807:-:gco2e"

    waiting = chart.place_of(chart.pending(LI, "fen", SEVEN, last))
    assert (waiting.resident, waiting.moment_ms, waiting.last_day, waiting.unit) == (LI, SEVEN, last, "fen")
    assert waiting.lot == chart.lot(LI, "fen", last)
    assert waiting.debt == f"debt:{LI}:fen"
    assert chart.place_of(chart.collect(LI, "forest", "gco2e", SEVEN, None)).lot == chart.wallet(LI, "gco2e")
    assert chart.place_of("budget:green:3:points").policy == "green"


@pytest.mark.parametrize("account", ["", "resident", "wallet:x:points", "pending:x:points", "treasury:x:y"])
def test_what_is_no_address_is_refused(account: str) -> None:
    with pytest.raises(ValueError, match="not an account"):
        chart.place_of(account)


def test_a_lot_is_over_when_its_last_day_is() -> None:
    assert chart.due_ms(chart.lot(LI, "points", date(2026, 12, 31))) == NEW_YEAR
    assert chart.due_ms(chart.pending(LI, "points", SEVEN, None)) == SEVEN
    assert chart.due_ms(chart.collect(LI, "forest", "points", SEVEN, None)) == SEVEN


@pytest.mark.parametrize(
    "account", [chart.wallet(LI, "points"), chart.debt(LI, "fen"), "treasury:fen", *chart.budget("green", "points", 3)]
)
def test_most_accounts_wait_for_nothing(account: str) -> None:
    assert chart.due_ms(account) is None


def test_only_what_the_city_grants_and_a_resident_owes_may_be_below_nothing() -> None:
    assert chart.floor_of(chart.treasury("fen")) is chart.floor_of(chart.debt(LI, "fen")) is None
    for account in (chart.expired("fen"), chart.redeemed("fen"), chart.wallet(LI, "fen"), "budget:green:fen"):
        assert chart.floor_of(account) == 0


def test_residents_are_locked_before_what_many_share() -> None:
    shared = ["budget:a:points", "expired:points", "redeemed:points", "treasury:points"]
    own = [chart.collect(LI, "a", "points", SEVEN, None), chart.debt(LI, "points"), chart.wallet(LI, "points")]
    assert sorted([*shared, *own], key=chart.lock_order) == [*own, *shared]


def policy(**changes: object) -> Policy:
    return rules.compiled({**rules.document(policy="forest"), **changes}).policy


@pytest.mark.parametrize(
    ("sold_at", "changes", "address"),
    [
        ("2026-03-15T12:00:00+08:00", {}, f"resident:{LI}:points"),
        ("2026-03-15T12:00:00+08:00", {"expiry": {"months": 12}}, f"resident:{LI}:e20270331:points"),
        ("2026-11-30T23:59:59+08:00", {"expiry": {"months": 3}}, f"resident:{LI}:e20270228:points"),
        ("2026-12-01T00:00:00+08:00", {"expiry": {"months": 3}}, f"resident:{LI}:e20270331:points"),
        ("2027-11-30T00:00:00+08:00", {"expiry": {"months": 3}}, f"resident:{LI}:e20280229:points"),
        ("2026-03-15T12:00:00+08:00", {"expiry": {"on": "2026-12-31"}}, f"resident:{LI}:e20261231:points"),
        ("2026-03-15T00:00:00+08:00", {"pending": {"days": 7}}, f"pending:{LI}:2026032300:-:points"),
        ("2026-03-15T23:59:59+08:00", {"pending": {"days": 7}}, f"pending:{LI}:2026032300:-:points"),
        (
            "2026-03-16T00:00:00+08:00",
            {"pending": {"days": 7}, "expiry": {"months": 12}},
            f"pending:{LI}:2026032400:e20270331:points",
        ),
        (
            "2026-03-15T12:00:00+08:00",
            {"pending": {"collect_hours": 72}},
            f"collect:{LI}:forest:2026031812:-:points",
        ),
        (
            "2026-03-15T12:00:01+08:00",
            {"pending": {"collect_hours": 72}},
            f"collect:{LI}:forest:2026031813:-:points",
        ),
    ],
)
def test_the_sale_says_where_its_award_goes(sold_at: str, changes: dict[str, object], address: str) -> None:
    one = policy(**changes)

    assert course(one, "points", rules.at(sold_at)).of(LI) == address
    assert one.timed == bool(changes)


def test_a_policy_without_terms_has_none() -> None:
    assert policy().pending == Pending()
    assert policy().expiry == Expiry()
