"""A policy document becomes an immutable version with its budget, all in one database transaction."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.ids import new_id
from backend.kernel.periods import instant
from backend.ledger import chart, post
from backend.ledger.model import Reason, Transfer
from backend.policies import store
from backend.policies.bounds import unpublishable
from backend.policies.document import PolicyRefused, load_policy
from backend.policies.model import Budget, Policy
from backend.policies.store import NewVersion


class Granted(NamedTuple):
    """What a version adds to one of the policy's budgets, in its unit."""

    unit: str
    amount: int


class PublishedVersion(NamedTuple):
    """`grants` is what this version added to the policy's budgets; empty when the same text stood before."""

    policy: str
    version_no: int
    grants: tuple[Granted, ...]
    new: bool


def publish_policy(connection: Connection, city: str, text: str, *, by: str, now: datetime) -> PublishedVersion:
    """Publishes `text`; publishing the same text again changes nothing.

    The budget of a version is granted on top of what the policy's accounts still hold. Raises PolicyRefused with every
    fault, VersionExists when another version starts at the same moment.
    """
    policy = load_sound(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    known = store.published_before(connection, city, policy.policy, digest)
    if known is not None:
        return PublishedVersion(policy.policy, known, (), new=False)

    version = NewVersion(new_id(), text, digest, policy, instant(policy.from_ms), instant(policy.until_ms), by)

    number = store.insert_version(connection, city, version, now)
    for step, budget in enumerate(policy.budgets, 1):
        post.post_once(connection, city, _grant(version.version, step, policy.policy, budget), now)
    grants = tuple(Granted(budget.unit.value, budget.amount) for budget in policy.budgets)
    told = {
        "version": version.version,
        "number": number,
        "sha256": digest,
        "by": by,
        "valid_from": version.valid_from.isoformat(),
        "valid_until": version.valid_until.isoformat(),
        "granted": {one.unit: one.amount for one in grants},
    }
    record(connection, Act(What.POLICY_PUBLISHED, city, "policy", policy.policy, now, after=told))
    return PublishedVersion(policy.policy, number, grants, new=True)


def load_sound(text: str | bytes) -> Policy:
    """The policy that `text` states. Raises PolicyRefused with every fault, also those that only forbid to publish it."""
    policy = load_policy(text)
    faults = unpublishable(policy)
    if faults:
        raise PolicyRefused(faults)
    return policy


def shares_of(budget: Budget) -> list[int]:
    """What each account of a budget is granted: equal parts, the first ones a unit more where it does not divide."""
    each, over = divmod(budget.amount, budget.shards)
    return [each + (shard < over) for shard in range(budget.shards)]


def _grant(version: str, step: int, policy: str, budget: Budget) -> list[Transfer]:
    unit = budget.unit.value
    accounts = chart.budget(policy, unit, budget.shards)
    source = chart.treasury(unit)
    return [
        Transfer(version, step, line, Reason.GRANT.value, unit, source, account, amount)
        for line, (account, amount) in enumerate(zip(accounts, shares_of(budget), strict=True))
        if amount
    ]
