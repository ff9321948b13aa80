"""Appeals: filed once a decision, decided by somebody else, upheld ones paid by the policy of the sale, all in one step."""

import json
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier

import pytest

from backend.appeals import store
from backend.appeals.model import (
    Appeal,
    AppealDecided,
    AppealOvertaken,
    AppealRepeated,
    AppealState,
    AppealUnknown,
    DecidedByAnother,
    NothingToAppeal,
    NothingWouldChange,
    Proposed,
    Verdict,
)
from backend.appeals.queries import find, waiting
from backend.certificates.cache import RegistryCache
from backend.kernel.errors import DomainError
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.scans.holds.rulings import Said, held_scans
from backend.storage.transaction import Database
from backend.usecases.decide_appeal import DecideAppeal
from backend.usecases.file_appeal import AskedAppeal, Filed, file_appeal
from backend.usecases.propose_appeal import propose_appeal
from backend.usecases.rule_on_hold import Place, RuleOnHold
from backend.usecases.two_persons import SecondPersonNeeded
from tests.db.ledger.faults import broken
from tests.db.operator.conftest import run
from tests.db.operator.typed import Run, done, listed, refused
from tests.worlds import books, rules
from tests.worlds.city import (
    FRIDGE,
    NANJING,
    NOON,
    TELEVISION,
    City,
    certificate_row,
    open_city,
    read,
    register,
    resident,
)
from tests.worlds.later import assert_verified
from tests.worlds.returning import bring_back
from tests.worlds.threads import Threads

__all__ = ["run"]
LI, WANG = resident(1), resident(2)
LATER = NOON + timedelta(days=1)
RULED = Said("王处长", "小票不清")
VERDICT = Verdict("李主任", None, "补交的小票与商品相符。")


@pytest.fixture
def city(engine_db: Database) -> City:
    """Where a person's second award of a day is held, and only grade 1 earns."""
    watch = {"cap": "velocity", "per": ["person"], "period": "day", "limit": 1, "counts": "awards", "partial": False}
    doc = rules.document(
        rules.rule("best", rules.percent(10_000), rules.where("grade", "=", 1)),
        caps=[{**watch, "beyond": "hold"}, rules.cap("life", "lifetime", 10**9)],
    )
    return open_city(engine_db, doc)


def buy(city: City, *codes: str, price_fen: int = 1_000, person: str = LI) -> list[str]:
    till = city.till(1 + books.count(city.database, "baskets", NANJING))
    arrivals = [till.basket(read(code, price_fen=price_fen), resident=person) for code in codes]
    city.record(*arrivals)
    return [one.basket.basket for one in arrivals]


def refused_hold(city: City, price_fen: int = 1_000) -> str:
    """A basket that a person refused."""
    buy(city, FRIDGE)
    (basket,) = buy(city, FRIDGE, price_fen=price_fen)
    RuleOnHold(city.database, RegistryCache(), PolicyCache(chart.budget)).refuse(NANJING, Place(basket, 0), RULED, NOON)
    return basket


def appeal(city: City, basket: str, number: str = "1", text: str = "小票已补交", person: str = LI) -> Filed:
    asked = AskedAppeal(NANJING, person, number, basket, 0, text)
    return file_appeal(city.database, asked, 15, NOON)


def deciding(city: City) -> DecideAppeal:
    return DecideAppeal(city.database, RegistryCache(), PolicyCache(chart.budget))


def seen(city: City, number: str) -> Appeal:
    with city.database.read() as connection:
        found = find(connection, NANJING, number)
    assert found is not None
    return found


def test_an_appeal_upheld_is_decided_again_and_paid(city: City) -> None:
    filed = appeal(city, refused_hold(city)).appeal
    before = books.wallet(city.database, NANJING, LI)
    assert (str(filed.due_on), filed.state, filed.decision_no) == ("2026-12-11", AppealState.OPEN, 2)

    deciding(city).uphold(NANJING, filed.appeal, VERDICT, LATER)

    found = seen(city, filed.appeal)
    assert (found.state, found.new_decision_no, found.explanation) == (AppealState.UPHELD, 3, VERDICT.explanation)
    assert books.wallet(city.database, NANJING, LI) == before + 1_000
    assert_verified(city.database, NANJING)
    with pytest.raises(AppealDecided):
        deciding(city).uphold(NANJING, filed.appeal, VERDICT, LATER)
    with pytest.raises(NothingToAppeal):
        appeal(city, filed.basket, "2")


