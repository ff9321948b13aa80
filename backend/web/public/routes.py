"""What anyone may ask: what a label is, and whether it is certified now. Nothing of it is stored or logged."""

from typing import Any

import marshmallow as ma
from flask import Response
from flask_smorest import Blueprint
from sqlalchemy import Connection

from backend.certificates import queries as certificate_queries
from backend.certificates.model import FOREVER_MS, Entry
from backend.certificates.validity import standing
from backend.kernel.periods import civil_date, milliseconds
from backend.labels.model import Reading
from backend.labels.parse import parse
from backend.labels.sentences import WARNINGS
from backend.labels.words import label_words
from backend.scans.decide import level_of
from backend.scans.sellers import Seller, sellers_of
from backend.web.auth import Access
from backend.web.context import backend, now
from backend.web.endpoint import answer, endpoint
from backend.web.schemas import Body, City, Text

CODE_CHARS_MAX = 2_048
SELLERS_SHOWN = 20

public = Blueprint("public", __name__, url_prefix="/api/public/v1", description="公开查询 / for everyone")


class LabelBody(Body):
    text = Text(
        1, CODE_CHARS_MAX, as_read=True, required=True, metadata={"description": "扫到或输入的内容 / as read or typed"}
    )
    symbology = Text(1, 32, pattern=r"[A-Za-z0-9_.:-]+", load_default=None)
    aim = Text(3, 6, pattern=r"\][A-Za-z][0-9A-Za-z]{1,4}", load_default=None)
    city = City(load_default=None, metadata={"description": "要问近期在哪里有售的城市 / where it was sold lately"})


class WarningSchema(ma.Schema):
    code = ma.fields.String(required=True)
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


class LabelSchema(ma.Schema):
    scheme = ma.fields.String(required=True)
    sentence = ma.fields.String(
        required=True, metadata={"description": "是什么标签、能证明什么 / what it is and what it proves"}
    )
    sentence_en = ma.fields.String(required=True)
    key = ma.fields.String(required=True, allow_none=True)
    scope = ma.fields.String(required=True, metadata={"description": "what it names: unit, model, enterprise …"})
    usable = ma.fields.Boolean(required=True)
    confidence = ma.fields.String(required=True)
    warnings = ma.fields.List(ma.fields.Nested(WarningSchema), required=True)


class CertificateSchema(ma.Schema):
    number = ma.fields.String(required=True)
    body = ma.fields.String(required=True)
    scheme = ma.fields.String(required=True)
    scheme_zh = ma.fields.String(required=True)
    product = ma.fields.String(required=True)
    category = ma.fields.String(required=True, allow_none=True)
    grade = ma.fields.Integer(required=True, allow_none=True)
    tier = ma.fields.Integer(required=True, allow_none=True)
    holder = ma.fields.String(required=True)
    state = ma.fields.String(required=True, metadata={"description": "valid, suspended, withdrawn, expired …"})
    valid_from = ma.fields.Date(required=True)
    valid_until = ma.fields.Date(required=True, allow_none=True, metadata={"description": "last day; null: no end"})


class SellerSchema(ma.Schema):
    store = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    district = ma.fields.String(required=True, metadata={"description": "GB/T 2260"})


class LabelAnswer(ma.Schema):
    label = ma.fields.Nested(LabelSchema, required=True)
    certificates = ma.fields.List(ma.fields.Nested(CertificateSchema), required=True)
    sellers = ma.fields.List(
        ma.fields.Nested(SellerSchema),
        required=True,
        metadata={
            "description": "近期有售的门店，每夜更新，最多 20 家；顾客太少的不列 / shops that sold it lately, as of last night;"
            " those with few buyers are left out"
        },
    )
    registry_imported_at = ma.fields.DateTime(
        required=True, allow_none=True, metadata={"description": "how old the registry's newest import is"}
    )


@endpoint(
    public,
    "/labels:read",
    method="POST",
    access=Access.OPEN,
    body=LabelBody(),
    answers={200: LabelAnswer()},
)
def read_label(body: dict[str, Any]) -> Response:
    """标签是什么、现在是否有证书 / what a label is, and whether it is certified now."""
    reading = parse(body["text"], body["symbology"], body["aim"])
    with backend().database.read() as connection:
        known = backend().registry.lookup(connection, reading.registry_keys)
        names = {code: zh for code, zh, _ in certificate_queries.scheme_names(connection)}
        imports = certificate_queries.last_imports(connection)
        sold_at = _sellers(connection, body["city"], reading)
    entries = [entry for key in reading.registry_keys for entry in known.get(key, ())]
    newest = max((batch.imported_at for batch in imports), default=None)
    return answer(
        {
            "label": _label(reading),
            "certificates": [_certificate(entry, names, milliseconds(now())) for entry in entries],
            "sellers": [{"store": one.store, "name": one.name_zh, "district": one.district} for one in sold_at],
            "registry_imported_at": newest,
        }
    )


def _sellers(connection: Connection, city: str | None, reading: Reading) -> list[Seller]:
    """Nothing of what is no certified goods was learnt, so it has none."""
    if city is None or not reading.usable or reading.key is None:
        return []
    return sellers_of(connection, city, [reading.key, *reading.registry_keys], limit=SELLERS_SHOWN)


def _label(reading: Reading) -> dict[str, object]:
    said = label_words(reading.scheme.value, level_of(reading, None) if reading.usable else None)
    warnings = [(code, *WARNINGS[code]) for code in reading.warnings]
    return {
        "scheme": reading.scheme.value,
        "sentence": said.zh,
        "sentence_en": said.en,
        "key": reading.key,
        "scope": reading.scope.value,
        "usable": reading.usable,
        "confidence": reading.confidence.value,
        "warnings": [{"code": code, "sentence": zh, "sentence_en": en} for code, zh, en in warnings],
    }


def _certificate(entry: Entry, names: dict[str, str], now_ms: int) -> dict[str, object]:
    return {
        "number": entry.certificate,
        "body": entry.body,
        "scheme": entry.scheme,
        "scheme_zh": names.get(entry.scheme, entry.scheme),
        "product": entry.product,
        "category": entry.category,
        "grade": entry.grade,
        "tier": entry.tier,
        "holder": entry.holder,
        "state": standing((entry,), now_ms).state,
        "valid_from": civil_date(entry.from_ms),
        "valid_until": None if entry.until_ms == FOREVER_MS else civil_date(entry.until_ms - 1),
    }
