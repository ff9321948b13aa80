"""A policy's way on a real database: two people, one text, nothing that reaches back; also when several act at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from backend.kernel.errors import DomainError
from backend.policies import queries
from backend.policies.drafts import find_draft
from backend.policies.lifecycle import (
    ApprovalOfAnotherText,
    ApproverIsAuthor,
    Draft,
    DraftChanged,
    DraftNotAtThatPoint,
    DraftState,
    NotInThatState,
    NotTheAuthor,
    PolicyBlocked,
    PolicyUnknown,
    Standing,
    SuspensionBackdated,
)
from backend.storage.transaction import Database
from backend.usecases.approve_policy import approve_policy
from backend.usecases.draft_policy import draft_policy, redraft_policy
from backend.usecases.end_policy import end_policy
from backend.usecases.publish_by_two import publish_by_two
from backend.usecases.publish_policy import PublishedVersion
from backend.usecases.reject_policy import reject_policy
from backend.usecases.resume_policy import resume_policy
from backend.usecases.submit_policy import submit_policy
from backend.usecases.suspend_policy import suspend_policy
from backend.usecases.verify_ledger import verify_ledger
from backend.usecases.withdraw_policy import withdraw_policy
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, City, open_city, read, resident

AUTHOR, APPROVER, ANOTHER = "王处长", "李局长", "赵主任"
LATER = NOON + timedelta(hours=1)
ROUNDS = 20


def sound(**changes: Any) -> dict[str, Any]:
    return rules.document(**{"budget": 5_000, "caps": [rules.cap("day", "day", 100)], **changes})


class Office:
    """The people of one city who write and judge policies."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def write(self, work: Callable[..., Any], *words: object, **more: object) -> Any:
        return self.database.write(lambda connection: work(connection, NANJING, *words, **{"now": NOON, **more}))

    def draft(self, doc: dict[str, Any] | None = None) -> Draft:
        draft: Draft = self.write(draft_policy, rules.text_of(doc or sound()), by=AUTHOR)
        return draft

    def submitted(self, doc: dict[str, Any] | None = None) -> Draft:
        draft: Draft = self.write(submit_policy, self.draft(doc).draft, by=AUTHOR).draft
        return draft

    def redraft(self, draft: Draft, doc: dict[str, Any], by: str = AUTHOR) -> Draft:
        changed: Draft = self.write(redraft_policy, draft.draft, rules.text_of(doc), revision=draft.revision, by=by)
        return changed

    def approve(self, draft: Draft, by: str = APPROVER, **more: object) -> PublishedVersion:
        given = {"sha256": draft.sha256, "reason": "已核对", **more}
        published: PublishedVersion = self.write(approve_policy, draft.draft, by=by, **given)
        return published

    def find(self, draft: Draft) -> Draft:
        with self.database.read() as connection:
            return find_draft(connection, NANJING, draft.draft)

    def turn(self, verb: Callable[..., Any], now: datetime = NOON, **more: object) -> Standing:
        said = {"notice_zh": "因核查暂停发放", "reason": "价格异常", "by": AUTHOR}
        led_to: Standing = self.write(verb, "green", **{**said, "now": now, **more})
        return led_to


@pytest.fixture
def office(engine_db: Database) -> Office:
    return Office(engine_db)


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def test_a_policy_is_written_by_one_person_and_published_by_anothers_word(office: Office) -> None:
    draft = office.submitted()

    published = office.approve(draft)

    assert (published.policy, published.version_no, published.new) == ("green", 1, True)
    assert office.find(draft).state is DraftState.APPROVED
    with office.database.read() as connection:
        (version,) = queries.published(connection, NANJING)
        (listed,) = queries.drafts_of(connection, NANJING)
    assert (version.published_by, version.sha256) == (AUTHOR, draft.sha256)
    assert (listed.verdict, listed.approver, listed.reason, listed.version_no) == ("approved", APPROVER, "已核对", 1)
    assert books.budget_left(office.database, NANJING) == 5_000


@pytest.mark.parametrize("spelling", [AUTHOR, "王 处长", "王处长\u200b"])
def test_no_author_publishes_their_own_draft(office: Office, spelling: str) -> None:
    draft = office.submitted()

    with pytest.raises(ApproverIsAuthor):
        office.approve(draft, by=spelling)
    with pytest.raises(ApproverIsAuthor):
        office.write(publish_by_two, rules.text_of(sound()), by=AUTHOR, approved_by=spelling, reason="x")

    assert office.find(draft).state is DraftState.SUBMITTED
    assert published_versions(office) == []


def published_versions(office: Office) -> list[int]:
    with office.database.read() as connection:
        return [version.version_no for version in queries.published(connection, NANJING)]


