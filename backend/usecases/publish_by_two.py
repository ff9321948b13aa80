"""Drafted by one person and approved by another, in one step: for a city whose two people sit side by side."""

from datetime import datetime

from sqlalchemy import Connection

from backend.policies import store
from backend.policies.document import load_policy
from backend.policies.lifecycle import ApproverIsAuthor, is_same_person
from backend.usecases.approve_policy import approve_policy
from backend.usecases.draft_policy import digest_of, draft_policy
from backend.usecases.publish_policy import PublishedVersion, publish_policy
from backend.usecases.submit_policy import submit_policy


def publish_by_two(
    connection: Connection, city: str, text: str, *, by: str, approved_by: str, reason: str, now: datetime
) -> PublishedVersion:
    """What drafting, submitting and approving lead to; the same text again changes nothing.

    Raises PolicyRefused, PolicyBlocked, ApproverIsAuthor, VersionExists.
    """
    if is_same_person(by, approved_by):
        raise ApproverIsAuthor
    digest = digest_of(text)
    if store.published_before(connection, city, load_policy(text).policy, digest) is not None:
        return publish_policy(connection, city, text, by=by, now=now)
    draft = draft_policy(connection, city, text, by=by, now=now)
    submit_policy(connection, city, draft.draft, by=by, now=now)
    return approve_policy(connection, city, draft.draft, sha256=digest, by=approved_by, reason=reason, now=now)
