from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.leases.model import Terms
from backend.leases.words import KeptPromise
from backend.storage.columns import ids
from backend.storage.transaction import hot

TERMS = """
SELECT policy, unit, amount, awards, hours, grace_hours, share_bp FROM lease_terms WHERE city = %(city)s
ORDER BY policy, unit"""

LENT = """
SELECT DISTINCT policy FROM leases
WHERE city = %(city)s AND closed_at IS NULL AND expires_at > %(now)s AND (ended_at IS NULL OR ended_at > %(now)s)
ORDER BY policy"""

OF_TILLS = """
SELECT device, policy, unit,
  count(*)::int, sum(amount)::bigint, sum(drawn)::bigint, sum(returned)::bigint, sum(promises)::int,
  coalesce(sum(amount - drawn - returned)
           FILTER (WHERE closed_at IS NULL AND least(expires_at, ended_at) > %(now)s), 0)::bigint,
  coalesce(sum(amount - drawn - returned)
           FILTER (WHERE closed_at IS NULL AND least(expires_at, ended_at) <= %(now)s), 0)::bigint,
  max(least(expires_at, ended_at)) FILTER (WHERE closed_at IS NULL)
FROM leases
WHERE city = %(city)s AND (%(device)s::text IS NULL OR device = %(device)s) AND granted_at >= %(since)s
GROUP BY device, policy, unit ORDER BY device, policy, unit"""

PROMISES = """
SELECT p.basket::text, p.line_no, l.unit, p.amount, p.drawn, p.fault
FROM lease_promises p LEFT JOIN leases l ON l.city = %(city)s AND l.lease = p.lease
WHERE p.city = %(city)s AND p.basket = ANY(%(baskets)s::uuid[]) ORDER BY p.basket, p.line_no, p.lease"""


class Lent(NamedTuple):
    """Of one till and budget, since a moment: what was granted, what of it was paid to residents, what went back.

    `usable` may still be promised; `expired` is over and is kept for baskets that are late, or for lines that wait.
    `until`: when the last of what is not settled ends.
    """

    device: str
    policy: str
    unit: str
    leases: int
    granted: int
    used: int
    returned: int
    promises: int
    usable: int
    expired: int
    until: datetime | None


def terms_of(connection: Connection, city: str) -> list[Terms]:
    return [Terms(*row) for row in hot(connection, TERMS, {"city": city})]


def lent_policies(connection: Connection, city: str, now: datetime) -> list[str]:
    """Policies out of whose budgets some till may promise."""
    return [policy for (policy,) in hot(connection, LENT, {"city": city, "now": now})]


def lent_to_tills(
    connection: Connection, city: str, since: datetime, now: datetime, device: str | None = None
) -> list[Lent]:
    return [
        Lent(*row) for row in hot(connection, OF_TILLS, {"city": city, "since": since, "now": now, "device": device})
    ]


def promises_of(
    connection: Connection, city: str, baskets: Collection[str]
) -> Mapping[tuple[str, int], list[KeptPromise]]:
    """By basket and line, what tills promised out of leases."""
    found: defaultdict[tuple[str, int], list[KeptPromise]] = defaultdict(list)
    for basket, line_no, *promise in hot(
        connection, PROMISES, {"city": city, "baskets": ids(sorted(baskets))}, prepared=True
    ):
        found[basket, line_no].append(KeptPromise(*promise))
    return found