@pytest.mark.parametrize(
    ("author", "approver", "keys", "constraint"),
    [
        ("Wang", "wang", ("wang", "li"), "two_people"),
        ("王处长", "王 处长", ("a", "b"), "two_people"),
        ("ＷＡＮＧ", "wang", ("a", "b"), "two_people"),
        ("王处长", "李局长", ("a", "a"), "two_keys"),
        ("王处长", "李局长", ("a", ""), "two_keys"),
    ],
)
def test_the_database_itself_holds_author_and_approver_apart(
    owner: psycopg.Connection[Any], author: str, approver: str, keys: tuple[str, str], constraint: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as violated:
        owner.execute(
            "INSERT INTO policy_approvals (city, draft, revision, verdict, policy, version_no, sha256, author, author_key,"
            " approver, approver_key, reason, judged_at) VALUES"
            " ('320100', gen_random_uuid(), 1, 'approved', 'p', 1, %s, %s, %s, %s, %s, '', now())",
            ("ab" * 32, author, keys[0], approver, keys[1]),
        )

    assert violated.value.diag.constraint_name == f"ck_policy_approvals_{constraint}"


def test_an_approval_is_of_the_text_and_preview_that_were_seen(office: Office) -> None:
    draft = office.submitted()

    for wrong in ({"sha256": "ab" * 32}, {"sha256": draft.sha256[:11]}, {"preview_sha256": "cd" * 32}):
        with pytest.raises(ApprovalOfAnotherText):
            office.approve(draft, **wrong)
    with office.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM policy_approvals")).scalar_one() == 0

    assert office.approve(draft, sha256=draft.sha256[:12]).version_no == 1


def test_a_changed_draft_voids_its_submission_and_what_was_seen_of_it(office: Office) -> None:
    submitted = office.submitted()

    changed = office.redraft(submitted, sound(budget=9_000))

    assert (changed.state, changed.revision) == (DraftState.DRAFT, 3)
    with pytest.raises(DraftNotAtThatPoint):
        office.approve(submitted)
    office.write(submit_policy, changed.draft, by=AUTHOR)
    with pytest.raises(ApprovalOfAnotherText):
        office.approve(submitted)
    assert office.approve(changed).grants[0].amount == 9_000


def test_who_saw_an_older_revision_and_who_is_not_the_author_change_nothing(office: Office) -> None:
    draft = office.draft()
    office.redraft(draft, sound(budget=6_000))

    with pytest.raises(DraftChanged):
        office.redraft(draft, sound(budget=7_000))
    with pytest.raises(NotTheAuthor):
        office.redraft(office.find(draft), sound(budget=7_000), by=APPROVER)
    with pytest.raises(NotTheAuthor):
        office.write(withdraw_policy, draft.draft, by=APPROVER)

    assert '"amount": 6000' in office.find(draft).text


def test_a_rejected_draft_is_mended_and_submitted_again(office: Office) -> None:
    draft = office.submitted()

    office.write(reject_policy, draft.draft, by=APPROVER, reason="预算过高")
    mended = office.redraft(office.find(draft), sound(budget=1_000))
    office.write(submit_policy, draft.draft, by=AUTHOR)
    office.approve(mended, by=ANOTHER)

    with office.database.read() as connection:
        said = connection.execute(text("SELECT verdict, approver FROM policy_approvals ORDER BY revision")).all()
    assert [tuple(row) for row in said] == [("rejected", APPROVER), ("approved", ANOTHER)]


def test_a_withdrawn_draft_is_history(office: Office) -> None:
    draft = office.submitted()
    office.write(withdraw_policy, draft.draft, by=AUTHOR)

    with pytest.raises(DraftNotAtThatPoint):
        office.approve(draft)


def test_what_the_linter_blocks_is_not_submitted(office: Office) -> None:
    draft = office.draft(sound(caps=[rules.cap("life", "lifetime", 10**9)]))

    with pytest.raises(PolicyBlocked) as blocked:
        office.write(submit_policy, draft.draft, by=AUTHOR)

    assert blocked.value.facts["faults"].keys() == {"caps"}  # type: ignore[attr-defined]  # a mapping
    assert office.find(draft).state is DraftState.DRAFT


def test_the_linter_is_asked_again_when_a_draft_is_approved(office: Office) -> None:
    """Two drafts of one stacking group that disagree: each is sound until the other is published."""
    one = office.submitted({**sound(policy="a"), "stacking": {"group": "g", "mode": "sum"}})
    other = office.submitted({**sound(policy="b"), "stacking": {"group": "g", "mode": "best"}})
    office.approve(one)

    with pytest.raises(PolicyBlocked) as blocked:
        office.approve(other)

    assert [found.code for found in blocked.value.findings][:1] == ["stacking_disagrees"]
    assert office.find(other).state is DraftState.SUBMITTED


def test_a_district_narrows_what_its_city_published_and_does_not_widen_it(office: Office) -> None:
    office.approve(office.submitted(sound(policy="city")))
    within = {"within": "city", "scope": {"districts": ["320102"]}}

    office.submitted({**sound(policy="narrow"), **within})
    with pytest.raises(PolicyBlocked) as blocked:
        office.submitted({**sound(policy="wide", starts="2025-01-01T00:00:00+08:00"), **within})
    with pytest.raises(PolicyBlocked):
        office.submitted({**sound(policy="lost"), **within, "within": "unknown"})

    assert blocked.value.facts["faults"].keys() == {"from"}  # type: ignore[attr-defined]


def test_publishing_the_same_text_by_two_again_changes_nothing(office: Office) -> None:
    given = {"by": AUTHOR, "approved_by": APPROVER, "reason": "x"}

    first = office.write(publish_by_two, rules.text_of(sound()), **given)
    second = office.write(publish_by_two, rules.text_of(sound()), **given)

    assert (first.version_no, second.version_no, second.new) == (1, 1, False)
    with office.database.read() as connection:
        assert len(queries.drafts_of(connection, NANJING)) == 1


# Several at once.


def outcomes(*works: Callable[[], Any]) -> list[Any]:
    """What each of `works` returned or refused, all started at one moment."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return work()
        except DomainError as refusal:
            return refusal

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(run, work) for work in works]]


def test_of_two_approvers_at_once_one_publishes(office: Office) -> None:
    for number in range(ROUNDS):
        draft = office.submitted(sound(policy=f"p{number}"))

        found = outcomes(lambda d=draft: office.approve(d), lambda d=draft: office.approve(d, by=ANOTHER))

        assert [type(one) for one in found].count(PublishedVersion) == 1
        assert [type(one) for one in found].count(DraftNotAtThatPoint) == 1
    assert books.budget_left(office.database, NANJING, "p0") == 5_000


def test_an_edit_beside_an_approval_is_either_before_it_or_refused(office: Office) -> None:
    """Whichever comes first: what is published is what was approved, and never the text that nobody saw."""
    seen = set()
    for number in range(ROUNDS):
        draft, new = office.submitted(sound(policy=f"p{number}")), sound(policy=f"p{number}", budget=9_000)

        approved, edited = outcomes(lambda d=draft: office.approve(d), lambda d=draft, n=new: office.redraft(d, n))

        seen.add(type(approved))
        if isinstance(approved, PublishedVersion):
            assert isinstance(edited, DraftChanged | DraftNotAtThatPoint)
            assert approved.grants[0].amount == 5_000
        else:
            assert isinstance(approved, DraftNotAtThatPoint)
            assert (edited.state, office.find(draft).text) == (DraftState.DRAFT, rules.text_of(new))
    assert PublishedVersion in seen


def test_of_two_suspensions_at_once_one_is_taken(office: Office) -> None:
    office.approve(office.submitted())

    found = outcomes(*[lambda: office.turn(suspend_policy)] * 4)

    assert sorted(type(one).__name__ for one in found) == ["NotInThatState"] * 3 + ["Standing"]


# Suspension.


def test_a_policy_that_is_unknown_or_not_suspended_does_not_turn(office: Office) -> None:
    with pytest.raises(PolicyUnknown):
        office.turn(suspend_policy)
    office.approve(office.submitted())
    with pytest.raises(NotInThatState):
        office.turn(resume_policy)
    with pytest.raises(SuspensionBackdated):
        office.turn(suspend_policy, from_at=NOON - timedelta(seconds=1))


def test_the_database_itself_takes_no_turn_that_reaches_back(owner: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(
            "INSERT INTO policy_suspensions VALUES ('320100', 'p', 1, 'suspend', now() - interval '1 second', 'n', 'r', 'b',"
            " now())"
        )


def sold(city: City, *moments: datetime) -> list[str]:
    """The reasons of fridges sold and received at those moments, each to another person."""
    till = city.till(len(moments))
    for number, at in enumerate(moments):
        city.record(till.basket(read(FRIDGE), resident=resident(number), sold_at=at), now=at)
    return [one.reason for one in books.decided(city.database, city.code)]


def broken(database: Database) -> list[Any]:
    return [finding for verified in verify_ledger(database, NANJING) for finding in verified.findings if finding.broken]


def test_what_is_sold_while_a_policy_is_suspended_is_told_so(engine_db: Database) -> None:
    city, office = open_city(engine_db, sound()), Office(engine_db)
    until = LATER + timedelta(hours=1)
    office.turn(suspend_policy, from_at=LATER)
    office.turn(resume_policy, from_at=until)

    second = timedelta(seconds=1)
    reasons = sold(city, LATER - second, LATER, until - second, until)

    assert reasons == ["awarded", "policy_suspended", "policy_suspended", "awarded"]
    assert books.budget_left(engine_db, NANJING) == 5_000 - 2 * 10
    assert broken(engine_db) == []


def test_what_was_decided_before_a_suspension_replays_as_it_was(engine_db: Database) -> None:
    """Also what was sold before and comes late: the moment of sale decides."""
    city, office = open_city(engine_db, sound()), Office(engine_db)
    sold(city, NOON)
    office.turn(suspend_policy, now=LATER)

    late = city.till(2).basket(read(FRIDGE), resident=resident(9), sold_at=NOON, received_at=LATER + timedelta(days=1))
    city.record(late, now=LATER + timedelta(days=1))

    assert [one.reason for one in books.decided(engine_db, NANJING)] == ["awarded", "awarded"]
    assert broken(engine_db) == []


def test_an_ended_policy_pays_nothing_more_and_takes_no_new_version(engine_db: Database) -> None:
    city, office = open_city(engine_db, sound()), Office(engine_db)

    assert office.turn(end_policy, now=LATER) is Standing.ENDED

    assert sold(city, NOON, LATER + timedelta(minutes=1)) == ["awarded", "policy_suspended"]
    with pytest.raises(NotInThatState):
        office.turn(resume_policy, now=LATER + timedelta(hours=1))
    with pytest.raises(NotInThatState):
        office.submitted(sound(starts="2027-06-01T00:00:00+08:00"))


def test_another_policy_pays_beside_one_that_is_suspended(engine_db: Database) -> None:
    city, office = open_city(engine_db, sound()), Office(engine_db)
    city.publish(sound(policy="other"))
    office.turn(suspend_policy, from_at=NOON)

    assert sold(city, NOON) == ["awarded"]
    assert books.budget_left(engine_db, NANJING, "other") == 4_990


def test_every_process_learns_of_a_suspension_with_its_next_batch(engine_db: Database) -> None:
    city, office = open_city(engine_db, sound()), Office(engine_db)
    another, till = city.another_process(), city.till()
    another.record(NANJING, [till.basket(read(FRIDGE), resident=resident(1))], NOON)
    office.turn(suspend_policy, now=NOON)
    at = NOON + timedelta(seconds=1)
    another.record(NANJING, [till.basket(read(FRIDGE), resident=resident(2), sold_at=at)], at)

    assert [one.reason for one in books.decided(engine_db, NANJING)] == ["awarded", "policy_suspended"]


def test_awards_and_a_suspension_at_once_leave_books_that_hold(engine_db: Database) -> None:
    """Whatever is decided beside it, what comes after the suspension is told of it, and everything replays."""
    city, office = open_city(engine_db, sound()), Office(engine_db)
    at = NOON + timedelta(seconds=1)
    tills = [city.till(number) for number in range(4)]

    def scan(number: int) -> list[str]:
        process = city.another_process()
        for each in range(ROUNDS):
            person = resident(100 * number + each)
            process.record(NANJING, [tills[number].basket(read(FRIDGE), resident=person, sold_at=at)], at)
        return []

    outcomes(*[lambda n=number: scan(n) for number in range(4)], lambda: office.turn(suspend_policy, now=NOON))
    told = {one.reason for one in books.decided(engine_db, NANJING)}
    awarded = sum(one.reason == "awarded" for one in books.decided(engine_db, NANJING))
    city.record(city.till(9).basket(read(FRIDGE), resident=resident(999), sold_at=at), now=at)

    assert told <= {"awarded", "policy_suspended"}
    assert books.decided(engine_db, NANJING)[-1].reason == "policy_suspended"
    assert books.budget_left(engine_db, NANJING) == 5_000 - 10 * awarded
    assert broken(engine_db) == []


def test_an_award_of_a_suspended_policy_is_found(engine_db: Database, owner: psycopg.Connection[Any]) -> None:
    """The suspension is planted as if it had been known long before the award."""
    city = open_city(engine_db, sound())
    sold(city, NOON)
    begun = NOON - timedelta(hours=1)
    owner.execute(
        "INSERT INTO policy_suspensions VALUES ('320100', 'green', 1, 'suspend', %s, 'n', 'r', 'b', %s)", (begun, begun)
    )

    (found,) = broken(engine_db)

    assert (found.invariant, found.broken) == ("I8", 1)
    assert "was suspended at the sale" in found.breaks[0].found
