"""One field of a JSON object, checked. Every function raises BadField."""

import base64
import binascii
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from firmware_bridge.wire.errors import BadField

Fields = Mapping[str, object]
Choice = TypeVar("Choice", bound=StrEnum)


def integer(fields: Fields, name: str, low: int, high: int) -> int:
    value = optional_integer(fields, name, low, high)
    if value is None:
        raise BadField(field=name, rule=f"integer {low}..{high}")
    return value


def optional_integer(fields: Fields, name: str, low: int, high: int) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not int or not low <= value <= high:  # bool is an int to isinstance
        raise BadField(field=name, rule=f"integer {low}..{high}")
    return value


def text(fields: Fields, name: str, pattern: re.Pattern[str]) -> str:
    value = optional_text(fields, name, pattern)
    if value is None:
        raise BadField(field=name, rule=f"text {pattern.pattern}")
    return value


def optional_text(fields: Fields, name: str, pattern: re.Pattern[str]) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise BadField(field=name, rule=f"text {pattern.pattern}")
    return value


def sized_text(fields: Fields, name: str, bytes_max: int) -> str:
    """Any text, measured in UTF-8 bytes."""
    value = fields.get(name)
    if not isinstance(value, str) or len(value.encode()) > bytes_max:
        raise BadField(field=name, rule=f"text of at most {bytes_max} bytes")
    return value


def optional_base64(fields: Fields, name: str, bytes_max: int) -> bytes | None:
    value = fields.get(name)
    if value is None:
        return None
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        raw = None
    if raw is None or len(raw) > bytes_max:
        raise BadField(field=name, rule=f"base64 of at most {bytes_max} bytes")
    return raw


def objects(fields: Fields, name: str) -> list[Fields]:
    value = fields.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BadField(field=name, rule="list of objects")
    return value


def nested(fields: Fields, name: str) -> Fields:
    value = fields.get(name)
    if not isinstance(value, dict):
        raise BadField(field=name, rule="object")
    return value


def choice(fields: Fields, name: str, choices: type[Choice]) -> Choice:
    value = fields.get(name)
    if not isinstance(value, str) or value not in set(choices):
        raise BadField(field=name, rule=" | ".join(choices))
    return choices(value)
