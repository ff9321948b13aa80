"""Tills' messages, as a bridge or a shop's own system hands them on."""

import base64
from collections import Counter
from typing import Any

import marshmallow as ma
from flask import Response
from flask_smorest import Blueprint

from backend import metrics
from backend.devices.envelope import MESSAGE_BYTES_MAX
from backend.kernel.periods import milliseconds
from backend.usecases.accept_messages import Answer, Delivery
from backend.web.auth import Access
from backend.web.context import backend, note, now, service
from backend.web.endpoint import answer, endpoint
from backend.web.schemas import Base64Bytes, Body, Text, Whole
from backend.web.shops import hold_to_tills

UNIX_MS_MAX = 10**14
TOPIC_CHARS_MAX = 65_535
PAYLOAD_BYTES_MAX = 16 * MESSAGE_BYTES_MAX
"""A longer message than a till may send is refused and kept, not the batch that holds it; the body bounds them all."""

pos = Blueprint("pos", __name__, url_prefix="/api/pos/v1", description="收银终端与商户系统 / tills and shop systems")


class MessageBody(Body):
    topic = Text(0, TOPIC_CHARS_MAX, as_read=True, required=True)
    payload_b64 = Base64Bytes(bytes_max=PAYLOAD_BYTES_MAX, required=True)
    received_at_ms = Whole(0, UNIX_MS_MAX, required=True, metadata={"description": "Unix ms, by the caller's clock"})


class BatchBody(Body):
    messages = ma.fields.List(ma.fields.Nested(MessageBody), required=True)


class ResultSchema(ma.Schema):
    state = ma.fields.String(required=True, metadata={"enum": ["recorded", "refused"]})
    topic = ma.fields.String(required=True, allow_none=True, metadata={"description": "where the receipt goes"})
    payload_b64 = ma.fields.String(required=True, allow_none=True, metadata={"contentEncoding": "base64"})
    code = ma.fields.String(required=True, allow_none=True, metadata={"description": "why it was refused"})
    detail = ma.fields.String(required=True, allow_none=True)


class ResultsSchema(ma.Schema):
    results = ma.fields.List(ma.fields.Nested(ResultSchema), required=True)


@endpoint(
    pos,
    "/baskets:batch",
    method="POST",
    access=Access.POS,
    body=BatchBody(),
    answers={200: ResultsSchema()},
    body_bytes_max=lambda settings: settings.batch_bytes_max,
)
def record_batch(body: dict[str, Any]) -> Response:
    """上报收银终端消息 / record tills' messages.

    每条消息一个结果，顺序一致；签名回执须原样转交终端。重复上报结果相同，不会重复计分。
    One result a message, in order; a signed receipt is passed on to its till as it is. Sending again changes nothing.
    商户系统只能上报自己门店的终端。A shop's system hands on messages of its own tills alone.
    """
    hold_to_tills(m["topic"] for m in body["messages"])
    # A bridge may have held messages while we were away. A shop's own system has no say in how fresh its proof is.
    held = service().service == "bridge"
    now_ms = milliseconds(now())
    deliveries = [
        Delivery(m["topic"], m["payload_b64"], m["received_at_ms"] if held else now_ms) for m in body["messages"]
    ]
    answers = backend().accept_messages.accept(deliveries, now())
    for outcome, count in Counter(each.code or each.state for each in answers).items():
        metrics.messages.labels(outcome).inc(count)
    note(messages=len(answers))
    return answer({"results": [_result(each) for each in answers]})


def _result(given: Answer) -> dict[str, str | None]:
    payload = None if given.payload is None else base64.b64encode(given.payload).decode()
    return {
        "state": given.state,
        "topic": given.topic,
        "payload_b64": payload,
        "code": given.code,
        "detail": given.detail,
    }
