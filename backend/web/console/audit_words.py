"""What acts are called on pages: kinds of objects, and those who act that are no officials."""

import orjson

from backend.audit.acts import What
from backend.audit.words import Fact, Kind
from backend.officials.model import ROLE_NAMES

Words = tuple[str, str]

WHATS: dict[str, Words] = {one.value: (one.zh, one.en) for one in What}
KINDS: dict[str, Words] = {one.value: (one.zh, one.en) for one in Kind}
FACTS: dict[str, Words] = {one.value: (one.zh, one.en) for one in Fact}
NO_OFFICIALS: dict[str, Words] = {
    "command": ("命令行", "command"),
    "job": ("定时任务", "job"),
    "till": ("终端", "till"),
}


def role_words(roles: str) -> Words:
    """Of the roles that stand in an act, one or several."""
    known = {role.value: words for role, words in ROLE_NAMES.items()} | NO_OFFICIALS
    found = [known.get(role, (role, role)) for role in roles.split(",")]
    return "、".join(zh for zh, _ in found), ", ".join(en for _, en in found)


def shown(fact: object) -> str:
    """A fact of a snapshot as text: what is no text, as JSON."""
    if fact is None:
        return "—"
    return fact if isinstance(fact, str) else orjson.dumps(fact).decode()
