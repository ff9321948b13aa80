"""The registry: search, one certificate through time, schemes and recognitions, bodies, enterprises, unknown products."""

from datetime import date
from uuid import UUID

from flask import Response, request

from backend.certificates import amend, listings, picture, queries, screens
from backend.certificates.model import CertificateState
from backend.certificates.timeline import civil_day, day_number, fact_on
from backend.kernel.errors import DomainError
from backend.kernel.periods import civil_date, milliseconds
from backend.labels.parse import parse
from backend.officials.model import Role
from backend.retailers import queries as retailers
from backend.scans import pending_queries
from backend.web.console import here
from backend.web.console.answers import done, goes_on, render
from backend.web.console.connection import read
from backend.web.console.declare import EVERYONE, Topic, page
from backend.web.context import backend, now
from backend.web.problems import PROBLEMS, NotFound

CHANGES = frozenset({Role.CASE_OFFICER, Role.CITY_ADMINISTRATOR})
"""Who imports and enters; everybody who works in the console may look things up."""
TEXT_MAX = 200
ROWS = 50
STATES = {
    "valid": ("有效", "valid", "good"),
    "suspended": ("暂停", "suspended", "waits"),
    "withdrawn": ("撤销", "withdrawn", "bad"),
    "cancelled": ("注销", "cancelled", "bad"),
    "expired": ("过期", "expired", "plain"),
}
"""Chinese, English, and how it is coloured."""
BY_HAND = ("withdrawn", "suspended", "cancelled", "valid")
LEVELS = {
    "U": ("单件", "one piece"),
    "M": ("型号", "a model"),
    "E": ("企业", "an enterprise"),
    "S": ("自我声明", "self-declared"),
}


@page(
    "/registry/search",
    title=("登记库查询", "Search the registry"),
    topic=Topic.REGISTRY,
    roles=EVERYONE,
    menu=("查询", "Search"),
)
def registry_search() -> Response:
    text = _given("q")
    reading = parse(text) if text else None
    if reading is not None and reading.personal:
        return goes_on("/console/registry/search?personal=1")  # no page, no link of it repeats the number
    found = screens.Search()
    if text:
        with read(here.city()) as connection:
            found = screens.search(connection, text, reading.registry_keys if reading else ())
    return render(
        "registry/search.html", text=text, found=found, refused="personal" in request.args, most=screens.FOUND_MAX
    )


@page(
    "/registry/certificates/<uuid:certificate>",
    title=("证书", "Certificate"),
    topic=Topic.REGISTRY,
    roles=EVERYONE,
)
def registry_certificate(certificate: UUID) -> Response:
    return _certificate(str(certificate))


@page(
    "/registry/certificates/<uuid:certificate>",
    title=("证书", "Certificate"),
    topic=Topic.REGISTRY,
    roles=CHANGES,
    method="POST",
)
def registry_state_set(certificate: UUID) -> Response:
    """A new state from a day on, by hand; what was known before stays readable."""
    state, on = request.form.get("state", ""), _day_of(request.form.get("from_on", ""))
    if state not in BY_HAND or on is None:
        return _certificate(str(certificate), ("请选择状态和日期。", "Choose a state and a day."), 422)
    with read(here.city()) as connection:
        named = screens.number_of(connection, str(certificate))
    if named is None:
        raise NotFound
    reason = request.form.get("reason", "").strip()
    change = amend.StateChange(*named, CertificateState(state), on, reason, here.official().name, now())
    try:
        receipt = amend.change_state(backend().database, change)
    except DomainError as error:
        return _certificate(str(certificate), (error.sentence_zh, error.sentence_en), PROBLEMS[error.code].status)
    url = f"/console/registry/certificates/{certificate}"
    if not receipt.changed:
        return done(url, "登记库已是如此，无需更改。", "The registry says so already.")
    return done(url, "已登记；可由“失效追溯”查看已造成的奖励。", "Entered; the ripple shows what it has cost.")


@page("/registry/enterprises/<uscc>", title=("企业", "Enterprise"), topic=Topic.REGISTRY, roles=EVERYONE)
def registry_enterprise(uscc: str) -> Response:
    today = civil_date(milliseconds(now()))
    with read(here.city()) as connection:
        found = screens.enterprise(connection, uscc)
        listed = listings.listings_of(connection, [uscc])
        if found is None and not listed:
            raise NotFound
        certificates = screens.certificates_of(connection, uscc)
    return render(
        "registry/enterprise.html", uscc=uscc, found=found, listed=listed, certificates=certificates, today=today
    )


@page(
    "/registry/schemes",
    title=("认证项目与互认", "Schemes and recognitions"),
    topic=Topic.REGISTRY,
    roles=EVERYONE,
    menu=("认证项目与互认", "Schemes, recognitions"),
)
def registry_schemes() -> Response:
    return _schemes()


