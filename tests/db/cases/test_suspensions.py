"""A shop is suspended with due process; what it sells meanwhile is held, what was promised or earned before stands."""

from datetime import datetime, timedelta
from threading import Barrier

import pytest

from backend.cases import suspensions
from backend.cases.suspension_model import (
    Proposal,
    ReplyPeriodRuns,
    Standing,
    Suspension,
    SuspensionNeedsAnother,
    SuspensionOutOfTurn,
    SuspensionRefused,
    standing,
)
from backend.certificates.cache import RegistryCache
from backend.kernel.errors import DomainError
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.retailers.store import Store, StoreUnknown
from backend.scans.holds.rulings import Said
from backend.storage.transaction import Database
from backend.usecases import suspend_store
from backend.usecases.open_store import open_store
from backend.usecases.rule_on_hold import Place, RuleOnHold
from backend.usecases.suspend_store import Notice
from tests.worlds import books
from tests.worlds.books import Decided
from tests.worlds.city import FRIDGE, NANJING, NOON, UNCERTIFIED, City, read, register, resident
from tests.worlds.later import assert_verified, resolver
from tests.worlds.threads import Threads

NOTICE = Notice("s1", "本市绿色积分办法第十二条", "连续三次抽查不符", 5, "陈科员")
REPLIED = NOON + timedelta(days=6)
"""After the days in which the shop may reply."""
UNTIL = REPLIED + timedelta(days=30)


@pytest.fixture
def city(usual_city: City, engine_db: Database) -> City:
    shop = Store(NANJING, "s1", "示例超市", "新街口店", "320102")
    engine_db.write(lambda connection: open_store(connection, shop, NOON))
    return usual_city


def noticed(city: City, notice: Notice = NOTICE) -> str:
    return city.database.write(lambda c: suspend_store.give_notice(c, NANJING, notice, NOON)).after.suspension


def propose(
    city: City, one: str, proposal: Proposal = Proposal.IMPOSE, now: datetime = REPLIED, until: datetime | None = UNTIL
) -> Suspension:
    return city.database.write(
        lambda c: suspend_store.propose(
            c, NANJING, one, proposal=proposal, reason="查证属实", until_at=until, by="陈科员", now=now
        )
    ).after


def approve(city: City, one: str, by: str = "李主任", now: datetime = REPLIED) -> Suspension:
    return city.database.write(lambda c: suspend_store.approve(c, NANJING, one, by=by, now=now)).after


def imposed(city: City) -> str:
    one = noticed(city)
    propose(city, one)
    approve(city, one)
    return one


def sell(city: City, at: datetime, code: str = FRIDGE, received_at: datetime | None = None) -> str:
    till = city.till(1 + books.count(city.database, "baskets", NANJING))
    arrival = till.basket(read(code), resident=resident(1), sold_at=at, received_at=received_at)
    city.record(arrival, now=received_at or at)
    return arrival.basket.basket


def reasons(city: City) -> list[Decided]:
    return books.decided(city.database, NANJING)


def test_what_is_sold_meanwhile_is_held_and_the_end_comes_by_itself(city: City) -> None:
    imposed(city)

    for at in (REPLIED - timedelta(seconds=1), REPLIED, UNTIL - timedelta(seconds=1), UNTIL):
        sell(city, at)

    held = Decided("held", "store_suspended", 0)
    assert reasons(city) == [Decided("awarded", "awarded", 10), held, held, Decided("awarded", "awarded", 10)]
    assert_verified(city.database, NANJING)


def test_what_was_sold_before_and_arrives_late_is_honoured(city: City) -> None:
    imposed(city)

    sell(city, REPLIED - timedelta(hours=1), received_at=REPLIED + timedelta(hours=1))

    assert [one.outcome for one in reasons(city)] == ["awarded"]


def test_a_held_basket_is_released_by_a_person(city: City) -> None:
    imposed(city)
    basket = sell(city, REPLIED)

    rule = RuleOnHold(city.database, RegistryCache(), PolicyCache(chart.budget))
    rule.release(NANJING, Place(basket, 0), Said("王处长", "商品属实"), REPLIED + timedelta(hours=1))

    assert books.wallet(city.database, NANJING, resident(1)) == 10
    assert_verified(city.database, NANJING)


