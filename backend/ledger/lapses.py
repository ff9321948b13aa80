"""What lapsed of an account that was to be collected, found again by a reference made from its address."""

import hashlib
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.columns import ids
from backend.storage.transaction import hot

# The key begins so: the postings of a reference lie together.
LAPSED = """
SELECT reference::text, max(step), sum(CASE reason WHEN 'lapse' THEN amount ELSE -amount END)::bigint FROM transfers
WHERE city = %(city)s AND reference = ANY(%(references)s::uuid[]) GROUP BY reference"""


class Lapsed(NamedTuple):
    """`amount` lapsed and was not reinstated since; `step` is the last under the account's reference, 0 for none."""

    step: int
    amount: int


NOTHING = Lapsed(0, 0)


def reference_of(account: str) -> str:
    """Under which all that lapses from `account` is posted, one step a time, and all that is reinstated of it."""
    digest = hashlib.sha256(f"lapse {account}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def lapsed(connection: Connection, city: str, accounts: Collection[str]) -> dict[str, Lapsed]:
    """Of each of `accounts`, which the caller has locked; of most, nothing."""
    if not accounts:
        return {}
    of = {reference_of(account): account for account in accounts}
    rows = hot(connection, LAPSED, {"city": city, "references": ids(sorted(of))})
    return {of[reference]: Lapsed(step, amount) for reference, step, amount in rows}
