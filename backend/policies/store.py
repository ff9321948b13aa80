from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from threading import Lock
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.policies.compiled import NO_POLICIES, BudgetAccounts, CompiledPolicy, PolicySet, compile_policy
from backend.policies.document import load_policy
from backend.policies.lifecycle import suspended
from backend.policies.model import Policy
from backend.policies.suspensions import turns_of
from backend.storage.transaction import hot

REVISION = "SELECT revision FROM policy_revisions WHERE city = %(city)s"

VERSIONS = """
SELECT policy, version_no, version::text, text FROM policy_versions WHERE city = %(city)s ORDER BY policy, version_no"""

INSERT = """
INSERT INTO policy_versions (city, policy, version_no, version, text, sha256, document_number, valid_from, valid_until,
                             published_at, published_by)
SELECT %(city)s, %(policy)s, coalesce(max(version_no), 0) + 1, %(version)s, %(text)s, %(sha256)s, %(document_number)s,
       %(valid_from)s, %(valid_until)s, %(now)s, %(by)s
FROM policy_versions WHERE city = %(city)s AND policy = %(policy)s
ON CONFLICT DO NOTHING RETURNING version_no"""

BUMP = """
INSERT INTO policy_revisions (city, revision) VALUES (%(city)s, 1)
ON CONFLICT (city) DO UPDATE SET revision = policy_revisions.revision + 1"""

SAME = """
SELECT version_no FROM policy_versions WHERE city = %(city)s AND policy = %(policy)s AND sha256 = %(sha256)s"""


LAST = """
SELECT max(version_no) FROM policy_versions WHERE city = %(city)s AND policy = %(policy)s"""


class VersionExists(DomainError):
    code = "policy-version-exists"
    text_zh = "该政策已有从同一时刻起生效的版本。"
    text_en = "This policy already has a version that starts at that moment."


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What `publish` stores: the exact text and what was read from it."""

    version: str
    text: str
    sha256: str
    policy: Policy
    valid_from: datetime
    valid_until: datetime
    by: str


class Compiled(NamedTuple):
    revision: int
    policies: PolicySet


def policy_revision(connection: Connection, city: str) -> int:
    """How many publications and turns of its policies `city` has seen."""
    row = hot(connection, REVISION, {"city": city}, prepared=True).fetchone()
    return row[0] if row else 0


class PolicyCache:
    """Compiled policies of each city, current for as long as the city's revision is."""

    def __init__(self, budget_accounts: BudgetAccounts) -> None:
        self._budget_accounts = budget_accounts
        self._cities: dict[str, Compiled] = {}
        self._lock = Lock()

    def lookup(self, connection: Connection, city: str) -> PolicySet:
        """One statement when nothing was published since; one more when something was."""
        return self.as_of(connection, city, policy_revision(connection, city))

    def as_of(self, connection: Connection, city: str, revision: int) -> PolicySet:
        """What `lookup` finds, for who has just read the city's revision: no statement when nothing was published since."""
        cached = self._cities.get(city)
        if cached is None or cached.revision != revision:
            cached = Compiled(revision, load_versions(connection, city, self._budget_accounts))
            self._keep(city, cached)
        return cached.policies

    def held(self, city: str) -> PolicySet:
        """As of the last look-up of `city`: a version that a decision of this process names is among them."""
        cached = self._cities.get(city)
        return cached.policies if cached else NO_POLICIES

    def _keep(self, city: str, loaded: Compiled) -> None:
        """What another thread has loaded meanwhile stays when it is newer."""
        with self._lock:
            kept = self._cities.get(city)
            if kept is None or kept.revision <= loaded.revision:
                self._cities[city] = loaded


def load_versions(connection: Connection, city: str, budget_accounts: BudgetAccounts) -> PolicySet:
    """Every version ever published in `city`, compiled; each ends where its successor starts, if that is earlier."""
    rows = hot(connection, VERSIONS, {"city": city}).fetchall()
    turns = turns_of(connection, city)
    compiled: list[CompiledPolicy] = []
    for policy, versions in groupby(rows, key=lambda row: row[0]):
        loaded = ((version, load_policy(text, published=True)) for _, _, version, text in versions)
        compiled += _chained(loaded, budget_accounts, suspended(turns.get(policy, ())))
    return PolicySet(compiled)


def published_before(connection: Connection, city: str, policy: str, sha256: str) -> int | None:
    """The number of the version with exactly this text, if there is one."""
    row = hot(connection, SAME, {"city": city, "policy": policy, "sha256": sha256}).fetchone()
    return row[0] if row else None


def insert_version(connection: Connection, city: str, new: NewVersion, now: datetime) -> int:
    """The number of the new version. Raises VersionExists when one starts at the same moment."""
    row = hot(
        connection,
        INSERT,
        {
            "city": city,
            "policy": new.policy.policy,
            "version": new.version,
            "text": new.text,
            "sha256": new.sha256,
            "document_number": new.policy.document.number,
            "valid_from": new.valid_from,
            "valid_until": new.valid_until,
            "now": now,
            "by": new.by,
        },
    ).fetchone()
    if row is None:
        raise VersionExists
    announce(connection, city)
    number: int = row[0]
    return number


def announce(connection: Connection, city: str) -> None:
    """Counts a change of the city's policies: each process loads them anew, changes of one city queue behind this row."""
    hot(connection, BUMP, {"city": city})


def last_version(connection: Connection, city: str, policy: str) -> int | None:
    row = hot(connection, LAST, {"city": city, "policy": policy}).fetchone()
    return row[0] if row else None


def _chained(
    versions: Iterable[tuple[str, Policy]], budget_accounts: BudgetAccounts, pauses: tuple[tuple[int, int], ...]
) -> list[CompiledPolicy]:
    ordered = sorted(versions, key=lambda pair: pair[1].from_ms)
    starts = [policy.from_ms for _, policy in ordered[1:]] + [None]
    most: dict[str, int] = {}
    for _, policy in ordered:
        for budget in policy.budgets:
            most[budget.unit.value] = max(most.get(budget.unit.value, 0), budget.shards)

    # Versions share one budget: each may spend from all accounts that any of them spread it over.
    def accounts_of_all(name: str, unit: str, _shards: int) -> tuple[str, ...]:
        return budget_accounts(name, unit, most[unit])

    compiled: list[CompiledPolicy] = []
    for (version, policy), starts_next in zip(ordered, starts, strict=True):
        until_ms = policy.until_ms if starts_next is None else min(policy.until_ms, starts_next)
        compiled.append(compile_policy(policy, version, until_ms, accounts_of_all, pauses, compiled))
    return compiled
