"""Two accounts of one person become one, whatever happens at the same moment: nothing is lost, doubled or left behind."""

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier, Thread
from typing import TypeVar
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from backend.adjustments.model import Cause, Proposed
from backend.adjustments.model import Wanted as Adjusted
from backend.kernel.ids import new_id
from backend.ledger import chart
from backend.ledger.queries import holdings
from backend.policies.store import PolicyCache
from backend.residents.consents.queries import wards
from backend.residents.consents.texts import GUARDIAN
from backend.residents.notices import store as notices
from backend.residents.notices.store import NoticeKey
from backend.residents.queries import Session
from backend.residents.standing import AgeBand
from backend.storage.transaction import Database, DatabaseBusy
from backend.usecases.adjust_by_hand import approve_adjustment, propose_adjustment
from backend.usecases.change_consent import FOR_AGE, FOR_GUARDIAN, ChangeConsent, Who, verify_age
from backend.usecases.file_appeal import AskedAppeal, file_appeal
from backend.usecases.merge_residents import NothingToMerge
from backend.usecases.return_goods import AskedReturn, ReturnGoods
from backend.usecases.scan_label import LabelScan, ScanLabel
from backend.usecases.take_back import Wanted
from backend.usecases.verify_ledger import verify_ledger
from tests.worlds import rules
from tests.worlds.books import rows
from tests.worlds.city import FRIDGE, NANJING, NOON, SUZHOU, TELEVISION, City, open_city, read, unit_label
from tests.worlds.people import People
from tests.worlds.returning import asked, bring_back

HOUR = timedelta(hours=1)
AGES = "SELECT age_band, age_basis, waits_for_guardian FROM residents WHERE resident = :who"
Result = TypeVar("Result")
RACES = int(os.environ.get("MERGE_ROUNDS", "6"))
PAID = {"U": {"P0": 10_000, "P3": 10_000}, "M": {"P0": 10_000, "P3": 10_000}}
ONCE = rules.document(
    rules.rule("ten", rules.fixed(10), rates=PAID), caps=[rules.cap("once", "lifetime", 10, partial=False)]
)
LIFE = rules.document(rules.rule("ten", rules.fixed(10), rates=PAID), caps=[rules.cap("life", "lifetime", 70)])


@pytest.fixture
def people(engine_db: Database) -> People:
    return People(engine_db)


def assert_sound(database: Database) -> None:
    for city in verify_ledger(database):
        assert [one for one in city.findings if one.broken] == [], city


def points(database: Database, who: Session, city: str = NANJING) -> int:
    with database.read() as connection:
        return sum(one.amount for one in holdings(connection, city, who.resident) if one.unit == "points")


def scanner(city: City) -> ScanLabel:
    return ScanLabel(city.database, city.another_process(), PolicyCache(chart.budget))


def phone_scan(who: Session, code: str, scan_id: str | None = None, city: str = NANJING) -> LabelScan:
    text = scan_id or str(uuid4())
    return LabelScan(who.resident, who.city, city, text, code.encode(), code, None, None)


def test_everything_follows_and_is_counted_together(engine_db: Database, people: People) -> None:
    city, away = open_city(engine_db, LIFE), open_city(engine_db, LIFE, SUZHOU)
    kept, gone = people.sign_in("wechat"), people.sign_in("phone", city=SUZHOU)
    till, other = city.till(1), away.till(1)
    for who, count in ((kept, 3), (gone, 3)):
        for number in range(count):
            city.record(till.basket(read(unit_label(f"{who.way}{who.resident}{number}")), resident=who.resident))
    away.record(other.basket(read(FRIDGE), resident=gone.resident))

    people.merge(kept, "phone")

    assert (points(engine_db, kept), points(engine_db, kept, SUZHOU)) == (60, 10)
    assert (points(engine_db, gone), points(engine_db, gone, SUZHOU)) == (0, 0)
    city.record(*[till.basket(read(unit_label(f"later{n}")), resident=kept.resident) for n in range(3)])
    assert points(engine_db, kept) == 70
    assert_sound(engine_db)
    assert people.sign_in("phone")[:2] == people.sign_in("wechat")[:2] == (NANJING, kept.resident)


