"""Official lists of enterprises: a file is tried, proposed, and taken over by another person."""

from uuid import UUID

from flask import Response, request

from backend.certificates import listing_files, listings
from backend.certificates.listing_files import SHOWN_MAX, NewListingFile
from backend.certificates.sheets import FILE_BYTES_MAX
from backend.kernel.ids import new_id
from backend.kernel.periods import civil_date, milliseconds
from backend.usecases.import_listings import approve_listings, propose_listings, refuse_listings
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.by_two import at_case
from backend.web.console.cases import SEES, WORKS
from backend.web.console.connection import read
from backend.web.console.declare import Texts, Topic, page
from backend.web.context import backend, now

ROWS = 50
SOURCE_MAX, NAME_MAX, REASON_MAX = 100, 255, 500
FORM_OVERHEAD_BYTES = 65_536
LISTS = "/console/cases/lists"


@page(
    "/cases/lists",
    title=("企业名单", "Lists of enterprises"),
    topic=Topic.CASES,
    roles=SEES,
    menu=("企业名单", "Lists of enterprises"),
)
def lists_shown() -> Response:
    return _lists()


@page(
    "/cases/lists",
    title=("企业名单", "Lists of enterprises"),
    topic=Topic.CASES,
    roles=WORKS,
    method="POST",
    body_bytes_max=FILE_BYTES_MAX + FORM_OVERHEAD_BYTES,
)
def list_sent() -> Response:
    source, file = request.form.get("source", "").strip()[:SOURCE_MAX], request.files.get("file")
    content = b"" if file is None else file.read(FILE_BYTES_MAX + 1)
    if not source or not content:
        return _lists(("请填写来源单位并选择文件。", "Name the source and choose a file."), 422)
    if request.form.get("write") != "yes":
        return at_case(lambda: _tried(content), _lists)
    name = ((file.filename if file else None) or "—").replace("\x00", "")[-NAME_MAX:]
    me, at = here.official(), now()
    new = NewListingFile(new_id(), name, source, content, me.official, me.name)

    def propose() -> Response:
        backend().database.write(lambda connection: propose_listings(connection, here.city(), new, at))
        return done(
            f"{LISTS}?file={new.file}", "已提交，另一人复核后导入。", "Proposed; it is imported once another approves."
        )

    return at_case(propose, _lists)


@page(
    "/cases/lists/<uuid:file>/<any(approve, refuse):act>",
    title=("企业名单", "Lists of enterprises"),
    topic=Topic.CASES,
    roles=WORKS,
    method="POST",
)
def list_judged(file: UUID, act: str) -> Response:
    def judge() -> Response:
        database, city, me, at = backend().database, here.city(), here.official().official, now()
        if act == "approve":
            database.write(lambda connection: approve_listings(connection, city, str(file), me, at))
            return done(LISTS, "已复核导入。", "Approved and imported.")
        database.write(lambda connection: refuse_listings(connection, city, str(file), me, reason, at))
        return done(LISTS, "已退回，没有写入。", "Sent back; nothing was written.")

    reason = request.form.get("reason", "").strip()[:REASON_MAX]
    if act == "refuse" and not reason:
        return _lists(("请写明理由。", "Say why."), 422)
    return at_case(judge, _lists)


def _tried(content: bytes) -> Response:
    with backend().database.read() as connection:
        report = listings.compare(connection, content)
    return _lists(tried=listing_files.told(report))


def _lists(refused: Texts | None = None, status: int = 200, tried: dict[str, object] | None = None) -> Response:
    today, after = civil_date(milliseconds(now())), request.args.get("after", "")[:18]
    with read(here.city()) as connection:
        rows = listings.on_lists(connection, today, after=after, limit=ROWS)
        waiting = listing_files.waiting(connection, here.city())
    return render(
        "cases/lists.html",
        status,
        rows=rows,
        today=today,
        further=rows[-1].listing.uscc if len(rows) == ROWS else None,
        after=after,
        waiting=waiting,
        chosen=next((one for one in waiting if one.file == _chosen()), None),
        refused=refused,
        tried=tried,
        most=SHOWN_MAX,
        me=here.official().official,
        source=request.form.get("source", ""),
        may_work=bool(here.official().roles & WORKS),
    )


def _chosen() -> str:
    path = request.view_args or {}
    return str(path.get("file") or request.args.get("file", ""))
