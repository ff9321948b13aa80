"""A policy's way on a real database: two people, one text, nothing that reaches back; also when several act at once."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from backend.policies import queries
from backend.policies.drafts import last_preview
from backend.policies.lifecycle import (
    ApprovalOfAnotherText,
    ApproverIsAuthor,
    DraftChanged,
    DraftNotAtThatPoint,
    DraftState,
    NotTheAuthor,
    PolicyBlocked,
    PreviewMissing,
    PreviewStale,
    Turn,
)
from backend.usecases.keep_preview import keep_preview
from backend.usecases.publish_by_two import publish_by_two
from backend.usecases.publish_policy import PublishedVersion
from backend.usecases.reject_policy import reject_policy
from backend.usecases.submit_policy import submit_policy
from backend.usecases.turn_policy import turn_policy
from backend.usecases.verify_ledger import verify_ledger
from backend.usecases.withdraw_policy import withdraw_policy
from tests.db.policies.office import ANOTHER, APPROVER, AUTHOR, ROUNDS, Office, outcomes, sound
from tests.worlds import books, rules
from tests.worlds.city import NANJING, NOON


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
        office.write(publish_by_two, rules.text_of(sound()), preview=None, by=AUTHOR, approved_by=spelling, reason="x")

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

    assert draft.preview_sha256 is not None
    for wrong in (
        {"sha256": "ab" * 32},
        {"sha256": draft.sha256[:11]},
        {"preview_sha256": "cd" * 32},
        {"preview_sha256": draft.preview_sha256[:11]},
        {"preview_sha256": None},
    ):
        with pytest.raises(ApprovalOfAnotherText):
            office.approve(draft, **wrong)
    with office.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM policy_approvals")).scalar_one() == 0

    assert office.approve(draft, sha256=draft.sha256[:12], preview_sha256=draft.preview_sha256[:12]).version_no == 1
    with office.database.read() as connection:
        (judged,) = connection.execute(text("SELECT sha256, preview_sha256 FROM policy_approvals")).all()
    assert tuple(judged) == (draft.sha256, draft.preview_sha256)


def test_a_draft_that_nobody_previewed_is_not_approved_whatever_hash_is_named(office: Office) -> None:
    """Not the first policy of a city without a sale either: its preview, of no sales, is made in no time."""
    draft = office.write(submit_policy, office.draft().draft, by=AUTHOR).draft

    for named in (None, "cd" * 32):
        with pytest.raises(PreviewMissing):
            office.approve(draft, preview_sha256=named)

    assert office.approve(office.previewed(draft)).version_no == 1


def test_a_preview_is_void_once_a_policy_of_the_city_was_published_or_turned(office: Office) -> None:
    one, other = office.submitted(sound(policy="a")), office.submitted(sound(policy="b"))
    office.approve(one)

    with pytest.raises(PreviewStale) as stale:
        office.approve(other)

    assert stale.value.facts["cause"] == "policies"
    assert published_versions(office) == [1]
    assert books.budget_left(office.database, NANJING, "b") == 0
    assert office.approve(office.previewed(other)).version_no == 1
    again = office.submitted(sound(policy="c"))
    office.write(turn_policy, "a", Turn.SUSPEND, notice_zh="核查", reason="x", by=AUTHOR)
    with pytest.raises(PreviewStale):
        office.approve(again)


def test_a_preview_is_void_after_thirty_days(office: Office) -> None:
    draft = office.submitted()

    with pytest.raises(PreviewStale) as stale:
        office.approve(draft, now=NOON + timedelta(days=30, seconds=1))

    assert stale.value.facts["cause"] == "age"
    assert office.approve(draft, now=NOON + timedelta(days=30)).version_no == 1


def test_a_preview_is_kept_to_the_byte_and_of_the_text_that_was_previewed(office: Office) -> None:
    draft = office.submitted()
    of_the_old_text = office.preview(draft.text)
    changed = office.redraft(draft, sound(budget=9_000))

    with pytest.raises(DraftChanged):
        office.write(keep_preview, draft.draft, of_the_old_text, by=AUTHOR)
    with office.database.read() as connection:
        kept = last_preview(connection, NANJING, draft.draft)

    assert changed.preview_sha256 is None
    assert kept is not None
    assert hashlib.sha256(kept.result.encode()).hexdigest() == kept.sha256 == draft.preview_sha256
    assert json.loads(kept.result)["sales"] == 0


def test_an_approval_whose_preview_is_gone_is_a_break(office: Office, owner: psycopg.Connection[Any]) -> None:
    office.approve(office.submitted())
    owner.execute("DELETE FROM policy_previews")

    broken = [one for verified in verify_ledger(office.database, NANJING) for one in verified.findings if one.broken]

    assert [one.breaks[0].found for one in broken] == ["an approval names a preview that is not on record"]


def test_a_changed_draft_voids_its_submission_and_what_was_seen_of_it(office: Office) -> None:
    submitted = office.submitted()

    changed = office.redraft(submitted, sound(budget=9_000))

    assert (changed.state, changed.revision) == (DraftState.DRAFT, 3)
    with pytest.raises(DraftNotAtThatPoint):
        office.approve(submitted)
    office.write(submit_policy, changed.draft, by=AUTHOR)
    with pytest.raises(PreviewStale):
        office.approve(changed, preview_sha256=submitted.preview_sha256)
    changed = office.previewed(changed)
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
    office.approve(office.previewed(mended), by=ANOTHER)

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
    given, seen = {"by": AUTHOR, "approved_by": APPROVER, "reason": "x"}, office.preview(rules.text_of(sound()))

    with pytest.raises(PreviewMissing):
        office.write(publish_by_two, rules.text_of(sound()), preview=None, **given)
    first = office.write(publish_by_two, rules.text_of(sound()), preview=seen, **given)
    second = office.write(publish_by_two, rules.text_of(sound()), preview=None, **given)

    assert (first.version_no, second.version_no, second.new) == (1, 1, False)
    with office.database.read() as connection:
        assert len(queries.drafts_of(connection, NANJING)) == 1


# Several at once.


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
