"""Where a catalogue enters: a JSON text to entries, every fault reported at once with its place."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from backend.kernel.errors import DomainError
from backend.kernel.periods import Period
from backend.kernel.strict_json import NotStrictJson, load_object
from backend.redemptions.model import Entry, Kind, Limit

DOCUMENT_BYTES_MAX = 1_048_576
ENTRIES_MAX = 500
STORES_MAX = 500
POINTS_MAX = 10**9
STOCK_MAX = 10**9
PIECES_MAX = 1_000
SHOP_FEN_MAX = 10**7
HOLD_MINUTES_MAX = 24 * 60
HOLD_MINUTES = 15
VOUCHER_DAYS_MAX = 731
FAULTS_SHOWN = 100

_NAME = validate.Regexp(r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$", error="小写字母、数字和连字符 / a-z, 0-9, hyphens")
_TITLE_MAX, _TEXT_MAX = 60, 500
_YEARS = validate.Range(
    datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC), error="年份须在 2000 至 2199 / 2000 to 2199"
)
_STORE = validate.Regexp(r"^[A-Za-z0-9_.:-]{1,64}$", error="不是门店编号 / not the number of a shop")


class CatalogueRefused(DomainError):
    """A document that may not become a catalogue; `faults` maps each place to its reasons."""

    code = "catalogue-refused"
    text_zh = "兑换目录有 {count} 处问题，改正后才能发布。"
    text_en = "Faults in the catalogue: {count}. It cannot be published before they are mended."

    def __init__(self, faults: Mapping[str, list[str]]) -> None:
        super().__init__(count=len(faults), faults=dict(list(faults.items())[:FAULTS_SHOWN]))


def _words(longest: int) -> fields.String:
    visible = validate.Predicate("isprintable", error="含有控制字符 / holds a control character")
    return fields.String(required=True, validate=[validate.Length(1, longest), visible])


def _instant(name: str) -> fields.AwareDateTime:
    return fields.AwareDateTime(required=True, format="iso", data_key=name, validate=_YEARS)


class LimitSchema(Schema):
    pieces = fields.Integer(required=True, strict=True, validate=validate.Range(1, PIECES_MAX))
    period = fields.Enum(Period, by_value=True, required=True)


class EntrySchema(Schema):
    entry = fields.String(required=True, validate=_NAME)
    kind = fields.Enum(Kind, by_value=True, required=True)
    title_zh, title_en = _words(_TITLE_MAX), _words(_TITLE_MAX)
    text_zh, text_en = _words(_TEXT_MAX), _words(_TEXT_MAX)
    points = fields.Integer(required=True, strict=True, validate=validate.Range(1, POINTS_MAX))
    pieces_max = fields.Integer(load_default=1, strict=True, validate=validate.Range(1, PIECES_MAX))
    stock = fields.Integer(load_default=None, strict=True, validate=validate.Range(0, STOCK_MAX))
    limit = fields.Nested(LimitSchema, load_default=None)
    starts_at, ends_at = _instant("from"), _instant("until")
    hold_minutes = fields.Integer(load_default=HOLD_MINUTES, strict=True, validate=validate.Range(1, HOLD_MINUTES_MAX))
    at_till = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    stores = fields.List(fields.String(validate=_STORE), load_default=list, validate=validate.Length(0, STORES_MAX))
    voucher_days = fields.Integer(load_default=None, strict=True, validate=validate.Range(1, VOUCHER_DAYS_MAX))
    points_back = fields.Boolean(load_default=None, allow_none=True, truthy={True}, falsy={False})
    recipient = fields.String(load_default=None, validate=_NAME)
    shop_fen = fields.Integer(load_default=None, strict=True, validate=validate.Range(1, SHOP_FEN_MAX))

    @validates_schema
    def as_a_whole(self, loaded: dict[str, Any], **_options: object) -> None:
        faults = dict(_contradictions(loaded))
        if faults:
            raise ValidationError(faults)


class CatalogueSchema(Schema):
    catalogue = fields.List(fields.Nested(EntrySchema), required=True, validate=validate.Length(1, ENTRIES_MAX))


class Written(NamedTuple):
    """An entry, and the SHA-256 of all that the file says of it."""

    entry: Entry
    sha256: bytes


def load_catalogue(content: bytes) -> list[Written]:
    """The entries in `content`. Raises CatalogueRefused."""
    if len(content) > DOCUMENT_BYTES_MAX:
        raise CatalogueRefused({"": [f"文件超过 {DOCUMENT_BYTES_MAX} 字节 / too large"]})
    try:
        loaded = CatalogueSchema().load(load_object(content))
    except NotStrictJson:
        raise CatalogueRefused({"": ["不是合法的 JSON 对象 / not one strict JSON object"]}) from None
    except ValidationError as error:
        raise CatalogueRefused(_places(error.messages_dict)) from None
    entries = [_entry(one) for one in loaded["catalogue"]]
    names = [one.entry for one in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CatalogueRefused({name: ["出现不止一次 / stands more than once"] for name in twice})
    return [Written(one, hash_of(one)) for one in entries]


def hash_of(entry: Entry) -> bytes:
    """SHA-256 of what an entry says, however it was spelled."""
    said = entry._asdict() | {"limit": None if entry.limit is None else list(entry.limit)}
    if entry.shop_fen is None:  # as what was published before there was one
        del said["shop_fen"]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


def _contradictions(loaded: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    kind, voucher = loaded["kind"], loaded["kind"] is Kind.VOUCHER
    for name in ("voucher_days", "points_back"):
        if voucher != (loaded[name] is not None):
            yield name, ["只有券须填，券必填 / of vouchers, and of each"]
    if (kind is Kind.DONATION) != (loaded["recipient"] is not None):
        yield "recipient", ["只有捐赠须填，捐赠必填 / of donations, and of each"]
    if voucher and loaded["pieces_max"] != 1:
        yield "pieces_max", ["券一次一张 / one voucher at a time"]
    if loaded["at_till"] and kind is not Kind.SERVICE:
        yield "at_till", ["只有公共服务可在网点确认 / services alone are confirmed at a till"]
    yield from _off_shops(loaded, in_shops=loaded["at_till"] or voucher)
    if loaded["ends_at"] <= loaded["starts_at"]:
        yield "until", ["须晚于 from / after from"]


def _off_shops(loaded: Mapping[str, Any], *, in_shops: bool) -> Iterator[tuple[str, list[str]]]:
    if in_shops != bool(loaded["stores"]):
        yield "stores", ["在网点确认的服务和券须有合作网点，其他不填 / where it is confirmed or used, and nowhere else"]
    if loaded["shop_fen"] is not None and not in_shops:
        yield "shop_fen", ["不在网点确认或使用的，不付门店 / what no shop hands out is owed to none"]


def _entry(loaded: Mapping[str, Any]) -> Entry:
    limit = None if loaded["limit"] is None else Limit(**loaded["limit"])
    stores = tuple(sorted(set(loaded["stores"])))
    times = {name: loaded[name].astimezone(UTC) for name in ("starts_at", "ends_at")}
    return Entry(**{**loaded, "limit": limit, "stores": stores, **times})


def _places(messages: Any, place: str = "") -> dict[str, list[str]]:
    if isinstance(messages, Mapping):
        found: dict[str, list[str]] = {}
        for name, inner in messages.items():
            found |= _places(inner, place if name == "_schema" else f"{place}.{name}".lstrip("."))
        return found
    return {place: [str(one) for one in (messages if isinstance(messages, list) else [messages])]}
