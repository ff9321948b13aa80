"""The editor of a draft: a form of which the meaning and the linter's findings stand beside it, and the text for experts."""

from http import HTTPStatus
from uuid import UUID

from flask import Response, request

from backend.kernel.errors import DomainError
from backend.officials.model import Role
from backend.policies import queries
from backend.policies.document import PolicyRefused
from backend.policies.form import from_fields, to_fields
from backend.policies.form_acts import BLANK, acted
from backend.policies.pages import DraftPage, draft_page
from backend.policies.reading import Unreadable, read_object
from backend.usecases.draft_policy import draft_policy, redraft_policy
from backend.web.console import here
from backend.web.console.answers import done
from backend.web.console.connection import read, write
from backend.web.console.declare import FORM_BYTES_MAX, Topic, page
from backend.web.console.policy_form import Looked, look, look_at_text, sent_fields, text_to_keep, unlooked
from backend.web.console.policy_options import OPTIONS
from backend.web.console.policy_shown import chapters, shown
from backend.web.context import now
from backend.web.problems import PROBLEMS, NotFound

WRITES = frozenset({Role.POLICY_AUTHOR})
BODY_BYTES_MAX = 4 * FORM_BYTES_MAX
"""A document is at most 256 KiB, and grows when it is written into fields."""
AS_TEXT = "text"


@page(
    "/policy-drafts/new",
    title=("起草政策", "A new policy"),
    topic=Topic.POLICIES,
    roles=WRITES,
)
def new_draft() -> Response:
    """Empty, or with `policy` from the last version of it."""
    policy = request.args.get("policy")
    with read(here.city()) as connection:
        text = None if policy is None else queries.text_of(connection, here.city(), policy, None)
        if policy is not None and text is None:
            raise NotFound
        fields = BLANK if text is None else to_fields(read_object(text))
        looked = look(connection, here.city(), fields)
        # Nobody is told that nothing is filled in before they had a chance.
        form = unlooked(connection, here.city(), fields) if text is None else looked.form
    return _page(looked._replace(form=form, text=text or looked.text), None, is_blank=text is None)


@page(
    "/policy-drafts/new",
    title=("起草政策", "A new policy"),
    topic=Topic.POLICIES,
    roles=WRITES,
    method="POST",
    body_bytes_max=BODY_BYTES_MAX,
)
def draft_created() -> Response:
    city, by = here.city(), here.official().login
    text = _text_sent("")
    try:
        draft = write(city, lambda connection: draft_policy(connection, city, text, by=by, now=now()))
    except PolicyRefused as refused:
        return _again(text, None, refused)
    return done(f"/console/policy-drafts/{draft.draft}", "草案已保存。", "The draft is saved.")


@page("/policy-drafts/<uuid:draft>/edit", title=("修改草案", "Edit a draft"), topic=Topic.POLICIES, roles=WRITES)
def edit_draft(draft: UUID) -> Response:
    with read(here.city()) as connection:
        found = _found(draft_page(connection, here.city(), str(draft)))
        looked = look(connection, here.city(), to_fields(read_object(found.text)))
    return _page(looked._replace(text=found.text), found)


@page(
    "/policy-drafts/<uuid:draft>/edit",
    title=("修改草案", "Edit a draft"),
    topic=Topic.POLICIES,
    roles=WRITES,
    method="POST",
    body_bytes_max=BODY_BYTES_MAX,
)
def draft_edited(draft: UUID) -> Response:
    city, by = here.city(), here.official().login
    with read(city) as connection:
        found = _found(draft_page(connection, city, str(draft)))
    text, revision = _text_sent(found.text), request.form.get("revision", 0, int)
    where = f"/console/policy-drafts/{draft}"
    if text == found.text and revision == found.listed.revision:
        return done(where, "草案没有改动。", "Nothing was changed.")
    try:
        write(
            city,
            lambda connection: redraft_policy(connection, city, str(draft), text, revision=revision, by=by, now=now()),
        )
    except DomainError as refused:
        return _again(text, found, refused)
    return done(where, "草案已保存；此前的预演和提交均已作废。", "Saved; former previews and submissions are void.")


