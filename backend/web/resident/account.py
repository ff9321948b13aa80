"""Residents: take one's data away, see who looked at it, leave."""

import secrets
from typing import Any

from flask import Response

from backend.kernel.ids import new_id
from backend.residents.access import log as access_log
from backend.residents.leaving.model import NOTE_KEPT, Told
from backend.residents.leaving.sealed import NONCE_BYTES
from backend.usecases.change_consent import Who
from backend.usecases.close_account import Confirmed, Drawn
from backend.usecases.export_person import as_json, as_zip
from backend.web.auth import Access, bearer, gate
from backend.web.context import backend, note, now, session
from backend.web.endpoint import answer, endpoint
from backend.web.resident.consents import rights
from backend.web.resident.rights_schemas import (
    AccessLogSchema,
    AccessPageQuery,
    CloseBody,
    ClosedSchema,
    ExportQuery,
    ExportSchema,
    ToldSchema,
)

LEDGER_KEPT = "账目金额与核定依据为审计和财务留存，只用账簿内部编号，不再能对应到您。"
LEDGER_KEPT_EN = (
    "Amounts and what was decided stay for audit under the books' own name, which nothing leads to you from."
)
NOTE_KEPT_TEXT = "为防止反复注销重领，已用限额按四分之一档加密保存 {days} 天，只有您本人再次登录才能打开。"
NOTE_KEPT_TEXT_EN = (
    "So that limits are not reset by leaving, what you used of them is kept sealed, in quarters, for {days} days; only your "
    "own return opens it."
)
PLACE = "/account/closing"


@endpoint(
    rights,
    "/export",
    method="POST",
    access=Access.RESIDENT,
    query=ExportQuery(),
    answers={200: ExportSchema()},
    besides={200: "application/zip"},
)
def export(query: dict[str, Any]) -> Response:
    """导出我的数据 / all data held of oneself; JSON, or a ZIP of CSV files; five times a day."""
    tables = backend().export_person.export(_who(), now())
    note(tables=len(tables), rows=sum(len(table.rows) for table in tables))
    if query["format"] == ExportQuery.CSV:
        response = Response(as_zip(tables, now()), content_type="application/zip")
        response.headers["Content-Disposition"] = 'attachment; filename="green-points.zip"'
        return response
    response = Response(as_json(tables, now()), content_type="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="green-points.json"'
    return response


@endpoint(rights, "/access-log", access=Access.RESIDENT, query=AccessPageQuery(), answers={200: AccessLogSchema()})
def who_looked(query: dict[str, Any]) -> Response:
    """谁看过我的数据 / who looked at one's data, newest first."""
    limit, before = query["limit"], query["before"]
    with backend().database.read() as connection:
        found = access_log.read(connection, *_who(), before=before and str(before), limit=limit)
    entries = [one._asdict() for one in found]
    return answer({"entries": entries, "next": found[-1].entry if len(found) == limit else None})


@endpoint(rights, PLACE, access=Access.RESIDENT, answers={200: ToldSchema()})
def what_closing_costs() -> Response:
    """注销前的告知 / what ends with the account, to be read before it is closed."""
    return answer(_told(backend().close_account.tell(_who(), now())))


@endpoint(rights, PLACE, method="POST", access=Access.RESIDENT, body=CloseBody(), answers={200: ClosedSchema()})
def close_account(body: dict[str, Any]) -> Response:
    """注销账户 / close the account, for good: what ties the books to the person is destroyed at once.

    told_sha256 为刚刚读到的告知；内容有变则拒绝。`told_sha256`: of what was just read; refused when it has changed.
    """
    confirmed = Confirmed(body["told_sha256"], body["gives_up_money"])
    drawn = Drawn(new_id(), secrets.token_bytes(NONCE_BYTES))
    backend().close_account.close(_who(), confirmed, drawn, now())
    gate().forget(bearer())
    return answer({"closed_at": now()})


def _who() -> Who:
    who = session()
    return Who(who.city, who.resident)


def _told(told: Told) -> dict[str, object]:
    return {
        "told_sha256": told.sha256,
        "losses": [one._asdict() for one in told.losses],
        "money_fen": told.money_fen,
        "redemptions_open": told.redemptions_open,
        "scans_waiting": told.scans_waiting,
        "quotes_held": told.quotes_held,
        "kept": [
            {"text": LEDGER_KEPT, "text_en": LEDGER_KEPT_EN},
            {
                "text": NOTE_KEPT_TEXT.format(days=NOTE_KEPT.days),
                "text_en": NOTE_KEPT_TEXT_EN.format(days=NOTE_KEPT.days),
            },
        ],
    }
