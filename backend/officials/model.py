"""Officials of a city and staff of its retailers: roles, the steps of a sign-in, who is signed in."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from backend.kernel.errors import DomainError

PROVINCE_SUFFIX = "0000"
"""A province is a city of its own here: that of its officials."""


class Role(StrEnum):
    """What a person may do. Product F9: author, approver, auditor, finance and cases are kept apart. The last two are of
    a retailer's staff.
    """

    POLICY_AUTHOR = "policy_author"
    APPROVER = "approver"
    FINANCE = "finance"
    CASE_OFFICER = "case_officer"
    FLEET = "fleet"
    AUDITOR = "auditor"
    CITY_ADMINISTRATOR = "city_administrator"
    PROVINCE = "province"
    SHOPKEEPER = "shopkeeper"
    CLERK = "clerk"


ROLE_NAMES: Mapping[Role, tuple[str, str]] = MappingProxyType(
    {
        Role.POLICY_AUTHOR: ("政策起草", "Policy author"),
        Role.APPROVER: ("复核", "Approver"),
        Role.FINANCE: ("财务", "Finance"),
        Role.CASE_OFFICER: ("案件办理", "Case officer"),
        Role.FLEET: ("终端管理", "Fleet"),
        Role.AUDITOR: ("审计（只读）", "Auditor (read only)"),
        Role.CITY_ADMINISTRATOR: ("本市管理员", "City administrator"),
        Role.PROVINCE: ("省级", "Province"),
        Role.SHOPKEEPER: ("商户管理员", "Shop manager"),
        Role.CLERK: ("店员", "Shop clerk"),
    }
)

STAFF = frozenset({Role.SHOPKEEPER, Role.CLERK})
"""Of a retailer's people; nobody holds one of these beside an office."""
OFFICES = frozenset(Role) - STAFF


class Side(StrEnum):
    """The two sides of the house, each with an address and a door of its own."""

    CITY = "console"
    SHOP = "shop"


def side_of(role: Role) -> Side:
    return Side.SHOP if role in STAFF else Side.CITY


class RolesDoNotGoTogether(DomainError):
    code = "official-roles-do-not-go-together"
    text_zh = "角色须互相分离：{reason_zh}。"
    text_en = "Roles are kept apart: {reason_en}."


TRUSTED = frozenset({Role.APPROVER, Role.FINANCE, Role.CASE_OFFICER, Role.CITY_ADMINISTRATOR, Role.PROVINCE})
"""Whoever gives one of these, or a new way in to its holder, could be the second person that approvals ask for: two give it."""


class Change(StrEnum):
    """What is done to an official. Disabling is at once and by one alone."""

    ADD = "add"
    ROLES = "roles"
    ENABLE = "enable"
    RESET = "reset"


CHANGE_NAMES: Mapping[Change, tuple[str, str]] = MappingProxyType(
    {
        Change.ADD: ("登记人员", "Add an official"),
        Change.ROLES: ("变更角色", "Change roles"),
        Change.ENABLE: ("恢复账户", "Enable again"),
        Change.RESET: ("重置登录", "Reset the sign-in"),
    }
)


class Stage(StrEnum):
    """How far a sign-in has come."""

    PASSWORD = "password"  # noqa: S105 - a stage, no secret
    FACTOR = "factor"
    """Both factors are proved, and the one-time password must still be changed."""
    FULL = "full"


class Official(NamedTuple):
    """Who is signed in. `at` is the city that is looked at: the official's own, or one of the province's."""

    city: str
    official: str
    login: str
    name: str
    roles: frozenset[Role]
    district: str | None
    session: str
    stage: Stage
    at: str
    proved_at: datetime
    """When the second factor was last given."""
    expires_at: datetime
    ends_at: datetime
    retailer: str | None = None
    """Whose staff it is; None for officials."""

    @property
    def side(self) -> Side:
        return Side.CITY if self.retailer is None else Side.SHOP

    @property
    def is_province(self) -> bool:
        return self.city.endswith(PROVINCE_SUFFIX)


def needs_two(held: frozenset[Role], wanted: frozenset[Role]) -> bool:
    """Whether a second person has to approve a change from the one set of roles to the other."""
    return bool((held | wanted) & TRUSTED)


def check_roles(city: str, roles: Iterable[Role], retailer: str | None = None) -> frozenset[Role]:
    """At least one, and only such as may be held together. Raises RolesDoNotGoTogether."""
    held = frozenset(roles)
    for broken, reason_zh, reason_en in [*_apart(city, held), *_of_staff(held, retailer)]:
        if broken:
            raise RolesDoNotGoTogether(reason_zh=reason_zh, reason_en=reason_en)
    return held


def _apart(city: str, held: frozenset[Role]) -> Iterable[tuple[bool, str, str]]:
    yield not held, "至少一个角色", "at least one role"
    yield Role.AUDITOR in held and len(held) > 1, "审计只读，不兼任其他角色", "an auditor only reads"
    at_province = city.endswith(PROVINCE_SUFFIX)
    yield (
        (Role.PROVINCE in held) != at_province and at_province,
        "省级账户须有省级角色",
        "a province's official holds it",
    )
    yield Role.PROVINCE in held and not at_province, "省级角色只属于省级账户", "only a province's official holds it"
    money = {Role.APPROVER, Role.FINANCE}
    yield (
        Role.CITY_ADMINISTRATOR in held and bool(held & money),
        "管理员不兼任复核、财务",
        "who grants roles neither approves nor pays",
    )


def _of_staff(held: frozenset[Role], retailer: str | None) -> Iterable[tuple[bool, str, str]]:
    yield (
        retailer is not None and len(held & STAFF) != len(held),
        "商户人员不兼任城市角色",
        "a retailer's staff hold no office of the city",
    )
    yield retailer is None and bool(held & STAFF), "商户角色须属于一家商户", "a role in a shop is of one retailer"
    yield len(held & STAFF) > 1, "商户人员只有一个角色", "staff hold one role"
