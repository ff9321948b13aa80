"""Counts of certificates follow the registry, version by version: what a version changed is counted anew, and nothing else."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from backend.certificates.counts import Cell, Moves, difference
from backend.certificates.store import current_version, load_by_ids
from backend.storage.columns import ids, numbers, unquoted
from backend.storage.transaction import hot

BATCH = 1_000
"""Certificates a transaction."""

LOCK = "SELECT version, after::text FROM certificates_counted WHERE one FOR UPDATE"

TOUCHED = """
SELECT certificate::text FROM (
  (SELECT certificate FROM certificate_states WHERE recorded_version = %(version)s AND certificate > %(after)s
   ORDER BY certificate_states.certificate LIMIT %(limit)s)
  UNION
  (SELECT certificate FROM certificate_terms WHERE recorded_version = %(version)s AND certificate > %(after)s
   ORDER BY certificate_terms.certificate LIMIT %(limit)s)) t
ORDER BY t.certificate LIMIT %(limit)s"""

# A check of the table is held against each row that is offered, also where another is there: what may be less goes by UPDATE.
OPEN = """
INSERT INTO certificate_months (region, scheme, month, delta, added, withdrawn, expired)
SELECT t.region, t.scheme, t.month, 0, 0, 0, 0
FROM unnest(%(regions)s::text[], %(schemes)s::text[], %(months)s::date[]) t(region, scheme, month)
ON CONFLICT DO NOTHING"""

ADD = """
UPDATE certificate_months m SET delta = m.delta + t.delta, added = m.added + t.added,
       withdrawn = m.withdrawn + t.withdrawn, expired = m.expired + t.expired
FROM unnest(%(regions)s::text[], %(schemes)s::text[], %(months)s::date[], %(deltas)s::bigint[], %(added)s::bigint[],
            %(withdrawn)s::bigint[], %(expired)s::bigint[]) t(region, scheme, month, delta, added, withdrawn, expired)
WHERE m.region = t.region AND m.scheme = t.scheme AND m.month = t.month"""

MOVE_ON = "UPDATE certificates_counted SET version = %(version)s, after = %(after)s WHERE one"

FIRST = "00000000-0000-0000-0000-000000000000"


class Counted(NamedTuple):
    """`certificates`: looked at. `behind`: whether there is more to do."""

    certificates: int
    behind: bool


def count_next(connection: Connection) -> Counted:
    """One batch of the first version that is not counted whole. Two at once follow one another."""
    row = hot(connection, LOCK).fetchone()
    assert row is not None
    done, after = row
    if done >= current_version(connection).version:
        return Counted(0, behind=False)
    given = {"version": done + 1, "after": after or FIRST, "limit": BATCH}
    touched = [certificate for (certificate,) in hot(connection, TOUCHED, given)]
    if touched:
        earlier = load_by_ids(connection, ids(touched), known_version=done)
        _add(connection, difference(earlier, load_by_ids(connection, ids(touched), known_version=done + 1)))
    whole = len(touched) < BATCH
    hot(connection, MOVE_ON, {"version": done + whole, "after": None if whole else touched[-1]})
    return Counted(len(touched), behind=True)


def _add(connection: Connection, moves: dict[Cell, Moves]) -> None:
    cells: Sequence[Cell] = sorted(moves)
    found = [moves[cell] for cell in cells]
    places = {
        "regions": unquoted(cell.region for cell in cells),
        "schemes": unquoted(cell.scheme for cell in cells),
        "months": unquoted(cell.month.isoformat() for cell in cells),
    }
    changes = {
        "deltas": numbers(one.delta for one in found),
        "added": numbers(one.added for one in found),
        "withdrawn": numbers(one.withdrawn for one in found),
        "expired": numbers(one.expired for one in found),
    }
    hot(connection, OPEN, places)
    hot(connection, ADD, {**places, **changes})