def test_merged_again_it_answers_the_same_and_moves_nothing(engine_db: Database, people: People) -> None:
    city = open_city(engine_db, LIFE)
    kept, gone = people.sign_in("a"), people.sign_in("b", token="of-b")
    city.record(city.till().basket(read(FRIDGE), resident=gone.resident))

    first = people.merging.merge_session(kept, "of-b", str(uuid4()), NOON)
    again = people.merging.merge_session(kept, "of-b", str(uuid4()), NOON + timedelta(hours=1))

    assert again == first
    assert [(one.city, one.unit, one.amount) for one in first.moved] == [(NANJING, "points", 10)]
    with pytest.raises(NothingToMerge):
        people.merge(kept, "a")
    assert_sound(engine_db)


def test_the_one_account_is_of_the_age_that_both_speak_for(engine_db: Database, people: People) -> None:
    ages = ChangeConsent(engine_db)
    kept, said, child = (people.sign_in(name) for name in "abc")
    ages.declare_age(Who(*kept[:2]), AgeBand.ADULT, NOON)
    ages.declare_age(Who(*said[:2]), AgeBand.TEENAGER, NOON)

    people.merge(kept, "b")
    assert rows(engine_db, AGES, who=kept.resident) == [("14_to_17", "declared", False)]

    code = b"1" * 32
    ages.ask_code(Who(*kept[:2]), FOR_AGE, code, NOON)
    engine_db.write(lambda c: verify_age(c, NANJING, code, AgeBand.ADULT, NOON))
    people.merge(child, "a")
    assert rows(engine_db, AGES, who=child.resident) == [("adult", "verified", False)]


def test_children_follow_their_guardian_and_nobody_is_their_own(engine_db: Database, people: People) -> None:
    open_city(engine_db, LIFE)
    ages = ChangeConsent(engine_db)
    parent, phone, child = (people.sign_in(name) for name in "abc")
    ages.declare_age(Who(*parent[:2]), AgeBand.ADULT, NOON)
    ages.declare_age(Who(*child[:2]), AgeBand.UNDER_14, NOON)
    code = b"2" * 32
    ages.ask_code(Who(*child[:2]), FOR_GUARDIAN, code, NOON)
    ward = ages.take_ward(Who(*parent[:2]), NANJING, code, GUARDIAN.sha256, str(uuid4()), NOON)

    people.merge(phone, "a")
    with engine_db.read() as connection:
        assert [one.ward for one in wards(connection, NANJING, NANJING, phone.resident)] == [ward]
    assert rows(engine_db, AGES, who=child.resident) == [("under_14", "declared", False)]

    people.merge(child, "b")
    assert rows(engine_db, AGES, who=child.resident) == [("under_14", "declared", True)]
    assert_sound(engine_db)


def test_an_account_that_had_absorbed_one_takes_it_along(engine_db: Database, people: People) -> None:
    city = open_city(engine_db, LIFE)
    first, second, third = (people.sign_in(name) for name in "abc")
    code = city.issue_code(first.resident)
    city.record(city.till().basket(read(FRIDGE), resident=first.resident))

    people.merge(second, "a")
    people.merge(third, "b")

    city.record(city.till(2).arrival(city.till(2).line(read(unit_label("shown")), member=code)))
    assert points(engine_db, third) == 20
    assert people.sign_in("a").resident == third.resident
    assert_sound(engine_db)


def test_goods_bought_before_the_merge_are_taken_back_from_the_one_account(engine_db: Database, people: People) -> None:
    timed = {"pending": {"days": 7}, "expiry": {"months": 12}}
    city = open_city(engine_db, LIFE | timed)
    kept, gone = people.sign_in("a"), people.sign_in("b")
    basket = city.till().basket(read(FRIDGE), resident=gone.resident)
    city.record(basket, city.till(2).basket(read(FRIDGE), resident=kept.resident))
    people.merge(kept, "b")

    asked = AskedReturn(
        NANJING, "s1", "r1", "pos", None, "defect", None, basket.basket.sold_at_ms, (Wanted(basket.basket.basket, 0, 1),)
    )  # fmt: skip
    ReturnGoods(engine_db, PolicyCache(chart.budget)).give_back(asked, NOON)

    assert points(engine_db, kept) == 10
    assert rows(engine_db, "SELECT used FROM cap_counters WHERE used > 0") == [(10,)]
    assert_sound(engine_db)


def test_what_came_back_before_the_merge_leaves_nothing_to_count(engine_db: Database, people: People) -> None:
    city = open_city(engine_db, LIFE)
    kept, gone = people.sign_in("a"), people.sign_in("b")
    sale = city.till().basket(read(FRIDGE), resident=gone.resident)
    city.record(sale)
    ReturnGoods(engine_db, PolicyCache(chart.budget)).give_back(asked((sale.basket.basket, 0, 1)), NOON + HOUR)

    people.merge(kept, "b")

    assert_sound(engine_db)


