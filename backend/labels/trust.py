"""What a city may configure: whom and which hosts a reading may lean on. Defaults come from public sources."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

APPROVED_BODIES: Mapping[str, str] = MappingProxyType(
    {
        "0001": "中国质量认证中心",
        "0002": "方圆标志认证集团",
        "0005": "中国船级社质量认证",
        "0012": "广州赛宝认证中心",
        "0100": "",
        "0104": "山东世通质量认证",
        "0134": "",
    }
)
"""Approval serial in four digits (domestic 0nnn, foreign 9nnn, by agreement 8nnn) -> name, where one is verified.

0100 and 0134 are seen on real organic certificates (100OP1200293, 134OP1400173); their names are not verified.
"""

CERTIFICATE_HOSTS = frozenset({"cx.cnca.cn", "food.cnca.cn"})
"""Hosts of certificate registries: a code that points there may be looked up in ours. The host of the green-product
platform is not verified, so each city names it."""

GS1_HOSTS = frozenset({"id.gs1.org"})

ECODE_PREFIXES = ("ecode:",)
"""How an Ecode (GB/T 31866) announces itself; its field lengths are not public, so it stays opaque."""


@dataclass(frozen=True, slots=True)
class Trust:
    bodies: Mapping[str, str] = field(default_factory=lambda: APPROVED_BODIES)
    certificate_hosts: frozenset[str] = CERTIFICATE_HOSTS
    gs1_hosts: frozenset[str] = GS1_HOSTS
    ecode_prefixes: tuple[str, ...] = ECODE_PREFIXES


DEFAULT_TRUST = Trust()
