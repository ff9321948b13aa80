"""The words of a consent, by their hash, for whoever holds one: texts are public."""

from typing import Any

import marshmallow as ma
from flask import Response

from backend.residents.consents import queries
from backend.web.auth import Access
from backend.web.context import backend
from backend.web.endpoint import answer, endpoint
from backend.web.problems import NotFound
from backend.web.public.routes import public
from backend.web.schemas import Body, City

SHA256_BYTES = 32


class ConsentTextQuery(Body):
    city = City(required=True)


class PublicConsentTextSchema(ma.Schema):
    purpose = ma.fields.String(required=True)
    version = ma.fields.Integer(required=True)
    sha256 = ma.fields.String(required=True)
    text = ma.fields.String(required=True)
    text_en = ma.fields.String(required=True)


@endpoint(
    public,
    "/consent-texts/<sha256>",
    access=Access.OPEN,
    query=ConsentTextQuery(),
    answers={200: PublicConsentTextSchema()},
)
def consent_text(query: dict[str, Any], sha256: str) -> Response:
    """同意说明的原文 / the text that a hash in a consent history stands for."""
    try:
        wanted = bytes.fromhex(sha256)
    except ValueError:
        raise NotFound from None
    if len(wanted) != SHA256_BYTES:
        raise NotFound
    with backend().database.read() as connection:
        text = queries.text_of(connection, query["city"], wanted)
    if text is None:
        raise NotFound
    body = {"purpose": text.purpose, "version": text.version, "sha256": text.sha256.hex()}
    return answer({**body, "text": text.zh, "text_en": text.en})
