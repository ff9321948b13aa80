"""A text as a QR code, for screens that have no program to draw one: member code, voucher, statement."""

from typing import Any

import marshmallow as ma
import segno
from flask import Response

from backend.kernel.errors import DomainError
from backend.web.auth import Access
from backend.web.endpoint import answer, endpoint
from backend.web.resident.routes import resident
from backend.web.schemas import Body, Text

CHARS_MAX = 2_000


class QrTooLong(DomainError):
    code = "qr-too-long"
    text_zh = "内容太长，放不进一个二维码。"
    text_en = "This is too long for one QR code."


class QrBody(Body):
    text = Text(1, CHARS_MAX, required=True)


class QrSchema(ma.Schema):
    rows = ma.fields.List(
        ma.fields.String(metadata={"description": "0 白 light, 1 黑 dark"}),
        required=True,
        metadata={"description": "不含四周留白（至少 4 格）/ without the quiet zone, four modules at least"},
    )


@endpoint(resident, "/qr", method="POST", access=Access.RESIDENT, body=QrBody(), answers={200: QrSchema()})
def draw(body: dict[str, Any]) -> Response:
    """画二维码 / a text as the modules of a QR code. Nothing of it is kept."""
    try:
        # Level L: fewer and so larger modules. A screen gets no stains, and a till's camera stands close.
        code = segno.make_qr(body["text"], error="l", boost_error=False)
    except segno.DataOverflowError:
        raise QrTooLong from None
    return answer({"rows": ["".join("1" if module else "0" for module in row) for row in code.matrix]})
