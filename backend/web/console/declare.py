"""One declaration a route of the console: its title, its topic, who may open it. It enforces that, and a test reads it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import wraps

from flask import g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from backend.audit.acting import acting
from backend.audit.model import Actor
from backend.kernel.errors import DomainError
from backend.kernel.tokens import token_hash
from backend.officials import queries
from backend.officials.model import OFFICES, ROLE_NAMES, Official, Role, Side, Stage, side_of
from backend.officials.session_life import FRESH
from backend.web.auth import Access
from backend.web.console import here
from backend.web.console.blueprint import SIDES
from backend.web.context import backend, note, now, request_id

View = Callable[..., ResponseReturnValue]
Texts = tuple[str, str]
"""Chinese, English."""

FORM_BYTES_MAX = 262_144
EVERYONE = OFFICES
"""Every official of a city."""
ANYONE = frozenset(Role)
"""Officials and staff: such a page is served on both sides."""
READS = "GET"


class Topic(Enum):
    """The entries on the left, in order: Chinese, English, the name of its picture."""

    OVERVIEW = ("总览", "Overview", "overview")
    SALES = ("销售", "Sales", "sales")
    STATEMENTS = ("对账", "Statements", "money")
    POLICIES = ("政策", "Policies", "policies")
    REGISTRY = ("登记库", "Registry", "registry")
    MONEY = ("资金", "Money", "money")
    FLEET = ("终端", "Tills", "fleet")
    CASES = ("案件", "Cases", "cases")
    AUDIT = ("审计", "Audit", "audit")
    PEOPLE = ("人员", "People", "people")
    SETTINGS = ("设置", "Settings", "settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a route says of itself. `roles` are those of its side."""

    side: Side
    rule: str
    method: str
    title: Texts
    topic: Topic | None
    roles: frozenset[Role]
    menu: Texts | None
    stage: Stage
    step_up: bool

    @property
    def url(self) -> str:
        return f"/{self.side.value}{self.rule}"


class NotSignedIn(DomainError):
    code = "official-not-signed-in"
    text_zh = "请先登录；久未操作或另处退出后须重新登录。"
    text_en = "Please sign in; a session that was unused for a while, or ended elsewhere, is over."


class RoleNeeded(DomainError):
    code = "official-role-needed"
    text_zh = "此页由{roles_zh}办理，您的账户没有该角色。"
    text_en = "This page is for: {roles_en}. Your account has no such role."


class StepMissing(DomainError):
    """A sign-in that has begun goes on at its next step."""

    code = "official-sign-in-unfinished"
    text_zh = "登录尚未完成。"
    text_en = "The sign-in is not finished."

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage


class FreshCodeNeeded(DomainError):
    code = "fresh-code-needed"
    text_zh = "涉及资金、导出或权限，请再次输入动态码。"
    text_en = "Money, exports and rights ask for a fresh code of the second factor."


class FormNotOurs(DomainError):
    code = "form-not-ours"
    text_zh = "表单已失效，请返回上一页刷新后再提交。"
    text_en = "The form is out of date: go back, reload the page and send it again."


DECLARED: list[Declared] = []
"""Every page, in the order of their modules: the menu is made of it."""


def page(
    rule: str,
    *,
    title: Texts,
    topic: Topic | None,
    roles: frozenset[Role],
    method: str = READS,
    menu: Texts | None = None,
    stage: Stage = Stage.FULL,
    step_up: bool = False,
    body_bytes_max: int = FORM_BYTES_MAX,
) -> Callable[[View], View]:
    """Serves `rule` for those who hold one of `roles`: below /console/ for officials, below /shop/ for a retailer's staff.

    `menu` is its entry below the topic; `step_up` asks for a second factor given within the last ten minutes.
    Raises ValueError at import where an auditor could write.
    """
    if method != READS and not roles >= EVERYONE and Role.AUDITOR in roles:
        raise ValueError(f"{method} {rule}: an auditor writes nothing")

    def decorate(view: View) -> View:
        for side in Side:
            of_side = frozenset(role for role in roles if side_of(role) is side)
            if of_side:
                declared = Declared(
                    side=side,
                    rule=rule,
                    method=method,
                    title=title,
                    topic=topic,
                    roles=of_side,
                    menu=menu,
                    stage=stage,
                    step_up=step_up,
                )
                _serve(view, declared, body_bytes_max)
        return view

    return decorate


def check_origin() -> None:
    """That a form was sent by a page of this very site, as browsers say. Raises FormNotOurs."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise FormNotOurs
        return
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise FormNotOurs


def _serve(view: View, declared: Declared, body_bytes_max: int) -> None:
    @wraps(view)
    def enter(**path: object) -> ResponseReturnValue:
        request.max_content_length = body_bytes_max
        g.declared = declared
        official = _caller()
        g.official = official
        _admit(official, declared)
        _check_text(path)
        with acting(_actor(official, declared)):
            return view(**path)

    enter.access = Access.CONSOLE  # type: ignore[attr-defined]  # read by the tests that walk all routes
    enter.declared = declared  # type: ignore[attr-defined]  # the same
    DECLARED.append(declared)
    # Modules of pages may each have a `listed`.
    name = f"{view.__module__.rpartition('.')[2]}_{view.__name__}"
    SIDES[declared.side].route(declared.rule, methods=[declared.method], endpoint=name)(enter)


def _check_text(path: Mapping[str, object]) -> None:
    """PostgreSQL takes no U+0000, and no page wants one. Raises BadRequest."""
    typed = [value for _, values in request.values.lists() for value in values]
    if any("\x00" in text for text in [*typed, *(part for part in path.values() if isinstance(part, str))]):
        raise BadRequest


def has_role(official: Official, roles: frozenset[Role]) -> bool:
    return bool(official.roles & roles)


def _actor(official: Official, declared: Declared) -> Actor:
    """Acts are recorded in this name, and in the roles that let it in."""
    return Actor(official.official, ",".join(sorted(official.roles & declared.roles)), request_id())


def _caller() -> Official:
    """Raises NotSignedIn."""
    token = here.token()
    if not token:
        raise NotSignedIn
    with backend().database.glance() as connection:
        official = queries.session_of(connection, token_hash(token), now())
    if official is None:
        raise NotSignedIn
    backend().official_sign_in.renew(official, token, now())
    note(official=official.official, at=official.at)
    return official


def _admit(official: Official, declared: Declared) -> None:
    if official.stage is not declared.stage:
        raise StepMissing(official.stage)
    if not has_role(official, declared.roles):
        wanted = [ROLE_NAMES[role] for role in Role if role in declared.roles]
        raise RoleNeeded(roles_zh="、".join(zh for zh, _ in wanted), roles_en=", ".join(en for _, en in wanted))
    if declared.method != READS:
        check_origin()
        given = request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")
        if given != here.form_token():
            raise FormNotOurs
    if declared.step_up and now() - official.proved_at > FRESH:
        raise FreshCodeNeeded
