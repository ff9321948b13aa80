"""Who a resident is by now: two accounts of one person may have been merged, and the one then stands for the other.

Whoever writes for a resident keeps the row shared until COMMIT, who merges takes it alone: so nothing is written late for one
who is another by then.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.residents.standing import GuardianConsentNeeded, ResidentClosed
from backend.storage.columns import ids
from backend.storage.transaction import hot

KEEP = """
SELECT resident::text, state = 'active', waits_for_guardian, absorbed::text[] FROM residents
WHERE city = %(city)s AND resident = ANY(%(residents)s::uuid[]) ORDER BY residents.resident FOR KEY SHARE"""

TAKE = """
SELECT resident::text, state = 'active', absorbed::text[] FROM residents
WHERE city = %(city)s AND resident = %(resident)s FOR UPDATE"""

# Crosses cities by nature: a person's two accounts may have two homes.
MERGED = """
SELECT absorbed::text, survivor::text, home, merge::text, merged_at FROM merged_residents
WHERE absorbed = ANY(%(residents)s::uuid[])"""

ENTER = """
INSERT INTO merged_residents (absorbed, absorbed_home, survivor, home, merge, merged_at)
VALUES (%(absorbed)s, %(absorbed_home)s, %(survivor)s, %(home)s, %(merge)s, %(now)s)"""

POINT_ON = """
UPDATE merged_residents SET survivor = %(survivor)s, home = %(home)s WHERE survivor = %(absorbed)s"""

ABSORBED = "SELECT absorbed_home, absorbed::text FROM merged_residents WHERE survivor = %(resident)s"

HOMES = "SELECT absorbed_home FROM merged_residents WHERE survivor = %(resident)s"

ABSORB = """
UPDATE residents SET absorbed = %(absorbed)s::uuid[] WHERE city = %(city)s AND resident = %(resident)s"""

CLOSE = "UPDATE residents SET state = 'closed' WHERE city = %(city)s AND resident = %(resident)s"

CODES = "UPDATE member_codes SET resident = %(to)s WHERE city = %(city)s AND resident = %(resident)s"

END_SESSIONS = """
UPDATE resident_sessions SET revoked_at = %(now)s
WHERE city = %(city)s AND resident = %(resident)s AND revoked_at IS NULL"""


class Home(NamedTuple):
    """A resident and the city of the resident's own data."""

    city: str
    resident: str


class Kept(NamedTuple):
    """Who a resident is, kept so until COMMIT; `absorbed`: residents who are this one by now."""

    home: Home
    absorbed: tuple[str, ...]
    is_active: bool
    waits_for_guardian: bool

    @property
    def refusal(self) -> DomainError | None:
        """Why nothing may be recorded for the resident now, None when it may."""
        if not self.is_active:
            return ResidentClosed()
        return GuardianConsentNeeded() if self.waits_for_guardian else None


class Taken(NamedTuple):
    is_active: bool
    absorbed: tuple[str, ...]


class MergedResident(NamedTuple):
    absorbed: str
    survivor: Home
    merge: str
    merged_at: datetime


def merged(connection: Connection, residents: Iterable[str]) -> dict[str, MergedResident]:
    """Those of `residents` who are another one by now."""
    rows = hot(connection, MERGED, {"residents": ids(sorted(set(residents)))}).fetchall()
    return {row[0]: MergedResident(row[0], Home(row[2], row[1]), row[3], row[4]) for row in rows}


def survivor_of(connection: Connection, who: Home) -> Home:
    """Who `who` is by now, not kept so: mostly the same."""
    found = merged(connection, [who.resident]).get(who.resident)
    return who if found is None else found.survivor


def keep(connection: Connection, city: str, residents: Collection[str]) -> dict[str, Kept]:
    """Who each of these residents of one home is; one who is not on record is absent."""
    rows = hot(connection, KEEP, {"city": city, "residents": ids(sorted(set(residents)))}, prepared=True).fetchall()
    kept = {
        resident: Kept(Home(city, resident), tuple(absorbed), is_active, waits)
        for resident, is_active, waits, absorbed in rows
    }
    closed = [resident for resident, is_active, *_rest in rows if not is_active]
    for resident, found in (merged(connection, closed) if closed else {}).items():
        # The survivor's row comes after its own, as in every merge.
        home, survivor = found.survivor
        kept[resident] = keep(connection, home, [survivor]).get(survivor, kept[resident])
    return kept


def keep_one(connection: Connection, who: Home) -> Home:
    """Who `who` is, kept so until COMMIT."""
    found = keep(connection, who.city, [who.resident]).get(who.resident)
    return who if found is None else found.home


def keep_acting(connection: Connection, who: Home) -> Home:
    """Who `who` is, kept so until COMMIT. Raises ResidentClosed, GuardianConsentNeeded."""
    found = keep(connection, who.city, [who.resident]).get(who.resident)
    if found is None:
        return who
    if found.refusal is not None:
        raise found.refusal
    return found.home


def take(connection: Connection, who: Home) -> Taken | None:
    """The resident's row, alone until COMMIT."""
    row = hot(connection, TAKE, who._asdict()).fetchone()
    return None if row is None else Taken(row[1], tuple(row[2]))


def become(
    connection: Connection, absorbed: Home, survivor: Home, whom: Collection[str], merge: str, now: datetime
) -> None:
    """From now on `absorbed` is `survivor`, who has absorbed `whom` by now: member codes are the survivor's, sessions end.

    Both rows were taken. Sign-ins by an identity of the absorbed one are answered by `merged`.
    """
    both = {"absorbed": absorbed.resident, "survivor": survivor.resident, "home": survivor.city, "now": now}
    hot(connection, POINT_ON, both)
    hot(connection, ENTER, {**both, "absorbed_home": absorbed.city, "merge": merge})
    hot(connection, ABSORB, {**survivor._asdict(), "absorbed": ids(sorted(whom))})
    hot(connection, CLOSE, absorbed._asdict())
    hot(connection, END_SESSIONS, {**absorbed._asdict(), "now": now})


def absorbed_by(connection: Connection, who: Home) -> list[Home]:
    """The accounts that are `who` by now."""
    return [Home(*row) for row in hot(connection, ABSORBED, {"resident": who.resident})]


def homes_of(connection: Connection, who: Home) -> set[str]:
    """Cities that may have shown member codes of `who`: the own home, and those of all that it has absorbed."""
    return {who.city, *(city for (city,) in hot(connection, HOMES, {"resident": who.resident}))}


def give_codes(connection: Connection, city: str, resident: str, to: str) -> None:
    """Member codes that `resident` was shown name `to`. Waits for baskets in which one is being spent."""
    hot(connection, CODES, {"city": city, "resident": resident, "to": to})