def test_a_product_that_becomes_known_later_is_held_all_the_same(city: City) -> None:
    imposed(city)
    sell(city, REPLIED, UNCERTIFIED)
    register(city.database, {"code": UNCERTIFIED, "product": "空调", "category": "空调", "grade": "1"}, now=REPLIED)

    resolver(city.database).resolve(NANJING, REPLIED + timedelta(hours=1))

    assert [one.reason for one in reasons(city)] == ["product_unknown", "store_suspended"]


def test_a_suspension_that_was_lifted_holds_nothing_any_more(city: City) -> None:
    one = imposed(city)
    lifted = REPLIED + timedelta(days=1)

    city.database.write(lambda c: suspend_store.lift(c, NANJING, one, reason="已整改", by="李主任", now=lifted))
    sell(city, lifted - timedelta(seconds=1))
    sell(city, lifted)

    assert [decided.outcome for decided in reasons(city)] == ["held", "awarded"]


def test_nobody_decides_before_the_shop_could_reply(city: City) -> None:
    one = noticed(city)

    with pytest.raises(ReplyPeriodRuns):
        propose(city, one, now=NOON + timedelta(days=5))
    city.database.write(lambda c: suspend_store.record_reply(c, NANJING, one, "已下架", NOON + timedelta(days=1)))
    assert propose(city, one, now=NOON + timedelta(days=1)).reply == "已下架"


def test_two_people_decide_and_a_third_the_appeal(city: City) -> None:
    one = noticed(city)
    propose(city, one)
    with pytest.raises(SuspensionNeedsAnother):
        approve(city, one, by="陈科员")
    approve(city, one)
    city.database.write(lambda c: suspend_store.record_appeal(c, NANJING, one, "不服", REPLIED))
    for by in ("陈科员", "李主任"):
        with pytest.raises(SuspensionNeedsAnother):
            city.database.write(
                lambda c, by=by: suspend_store.answer_appeal(  # type: ignore[misc]  # a default names the loop's value
                    c, NANJING, one, upheld=True, reason="好", by=by, now=REPLIED
                )
            )

    city.database.write(
        lambda c: suspend_store.answer_appeal(c, NANJING, one, upheld=True, reason="证据不足", by="王处长", now=REPLIED)
    )

    with city.database.read() as connection:
        found = suspensions.find(connection, NANJING, one)
    assert (standing(found, REPLIED), found.appeal_outcome, str(found.appeal_due_on)) == (
        Standing.LIFTED,
        "upheld",
        "2026-12-18",
    )


def test_what_is_dropped_has_no_effect(city: City) -> None:
    one = noticed(city)
    propose(city, one, Proposal.DROP, now=NOON, until=None)
    approve(city, one, now=NOON)

    sell(city, REPLIED)

    assert [decided.outcome for decided in reasons(city)] == ["awarded"]
    with pytest.raises(SuspensionOutOfTurn):
        propose(city, one)


@pytest.mark.parametrize(
    ("notice", "refusal"),
    [
        (NOTICE._replace(store="s9"), StoreUnknown),
        (NOTICE._replace(reply_days=2), SuspensionRefused),
        (NOTICE._replace(reason=""), SuspensionRefused),
    ],
)
def test_a_notice_names_a_shop_a_reason_and_time_to_reply(
    city: City, notice: Notice, refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        noticed(city, notice)


def test_a_suspension_has_an_end_that_lies_ahead(city: City) -> None:
    one = noticed(city)

    for until in (None, REPLIED, REPLIED + timedelta(days=367)):
        with pytest.raises(SuspensionRefused):
            propose(city, one, until=until)


def test_two_at_once_approve_once(city: City) -> None:
    one = noticed(city)
    propose(city, one)
    start = Barrier(4)

    def act(by: str) -> str:
        start.wait()
        try:
            approve(city, one, by)
        except DomainError as refusal:
            return refusal.code
        return "approved"

    with Threads(4) as threads:
        answers = list(threads.map(act, ["甲", "乙", "丙", "丁"]))

    assert sorted(answers) == ["approved"] + ["suspension-out-of-turn"] * 3