def test_one_who_used_more_than_a_cap_with_two_accounts_may_leave_and_come_back(
    engine_db: Database, people: People
) -> None:
    day = {"windows": [{"window": "day", "per": "person", "hours": 24}]}
    city = open_city(engine_db, LIFE)
    city.publish(rules.document(rules.rule("five", rules.fixed(5), rates=PAID), policy="daily") | day)
    kept, gone = people.sign_in("a"), people.sign_in("b")
    for who in (kept, gone):
        till = city.till(1 + (who is gone))
        city.record(*[till.basket(read(unit_label(f"{who.resident}{n}")), resident=who.resident) for n in range(5)])
    people.merge(kept, "b")
    people.leave(kept)

    back, other = people.sign_in("a"), people.sign_in("c")
    city.record(city.till(3).basket(read(unit_label("more")), resident=other.resident))
    people.merge(other, "a")

    assert points(engine_db, back) == 0
    assert_sound(engine_db)


def test_an_appeal_goes_on_in_the_one_account(engine_db: Database, people: People) -> None:
    city = open_city(engine_db, LIFE)
    kept, gone = people.sign_in("a"), people.sign_in("b")
    sale = city.till().basket(read(FRIDGE), resident=gone.resident)
    city.record(sale)
    filed = (
        "INSERT INTO appeals (city, appeal, resident, basket, line_no, decision_no, text, filed_at, due_on, state)"
        " VALUES (%s, %s, %s, %s, 0, 1, '少算了', %s, '2026-12-10', 'open')"
    )
    given = (NANJING, str(uuid4()), gone.resident, sale.basket.basket, NOON)
    engine_db.write(lambda c: c.exec_driver_sql(filed, given))

    people.merge(kept, "b")

    assert rows(engine_db, "SELECT resident::text FROM appeals") == [(kept.resident,)]
    assert_sound(engine_db)


def test_notices_that_were_granted_follow_and_end_with_the_one_account(engine_db: Database, people: People) -> None:
    open_city(engine_db, LIFE)
    kept, gone = people.sign_in("a"), people.sign_in("b")
    key = NoticeKey(gone.resident, NOON.date(), 7)
    for _ in range(2):
        engine_db.write(lambda c: notices.grant(c, NANJING, gone.resident, NANJING, b"sealed", NOON))
    engine_db.write(lambda c: notices.claim(c, NANJING, key, NOON))

    people.merge(kept, "b")

    assert rows(engine_db, "SELECT resident::text, grants FROM notice_grants") == [(kept.resident, 1)]
    assert rows(engine_db, "SELECT resident::text FROM notices") == [(kept.resident,)]
    people.leave(kept)
    assert rows(engine_db, "SELECT (SELECT count(*) FROM notice_grants), (SELECT count(*) FROM notices)") == [(0, 0)]
    assert_sound(engine_db)


class MergedBeforeCommit:
    """Work is done, then the merge begins, and only then is committed."""

    def __init__(self, database: Database, merging: Thread) -> None:
        self._database = database
        self._merging = merging

    def write(self, work: Callable[[Connection], Result]) -> Result:
        def slowly(connection: Connection) -> Result:
            done = work(connection)
            self._merging.start()
            self._merging.join(0.3)
            return done

        return self._database.write(slowly)


@contextlib.contextmanager
def merged_before_commit(database: Database, people: People, kept: Session, name: str) -> Iterator[MergedBeforeCommit]:
    merging = Thread(target=people.merge, args=(kept, name))
    yield MergedBeforeCommit(database, merging)
    merging.join()


def test_an_appeal_that_is_being_filed_is_waited_for(engine_db: Database, people: People) -> None:
    city = open_city(engine_db, rules.document(rules.rule("best", rules.fixed(10), rules.where("grade", "=", 1))))
    kept, gone = people.sign_in("a"), people.sign_in("b")
    sale = city.till().basket(read(TELEVISION), resident=gone.resident)
    city.record(sale)
    with merged_before_commit(engine_db, people, kept, "b") as merging:
        file_appeal(merging, AskedAppeal(NANJING, gone.resident, "1", sale.basket.basket, 0, "少算了"), 15, NOON)

    assert rows(engine_db, "SELECT resident::text FROM appeals") == [(kept.resident,)]
    assert_sound(engine_db)


