"""Drafts on their way: what one says and changes, its preview, and the acts of its author and of a second person."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response, request
from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.kernel.persons import is_same_person
from backend.officials.model import Role
from backend.policies import pages, queries
from backend.policies.difference import difference
from backend.policies.drafts import last_preview
from backend.policies.form import to_fields
from backend.policies.lifecycle import DraftState, PolicyBlocked
from backend.policies.preview_runs import last_run
from backend.policies.reading import read_object
from backend.retailers import queries as retailers
from backend.scans.replay import load_names
from backend.usecases.approve_policy import approve_policy
from backend.usecases.reject_policy import reject_policy
from backend.usecases.run_previews import PREVIEWS, ask_preview
from backend.usecases.submit_policy import submit_policy
from backend.usecases.withdraw_policy import withdraw_policy
from backend.web.console import here
from backend.web.console.answers import done
from backend.web.console.connection import read, write
from backend.web.console.declare import Topic, has_role, page
from backend.web.console.policy_form import look
from backend.web.console.policy_shown import DRAFT_STATES, READERS, chapters, named_district, people, shown, stated
from backend.web.context import backend, now
from backend.web.problems import PROBLEMS, NotFound

ROWS = 50
REASON_CHARS_MAX = 500
WRITES = frozenset({Role.POLICY_AUTHOR})
DECIDES = frozenset({Role.APPROVER})
PREVIEWS_ASKED = WRITES | DECIDES
OPEN = (DraftState.DRAFT.value, DraftState.SUBMITTED.value, DraftState.REJECTED.value)
ALL = tuple(one.value for one in DraftState)


class ReasonNeeded(DomainError):
    code = "policy-reason-needed"
    text_zh = "请填写复核意见（不超过 500 字）。"
    text_en = "Say why, in at most 500 characters."


@page(
    "/policy-drafts", title=("草案与复核", "Drafts"), topic=Topic.POLICIES, roles=READERS, menu=("草案与复核", "Drafts")
)
def policy_drafts() -> Response:
    """Those that are open; with `all` those that were decided, too."""
    shows_all = "all" in request.args
    before = request.args.get("before", pages.FIRST_DRAFT, str)
    try:
        before = str(UUID(before))
    except ValueError:
        raise NotFound from None
    with read(here.city()) as connection:
        rows = pages.drafts_before(connection, here.city(), before, ALL if shows_all else OPEN, ROWS + 1)
        named = people(connection, here.city(), [one.listed.author for one in rows])
    further = rows[ROWS - 1].listed.draft if len(rows) > ROWS else None
    return shown(
        "policies/drafts.html",
        rows=[(one.listed, _title(one.text)) for one in rows[:ROWS]],
        draft_states=DRAFT_STATES,
        people=named,
        shows_all=shows_all,
        is_first=before == pages.FIRST_DRAFT,
        further=further,
    )


@page("/policy-drafts/<uuid:draft>", title=("政策草案", "Draft"), topic=Topic.POLICIES, roles=READERS)
def policy_draft(draft: UUID) -> Response:
    return _draft_page(str(draft))


@page("/policy-drafts/<uuid:draft>/progress", title=("预演进度", "Progress"), topic=Topic.POLICIES, roles=READERS)
def draft_progress(draft: UUID) -> Response:
    """How far the preview is; once it is made the page comes anew, to show it."""
    with read(here.city()) as connection:
        run = last_run(connection, here.city(), str(draft))
    if run is None:
        raise NotFound
    answer = shown("policies/progress.html", run=run, draft_id=str(draft))
    if not run.is_open:
        answer.headers["HX-Refresh"] = "true"
    return answer


@page(
    "/policy-drafts/<uuid:draft>/preview",
    title=("预演", "Preview"),
    topic=Topic.POLICIES,
    roles=PREVIEWS_ASKED,
    method="POST",
)
def draft_previewed(draft: UUID) -> Response:
    city, by = here.city(), here.official().login
    write(city, lambda connection: ask_preview(connection, city, str(draft), by=by, now=now()))
    backend().start_job(PREVIEWS, now())
    return done(f"/console/policy-drafts/{draft}#preview", "预演已开始。", "The preview has begun.")


@page(
    "/policy-drafts/<uuid:draft>/submit",
    title=("提交复核", "Submit"),
    topic=Topic.POLICIES,
    roles=WRITES,
    method="POST",
)
def draft_submitted(draft: UUID) -> Response:
    seen = request.form.get("revision", 0, int)
    return _acted(
        draft,
        lambda connection, city, by: submit_policy(connection, city, str(draft), by=by, now=now(), revision=seen),
        ("草案已提交，待另一人复核。", "Submitted: another person judges it."),
    )


@page(
    "/policy-drafts/<uuid:draft>/withdraw",
    title=("撤回草案", "Take back"),
    topic=Topic.POLICIES,
    roles=WRITES,
    method="POST",
)
def draft_withdrawn(draft: UUID) -> Response:
    return _acted(
        draft,
        lambda connection, city, by: withdraw_policy(connection, city, str(draft), by=by, now=now()),
        ("草案已撤回。", "The draft is taken back."),
    )


@page(
    "/policy-drafts/<uuid:draft>/approve",
    title=("批准", "Approve"),
    topic=Topic.POLICIES,
    roles=DECIDES,
    method="POST",
    step_up=True,
)
def draft_approved(draft: UUID) -> Response:
    sha256, preview = request.form.get("sha256", ""), request.form.get("preview_sha256") or None
    return _acted(
        draft,
        lambda connection, city, by: approve_policy(
            connection, city, str(draft), sha256=sha256, preview_sha256=preview, by=by, reason=_reason(), now=now()
        ),
        ("已批准并发布，预算已拨付。", "Approved and published; its budget is granted."),
    )


@page(
    "/policy-drafts/<uuid:draft>/reject",
    title=("退回", "Send back"),
    topic=Topic.POLICIES,
    roles=DECIDES,
    method="POST",
)
def draft_rejected(draft: UUID) -> Response:
    return _acted(
        draft,
        lambda connection, city, by: reject_policy(connection, city, str(draft), by=by, reason=_reason(), now=now()),
        ("草案已退回起草人。", "The draft went back to its author."),
    )


def _acted(draft: UUID, work: Callable[..., object], said: tuple[str, str]) -> Response:
    city, by = here.city(), here.official().login
    try:
        write(city, lambda connection: work(connection, city, by))
    except DomainError as refused:
        return _draft_page(str(draft), refused)
    return done(f"/console/policy-drafts/{draft}", *said)


def _reason() -> str:
    """Raises ReasonNeeded."""
    reason = request.form.get("reason", "").strip()
    if not 0 < len(reason) <= REASON_CHARS_MAX:
        raise ReasonNeeded
    return reason


def _draft_page(draft: str, refused: DomainError | None = None) -> Response:
    city = here.city()
    with read(city) as connection:
        found = pages.draft_page(connection, city, draft)
        if found is None:
            raise NotFound
        looked = look(connection, city, to_fields(read_object(found.text)))
        current = queries.text_of(connection, city, found.listed.policy, None)
        before = stated(connection, current) if current else ()
        preview, run = last_preview(connection, city, draft), last_run(connection, city, draft)
        named = people(
            connection, city, (found.listed.author, found.listed.approver, preview.made_by if preview else None)
        )
        figures = _preview(connection, city, preview.result) if preview else None
    listed = found.listed
    is_author = is_same_person(here.official().login, listed.author)
    made_of_this = preview is not None and preview.text_sha256 == listed.sha256
    return shown(
        "policies/draft.html",
        HTTPStatus.OK if refused is None else PROBLEMS[refused.code].status,
        draft=listed,
        draft_id=listed.draft,
        title_zh=_title(found.text),
        state_words=DRAFT_STATES[listed.state],
        chapters=chapters(looked.clauses),
        notes=looked.form.all_notes,
        changes=difference(before, looked.clauses) if current else None,
        preview=figures,
        preview_row=preview,
        preview_is_current=made_of_this,
        run=run,
        people=named,
        is_author=is_author,
        may_write=is_author and has_role(here.official(), WRITES),
        may_decide=not is_author and has_role(here.official(), DECIDES),
        may_preview=has_role(here.official(), PREVIEWS_ASKED),
        reason=request.form.get("reason", ""),
        blocked=isinstance(refused, PolicyBlocked),
        refused=(refused.sentence_zh, refused.sentence_en) if refused else None,
    )


def _preview(connection: Connection, city: str, result: str) -> Mapping[str, Any]:
    """A kept preview as its page shows it: its units, and the rows of each place by name, the largest first."""
    said: dict[str, Any] = json.loads(result)
    said["units"] = sorted(set(said["exhausted"]) | set(said["cost"]))
    stores = retailers.names_of(connection, city, list(said["by"]["store"]))
    schemes = load_names(connection)
    named: dict[str, Callable[[str], str]] = {
        "district": named_district,
        "certificate_scheme": lambda code: here.say(*schemes.get(("certificate_scheme", code), (code, code))),
        "store": lambda store: stores.get(store, store),
    }
    said["places"] = {
        place: {unit: _rows(names, unit, named[place]) for unit in said["units"]} for place, names in said["by"].items()
    }
    return said


def _rows(
    amounts: Mapping[str, Mapping[str, list[int]]], unit: str, named: Callable[[str], str]
) -> list[tuple[str, list[int]]]:
    rows = [
        (named(name) if name else here.say("未注明", "not stated"), held[unit])
        for name, held in amounts.items()
        if unit in held
    ]
    return sorted(rows, key=lambda row: (-max(row[1]), row[0]))


def _title(text: str) -> str:
    try:
        return str(json.loads(text).get("title_zh", ""))
    except ValueError:
        return ""
