"""Claims of missing points: a resident holds a slip credited to nobody; an official finds its sale, or says why not."""

from functools import partial
from uuid import UUID

from flask import Response, request
from sqlalchemy import Connection

from backend.kernel.periods import civil_date, milliseconds
from backend.missing_points import queries
from backend.missing_points.model import TEXT_MAX, MissingClaim, MissingProposed, MissingState, MissingVerdict
from backend.officials import queries as officials
from backend.retailers import queries as shops
from backend.scans import slip_search
from backend.usecases.decide_missing_points import DecideMissingPoints
from backend.usecases.propose_missing_points import propose_missing_points
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.by_two import at_case, granted
from backend.web.console.cases import SEES, WORKS
from backend.web.console.connection import read, write
from backend.web.console.declare import Texts, Topic, page
from backend.web.context import backend, now
from backend.web.problems import NotFound

SLIPS = "/console/cases/slips"
SALES_MAX = 20


@page(
    "/cases/slips",
    title=("补记积分", "Missing points"),
    topic=Topic.CASES,
    roles=SEES,
    menu=("补记积分", "Missing points"),
)
def slips_listed() -> Response:
    with read(here.city()) as connection:
        rows = queries.waiting(connection, here.city(), limit=queries.PAGE_MAX)
        proposed = queries.proposals(connection, here.city(), [one.claim for one in rows])
        names = shops.names_of(connection, here.city(), {one.store for one in rows})
    return render(
        "cases/slips.html",
        rows=rows,
        proposed=proposed,
        names=names,
        today=civil_date(milliseconds(now())),
        most=queries.PAGE_MAX,
    )


@page("/cases/slips/<uuid:claim>", title=("补记积分", "Missing points"), topic=Topic.CASES, roles=SEES)
def slip_shown(claim: UUID) -> Response:
    return _slip(str(claim))


@page(
    "/cases/slips/<uuid:claim>",
    title=("补记积分", "Missing points"),
    topic=Topic.CASES,
    roles=WORKS,
    method="POST",
    step_up=True,
)
def slip_decided(claim: UUID) -> Response:
    words, verdict = request.form.get("explanation", "").strip()[:TEXT_MAX], request.form.get("verdict", "")
    basket = _uuid(request.form.get("basket", ""))
    if not words or verdict not in ("grant", "reject"):
        return _slip(str(claim), ("请写明给居民的说明。", "Write what the resident is told."), 422)
    if verdict == "reject":
        return at_case(lambda: _reject(str(claim), words), partial(_slip, str(claim)))
    if basket is None:
        return _slip(str(claim), ("请先选定所补记的销售。", "Choose the sale that is credited."), 422)
    return at_case(lambda: _grant(str(claim), basket, words), partial(_slip, str(claim)))


@page(
    "/cases/slips/<uuid:claim>/approve",
    title=("补记积分", "Missing points"),
    topic=Topic.CASES,
    roles=WORKS,
    method="POST",
    step_up=True,
)
def slip_approved(claim: UUID) -> Response:
    """The second person gives the sale that the first would, word for word."""
    with read(here.city()) as connection:
        proposed = queries.proposals(connection, here.city(), [str(claim)]).get(str(claim))
    if proposed is None:
        raise NotFound
    verdict = MissingVerdict(proposed.by, here.official().official, proposed.explanation)
    return at_case(lambda: _credited(str(claim), proposed.basket, verdict), partial(_slip, str(claim)))


def _grant(claim: str, basket: str, words: str) -> Response:
    me, at = here.official(), now()
    proposed = MissingProposed(basket, words, me.official, me.name, at)
    return granted(
        lambda: _credited(claim, basket, MissingVerdict(me.official, None, words)),
        lambda: write(
            here.city(), lambda connection: propose_missing_points(connection, here.city(), claim, proposed, at)
        ),
        f"{SLIPS}/{claim}",
    )


def _credited(claim: str, basket: str, verdict: MissingVerdict) -> Response:
    _deciding().grant(here.city(), claim, basket, verdict, now())
    return done(
        SLIPS, "已补记，并按购买时的政策核定入账。", "Credited: decided under the policy of the sale, and posted."
    )


def _reject(claim: str, words: str) -> Response:
    _deciding().reject(here.city(), claim, MissingVerdict(here.official().official, None, words), now())
    return done(
        SLIPS, "未予补记，居民可看到说明，并可申请由另一人复核一次。", "Rejected; the resident may ask another once."
    )


def _deciding() -> DecideMissingPoints:
    return DecideMissingPoints(backend().database, backend().registry, backend().policies)


def _slip(claim: str, refused: Texts | None = None, status: int = 200) -> Response:
    with read(here.city()) as connection:
        one = queries.find(connection, here.city(), claim)
        if one is None:
            raise NotFound
        sales = _sales(connection, one)
        proposed = queries.proposals(connection, here.city(), [claim]).get(claim)
        names = shops.names_of(connection, here.city(), {one.store})
        people = officials.names(connection, here.city(), _named(one))
    me = here.official().official
    return render(
        "cases/slip.html",
        status,
        one=one,
        sales=sales,
        most=SALES_MAX,
        proposed=proposed,
        shop=names.get(one.store, one.store),
        people=people,
        mine=proposed is not None and proposed.by == me,
        may_work=bool(here.official().roles & WORKS) and one.first_by != me and one.state is MissingState.OPEN,
        refused=refused,
        given=request.form,
        today=civil_date(milliseconds(now())),
    )


def _sales(connection: Connection, one: MissingClaim) -> list[slip_search.SoldPart]:
    """What may be given while the claim is open: sales of that shop and day that nobody has, the likeliest first."""
    if one.state is not MissingState.OPEN:
        return []
    return slip_search.of_day(
        connection,
        here.city(),
        one.store,
        one.bought_on,
        slip_no=one.slip_no,
        amount_fen=one.amount_fen,
        limit=SALES_MAX,
    )


def _named(one: MissingClaim) -> list[str]:
    return sorted({by for by in (one.first_by, one.decided_by, one.approved_by) if by})


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
