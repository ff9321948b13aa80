"""The proof that the money is right: invariants I4 to I9, each one function, over one snapshot of one city."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from backend.kernel.findings import Break, Finding
from backend.kernel.periods import milliseconds
from backend.ledger import chart
from backend.ledger import verify as ledger
from backend.policies.evaluate import CompiledPolicy
from backend.policies.queries import published
from backend.policies.store import load_versions
from backend.scans import verify as scans
from backend.storage.stream import snapshot, streamed
from backend.storage.transaction import hot

# Steps from city to city along the first column of each key, so that it costs one probe a city and table.
CITIES = " UNION ".join(
    f"""(WITH RECURSIVE found AS (
  (SELECT city FROM {table} ORDER BY city LIMIT 1)
  UNION ALL
  SELECT (SELECT t.city FROM {table} t WHERE t.city > found.city ORDER BY t.city LIMIT 1) FROM found
  WHERE found.city IS NOT NULL)
SELECT city FROM found WHERE city IS NOT NULL)"""
    for table in ("accounts", "baskets", "policy_versions")
)

OFF_AWARDS = """
SELECT coalesce(d.basket, t.reference)::text, coalesce(d.line_no, t.line), coalesce(d.decision_no, t.step),
       d.award::text, t.amount::text, t.source, t.destination
FROM (SELECT d.basket, d.line_no, d.decision_no, d.award, d.unit, d.resident, v.policy
      FROM decisions d LEFT JOIN policy_versions v ON v.city = %(city)s AND v.version = d.policy_version
      WHERE d.city = %(city)s AND d.award > 0) d
FULL JOIN (SELECT reference, step, line, unit, source, destination, amount FROM transfers
           WHERE city = %(city)s AND reason = 'award') t
  ON t.reference = d.basket AND t.step = d.decision_no AND t.line = d.line_no
WHERE d.award IS DISTINCT FROM t.amount OR d.unit IS DISTINCT FROM t.unit
   OR t.destination IS DISTINCT FROM 'resident:' || d.resident || ':' || d.unit
   OR t.source IS DISTINCT FROM 'budget:' || d.policy || ':' || d.unit"""

OFF_GRANTS = """
SELECT coalesce(v.version, t.reference)::text, v.policy, t.source, t.destination
FROM (SELECT version, policy FROM policy_versions WHERE city = %(city)s) v
FULL JOIN (SELECT reference, unit, source, destination FROM transfers WHERE city = %(city)s AND reason = 'grant') t
  ON t.reference = v.version
WHERE v.version IS NULL OR t.reference IS NULL OR t.destination IS DISTINCT FROM 'budget:' || v.policy || ':' || t.unit
   OR t.source IS DISTINCT FROM 'treasury:' || t.unit"""


class Reads(Protocol):
    def read(self) -> AbstractContextManager[Connection]: ...


class Verified(NamedTuple):
    """The findings of one city, in the order of the invariants."""

    city: str
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        return not any(one.broken for one in self.findings)


def verify_ledger(
    database: Reads, city: str | None = None, *, replay_since: datetime | None = None, lines_max: int | None = None
) -> list[Verified]:
    """Every invariant of `city`, or of every city. `replay_since` limits the replay to decisions taken from then on, and
    `lines_max` how many of the newest baskets are held against the bytes that were signed.
    """
    with database.read() as connection:
        cities = [city] if city is not None else all_cities(connection)
    return [_verified(database, one, replay_since, lines_max) for one in cities]


def all_cities(connection: Connection) -> list[str]:
    return sorted(city for (city,) in hot(connection, CITIES))


def _verified(database: Reads, city: str, replay_since: datetime | None, lines_max: int | None) -> Verified:
    with database.read() as connection:
        snapshot(connection)
        policies = load_versions(connection, city, chart.budget)
        published_at_ms = {one.version: milliseconds(one.published_at) for one in published(connection, city)}
        findings = (
            ledger.transfers_are_sound(connection, city),
            ledger.balances_are_folds(connection, city),
            ledger.budgets_add_up(connection, city, _documented(policies)),
            scans.caps_hold(connection, city, policies),
            scans.awards_replay(connection, city, policies, published_at_ms, replay_since, lines_max),
            scans.nothing_dangles(connection, city, _unposted(connection, city)),
        )
    return Verified(city, findings)


def _documented(policies: Sequence[CompiledPolicy]) -> dict[str, int]:
    granted: dict[str, int] = {}
    for policy in policies:
        granted[policy.budget_account] = granted.get(policy.budget_account, 0) + policy.policy.budget
    return granted


def _unposted(connection: Connection, city: str) -> Iterator[Break]:
    """Where scans and ledger meet: every award has exactly its transfer, and every such transfer its award."""
    for basket, line_no, number, award, amount, source, destination in streamed(connection, OFF_AWARDS, {"city": city}):
        found = f"decided {award or 'nothing'}, posted {amount or 'nothing'} from {source} to {destination}"
        yield Break(f"award {basket} line {line_no} no {number}", found)
    for version, policy, source, destination in streamed(connection, OFF_GRANTS, {"city": city}):
        yield Break(f"grant {version}", f"policy {policy}, posted from {source} to {destination}")
