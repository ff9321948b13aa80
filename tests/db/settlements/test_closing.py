"""A month is closed: what shops were owed by its end stands on one line of one statement, for good."""

import csv
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from backend.ledger import chart
from backend.settlements import queries
from backend.settlements.clock import Stage
from backend.settlements.files import statement_file
from backend.settlements.model import (
    Claim,
    CorrectionByTwo,
    CorrectionChanged,
    CorrectionInvalid,
    DisputeOver,
    MonthNotOver,
    MonthPassed,
    Ruled,
    Ruling,
    Said,
    Terms,
)
from backend.storage.transaction import Database
from backend.usecases.close_settlement import close_last_month, set_terms
from backend.usecases.dispute_statement import approve_correction, confirm_statement, rule_on_dispute
from backend.usecases.hold_claims import hold_claims, release_claims
from backend.usecases.overdue_claims import not_closed, overdue_claims, overdue_statements
from tests.worlds import books
from tests.worlds.city import NANJING, NOON
from tests.worlds.later import assert_verified
from tests.worlds.settling import BIG, CLOSING, DAY, MONTH, NEXT, QIAN, SMALL, ZHAO, open_office


def test_each_claim_stands_on_its_retailers_statement_and_a_closed_month_stays(engine_db: Database) -> None:
    office = open_office(engine_db)
    sold = office.sell(4)
    office.sell(2, "s2")
    office.sell(5, "s3")
    office.bring_back(sold, 1, NOON + DAY)

    first = office.close()
    office.bring_back(sold, 1, CLOSING + DAY)
    again = office.close()

    assert (first.statements, first.lines, first.new) == (2, 4, True)
    assert again == first._replace(new=False)
    assert office.amounts() == [("fee", 12), ("fee", 6), ("return", -3)]
    assert office.amounts(SMALL) == [("fee", 15)]
    assert office.close(NEXT, CLOSING + 40 * DAY).lines == 1
    assert office.amounts(month=NEXT) == [("return", -3)]
    assert_verified(engine_db, NANJING)


def test_the_last_moment_of_a_month_is_that_of_its_city(engine_db: Database) -> None:
    """Midnight in China, not in Greenwich."""
    office = open_office(engine_db)
    midnight = datetime(2026, 11, 30, 16, tzinfo=UTC)
    office.sell(1, at=midnight - timedelta(milliseconds=1))
    office.sell(2, at=midnight)

    office.close()

    assert office.amounts() == [("fee", 3)]


def test_a_line_names_the_sale_as_the_shop_knows_it(engine_db: Database) -> None:
    office = open_office(engine_db)
    sold = office.sell(4)
    office.bring_back(sold, 1, NOON + DAY)
    office.close()

    with engine_db.read() as connection:
        fee, back = (one.receipt for one in queries.lines(connection, NANJING, MONTH, BIG))

    assert (fee.basket, fee.sale_line, fee.device, fee.seq, fee.quantity) == (sold, 0, "till-320100-1", 1, 4)
    assert (back.basket, back.sale_line, back.sold_at) == (sold, 0, NOON)
    assert back.reference != sold


def test_statements_part_all_claims_and_sum_to_the_ledger(engine_db: Database) -> None:
    """A random walk of sales and returns of four months, closed now and then: to the fen, each claim once."""
    office, chance = open_office(engine_db), random.Random(11)
    at, open_pieces, due = NOON - 50 * DAY, list[tuple[str, int]](), Counter[str]()
    months = iter(("2026-10", "2026-11", "2026-12", "2027-01"))
    for _ in range(45):
        at += timedelta(hours=chance.randrange(24, 80))
        if open_pieces and chance.random() < 0.35:
            basket, left = open_pieces.pop(chance.randrange(len(open_pieces)))
            office.bring_back(basket, back := chance.randint(1, left), at)
            if left > back:
                open_pieces.append((basket, left - back))
        else:
            pieces, store = chance.randint(1, 6), chance.choice(("s1", "s2", "s3"))
            open_pieces.append((office.sell(pieces, store, at), pieces))
    for month in months:
        office.close(month, at + 60 * DAY)
        assert_verified(engine_db, NANJING)

    rows = books.rows(
        engine_db, "SELECT store, unit, sum(amount) FROM statement_lines WHERE city = :c GROUP BY 1, 2", c=NANJING
    )
    for store, unit, amount in rows:
        due[chart.shop(store, unit)] = int(amount)
    keys = books.rows(engine_db, "SELECT count(*), count(DISTINCT (reference, step, claim)) FROM statement_lines")
    assert keys[0][0] == keys[0][1] == 45
    assert due == {account: books.balance(engine_db, NANJING, account) for account in due}


