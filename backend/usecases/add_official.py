"""A new official, or one of a retailer's staff, with a one-time password that must be changed at the first sign-in."""

import re
from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.errors import DomainError
from backend.labels.regions import region_name
from backend.officials import store
from backend.officials.model import PROVINCE_SUFFIX, Role, check_roles
from backend.officials.store import NewOfficial
from backend.retailers.store import RetailerUnknown, has_retailer

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
NAME_MAX = 40
OF_DISTRICTS = frozenset({Role.POLICY_AUTHOR, Role.FLEET})
"""Who may be bound to a district: what others see and do is not looked at by district, and must not seem to be."""
_PREFECTURE = "00"
"""GB/T 2260: the code of a prefecture-level city ends in 00, that of a district does not."""


class OfficialFieldsWrong(DomainError):
    code = "official-fields-wrong"
    text_zh = "{reason_zh}。"
    text_en = "{reason_en}."


def add_official(connection: Connection, new: NewOfficial, now: datetime) -> None:
    """Raises OfficialFieldsWrong, RolesDoNotGoTogether, LoginTaken, RetailerUnknown."""
    check_roles(new.city, new.roles, new.retailer)
    check_fields(new.city, new.login, new.name, new.district, new.roles)
    if new.retailer is not None and not has_retailer(connection, new.city, new.retailer):
        raise RetailerUnknown(city=new.city, retailer=new.retailer)
    store.add(connection, new, now)
    told = {"login": new.login, "roles": sorted(new.roles), "district": new.district, "by": new.by}
    if new.retailer is None:
        act = Act(What.OFFICIAL_ADDED, new.city, "official", new.official, now, after=told)
    else:
        act = Act(What.STAFF_ADDED, new.city, "staff", new.official, now, after=told | {"retailer": new.retailer})
    record(connection, act)


def check_fields(city: str, login: str, name: str, district: str | None, roles: frozenset[Role]) -> None:
    """Raises OfficialFieldsWrong with the first that is wrong."""
    if not city.endswith(_PREFECTURE) or region_name(city) is None:
        raise OfficialFieldsWrong(
            field="city", reason_zh=f"没有代码为 {city} 的城市", reason_en=f"there is no city {city}"
        )
    if not LOGIN.fullmatch(login):
        raise OfficialFieldsWrong(
            field="login",
            reason_zh="登录名为 2 至 64 个小写字母、数字或 . _ @ -",
            reason_en="a sign-in name has 2 to 64 lower-case letters, digits or . _ @ -",
        )
    if not 1 <= len(name.strip()) <= NAME_MAX:
        raise OfficialFieldsWrong(
            field="name", reason_zh="姓名为 1 至 40 个字符", reason_en="a name has 1 to 40 characters"
        )
    _check_district(city, district, roles)


def _check_district(city: str, district: str | None, roles: frozenset[Role]) -> None:
    if district is None:
        return
    if roles - OF_DISTRICTS:
        raise OfficialFieldsWrong(
            field="district",
            reason_zh="管理、复核、财务、案件、审计和省级都管全市，不限区县",
            reason_en="administrators, approvers, finance, cases, auditors and the province are of the whole city",
        )
    within = city[:2] if city.endswith(PROVINCE_SUFFIX) else city[:4]
    if not district.startswith(within) or region_name(district) is None:
        raise OfficialFieldsWrong(
            field="district",
            reason_zh=f"{district} 不是本市的区县",
            reason_en=f"{district} is no district of this city",
        )
