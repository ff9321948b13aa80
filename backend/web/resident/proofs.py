"""A resident's proof that what a scan earned stands in the ledger that the city has signed."""

import base64
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response

from backend.scans import queries
from backend.usecases.prove_award import Proven, prove_award
from backend.web.auth import Access
from backend.web.context import backend, session
from backend.web.endpoint import answer, endpoint
from backend.web.problems import NotFound
from backend.web.resident.routes import resident
from backend.web.resident.schemas import CityQuery


class ProvenSchema(ma.Schema):
    entry = ma.fields.Integer(required=True, metadata={"description": "在账本中的序号，自 0 起 / its place, from 0"})
    content = ma.fields.String(required=True, metadata={"description": "入账内容，即被封存的字节 / the sealed bytes"})
    path = ma.fields.List(ma.fields.String(), required=True, metadata={"description": "base64, RFC 6962 2.1.1"})


class ProofSchema(ma.Schema):
    note = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "城市签署的检查点 / signed checkpoint"}
    )
    postings = ma.fields.List(ma.fields.Nested(ProvenSchema), required=True)
    waiting = ma.fields.Integer(required=True, metadata={"description": "尚未被检查点覆盖的入账 / not covered yet"})


@endpoint(
    resident,
    "/scans/<uuid:basket>/lines/<int(max=49):line_no>/proof",
    access=Access.RESIDENT,
    query=CityQuery(),
    answers={200: ProofSchema()},
)
def proof(query: dict[str, Any], basket: UUID, line_no: int) -> Response:
    """这笔奖励已入账且未被改动的证明 / proof that this award stands in the ledger, unchanged.

    通常在入账后十分钟内可得。As a rule within ten minutes of the award.
    """
    who = session()
    city = query["city"] or who.city
    with backend().database.read() as connection:
        if queries.scan_of(connection, city, who.resident, str(basket), line_no) is None:
            raise NotFound
        found = prove_award(connection, city, str(basket), line_no)
    return answer(
        {
            "note": None if found.checkpoint is None else found.checkpoint.note,
            "postings": [_posting(each) for each in found.postings],
            "waiting": found.waiting,
        }
    )


def _posting(proven: Proven) -> dict[str, object]:
    path = [base64.b64encode(each).decode() for each in proven.path]
    return {"entry": proven.entry, "content": proven.content.decode(), "path": path}
