"""Payment files: prepared by one of finance, released by another, booked once the bank has paid."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from uuid import UUID

from flask import Response, request

from backend.kernel.errors import DomainError
from backend.kernel.ids import new_id
from backend.kernel.periods import civil_date, milliseconds
from backend.settlements import queries
from backend.settlements.files import digest, payment_file
from backend.settlements.model import (
    Booked,
    FileChanged,
    PaidBeforeRelease,
    PaidOnMalformed,
    PaymentState,
    PaymentUnknown,
    ReasonMissing,
)
from backend.settlements.queries import PaymentKey
from backend.usecases.export_tables import note_fetched
from backend.usecases.pay_settlements import book_payment, prepare_payment, refuse_payment, release_payment
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read, within
from backend.web.console.declare import Topic, page
from backend.web.console.money_words import ACTS, SEES, by, may_act, names
from backend.web.context import now

ROWS = 50
REFERENCE_MAX = 100
HOME = "/console/payments"
STATES = {
    PaymentState.PREPARED: ("待放行", "prepared", "waits"),
    PaymentState.RELEASED: ("已放行", "released", "waits"),
    PaymentState.REFUSED: ("已退回", "refused", "bad"),
    PaymentState.PAID: ("已拨付", "paid", "good"),
}
DONE = {
    "release": ("已放行，可以下载交给银行。", "Released: download it for the bank."),
    "refuse": ("已退回，各行可以重新编制。", "Refused: its lines can be prepared again."),
    "paid": ("已入账。", "Booked in the ledger."),
}


@page(
    "/payments", title=("付款文件", "Payment files"), topic=Topic.MONEY, roles=SEES, menu=("付款文件", "Payment files")
)
def payments_listed() -> Response:
    after = _after()
    with read(here.city()) as connection:
        rows = queries.payments(connection, here.city(), after=after, limit=ROWS + 1)
        people = names(connection, [one.prepared_by for one in rows])
    last = rows[ROWS - 1] if len(rows) > ROWS else None
    return render(
        "money/payments.html",
        rows=rows[:ROWS],
        begun=after is not None,
        further=None if last is None else {"at": last.prepared_at.isoformat(), "after": last.payment},
        states=STATES,
        names=people,
        may_act=may_act(),
    )


@page(
    "/payments/prepare",
    title=("编制付款文件", "Prepare a payment file"),
    topic=Topic.MONEY,
    roles=ACTS,
    method="POST",
    step_up=True,
)
def payment_prepared() -> Response:
    made = prepare_payment(within(here.city()), here.city(), new_id(), by(), now())
    return done(
        f"{HOME}/{made.payment}",
        f"已编制，{len(made.payees)} 笔；请另一位财务人员放行。",
        f"Prepared for {len(made.payees)} payees; another of finance releases it.",
    )


@page("/payments/<uuid:payment>", title=("付款文件", "Payment file"), topic=Topic.MONEY, roles=SEES)
def payment_page(payment: UUID) -> Response:
    return _page(str(payment))


@page(
    "/payments/<uuid:payment>/file",
    title=("下载付款文件", "The file for the bank"),
    topic=Topic.MONEY,
    roles=ACTS,
    step_up=True,
)
def payment_file_sent(payment: UUID) -> Response:
    with read(here.city()) as connection:
        found = queries.payment(connection, here.city(), str(payment))
        payees = queries.payees(connection, here.city(), str(payment))
    if found is None or found.state not in (PaymentState.RELEASED, PaymentState.PAID):
        raise PaymentUnknown
    content = payment_file(str(payment), payees)
    if digest(content).hex() != found.sha256:  # what leaves for the bank is what was released
        raise FileChanged
    note_fetched(within(here.city()), here.city(), "payment-file", str(payment), now())
    response = Response(content, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="payment-{payment}.csv"'
    return response


@page(
    "/payments/<uuid:payment>/<any(release, refuse, paid):act>",
    title=("办理付款文件", "Deal with a payment file"),
    topic=Topic.MONEY,
    roles=ACTS,
    method="POST",
    step_up=True,
)
def payment_dealt(payment: UUID, act: str) -> Response:
    writer, city, which = within(here.city()), here.city(), str(payment)
    try:
        if act == "release":
            release_payment(writer, city, which, by(), now())
        elif act == "refuse":
            refuse_payment(writer, city, which, by(), request.form.get("reason", ""), now())
        else:
            book_payment(writer, city, which, _booked(), now())
    except (PaidOnMalformed, PaidBeforeRelease) as error:
        return _page(which, {"paid_on": error})
    except ReasonMissing as error:
        return _page(which, {"reason" if act == "refuse" else "bank_reference": error})
    return done(f"{HOME}/{payment}", *DONE[act])


def _booked() -> Booked:
    paid_on, reference = (request.form.get(name, "").strip() for name in ("paid_on", "bank_reference"))
    return Booked(paid_on, reference[:REFERENCE_MAX], by())


def _page(payment: str, wrong: Mapping[str, DomainError] = MappingProxyType({})) -> Response:
    with read(here.city()) as connection:
        found = queries.payment(connection, here.city(), payment)
        if found is None:
            raise PaymentUnknown
        payees = queries.payees(connection, here.city(), payment)
        people = names(connection, [found.prepared_by, found.released_by, found.refused_by, found.paid_by])
    return render(
        "money/payment.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        one=found,
        payees=payees,
        states=STATES,
        names=people,
        may_act=may_act(),
        mine=found.prepared_by == by(),
        wrong={name: here.say(error.sentence_zh, error.sentence_en) for name, error in wrong.items()},
        given=request.form,
        today=civil_date(milliseconds(now())),
    )


def _after() -> PaymentKey | None:
    try:
        return PaymentKey(datetime.fromisoformat(request.args["at"]), str(UUID(request.args["after"])))
    except (KeyError, ValueError):
        return None
