"""The look at one resident's account: purpose first, an act of its own, and a line in the log that its owner reads."""

from uuid import UUID

from flask import Response, request

from backend.kernel.errors import DomainError
from backend.ledger.queries import Holding
from backend.officials.model import Role
from backend.residents.access.log import Look, Purpose, What
from backend.residents.access.log import Role as LookRole
from backend.usecases.change_consent import Who
from backend.usecases.look_at_account import look_at_account
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.connection import write
from backend.web.console.declare import Topic, page
from backend.web.context import now
from backend.web.problems import PROBLEMS

LOOKS = frozenset({Role.CASE_OFFICER})
SIGNS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")
TICKET_MAX = 40
PURPOSES = {
    Purpose.ENQUIRY: ("居民咨询", "an enquiry"),
    Purpose.APPEAL: ("申诉", "an appeal"),
    Purpose.INVESTIGATION: ("核查", "an investigation"),
}


@page(
    "/audit/residents",
    title=("居民账户查看", "A resident's account"),
    topic=Topic.AUDIT,
    roles=LOOKS,
    menu=("居民账户查看", "A resident's account"),
    step_up=True,
)
def support_asked() -> Response:
    return _form({})


@page(
    "/audit/residents",
    title=("居民账户查看", "A resident's account"),
    topic=Topic.AUDIT,
    roles=LOOKS,
    method="POST",
    step_up=True,
)
def support_shown() -> Response:
    given, ticket = request.form.get("resident", "").strip(), request.form.get("ticket", "").strip()
    purpose = request.form.get("purpose", "")
    wrong = _wrong(given, ticket, purpose)
    if wrong:
        return _form(wrong, 422)
    resident = str(UUID(given))
    look = Look(LookRole.OFFICIAL, here.official().name, purpose, What.ACCOUNT, ticket or None)
    try:
        found = write(here.city(), lambda c: look_at_account(c, Who(here.city(), resident), look, now()))
    except DomainError as refusal:
        words = (refusal.sentence_zh, refusal.sentence_en)
        return _form({"resident": words}, PROBLEMS[refusal.code].status)
    return _form({}, held=found, masked=f"{resident[:8]}-****")


def _wrong(given: str, ticket: str, purpose: str) -> dict[str, tuple[str, str]]:
    wrong = {}
    try:
        UUID(given)
    except ValueError:
        wrong["resident"] = ("请填写账簿中的居民编号。", "Give the resident's id as the books name it.")
    if purpose not in PURPOSES:
        wrong["purpose"] = ("请选择查看目的。", "Say what for.")
    if len(ticket) > TICKET_MAX or not set(ticket) <= SIGNS:
        wrong["ticket"] = ("工单号由字母、数字、连字符组成。", "A ticket has letters, digits and hyphens.")
    return wrong


def _form(
    wrong: dict[str, tuple[str, str]], status: int = 200, *, held: list[Holding] | None = None, masked: str = ""
) -> Response:
    return render(
        "audit/resident.html",
        status,
        wrong={name: here.say(*words) for name, words in wrong.items()},
        form=request.form,
        purposes=[("", "—"), *((one.value, here.say(*words)) for one, words in PURPOSES.items())],
        held=held,
        masked=masked,
    )
