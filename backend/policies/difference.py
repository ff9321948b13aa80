"""What changed from one version of a policy to the next, in the words of its statement. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from backend.policies.clause import Clause
from backend.policies.words import Sentence


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Change(NamedTuple):
    """One clause that is not the same; `before` is None where it was added, `after` where it was removed."""

    kind: Kind
    key: str
    heading: Sentence
    before: Sentence | None
    after: Sentence | None


def difference(before: Sequence[Clause], after: Sequence[Clause]) -> tuple[Change, ...]:
    """Removed clauses stand where they stood, before what follows them; of two same statements there is none."""
    old, new = {one.key: one for one in before}, {one.key: one for one in after}
    changes: list[Change] = []
    for one in _merged(before, after):
        was, now = old.get(one.key), new.get(one.key)
        if was is None and now is not None:
            changes.append(Change(Kind.ADDED, one.key, now.heading, None, now.text))
        elif now is None and was is not None:
            changes.append(Change(Kind.REMOVED, one.key, was.heading, was.text, None))
        elif was is not None and now is not None and (was.text, was.heading) != (now.text, now.heading):
            changes.append(Change(Kind.CHANGED, one.key, now.heading, _said(was, now), _said(now, was)))
    return tuple(changes)


def _said(one: Clause, other: Clause) -> Sentence:
    """Its text; with its heading where that is what changed, as when a rule is renamed."""
    if one.heading == other.heading:
        return one.text
    return Sentence(f"{one.heading.zh}：{one.text.zh}", f"{one.heading.en}: {one.text.en}")


def _merged(before: Sequence[Clause], after: Sequence[Clause]) -> list[Clause]:
    """Each key once: those of `after` in their order, each removed one behind what it stood behind."""
    kept = {one.key for one in after}
    follows: dict[str | None, list[Clause]] = {}
    last: str | None = None
    for one in before:
        if one.key in kept:
            last = one.key
        else:
            follows.setdefault(last, []).append(one)
    merged = list(follows.get(None, ()))
    for one in after:
        merged += [one, *follows.get(one.key, ())]
    return merged
