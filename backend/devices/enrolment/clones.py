"""Whether a till lives twice: two births of one session, in different boots, are of two copies of one outbox.

A till counts its sessions in its outbox, and a copied card goes on counting from the same number.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from backend.kernel.strict_json import NotStrictJson, load_object


class Birth(NamedTuple):
    device: str
    session: int
    stream: str
    boot: str


def birth_in(device: str, report: str) -> Birth | None:
    """None for a death, and for a birth that does not say enough."""
    try:
        fields = load_object(report.encode())
    except NotStrictJson:
        return None
    session, stream, boot = fields.get("session"), fields.get("stream"), fields.get("boot")
    if fields.get("online") is not True or type(session) is not int:
        return None
    return Birth(device, session, stream, boot) if isinstance(stream, str) and isinstance(boot, str) else None


def born_twice(known: Mapping[str, Birth], news: Iterable[Birth]) -> set[tuple[str, str]]:
    """(device, stream) of those born again in a session that another boot has had."""
    latest, found = dict(known), set()
    for birth in news:
        before = latest.get(birth.device)
        if before is not None and before[:3] == birth[:3] and before.boot != birth.boot:
            found.add((birth.device, birth.stream))
        if before is None or before.session <= birth.session:
            latest[birth.device] = birth
    return found
