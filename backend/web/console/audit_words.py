"""What acts are called on pages: kinds of objects, and those who act that are no officials."""

import orjson

from backend.adapters.schedule import SCHEDULE
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
    "service": ("商户系统", "shop system"),
}
JOBS: dict[str, Words] = {one.name: (one.text_zh, one.text_en) for one in SCHEDULE}


def role_words(roles: str) -> Words:
    """Of the roles that stand in an act, one or several."""
    known = {role.value: words for role, words in ROLE_NAMES.items()} | NO_OFFICIALS
    found = [known.get(role, (role, role)) for role in roles.split(",")]
    return "、".join(zh for zh, _ in found), ", ".join(en for _, en in found)


def is_official(who: str) -> bool:
    return ":" not in who


def actor_words(who: str) -> Words:
    """Of who acts and is no official: what kind of actor, and which; of a job, what it does."""
    kind, _, name = who.partition(":")
    kinds, names = NO_OFFICIALS.get(kind, (kind, kind)), JOBS.get(name, (name, name))
    return f"{kinds[0]}：{names[0]}", f"{kinds[1]}: {names[1]}"


def shown(fact: object) -> str:
    """A fact of a snapshot as text: what is no text, as JSON."""
    if fact is None:
        return "—"
    return fact if isinstance(fact, str) else orjson.dumps(fact).decode()
