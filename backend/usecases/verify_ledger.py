"""The proof that the money is right: invariants I4 to I10, each one function, over one snapshot of one city."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from backend.kernel.findings import Break, Finding
from backend.kernel.periods import milliseconds
from backend.ledger import chart
from backend.ledger import verify as ledger
from backend.policies.compiled import PolicySet
from backend.policies.queries import published
from backend.policies.store import load_versions
from backend.scans import verify as scans
from backend.scans import verify_caps
from backend.scans.model import READS_MAX
from backend.scans.replay import Chosen
from backend.storage.columns import ids, numbers, words
from backend.storage.stream import snapshot, streamed
from backend.storage.transaction import hot
from backend.usecases.award_postings import PART_STEP
from backend.usecases.publish_policy import shares_of
from backend.usecases.verify_leases import leases_unmatched
from backend.usecases.verify_merges import merges_unmatched
from backend.usecases.verify_redemptions import redemptions_hold
from backend.usecases.verify_returns import returns_unmatched
from backend.usecases.verify_settlements import settlements_hold

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

# A fee is the shop's, and does not wait.
_AWARDS = """
SELECT basket, line_no::int AS line, decision_no, award, unit, resident, policy_version, NULL AS store FROM decisions
WHERE city = %(city)s AND award > 0
UNION ALL
SELECT f.basket, f.line_no + (f.award_no - 1) * %(reads_max)s, f.decision_no, f.award, f.unit, d.resident,
       f.policy_version,
       CASE WHEN f.unit = 'fee' THEN (SELECT b.store FROM baskets b WHERE b.city = %(city)s AND b.basket = f.basket) END
FROM further_awards f
JOIN decisions d ON d.city = %(city)s AND d.basket = f.basket AND d.line_no = f.line_no
  AND d.decision_no = f.decision_no
WHERE f.city = %(city)s AND f.award > 0"""

# What several accounts paid together for one award is one award. Where the moment of sale says where it goes, see below.
OFF_AWARDS = f"""
SELECT coalesce(d.basket, t.reference)::text, coalesce(d.line, t.line), coalesce(d.decision_no, t.step),
       d.award::text, t.amount::text, t.source, t.destination
FROM (SELECT a.*, v.policy FROM ({_AWARDS}) a
      LEFT JOIN policy_versions v ON v.city = %(city)s AND v.version = a.policy_version) d
FULL JOIN (SELECT reference, step, line %% %(part_step)s AS line, unit, sum(amount) AS amount, min(source) AS source,
                  CASE WHEN min(destination) = max(destination) THEN min(destination) END AS destination,
                  bool_and(source ~ ('^budget:[a-z0-9-]+(:[0-9]+)?:' || unit || '$')) AS from_budget,
                  min(split_part(source, ':', 2)) AS policy
           FROM transfers WHERE city = %(city)s AND reason = 'award'
           GROUP BY reference, step, line %% %(part_step)s, unit) t
  ON t.reference = d.basket AND t.step = d.decision_no AND t.line = d.line
WHERE d.award IS DISTINCT FROM t.amount OR d.unit IS DISTINCT FROM t.unit
   OR (t.destination IS DISTINCT FROM CASE WHEN d.unit = 'fee' THEN 'shop:' || d.store ELSE 'resident:' || d.resident END
                                      || ':' || d.unit
       AND (d.unit = 'fee' OR coalesce(d.policy_version <> ALL(%(timed)s::uuid[]), true)))
   OR t.policy IS DISTINCT FROM d.policy OR t.from_budget IS NOT TRUE"""

# By the calendar of the database and not by ours, so that the two must agree. Civil time is UTC+8.
OFF_TIMES = f"""
SELECT basket::text, line, decision_no, award::text, source, destination, expected FROM (
  SELECT t.*, concat_ws(':', kind, resident, collected_for, moment,
                        CASE WHEN moment IS NULL THEN ending ELSE coalesce(ending, '-') END, unit) AS expected
  FROM (SELECT d.*, t.source, t.destination,
               CASE WHEN p.days > 0 THEN 'pending' WHEN p.hours > 0 THEN 'collect' ELSE 'resident' END AS kind,
               CASE WHEN p.hours > 0 THEN p.policy END AS collected_for,
               to_char(CASE WHEN p.days > 0 THEN date_trunc('day', b.sold) + make_interval(days => p.days + 1)
                            WHEN p.hours > 0 THEN date_trunc('hour', b.sold + make_interval(hours => p.hours + 1)
                                                                     - INTERVAL '1 microsecond') END,
                       'YYYYMMDDHH24') AS moment,
               'e' || CASE WHEN p.months > 0 THEN to_char(date_trunc('month', b.sold)
                             + make_interval(months => p.months + 1) - INTERVAL '1 day', 'YYYYMMDD')
                           ELSE replace(p.last_day, '-', '') END AS ending
        FROM ({_AWARDS}) d
        JOIN unnest(%(timed)s::uuid[], %(policies)s::text[], %(days)s::int[], %(hours)s::int[], %(months)s::int[],
                    %(last_days)s::text[]) p(version, policy, days, hours, months, last_day)
          ON p.version = d.policy_version
        JOIN (SELECT basket, sold_at AT TIME ZONE INTERVAL '8 hours' AS sold FROM baskets WHERE city = %(city)s) b
          ON b.basket = d.basket
        JOIN transfers t ON t.city = %(city)s AND t.reference = d.basket AND t.step = d.decision_no
          AND t.line %% %(part_step)s = d.line AND t.reason = 'award'
        WHERE d.unit <> 'fee') t) awarded
