"""A policy document becomes an immutable version with its budget, all in one database transaction."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.ids import new_id
from backend.kernel.periods import instant
from backend.ledger import chart, post
from backend.ledger.model import Reason, Transfer
from backend.policies import store
from backend.policies.document import load_policy
from backend.policies.store import NewVersion


class PublishedVersion(NamedTuple):
    """`granted` is what this version added to the policy's budget, in its unit; 0 when the same text stood before."""

    policy: str
    version_no: int
    unit: str
    granted: int
    new: bool


def publish_policy(connection: Connection, city: str, text: str, *, by: str, now: datetime) -> PublishedVersion:
    """Publishes `text`; publishing the same text again changes nothing.

    The budget of a version is granted on top of what the policy's account still holds. Raises PolicyRefused with every
    fault, VersionExists when another version starts at the same moment.
    """
    policy = load_policy(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    unit = policy.unit.value
    known = store.published_before(connection, city, policy.policy, digest)
    if known is not None:
        return PublishedVersion(policy.policy, known, unit, 0, new=False)

    version = NewVersion(new_id(), text, digest, policy, instant(policy.from_ms), instant(policy.until_ms), by)

    number = store.insert_version(connection, city, version, now)
    source, budget = chart.treasury(unit), chart.budget(policy.policy, unit)
    grant = Transfer(version.version, 1, 0, Reason.GRANT.value, unit, source, budget, policy.budget)
    post.post_once(connection, city, [grant], now)
    return PublishedVersion(policy.policy, number, unit, policy.budget, new=True)
