"""Quotes at the till: told without a trace, held to the fen, captured as promised, given back whole."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from backend.policies.lifecycle import Turn
from backend.policies.model import Outcome
from backend.retailers.store import StoreUnknown
from backend.scans.quote_store import QuoteRow
from backend.scans.quotes import (
    CaptureBeyondQuote,
    CaptureConflict,
    QuoteCaptured,
    QuoteConflict,
    QuoteExpired,
    QuoteState,
    QuoteUnknown,
    QuoteVoided,
)
from backend.storage.transaction import Database
from backend.usecases import overdue, release_quote
from backend.usecases.turn_policy import turn_policy
from tests.worlds import books, later, rules
from tests.worlds.city import (
    FRIDGE,
    NANJING,
    NOON,
    RICE,
    TELEVISION,
    UNCERTIFIED,
    WASHER,
    City,
    open_city,
    read,
    resident,
    unit_label,
)
from tests.worlds.quotes import Desk, awards, counters, open_desk, reserved

LI, WANG = resident(1), resident(2)
SOON = NOON + timedelta(minutes=5)
LATE = NOON + timedelta(minutes=15)
TABLES = ("quotes", "quoted_decisions", "quote_counters", "baskets", "decisions", "transfers", "cap_counters")
CAPS = [rules.cap("day", "day", 25), rules.cap("life", "lifetime", 10**6)]


@pytest.fixture
def city(engine_db: Database) -> City:
    return open_city(engine_db, rules.document(caps=CAPS, budget=1_000))


@pytest.fixture
def desk(city: City) -> Desk:
    return open_desk(city)


def left(desk: Desk) -> int:
    return books.budget_left(desk.database, NANJING)


def test_a_dry_run_says_what_a_basket_earns_and_leaves_no_trace(desk: Desk) -> None:
    before = [books.count(desk.database, table, NANJING) for table in TABLES]

    told = desk.dry_run(read(FRIDGE), read(UNCERTIFIED), read(FRIDGE), read(FRIDGE), person=LI)

    assert (told.quote, told.state, awards(told)) == (None, QuoteState.DRY, [10, 0, 10, 5])
    assert [line.cashier.zh for line in told.lines] == [
        "奖励 10 分。",
        "商品待核实，按原价收款。",
        "奖励 10 分。",
        "奖励 5 分。",
    ]
    assert "每日上限 25 分" in told.lines[3].customer.zh
    assert [(cap.cap, cap.left) for cap in told.lines[0].caps] == [("day", 0), ("life", 999_975)]
    assert told.lines[0].caps[0].words.zh == "您的每日上限 25 分，还剩 0 分"
    assert [books.count(desk.database, table, NANJING) for table in TABLES] == before
    assert left(desk) == 1_000


def test_a_member_code_is_not_spent_by_a_dry_run_and_is_by_a_hold(desk: Desk) -> None:
    code = desk.city.issue_code(LI)

    assert awards(desk.dry_run(read(FRIDGE), member=code)) == [10]
    assert awards(desk.dry_run(read(FRIDGE), member=code)) == [10]
    assert awards(desk.hold(read(FRIDGE), member=code)) == [10]
    told = desk.dry_run(read(FRIDGE), member=code)

    assert awards(told) == [0]
    assert told.lines[0].cashier.zh == "会员码不能用，请顾客出示新的会员码。"


def test_a_hold_moves_the_budget_aside_and_takes_the_counters(desk: Desk) -> None:
    quote = desk.hold(read(FRIDGE), read(FRIDGE), person=LI)

    assert (quote.state, awards(quote), quote.expires_at) == (QuoteState.HELD, [10, 10], LATE)
    assert (left(desk), reserved(desk.database, NANJING)) == (980, 20)
    assert counters(desk.database, NANJING) == {"green/day": 20, "green/life": 20}
    assert books.wallet(desk.database, NANJING, LI) == 0
    assert awards(desk.dry_run(read(FRIDGE), person=LI)) == [5]
    later.assert_verified(desk.database, NANJING)


def test_the_same_key_answers_the_same_quote_and_other_content_is_refused(desk: Desk) -> None:
    code = desk.city.issue_code(LI)
    first = desk.hold(read(FRIDGE), member=code, key="the-same-key")

    again = desk.hold(read(FRIDGE), member=code, key="the-same-key", now=SOON)
    with pytest.raises(QuoteConflict):
        desk.hold(read(FRIDGE), read(FRIDGE), member=code, key="the-same-key")

    assert again == first
    assert (left(desk), books.count(desk.database, "quotes", NANJING)) == (990, 1)
    later.assert_verified(desk.database, NANJING)


def test_a_captured_quote_is_a_recorded_basket_with_the_promised_awards(desk: Desk) -> None:
    quote = desk.hold(read(FRIDGE), read(UNCERTIFIED), read(FRIDGE), person=LI)

    done = desk.capture(quote, now=SOON)
    again = desk.capture(quote, now=LATE + timedelta(days=1))

    assert (done.state, awards(done), done.settled_at) == (QuoteState.CAPTURED, [10, 0, 10], SOON)
    assert again == done
    assert books.wallet(desk.database, NANJING, LI) == 20
    assert (left(desk), reserved(desk.database, NANJING)) == (980, 0)
    assert [one.outcome for one in books.decided(desk.database, NANJING)] == [
        Outcome.AWARDED,
        Outcome.PENDING,
        Outcome.AWARDED,
    ]
    assert later.open_codes(desk.database, NANJING) == [f"gtin:0{UNCERTIFIED}"]
    later.assert_verified(desk.database, NANJING)


def test_fewer_lines_are_decided_within_the_promise_and_the_rest_goes_back(desk: Desk) -> None:
    """Three fridges: 10, 10, and 5 by the cap of the day. Without the first the third is no longer cut."""
    quote = desk.hold(read(FRIDGE), read(FRIDGE), read(FRIDGE), person=LI)

    done = desk.capture(quote, (1, 1, 10_000), (2, 1, 9_000), now=SOON)

    assert awards(quote) == [10, 10, 5]
    assert awards(done) == [10, 10]
    assert books.wallet(desk.database, NANJING, LI) == 20
    assert (left(desk), reserved(desk.database, NANJING)) == (980, 0)
    assert counters(desk.database, NANJING) == {"green/day": 20, "green/life": 20}
    later.assert_verified(desk.database, NANJING)


def test_fewer_pieces_and_a_lower_price_earn_what_they_are_worth(engine_db: Database) -> None:
    doc = rules.document(rules.rule("tenth", rules.percent(1_000)), budget=10**6, caps=[rules.cap("day", "day", 5_000)])
    desk = open_desk(open_city(engine_db, doc))
    quote = desk.hold(read(FRIDGE, qty=3, price_fen=30_000), read(RICE, price_fen=1_000), person=LI)

    done = desk.capture(quote, (0, 2, 18_000), (1, 1, 1_000))

    assert awards(quote) == [3_000, 100]
    assert awards(done) == [1_800, 100]
    assert books.budget_left(engine_db, NANJING) == 10**6 - 1_900
    assert counters(engine_db, NANJING) == {"green/day": 1_900}
    later.assert_verified(engine_db, NANJING)


def test_a_cashier_is_not_told_how_far_a_sign_of_misuse_is(engine_db: Database) -> None:
    sweep = {**rules.cap("sweep", "day", 500), "per": "cashier", "beyond": "hold"}
    city = open_city(engine_db, rules.document(caps=[*CAPS, sweep]))

    told = open_desk(city).dry_run(read(FRIDGE), person=LI, cashier="c07")

    assert [cap.cap for cap in told.lines[0].caps] == ["day", "life"]


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ([(0, 3, 30_000)], "0"),
        ([(0, 1, 10_001)], "0"),
        ([(0, 2, 20_001)], "0"),
        ([(0, 2, 20_000), (2, 1, 100)], "2"),
        ([(0, 2, 20_000), (0, 1, 100), (1, 1, None)], "0, 1"),
    ],
    ids=["more pieces", "a higher price a piece", "a higher price", "another line", "twice, and without its price"],
)
def test_what_goes_beyond_the_quote_is_refused_by_name(
    desk: Desk, lines: list[tuple[int, int, int | None]], named: str
) -> None:
    quote = desk.hold(read(FRIDGE, qty=2, price_fen=20_000), read(WASHER, price_fen=5_000), person=LI)

    with pytest.raises(CaptureBeyondQuote) as refused:
        desk.capture(quote, *lines)

    assert refused.value.facts == {"lines": named}
    assert reserved(desk.database, NANJING) == 20
    later.assert_verified(desk.database, NANJING)


def test_a_voided_quote_gives_back_budget_counters_and_labels(desk: Desk) -> None:
    label = unit_label("S1")
    quote = desk.hold(read(label), read(FRIDGE), person=LI)
    assert awards(desk.dry_run(read(label), person=WANG)) == [0]

    assert desk.void(quote).state == QuoteState.VOIDED
    assert desk.void(quote).state == QuoteState.VOIDED

    assert (left(desk), reserved(desk.database, NANJING), counters(desk.database, NANJING)) == (1_000, 0, {})
    assert awards(desk.capture(desk.hold(read(label), person=WANG))) == [10]
    with pytest.raises(QuoteVoided):
        desk.capture(quote)
    later.assert_verified(desk.database, NANJING)


def test_a_label_of_one_piece_moves_with_its_line_or_is_free_again(desk: Desk) -> None:
    first, second = unit_label("S1"), unit_label("S2")
    quote = desk.hold(read(first), read(FRIDGE), read(second), person=LI)

    desk.capture(quote, (1, 1, 10_000), (2, 1, 10_000))

    claims = books.rows(desk.database, "SELECT key, line_no FROM unit_claims")
    assert [(key.endswith("S2"), line) for key, line in claims] == [(True, 1)]
    assert awards(desk.dry_run(read(first), person=WANG)) == [10]
    later.assert_verified(desk.database, NANJING)


def test_a_piece_that_was_read_twice_earns_by_whichever_line_is_paid(desk: Desk) -> None:
    label = unit_label("S1")
    quote = desk.hold(read(label), read(label), person=LI)
    assert awards(quote) == [10, 0]

    captured = desk.capture(quote, (1, 1, 10_000))

    assert awards(captured) == [10]
    claims = books.rows(desk.database, "SELECT key, line_no FROM unit_claims")
    assert [(key.endswith("S1"), line) for key, line in claims] == [(True, 0)]
    assert (left(desk), reserved(desk.database, NANJING)) == (990, 0)
    assert awards(desk.dry_run(read(label), person=WANG)) == [0]
    later.assert_verified(desk.database, NANJING)


def test_what_is_not_captured_in_time_goes_back_and_is_refused_by_name(desk: Desk) -> None:
    quote = desk.hold(read(FRIDGE), person=LI)
    longer = desk.hold(read(FRIDGE), person=LI, minutes=60)

    with pytest.raises(QuoteExpired) as early:
        desk.capture(quote, now=LATE)
    assert desk.expire(LATE - timedelta(seconds=1)) == 0
    assert desk.expire(LATE) == 1
    assert desk.expire(LATE) == 0

    assert early.value.facts["expired_at_zh"] == "2026-11-22 12:15:00"
    assert (left(desk), reserved(desk.database, NANJING)) == (990, 10)
    with pytest.raises(QuoteExpired):
        desk.capture(quote, now=LATE)
    assert desk.void(quote, now=LATE).state == QuoteState.EXPIRED
    assert desk.capture(longer, now=NOON + timedelta(minutes=59)).state == QuoteState.CAPTURED
    later.assert_verified(desk.database, NANJING)


def test_quotes_that_cannot_be_given_back_keep_none_behind_them_from_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {desk.hold(read(FRIDGE), person=LI, minutes=minutes).quote for minutes in (1, 2)}
    desk.hold(read(FRIDGE), person=WANG)
    as_ever = release_quote.release

    def breaks_at_some(connection: Connection, city: str, row: QuoteRow, state: QuoteState, now: datetime) -> None:
        assert row.basket not in broken
        as_ever(connection, city, row, state, now)

    monkeypatch.setattr(release_quote, "release", breaks_at_some)
    monkeypatch.setattr(overdue, "OVERDUE_MAX", 1)

    assert desk.expire(LATE) == 1
    assert desk.expire(LATE) == 0


def test_a_captured_quote_is_not_voided_and_not_captured_with_other_lines(desk: Desk) -> None:
    quote = desk.hold(read(FRIDGE), read(FRIDGE), person=LI)
    desk.capture(quote, (0, 1, 10_000))

    with pytest.raises(QuoteCaptured) as refused:
        desk.void(quote)
    with pytest.raises(CaptureConflict):
        desk.capture(quote)

    assert "退货" in refused.value.sentence_zh
    assert awards(desk.capture(quote, (0, 1, 10_000))) == [10]


def test_a_promise_outlives_suspension_a_new_version_and_an_empty_budget(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(budget=30))
    desk = open_desk(city)
    whole, part = desk.hold(read(FRIDGE), person=LI), desk.hold(read(FRIDGE), read(RICE), person=WANG)
    city.record(city.till().basket(read(FRIDGE), resident=resident(3)))
    city.publish(rules.document(rules.rule("one", rules.fixed(1)), starts="2026-11-22T12:01:00+08:00"))
    engine_db.write(
        lambda c: turn_policy(
            c, NANJING, "green", Turn.SUSPEND, notice_zh="暂停发放。", reason="试", by="王处长", now=SOON
        )
    )
    then = NOON + timedelta(minutes=10)

    assert awards(desk.dry_run(read(FRIDGE), person=resident(4), now=then)) == [0]
    assert awards(desk.capture(whole, now=then)) == [10]
    assert awards(desk.capture(part, (1, 1, 10_000), now=then)) == [10]
    assert books.wallet(engine_db, NANJING, WANG) == 10
    later.assert_verified(engine_db, NANJING)


def test_what_others_took_meanwhile_does_not_cut_what_was_promised(engine_db: Database) -> None:
    """The day's cap is 25: the quote took 20 of it, a basket the last 5, and a smaller capture gives 10 back."""
    city = open_city(engine_db, rules.document(caps=CAPS))
    desk = open_desk(city)
    quote = desk.hold(read(FRIDGE), read(FRIDGE), person=LI)
    city.record(city.till().basket(read(FRIDGE), resident=LI))

    done = desk.capture(quote, (1, 1, 10_000))

    assert awards(done) == [10]
    assert books.wallet(engine_db, NANJING, LI) == 15
    assert counters(engine_db, NANJING) == {"green/day": 15, "green/life": 15}
    later.assert_verified(engine_db, NANJING)


