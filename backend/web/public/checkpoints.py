"""What a city has signed of its ledger. Nothing in it names anyone: a root is a hash over hashes."""

import base64
from typing import Any

import marshmallow as ma
from flask import Response

from backend.checkpoints import queries
from backend.checkpoints.model import Checkpoint, verifier_key
from backend.usecases.prove_award import prove_growth
from backend.web.auth import Access
from backend.web.context import backend
from backend.web.endpoint import answer, endpoint
from backend.web.problems import NotFound
from backend.web.public.routes import public
from backend.web.schemas import Body, City, Whole

SIZE_MAX = 2**53


class CheckpointsQuery(Body):
    city = City(required=True)
    before = Whole(
        1,
        SIZE_MAX,
        in_query=True,
        load_default=queries.BEFORE_ANY,
        metadata={"description": "只列比它小的 / only smaller ones", "default": None},
    )
    limit = Whole(1, queries.CHECKPOINTS_MAX, in_query=True, load_default=20)


class GrowthQuery(Body):
    city = City(required=True)
    old = Whole(
        1, SIZE_MAX, in_query=True, required=True, metadata={"description": "较早检查点的条数 / the earlier size"}
    )
    new = Whole(
        1, SIZE_MAX, in_query=True, required=True, metadata={"description": "较晚检查点的条数 / the later size"}
    )


class CheckpointSchema(ma.Schema):
    size = ma.fields.Integer(required=True, metadata={"description": "条数 / entries covered"})
    root = ma.fields.String(required=True, metadata={"description": "base64"})
    made_at = ma.fields.DateTime(required=True)
    note = ma.fields.String(required=True, metadata={"description": "C2SP signed note / 签名文本"})


class CheckpointsSchema(ma.Schema):
    city = ma.fields.String(required=True)
    verifier_key = ma.fields.String(required=True, allow_none=True, metadata={"description": "C2SP vkey / 验签公钥"})
    checkpoints = ma.fields.List(ma.fields.Nested(CheckpointSchema), required=True)


class GrowthSchema(ma.Schema):
    old = ma.fields.Integer(required=True)
    new = ma.fields.Integer(required=True)
    proof = ma.fields.List(ma.fields.String(), required=True, metadata={"description": "base64, RFC 6962 2.1.2"})


@endpoint(public, "/checkpoints", access=Access.OPEN, query=CheckpointsQuery(), answers={200: CheckpointsSchema()})
def checkpoints(query: dict[str, Any]) -> Response:
    """账本检查点，最新在前 / checkpoints of a city's ledger, the newest first.

    留存任一份，即可日后证明账本未被改动。Whoever keeps one can prove later that nothing under it was changed.
    """
    city, key = query["city"], backend().ledger_key
    with backend().database.read() as connection:
        found = queries.checkpoints(connection, city, before=query["before"], limit=query["limit"])
    return answer(
        {
            "city": city,
            "verifier_key": None if key is None else verifier_key(city, key),
            "checkpoints": [checkpoint_answer(each) for each in found],
        }
    )


@endpoint(public, "/checkpoints/growth", access=Access.OPEN, query=GrowthQuery(), answers={200: GrowthSchema()})
def growth(query: dict[str, Any]) -> Response:
    """证明较晚的检查点包含较早的 / proof that a later checkpoint begins with an earlier one."""
    city, old, new = query["city"], query["old"], query["new"]
    with backend().database.read() as connection:
        if old > new or any(queries.checkpoint(connection, city, size) is None for size in (old, new)):
            raise NotFound
        proof = prove_growth(connection, city, old, new)
    return answer({"old": old, "new": new, "proof": [base64.b64encode(each).decode() for each in proof]})


def checkpoint_answer(made: Checkpoint) -> dict[str, object]:
    return made._asdict() | {"root": base64.b64encode(made.root).decode()}