def test_an_appeal_rejected_says_why_and_moves_nothing(city: City) -> None:
    filed = appeal(city, refused_hold(city)).appeal
    before = books.wallets(city.database, NANJING)

    deciding(city).reject(NANJING, filed.appeal, VERDICT, LATER)

    assert (seen(city, filed.appeal).state, books.wallets(city.database, NANJING)) == (AppealState.REJECTED, before)
    with pytest.raises(AppealRepeated):
        appeal(city, filed.basket, "2")
    assert_verified(city.database, NANJING)


def test_whoever_ruled_before_does_not_decide_and_two_are_two(city: City) -> None:
    filed = appeal(city, refused_hold(city)).appeal
    for by, second in (("王处长", None), ("李主任", "王处长"), ("李主任", "李主任")):
        for act in (deciding(city).uphold, deciding(city).reject):
            with pytest.raises(DecidedByAnother):
                act(NANJING, filed.appeal, Verdict(by, second, "好"), LATER)
    assert seen(city, filed.appeal).state is AppealState.OPEN


def test_much_money_takes_a_second_person(city: City) -> None:
    filed = appeal(city, refused_hold(city, price_fen=5_001)).appeal
    before = books.wallets(city.database, NANJING)

    with pytest.raises(SecondPersonNeeded) as needs:
        deciding(city).uphold(NANJING, filed.appeal, VERDICT, LATER)
    assert "5,001 分" in needs.value.sentence_zh or "5001 分" in needs.value.sentence_zh
    assert (seen(city, filed.appeal).state, books.wallets(city.database, NANJING)) == (AppealState.OPEN, before)

    deciding(city).uphold(NANJING, filed.appeal, VERDICT._replace(approved_by="赵书记"), LATER)
    assert_verified(city.database, NANJING)


def test_a_held_scan_may_be_appealed_too(city: City) -> None:
    buy(city, FRIDGE)
    (basket,) = buy(city, FRIDGE)
    filed = appeal(city, basket).appeal

    deciding(city).uphold(NANJING, filed.appeal, VERDICT, LATER)

    with city.database.read() as connection:
        assert held_scans(connection, NANJING) == []
    assert_verified(city.database, NANJING)


def test_what_still_earns_nothing_is_not_upheld_until_the_registry_is_right(city: City) -> None:
    (basket,) = buy(city, TELEVISION)
    filed = appeal(city, basket).appeal

    with pytest.raises(NothingWouldChange):
        deciding(city).uphold(NANJING, filed.appeal, VERDICT, LATER)
    assert seen(city, filed.appeal).state is AppealState.OPEN
    row = certificate_row(code=TELEVISION, product="电视机", category="电视机", grade="1")
    register(city.database, {"code": TELEVISION, "product": "电视机", "category": "电视机", "grade": "1"}, now=LATER)

    deciding(city).uphold(NANJING, filed.appeal, VERDICT, LATER + timedelta(hours=1))

    assert row["grade"] == "1"
    assert books.wallet(city.database, NANJING, LI) == 1_000
    assert_verified(city.database, NANJING)


def test_what_was_ruled_on_meanwhile_is_answered_by_that(city: City) -> None:
    buy(city, FRIDGE)
    (basket,) = buy(city, FRIDGE)
    filed = appeal(city, basket).appeal
    RuleOnHold(city.database, RegistryCache(), PolicyCache(chart.budget)).release(
        NANJING, Place(basket, 0), RULED, NOON
    )

    with pytest.raises(AppealOvertaken):
        deciding(city).uphold(NANJING, filed.appeal, VERDICT, LATER)
    deciding(city).reject(NANJING, filed.appeal, VERDICT, LATER)
    assert_verified(city.database, NANJING)