@pytest.mark.parametrize("home", [NANJING, SUZHOU], ids=["at home", "away"])
def test_what_is_adjusted_meanwhile_goes_to_the_one_account(engine_db: Database, people: People, home: str) -> None:
    city, _ = open_city(engine_db, LIFE), open_city(engine_db, LIFE, SUZHOU)
    kept, gone = people.sign_in("a"), people.sign_in("b", city=home)
    sale = city.till().basket(read(FRIDGE), resident=gone.resident)
    city.record(sale)
    bring_back(engine_db, (sale.basket.basket, 0, 1))
    waiting, proposed = new_id(), Proposed("赵会计", 500)
    wanted = Adjusted(gone.resident, None, "points", 501, Cause.GOODWILL, "T-1", "停机")
    propose_adjustment(engine_db, NANJING, waiting, wanted, proposed, NOON)

    with merged_before_commit(engine_db, people, kept, "b") as merging:
        propose_adjustment(merging, NANJING, new_id(), wanted._replace(amount=9), proposed, NOON)
    approve_adjustment(engine_db, NANJING, waiting, "钱处长", NOON)

    assert (points(engine_db, kept), points(engine_db, gone)) == (510, 0)
    assert_sound(engine_db)


def test_a_scan_sent_again_after_the_merge_counts_once(engine_db: Database, people: People) -> None:
    city = open_city(engine_db, LIFE)
    kept, gone = people.sign_in("a"), people.sign_in("b")
    scan_id, scans = str(uuid4()), scanner(city)
    scans.scan(phone_scan(gone, FRIDGE, scan_id), NOON)

    people.merge(kept, "b")

    assert not scans.scan(phone_scan(kept, FRIDGE, scan_id), NOON).new
    late = scans.scan(phone_scan(gone, FRIDGE), NOON)  # by a process that still believes the old session
    assert (late.new, points(engine_db, kept), points(engine_db, gone)) == (True, 20, 0)
    assert_sound(engine_db)


def test_scans_that_race_with_the_merge_never_bring_both_bonuses(engine_db: Database, people: People) -> None:
    """Once a person, ever: as soon as one account's bonus is written after the merge, or before it, the other's is not
    unless it was there before the merge too.
    """
    city = open_city(engine_db, ONCE)
    for number in range(RACES):
        kept, gone = people.sign_in(f"a{number}"), people.sign_in(f"b{number}")
        code = city.issue_code(gone.resident)
        till = city.till(100 + number)
        shown = till.arrival(till.line(read(unit_label(f"t{number}")), member=code))
        labels = {who: phone_scan(who, unit_label(f"{who.resident[:8]}{number}")) for who in (kept, gone)}
        scans = scanner(city)
        _at_once(
            partial(scans.scan, labels[kept], NOON),
            partial(scanner(city).scan, labels[gone], NOON),
            partial(city.another_process().record, NANJING, [shown], NOON),
            partial(people.merge, kept, f"b{number}"),
        )
        scans.scan(phone_scan(kept, unit_label(f"after{number}")), NOON)

        moved = rows(
            engine_db,
            "SELECT coalesce(sum(amount), 0) FROM transfers WHERE reason = 'merge' AND destination = :own",
            own=chart.wallet(kept.resident, "points"),
        )[0][0]
        # Two only where both stood before the merge: then what it moved is the other one.
        assert points(engine_db, gone) == 0
        assert points(engine_db, kept) == 10 + (10 if moved and _own_award(engine_db, kept) else 0)
    assert_sound(engine_db)


def test_of_two_that_absorb_each_other_at_once_one_does(engine_db: Database, people: People) -> None:
    city = open_city(engine_db, LIFE)
    for number in range(RACES):
        one, two = people.sign_in(f"a{number}"), people.sign_in(f"b{number}")
        for who in (one, two):
            city.record(city.till(number * 2 + (who is one) + 1).basket(read(FRIDGE), resident=who.resident))
        _at_once(partial(people.merge, one, f"b{number}"), partial(people.merge, two, f"a{number}"))
        assert sorted((points(engine_db, one), points(engine_db, two))) == [0, 20]
    assert_sound(engine_db)


def _own_award(database: Database, who: Session) -> bool:
    statement = "SELECT count(*) FROM transfers WHERE reason = 'award' AND destination = :own"
    return bool(rows(database, statement, own=chart.wallet(who.resident, "points"))[0][0])


def _at_once(*calls: Callable[[], object]) -> None:
    barrier = Barrier(len(calls))

    def start(call: Callable[[], object]) -> None:
        barrier.wait()
        with contextlib.suppress(DatabaseBusy, NothingToMerge):
            call()

    with ThreadPoolExecutor(len(calls)) as pool:
        list(pool.map(start, calls))
