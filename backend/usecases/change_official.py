"""Officials are added and changed by administrators: at once, or by two where trust is given.

Whoever alone could make an approver, or hand themselves another's way in, would be both persons that approvals ask for.
"""

from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.errors import DomainError
from backend.officials import changes, devices, store
from backend.officials.changes import Held, Wanted
from backend.officials.model import Change, Role, check_roles, needs_two
from backend.officials.store import NewOfficial
from backend.usecases.add_official import OfficialFieldsWrong, add_official, check_fields

REASON_MAX = 300
GIVES_PASSWORD = frozenset({Change.ADD, Change.RESET})


class OwnAccount(DomainError):
    code = "official-own-account"
    text_zh = "不能变更自己的账户，请由另一位管理员办理。"
    text_en = "Nobody changes their own account: another administrator has to."


class ChangeNeedsAnother(DomainError):
    code = "official-change-needs-another"
    text_zh = "须由提请人以外的另一位管理员复核。"
    text_en = "Another administrator than the one who asked has to approve."


def change_official(connection: Connection, wanted: Wanted, by: str, password_hash: str | None, now: datetime) -> bool:
    """True when it is done, False when it waits for a second person. `password_hash` is the one-time password's, where the
    change gives one and is expected to be done at once.

    Raises OfficialUnknown, OwnAccount, OfficialFieldsWrong, RolesDoNotGoTogether, LoginTaken.
    """
    held = _checked(connection, wanted, by)
    unready = wanted.kind in GIVES_PASSWORD and password_hash is None
    if unready or needs_two(frozenset() if held is None else held.roles, wanted.roles):
        changes.ask(connection, wanted, by, now)
        _record(connection, What.OFFICIAL_CHANGE_ASKED, wanted, held, now)
        return False
    _do(connection, wanted, held, by, password_hash, now)
    return True


def open_city(connection: Connection, wanted: Wanted, by: str, password_hash: str, now: datetime) -> None:
    """The first administrator of a city that has no officials yet, by an official of its province alone.

    Raises CityHasOfficials and what `change_official` raises.
    """
    if store.has_officials(connection, wanted.city):
        raise CityHasOfficials
    _do(connection, wanted, _checked(connection, wanted, by), by, password_hash, now)


class CityHasOfficials(DomainError):
    code = "city-has-officials"
    text_zh = "该城市已开通，请在其人员名单中登记。"
    text_en = "This city is open already: add its people in its own list."


def decide_change(
    connection: Connection, city: str, change: str, by: str, password_hash: str | None, now: datetime, *, approved: bool
) -> Wanted:
    """What was approved is done in the same transaction.

    Raises ChangeUnknown, ChangeNeedsAnother, OfficialUnknown, OwnAccount, OfficialFieldsWrong, LoginTaken.
    """
    wanted, asked_by = changes.asked(connection, city, change)
    if asked_by == by:
        raise ChangeNeedsAnother
    changes.decide(connection, city, change, by, now, approved=approved)
    if approved:
        _do(connection, wanted, _checked(connection, wanted, by), by, password_hash, now)
    else:
        _record(connection, What.OFFICIAL_CHANGE_REFUSED, wanted, None, now)
    return wanted


def disable_official(connection: Connection, city: str, official: str, reason: str, by: str, now: datetime) -> None:
    """Ends every session of theirs at once. Raises OfficialUnknown, OwnAccount."""
    if official == by:
        raise OwnAccount
    check_reason(reason)
    changes.held(connection, city, official)
    changes.set_disabled(connection, city, official, now)
    store.revoke_all(connection, city, official, now)
    record(connection, Act(What.OFFICIAL_DISABLED, city, "official", official, now, reason=reason))


def _checked(connection: Connection, wanted: Wanted, by: str) -> Held | None:
    if wanted.official == by:
        raise OwnAccount
    check_reason(wanted.reason)
    check_roles(wanted.city, wanted.roles)
    check_fields(wanted.city, wanted.login, wanted.name, wanted.district, wanted.roles)
    return None if wanted.kind is Change.ADD else changes.held(connection, wanted.city, wanted.official)


def check_reason(reason: str) -> None:
    """Raises OfficialFieldsWrong."""
    if not 1 <= len(reason) <= REASON_MAX:
        raise OfficialFieldsWrong(
            field="reason", reason_zh="请写明理由，不超过 300 字", reason_en="say why, in 300 characters at most"
        )


def _do(
    connection: Connection, wanted: Wanted, held: Held | None, by: str, password_hash: str | None, now: datetime
) -> None:
    city, official = wanted.city, wanted.official
    match wanted.kind:
        case Change.ADD:
            new = NewOfficial(
                city, official, wanted.login, wanted.name, wanted.district, wanted.roles, password_hash, by
            )
            add_official(connection, new, now)
            return
        case Change.ROLES:
            changes.set_roles(connection, wanted)
            what = What.OFFICIAL_ROLES_CHANGED
        case Change.ENABLE:
            changes.set_disabled(connection, city, official, None)
            what = What.OFFICIAL_ENABLED
        case Change.RESET:
            assert password_hash is not None, "a reset gives a password"
            changes.reset(connection, city, official, password_hash)
            devices.forget(connection, (city, official))
            what = What.OFFICIAL_RESET
    store.revoke_all(connection, city, official, now)
    _record(connection, what, wanted, held, now)


def _record(connection: Connection, what: What, wanted: Wanted, held: Held | None, now: datetime) -> None:
    act = Act(
        what,
        wanted.city,
        "official",
        wanted.official,
        now,
        reason=wanted.reason,
        before=None if held is None else _told(held.roles, held.district),
        after=_told(wanted.roles, wanted.district) | {"change": wanted.kind.value},
    )
    record(connection, act)


def _told(roles: frozenset[Role], district: str | None) -> dict[str, object]:
    return {"roles": sorted(roles), "district": district}