def test_months_are_closed_in_their_order_and_once_they_are_over(engine_db: Database) -> None:
    office = open_office(engine_db)
    office.sell(1)
    with pytest.raises(MonthNotOver):
        office.close(MONTH, CLOSING - DAY)

    assert close_last_month(engine_db, NANJING, CLOSING + 31 * DAY).month == NEXT

    assert office.amounts(month=NEXT) == [("fee", 3)]
    with pytest.raises(MonthPassed):
        office.close(MONTH, CLOSING + 31 * DAY)


def test_a_line_is_disputed_in_time_and_a_correction_takes_two(engine_db: Database) -> None:
    office = open_office(engine_db)
    office.sell(4)
    office.sell(2)
    office.close()
    key, other = office.dispute(1), office.dispute(2)

    assert rule_on_dispute(engine_db, NANJING, other, Ruled(Ruling.STANDS, 0, "与小票相符", ZHAO, None), CLOSING)
    assert not rule_on_dispute(engine_db, NANJING, key, Ruled(Ruling.CORRECT, 7, "少计", ZHAO, None), CLOSING + DAY)
    assert rule_on_dispute(engine_db, NANJING, key, Ruled(Ruling.CORRECT, 6, "少计两件", ZHAO, QIAN), CLOSING + DAY)

    assert books.balance(engine_db, NANJING, chart.shop("s1", "fee")) == 24
    assert office.amounts() == [("fee", 12), ("fee", 6)]
    office.close(NEXT, CLOSING + 40 * DAY)
    assert office.amounts(month=NEXT) == [("correction", 6)]
    assert_verified(engine_db, NANJING)


def test_a_correction_is_approved_as_it_was_seen_by_somebody_else_however_written(engine_db: Database) -> None:
    office = open_office(engine_db)
    office.sell(4)
    office.close()
    key = office.dispute(1)
    for second in (f" {ZHAO}\u200b", " "):
        with pytest.raises(CorrectionByTwo):
            rule_on_dispute(engine_db, NANJING, key, Ruled(Ruling.CORRECT, 6, "少计", ZHAO, second), CLOSING + DAY)
    with pytest.raises(CorrectionInvalid):
        rule_on_dispute(engine_db, NANJING, key, Ruled(Ruling.CORRECT, 2**60, "少计", ZHAO, None), CLOSING + DAY)
    rule_on_dispute(engine_db, NANJING, key, Ruled(Ruling.CORRECT, 600, "少计", ZHAO, None), CLOSING + DAY)

    with pytest.raises(CorrectionChanged):
        approve_correction(engine_db, NANJING, key, 6, QIAN, CLOSING + DAY)
    approve_correction(engine_db, NANJING, key, 600, QIAN, CLOSING + DAY)
    assert books.balance(engine_db, NANJING, chart.shop("s1", "fee")) == 12 + 600


def test_what_a_ruling_adds_to_a_held_sale_is_held_with_it(engine_db: Database) -> None:
    office = open_office(engine_db)
    held = office.sell(4)
    office.sell(2)
    office.close()
    key = office.dispute(1)
    hold_claims(engine_db, NANJING, [Claim(held, 0)], Said(ZHAO, "证书撤销"), CLOSING + DAY)
    rule_on_dispute(engine_db, NANJING, key, Ruled(Ruling.CORRECT, 9, "少计", ZHAO, QIAN), CLOSING + DAY)
    office.close(NEXT, CLOSING + 40 * DAY)

    assert office.amounts(month=NEXT) == [("correction", 9)]
    assert office.pay(CLOSING + 60 * DAY).amount_fen == 6
    assert_verified(engine_db, NANJING)


