import json
from collections.abc import Sequence
from typing import Final

import orjson

from firmware_bridge.wire.errors import DuplicateKey, NotJson

DEPTH_MAX: Final = 20


def load_object(line: bytes) -> dict[str, object]:
    """One JSON object: strict UTF-8, no NaN, no key twice, at most 20 deep. Raises NotJson, DuplicateKey.

    orjson is the strict reader but keeps the last of duplicate keys (RFC 8259 §4 leaves it open), so two
    readers could see two baskets in one signed line; the second pass only looks for duplicates.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise NotJson from error
    if not isinstance(value, dict) or _is_deeper_than(value, DEPTH_MAX):
        raise NotJson
    try:
        json.loads(line, object_pairs_hook=_refuse_duplicates)
    except ValueError as error:  # a number of thousands of digits, which orjson takes for a float
        raise NotJson from error
    return value


def dump_object(value: dict[str, object]) -> bytes:
    """Keys in the order given, no spaces. Raises NotJson for text that is not Unicode, or large numbers."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise NotJson from error


def _refuse_duplicates(pairs: Sequence[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise DuplicateKey(key=key)
        seen.add(key)


def _is_deeper_than(value: object, depth: int) -> bool:
    if isinstance(value, dict):
        return depth == 0 or any(_is_deeper_than(inner, depth - 1) for inner in value.values())
    if isinstance(value, list):
        return depth == 0 or any(_is_deeper_than(inner, depth - 1) for inner in value)
    return False
