"""Who of a shop's staff writes: the manager. Clerks read."""

from backend.officials.model import Role
from backend.web.console import here

MANAGES = frozenset({Role.SHOPKEEPER})


def may_manage() -> bool:
    return bool(here.official().roles & MANAGES)
