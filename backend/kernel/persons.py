"""Two spellings of a name, and whether two people stand behind them."""

import re
import unicodedata
from collections.abc import Iterable


def identity(name: str) -> str:
    """What two spellings of one person's name have in common: no case, no width, no spaces, nothing invisible."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return re.sub(r"\s", "", "".join(sign for sign in folded if unicodedata.category(sign) not in ("Cc", "Cf")))


def is_same_person(one: str, other: str) -> bool:
    return identity(one) == identity(other)


def are_different(*people: str | None, before: Iterable[str | None] = ()) -> bool:
    """Whether each of `people` is somebody, no two of them are one person, and none is one of `before`; None is nobody."""
    keys = [identity(one) for one in people if one is not None]
    past = {identity(one) for one in before if one is not None}
    return all(keys) and len({*keys}) == len(keys) and past.isdisjoint(keys)
