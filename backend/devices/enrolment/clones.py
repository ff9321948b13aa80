"""Whether a till lives twice: a boot that comes back after another boot is of a second machine with the same outbox.

A boot's id ends with it, and sessions of one outbox only grow: so boots of one machine follow each other, while two
machines take turns.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from backend.kernel.strict_json import NotStrictJson, load_object

_NAME: Final = re.compile(r"[!-~]{1,64}")


class Birth(NamedTuple):
    device: str
    stream: str
    boot: str
    session: int


def birth_in(device: str, report: str) -> Birth | None:
    """None for a death, and for a birth that does not say enough, or nothing that can be kept."""
    try:
        fields = load_object(report.encode())
    except NotStrictJson:
        return None
    session, stream, boot = fields.get("session"), fields.get("stream"), fields.get("boot")
    if fields.get("online") is not True or type(session) is not int:
        return None
    if not (isinstance(stream, str) and isinstance(boot, str) and _NAME.fullmatch(stream) and _NAME.fullmatch(boot)):
        return None
    return Birth(device, stream, boot, session)


def come_back(known: Iterable[Birth], news: Iterable[Birth]) -> set[tuple[str, str]]:
    """(device, stream) where a boot went on after a session of another one. `known`: the latest session of each boot."""
    latest: dict[tuple[str, str], dict[str, int]] = {}
    for birth in known:
        latest.setdefault(birth[:2], {})[birth.boot] = birth.session
    found = set()
    for birth in news:
        boots = latest.setdefault(birth[:2], {})
        before = boots.get(birth.boot, birth.session)
        if any(before < other <= birth.session for other in boots.values()):
            found.add(birth[:2])
        boots[birth.boot] = max(before, birth.session)
    return found
