"""What the pages of policies have in common: names, the chapters of a statement, words for states."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from flask import Response
from sqlalchemy import Connection

from backend.kernel.amounts import Unit
from backend.kernel.periods import CHINA
from backend.labels.regions import region_name
from backend.officials.queries import names_by_login
from backend.policies.clause import NOUNS, UNITS, Clause
from backend.policies.document import load_policy
from backend.policies.lifecycle import DraftState
from backend.policies.pages import State
from backend.policies.statement import statement
from backend.policies.words import Names, Sentence
from backend.scans.replay import load_names
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.declare import EVERYONE, Texts
from backend.web.console.words import THIN, whole, yuan

READERS = EVERYONE
_DISTRICT = re.compile(r'"([1-9][0-9]{5})"')

STATES: Mapping[State, tuple[Texts, str]] = MappingProxyType(
    {
        State.AHEAD: (("待生效", "not yet in force"), "waits"),
        State.RUNNING: (("执行中", "in force"), "good"),
        State.SUSPENDED: (("已暂停", "suspended"), "bad"),
        State.ENDED: (("已终止", "ended"), "plain"),
        State.OVER: (("已届满", "over"), "plain"),
    }
)
DRAFT_STATES: Mapping[str, tuple[Texts, str]] = MappingProxyType(
    {
        DraftState.DRAFT.value: (("起草中", "being drafted"), "plain"),
        DraftState.SUBMITTED.value: (("待复核", "submitted"), "waits"),
        DraftState.APPROVED.value: (("已批准", "approved"), "good"),
        DraftState.REJECTED.value: (("已退回", "sent back"), "bad"),
        DraftState.WITHDRAWN.value: (("已撤回", "taken back"), "plain"),
    }
)
TURNS: Mapping[str, Texts] = MappingProxyType(
    {"suspend": ("暂停", "suspended"), "resume": ("恢复", "resumed"), "end": ("终止", "ended")}
)
_CHAPTERS: Sequence[tuple[Texts, tuple[str, ...]]] = (
    (("政策依据与期限", "Basis and period"), ("title", "document", "period", "programme", "within")),
    (("适用范围", "Scope"), ("scope",)),
    (("补贴标准", "What it pays"), ("rules",)),
    (("上限与核查", "Limits and checks"), ("caps", "windows", "milestones", "watches")),
    (("资金安排", "Money"), ("budgets",)),
    (("其他规定", "Further terms"), ("stacking", "pending", "expiry", "returns", "transitions", "claims")),
)


class Chapter(NamedTuple):
    title: Texts
    clauses: list[Clause]


def chapters(clauses: Iterable[Clause]) -> list[Chapter]:
    """The clauses of a statement under their headings, as a paper is parted."""
    found = [Chapter(title, []) for title, _ in _CHAPTERS]
    place = {name: number for number, (_, names) in enumerate(_CHAPTERS) for name in names}
    for one in clauses:
        found[place[one.key.partition("/")[0]]].clauses.append(one)
    return [chapter for chapter in found if chapter.clauses]


def names_for(connection: Connection, *texts: str) -> Names:
    """What people call the schemes of the register, and the districts that the documents name."""
    codes = {code for text in texts for code in _DISTRICT.findall(text)}
    districts = {
        ("district", code): Sentence(f"{named_district(code)}（{code}）", f"{named_district(code)} ({code})")
        for code in codes
        if region_name(code) is not None
    }
    return {**load_names(connection), **districts}


def named_district(code: str) -> str:
    """As people of the city call it, without the province."""
    return (region_name(code) or code).removeprefix(region_name(f"{code[:2]}0000") or "")


def stated(connection: Connection, text: str) -> tuple[Clause, ...]:
    """The statement of a document that was published."""
    return statement(load_policy(text, published=True), names_for(connection, text))


def people(connection: Connection, city: str, logins: Iterable[str | None]) -> dict[str, str]:
    """Login -> how a page names its owner; those who are no officials here keep the name they gave."""
    asked = sorted({login for login in logins if login is not None})
    known = names_by_login(connection, city, asked)
    return {login: f"{known[login]}（{login}）" if login in known else login for login in asked}


def shown(template: str, status: int = 200, **values: object) -> Response:
    """`render` with the words that pages of policies share."""
    return render(template, status, amount_of=amount_of, noun=noun, last_day=last_day, **values)


def amount_of(unit: str, amount: int) -> str:
    """An amount in its unit: ¥12 345.60, 300 积分."""
    if unit in (Unit.FEN, Unit.FEE):
        return yuan(amount)
    return f"{whole(amount)}{THIN}{here.say(*UNITS[Unit(unit)])}"


def noun(unit: str) -> str:
    return here.say(*NOUNS[Unit(unit)])


def last_day(until: datetime) -> str:
    """The last whole day of a period that ends before `until`; with its time where it ends within a day."""
    at = until.astimezone(CHINA)
    if at.time() == at.min.time():
        return (at - timedelta(days=1)).date().isoformat()
    return at.strftime("%Y-%m-%d %H:%M")
