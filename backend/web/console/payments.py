"""Payment files: prepared by one of finance, released by another, booked once the bank has paid."""

from datetime import datetime
from uuid import UUID

from flask import Response, request

from backend.kernel.ids import new_id
from backend.settlements import queries
from backend.settlements.files import digest, payment_file
from backend.settlements.model import Booked, FileChanged, PaymentState, PaymentUnknown
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
HOME = "/console/payments"
STATES = {
    PaymentState.PREPARED: ("待放行", "prepared", "waits"),
    PaymentState.RELEASED: ("已放行", "released", "waits"),
    PaymentState.REFUSED: ("已退回", "refused", "bad"),
    PaymentState.PAID: ("已拨付", "paid", "good"),
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
    with read(here.city()) as connection:
        found = queries.payment(connection, here.city(), str(payment))
        if found is None:
            raise PaymentUnknown
        payees = queries.payees(connection, here.city(), str(payment))
        people = names(connection, [found.prepared_by, found.released_by, found.refused_by, found.paid_by])
    return render(
        "money/payment.html",
        one=found,
        payees=payees,
        states=STATES,
        names=people,
        may_act=may_act(),
        mine=found.prepared_by == by(),
    )


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
    if act == "release":
        release_payment(writer, city, which, by(), now())
        said = "已放行，可以下载交给银行。", "Released: download it for the bank."
    elif act == "refuse":
        refuse_payment(writer, city, which, by(), request.form.get("reason", ""), now())
        said = "已退回，各行可以重新编制。", "Refused: its lines can be prepared again."
    else:
        booked = Booked(request.form.get("paid_on", ""), request.form.get("bank_reference", "").strip()[:100], by())
        book_payment(writer, city, which, booked, now())
        said = "已入账。", "Booked in the ledger."
    return done(f"{HOME}/{payment}", *said)


def _after() -> PaymentKey | None:
    try:
        return PaymentKey(datetime.fromisoformat(request.args["at"]), str(UUID(request.args["after"])))
    except (KeyError, ValueError):
        return None
