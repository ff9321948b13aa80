"""The desired document on its way to a till, and the till's word about it on its way back. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from backend.devices.twin.model import Reported
from backend.kernel.strict_json import NotStrictJson, load_object

VERSION_MAX = 2**31 - 1
STATUSES = ("none", "trial", "applied", "rejected", "reverted")
WORD_MAX = 100


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def desired_body(version: int, text: str) -> bytes:
    """A header, then the document's exact bytes: what is hashed is never written anew."""
    header = {"v": 1, "version": version, "sha256": sha256_of(text)}
    return orjson.dumps(header) + b"\n" + text.encode()


def read_reported(report: str) -> Reported | None:
    """None where the till's word cannot be understood."""
    try:
        fields = load_object(report.encode())
    except NotStrictJson:
        return None
    version, applied = _version(fields, "version"), _version(fields, "applied_version")
    status = fields.get("status")
    if status not in STATUSES or version is None or applied is None:
        return None
    return Reported(version, applied, _word(fields, "sha256"), str(status), _word(fields, "error"))


def _version(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    return value if type(value) is int and 0 <= value <= VERSION_MAX else None


def _word(fields: Mapping[str, Any], name: str) -> str | None:
    """Text of a device goes to an operator's terminal: nothing in it may steer one."""
    value = fields.get(name)
    return value if type(value) is str and value.isprintable() and 0 < len(value) <= WORD_MAX else None
