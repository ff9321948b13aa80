"""Audit: who did what, checkpoints of the log and proofs from it, and the look at one resident that is itself an act."""

import csv
import io
from collections.abc import Collection
from datetime import MAXYEAR, date, datetime, timedelta
from uuid import UUID

import orjson
from flask import Response, request
from sqlalchemy import Connection

from backend.audit import queries
from backend.audit.model import Recorded
from backend.audit.queries import Below, Wanted
from backend.checkpoints.merkle import leaf_hash
from backend.checkpoints.queries import BEFORE_ANY
from backend.kernel.ids import NO_CITY
from backend.kernel.inert import inert
from backend.kernel.periods import CHINA
from backend.officials import queries as officials
from backend.officials.model import Role
from backend.usecases.check_checkpoints import check_checkpoints
from backend.usecases.export_tables import note_fetched
from backend.usecases.prove_award import prove_award
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.audit_words import FACTS, KINDS, WHATS, actor_words, is_official, role_words, shown
from backend.web.console.connection import read, within
from backend.web.console.declare import EVERYONE, Topic, page
from backend.web.context import backend, now
from backend.web.problems import NotFound

READS_ALL = frozenset({Role.AUDITOR, Role.CITY_ADMINISTRATOR, Role.PROVINCE})
"""Others read what they did themselves."""
VERIFIES = READS_ALL | {Role.FINANCE, Role.CASE_OFFICER}
ROWS, FILE_ROWS, CHECKED = 50, 10_000, 10
TEXT_MAX = 200
NO_BASKET = ("购物单编号由 32 位十六进制数字组成。", "A basket's id has 32 hexadecimal digits.")
FILTERS = ("who", "what", "kind", "key", "since", "until", "shared")
HEADS = ("时间 at", "操作人 who", "角色 role", "操作 act", "对象 kind", "编号 key", "理由 reason", "工单 ticket")
SNAPSHOTS = ("前 before", "后 after")


@page("/audit/acts", title=("操作记录", "Acts"), topic=Topic.AUDIT, roles=EVERYONE, menu=("操作记录", "Acts"))
def acts_listed() -> Response:
    below, wanted = _below(), _wanted()
    with read(_city()) as connection:
        rows = queries.acts(connection, _city(), wanted, below=below, limit=ROWS + 1)
        names = _names(connection, {one.who for one in rows})
    return render(
        "audit/acts.html",
        shared=_city() == NO_CITY,
        rows=rows[:ROWS],
        further=rows[ROWS - 1] if len(rows) > ROWS else None,
        begun=below is not None,
        names=names,
        choices=_choices(WHATS),
        kinds=_choices(KINDS),
        WORDS=WHATS,
        KINDS=KINDS,
        filters={name: request.args.get(name, "")[:TEXT_MAX] for name in FILTERS},
        reads_all=_reads_all(),
    )


@page("/audit/acts/<uuid:act>", title=("操作", "Act"), topic=Topic.AUDIT, roles=EVERYONE)
def act_shown(act: UUID) -> Response:
    with read(_city()) as connection:
        found = queries.find(connection, _city(), str(act))
        if found is None or not (_reads_all() or found.who == here.official().official):
            raise NotFound
        names = _names(connection, {found.who})
    rows = queries.differences(_facts(found.before), _facts(found.after))
    role = role_words(found.role)
    return render(
        "audit/act.html",
        one=found,
        rows=rows,
        role=role,
        shown=shown,
        names=names,
        WORDS=WHATS,
        KINDS=KINDS,
        FACTS=FACTS,
    )


@page("/audit/acts.csv", title=("操作记录", "Acts"), topic=Topic.AUDIT, roles=READS_ALL, step_up=True)
def acts_file() -> Response:
    """The newest 10,000 of the filter; no cell is read as a formula. Whoever takes the file is recorded as well."""
    note_fetched(within(here.city()), here.city(), "acts", "filtered" if request.args else "all", now())
    with read(_city()) as connection:
        rows = queries.acts(connection, _city(), _wanted(), limit=FILE_ROWS)
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(HEADS + SNAPSHOTS)
    lines.writerows([inert(cell) for cell in _cells(row)] for row in rows)
    answer = Response("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="acts-{here.city()}.csv"'
    return answer


@page(
    "/audit/checkpoints",
    title=("检查点", "Checkpoints"),
    topic=Topic.AUDIT,
    roles=VERIFIES,
    menu=("检查点与证明", "Checkpoints and proofs"),
)
def checkpoints_listed() -> Response:
    before = request.args.get("before", type=int) or BEFORE_ANY
    with read(here.city()) as connection:
        rows = check_checkpoints(connection, here.city(), backend().ledger_key, before, CHECKED)
    further = rows[-1].made.size if len(rows) == CHECKED else None
    return render("audit/checkpoints.html", rows=rows, further=further, begun=before != BEFORE_ANY)


@page("/audit/proof", title=("入账证明", "Proof of an award"), topic=Topic.AUDIT, roles=VERIFIES)
def proof_shown() -> Response:
    """Of what one line of a basket earned."""
    given, line = request.args.get("basket", "").strip()[:TEXT_MAX], request.args.get("line", type=int)
    try:
        basket = str(UUID(given))
    except ValueError:
        basket = None
    wrong = NO_BASKET if given and basket is None else None
    if basket is None or line is None:
        return render("audit/proof.html", 422 if wrong else 200, wrong=wrong, given=given, line=line, proof=None)
    with read(here.city()) as connection:
        proof = prove_award(connection, here.city(), basket, line)
    leaves = [leaf_hash(one.content).hex() for one in proof.postings]
    return render("audit/proof.html", wrong=None, given=given, line=line, proof=proof, leaves=leaves)


def _city() -> str:
    """Where the acts stand that concern all cities: imports of certificates, tokens of services."""
    return NO_CITY if request.args.get("shared") and _reads_all() else here.city()


def _reads_all() -> bool:
    return bool(here.official().roles & READS_ALL)


def _wanted() -> Wanted:
    """What the address asks for; of others' acts only for those who may read them."""
    who, what, kind, key = (request.args.get(name, "").strip()[:TEXT_MAX] or None for name in FILTERS[:4])
    since, until = _day("since"), _day("until")
    return Wanted(
        who if _reads_all() else here.official().official,
        what,
        kind,
        key,
        queries.SINCE_EVER if since is None else since,
        queries.EVER if until is None else until + timedelta(days=1),
    )


def _choices(words: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    return [("", here.say("全部", "all")), *((code, here.say(*told)) for code, told in words.items())]


def _day(name: str) -> datetime | None:
    """Midnight of a civil day in China."""
    try:
        given = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return datetime(given.year, given.month, given.day, tzinfo=CHINA) if 1 < given.year < MAXYEAR else None


def _below() -> Below | None:
    try:
        return Below(datetime.fromisoformat(request.args["at"]), str(UUID(request.args["after"])))
    except (KeyError, ValueError):
        return None


def _facts(snapshot: str | None) -> dict[str, object]:
    facts: dict[str, object] = {} if snapshot is None else orjson.loads(snapshot)
    return facts


def _names(connection: Connection, actors: Collection[str]) -> dict[str, str]:
    known = officials.names(connection, _city(), {who for who in actors if is_official(who)})
    return {**known, **{who: here.say(*actor_words(who)) for who in actors if not is_official(who)}}


def _cells(row: Recorded) -> list[str]:
    at = row.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    told = (row.who, row.role, row.what, row.kind, row.key, row.reason, row.ticket, row.before, row.after)
    return [at, *(one or "" for one in told)]
