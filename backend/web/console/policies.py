"""Policies that were published: which there are, what each says, how its versions differ, its budget; suspend and resume."""

from datetime import datetime
from http import HTTPStatus

from flask import Response, request

from backend.kernel.errors import DomainError
from backend.kernel.periods import CHINA
from backend.officials.model import Role
from backend.policies import pages, queries
from backend.policies.difference import difference
from backend.policies.document import load_policy
from backend.policies.lifecycle import Turn
from backend.usecases.forecast_budgets import standing_budgets
from backend.usecases.turn_policy import turn_policy
from backend.web.console import here
from backend.web.console.answers import done
from backend.web.console.connection import read, write
from backend.web.console.declare import Topic, page
from backend.web.console.places import number_of
from backend.web.console.policy_shown import (
    DRAFT_STATES,
    READERS,
    STATES,
    TURNS,
    chapters,
    people,
    shown,
    stated,
)
from backend.web.context import now
from backend.web.problems import PROBLEMS, NotFound

ROWS = 50
VERSIONS_SHOWN = 50
DRAFTS_SHOWN = 20
NAME_CHARS_MAX = 64
TEXT_CHARS_MAX = 500
DECIDES = frozenset({Role.APPROVER})


class NoticeNeeded(DomainError):
    code = "policy-notice-needed"
    text_zh = "公告和理由都须填写（各不超过 500 字），生效时间须为日期和时刻。"
    text_en = "A public notice and a reason are needed, and a moment that is a date with a time."


@page("/policies", title=("政策一览", "Policies"), topic=Topic.POLICIES, roles=READERS, menu=("政策一览", "Policies"))
def policies() -> Response:
    after = request.args.get("after", "")[:NAME_CHARS_MAX]
    with read(here.city()) as connection:
        rows = pages.listed_policies(connection, here.city(), after, ROWS + 1, now())
    further = rows[ROWS - 1].policy if len(rows) > ROWS else None
    listed = [(one, load_policy(one.text, published=True), STATES[one.state(now())]) for one in rows[:ROWS]]
    return shown("policies/list.html", rows=listed, after=after, further=further)


@page("/policies/<policy>", title=("政策", "Policy"), topic=Topic.POLICIES, roles=READERS)
def policy(policy: str) -> Response:
    return _policy_page(policy)


@page(
    "/policies/<policy>/versions/<int(max=999999):number>",
    title=("政策版本", "Version"),
    topic=Topic.POLICIES,
    roles=READERS,
)
def policy_version(policy: str, number: int) -> Response:
    with read(here.city()) as connection:
        found = pages.versions_of(connection, here.city(), policy, number + 1, 1)
        text = queries.text_of(connection, here.city(), policy, number)
        if text is None or not found or found[0].version_no != number:
            raise NotFound
        said = chapters(stated(connection, text))
        named = people(connection, here.city(), (found[0].published_by, found[0].approver))
    document = load_policy(text, published=True)
    return shown("policies/version.html", one=found[0], document=document, people=named, chapters=said, text=text)


@page(
    "/policies/<policy>/difference", title=("版本对照", "Difference of versions"), topic=Topic.POLICIES, roles=READERS
)
def policy_versions_compared(policy: str) -> Response:
    """Of `from` and `to`, numbers of versions; by default of the last two."""
    with read(here.city()) as connection:
        versions = pages.versions_of(connection, here.city(), policy, 2**31 - 1, VERSIONS_SHOWN)
        if not versions:
            raise NotFound
        later = request.args.get("to", type=number_of) or versions[0].version_no
        earlier = request.args.get("from", type=number_of) or max(later - 1, 1)
        texts = [queries.text_of(connection, here.city(), policy, number) for number in (earlier, later)]
        if None in texts:
            raise NotFound
        before, after = (stated(connection, text) for text in texts if text is not None)
    return shown(
        "policies/difference.html",
        policy=policy,
        versions=versions,
        earlier=earlier,
        later=later,
        changes=difference(before, after),
        is_same_text=texts[0] == texts[1],
    )


@page(
    "/policies/<policy>/turn",
    title=("暂停、恢复、终止", "Turn"),
    topic=Topic.POLICIES,
    roles=DECIDES,
    method="POST",
    step_up=True,
)
def policy_turned(policy: str) -> Response:
    given = {name: request.form.get(name, "").strip() for name in ("turn", "notice_zh", "reason", "from")}
    try:
        turn, from_at = _turn_of(given)
        _turn(policy, turn, given, from_at)
    except DomainError as refused:
        return _policy_page(policy, given, refused)
    zh, en = TURNS[turn.value]
    when = ("自所定时间起", "from the moment given") if from_at else ("即时", "at once")
    return done(f"/console/policies/{policy}", f"政策{when[0]}{zh}，公告已公布。", f"The policy is {en} {when[1]}.")


def _turn(policy: str, turn: Turn, given: dict[str, str], from_at: datetime | None) -> None:
    city, by, moment = here.city(), here.official().login, now()
    write(
        city,
        lambda connection: turn_policy(
            connection,
            city,
            policy,
            turn,
            notice_zh=given["notice_zh"],
            reason=given["reason"],
            by=by,
            now=moment,
            from_at=from_at,
        ),
    )


def _turn_of(given: dict[str, str]) -> tuple[Turn, datetime | None]:
    """Raises NoticeNeeded."""
    texts = given["notice_zh"], given["reason"]
    try:
        turn = Turn(given["turn"])
        from_at = datetime.fromisoformat(given["from"]).replace(tzinfo=CHINA) if given["from"] else None
    except ValueError:
        raise NoticeNeeded from None
    if not all(0 < len(text) <= TEXT_CHARS_MAX for text in texts):
        raise NoticeNeeded
    return turn, from_at


def _policy_page(policy: str, given: dict[str, str] | None = None, refused: DomainError | None = None) -> Response:
    city = here.city()
    with read(city) as connection:
        one = pages.listed_policy(connection, city, policy, now())
        if one is None:
            raise NotFound
        versions = pages.versions_of(connection, city, policy, 2**31 - 1, VERSIONS_SHOWN)
        drafts = pages.drafts_of_policy(connection, city, policy, DRAFTS_SHOWN)
        turns = queries.listed_turns(connection, city, policy)
        logins = [v.published_by for v in versions] + [v.approver for v in versions] + [t.taken_by for t in turns]
        values = {
            "budgets": [b for b in standing_budgets(connection, city, now()) if b.policy == policy],
            "chapters": chapters(stated(connection, one.text)),
            "people": people(connection, city, [*logins, *(d.listed.author for d in drafts)]),
        }
    status = HTTPStatus.OK if refused is None else PROBLEMS[refused.code].status
    return shown(
        "policies/policy.html",
        status,
        one=one,
        document=load_policy(one.text, published=True),
        state=one.state(now()).value,
        state_words=STATES[one.state(now())],
        versions=versions,
        drafts=drafts,
        draft_states=DRAFT_STATES,
        turns=turns,
        turn_words=TURNS,
        given=given or {},
        refused=(refused.sentence_zh, refused.sentence_en) if refused else None,
        **values,
    )
