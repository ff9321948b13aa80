"""What the backend has for tills; bridges poll it and publish it."""

import base64
from typing import Any

import marshmallow as ma
from flask import Response
from flask_smorest import Blueprint

from backend.devices import downlinks as till_downlinks
from backend.devices import queries as device_queries
from backend.outbox import queries
from backend.outbox.queries import Downlink
from backend.web.auth import Access
from backend.web.context import backend, now
from backend.web.endpoint import answer, endpoint
from backend.web.schemas import Body, Text, Whole

DEVICES_MAX = 1_000

bridge = Blueprint("bridge", __name__, url_prefix="/api/bridge/v1", description="网桥 / bridges")


class DownlinkQuery(Body):
    after = ma.fields.UUID(load_default=None, metadata={"description": "`next` of the page before"})
    limit = Whole(1, queries.PAGE_MAX, in_query=True, load_default=queries.PAGE_MAX)


class DevicesQuery(Body):
    after = Text(8, 40, pattern=r"[a-z0-9-]+", load_default=None, metadata={"description": "`next` of the page before"})


class DevicesSchema(ma.Schema):
    devices = ma.fields.List(ma.fields.String(), required=True)
    next = ma.fields.String(required=True, allow_none=True, metadata={"description": "null ends the list"})


class DownlinkSchema(ma.Schema):
    topic = ma.fields.String(required=True)
    payload_b64 = ma.fields.String(required=True, metadata={"contentEncoding": "base64"})
    qos = ma.fields.Integer(required=True)
    retain = ma.fields.Boolean(required=True)
    expiry_s = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "seconds from now"})


class DownlinkPageSchema(ma.Schema):
    messages = ma.fields.List(ma.fields.Nested(DownlinkSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True, metadata={"description": "null when there is nothing new"})


@endpoint(bridge, "/downlink", access=Access.BRIDGE, query=DownlinkQuery(), answers={200: DownlinkPageSchema()})
def downlink(query: dict[str, Any]) -> Response:
    """下行消息 / messages for tills, oldest first."""
    after = None if query["after"] is None else str(query["after"])
    with backend().database.read() as connection:
        cities = device_queries.cities(connection)
        found = queries.downlinks(connection, cities, after=after, limit=query["limit"], now=now())
    return answer({"messages": [_message(each) for each in found], "next": found[-1].message if found else None})


@endpoint(bridge, "/devices", access=Access.BRIDGE, query=DevicesQuery(), answers={200: DevicesSchema()})
def devices(query: dict[str, Any]) -> Response:
    """在用终端 / devices that a broker lets in, of every city; all others it must not."""
    with backend().database.read() as connection:
        found = device_queries.active(connection, after=query["after"], limit=DEVICES_MAX)
    return answer({"devices": found, "next": found[-1] if len(found) == DEVICES_MAX else None})


def _message(found: Downlink) -> dict[str, object]:
    """Signed here, not where it was promised: a lasting message stays good when the key is changed."""
    payload = found.payload
    if found.topic.startswith(till_downlinks.TILLS):
        payload = till_downlinks.seal_downlink(found.topic, payload, backend().sign)
    return {
        "topic": found.topic,
        "payload_b64": base64.b64encode(payload).decode(),
        "qos": 1,
        "retain": found.retain,
        "expiry_s": found.expiry_s,
    }
