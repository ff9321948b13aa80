"""What bodies and parameters must look like. Every refusal names its field, in Chinese first."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import flask
import marshmallow as ma
from werkzeug.exceptions import UnsupportedMediaType

from backend.kernel.strict_json import NotStrictJson, load_object
from backend.labels.regions import region_name
from backend.web.problems import Fault, InvalidFields, MalformedJson

FAULTS_MAX = 50
CITY = re.compile(r"\d{4}00")

_CHINESE: Mapping[str, str] = {
    "Missing data for required field.": "必填，未提供",
    "Unknown field.": "没有这个字段",
    "Field may not be null.": "不能为空",
    "Not a valid string.": "须为文本",
    "Not a valid integer.": "须为整数",
    "Not a valid UUID.": "须为 UUID",
    "Not a valid list.": "须为数组",
    "Invalid input type.": "须为 JSON 对象",
}
"""marshmallow's own sentences; our validators bring both languages in one text, parted by a bar."""


class Body(ma.Schema):
    """A JSON object: unknown fields are refused, so that a misspelt one is not taken for an absent one."""


def body_as(schema: ma.Schema) -> Any:
    """The request's body, one strict JSON object. Raises UnsupportedMediaType, MalformedJson, InvalidFields."""
    if flask.request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        return _loaded(schema, load_object(flask.request.get_data(cache=False)), "")
    except NotStrictJson:
        raise MalformedJson from None


def query_as(schema: ma.Schema) -> Any:
    """The request's parameters; one that nobody asked for is refused. Raises InvalidFields."""
    given = flask.request.args.to_dict()
    return _loaded(schema, given, "query:") if given else dict(_of_nothing(schema))


@cache
def _of_nothing(schema: ma.Schema) -> Mapping[str, Any]:
    """What a route is handed when it is asked without any parameter, as most are: it is the same each time."""
    loaded: Mapping[str, Any] = _loaded(schema, {}, "query:")
    return loaded


def _loaded(schema: ma.Schema, given: Mapping[str, Any], prefix: str) -> Any:
    try:
        return schema.load(given)
    except ma.ValidationError as error:
        raise InvalidFields(list(_faults(error.messages_dict, prefix))[:FAULTS_MAX]) from None


class Base64Bytes(ma.fields.String):
    """Bytes in standard base64 (RFC 4648, section 4), at most `bytes_max` of them."""

    def __init__(self, *, bytes_max: int, **options: Any) -> None:
        super().__init__(**options)
        self._bytes_max = bytes_max
        self.metadata = {"contentEncoding": "base64", **self.metadata}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bytes:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **options)
        try:
            decoded = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ma.ValidationError("须为 Base64|Not base64.") from None
        if len(decoded) > self._bytes_max:
            raise ma.ValidationError(f"最多 {self._bytes_max} 字节|At most {self._bytes_max} bytes.")
        return decoded


class Text(ma.fields.String):
    """Text of `low` to `high` characters; where `pattern` is given, the whole of it matches. `as_read`: what somebody's reader
    or program has read, which may hold U+0000; in no other text is it, since PostgreSQL keeps none.
    """

    def __init__(
        self, low: int, high: int, *, pattern: str | None = None, as_read: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self._low, self._high, self._as_read = low, high, as_read
        self._pattern = re.compile(pattern) if pattern else None
        described = {"pattern": f"^{pattern}$"} if pattern else {}
        self.metadata = {**self.metadata, "minLength": low, "maxLength": high, **described}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if not self._low <= len(text) <= self._high:
            raise ma.ValidationError(
                f"须为 {self._low}-{self._high} 个字符|Between {self._low} and {self._high} characters."
            )
        unwritten = "\0" in text and not self._as_read
        if unwritten or (self._pattern is not None and not self._pattern.fullmatch(text)):
            raise ma.ValidationError("含有不允许的字符|Holds a character that is not allowed.")
        return text


class Whole(ma.fields.Integer):
    """An integer from `low` to `high`; in a body it is a JSON number without a fraction."""

    def __init__(self, low: int, high: int, *, in_query: bool = False, **options: Any) -> None:
        super().__init__(strict=not in_query, **options)
        self._low, self._high, self._in_query = low, high, in_query
        self.metadata = {**self.metadata, "minimum": low, "maximum": high}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> int:
        if not self._in_query and type(value) is not int:
            raise ma.ValidationError("须为整数|Not a valid integer.")
        number: int | None = super()._deserialize(value, attr, data, **options)
        if number is None or not self._low <= number <= self._high:
            raise ma.ValidationError(f"须在 {self._low} 与 {self._high} 之间|Between {self._low} and {self._high}.")
        return number


class City(Text):
    """GB/T 2260 code of a prefecture-level city."""

    def __init__(self, **options: Any) -> None:
        super().__init__(6, 6, pattern=CITY.pattern, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        code = super()._deserialize(value, attr, data, **options)
        if region_name(code) is None:
            raise ma.ValidationError("不是设区市的行政区划代码|Not the code of a prefecture-level city.")
        return code


def _faults(messages: Any, pointer: str) -> Iterator[Fault]:
    """The library's nested messages as one fault a place."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            step = "" if name == "_schema" else f"/{str(name).replace('~', '~0').replace('/', '~1')}"
            yield from _faults(inner, pointer + step)
        return
    for message in messages if isinstance(messages, list) else [messages]:
        zh, _, en = str(message).rpartition("|")
        yield Fault(pointer[:200], zh or _CHINESE.get(en, "取值不符合要求"), en)
