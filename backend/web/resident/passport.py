"""Residents: the green-credit passport, held and shown by its owner alone."""

import secrets
from typing import Any
from uuid import UUID

from flask import Response

from backend.credit.model import SHOWN_FOR, STATUS_PLACES, Showing, Statement, sentence
from backend.kernel.ids import new_id
from backend.storage.transaction import DatabaseBusy
from backend.usecases.change_consent import Who
from backend.web.auth import Access
from backend.web.context import backend, now, session
from backend.web.endpoint import answer, endpoint, nothing
from backend.web.resident.consents import rights
from backend.web.resident.passport_schemas import (
    CredentialSchema,
    CreditExportSchema,
    PassportSchema,
    PresentationSchema,
    ShowBody,
    StatementBody,
)

NONCE_BYTES, KEY_BYTES = 16, 32
DRAWS_MAX = 5
ONE = "/passport/statements/<uuid:statement>"


@endpoint(rights, "/passport", access=Access.RESIDENT, answers={200: PassportSchema()})
def passport() -> Response:
    """绿色信用凭证 / what may be stated now, and what was; nothing is counted without consent."""
    found = backend().passport.overview(_who(), now())
    return answer({"may_state": list(found.may_state), "statements": [_statement(one) for one in found.statements]})


@endpoint(
    rights,
    "/passport/statements",
    method="POST",
    access=Access.RESIDENT,
    body=StatementBody(),
    answers={201: CredentialSchema()},
)
def issue_statement(body: dict[str, Any]) -> Response:
    """出具声明 / have it stated that there were at least so many verified green purchases in 12 months."""
    for _ in range(DRAWS_MAX):
        statement, place = new_id(), secrets.randbelow(STATUS_PLACES)
        credential = backend().passport.issue(_who(), body["at_least"], statement, place, now())
        if credential is not None:
            return answer({"statement": statement, "credential": credential}, 201)
    raise DatabaseBusy


@endpoint(rights, ONE, access=Access.RESIDENT, answers={200: CredentialSchema()})
def credential(statement: UUID) -> Response:
    """可验证凭证 / the credential, to be kept by its owner."""
    text = backend().passport.credential(_who(), str(statement), now())
    return answer({"statement": str(statement), "credential": text})


@endpoint(rights, ONE, method="DELETE", access=Access.RESIDENT, answers={204: None})
def revoke_statement(statement: UUID) -> Response:
    """作废声明 / make it void; the public status list says so."""
    backend().passport.revoke(_who(), str(statement), now())
    return nothing()


@endpoint(
    rights,
    f"{ONE}/presentations",
    method="POST",
    access=Access.RESIDENT,
    body=ShowBody(),
    answers={201: PresentationSchema()},
)
def show_statement(body: dict[str, Any], statement: UUID) -> Response:
    """出示 / show it to one named recipient for one purpose, within ten minutes; the access log says so."""
    nonce = body["nonce"] or secrets.token_urlsafe(NONCE_BYTES)
    showing = Showing(body["recipient"], body["purpose"], nonce)
    text = backend().passport.show(_who(), str(statement), showing, now())
    return answer({"presentation": text, "nonce": nonce, "expires_at": now() + SHOWN_FOR}, 201)


@endpoint(rights, f"{ONE}/exports", method="POST", access=Access.RESIDENT, answers={202: CreditExportSchema()})
def export_statement(statement: UUID) -> Response:
    """提交信用平台 / send it to the city's platform, under the basis that the consent names."""
    export = backend().passport.export(_who(), str(statement), secrets.token_bytes(KEY_BYTES), now())
    return answer({"export": export}, 202)


def _who() -> Who:
    who = session()
    return Who(who.city, who.resident)


def _statement(one: Statement) -> dict[str, object]:
    zh, en = sentence(one.at_least)
    return {
        "statement": one.statement,
        "at_least": one.at_least,
        "sentence": zh,
        "sentence_en": en,
        "issued_at": one.issued_at,
        "expires_at": one.expires_at,
        "holds": one.holds(now()),
        "revoked_at": one.revoked_at,
        "revoked_why": one.revoked_why,
    }