def test_only_ones_own_undecided_or_unpaid_scans_are_appealed_once(city: City) -> None:
    awarded, nothing = buy(city, FRIDGE, TELEVISION)

    with pytest.raises(NothingToAppeal):
        appeal(city, awarded)
    with pytest.raises(AppealUnknown):
        appeal(city, nothing, person=WANG)
    first, again = appeal(city, nothing), appeal(city, nothing)
    assert (first.new, again.new, again.appeal) == (True, False, first.appeal)
    for number, text in (("1", "别的话"), ("2", "小票已补交")):
        with pytest.raises(AppealRepeated):
            appeal(city, nothing, number, text)


def test_goods_that_came_back_are_paid_to_nobody(city: City) -> None:
    basket = refused_hold(city)
    filed = appeal(city, basket).appeal
    bring_back(city.database, (basket, 0, 1), at=NOON + timedelta(hours=1))

    with pytest.raises((NothingToAppeal, AppealOvertaken)):
        deciding(city).uphold(NANJING, filed.appeal, VERDICT, LATER)
    assert_verified(city.database, NANJING)


def test_two_officials_at_once_decide_an_appeal_once(city: City) -> None:
    for number in range(3):
        (basket,) = buy(city, FRIDGE, person=resident(10 + number))
        (basket,) = buy(city, FRIDGE, person=resident(10 + number))
        filed = appeal(city, basket, person=resident(10 + number)).appeal
        start = Barrier(4)

        def act(work: Callable[..., object], start: Barrier = start, filed: Appeal = filed) -> str:
            start.wait()
            try:
                work(NANJING, filed.appeal, VERDICT, LATER)
            except DomainError as refused_:
                return refused_.code
            return "decided"

        one = deciding(city)
        with Threads(4) as threads:
            answers = list(threads.map(act, [one.uphold, one.reject, one.uphold, one.reject]))

        assert sorted(answers) == ["appeal-decided"] * 3 + ["decided"]
    assert_verified(city.database, NANJING)


def test_officials_see_what_is_due_and_decide_it(run: Run, city: City) -> None:
    filed = appeal(city, refused_hold(city)).appeal
    (one,) = listed(run, "appeals", "--city", NANJING)
    assert (one["appeal"], one["text"], one["due_on"]) == (filed.appeal, "小票已补交", "2026-12-11")
    assert "小票已补交" in done(run("appeals", "list", "--city", NANJING))
    decide = ("appeals", "decide", filed.appeal, "--city", NANJING, "--uphold", "--explanation", "小票相符。", "--by")

    assert refused(run(*decide, "王处长")).code == "appeal-needs-another"
    assert "申诉成立，第 3 次核定，奖励 1,000 分" in done(run(*decide, "李主任")).replace("1000", "1,000")

    with city.database.read() as connection:
        assert waiting(connection, NANJING, limit=9) == []
    assert json.loads(done(run("appeals", "list", "--city", NANJING, "--json"))) == []


def test_of_a_closed_account_no_word_stays(city: City) -> None:
    (basket,) = buy(city, TELEVISION)
    filed = appeal(city, basket, text="我叫李明，住在某路 5 号").appeal
    proposed = Proposed("李明所说属实", "陈科员", "陈静", LATER)
    city.database.write(lambda c: propose_appeal(c, NANJING, filed.appeal, proposed, LATER))

    city.database.write(lambda c: store.forget_texts(c, NANJING, LI, LATER))

    found = seen(city, filed.appeal)
    assert (found.state, found.text) == (AppealState.REJECTED, "—")
    for table in ("appeals", "appeal_proposals"):
        assert "李明" not in str(books.rows(city.database, f"SELECT a::text FROM {table} a"))
    city.database.write(lambda c: store.give_appeals(c, NANJING, LI, WANG))
    assert seen(city, filed.appeal).resident == WANG


def test_an_upheld_appeal_without_its_award_is_found(city: City, database_url: str) -> None:
    filed = appeal(city, refused_hold(city)).appeal
    deciding(city).uphold(NANJING, filed.appeal, VERDICT, LATER)
    assert broken(city.database) == set()
    owner = Database(database_url, role=None)
    owner.write(lambda c: c.exec_driver_sql("UPDATE appeals SET new_decision_no = 9"))
    owner.close()

    assert broken(city.database) == {"I9"}