@page(
    "/registry/recognitions",
    title=("认证项目与互认", "Schemes and recognitions"),
    topic=Topic.REGISTRY,
    roles=CHANGES,
    method="POST",
)
def recognition_entered() -> Response:
    """A certificate of one scheme counts as another's in a region, as a document says."""
    first, last = _day_of(request.form.get("from_on", "")), _day_of(request.form.get("last_on", ""))
    if first is None:
        return _schemes(("请填写第一天。", "Fill in the first day."), 422)
    given = {name: request.form.get(name, "").strip() for name in ("from_scheme", "to_scheme", "region", "document")}
    until = None if last in (None, date.max) else civil_day(day_number(last) + 1)
    recognition = amend.NewRecognition(**given, from_on=first, until_on=until, by=here.official().name, now=now())
    try:
        amend.recognise(backend().database, recognition)
    except DomainError as error:
        return _schemes((error.sentence_zh, error.sentence_en), PROBLEMS[error.code].status)
    return done("/console/registry/schemes", "互认已登记。", "The recognition is entered.")


@page(
    "/registry/bodies",
    title=("认证机构", "Certification bodies"),
    topic=Topic.REGISTRY,
    roles=EVERYONE,
    menu=("认证机构", "Bodies"),
)
def registry_bodies() -> Response:
    after = _given("after")
    with read(here.city()) as connection:
        rows = screens.bodies(connection, after, ROWS + 1)
    further = rows[ROWS - 1].code if len(rows) > ROWS else None
    return render("registry/bodies.html", rows=rows[:ROWS], after=after, further=further)


@page(
    "/registry/unknown",
    title=("待核实商品", "Unknown products"),
    topic=Topic.REGISTRY,
    roles=EVERYONE,
    menu=("待核实商品", "Unknown products"),
)
def registry_unknown() -> Response:
    """What residents and tills have read and nobody has registered: decided for every scan once it is."""
    after = _given("after")
    with read(here.city()) as connection:
        rows = pending_queries.unknown(connection, here.city(), after=after, limit=ROWS + 1)
        names = retailers.names_of(connection, here.city(), {one.store for one in rows if one.store})
    further = rows[ROWS - 1].key if len(rows) > ROWS else None
    may_enter = bool(here.official().roles & CHANGES)
    return render(
        "registry/unknown.html", rows=rows[:ROWS], names=names, after=after, further=further, may_enter=may_enter
    )


def _certificate(certificate: str, refused: tuple[str, str] | None = None, status: int = 200) -> Response:
    today = civil_date(milliseconds(now()))
    on = _day("on") or today
    with read(here.city()) as connection:
        named = screens.number_of(connection, certificate)
        if named is None:
            raise NotFound
        history = next(one for one in queries.by_number(connection, named[0]) if one.body == named[1])
        states = screens.states(connection, certificate)
        terms = screens.terms(connection, certificate)
        schemes = {one.code: one for one in screens.schemes(connection)}
        holder = terms[-1].enterprise if terms else None
        listed = listings.listings_of(connection, [holder]) if holder else []
    keys = sorted(history.products)
    products = [(key, history.known_product(key)) for key in keys[: screens.PRODUCTS_MAX]]
    state = fact_on(history.known_states(), day_number(on))
    return render(
        "registry/certificate.html",
        status,
        history=history,
        states=states,
        terms=terms,
        scheme=schemes[history.scheme],
        products=products,
        hidden=max(0, len(keys) - screens.PRODUCTS_MAX),
        picture=picture.picture(states, today) if states else None,
        on=on,
        term=fact_on(history.known_terms(), day_number(on)),
        state=state,
        STATES=STATES,
        LEVELS=LEVELS,
        listed=[one for one in listed if one.holds_on(today)],
        holder=holder,
        certificate=certificate,
        refused=refused,
        given=request.form,
        today=today,
        may_set=bool(here.official().roles & CHANGES),
        BY_HAND=BY_HAND,
    )


def _schemes(refused: tuple[str, str] | None = None, status: int = 200) -> Response:
    with read(here.city()) as connection:
        found, recognitions = screens.schemes(connection), screens.recognitions(connection)
    return render(
        "registry/schemes.html",
        status,
        schemes=found,
        recognitions=recognitions,
        choices=sorted((one.code, here.say(one.name_zh, one.name_en)) for one in found),
        refused=refused,
        given=request.form,
        may_set=bool(here.official().roles & CHANGES),
        LEVELS=LEVELS,
    )


def _given(name: str) -> str:
    return request.args.get(name, "").strip().replace("\x00", "")[:TEXT_MAX]


def _day(name: str) -> date | None:
    return _day_of(request.args.get(name, ""))


def _day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
