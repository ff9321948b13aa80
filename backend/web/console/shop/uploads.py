"""Sales as files, for shops with a mainframe: uploaded, followed while they are recorded, each line answered."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from flask import Response, request, stream_with_context

from backend.certificates.sheets import FileRefused
from backend.kernel.errors import DomainError
from backend.kernel.ids import new_id
from backend.officials.model import STAFF
from backend.sales_files import queries
from backend.sales_files.answers import STATE_NAMES, answer_file
from backend.sales_files.headings import HEADINGS, REQUIRED, template
from backend.sales_files.model import (
    FILE_BYTES_MAX,
    NAME_MAX,
    NewFile,
    SalesFileColumns,
    SalesFilesWaiting,
    SalesFileTooLarge,
)
from backend.usecases.sales_files import put_sales_file
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read
from backend.web.console.declare import Topic, page
from backend.web.console.shop.rights import MANAGES, may_manage
from backend.web.context import backend, now
from backend.web.problems import PROBLEMS

ROWS = 50
FORM_OVERHEAD_BYTES = 65_536
CSV = "text/csv; charset=utf-8"
_REFUSED = (FileRefused, SalesFileColumns, SalesFileTooLarge, SalesFilesWaiting)


@page("/uploads", title=("上传销售", "Upload sales"), topic=Topic.SALES, roles=STAFF, menu=("上传销售", "Upload sales"))
def uploads_listed() -> Response:
    return _page()


@page(
    "/uploads",
    title=("上传销售", "Upload sales"),
    topic=Topic.SALES,
    roles=MANAGES,
    method="POST",
    body_bytes_max=FILE_BYTES_MAX + FORM_OVERHEAD_BYTES,
)
def upload_sent() -> Response:
    file = request.files.get("file")
    content = b"" if file is None else file.read(FILE_BYTES_MAX + 1)
    given = (file.filename if file and file.filename else "").replace("\x00", "")
    official = here.official()
    new = NewFile(new_id(), here.retailer(), given[-NAME_MAX:] or "—", content, official.official, official.name)
    try:
        # The engine records sales; its wall is the retailer's own shops.
        put_sales_file(backend().database, backend().record_sales, here.city(), new, now())
    except _REFUSED as refused:
        return _page(refused)
    return done(f"{here.home()}uploads/{new.upload}", "已上传。", "Uploaded.")


@page("/uploads/<uuid:file>", title=("销售文件", "File of sales"), topic=Topic.SALES, roles=STAFF)
def upload_one(file: UUID) -> Response:
    after, refused_only = request.args.get("after", 0, type=int), request.args.get("show") != "all"
    with read(here.city()) as connection:
        one = queries.find(connection, here.city(), here.retailer(), str(file))
        refused_only = refused_only and bool(one.refused)
        rows = queries.answers(
            connection, here.city(), one.upload, after=after, limit=ROWS + 1, refused_only=refused_only
        )
    return render(
        "shop/upload.html",
        one=one,
        rows=rows[:ROWS],
        after=after,
        further=rows[ROWS - 1].file_line if len(rows) > ROWS else None,
        refused_only=refused_only,
        STATES=STATE_NAMES,
    )


@page("/uploads/<uuid:file>/answers.csv", title=("逐行结果", "Answers"), topic=Topic.SALES, roles=STAFF)
def upload_answers(file: UUID) -> Response:
    """Sent as it is read, page by page."""
    city = here.city()
    with read(city) as connection:
        one = queries.find(connection, city, here.retailer(), str(file))

    def pieces() -> Iterator[str]:
        with read(city) as connection:
            yield from answer_file(queries.all_answers(connection, city, one.upload))

    response = Response(stream_with_context(pieces()), content_type=CSV)
    response.headers["Content-Disposition"] = f'attachment; filename="answers-{one.upload}.csv"'
    return response


@page("/uploads/template.csv", title=("模板", "Template"), topic=Topic.SALES, roles=STAFF)
def upload_template() -> Response:
    response = Response(template(), content_type=CSV)
    response.headers["Content-Disposition"] = 'attachment; filename="sales-template.csv"'
    return response


def _page(refused: DomainError | None = None) -> Response:
    after = _after()
    with read(here.city()) as connection:
        rows = queries.listed(connection, here.city(), here.retailer(), after=after, limit=ROWS + 1)
    last = rows[ROWS - 1] if len(rows) > ROWS else None
    return render(
        "shop/uploads.html",
        200 if refused is None else PROBLEMS[refused.code].status,
        rows=rows[:ROWS],
        after=after,
        further=None if last is None else f"{last.uploaded_at.isoformat()}~{last.upload}",
        refused=None if refused is None else (refused.sentence_zh, refused.sentence_en),
        headings=HEADINGS,
        may_upload=may_manage(),
        required=REQUIRED,
    )


def _after() -> tuple[datetime, str] | None:
    """Where a page of the list goes on; from the start for what is no such place."""
    at, _, upload = request.args.get("after", "").partition("~")
    try:
        return datetime.fromisoformat(at), str(UUID(upload))
    except ValueError:
        return None
