"""JSON objects from outside: duplicate keys, NaN and floats-for-integers are refused, at the price of the fast parser."""

import json
from typing import Any

import orjson

DEPTH_MAX = 20


class NotStrictJson(ValueError):
    """Not one JSON object, or one that two parsers could read differently."""


def load_object(raw: bytes) -> dict[str, Any]:
    """The object in `raw`. Bytes that orjson would write itself hold no duplicate key, so they are not parsed again."""
    try:
        loaded = orjson.loads(raw)
        if type(loaded) is dict and orjson.dumps(loaded) == raw:
            return loaded
        loaded = json.loads(raw, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotStrictJson(type(error).__name__) from None
    if not isinstance(loaded, dict):
        raise NotStrictJson("not an object")
    return loaded


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    loaded = dict(pairs)
    if len(loaded) != len(pairs):
        raise NotStrictJson("duplicate key")
    return loaded


def _refuse(_constant: str) -> Any:
    raise NotStrictJson("not a number")
