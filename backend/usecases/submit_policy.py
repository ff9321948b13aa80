"""An author hands a draft in; what the linter blocks is not handed in."""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.policies.drafts import find_draft, save_draft
from backend.policies.lifecycle import (
    STANDINGS_ZH,
    Act,
    Draft,
    NotInThatState,
    PolicyBlocked,
    Standing,
    after,
    standing,
)
from backend.policies.lint import blockers
from backend.policies.lint_finding import Finding
from backend.policies.suspensions import turns_of
from backend.usecases.draft_acts import record_draft_act
from backend.usecases.lint_policy import lint_policy


class Submitted(NamedTuple):
    """`warnings` are for the approver to weigh."""

    draft: Draft
    warnings: tuple[Finding, ...]


def submit_policy(
    connection: Connection, city: str, draft: str, *, by: str, now: datetime, revision: int | None = None
) -> Submitted:
    """Raises DraftUnknown, DraftChanged, DraftNotAtThatPoint, NotTheAuthor; PolicyBlocked with every finding."""
    known = find_draft(connection, city, draft, lock=True)
    state = after(known, Act.SUBMIT, by, revision)
    warnings = checked(connection, city, known)
    changed = replace(known, state=state, revision=known.revision + 1)
    save_draft(connection, city, changed, known.revision, now)
    record_draft_act(connection, city, What.POLICY_SUBMITTED, known, changed, now, by=by)
    return Submitted(changed, warnings)


def checked(connection: Connection, city: str, draft: Draft) -> tuple[Finding, ...]:
    """The warnings of a draft as its city stands now. Raises PolicyBlocked; NotInThatState where the policy was ended."""
    if standing(turns_of(connection, city).get(draft.policy, ())) is Standing.ENDED:
        raise NotInThatState(standing_zh=STANDINGS_ZH[Standing.ENDED], standing_en=Standing.ENDED.value)
    findings = lint_policy(connection, city, draft.text)
    blocked = blockers(findings)
    if blocked:
        raise PolicyBlocked(findings, blocked)
    return tuple(findings)
