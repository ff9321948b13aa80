"""An act, and how it is written down. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import orjson

from backend.audit.acts import What
from backend.audit.mask import masked, masked_members
from backend.audit.words import FACTS, KINDS

TEXT_MAX = 500
"""Characters that are kept of a reason; what was decided keeps it whole where it stands."""
SNAPSHOT_MAX_BYTES = 4_000
KEY_MAX = 200
COMMAND = "command"
JOB = "job"
TILL = "till"


class Actor(NamedTuple):
    """In whose name a transaction runs: the id of an official, `command:<system user>`, `job:<name>`, or `till:<device>` of a
    till that takes the slot which it was given. `role`: in what capacity, of an official the
    roles that let the act through. `request`: the id of the request, where there is one.
    """

    who: str
    role: str
    request: str | None = None


class WordlessError(Exception):
    """A kind or a fact that `audit.words` does not know yet: a mistake of the code, not of a request."""


@dataclass(frozen=True, slots=True)
class Act:
    """`kind` and `key` name what was acted on. `before`, `after`: the few facts that changed, of plain values."""

    what: What
    city: str
    kind: str
    key: str
    at: datetime
    reason: str | None = None
    ticket: str | None = None
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None


class Recorded(NamedTuple):
    """An act as it stands in the database, and as it is sealed."""

    act: str
    at: datetime
    who: str
    role: str
    what: str
    kind: str
    key: str
    reason: str | None
    ticket: str | None
    before: str | None
    after: str | None
    request: str | None


def recorded(act: str, given: Act, actor: Actor) -> Recorded:
    """As the row `act`, with everything that could name a person masked. Raises WordlessError: whoever reads the log reads no
    codes.
    """
    wordless = {given.kind} - KINDS | ((given.before or {}).keys() | (given.after or {}).keys()) - FACTS
    if wordless:
        raise WordlessError(*sorted(wordless))
    return Recorded(
        act,
        given.at,
        actor.who,
        actor.role,
        given.what.value,
        given.kind,
        given.key,
        _told(given.reason),
        _told(given.ticket),
        snapshot(given.before),
        snapshot(given.after),
        actor.request,
    )


def snapshot(facts: Mapping[str, object] | None) -> str | None:
    """Canonical JSON: members in order, no spaces. What is longer than 4,000 bytes is kept as its hash alone."""
    if facts is None:
        return None
    text = orjson.dumps(masked_members(facts), option=orjson.OPT_SORT_KEYS)
    if len(text) > SNAPSHOT_MAX_BYTES:
        text = orjson.dumps({"sha256": hashlib.sha256(text).hexdigest(), "size_bytes": len(text)})
    return text.decode()


def _told(text: str | None) -> str | None:
    return masked(text)[:TEXT_MAX] if text else None
