"""Imports into the registry: a file is checked, its differences are read, then it is imported; one product is entered by hand."""

import csv
import io
from uuid import UUID

from flask import Response, request

from backend.certificates import imports, queries, uploads
from backend.certificates.headings import HEADINGS, REQUIRED
from backend.certificates.imports import Source
from backend.certificates.sheets import FILE_BYTES_MAX
from backend.certificates.uploads import NewUpload
from backend.kernel.ids import new_id
from backend.kernel.inert import inert
from backend.usecases.registry_uploads import ask_import, put_upload
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read
from backend.web.console.declare import EVERYONE, Topic, page
from backend.web.console.registry import CHANGES, STATES
from backend.web.context import backend, now

ROWS = 20
SHOWN_MAX = 200
NAME_MAX, SOURCE_MAX, CELL_MAX = 255, 100, 1_000
FORM_OVERHEAD_BYTES = 65_536
IMPORTS = "/console/registry/imports"
BY_HAND = (
    "scheme",
    "certificate_no",
    "body",
    "body_name",
    "holder",
    "uscc",
    "product",
    "model",
    "code",
    "category",
    "grade",
)
DATES = ("valid_from", "valid_until")
ENGLISH = {
    "scheme": "Scheme",
    "certificate_no": "Certificate number",
    "body": "Approval number of the body",
    "body_name": "Name of the body",
    "holder": "Holder",
    "uscc": "Credit code",
    "product": "Product",
    "model": "Model",
    "code": "Bar code or label code",
    "category": "Category",
    "grade": "Grade",
    "valid_from": "Valid from",
    "valid_until": "Last valid day",
}


@page(
    "/registry/imports",
    title=("导入", "Imports"),
    topic=Topic.REGISTRY,
    roles=EVERYONE,
    menu=("导入", "Imports"),
)
def imports_listed() -> Response:
    return _page()


@page(
    "/registry/imports",
    title=("导入", "Imports"),
    topic=Topic.REGISTRY,
    roles=CHANGES,
    method="POST",
    body_bytes_max=FILE_BYTES_MAX + FORM_OVERHEAD_BYTES,
)
def import_upload() -> Response:
    source, file = request.form.get("source", "").strip()[:SOURCE_MAX], request.files.get("file")
    content = b"" if file is None else file.read(FILE_BYTES_MAX + 1)
    if not source:
        return _page(("source", ("请填写来源单位。", "Name the office that the file comes from.")), 422)
    if not content or len(content) > FILE_BYTES_MAX:
        return _page(("file", ("请选择不超过 50 MB 的文件。", "Choose a file of at most 50 MB.")), 422)
    name = (file.filename if file and file.filename else "—").replace("\x00", "")[-NAME_MAX:]
    official = here.official()
    new = NewUpload(new_id(), name, source.replace("\x00", ""), content, official.official, official.name)
    put_upload(backend().database, here.city(), new, now())
    return done(
        f"{IMPORTS}/{new.upload}", "已上传，先试运行，不写入。", "Uploaded; a dry run comes first, nothing is written."
    )


@page("/registry/imports/<uuid:upload>", title=("导入", "Import"), topic=Topic.REGISTRY, roles=EVERYONE)
def import_one(upload: UUID) -> Response:
    with read(here.city()) as connection:
        found = uploads.find(connection, here.city(), str(upload))
    may_import = bool(here.official().roles & CHANGES)
    return render(
        "registry/import.html",
        one=found,
        report=found.report or {},
        may_import=may_import,
        most=SHOWN_MAX,
        STATES=STATES,
    )


@page(
    "/registry/imports/<uuid:upload>/import",
    title=("导入", "Import"),
    topic=Topic.REGISTRY,
    roles=CHANGES,
    method="POST",
)
def import_go_on(upload: UUID) -> Response:
    ask_import(backend().database, here.city(), str(upload), here.official().official, now())
    return done(f"{IMPORTS}/{upload}", "已开始导入。", "The import has begun.")


@page(
    "/registry/imports/<uuid:upload>/errors.csv",
    title=("拒绝的行", "Refused lines"),
    topic=Topic.REGISTRY,
    roles=EVERYONE,
)
def import_errors(upload: UUID) -> Response:
    """Text cells alone: none begins as a formula does."""
    with read(here.city()) as connection:
        found = uploads.find(connection, here.city(), str(upload))
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["行 line", "列 column", "代码 code", "原因", "reason"])
    rows = (found.report or {}).get("errors", [])
    assert isinstance(rows, list)
    lines.writerows([inert(str(cell)) for cell in row] for row in rows)
    answer = Response("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="errors-{upload}.csv"'
    return answer


@page("/registry/enter", title=("登记商品", "Register a product"), topic=Topic.REGISTRY, roles=CHANGES)
def registry_enter_form() -> Response:
    return _enter({"code": request.args.get("code", "")[:CELL_MAX]}, {}, 200)


@page("/registry/enter", title=("登记商品", "Register a product"), topic=Topic.REGISTRY, roles=CHANGES, method="POST")
def registry_enter() -> Response:
    given = {name: request.form.get(name, "").strip()[:CELL_MAX] for name in (*BY_HAND, *DATES)}
    official = here.official()
    source = Source("手工登记", "手工登记", official.name, now())
    report = imports.import_rows(backend().database, [given | {"state": "有效"}], source)
    if report.errors:
        wrong = {error.column: (error.reason_zh, error.reason_en) for error in report.errors}
        return _enter(given, wrong, 422)
    if not report.stored:
        already = ("登记库已有相同的内容，无需登记。", "The registry says so already.")
        return _enter(given, {"certificate_no": already}, 409)
    return done(
        "/console/registry/unknown",
        f"已登记“{given['product']}”，等待的扫码将在一分钟内补作核定。",
        f"Registered {given['product']}; scans that wait are decided within a minute.",
    )


def _page(wrong: tuple[str, tuple[str, str]] | None = None, status: int = 200) -> Response:
    with read(here.city()) as connection:
        rows = uploads.listed(connection, here.city(), limit=ROWS)
        sources = queries.last_imports(connection)
    may_import = bool(here.official().roles & CHANGES)
    at, refused = wrong or (None, None)
    return render(
        "registry/imports.html",
        status,
        rows=rows,
        sources=sorted(sources, key=lambda one: one.imported_at, reverse=True)[:ROWS],
        may_import=may_import,
        at=at,
        refused=refused,
        source=request.form.get("source", ""),
        now=now(),
    )


def _enter(given: dict[str, str], wrong: dict[str, tuple[str, str]], status: int) -> Response:
    with read(here.city()) as connection:
        schemes = [(code, here.say(zh, en)) for code, zh, en in queries.scheme_names(connection)]
        bodies = queries.body_names(connection)
    known = {*BY_HAND, *DATES}
    return render(
        "registry/enter.html",
        status,
        given=given,
        wrong={name: said for name, said in wrong.items() if name in known},
        other=[said for name, said in wrong.items() if name not in known],
        schemes=schemes,
        bodies=bodies,
        fields=[(name, HEADINGS[name], ENGLISH[name], name in REQUIRED) for name in (*BY_HAND, *DATES)],
    )
