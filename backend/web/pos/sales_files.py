"""A retailer's own system uploads sales as a file, for shops with a mainframe, and reads what became of each line."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response, request, stream_with_context

from backend.audit.acting import acting
from backend.audit.model import Actor
from backend.kernel.ids import new_id
from backend.sales_files import queries
from backend.sales_files.answers import answer_file
from backend.sales_files.headings import template
from backend.sales_files.model import FILE_BYTES_MAX, NAME_MAX, NewFile, State
from backend.sales_files.queries import UploadedFile
from backend.usecases.sales_files import put_sales_file
from backend.web.auth import Access
from backend.web.context import backend, note, now, request_id, service
from backend.web.endpoint import answer, endpoint
from backend.web.pos.routes import pos
from backend.web.schemas import Body, Text
from backend.web.shops import own

_SHOWN = r"[^\x00-\x1f\x7f]+"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SalesFileQuery(Body):
    name = Text(
        1, NAME_MAX, pattern=_SHOWN, load_default="sales.csv", metadata={"description": "文件名 / name of the file"}
    )


class SalesFileSchema(ma.Schema):
    upload = ma.fields.String(required=True)
    state = ma.fields.String(required=True, metadata={"enum": [state.value for state in State]})
    rows = ma.fields.Integer(required=True)
    done = ma.fields.Integer(required=True, metadata={"description": "已处理的行 / lines answered so far"})
    accepted = ma.fields.Integer(required=True)
    repeated = ma.fields.Integer(required=True)
    refused = ma.fields.Integer(required=True)
    points = ma.fields.Integer(required=True)
    subsidy_fen = ma.fields.Integer(required=True)


@endpoint(pos, "/sales-files/template", access=Access.SHOP, answers={200: ma.Schema()}, besides={200: CSV})
def sales_template() -> Response:
    """销售文件的模板 / every column, and one sale as an example."""
    return Response(template(), content_type=f"{CSV}; charset=utf-8")


@endpoint(
    pos,
    "/sales-files",
    method="POST",
    access=Access.SHOP,
    query=SalesFileQuery(),
    answers={201: SalesFileSchema()},
    content=(CSV, XLSX),
    body_bytes_max=lambda _settings: FILE_BYTES_MAX,
)
def upload_sales(query: dict[str, Any]) -> Response:
    """上传销售文件 / upload a file of sales.

    一行一件商品，CSV（UTF-8 或 GB18030）或 XLSX，最大 10 MB、50,000 行。小文件立即入账，大文件由后台处理，请查询进度。同一销售
    编号只计一次：重复上传得到首次的结果。有误的行逐行答复，其余照常入账。
    A line an item; small files are recorded at once, large ones by a job. A number counts once, and a repeat is answered as the
    first time. Lines that are wrong are answered, the others recorded.
    """
    city, retailer = own()
    name = service().name
    new = NewFile(new_id(), retailer, query["name"], request.get_data(cache=False), f"service:{name}", name)
    with acting(Actor(f"service:{name}", "retailer", request_id())):
        put_sales_file(backend().database, backend().record_sales, city, new, now())
    note(upload=new.upload)
    return answer(_file(_found(UUID(new.upload))), 201)


@endpoint(pos, "/sales-files/<uuid:upload>", access=Access.SHOP, answers={200: SalesFileSchema()})
def sales_file(upload: UUID) -> Response:
    """销售文件的进度与结果 / how far a file is, and what came of it."""
    return answer(_file(_found(upload)))


@endpoint(
    pos,
    "/sales-files/<uuid:upload>/answers",
    access=Access.SHOP,
    answers={200: ma.Schema()},
    besides={200: CSV},
)
def sales_answers(upload: UUID) -> Response:
    """逐行结果（CSV） / what became of each line, as far as the file is recorded."""
    city, found = own()[0], _found(upload)

    def pieces() -> Iterator[str]:
        with backend().database.read() as connection:
            yield from answer_file(queries.all_answers(connection, city, found.upload))

    return Response(stream_with_context(pieces()), content_type=f"{CSV}; charset=utf-8")


def _found(upload: UUID) -> UploadedFile:
    """Raises SalesFileUnknown."""
    city, retailer = own()
    with backend().database.read() as connection:
        return queries.find(connection, city, retailer, str(upload))


def _file(one: UploadedFile) -> dict[str, object]:
    names = ("upload", "rows", "done", "accepted", "repeated", "refused", "points", "subsidy_fen")
    return {"state": one.state.value, **{name: getattr(one, name) for name in names}}
