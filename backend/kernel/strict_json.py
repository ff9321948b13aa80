"""JSON objects from outside: duplicate keys, NaN and depth are refused, at the price of the fast parser."""

import json
from typing import Any

import orjson

DEPTH_MAX = 20


class NotStrictJson(ValueError):
    """Not one JSON object, or one that two parsers could read differently."""


def load_object(raw: bytes) -> dict[str, Any]:
    """The object in `raw`. Bytes that orjson would write itself hold no duplicate key, so they are not parsed again."""
    try:
        # Before it is written again: orjson reads deeper than it writes, and than json reads.
        loaded = _shallow_object(raw, orjson.loads(raw))
        if orjson.dumps(loaded) == raw:
            return loaded
        strict: dict[str, Any] = json.loads(raw, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotStrictJson(type(error).__name__) from None
    return strict


def _shallow_object(raw: bytes, loaded: object) -> dict[str, Any]:
    if type(loaded) is not dict:
        raise NotStrictJson("not an object")
    # Nothing is deeper than it has brackets: most documents need no walk.
    if raw.count(b"{") + raw.count(b"[") > DEPTH_MAX and _is_deeper(loaded, DEPTH_MAX):
        raise NotStrictJson("too deep")
    return loaded


def _is_deeper(value: dict[str, Any], depth: int) -> bool:
    level: list[Any] = [value]
    for _ in range(depth):
        inside = [each for outer in level for each in (outer.values() if type(outer) is dict else outer)]
        level = [each for each in inside if type(each) is dict or type(each) is list]
        if not level:
            return False
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    loaded = dict(pairs)
    if len(loaded) != len(pairs):
        raise NotStrictJson("duplicate key")
    return loaded


def _refuse(_constant: str) -> Any:
    raise NotStrictJson("not a number")
