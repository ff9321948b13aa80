"""For whoever is shown a statement: keys, status lists, what a city opens to it, and a check online."""

from typing import Any

import marshmallow as ma
from flask import Response

from backend.credit import documents, queries
from backend.credit.signing import TOKEN_CHARS_MAX
from backend.labels.regions import region_name
from backend.web.auth import Access
from backend.web.context import backend, now
from backend.web.endpoint import answer, endpoint
from backend.web.problems import NotFound
from backend.web.public.routes import public
from backend.web.schemas import Body, City, Text


class BenefitsQuery(Body):
    city = City(required=True)


class VerificationBody(Body):
    presentation = Text(1, TOKEN_CHARS_MAX, required=True)
    recipient = Text(
        1, 100, required=True, metadata={"description": "您的名称，须与出示时一致 / the recipient it names"}
    )
    nonce = Text(8, 64, load_default=None)


class KeySchema(ma.Schema):
    kty = ma.fields.String(required=True)
    crv = ma.fields.String(required=True)
    x = ma.fields.String(required=True)
    kid = ma.fields.String(required=True)
    alg = ma.fields.String(required=True)
    use = ma.fields.String(required=True)


class KeysSchema(ma.Schema):
    keys = ma.fields.List(ma.fields.Nested(KeySchema), required=True)


class BenefitSchema(ma.Schema):
    benefit = ma.fields.String(required=True)
    at_least = ma.fields.Integer(required=True)
    title_zh = ma.fields.String(required=True)
    title_en = ma.fields.String(required=True)
    recipient = ma.fields.String(required=True)
    document_number = ma.fields.String(required=True)
    document_url = ma.fields.String(required=True)


class BenefitsSchema(ma.Schema):
    city = ma.fields.String(required=True)
    benefits = ma.fields.List(ma.fields.Nested(BenefitSchema), required=True)


class VerifiedSchema(ma.Schema):
    at_least = ma.fields.Integer(required=True)
    months = ma.fields.Integer(required=True)
    statement = ma.fields.String(required=True)
    statement_en = ma.fields.String(required=True)
    city = ma.fields.String(required=True)
    purpose = ma.fields.String(required=True)
    nonce = ma.fields.String(required=True)


@endpoint(public, "/passport/keys", access=Access.OPEN, answers={200: KeysSchema()})
def passport_keys() -> Response:
    """验签公钥 / the keys by which statements are checked without us (RFC 7517)."""
    return answer({"keys": [backend().passport.signer.jwk]})


@endpoint(public, "/passport/status-lists/<city>", access=Access.OPEN, answers={200: None})
def status_list(city: str) -> Response:
    """作废名单 / which statements of a city are void: an IETF Token Status List, which names nobody."""
    if region_name(city) is None:
        raise NotFound
    passport = backend().passport
    with backend().database.read() as connection:
        revoked = queries.revoked(connection, city, now())
    text = documents.status_list(passport.signer, passport.place(city), revoked, now())
    return Response(text, content_type=f"application/{documents.STATUS}")


@endpoint(public, "/passport/benefits", access=Access.OPEN, query=BenefitsQuery(), answers={200: BenefitsSchema()})
def benefits(query: dict[str, Any]) -> Response:
    """声明可享的优惠 / what a statement opens in a city, by which document."""
    with backend().database.read() as connection:
        found = queries.benefits(connection, query["city"])
    return answer({"city": query["city"], "benefits": [one._asdict() for one in found]})


@endpoint(
    public,
    "/passport/verifications",
    method="POST",
    access=Access.OPEN,
    body=VerificationBody(),
    answers={200: VerifiedSchema()},
)
def verify(body: dict[str, Any]) -> Response:
    """在线核验 / check what was shown; its owner reads in the access log who did."""
    claims = backend().passport.verify(body["presentation"], body["recipient"], body["nonce"], now())
    return answer({name: claims[name] for name in VerifiedSchema().fields})
