"""A retailer's staff are invited and changed by its manager, and by administrators of the city where the manager cannot."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.officials import changes, devices, store
from backend.officials.changes import Held, Wanted
from backend.officials.model import Change, Role, check_roles
from backend.officials.store import NewOfficial
from backend.usecases.add_official import add_official
from backend.usecases.change_official import OwnAccount, check_reason


class StaffChange(StrEnum):
    ROLE = "role"
    END = "end"
    RESTORE = "restore"
    RESET = "reset"


WHAT = {
    StaffChange.ROLE: What.STAFF_ROLE_CHANGED,
    StaffChange.END: What.STAFF_ENDED,
    StaffChange.RESTORE: What.STAFF_RESTORED,
    StaffChange.RESET: What.STAFF_RESET,
}


class NewStaff(NamedTuple):
    """Whom a retailer gets. `password_hash`: of the one-time password that is handed over. `by`: an id of who invites."""

    city: str
    retailer: str
    official: str
    login: str
    name: str
    role: Role
    password_hash: str
    by: str


class WantedOfStaff(NamedTuple):
    """What is asked for of one of a retailer's staff. `role`: for ROLE. `password_hash`: the one-time password's, for RESET."""

    kind: StaffChange
    city: str
    retailer: str
    official: str
    reason: str
    role: Role | None = None
    password_hash: str | None = None


def invite_staff(connection: Connection, new: NewStaff, now: datetime) -> None:
    """Raises OfficialFieldsWrong, RolesDoNotGoTogether, LoginTaken, RetailerUnknown."""
    roles, hashed = frozenset({new.role}), new.password_hash
    add_official(
        connection,
        NewOfficial(new.city, new.official, new.login, new.name, None, roles, hashed, new.by, new.retailer),
        now,
    )


def change_staff(connection: Connection, wanted: WantedOfStaff, by: str, now: datetime) -> None:
    """Ends every session of theirs. Raises OfficialUnknown, OwnAccount, OfficialFieldsWrong, RolesDoNotGoTogether."""
    city, official = wanted.city, wanted.official
    if official == by:
        raise OwnAccount
    check_reason(wanted.reason)
    held = changes.held(connection, city, official, wanted.retailer)
    after = _do(connection, wanted, held, now)
    store.revoke_all(connection, city, official, now)
    told: dict[str, object] = {"retailer": wanted.retailer}
    act = Act(
        WHAT[wanted.kind],
        city,
        "staff",
        official,
        now,
        reason=wanted.reason,
        before=told | {"roles": sorted(held.roles)},
        after=told | {"roles": sorted(after)},
    )
    record(connection, act)


def _do(connection: Connection, wanted: WantedOfStaff, held: Held, now: datetime) -> frozenset[Role]:
    """The roles held afterwards."""
    city, official = wanted.city, wanted.official
    match wanted.kind:
        case StaffChange.ROLE:
            roles = check_roles(city, [] if wanted.role is None else [wanted.role], wanted.retailer)
            row = Wanted(official, Change.ROLES, city, official, held.login, held.name, None, roles, wanted.reason)
            changes.set_roles(connection, row)
            return roles
        case StaffChange.END:
            changes.set_disabled(connection, city, official, now)
        case StaffChange.RESTORE:
            changes.set_disabled(connection, city, official, None)
        case StaffChange.RESET:
            assert wanted.password_hash is not None, "a reset gives a password"
            changes.reset(connection, city, official, wanted.password_hash)
            devices.forget(connection, (city, official))
    return held.roles