@page(
    "/policy-drafts/rows",
    title=("起草政策", "A draft"),
    topic=Topic.POLICIES,
    roles=WRITES,
    method="POST",
    body_bytes_max=BODY_BYTES_MAX,
)
def draft_rows() -> Response:
    """The form after one row was added, removed or moved; for htmx its fields alone, without scripts the whole page."""
    act = request.form.get("act", "")
    before = from_fields(sent_fields(request.form)).fields
    fields = acted(before, act)
    with read(here.city()) as connection:
        looked = look(connection, here.city(), fields, focus=_focus(act, before, fields))
        found = draft_page(connection, here.city(), given) if (given := _draft_given()) else None
    if request.headers.get("HX-Request") == "true":
        said_now = chapters(looked.clauses)
        return shown("policies/fields.html", form=looked.form, options=OPTIONS, chapters=said_now, renewed=True)
    return _page(looked, found)


@page(
    "/policy-drafts/tab",
    title=("起草政策", "A draft"),
    topic=Topic.POLICIES,
    roles=WRITES,
    method="POST",
    body_bytes_max=BODY_BYTES_MAX,
)
def draft_tab() -> Response:
    """The same draft as a form, or as its text; nothing that was typed is lost on the way."""
    with read(here.city()) as connection:
        found = draft_page(connection, here.city(), given) if (given := _draft_given()) else None
    text = _text_sent(found.text if found else "")
    if request.form.get("as") != AS_TEXT:
        with read(here.city()) as connection:
            looked = look_at_text(connection, here.city(), text)
        return _page(looked, found, as_=AS_TEXT)
    try:
        fields = to_fields(read_object(text))
    except Unreadable as unreadable:
        return _again(text, found, PolicyRefused(unreadable.faults))
    with read(here.city()) as connection:
        return _page(look(connection, here.city(), fields)._replace(text=text), found, as_="form")


@page(
    "/policy-drafts/check",
    title=("核查草案", "Look at a draft"),
    topic=Topic.POLICIES,
    roles=WRITES,
    method="POST",
    body_bytes_max=BODY_BYTES_MAX,
)
def draft_checked() -> Response:
    """What a form means and what the linter says of it, while it is being written."""
    with read(here.city()) as connection:
        looked = look(connection, here.city(), sent_fields(request.form))
    return shown("policies/paper.html", form=looked.form, chapters=chapters(looked.clauses))


def _page(
    looked: Looked,
    found: DraftPage | None,
    refused: DomainError | None = None,
    as_: str = "",
    *,
    is_blank: bool = False,
) -> Response:
    draft = found.listed if found else None
    return shown(
        "policies/edit.html",
        HTTPStatus.OK if refused is None else PROBLEMS[refused.code].status,
        form=looked.form,
        text=looked.text,
        chapters=chapters(looked.clauses),
        draft=draft,
        revision=request.form.get("revision") or (draft.revision if draft else ""),
        action=f"/console/policy-drafts/{draft.draft}/edit" if draft else "/console/policy-drafts/new",
        as_text=as_ == AS_TEXT,
        refused=(refused.sentence_zh, refused.sentence_en) if refused else None,
        options=OPTIONS,
        is_blank=is_blank,
    )


def _again(text: str, found: DraftPage | None, refused: DomainError) -> Response:
    """The editor with everything that was typed, and what is wrong with it at its place."""
    if request.form.get("as") != AS_TEXT:
        with read(here.city()) as connection:
            return _page(look(connection, here.city(), sent_fields(request.form)), found, refused)
    with read(here.city()) as connection:
        looked = look_at_text(connection, here.city(), text)
    return _page(looked, found, refused, AS_TEXT)


def _text_sent(stored: str) -> str:
    """The document of the request: the text as it was typed, or what the fields say; `stored` where that is the same."""
    if request.form.get("as") == AS_TEXT:
        # A browser ends lines by CRLF, whatever the document has.
        text = request.form.get("document", "").replace("\r\n", "\n")
        return stored if text == stored.replace("\r\n", "\n") else text
    return text_to_keep(stored, from_fields(sent_fields(request.form)).document)


def _found(draft: DraftPage | None) -> DraftPage:
    if draft is None:
        raise NotFound
    return draft


def _draft_given() -> str | None:
    try:
        return str(UUID(request.form.get("draft", "")))
    except ValueError:
        return None


def _focus(act: str, before: dict[str, str], after: dict[str, str]) -> str:
    """Where the keyboard goes on: the first field of the row that is new, or the list that lost one."""
    what, _, place = act.partition(":")
    if what in ("add", "group"):
        new = [name for name in after if name not in before and not name.rpartition(".")[2].startswith("_")]
        return min(new, key=len, default=place)
    return place if what in ("up", "show") else place.rpartition(".")[0]
