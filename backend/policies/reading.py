"""JSON text as people write it, read strictly: what two readers could understand differently is refused at its place."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

DOCUMENT_BYTES_MAX = 256 * 1024
DEPTH_MAX = 20
"""Objects and lists inside of one another. The values of conditions that are four deep in a rule stand at depth 12."""
DIGITS_MAX = 16
"""Of a whole number: more than the largest amount has (2**53 - 1)."""
KEY_SHOWN = 80

Faults = dict[str, list[str]]


class Unreadable(ValueError):
    """Text that is no JSON object, or not one that all readers understand alike; `faults` maps places to reasons."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


class _Object(dict[str, object]):
    """A JSON object that knows which of its keys stood more than once."""

    repeated: tuple[str, ...] = ()


class _BadNumber:
    def __init__(self, reason: str) -> None:
        self.reason = reason


def read_object(text: str | bytes) -> dict[str, Any]:
    """The JSON object in `text`. Raises Unreadable with every fault, each at its dotted place."""
    loaded = _loaded(decoded(text))
    if not isinstance(loaded, dict):
        raise Unreadable({"": ["须为 JSON 对象 / must be a JSON object"]})
    faults: Faults = {}
    for place, reason in _faults(loaded, "", 1):
        faults.setdefault(place, []).append(reason)
    if faults:
        raise Unreadable(faults)
    return loaded


def decoded(text: str | bytes) -> str:
    """The text of a document, without a byte order mark. Raises Unreadable when it is too large or no UTF-8."""
    try:
        raw = text.encode() if isinstance(text, str) else text
        if len(raw) > DOCUMENT_BYTES_MAX:
            limit = DOCUMENT_BYTES_MAX
            raise Unreadable({"": [f"文件超过 {limit} 字节 / larger than {limit} bytes: {len(raw)}"]})
        return raw.decode("utf-8-sig")
    except UnicodeError:
        raise Unreadable({"": ["文件不是 UTF-8 文本 / not UTF-8 text"]}) from None


def step(place: str, name: object) -> str:
    """The place of `name` inside of `place`, short enough to print whatever stood in the document."""
    shown = str(name)[:KEY_SHOWN].encode(errors="replace").decode()
    return f"{place}.{shown}" if place else shown


def _loaded(text: str) -> object:
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_float=_not_whole, parse_int=_whole, parse_constant=_not_whole
        )
    except json.JSONDecodeError as error:
        where = f"第 {error.lineno} 行第 {error.colno} 列", f"line {error.lineno}, column {error.colno}"
        raise Unreadable({"": [f"{where[0]}不是有效的 JSON / not valid JSON at {where[1]}"]}) from None
    except RecursionError:
        raise Unreadable({"": [_too_deep()]}) from None


def _faults(value: object, place: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, _BadNumber):
        yield place, value.reason
    elif isinstance(value, dict | list):
        if depth > DEPTH_MAX:
            yield place, _too_deep()
            return
        if isinstance(value, _Object):
            for key in value.repeated:
                yield step(place, key), "键重复 / a key stands twice"
        inside: Iterable[tuple[object, object]] = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in inside:
            yield from _faults(inner, step(place, name), depth + 1)


def _too_deep() -> str:
    return f"嵌套超过 {DEPTH_MAX} 层 / nested more than {DEPTH_MAX} deep"


def _object(pairs: list[tuple[str, object]]) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):
        names = Counter(name for name, _ in pairs)
        found.repeated = tuple(name for name, times in names.items() if times > 1)
    return found


def _whole(text: str) -> int | _BadNumber:
    if len(text.lstrip("-")) > DIGITS_MAX:
        return _BadNumber(f"数值过大 / a number with too many digits: {text[:KEY_SHOWN]}")
    return int(text)


def _not_whole(text: str) -> _BadNumber:
    return _BadNumber(f"金额和积分只用整数 / whole numbers only: {text[:KEY_SHOWN]}")