def test_each_amount_of_a_statement_file_stands_under_its_heading(engine_db: Database) -> None:
    office = open_office(engine_db)
    office.sell(4)
    office.close()
    with engine_db.read() as connection:
        found = queries.lines(connection, NANJING, MONTH, BIG)
    rows = list(
        csv.reader("".join(statement_file([(found[0].receipt._replace(slip_no="小票 7"), "待拨付")])).splitlines())
    )

    told = dict(zip(rows[0], rows[1], strict=True))
    assert (told["小票号"], told["件数"], told["状态"]) == ("小票 7", "4", "待拨付")


def test_the_time_to_dispute_ends_after_so_many_days_or_with_confirmation(engine_db: Database) -> None:
    office = open_office(engine_db)
    set_terms(engine_db, NANJING, Terms(dispute_days=2), ZHAO, CLOSING)
    office.sell(1)
    office.sell(1)
    office.sell(1, "s3")
    office.close()
    last_moment = datetime(2026, 12, 3, 15, 59, 59, tzinfo=UTC)

    office.dispute(1, now=last_moment)
    with pytest.raises(DisputeOver):
        office.dispute(2, now=last_moment + timedelta(seconds=1))
    assert confirm_statement(engine_db, NANJING, MONTH, SMALL, "店长", CLOSING)
    with pytest.raises(DisputeOver):
        office.dispute(1, SMALL)


def test_held_claims_are_not_paid_until_they_are_released(engine_db: Database) -> None:
    office = open_office(engine_db)
    held, sold = office.sell(4), office.sell(2)
    office.close()

    answer = hold_claims(engine_db, NANJING, [Claim(held, 0)], Said(ZHAO, "证书已撤销"), CLOSING)
    hold_claims(engine_db, NANJING, [Claim(sold, 0)], Said(ZHAO, "证书已撤销"), CLOSING)
    released = release_claims(engine_db, NANJING, [Claim(sold, 0)], Said(QIAN, "核实有效"), CLOSING + DAY)
    paid = office.pay()

    assert (answer.held, answer.unpaid_lines, answer.unpaid_fen, released) == (1, 1, 12, 1)
    assert paid.amount_fen == 6
    late = hold_claims(engine_db, NANJING, [Claim(sold, 0), Claim(held, 0)], Said(ZHAO, "再核"), CLOSING + 9 * DAY)
    assert (late.held, late.unpaid_lines, late.paid_lines) == (1, 1, 1)
    assert_verified(engine_db, NANJING)


def test_claims_whose_clock_ran_out_are_named(engine_db: Database) -> None:
    office = open_office(engine_db)
    office.sell(4)
    office.sell(1, "s3")

    def late(now: datetime) -> list[tuple[str, Stage, int]]:
        with engine_db.read() as connection:
            found = overdue_claims(connection, NANJING, now)
            accepts = [one for one in found if one.stage is Stage.ACCEPT]
            assert [one for one in found if one not in accepts] == overdue_statements(connection, NANJING, now)
            assert bool(accepts) == (not_closed(connection, NANJING, now) is not None)
        return [(one.retailer, one.stage, one.amount_fen) for one in found]

    assert late(CLOSING + 2 * DAY) == []
    assert late(CLOSING + 3 * DAY) == [(BIG, Stage.ACCEPT, 12), (SMALL, Stage.ACCEPT, 3)]
    office.close(now=CLOSING + 4 * DAY)
    key = office.dispute(1, now=CLOSING + 5 * DAY)
    assert late(CLOSING + 14 * DAY) == []
    assert late(CLOSING + 15 * DAY) == [(BIG, Stage.REVIEW, 12)]
    rule_on_dispute(engine_db, NANJING, key, Ruled(Ruling.STANDS, 0, "相符", ZHAO, None), CLOSING + 16 * DAY)
    assert late(CLOSING + 17 * DAY) == []
    assert late(CLOSING + 30 * DAY) == [(BIG, Stage.PAY, 12), (SMALL, Stage.PAY, 3)]
