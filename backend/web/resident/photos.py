"""A photo of a label, for whoever has no camera that reads codes: the answer is what stands on it, nothing is kept."""

import marshmallow as ma
from flask import Response, request

from backend.adapters.photos.gate import BYTES_MAX
from backend.web.auth import Access
from backend.web.context import backend
from backend.web.endpoint import answer, endpoint
from backend.web.resident.routes import resident


class PhotoCodeSchema(ma.Schema):
    code = ma.fields.String(required=True, allow_none=True, metadata={"description": "文本 / where it is text"})
    code_b64 = ma.fields.String(required=True, allow_none=True, metadata={"description": "非文本 / where it is none"})
    symbology = ma.fields.String(required=True)
    aim = ma.fields.String(required=True, allow_none=True)


class PhotoCodesSchema(ma.Schema):
    codes = ma.fields.List(ma.fields.Nested(PhotoCodeSchema), required=True)


@endpoint(
    resident,
    "/photos:read",
    method="POST",
    access=Access.RESIDENT,
    answers={200: PhotoCodesSchema()},
    content=("image/jpeg", "image/png"),
    body_bytes_max=lambda _settings: BYTES_MAX,
)
def read_photo() -> Response:
    """识读照片 / the codes on a photo. To count, a code is then sent as a scan."""
    return answer({"codes": backend().photo_reader.read(request.get_data(cache=False))})