def test_a_quote_without_a_member_holds_nothing_and_may_still_be_captured(desk: Desk) -> None:
    quote = desk.hold(read(FRIDGE), read(TELEVISION))

    done = desk.capture(quote)

    assert [line.cashier.zh for line in quote.lines] == ["请顾客出示会员码。"] * 2
    assert [line.scan.decision.outcome for line in done.lines] == [Outcome.UNCLAIMED] * 2
    assert left(desk) == 1_000
    later.assert_verified(desk.database, NANJING)


def test_a_request_that_names_a_person_is_not_kept_and_still_answers_the_same(desk: Desk) -> None:
    number = "11010519491231002X"
    code = desk.city.issue_code(LI)
    first = desk.hold(read(FRIDGE), read(number), member=code, key="private-key")

    assert desk.hold(read(FRIDGE), read(number), member=code, key="private-key") == first
    desk.capture(first, (1, 1, 10_000))

    kept = books.rows(desk.database, "SELECT q.line, b.line, b.reads FROM quotes q, baskets b")
    assert kept == [(None, None, 1)]
    assert number not in str(books.rows(desk.database, "SELECT code_text FROM quoted_decisions"))
    later.assert_verified(desk.database, NANJING)


def test_nobody_captures_voids_or_asks_for_what_is_not_theirs(desk: Desk) -> None:
    quote = desk.hold(read(FRIDGE), person=LI)
    other = Desk(desk.city, desk.database, service="another")

    with pytest.raises(QuoteUnknown):
        other.capture(quote)
    with pytest.raises(QuoteUnknown):
        other.void(quote)
    with pytest.raises(StoreUnknown):
        desk.dry_run(read(FRIDGE), store="s9")
