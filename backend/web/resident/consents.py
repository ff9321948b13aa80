"""Residents: what they agree to, purpose by purpose; how old they are; children whom they stand for."""

import secrets
from typing import Any
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint

from backend.kernel.ids import new_id
from backend.residents.consents import queries
from backend.residents.consents.counter_code import RANDOM_BYTES, code_hash, code_of
from backend.residents.consents.model import NAMES, Agreement, ConsentText, Purpose, refusal_of
from backend.residents.consents.texts import GUARDIAN
from backend.residents.standing import Standing, standing_of
from backend.usecases.change_consent import FOR_AGE, FOR_GUARDIAN, Who
from backend.usecases.consent_texts import texts_in_force
from backend.web.auth import Access
from backend.web.context import backend, now, session
from backend.web.endpoint import answer, endpoint, nothing
from backend.web.problems import NotFound
from backend.web.resident.rights_schemas import (
    AgeBody,
    AgeSchema,
    ConsentBody,
    ConsentHistorySchema,
    ConsentPageQuery,
    ConsentsSchema,
    CounterCodeSchema,
    WardBody,
    WardSchema,
    WardsSchema,
)
from backend.web.resident.schemas import CityQuery

Answer = dict[str, object]

rights = Blueprint("rights", __name__, url_prefix="/api/resident/v1", description="本人权利 / one's rights")


@endpoint(rights, "/consents", access=Access.RESIDENT, answers={200: ConsentsSchema()})
def consents() -> Response:
    """同意管理 / every purpose apart: what was agreed to, its text, and why one cannot be given now."""
    return answer(_consents())


@endpoint(
    rights,
    "/consents/<purpose>",
    method="PUT",
    access=Access.RESIDENT,
    body=ConsentBody(),
    answers={200: ConsentsSchema()},
)
def give_consent(body: dict[str, Any], purpose: str) -> Response:
    """同意一项 / agree to a purpose, to the very text whose hash is sent."""
    backend().change_consent.give(_who(), _purpose(purpose), bytes.fromhex(body["text_sha256"]), now())
    return answer(_consents())


@endpoint(rights, "/consents/<purpose>", method="DELETE", access=Access.RESIDENT, answers={200: ConsentsSchema()})
def withdraw_consent(purpose: str) -> Response:
    """撤回一项 / withdraw; nothing else of the service changes."""
    backend().change_consent.withdraw(_who(), _purpose(purpose), now())
    return answer(_consents())


@endpoint(
    rights,
    "/consent-history",
    access=Access.RESIDENT,
    query=ConsentPageQuery(),
    answers={200: ConsentHistorySchema()},
)
def consent_history(query: dict[str, Any]) -> Response:
    """同意与撤回的记录 / every giving and withdrawal, newest first."""
    limit = query["limit"]
    with backend().database.read() as connection:
        found = queries.history(connection, *_who(), before=query["before"], limit=limit)
    changes = [{**one._asdict(), "text_sha256": one.text_sha256.hex()} for one in found]
    return answer({"changes": changes, "next": found[-1].number if len(found) == limit else None})


@endpoint(rights, "/age-band", method="PUT", access=Access.RESIDENT, body=AgeBody(), answers={200: AgeSchema()})
def declare_age(body: dict[str, Any]) -> Response:
    """申明年龄段 / declare an age band; an older one than before takes a service counter."""
    backend().change_consent.declare_age(_who(), body["band"], now())
    with backend().database.read() as connection:
        return answer(_age(standing_of(connection, *_who())))


@endpoint(rights, "/age-verifications", method="POST", access=Access.RESIDENT, answers={201: CounterCodeSchema()})
def ask_age_code() -> Response:
    """年龄核验码 / a code to read out at a service counter, where a document is looked at and nothing of it kept."""
    return _counter_code(FOR_AGE)


@endpoint(rights, "/guardian-codes", method="POST", access=Access.RESIDENT, answers={201: CounterCodeSchema()})
def ask_guardian_code() -> Response:
    """监护码 / a child's code, which its guardian enters in an account of their own."""
    return _counter_code(FOR_GUARDIAN)


@endpoint(rights, "/wards", access=Access.RESIDENT, query=CityQuery(), answers={200: WardsSchema()})
def wards(query: dict[str, Any]) -> Response:
    """我监护的孩子 / children for whom one has agreed."""
    who = _who()
    city = query["city"] or who.city
    with backend().database.read() as connection:
        found = queries.wards(connection, city, *who)
    return answer({"city": city, "wards": [one._asdict() for one in found], "text": _text(GUARDIAN)})


@endpoint(rights, "/wards", method="POST", access=Access.RESIDENT, body=WardBody(), answers={201: WardSchema()})
def take_ward(body: dict[str, Any]) -> Response:
    """同意孩子使用 / agree for a child, with the code that it shows."""
    who, ward = _who(), new_id()
    text = bytes.fromhex(body["text_sha256"])
    city = body["city"] or who.city
    backend().change_consent.take_ward(who, city, code_hash(body["code"]), text, ward, now())
    return answer({"ward": ward, "since": now()}, 201)


@endpoint(
    rights,
    "/wards/<uuid:ward>",
    method="DELETE",
    access=Access.RESIDENT,
    query=CityQuery(),
    answers={204: None},
)
def leave_ward(query: dict[str, Any], ward: UUID) -> Response:
    """撤回对孩子的同意 / withdraw it; nothing is recorded for the child after that."""
    who = _who()
    if not backend().change_consent.leave_ward(who, query["city"] or who.city, str(ward), now()):
        raise NotFound
    return nothing()


def _who() -> Who:
    who = session()
    return Who(who.city, who.resident)


def _purpose(name: str) -> Purpose:
    try:
        return Purpose(name)
    except ValueError:
        raise NotFound from None


def _counter_code(kind: str) -> Response:
    code = code_of(secrets.token_bytes(RANDOM_BYTES))
    expires_at = backend().change_consent.ask_code(_who(), kind, code_hash(code), now())
    return answer({"code": code, "expires_at": expires_at}, 201)


def _consents() -> Answer:
    who = _who()
    with backend().database.read() as connection:
        standing = standing_of(connection, *who)
        known = queries.agreements(connection, *who)
        texts = texts_in_force(connection, who.city)
    given = queries.given(known.values())
    return {
        "age": _age(standing),
        "purposes": [_consent(purpose, standing, given, known.get(purpose), texts.get(purpose)) for purpose in Purpose],
    }


def _consent(
    purpose: Purpose,
    standing: Standing,
    given: frozenset[Purpose],
    known: Agreement | None,
    text: ConsentText | None,
) -> Answer:
    refusal = refusal_of(purpose, standing, given, has_text=text is not None)
    optional = purpose is not Purpose.BASIC_SERVICE
    names = NAMES[purpose]
    return {
        "purpose": purpose.value,
        "name": names["purpose_zh"],
        "name_en": names["purpose_en"],
        "optional": optional,
        "given": purpose in given or not optional,
        "since": known and known.at,
        "text_changed": bool(known and known.given and text and text.sha256 != known.text_sha256),
        "text": text and _text(text),
        "closed": refusal
        and {"code": refusal.code, "sentence": refusal.sentence_zh, "sentence_en": refusal.sentence_en},
    }


def _text(text: ConsentText) -> Answer:
    return {"sha256": text.sha256.hex(), "version": text.version, "text": text.zh, "text_en": text.en}


def _age(standing: Standing) -> Answer:
    return {
        "band": standing.age_band,
        "basis": standing.age_basis,
        "waits_for_guardian": standing.waits_for_guardian,
    }
