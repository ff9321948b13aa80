"""What has changed since a process last looked: the registry, a city's policies, its shops that are suspended."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import milliseconds
from backend.storage.columns import words
from backend.storage.transaction import hot

# One round trip for what nearly always is as it was: every batch asks.
_AS_OF = """
SELECT (SELECT version FROM registry_version), (SELECT revision FROM policy_revisions WHERE city = %(city)s),
       s.store, s.from_at, least(s.until_at, s.lifted_at)
FROM (SELECT) one LEFT JOIN store_suspensions s
  ON s.city = %(city)s AND s.store = ANY(%(stores)s::text[]) AND s.from_at IS NOT NULL"""


class AsOf(NamedTuple):
    """`suspended`: when each shop that was asked for is, half-open, in Unix milliseconds; what was lifted ended then."""

    registry_version: int
    policy_revision: int
    suspended: Mapping[str, list[tuple[int, int]]]


def as_of(connection: Connection, city: str, stores: Collection[str]) -> AsOf:
    rows = hot(connection, _AS_OF, {"city": city, "stores": words(sorted(stores))}, prepared=True).fetchall()
    suspended: dict[str, list[tuple[int, int]]] = {}
    for _version, _revision, store, from_at, until_at in rows:
        if store is not None:
            suspended.setdefault(store, []).append((milliseconds(from_at), milliseconds(until_at)))
    version, revision, *_ = rows[0]
    return AsOf(version, revision or 0, suspended)