WHERE destination IS DISTINCT FROM expected"""

OFF_GRANTS = """
SELECT coalesce(v.version, t.reference)::text, v.policy, t.source, t.destination
FROM (SELECT version, policy FROM policy_versions WHERE city = %(city)s) v
FULL JOIN (SELECT reference, unit, source, destination FROM transfers WHERE city = %(city)s AND reason = 'grant') t
  ON t.reference = v.version
WHERE v.version IS NULL OR t.reference IS NULL OR split_part(t.destination, ':', 1) <> 'budget'
   OR split_part(t.destination, ':', 2) IS DISTINCT FROM v.policy OR t.source IS DISTINCT FROM 'treasury:' || t.unit"""

# What is reserved: for quotes their awards while they are held, for leases what was neither drawn nor given back.
OFF_RESERVED = """
WITH awards AS (
  SELECT basket, policy_version, unit, award FROM quoted_decisions WHERE city = %(city)s AND award > 0
  UNION ALL
  SELECT basket, policy_version, unit, award FROM quoted_awards WHERE city = %(city)s AND award > 0),
promised AS (
  SELECT 'reserved:' || a.basket || ':' || v.policy || ':' || a.unit AS account, sum(a.award) AS amount
  FROM awards a
  JOIN quotes q ON q.city = %(city)s AND q.basket = a.basket AND q.state = 'held'
  JOIN policy_versions v ON v.city = %(city)s AND v.version = a.policy_version
  GROUP BY 1
  UNION ALL
  SELECT 'reserved:' || lease || ':' || policy || ':' || unit, amount - drawn - returned FROM leases
  WHERE city = %(city)s)
SELECT account, a.balance::text, p.amount::text
FROM (SELECT account, balance FROM accounts WHERE city = %(city)s AND account LIKE 'reserved:%%') a
FULL JOIN promised p USING (account)
WHERE coalesce(a.balance, 0) <> coalesce(p.amount, 0)"""


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
            ledger.budgets_add_up(connection, city, _documented(policies), _off_reserved(connection, city)),
            verify_caps.caps_hold(connection, city, policies),
            scans.awards_replay(connection, city, policies, published_at_ms, Chosen(replay_since), lines_max),
            scans.nothing_dangles(connection, city, _unposted(connection, city, policies)),
            redemptions_hold(connection, city),
            settlements_hold(connection, city),
        )
    return Verified(city, findings)


def _documented(policies: PolicySet) -> dict[str, int]:
    """Budget account -> what the documents of all versions grant it."""
    granted: dict[str, int] = {}
    for policy in policies:
        for budget in policy.budgets:
            # Its own accounts come first; the others are those of versions that spread it further.
            for account, amount in zip(budget.accounts, shares_of(budget.budget), strict=False):
                if amount:  # an account that nothing was granted to may not be there
                    granted[account] = granted.get(account, 0) + amount
    return granted


def _off_reserved(connection: Connection, city: str) -> Iterator[Break]:
    for account, balance, promised in streamed(connection, OFF_RESERVED, {"city": city}):
        yield Break(f"account {account}", f"holds {balance or 'nothing'}, quotes and leases {promised or 'nothing'}")
    yield from leases_unmatched(connection, city)


def _unposted(connection: Connection, city: str, policies: PolicySet) -> Iterator[Break]:
    """Where scans and ledger meet: every award has exactly its transfer, to where its moment of sale says, and every such
    transfer its award; and what returned pieces take back was taken back.
    """
    params = {"city": city, "reads_max": READS_MAX, "part_step": PART_STEP, "timed": ids(list(policies.timed))}
    for basket, line_no, number, award, amount, source, destination in streamed(connection, OFF_AWARDS, params):
        found = f"decided {award or 'nothing'}, posted {amount or 'nothing'} from {source} to {destination}"
        yield Break(f"award {basket} line {line_no} no {number}", found)
    times = params | _times(policies) if policies.timed else None
    for basket, line_no, number, award, source, destination, expected in (
        streamed(connection, OFF_TIMES, times) if times else ()
    ):
        found = f"{award} posted from {source} to {destination}, and not to {expected}"
        yield Break(f"award {basket} line {line_no} no {number}", found)
    yield from returns_unmatched(connection, city, policies)
    yield from merges_unmatched(connection, city)
    for version, policy, source, destination in streamed(connection, OFF_GRANTS, {"city": city}):
        yield Break(f"grant {version}", f"policy {policy}, posted from {source} to {destination}")


def _times(policies: PolicySet) -> dict[str, object]:
    """What the documents say of when awards are available and end, beside their versions."""
    timed = list(policies.timed.values())
    return {
        "policies": words([one.policy for one in timed]),
        "days": numbers([one.pending.days for one in timed]),
        "hours": numbers([one.pending.collect_hours for one in timed]),
        "months": numbers([one.expiry.months for one in timed]),
        "last_days": words([one.expiry.on for one in timed]),
    }
